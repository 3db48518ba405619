"""Requests and responses of the concert routes, the socket and the tools."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct, field

PLAIN_TEXT = r"^[^\x00-\x1f\x7f]*$(?!\n)"
NAME_PATTERN = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f\s][^\x00-\x1f\x7f]*$(?!\n)"
"""PLAIN_TEXT, and not only spaces."""
LONGEST_NAME = 100

Genre = Annotated[str, Meta(min_length=1, max_length=50, pattern=NAME_PATTERN, examples=["hip hop"])]
PlaceName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=LONGEST_NAME,
        pattern=NAME_PATTERN,
        description="A city, state or country, or several parts with commas.",
        examples=["Austin, TX"],
    ),
]
VenueType = Annotated[str, Meta(min_length=1, max_length=50, pattern=NAME_PATTERN, examples=["theater"])]
NameWords = Annotated[str, Meta(max_length=LONGEST_NAME, pattern=PLAIN_TEXT)]
UserId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z._:@-]{1,100}$(?!\n)", examples=["user-17"])]
ConcertId = Annotated[
    str, Meta(pattern=r"^[0-9A-Za-z._:-]{1,50}$(?!\n)", description="As in the warehouse.", examples=["con-000042"])
]
ArtistId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z._:-]{1,50}$(?!\n)", examples=["art-00007"])]
VenueId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z._:-]{1,50}$(?!\n)", examples=["ven-0007"])]
Seats = Annotated[int, Meta(ge=0, le=1_000_000)]
Price = Annotated[float, Meta(ge=0, le=1e6)]
Notes = Annotated[list[str], Meta(description="The parts of the question that could not be used, a sentence each.")]
Rank = Annotated[
    int, Meta(ge=1, description="By popularity score, of venues with at least min_events; equal scores share a rank.")
]
GenreNames = Annotated[list[Genre], Meta(max_length=10)]
PlaceNames = Annotated[list[PlaceName], Meta(max_length=10)]
VenueTypes = Annotated[list[VenueType], Meta(max_length=10)]
ArtistIds = Annotated[list[ArtistId], Meta(max_length=20)]
VenueIds = Annotated[list[VenueId], Meta(max_length=20)]
LowestPrice = Annotated[Decimal | None, Meta(description="The cheapest ticket; null if no price is known.")]
Share = Annotated[float, Meta(ge=0, le=1)]
ExclusiveEnd = Annotated[date, Meta(description="Exclusive.")]
Instant = Annotated[datetime, Meta(tz=True)]
PageSize = Annotated[int, Meta(ge=1, le=100)]
NamesCursor = Annotated[str, Meta(max_length=200, pattern=r"^[0-9A-Za-z_-]*$(?!\n)")]
OrderBy = Literal["popularity", "revenue", "attendance_rate", "concerts", "capacity"]


class ConcertWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A filter for scheduled concerts; every field is optional. Lists are alternatives, days are inclusive."""

    genres: Annotated[list[Genre], Meta(max_length=10, examples=[["rock", "indie"]])] = []
    exclude_genres: GenreNames = []
    location: Annotated[
        str,
        Meta(
            max_length=LONGEST_NAME,
            pattern=PLAIN_TEXT,
            description="One place; for several use locations.",
            examples=["Austin, Texas"],
        ),
    ] = ""
    locations: PlaceNames = []
    exclude_locations: PlaceNames = []
    artist_ids: ArtistIds = []
    exclude_artist_ids: ArtistIds = []
    venue_ids: VenueIds = []
    venue_types: VenueTypes = []
    since: Annotated[date | None, Meta(description="First day; today without it.")] = None
    until: Annotated[date | None, Meta(description="Last day.")] = None
    min_price: Annotated[Price | None, Meta(description="The cheapest ticket costs at least this.")] = None
    max_price: Annotated[Price | None, Meta(description="The cheapest ticket costs at most this.")] = None
    min_capacity: Seats | None = None
    max_capacity: Seats | None = None


