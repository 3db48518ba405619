"""Values that the concert services, their ports and the chat's providers exchange."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct, structs
from msgspec.json import encode

from chalicelib.concerts.models import ChatSessionSummary, Intent, OrderBy

EVERY_VENUE = 1_000_000
SCORE_WEIGHTS: Mapping[str, float] = {
    "concerts": 0.15,
    "attendance": 0.10,
    "attendance_rate": 0.20,
    "revenue": 0.10,
    "revenue_per_event": 0.15,
    "booking_frequency": 0.15,
    "capacity": 0.05,
    "venue_type": 0.02,
    "location": 0.03,
    "artist_diversity": 0.03,
    "repeat_booking": 0.02,
}
"""The parts of a venue's popularity, as `sql/popularity.sql` weighs them."""


class Place(Struct, frozen=True):
    """A city, a state or a country as the warehouse spells it; an empty part is any."""

    city: str = ""
    state: str = ""
    country: str = ""

    @property
    def nearness(self) -> float:
        """How near a venue in it is to what was asked for: a city is nearer than its state or country."""
        return 1.0 if self.city else 0.8 if self.state else 0.6

    def within(self, wide: "Place") -> bool:
        """Whether this place lies in `wide`."""
        pairs = ((self.city, wide.city), (self.state, wide.state), (self.country, wide.country))
        return all(not there or here == there for here, there in pairs)

    @property
    def address(self) -> str:
        """Its parts with commas, as the lexicon reads them."""
        return ", ".join(filter(None, (self.city, self.state, self.country)))

    @property
    def name(self) -> str:
        """Its narrowest part."""
        return self.city or self.state or self.country


class NamedArtist(Struct, frozen=True):
    """An artist, as a question may name one."""

    artist_id: str
    name: str
    genre: str


class NamedVenue(Struct, frozen=True):
    """A venue, as a question may name one."""

    venue_id: str
    name: str
    place: Place
    venue_type: str


class Vocabulary(Struct, frozen=True, eq=False):
    """The names that the warehouse knows; each place has its city, its state and its country."""

    genres: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    venue_types: tuple[str, ...] = ()
    artists: tuple[NamedArtist, ...] = ()
    venues: tuple[NamedVenue, ...] = ()


class Criteria(Struct, frozen=True, kw_only=True):
    """A selection of concerts in the warehouse's terms; empty or None excludes nothing.

    `genres` are parts of genres. A concert matches any of the `places`, artists, venues and types. Days from `since`,
    before `until`.
    """

    genres: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    concerts: tuple[str, ...] = ()
    artists: tuple[str, ...] = ()
    venues: tuple[str, ...] = ()
    venue_types: tuple[str, ...] = ()
    named: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    """Ids of artists and of venues, of which one will do."""
    without_genres: tuple[str, ...] = ()
    without_places: tuple[Place, ...] = ()
    without_artists: tuple[str, ...] = ()
    min_capacity: int | None = None
    max_capacity: int | None = None
    since: date | None = None
    until: date | None = None

    def but(self, **changes: Any) -> "Criteria":
        """These criteria with some changed."""
        return structs.replace(self, **changes)


class ProgrammeItem(Struct, frozen=True, kw_only=True):
    """A scheduled concert with its score and the figures that made it, as the warehouse computed them."""

    concert_id: str
    event_date: date
    ticket_prices: str | None
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
    demand: float | None
    type_share: float
    venue_rank: int | None
    score: float


class ConcertRow(Struct, frozen=True, kw_only=True):
    """A concert of any status, as the warehouse has it."""

    concert_id: str
    event_date: date
    status: str
    ticket_prices: str | None
    artist_id: str
    artist_name: str
    genre: str
    popularity_score: Decimal
    venue_id: str
    venue_name: str
    address: str | None
    city: str
    state: str
    country: str
    latitude: float | None
    longitude: float | None
    venue_type: str
    capacity: int


class ArtistRow(Struct, frozen=True, kw_only=True):
    """An artist, and what its completed concerts of the window came to; None is what nobody reported."""

    artist_id: str
    name: str
    genre: str
    popularity_score: Decimal
    formation_date: date | None
    members: str | None
    upcoming_concerts: int
    next_concert_id: str | None
    next_date: date | None
    next_venue_id: str | None
    next_venue: str | None
    next_city: str | None
    past_concerts: int
    avg_attendance: float | None
    avg_attendance_rate: float | None


class VenueRow(Struct, frozen=True, kw_only=True):
    """A venue, with its stored rank where it has one."""

    venue_id: str
    name: str
    address: str | None
    city: str
    state: str
    country: str
    postal_code: str | None
    latitude: float | None
    longitude: float | None
    capacity: int
    venue_type: str
    amenities: str | None
    popularity_rank: int | None
    upcoming_concerts: int


class GenreRow(Struct, frozen=True, kw_only=True):
    """A genre as artists have it, perhaps of two parts."""

    genre: str
    artists: int
    upcoming_concerts: int


