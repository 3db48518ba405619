"""The concert domain's warehouse ports on Redshift: one statement for each question, from `concerts/sql`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from chalicelib.adapters.redshift import Parameter, RedshiftData, Row
from chalicelib.concerts import sql
from chalicelib.concerts.models import GenreTotals, OrderBy, ScorePart, VenueMonth, VenueStanding
from chalicelib.concerts.values import (
    EVERY_VENUE,
    SCORE_WEIGHTS,
    ArtistRow,
    ConcertOutlook,
    ConcertRow,
    Criteria,
    GenreRow,
    NamedArtist,
    NamedVenue,
    Place,
    ProgrammeItem,
    VenueRow,
    Vocabulary,
)
from chalicelib.errors import UpstreamRejected

RowModel = TypeVar("RowModel", bound=msgspec.Struct)

DEMAND_DAYS = 365
VOCABULARY_FRESH_S = 300.0
SCORE_DIGITS = 6
"""Of a score, and of its parts."""
STORED_COLUMNS = (
    "venue_id, popularity_rank, avg_attendance_rate, revenue_per_event, booking_frequency, total_events, calculated_at"
)
STORED_VALUES = (
    "venue_id, popularity_rank, COALESCE(avg_attendance_rate, 0), COALESCE(revenue_per_event, 0), booking_frequency, "
    "total_events, CAST(:calculated_at AS TIMESTAMP)"
)
"""The stored table has no NULL; the ranking itself says what was reported."""

ORDER_COLUMNS: Mapping[OrderBy, str] = {
    "popularity": "score",
    "revenue": "total_revenue",
    "attendance_rate": "attendance_rate",
    "concerts": "total_events",
    "capacity": "capacity",
}


class ConcertWarehouse:
    """Answers VenueRanking, Outlooks, Programme, Listings and ConcertCatalogue.

    `fresh_for_s` is how long rankings and totals, which do not change by the second, may be answered from memory.
    """

    def __init__(self, redshift: RedshiftData, *, fresh_for_s: float) -> None:
        self._redshift = redshift
        self._fresh_for_s = fresh_for_s
        self._names: tuple[Sequence[Row], Vocabulary] = ((), Vocabulary())

    def popular_venues(
        self, criteria: Criteria, *, min_events: int, top_n: int, order_by: OrderBy, least_first: bool
    ) -> list[VenueStanding]:
        venues, parameters = conditions(
            Criteria(
                places=criteria.places,
                without_places=criteria.without_places,
                venues=criteria.venues,
                venue_types=criteria.venue_types,
                min_capacity=criteria.min_capacity,
                max_capacity=criteria.max_capacity,
            )
        )
        parameters |= _window(criteria.since, criteria.until) | {"min_events": min_events, "top_n": top_n}
        order = f"{ORDER_COLUMNS[order_by]} {'ASC' if least_first else 'DESC'} NULLS LAST"
        return [_standing(row) for row in self._rows(ranking_statement(venues, order), parameters)]

    def store_popularity(self, since: date, until: date, min_events: int, calculated_at: datetime) -> int:
        insert = (
            f"INSERT INTO venue_popularity ({STORED_COLUMNS})\n"  # nosec B608  # our own constants
            f"SELECT {STORED_VALUES}\nFROM (\n{ranking_statement('1 = 1', 'score DESC')}) AS ranking"
        )
        parameters = _window(since, until) | {
            "min_events": min_events,
            "top_n": EVERY_VENUE,
            "calculated_at": calculated_at.astimezone(UTC).replace(tzinfo=None),
        }
        return self._redshift.run(["DELETE FROM venue_popularity", insert], parameters)

    def outlooks(self, concert_ids: Sequence[str], as_of: date) -> list[ConcertOutlook]:
        listed, parameters = _listed("concert", concert_ids)
        targets = sql.text("targets_serving").replace("{concert_ids}", listed)
        query = sql.text("features").replace("{targets}", targets)
        return [outlook_of(row) for row in self._redshift.rows(query, {**parameters, "as_of": as_of})]

    def upcoming(self, criteria: Criteria, today: date, top_n: int, *, by_date: bool = False) -> list[ProgrammeItem]:
        clause, parameters = conditions(criteria)
        listed, genres = _listed("wanted", criteria.genres or ("-",))
        parameters |= genres | {
            "genre_count": len(criteria.genres),
            "today": today,
            "past": today - timedelta(days=DEMAND_DAYS),
            "top_n": top_n,
        }
        query = (
            sql.text("recommendations")
            .replace("{genres}", listed)
            .replace("{nearness}", _nearness(criteria.places))
            .replace("{order}", "" if by_date else "score DESC, ")
            .replace("{conditions}", clause)
        )
        return _models(self._rows(query, parameters), ProgrammeItem)

    def concerts(
        self, criteria: Criteria, statuses: Sequence[str], after: tuple[date, str], limit: int
    ) -> list[ConcertRow]:
        clause, parameters = conditions(criteria)
        listed, named = _listed("status", statuses)
        parameters |= named | {"after_date": after[0], "after_id": after[1] or "-"}
        query = sql.text("concerts").replace("{conditions}", f"c.status IN ({listed}) AND {clause}")
        return _models(self._rows(query.replace("{limit}", str(int(limit))), parameters), ConcertRow)

    def artists(self, artist_ids: Sequence[str], since: date, today: date) -> list[ArtistRow]:
        listed, parameters = _listed("artist", artist_ids)
        query = sql.text("artists").replace("{artists}", listed)
        return _models(self._rows(query, {**parameters, "since": since, "today": today}), ArtistRow)

    def venues(self, venue_ids: Sequence[str], today: date) -> list[VenueRow]:
        listed, parameters = _listed("venue", venue_ids)
        query = sql.text("venues").replace("{venues}", listed)
        return _models(self._rows(query, {**parameters, "today": today}), VenueRow)

    def venue_history(self, venue_id: str, since: date, until: date) -> list[VenueMonth]:
        parameters = _window(since, until) | {"venue_id": venue_id}
        return _models(self._rows(sql.text("venue_history"), parameters), VenueMonth)

    def vocabulary(self) -> Vocabulary:
        rows = self._redshift.rows(sql.text("vocabulary"), fresh_for_s=VOCABULARY_FRESH_S)
        if rows is not self._names[0]:
            self._names = (rows, _vocabulary(rows))
        return self._names[1]

    def totals(self, criteria: Criteria) -> list[GenreTotals]:
        clause, parameters = conditions(criteria)
        return _models(self._rows(sql.text("totals").replace("{conditions}", clause), parameters), GenreTotals)

    def genres(self, today: date) -> list[GenreRow]:
        return _models(self._rows(sql.text("genres"), {"today": today}), GenreRow)

    def ping(self) -> None:
        """Send the warehouse an empty query; Upstream* if it does not answer."""
        self._redshift.rows("SELECT 1 AS answer")

    def _rows(self, query: str, parameters: Mapping[str, Parameter]) -> Sequence[Row]:
        return self._redshift.rows(query, parameters, fresh_for_s=self._fresh_for_s)


def conditions(criteria: Criteria) -> tuple[str, dict[str, Parameter]]:
    """`criteria` as SQL over concerts `c`, artists `a` and venues `v`, and its parameters.

    The text contains only our own SQL; every value is a parameter.
    """
    clauses: list[str] = []
    parameters: dict[str, Parameter] = {}

    def any_of(name: str, values: Sequence[str], *columns: str, unless: bool = False) -> None:
        if values:
            listed, numbered = _listed(name, values)
            parameters.update(numbered)
            found = " OR ".join(f"{column} IN ({listed})" for column in columns)
            clauses.append(f"NOT ({found})" if unless else f"({found})")

    parts = ("SPLIT_PART(a.genre, '/', 1)", "SPLIT_PART(a.genre, '/', 2)")
    any_of("genre", criteria.genres, *parts)
    any_of("no_genre", criteria.without_genres, *parts, unless=True)
    any_of("concert", criteria.concerts, "c.concert_id")
    any_of("artist", criteria.artists, "a.artist_id")
    any_of("no_artist", criteria.without_artists, "a.artist_id", unless=True)
    any_of("venue", criteria.venues, "v.venue_id")
    if any(criteria.named):
        either = [_listed(*part) for part in (("named_artist", criteria.named[0]), ("named_venue", criteria.named[1]))]
        columns = ("a.artist_id", "v.venue_id")
        named = [f"{column} IN ({text})" for column, (text, _) in zip(columns, either, strict=True) if text]
        clauses.append(f"({' OR '.join(named)})")
        parameters |= either[0][1] | either[1][1]
    any_of("type", criteria.venue_types, "v.venue_type")
    for name, places in (("place", criteria.places), ("no_place", criteria.without_places)):
        if places:
            found = " OR ".join(_in_place(f"{name}_{number}", place) for number, place in enumerate(places, 1))
            clauses.append(f"({found})" if name == "place" else f"NOT ({found})")
            parameters |= _place_parameters(name, places)
    for column, value in (
        ("v.capacity >= CAST(:min_capacity AS INTEGER)", criteria.min_capacity),
        ("v.capacity <= CAST(:max_capacity AS INTEGER)", criteria.max_capacity),
        ("c.event_date >= CAST(:since AS DATE)", criteria.since),
        ("c.event_date < CAST(:until AS DATE)", criteria.until),
    ):
        if value is not None:
            clauses.append(column)
            parameters[column.partition(":")[2].partition(" ")[0]] = value
    return " AND ".join(clauses) or "1 = 1", parameters


def _in_place(name: str, place: Place) -> str:
    return (
        "("
        + " AND ".join(f"v.{part} = :{name}_{part}" for part in Place.__struct_fields__ if getattr(place, part))
        + ")"
    )


def _place_parameters(name: str, places: Sequence[Place]) -> dict[str, Parameter]:
    return {
        f"{name}_{number}_{part}": getattr(place, part)
        for number, place in enumerate(places, 1)
        for part in Place.__struct_fields__
        if getattr(place, part)
    }


def _nearness(places: Sequence[Place]) -> str:
    """How near a venue is to the nearest of `places`, as SQL with the parameters of `conditions`."""
    ordered = sorted(enumerate(places, 1), key=lambda it: -it[1].nearness)
    cases = "".join(f" WHEN {_in_place(f'place_{number}', place)} THEN {place.nearness}" for number, place in ordered)
    return f"CASE{cases} ELSE 0.0 END" if cases else "0.0"


def ranking_statement(venues: str, order: str) -> str:
    """The ranking of the venues that a condition names, in an order; both are SQL of ours."""
    return sql.text("popularity").replace("{venues}", venues).replace("{order}", order)


def _window(since: date | None, until: date | None) -> dict[str, Parameter]:
    return {name: day for name, day in (("since", since), ("until", until)) if day is not None}


def _listed(name: str, values: Iterable[str]) -> tuple[str, dict[str, Parameter]]:
    """Placeholders for a list, and their parameters; the Data API takes no lists."""
    numbered: dict[str, Parameter] = {f"{name}_{number}": value for number, value in enumerate(values, 1)}
    return ", ".join(f":{each}" for each in numbered), numbered


def _standing(row: Mapping[str, Any]) -> VenueStanding:
    shares = {name: row[f"p_{name}"] for name in SCORE_WEIGHTS}
    parts = [
        ScorePart(
            name=name, weight=SCORE_WEIGHTS[name], contribution=None if share is None else round(share, SCORE_DIGITS)
        )
        for name, share in shares.items()
    ]
    return _models([{**row, "contributions": parts}], VenueStanding)[0]


def _vocabulary(rows: Sequence[Mapping[str, Any]]) -> Vocabulary:
    artists = [row for row in rows if row["kind"] == "artist"]
    venues = [row for row in rows if row["kind"] == "venue"]
    places = {
        (row["city"], row["state"], row["country"]): Place(row["city"], row["state"], row["country"]) for row in venues
    }
    return Vocabulary(
        genres=tuple(sorted({row["detail"] for row in artists})),
        places=tuple(places[name] for name in sorted(places)),
        venue_types=tuple(sorted({row["detail"] for row in venues})),
        artists=tuple(NamedArtist(row["id"], row["name"], row["detail"]) for row in artists),
        venues=tuple(
            NamedVenue(row["id"], row["name"], places[row["city"], row["state"], row["country"]], row["detail"])
            for row in venues
        ),
    )


def outlook_of(row: Row) -> ConcertOutlook:
    """A row of the features statement as the domain's value."""
    return _models([{**row, "prices": row["ticket_prices"]}], ConcertOutlook)[0]


def _models(rows: Sequence[Mapping[str, Any]], model: type[RowModel]) -> list[RowModel]:
    """Rows as a domain's values; UpstreamRejected where the warehouse holds what the domain cannot."""
    try:
        return [msgspec.convert(row, model, strict=False) for row in rows]
    except msgspec.ValidationError as error:
        raise UpstreamRejected("The warehouse answered with values that make no sense.") from error
