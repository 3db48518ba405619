"""What the concert routes, the socket and the tools take and answer."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct

PLAIN = r"^[^\x00-\x1f\x7f]*$(?!\n)"

Genre = Annotated[str, Meta(min_length=1, max_length=50, pattern=PLAIN)]

UserId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z._:@-]{1,100}$(?!\n)", examples=["user-17"])]


class RecommendationQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What someone likes and where; all of it is optional."""

    genres: Annotated[list[Genre], Meta(max_length=10, examples=[["rock", "indie"]])] = []
    location: Annotated[
        str,
        Meta(
            max_length=100,
            pattern=PLAIN,
            description="A city, state or country, or several with commas.",
            examples=["Austin, Texas"],
        ),
    ] = ""
    user_id: Annotated[
        UserId | None, Meta(description="Echoed. The warehouse keeps no personal histories, so it changes no score.")
    ] = None
    top_n: Annotated[int, Meta(ge=1, le=50, examples=[10])] = 10


class Recommendation(Struct, frozen=True, kw_only=True):
    """One concert, how well it suits, and why."""

    concert_id: str
    artist: str
    genre: str
    venue: str
    city: str
    country: str
    event_date: date
    score: Annotated[float, Meta(gt=0, le=1)]
    reasons: list[str]


class Recommendations(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The concerts that suit best, the best first; `basis` names what was used to score them."""

    recommendations: list[Recommendation]
    basis: list[str]
    user_id: str | None = None


class PopularityQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many venues to rank, and by which concerts."""

    top_n: Annotated[int, Meta(ge=1, le=100, description="How many venues to return.", examples=[10])] = 10
    min_events: Annotated[
        int, Meta(ge=1, le=10_000, description="Completed concerts that a venue must have had.", examples=[5])
    ] = 5
    lookback_days: Annotated[
        int, Meta(ge=1, le=3650, description="Days before today whose concerts count.", examples=[365])
    ] = 365


class VenueStanding(Struct, frozen=True, kw_only=True):
    """One venue's rank and the figures behind it; money is a decimal text."""

    popularity_rank: Annotated[int, Meta(ge=1, description="Dense: equal scores share a rank.", examples=[1])]
    venue_id: Annotated[str, Meta(examples=["ven-0007"])]
    name: str
    city: str
    state: str
    country: str
    venue_type: str
    capacity: int
    score: Annotated[float, Meta(ge=0, le=1, description="The weighted sum.", examples=[0.8127])]
    total_events: int
    avg_attendance: float
    avg_attendance_rate: Annotated[float, Meta(ge=0, le=1)]
    total_revenue: Annotated[Decimal, Meta(examples=["1234567.89"])]
    revenue_per_event: Decimal
    booking_frequency: Annotated[float, Meta(description="Concerts in 30 days, since its first in the look-back.")]
    distinct_artists: int
    repeat_booking: Annotated[float, Meta(ge=0, le=1, description="Share of concerts by artists who came back.")]


class PopularityReport(Struct, frozen=True, kw_only=True):
    """The most popular venues first, and the days that they were ranked by."""

    venues: list[VenueStanding]
    since: date
    until: Annotated[date, Meta(description="Exclusive.")]
    generated_at: datetime


class Refreshed(Struct, frozen=True, kw_only=True):
    """What a refresh of the `venue_popularity` table wrote."""

    venues: int
    calculated_at: datetime


HIGHEST_PRICE = 1e6

TicketMoney = Annotated[float, Meta(ge=0, le=HIGHEST_PRICE)]

Share = Annotated[float, Meta(ge=0, le=1)]


class TicketFeatures(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the model reads about one concert, in the model's order; money in the warehouse's currency."""

    artist_popularity_score: Annotated[float, Meta(ge=0, le=100, examples=[71.5])]
    artist_avg_attendance: Annotated[float, Meta(ge=0, le=1_000_000, examples=[5400.0])]
    artist_total_concerts: Annotated[int, Meta(ge=0, le=1_000_000, examples=[14])]
    artist_avg_revenue: Annotated[float, Meta(ge=0, le=1e9, examples=[310000.0])]
    artist_genre_popularity: Annotated[float, Meta(ge=0, le=1, description="Its genre's share of concerts.")]
    venue_capacity: Annotated[int, Meta(ge=1, le=1_000_000, examples=[8000])]
    venue_avg_attendance_rate: Share
    venue_popularity_rank: Annotated[int, Meta(ge=0, le=1_000_000, description="By revenue; 0 where unknown.")]
    venue_type_encoded: Annotated[int, Meta(ge=-1, le=1000, description="The model's code; -1 where unknown.")]
    venue_location_popularity: Annotated[float, Meta(ge=0, le=1, description="Its city's share of concerts.")]
    historical_avg_sales: Annotated[float, Meta(ge=0, le=1e9, description="The venue's mean revenue.")]
    historical_max_sales: Annotated[float, Meta(ge=0, le=1e9, description="The venue's best revenue.")]
    similar_concert_avg_sales: Annotated[float, Meta(ge=0, le=1e9, description="Same genre and venue type.")]
    days_until_event: Annotated[int, Meta(ge=0, le=3650, examples=[45])]
    is_weekend: Annotated[int, Meta(ge=0, le=1)]
    month_of_year: Annotated[int, Meta(ge=1, le=12, examples=[6])]
    season: Annotated[int, Meta(ge=1, le=4, description="1 winter, 2 spring, 3 summer, 4 autumn.", examples=[3])]
    avg_ticket_price: TicketMoney
    price_range: TicketMoney
    lowest_price: TicketMoney
    highest_price: TicketMoney


TICKET_FEATURES: tuple[str, ...] = TicketFeatures.__struct_fields__

ConcertId = Annotated[
    str, Meta(pattern=r"^[0-9A-Za-z._:-]{1,50}$(?!\n)", description="As in the warehouse.", examples=["con-000042"])
]


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


class FeatureRows(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Feature vectors in the model's order, as one function sends them to another."""

    rows: Annotated[
        list[Annotated[list[float], Meta(min_length=len(TICKET_FEATURES), max_length=len(TICKET_FEATURES))]],
        Meta(min_length=1, max_length=1000),
    ]


class ConfidencePart(Struct, frozen=True, kw_only=True):
    """One of the five parts of a confidence: `contribution` is `weight` times `value`."""

    name: str
    weight: float
    value: float
    contribution: float
    reason: str


class ConcertSummary(Struct, frozen=True, kw_only=True):
    """The concert that a prediction is about."""

    concert_id: str
    artist: str
    venue: str
    city: str
    event_date: date


class TicketPrediction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sales forecast, what it rests on, and who made it."""

    predicted_sales: Annotated[Decimal, Meta(description="Revenue, two decimals.", examples=["412345.50"])]
    confidence: Annotated[float, Meta(ge=0, le=1)]
    confidence_level: Literal["high", "low"]
    confidence_parts: list[ConfidencePart]
    features: TicketFeatures
    source: Annotated[str, Meta(description='"sagemaker", or "embedded" for the model shipped with the application.')]
    model_version: str
    as_of: date
    concert: ConcertSummary | None = None
    fallback: Annotated[str, Meta(description="Why the preferred model did not answer.")] = ""


class RejectedConcert(Struct, frozen=True, kw_only=True):
    """A concert of a batch that cannot be predicted, and why."""

    concert_id: str
    code: str
    message: str


class TicketBatch(Struct, frozen=True, kw_only=True):
    """A batch's predictions in the order asked for, and the concerts that have none."""

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

SPOKEN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*[^\x00-\x20\x7f\s][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
"""A message that the chat accepts: no control characters but tabs and line breaks, and not only spaces."""

ChatSessionId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z._:-]{2,100}$(?!\n)")]


class ChatRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message, and the session that it continues; a session belongs to the user who began it."""

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
        ChatSessionId | None, Meta(description="Of an earlier reply; without it a session begins.")
    ] = None
    user_id: UserId | None = None


class Fallback(Struct, frozen=True, kw_only=True):
    """The provider that should have answered, and why it did not."""

    instead_of: str
    reason: str


class ChatReply(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole answer to one message."""

    message: str
    session_id: str
    intent: Intent
    confidence: Annotated[float, Meta(ge=0, le=1)]
    data: dict[str, Any]
    suggestions: list[str]
    timestamp: datetime
    source: Annotated[str, Meta(description='"agent", "converse" or "local".')]
    remembered: Annotated[bool, Meta(description="False where the session could not be kept.")] = True
    fallback: Fallback | None = None


class ChatMessage(ChatRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A chat request as it comes over a socket."""

    action: Literal["chat"]