class RecommendationQuery(ConcertWish, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's wishes: what, where and when; every field is optional."""

    similar_to: Annotated[
        ConcertId | None, Meta(description="A concert: recommends others of its genres, but not by its artist.")
    ] = None
    order: Annotated[Literal["best", "date", "price"], Meta(description="The sort order.")] = "best"
    user_id: Annotated[
        UserId | None, Meta(description="Echoed. The warehouse keeps no personal histories, so it affects no score.")
    ] = None
    top_n: Annotated[int, Meta(ge=1, le=50, examples=[10])] = 10


class Recommendation(Struct, frozen=True, kw_only=True):
    """One concert, its score, and the reasons."""

    concert_id: str
    artist_id: str
    artist: str
    genre: str
    venue_id: str
    venue: str
    city: str
    state: str
    country: str
    event_date: date
    price_from: LowestPrice
    score: Annotated[float, Meta(gt=0, le=1)]
    reasons: list[str]


class Recommendations(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The best matching concerts, the best first; `basis` names the wishes behind the scores."""

    recommendations: list[Recommendation]
    basis: list[str]
    currency: str
    since: date
    until: date | None = None
    notes: Notes = []
    user_id: str | None = None


class PopularityQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The number of venues to rank, and filters for venues and concerts."""

    top_n: Annotated[int, Meta(ge=1, le=100, description="How many venues to return.", examples=[10])] = 10
    min_events: Annotated[
        int, Meta(ge=1, le=10_000, description="Completed concerts that a venue must have had.", examples=[5])
    ] = 5
    lookback_days: Annotated[
        int, Meta(ge=1, le=3650, description="Days before today whose concerts count.", examples=[365])
    ] = 365
    since: Annotated[date | None, Meta(description="First day, instead of lookback_days.")] = None
    until: Annotated[date | None, Meta(description="Last day, with since.")] = None
    locations: PlaceNames = []
    exclude_locations: PlaceNames = []
    venue_types: VenueTypes = []
    min_capacity: Seats | None = None
    max_capacity: Seats | None = None
    order_by: OrderBy = "popularity"
    least_first: bool = False


class ScorePart(Struct, frozen=True, kw_only=True):
    """One of the eleven parts of a popularity score; null is unreported, and the other parts share its weight."""

    name: str
    weight: float
    contribution: float | None


class VenueStanding(Struct, frozen=True, kw_only=True):
    """One venue's rank and the figures behind it; money is a decimal text, null is unreported."""

    popularity_rank: Rank
    venue_id: Annotated[str, Meta(examples=["ven-0007"])]
    name: str
    city: str
    state: str
    country: str
    latitude: float | None
    longitude: float | None
    venue_type: str
    capacity: int
    score: Annotated[float, Meta(ge=0, le=1, description="The weighted sum.", examples=[0.8127])]
    contributions: Annotated[list[ScorePart], Meta(description="Eleven parts; their sum is the score.")]
    total_events: int
    reported_events: Annotated[int, Meta(description="The number of events with known revenue.")]
    avg_attendance: float | None
    avg_attendance_rate: Share | None
    total_revenue: Annotated[Decimal | None, Meta(description="Of the reported events.", examples=["1234567.89"])]
    revenue_per_event: Decimal | None
    booking_frequency: Annotated[float, Meta(description="Concerts in 30 days, over the whole period.")]
    distinct_artists: int
    repeat_booking: Annotated[float, Meta(ge=0, le=1, description="Share of concerts by artists who came back.")]


class PopularityReport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The ranked venues in the requested order, and the days of the ranking."""

    venues: list[VenueStanding]
    since: date
    until: ExclusiveEnd
    currency: str
    generated_at: datetime
    notes: Notes = []


class Refreshed(Struct, frozen=True, kw_only=True):
    """The result of a refresh of the `venue_popularity` table."""

    venues: int
    calculated_at: datetime


class TotalsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A filter for completed concerts to summarize; days are inclusive and default to the last year."""

    since: date | None = None
    until: date | None = None
    genres: GenreNames = []
    exclude_genres: GenreNames = []
    locations: PlaceNames = []
    exclude_locations: PlaceNames = []
    artist_ids: ArtistIds = []
    venue_ids: VenueIds = []
    venue_types: VenueTypes = []


class GenreTotals(Struct, frozen=True, kw_only=True):
    """One genre's completed concerts in a period; money is a decimal text, null is unreported."""

    genre: str
    concerts: int
    reported_concerts: Annotated[int, Meta(description="The number of concerts with known revenue.")]
    attendance: int | None
    revenue: Decimal | None
    avg_attendance_rate: float | None


class SeasonTotals(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Completed concerts by genre, the largest revenue first, and the period."""

    genres: list[GenreTotals]
    since: date
    until: ExclusiveEnd
    currency: str
    notes: Notes = []


class ConcertsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A filter for concerts: repeated names are alternatives, days are inclusive, the default begins today."""

    q: Annotated[NameWords, Meta(description="Words of the artist's or venue's name.")] = ""
    genre: GenreNames = []
    place: PlaceNames = []
    type: VenueTypes = []
    first: Annotated[date | None, Meta(description="First day.")] = field(default=None, name="from")
    last: Annotated[date | None, Meta(description="Last day.")] = field(default=None, name="to")
    limit: PageSize = 20
    cursor: NamesCursor = ""


class Concert(Struct, frozen=True, kw_only=True):
    """One concert, with its artist and venue."""

    concert_id: str
    event_date: date
    status: str
    artist_id: str
    artist: str
    genre: str
    popularity_score: Decimal
    venue_id: str
    venue: str
    address: str | None
    city: str
    state: str
    country: str
    latitude: float | None
    longitude: float | None
    venue_type: str
    capacity: int
    price_from: LowestPrice
    price_to: Decimal | None
    currency: str


class ConcertPage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Concerts by date; `next_cursor` requests the next page."""

    concerts: list[Concert]
    next_cursor: str | None = None
    notes: Notes = []


class NamesQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A search by name: every word must be in the name; the last may be incomplete."""

    q: NameWords = ""
    limit: PageSize = 20
    cursor: NamesCursor = ""


class VenuesQuery(NamesQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A search for venues by name, place and type."""

    place: PlaceNames = []
    type: VenueTypes = []


class Artist(Struct, frozen=True, kw_only=True):
    """An artist, with the next scheduled concert if there is one."""

    artist_id: str
    name: str
    genre: str
    popularity_score: Decimal
    upcoming_concerts: int
    next_concert_id: str | None
    next_date: date | None
    next_venue_id: str | None
    next_venue: str | None
    next_city: str | None


class ArtistPage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Artists by name."""

    artists: list[Artist]
    next_cursor: str | None = None
    notes: Notes = []


class ArtistDetail(Artist, frozen=True, kw_only=True):
    """An artist with the next concerts, and the totals of the last two years."""

    formation_date: date | None
    members: list[str]
    past_concerts: int
    avg_attendance: float | None
    avg_attendance_rate: float | None
    upcoming: list[Concert]


class Venue(Struct, frozen=True, kw_only=True):
    """A venue: its place and type."""

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
    amenities: list[str]
    popularity_rank: Rank | None
    upcoming_concerts: int


class VenuePage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Venues by name."""

    venues: list[Venue]
    next_cursor: str | None = None
    notes: Notes = []


class VenueMonth(Struct, frozen=True, kw_only=True):
    """A venue's completed concerts of one month; null is unreported."""

    month: Annotated[date, Meta(description="The month's first day.")]
    concerts: int
    reported_concerts: int
    avg_attendance: float | None
    avg_attendance_rate: float | None
    revenue: Decimal | None


class VenueDetail(Venue, frozen=True, kw_only=True):
    """A venue with its next concerts, and its last two years by month."""

    currency: str
    upcoming: list[Concert]
    history: list[VenueMonth]


class GenreCount(Struct, frozen=True, kw_only=True):
    """A genre, with the numbers of its artists and scheduled concerts."""

    genre: str
    artists: int
    upcoming_concerts: int


class Genres(Struct, frozen=True, kw_only=True):
    """Every genre by name; an artist of two genres counts for both."""

    genres: list[GenreCount]


HIGHEST_PRICE = 1e6

TicketMoney = Annotated[float, Meta(ge=0, le=HIGHEST_PRICE)]
Takings = Annotated[float, Meta(ge=0, le=1e9)]


class TicketFeatures(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The model's features of one concert, in the model's order; null is unknown, not zero."""

    artist_popularity_score: Annotated[float, Meta(ge=0, le=100, examples=[71.5])]
    artist_avg_attendance: Annotated[float, Meta(ge=0, le=1_000_000, examples=[5400.0])] | None
    artist_total_concerts: Annotated[int, Meta(ge=0, le=1_000_000, examples=[14])]
    artist_avg_revenue: Annotated[float, Meta(ge=0, le=1e9, examples=[310000.0])] | None
    artist_genre_popularity: Annotated[Share | None, Meta(description="Its genre's share of concerts.")]
    venue_capacity: Annotated[int, Meta(ge=1, le=1_000_000, examples=[8000])]
    venue_avg_attendance_rate: Share | None
    venue_popularity_rank: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000)] | None,
        Meta(description="The venue's rank by the revenue of two years, as in the model's training."),
    ]
    venue_type_encoded: Annotated[int, Meta(ge=-1, le=1000, description="The model's code; -1 if unknown.")]
    venue_location_popularity: Annotated[Share | None, Meta(description="Its city's share of concerts.")]
    historical_avg_sales: Annotated[Takings | None, Meta(description="The venue's mean revenue.")]
    historical_max_sales: Annotated[Takings | None, Meta(description="The venue's best revenue.")]
    similar_concert_avg_sales: Annotated[Takings | None, Meta(description="Same genre and venue type.")]
    days_until_event: Annotated[int, Meta(ge=0, le=3650, examples=[45])]
    is_weekend: Annotated[int, Meta(ge=0, le=1, description="Friday to Sunday.")]
    month_of_year: Annotated[int, Meta(ge=1, le=12, examples=[6])]
    season: Annotated[int, Meta(ge=1, le=4, description="1 winter, 2 spring, 3 summer, 4 autumn.", examples=[3])]
    avg_ticket_price: TicketMoney | None
    price_range: TicketMoney | None
    lowest_price: TicketMoney | None
    highest_price: TicketMoney | None


TICKET_FEATURES: tuple[str, ...] = TicketFeatures.__struct_fields__


class TicketQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Either a scheduled concert, or all 21 features of one that need not exist."""

    concert_id: ConcertId | None = None
    features: TicketFeatures | None = None

    SCHEMA: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {
                "required": ["concert_id"],
                "properties": {"concert_id": {"type": "string"}, "features": {"type": "null"}},
            },
            {"required": ["features"], "properties": {"concert_id": {"type": "null"}, "features": {"type": "object"}}},
        ]
    }


class TicketBatchQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Up to a hundred scheduled concerts."""

    concert_ids: Annotated[list[ConcertId], Meta(min_length=1, max_length=100)]


class TicketRows(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Feature vectors in the model's order, for calls between functions."""

    rows: Annotated[
        list[Annotated[list[float | None], Meta(min_length=len(TICKET_FEATURES), max_length=len(TICKET_FEATURES))]],
        Meta(min_length=1, max_length=1000),
    ]


class CoveragePart(Struct, frozen=True, kw_only=True):
    """One of the five parts of the data coverage: `contribution` is `weight` times `value`."""

    name: str
    weight: float
    value: float
    contribution: float
    reason: str


class SalesInterval(Struct, frozen=True, kw_only=True):
    """The interval that holds the revenue in a share `level` of cases; `measured` is the share in test seasons."""

    low: Annotated[Decimal, Meta(examples=["301234.00"])]
    high: Annotated[Decimal, Meta(examples=["522345.00"])]
    level: Annotated[float, Meta(gt=0, lt=1, examples=[0.8])]
    measured: Annotated[float, Meta(ge=0, le=1, examples=[0.81])]


class ConcertSummary(Struct, frozen=True, kw_only=True):
    """The concert of a prediction."""

    concert_id: str
    artist_id: str
    artist: str
    venue_id: str
    venue: str
    city: str
    event_date: date


ConfidenceLevel = Literal["high", "medium", "low"]


class TicketPrediction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sales forecast, its basis, and its provider."""

    predicted_sales: Annotated[Decimal, Meta(description="Revenue, two decimals.", examples=["412345.50"])]
    currency: Annotated[str, Meta(description="Of every amount.", examples=["USD"])]
    interval: SalesInterval
    confidence_level: Annotated[
        ConfidenceLevel, Meta(description="How much is known of concerts like this; a low level widens the interval.")
    ]
    unknown: Annotated[list[str], Meta(description="Facts unknown to the forecast.", examples=[["prices"]])]
    data_coverage: Annotated[float, Meta(ge=0, le=1, description="The share of available data: the sum of its parts.")]
    coverage_parts: list[CoveragePart]
    features: TicketFeatures
    source: Annotated[str, Meta(description='"sagemaker", or "embedded" for the model shipped with the application.')]
    model_version: str
    as_of: date
    concert: ConcertSummary | None = None
    fallback: Annotated[str, Meta(description="The reason that the preferred model did not answer.")] = ""


class RejectedConcert(Struct, frozen=True, kw_only=True):
    """A concert of a batch that cannot be predicted, and why."""

    concert_id: str
    code: str
    message: str


class TicketBatch(Struct, frozen=True, kw_only=True):
    """A batch's predictions in the requested order, and the concerts without one."""

    predictions: list[TicketPrediction]
    rejected: list[RejectedConcert]


Intent = Literal[
    "artist_lookup",
    "venue_search",
    "concert_recommendation",
    "ticket_prediction",
    "data_analysis",
    "general_query",
    "unknown",
]

MAX_MESSAGE = 4000

SPOKEN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*[^\x00-\x20\x7f\s][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*(?![\s\S])"
"""A message that the chat accepts: no control characters except tabs and line breaks, and not only spaces."""

ChatSessionId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z._:-]{2,100}$(?!\n)")]


class ChatRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message, and the session that it continues; a session belongs to the user who started it."""

    message: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_MESSAGE,
            examples=["Which rock concerts are on in Austin?"],
            extra_json_schema={"pattern": SPOKEN},
        ),
    ]
    session_id: Annotated[
        ChatSessionId | None, Meta(description="The session of an earlier reply; without it, a new session starts.")
    ] = None
    user_id: UserId | None = None


class Fallback(Struct, frozen=True, kw_only=True):
    """The provider that failed to answer, and why."""

    instead_of: str
    reason: str


class ChatReply(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole answer to one message."""

    message: str
    session_id: str
    intent: Intent
    confidence: Share
    data: dict[str, Any]
    suggestions: list[str]
    timestamp: datetime
    source: Annotated[str, Meta(description='"agent", "converse" or "local".')]
    understood: Annotated[str, Meta(description="The local chat's interpretation of the question.")] = ""
    question: Annotated[dict[str, Any], Meta(description="The same by parts, and any unused parts.")] = {}
    remembered: Annotated[bool, Meta(description="False if the session could not be stored.")] = True
    fallback: Fallback | None = None


class ChatMessage(ChatRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A chat request over a socket."""

    action: Literal["chat"]


class ChatSessionSummary(Struct, frozen=True, kw_only=True):
    """A session in a list: its first and latest messages and their times."""

    session_id: str
    first_message: str
    last_message: str
    exchanges: int
    updated_at: datetime
    expires_at: datetime


class ChatOwnerQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The owner of sessions. An anonymous caller's session opens to anyone who knows its id, and is in no list."""

    user_id: UserId | None = None


class ChatSessionList(Struct, frozen=True, kw_only=True):
    """A user's sessions, the latest first."""

    sessions: list[ChatSessionSummary]


class ChatExchange(Struct, frozen=True, kw_only=True):
    """One message and its answer; `helpful` is the reader's feedback."""

    message: str
    reply: str
    intent: str
    at: Instant
    helpful: bool | None


class ChatSessionView(Struct, frozen=True, kw_only=True):
    """A session with its latest exchanges, oldest first."""

    session_id: str
    expires_at: datetime
    exchanges: list[ChatExchange]


class ChatFeedback(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Feedback on an answer, identified by its timestamp; the latest feedback counts."""

    at: Instant
    helpful: bool
    user_id: UserId | None = None


class ChatStop(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to stop the answer that is streaming to a socket."""

    action: Literal["chat_stop"]
