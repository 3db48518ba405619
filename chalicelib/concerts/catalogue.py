"""What questions are about: artists, genres, places, and the season's totals."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from msgspec import Struct


class ArtistMatch(Struct, frozen=True, kw_only=True):
    """An artist whom a text names, with the next concert where one is scheduled."""

    artist_id: str
    name: str
    genre: str
    popularity_score: Decimal
    upcoming_concerts: int
    next_concert_id: str | None
    next_date: date | None
    next_venue: str | None
    next_city: str | None


class GenreTotals(Struct, frozen=True, kw_only=True):
    """One genre's completed concerts in some days; money is a decimal text."""

    genre: str
    concerts: int
    attendance: int
    revenue: Decimal
    avg_attendance_rate: float


@dataclass(frozen=True)
class Vocabulary:
    """The genres, cities and countries that the warehouse knows."""

    genres: tuple[str, ...] = ()
    cities: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
