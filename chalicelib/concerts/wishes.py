"""A query in the warehouse's own terms, and the parts that the warehouse does not have."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from chalicelib.concerts.lexicon import Lexical
from chalicelib.concerts.models import ConcertsQuery, ConcertWish, PopularityQuery, TotalsQuery, VenuesQuery
from chalicelib.concerts.values import Criteria, Place
from chalicelib.errors import Unprocessable

EVERYTHING = Criteria()
ADDRESS_PARTS = 3
"""Of a place: city, state, country."""


class Wanted(NamedTuple):
    """The criteria, a sentence for each part that the warehouse does not have, and whether nothing can match them."""

    criteria: Criteria
    notes: list[str]
    nothing: bool


class Wishes:
    """Reads queries by the warehouse's lexicon, which is asked for only where a query names something."""

    def __init__(self, lexicon: Lexical) -> None:
        self._lexicon = lexicon

    def of_concerts(self, query: ConcertWish) -> Wanted:
        """The filter for concerts."""
        location = [query.location] if query.location.strip() else []
        return self._read(
            genres=query.genres,
            without_genres=query.exclude_genres,
            places=[*location, *query.locations],
            without_places=query.exclude_locations,
            venue_types=query.venue_types,
            others=Criteria(
                artists=tuple(query.artist_ids),
                without_artists=tuple(query.exclude_artist_ids),
                venues=tuple(query.venue_ids),
                min_capacity=query.min_capacity,
                max_capacity=query.max_capacity,
            ),
        )

    def of_venues(self, query: PopularityQuery) -> Wanted:
        """The filter for venues."""
        return self._read(
            places=query.locations,
            without_places=query.exclude_locations,
            venue_types=query.venue_types,
            others=Criteria(min_capacity=query.min_capacity, max_capacity=query.max_capacity),
        )

    def of_totals(self, query: TotalsQuery) -> Wanted:
        """The filter for completed concerts."""
        return self._read(
            genres=query.genres,
            without_genres=query.exclude_genres,
            places=query.locations,
            without_places=query.exclude_locations,
            venue_types=query.venue_types,
            others=Criteria(artists=tuple(query.artist_ids), venues=tuple(query.venue_ids)),
        )

    def of_list(self, query: ConcertsQuery | VenuesQuery) -> Wanted:
        """The filter for a page of concerts or venues, without the words of their names."""
        genres = query.genre if isinstance(query, ConcertsQuery) else []
        return self._read(genres=genres, places=query.place, venue_types=query.type)

    def _read(
        self,
        *,
        genres: Sequence[str] = (),
        without_genres: Sequence[str] = (),
        places: Sequence[str] = (),
        without_places: Sequence[str] = (),
        venue_types: Sequence[str] = (),
        others: Criteria = EVERYTHING,
    ) -> Wanted:
        if long := next((place for place in (*places, *without_places) if place.count(",") >= ADDRESS_PARTS), None):
            raise Unprocessable.of("location", f"is {long!r}", "a city, state or country, at most three parts")
        for name, values in (("genres", [*genres, *without_genres]), ("location", [*places, *without_places])):
            if any(not part.strip() for value in values for part in value.split(",")):
                raise Unprocessable.of(name, "has a blank part", "names, or nothing")
        if not (genres or without_genres or places or without_places or venue_types):
            return Wanted(others, [], nothing=False)
        lexicon = self._lexicon()
        notes: list[str] = []
        liked: dict[str, None] = {}
        disliked: dict[str, None] = {}
        there: dict[Place, None] = {}
        elsewhere: dict[Place, None] = {}
        for wanted, found in ((genres, liked), (without_genres, disliked)):
            for text in wanted:
                parts = lexicon.genre(text)
                found |= dict.fromkeys(parts)
                notes += [] if parts else [f"No artist plays {text.strip()}."]
        for wanted, where in ((places, there), (without_places, elsewhere)):
            for text in wanted:
                several = lexicon.place(text)
                where |= dict.fromkeys(several)
                notes += [] if several else [f"No venue is in {text.strip()}."]
        types = [(text, lexicon.venue_type(text)) for text in venue_types]
        notes += [f"No venue is a {text.strip()}." for text, kind in types if kind is None]
        kinds = tuple(dict.fromkeys(kind for _, kind in types if kind))
        nothing = bool((genres and not liked) or (places and not there) or (venue_types and not kinds))
        return Wanted(
            others.but(
                genres=tuple(liked),
                without_genres=tuple(disliked),
                places=tuple(there),
                without_places=tuple(elsewhere),
                venue_types=kinds,
            ),
            notes,
            nothing,
        )


def days_of(since: date | None, until: date | None, today: date, lookback_days: int) -> tuple[date, date]:
    """The first day and the day after the last, of a past period; Unprocessable for one that ends before it begins."""
    if since is None:
        since = (today if until is None else until + timedelta(days=1)) - timedelta(days=lookback_days)
    after = today if until is None else until + timedelta(days=1)
    if after <= since:
        raise Unprocessable.of("until", f"is {until or today}, with since {since}", "a day that is not before since")
    return since, after
