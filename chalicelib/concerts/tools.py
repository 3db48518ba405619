"""What a chat can do: the same services as the REST routes, described so that a model can call them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from chalicelib.concerts.models import PLAIN, ConcertId, Intent, PopularityQuery, RecommendationQuery, TicketQuery
from chalicelib.concerts.popularity import VenuePopularity
from chalicelib.concerts.ports import ConcertCatalogue
from chalicelib.concerts.recommendations import Recommender
from chalicelib.concerts.tickets import TicketForecast
from chalicelib.concerts.values import ArtistMatch, GenreTotals
from chalicelib.errors import OmnibusError

TOOL_ROWS = 20
"""Rows that a tool answers with at most: a chat reads them out, and a socket's message is bounded."""


class PopularVenues(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    top_n: Annotated[int, Meta(ge=1, le=TOOL_ROWS, description="How many venues.")] = 5
    min_events: Annotated[int, Meta(ge=1, le=10_000, description="Concerts that a venue must have had.")] = 5
    lookback_days: Annotated[int, Meta(ge=1, le=3650, description="Days before today that count.")] = 365


class PredictSales(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    concert_id: ConcertId


class RecommendConcerts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    genres: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=50, pattern=PLAIN)]],
        Meta(max_length=10, description="Genres that the person likes."),
    ] = []
    location: Annotated[str, Meta(max_length=100, pattern=PLAIN, description="City, state or country.")] = ""
    top_n: Annotated[int, Meta(ge=1, le=TOOL_ROWS, description="How many concerts.")] = 5


class FindArtists(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: Annotated[str, Meta(min_length=1, max_length=4000, description="A text that names the artist in full.")]


class SeasonTotals(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    lookback_days: Annotated[int, Meta(ge=1, le=3650, description="Days before today that count.")] = 365


class Artists(Struct, frozen=True, kw_only=True):
    artists: list[ArtistMatch]


class Totals(Struct, frozen=True, kw_only=True):
    genres: list[GenreTotals]


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
    """What a tool returned, as plain JSON values; `error` is set, and `data` empty, where it failed."""

    tool: str
    intent: Intent
    data: Mapping[str, Any]
    error: OmnibusError | None = None

    @property
    def content(self) -> Mapping[str, Any]:
        """What a model is told."""
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
        catalogue: ConcertCatalogue,
        clock: Callable[[], datetime],
    ) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self.tools: Mapping[str, Tool] = {
            tool.name: tool
            for tool in (
                Tool(
                    "popular_venues",
                    "Rank the most popular concert venues, with attendance, revenue and bookings.",
                    "venue_search",
                    PopularVenues,
                    lambda asked: popularity.rank(msgspec.convert(msgspec.structs.asdict(asked), PopularityQuery)),
                ),
                Tool(
                    "predict_ticket_sales",
                    "Forecast the ticket revenue of one scheduled concert by its id, with the confidence explained.",
                    "ticket_prediction",
                    PredictSales,
                    lambda asked: forecast.predict(TicketQuery(concert_id=asked.concert_id)),
                ),
                Tool(
                    "recommend_concerts",
                    "Recommend scheduled concerts by genres and by place, each with its id and with reasons.",
                    "concert_recommendation",
                    RecommendConcerts,
                    lambda asked: recommender.recommend(
                        msgspec.convert(msgspec.structs.asdict(asked), RecommendationQuery)
                    ),
                ),
                Tool(
                    "find_artists",
                    "Find the artists that a text names, with the next scheduled concert of each.",
                    "artist_lookup",
                    FindArtists,
                    self._find_artists,
                ),
                Tool(
                    "season_totals",
                    "Concerts, attendance and revenue by genre over the last days.",
                    "data_analysis",
                    SeasonTotals,
                    self._season_totals,
                ),
            )
        }

    def run(self, name: str, arguments: Mapping[str, Any]) -> ToolAnswer:
        """Use a tool; what is wrong with its name, its arguments or its service is in the answer, not raised."""
        tool = self.tools.get(name)
        if tool is None:
            return ToolAnswer(name, "unknown", {}, OmnibusError(f"There is no tool {name}.", code="unknown_tool"))
        try:
            answer = tool.run(msgspec.convert(arguments, tool.model))
        except msgspec.ValidationError as error:
            return ToolAnswer(name, tool.intent, {}, OmnibusError(str(error), code="invalid_arguments"))
        except OmnibusError as error:
            return ToolAnswer(name, tool.intent, {}, error)
        return ToolAnswer(name, tool.intent, msgspec.to_builtins(answer))

    def _find_artists(self, asked: FindArtists) -> Artists:
        return Artists(artists=self._catalogue.artists_mentioned(asked.text, self._clock().date(), 5))

    def _season_totals(self, asked: SeasonTotals) -> Totals:
        today = self._clock().date()
        return Totals(genres=self._catalogue.totals(today - timedelta(days=asked.lookback_days), today)[:TOOL_ROWS])
