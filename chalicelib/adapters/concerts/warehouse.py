"""The concert domain's warehouse ports on Redshift: one statement for each question, from `concerts/sql`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from chalicelib.adapters.redshift import Parameter, RedshiftData, Row
from chalicelib.concerts import sql
from chalicelib.concerts.models import VenueStanding
from chalicelib.concerts.popularity import EVERY_VENUE
from chalicelib.concerts.recommendations import MAX_PLACES
from chalicelib.concerts.values import ArtistMatch, ConcertOutlook, Criteria, GenreTotals, ProgrammeItem, Vocabulary
from chalicelib.errors import UpstreamRejected

RowModel = TypeVar("RowModel", bound=msgspec.Struct)

DEMAND_DAYS = 365
VOCABULARY_FRESH_S = 300.0
STORED_COLUMNS = (
    "venue_id, popularity_rank, avg_attendance_rate, revenue_per_event, booking_frequency, total_events, calculated_at"
)


class ConcertWarehouse:
    """Answers VenueRanking, Outlooks, Programme and Catalogue.

    `fresh_for_s` is how long rankings and totals, which do not change by the second, may be answered from memory.
    """

    def __init__(self, redshift: RedshiftData, *, fresh_for_s: float) -> None:
        self._redshift = redshift
        self._fresh_for_s = fresh_for_s

    def popular_venues(self, since: date, until: date, *, min_events: int, top_n: int) -> list[VenueStanding]:
        parameters = _window(since, until) | {"min_events": min_events, "top_n": top_n}
        rows = self._redshift.rows(sql.text("popularity"), parameters, fresh_for_s=self._fresh_for_s)
        return _models(rows, VenueStanding)

    def store_popularity(self, since: date, until: date, min_events: int, calculated_at: datetime) -> int:
        insert = (
            f"INSERT INTO venue_popularity ({STORED_COLUMNS})\n"  # nosec B608  # our own constants
            f"SELECT {STORED_COLUMNS.replace('calculated_at', 'CAST(:calculated_at AS TIMESTAMP)')}\n"
            f"FROM (\n{sql.text('popularity')}) AS ranking"
        )
        parameters = _window(since, until) | {
            "min_events": min_events,
            "top_n": EVERY_VENUE,
            "calculated_at": calculated_at.astimezone(UTC).replace(tzinfo=None),
        }
        return self._redshift.run(["DELETE FROM venue_popularity", insert], parameters)

    def outlooks(self, concert_ids: Sequence[str], as_of: date) -> list[ConcertOutlook]:
        numbered = {f"concert_{number}": concert_id for number, concert_id in enumerate(concert_ids, 1)}
        targets = sql.text("targets_serving").replace("{concert_ids}", _placeholders(numbered))
        query = sql.text("features").replace("{targets}", targets)
        rows = self._redshift.rows(query, {**numbered, "as_of": as_of})
        return [outlook_of(row) for row in rows]

    def upcoming(self, criteria: Criteria, today: date, top_n: int) -> list[ProgrammeItem]:
        genres = {f"genre_{number}": genre for number, genre in enumerate(criteria.genres or ("-",), 1)}
        places = (*criteria.places, *[(criteria.places or ("-",))[0]] * MAX_PLACES)[:MAX_PLACES]
        parameters: dict[str, Parameter] = {
            **genres,
            **{f"place_{number}": place for number, place in enumerate(places, 1)},
            "genre_count": len(criteria.genres),
            "place_count": len(criteria.places),
            "today": today,
            "since": today - timedelta(days=DEMAND_DAYS),
            "top_n": top_n,
        }
        query = sql.text("recommendations").replace("{genres}", _placeholders(genres))
        return _models(self._redshift.rows(query, parameters, fresh_for_s=self._fresh_for_s), ProgrammeItem)

    def artists_mentioned(self, text: str, today: date, top_n: int) -> list[ArtistMatch]:
        rows = self._redshift.rows(sql.text("artists_mentioned"), {"text": text, "today": today, "top_n": top_n})
        return _models(rows, ArtistMatch)

    def vocabulary(self) -> Vocabulary:
        words: dict[str, list[str]] = {}
        for row in self._redshift.rows(sql.text("vocabulary"), fresh_for_s=VOCABULARY_FRESH_S):
            words.setdefault(str(row["kind"]), []).append(str(row["word"]))
        return Vocabulary(tuple(words.get("genre", ())), tuple(words.get("city", ())), tuple(words.get("country", ())))

    def totals(self, since: date, until: date) -> list[GenreTotals]:
        rows = self._redshift.rows(sql.text("totals"), _window(since, until), fresh_for_s=self._fresh_for_s)
        return _models(rows, GenreTotals)

    def ping(self) -> None:
        """Ask the warehouse for nothing; Upstream* where it does not answer."""
        self._redshift.rows("SELECT 1 AS answer")


def _window(since: date, until: date) -> dict[str, Parameter]:
    return {"since": since, "until": until}


def _placeholders(numbered: Mapping[str, str]) -> str:
    return ", ".join(f":{name}" for name in numbered)


def outlook_of(row: Row) -> ConcertOutlook:
    """A row of the features statement as the domain's value."""
    return _models([{**row, "prices": row["ticket_prices"]}], ConcertOutlook)[0]


def _models(rows: Sequence[Mapping[str, Any]], model: type[RowModel]) -> list[RowModel]:
    """Rows as a domain's values; UpstreamRejected where the warehouse holds what the domain cannot."""
    try:
        return [msgspec.convert(row, model, strict=False) for row in rows]
    except msgspec.ValidationError as error:
        raise UpstreamRejected("The warehouse answered with values that make no sense.") from error
