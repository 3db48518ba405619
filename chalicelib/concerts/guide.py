"""Lookups for concert-goers: concerts by date, artists, venues with their history, genres."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import TypeVar

from msgspec import convert, structs

from chalicelib.concerts.features import LOOKBACK_DAYS, ticket_prices
from chalicelib.concerts.lexicon import Lexical
from chalicelib.concerts.models import (
    Artist,
    ArtistDetail,
    ArtistPage,
    Concert,
    ConcertPage,
    ConcertsQuery,
    GenreCount,
    Genres,
    NamesQuery,
    Venue,
    VenueDetail,
    VenuePage,
    VenuesQuery,
)
from chalicelib.concerts.ports import ConcertCatalogue, Listings
from chalicelib.concerts.recommendations import ANY_STATUS, cheapest
from chalicelib.concerts.values import ArtistRow, ConcertRow, Criteria, NamedArtist, NamedVenue, VenueRow
from chalicelib.concerts.wishes import Wishes
from chalicelib.errors import NotFound, Unprocessable

NEXT_CONCERTS = 20
"""The number of upcoming concerts that an artist or a venue lists."""
NAMES_IN_QUESTION = 100
HELD = ("scheduled", "completed")

Found = TypeVar("Found", NamedArtist, NamedVenue)


class ConcertGuide:
    """Looks up concerts, artists, venues and genres; every method raises Upstream* if the warehouse fails."""

    def __init__(
        self,
        listings: Listings,
        catalogue: ConcertCatalogue,
        lexicon: Lexical,
        clock: Callable[[], datetime],
        currency: str,
    ) -> None:
        self._listings = listings
        self._catalogue = catalogue
        self._lexicon = lexicon
        self._wishes = Wishes(lexicon)
        self._clock = clock
        self._currency = currency

    def concerts(self, query: ConcertsQuery) -> ConcertPage:
        """Return a page of scheduled and completed concerts by date; cancelled and postponed ones are not listed."""
        since = query.first or self._today
        if query.last is not None and query.last < since:
            raise Unprocessable.of("to", f"is {query.last}, with from {since}", "a day that is not before from")
        criteria, notes, nothing = self._wishes.of_list(query)
        criteria = criteria.but(since=since, until=query.last and query.last + timedelta(days=1))
        after = _after(query.cursor)
        if query.q.strip():
            lexicon = self._lexicon()
            artists = tuple(one.artist_id for one in lexicon.artists(query.q)[:NAMES_IN_QUESTION])
            venues = tuple(one.venue_id for one in lexicon.venues(query.q)[:NAMES_IN_QUESTION])
            nothing = nothing or not (artists or venues)
            notes += [] if artists or venues else [f"No artist or venue is named {query.q.strip()}."]
            criteria = criteria.but(named=(artists, venues))
        rows = [] if nothing else self._listings.concerts(criteria, HELD, after, query.limit + 1)
        page = rows[: query.limit]
        more = len(rows) > query.limit
        return ConcertPage(
            concerts=[self._concert(row) for row in page],
            next_cursor=_cursor(str(page[-1].event_date), page[-1].concert_id) if more else None,
            notes=notes,
        )

    def concert(self, concert_id: str) -> Concert:
        """One concert of any status; NotFound."""
        found = self._listings.concerts(Criteria(concerts=(concert_id,)), ANY_STATUS, (date.min, ""), 1)
        if not found:
            raise NotFound(f"There is no concert {concert_id}.", code="concert_not_found")
        return self._concert(found[0])

    def artists(self, query: NamesQuery) -> ArtistPage:
        """Artists by name, a page at a time."""
        named, cursor = _page(self._lexicon().artists(query.q), query, lambda it: it.artist_id)
        ids = [one.artist_id for one in named]
        rows = {row.artist_id: row for row in self._artists(ids)}
        return ArtistPage(artists=[_artist(rows[one]) for one in ids if one in rows], next_cursor=cursor)

    def artist(self, artist_id: str) -> ArtistDetail:
        """One artist with its next concerts; NotFound."""
        found = self._artists([artist_id])
        if not found:
            raise NotFound(f"There is no artist {artist_id}.", code="artist_not_found")
        row = found[0]
        return ArtistDetail(
            **structs.asdict(_artist(row)),
            formation_date=row.formation_date,
            members=_listed(row.members),
            past_concerts=row.past_concerts,
            avg_attendance=row.avg_attendance,
            avg_attendance_rate=row.avg_attendance_rate,
            upcoming=self.upcoming(Criteria(artists=(artist_id,))),
        )

    def venues(self, query: VenuesQuery) -> VenuePage:
        """Venues by name, place and type, a page at a time."""
        criteria, notes, nothing = self._wishes.of_list(query)
        fitting = [
            one
            for one in self._lexicon().venues(query.q)
            if not nothing
            and (not criteria.venue_types or one.venue_type in criteria.venue_types)
            and (not criteria.places or any(one.place.within(place) for place in criteria.places))
        ]
        named, cursor = _page(fitting, query, lambda it: it.venue_id)
        ids = [one.venue_id for one in named]
        rows = {row.venue_id: row for row in (self._listings.venues(ids, self._today) if ids else [])}
        return VenuePage(venues=[_venue(rows[one]) for one in ids if one in rows], next_cursor=cursor, notes=notes)

    def venue(self, venue_id: str) -> VenueDetail:
        """One venue with its next concerts and its history by month; NotFound."""
        found = self._listings.venues([venue_id], self._today)
        if not found:
            raise NotFound(f"There is no venue {venue_id}.", code="venue_not_found")
        since = self._today - timedelta(days=LOOKBACK_DAYS)
        return VenueDetail(
            **structs.asdict(_venue(found[0])),
            currency=self._currency,
            upcoming=self.upcoming(Criteria(venues=(venue_id,))),
            history=self._listings.venue_history(venue_id, since, self._today),
        )

    def genres(self) -> Genres:
        """Every genre, by name."""
        artists: Counter[str] = Counter()
        concerts: Counter[str] = Counter()
        for row in self._catalogue.genres(self._today):
            for part in {part.strip() for part in row.genre.split("/")} - {""}:
                artists[part] += row.artists
                concerts[part] += row.upcoming_concerts
        return Genres(
            genres=[
                GenreCount(genre=one, artists=artists[one], upcoming_concerts=concerts[one]) for one in sorted(artists)
            ]
        )

    def upcoming(self, criteria: Criteria) -> list[Concert]:
        """The next scheduled concerts that fit."""
        criteria = criteria.but(since=max(criteria.since or self._today, self._today))
        rows = self._listings.concerts(criteria, ("scheduled",), (date.min, ""), NEXT_CONCERTS)
        return [self._concert(row) for row in rows]

    @property
    def _today(self) -> date:
        return self._clock().date()

    def _artists(self, ids: Sequence[str]) -> list[ArtistRow]:
        since = self._today - timedelta(days=LOOKBACK_DAYS)
        return self._listings.artists(ids, since, self._today) if ids else []

    def _concert(self, row: ConcertRow) -> Concert:
        prices = ticket_prices(row.ticket_prices, self._currency)
        known = {name: getattr(row, name) for name in Concert.__struct_fields__ if name in ConcertRow.__struct_fields__}
        return Concert(
            **known,
            artist=row.artist_name,
            venue=row.venue_name,
            price_from=cheapest(prices),
            price_to=cheapest(prices[-1:]),
            currency=self._currency,
        )


def _artist(row: ArtistRow) -> Artist:
    return convert(row, Artist, from_attributes=True)


def _venue(row: VenueRow) -> Venue:
    return convert({**structs.asdict(row), "amenities": _listed(row.amenities)}, Venue)


def _listed(text: str | None) -> list[str]:
    """The strings of a JSON list; empty if the text is not one."""
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _page(
    found: Sequence[Found], query: NamesQuery, id_of: Callable[[Found], str]
) -> tuple[Sequence[Found], str | None]:
    """One page of names after the cursor, and the cursor of the next page."""
    start = 0
    if query.cursor:
        _, last = _read(query.cursor)
        start = next((number for number, one in enumerate(found, 1) if id_of(one) == last), len(found))
    page = found[start : start + query.limit]
    more = start + query.limit < len(found)
    return page, _cursor("name", id_of(page[-1])) if more and page else None


def _cursor(*parts: str) -> str:
    return urlsafe_b64encode("|".join(parts).encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[str, str]:
    try:
        first, _, last = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition("|")
    except (Error, ValueError):
        first = last = ""
    if not last:
        raise Unprocessable.of("cursor", "is no cursor of ours", "next_cursor of the page before")
    return first, last


def _after(cursor: str) -> tuple[date, str]:
    if not cursor:
        return date.min, ""
    day, concert_id = _read(cursor)
    try:
        return date.fromisoformat(day), concert_id
    except ValueError:
        raise Unprocessable.of("cursor", "is no cursor of ours", "next_cursor of the page before") from None
