"""What passes between the concert services, their ports and the chat's providers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct, structs
from msgspec.json import encode

from chalicelib.concerts.models import Intent


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


class Criteria(Struct, frozen=True):
    """The genres and the parts of the place that were asked for, lower case; either may be empty."""

    genres: tuple[str, ...]
    places: tuple[str, ...]


class ProgrammeItem(Struct, frozen=True, kw_only=True):
    """A scheduled concert with its score and the figures that made it, as the warehouse computed them."""

    concert_id: str
    event_date: date
    artist_id: str
    artist_name: str
    genre: str
    popularity: float
    shared_genres: int
    overlap: float
    nearness: float
    venue_id: str
    venue_name: str
    city: str
    state: str
    country: str
    venue_type: str
    capacity: int
    size_share: float
    demand: float
    type_share: float
    venue_rank: int | None
    score: float


class ConcertOutlook(Struct, frozen=True, kw_only=True):
    """What the warehouse knew about a concert on `as_of`; `prices` is its JSON text, as stored."""

    concert_id: str
    as_of: date
    event_date: date
    status: str
    artist_name: str
    venue_name: str
    city: str
    venue_type: str
    prices: str | None
    artist_popularity_score: float
    artist_avg_attendance: float
    artist_total_concerts: int
    artist_avg_revenue: float
    artist_genre_popularity: float
    venue_capacity: int
    venue_total_concerts: int
    venue_avg_attendance_rate: float
    venue_popularity_rank: int
    venue_location_popularity: float
    historical_avg_sales: float
    historical_max_sales: float
    similar_concert_avg_sales: float


class Estimates(Struct, frozen=True):
    """A model's answer: revenue for each row, who answered, and which version."""

    values: Sequence[float]
    source: str
    version: str


MAX_EXCHANGES = 20

MAX_BYTES = 380_000
"""Of the exchanges as JSON: an item of DynamoDB holds 400 KB, and one that is refused would be refused ever after."""

SESSION_LIFETIME = timedelta(hours=24)


class Exchange(Struct, frozen=True, kw_only=True):
    """One question and its answer; `concert_id` is the concert that it came to, for a later "it"."""

    message: str
    reply: str
    intent: str
    at: datetime
    concert_id: str | None = None


class ChatSession(Struct, frozen=True, kw_only=True):
    """The latest exchanges of one owner; `version` counts how often it was saved."""

    session_id: str
    owner: str
    expires_at: datetime
    version: int = 0
    exchanges: tuple[Exchange, ...] = ()

    def with_exchange(self, exchange: Exchange) -> "ChatSession":
        """This session with one more exchange, the oldest dropped over the caps, and its life begun anew."""
        exchanges = (*self.exchanges, exchange)[-MAX_EXCHANGES:]
        while len(exchanges) > 1 and len(encode(exchanges)) > MAX_BYTES:
            exchanges = exchanges[1:]
        return structs.replace(
            self,
            exchanges=exchanges,
            version=self.version + 1,
            expires_at=exchange.at + SESSION_LIFETIME,
        )


class Turn(Struct, frozen=True):
    """What a provider gets: the message and what was said before, oldest first."""

    session_id: str
    message: str
    history: tuple[Exchange, ...] = ()


class Delta(Struct, frozen=True):
    """Some more words of the answer."""

    text: str


class ChatOutcome(Struct, frozen=True):
    """The end of an answer: what the question was about, how sure that is, and the data behind the words."""

    intent: Intent
    confidence: float
    data: Mapping[str, Any]
    suggestions: Sequence[str] = ()
    concert_id: str | None = None


class Restart(Struct, frozen=True):
    """Forget the words so far: another provider begins anew."""

    reason: str


Piece = Delta | ChatOutcome