class ConcertOutlook(Struct, frozen=True, kw_only=True):
    """What the warehouse knew about a concert on `as_of`, None for what it did not; `prices` is its JSON text."""

    concert_id: str
    as_of: date
    event_date: date
    status: str
    artist_id: str
    artist_name: str
    venue_id: str
    venue_name: str
    city: str
    venue_type: str
    prices: str | None
    artist_popularity_score: float
    artist_avg_attendance: float | None
    artist_total_concerts: int
    artist_avg_revenue: float | None
    artist_genre_popularity: float | None
    venue_capacity: int
    venue_total_concerts: int
    venue_avg_attendance_rate: float | None
    venue_popularity_rank: int | None
    venue_location_popularity: float | None
    historical_avg_sales: float | None
    historical_max_sales: float | None
    similar_concert_avg_sales: float | None


class ErrorBand(Struct, frozen=True):
    """The revenue lies between `low` and `high` times the answer; `measured` is how often, on seasons never learnt."""

    low: float
    high: float
    measured: float


class ErrorBands(Struct, frozen=True):
    """A ticket model's bands by name, and the level of their intervals."""

    level: float
    bands: Mapping[str, ErrorBand]


class Estimates(Struct, frozen=True):
    """A model's answer: revenue for each row, who answered, and which version."""

    values: Sequence[float]
    source: str
    version: str


ANONYMOUS = "anonymous"
"""The owner of anonymous sessions."""
MAX_EXCHANGES = 20

MAX_SESSION_BYTES = 380_000
"""Of the exchanges as JSON: an item of DynamoDB holds 400 KB, and one that is refused would be refused ever after."""

SESSION_LIFETIME = timedelta(hours=24)
SHOWN_CHARACTERS = 200
"""Of a message in a list of sessions."""


class Subject(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that an answer listed, by the ids that it has, for a later "it" or "the second one"."""

    concert_id: str = ""
    artist_id: str = ""
    venue_id: str = ""


class Exchange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question and its answer; `listed` is what the answer named, in its order.

    `helpful` is what the reader thought of it. `concert_id` is in sessions that an earlier version kept.
    """

    message: str
    reply: str
    intent: str
    at: datetime
    concert_id: str | None = None
    listed: tuple[Subject, ...] = ()
    helpful: bool | None = None


class ChatSession(Struct, frozen=True, kw_only=True):
    """The latest exchanges of one owner; `version` counts how often it was saved."""

    session_id: str
    owner: str
    expires_at: datetime
    version: int = 0
    exchanges: tuple[Exchange, ...] = ()

    def with_exchange(self, exchange: Exchange) -> "ChatSession":
        """This session with one more exchange, without the oldest beyond the caps, and with a new lifetime."""
        exchanges = (*self.exchanges, exchange)[-MAX_EXCHANGES:]
        while len(exchanges) > 1 and len(encode(exchanges)) > MAX_SESSION_BYTES:
            exchanges = exchanges[1:]
        return structs.replace(
            self,
            exchanges=exchanges,
            version=self.version + 1,
            expires_at=exchange.at + SESSION_LIFETIME,
        )


def summary_of(session: ChatSession) -> ChatSessionSummary:
    """A session that has exchanges, as a list shows it."""
    first, last = session.exchanges[0], session.exchanges[-1]
    return ChatSessionSummary(
        session_id=session.session_id,
        first_message=first.message[:SHOWN_CHARACTERS],
        last_message=last.message[:SHOWN_CHARACTERS],
        exchanges=len(session.exchanges),
        updated_at=last.at,
        expires_at=session.expires_at,
    )


class ChatQuestion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a message was taken to ask: its intent, and every part that narrows the answer.

    Days from `since`, before `until`. `which` is the place in the last list, -1 the last of it, 0 none. `unused` says,
    a sentence each, what no answer can honour; `nothing` that it names only places or genres that there are not.
    """

    intent: Intent
    topic: str = ""
    confidence: float
    concert_id: str = ""
    genres: tuple[str, ...] = ()
    not_genres: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    not_places: tuple[Place, ...] = ()
    artists: tuple[NamedArtist, ...] = ()
    not_artists: tuple[NamedArtist, ...] = ()
    venues: tuple[NamedVenue, ...] = ()
    venue_types: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    min_price: float | None = None
    max_price: float | None = None
    by_price: bool = False
    min_capacity: int | None = None
    max_capacity: int | None = None
    count: int | None = None
    which: int = 0
    refers: bool = False
    the_venue: bool = False
    order_by: OrderBy = "popularity"
    least_first: bool = False
    follows: bool = False
    nothing: bool = False
    corrected: tuple[str, ...] = ()
    """A sentence for each word that was taken for another, which it is a misspelling of."""
    unused: tuple[str, ...] = ()


class Turn(Struct, frozen=True):
    """The input of a provider: the message and the earlier messages, oldest first."""

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
    listed: Sequence[Subject] = ()
    understood: str = ""
    question: Mapping[str, Any] = {}


class Restart(Struct, frozen=True):
    """Discard the words so far: another provider starts over."""

    reason: str


Piece = Delta | ChatOutcome
