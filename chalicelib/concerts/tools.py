"""The chat's tools: the same services as the REST routes, described for models."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct

from chalicelib.concerts.guide import ConcertGuide
from chalicelib.concerts.models import (
    ArtistId,
    ConcertId,
    ConcertsQuery,
    Intent,
    NamesQuery,
    PopularityQuery,
    RecommendationQuery,
    TicketQuery,
    TotalsQuery,
    VenueId,
    VenuesQuery,
)
from chalicelib.concerts.popularity import Totals, VenuePopularity
from chalicelib.concerts.recommendations import Recommender
from chalicelib.concerts.tickets import TicketForecast
from chalicelib.errors import OmnibusError

TOOL_ROWS = 20
"""Rows that a tool answers a chat with at most: it reads them out, and a socket's message is bounded."""


class OneConcert(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A concert by its id."""

    concert_id: ConcertId


class OneArtist(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An artist by its id, as find_artists gives it."""

    artist_id: ArtistId


class OneVenue(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A venue by its id, as find_venues gives it."""

    venue_id: VenueId


class NoArguments(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing to say."""


@dataclass(frozen=True)
class Tool:
    """One thing that a chat can do; `intent` is what using it says about the question."""

    name: str
    description: str
    intent: Intent
    model: type[Struct]
    run: Callable[[Any], Struct]

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its arguments, with an object at the top, as Bedrock wants it."""
        whole = msgspec.json.schema(self.model)
        schema: dict[str, Any] = whole["$defs"].pop(self.model.__name__)
        if whole["$defs"]:
            schema["$defs"] = whole["$defs"]
        return schema


@dataclass(frozen=True)
class ToolAnswer:
    """A tool's result as plain JSON values; on failure `error` is set and `data` empty."""

    tool: str
    intent: Intent
    data: Mapping[str, Any]
    error: OmnibusError | None = None

    @property
    def content(self) -> Mapping[str, Any]:
        """The tool's description for a model."""
        if self.error is None:
            return self.data
        return {"error": {"code": self.error.code, "message": self.error.message}}


class Toolbox:
    """The tools, bound to their services. They read the warehouse and nothing else: no tool reaches a session."""

    def __init__(
        self,
        popularity: VenuePopularity,
        forecast: TicketForecast,
        recommender: Recommender,
        totals: Totals,
        guide: ConcertGuide,
    ) -> None:
        self.tools: Mapping[str, Tool] = {
            tool.name: tool
            for tool in (
                Tool(
                    "popular_venues",
                    "Rank concert venues by popularity, revenue, attendance, concerts or capacity, most or least "
                    "first, within places, types and days.",
                    "venue_search",
                    PopularityQuery,
                    popularity.rank,
                ),
                Tool(
                    "predict_ticket_sales",
                    "Forecast the ticket revenue of one scheduled concert by its id, with an interval and what is "
                    "unknown.",
                    "ticket_prediction",
                    OneConcert,
                    lambda asked: forecast.predict(TicketQuery(concert_id=asked.concert_id)),
                ),
                Tool(
                    "recommend_concerts",
                    "Recommend scheduled concerts by genres, places, days, prices and seats, or similar to a concert, "
                    "each with its id and with reasons.",
                    "concert_recommendation",
                    RecommendationQuery,
                    recommender.recommend,
                ),
                Tool(
                    "find_concerts",
                    "List concerts by date: by words of the artist's or venue's name, genre, place, type and days.",
                    "concert_recommendation",
                    ConcertsQuery,
                    guide.concerts,
                ),
                Tool(
                    "concert_details",
                    "A concert by id, whatever its status, with its venue and its prices.",
                    "concert_recommendation",
                    OneConcert,
                    lambda asked: guide.concert(asked.concert_id),
                ),
                Tool(
                    "find_artists",
                    "Find artists by words of their name, with the next scheduled concert of each.",
                    "artist_lookup",
                    NamesQuery,
                    guide.artists,
                ),
                Tool(
                    "artist_details",
                    "An artist by id, with its next concerts and how its past ones went.",
                    "artist_lookup",
                    OneArtist,
                    lambda asked: guide.artist(asked.artist_id),
                ),
                Tool(
                    "find_venues",
                    "Find venues by words of their name, place and type, with address, capacity and amenities.",
                    "venue_search",
                    VenuesQuery,
                    guide.venues,
                ),
                Tool(
                    "venue_details",
                    "A venue by id, with its address, its next concerts and two years by month.",
                    "venue_search",
                    OneVenue,
                    lambda asked: guide.venue(asked.venue_id),
                ),
                Tool(
                    "season_totals",
                    "Concerts, attendance and revenue of completed concerts by genre, within places, types and days.",
                    "data_analysis",
                    TotalsQuery,
                    totals.sum_up,
                ),
                Tool(
                    "list_genres",
                    "Every genre, with how many artists play it and how many concerts are scheduled.",
                    "general_query",
                    NoArguments,
                    lambda _: guide.genres(),
                ),
            )
        }

    def run(self, name: str, arguments: Mapping[str, Any]) -> ToolAnswer:
        """Use a tool; what is wrong with its name, its arguments or its service is in the answer, not raised."""
        tool = self.tools.get(name)
        if tool is None:
            return ToolAnswer(name, "unknown", {}, OmnibusError(f"There is no tool {name}.", code="unknown_tool"))
        try:
            answer = tool.run(_bounded(msgspec.convert(arguments, tool.model)))
        except msgspec.ValidationError as error:
            return ToolAnswer(name, tool.intent, {}, OmnibusError(str(error), code="invalid_arguments"))
        except OmnibusError as error:
            return ToolAnswer(name, tool.intent, {}, error)
        return ToolAnswer(name, tool.intent, msgspec.to_builtins(answer))


def _bounded(asked: Struct) -> Struct:
    """What was asked for, of no more rows than a chat reads out."""
    rows = next((name for name in ("top_n", "limit") if getattr(asked, name, 0) > TOOL_ROWS), None)
    return asked if rows is None else msgspec.structs.replace(asked, **{rows: TOOL_ROWS})
