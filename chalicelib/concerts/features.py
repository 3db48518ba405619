"""The ticket model's 21 features: their order, their names, and how a concert becomes them."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated

from msgspec import Meta, Struct, structs

LOOKBACK_DAYS = 730
UNKNOWN_VENUE_TYPE = -1
HIGHEST_PRICE = 1e6

Money = Annotated[float, Meta(ge=0, le=HIGHEST_PRICE)]
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
    avg_ticket_price: Money
    price_range: Money
    lowest_price: Money
    highest_price: Money


FEATURES: tuple[str, ...] = TicketFeatures.__struct_fields__


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


def features_of(outlook: ConcertOutlook, venue_types: Sequence[str]) -> TicketFeatures:
    """The model's features of a concert; `venue_types` is the encoder that was saved with the model."""
    prices = ticket_prices(outlook.prices)
    known = {name: getattr(outlook, name) for name in FEATURES if name in ConcertOutlook.__struct_fields__}
    return TicketFeatures(
        **known,
        venue_type_encoded=encode_venue_type(outlook.venue_type, venue_types),
        days_until_event=max(0, (outlook.event_date - outlook.as_of).days),
        is_weekend=int(outlook.event_date.weekday() >= 5),
        month_of_year=outlook.event_date.month,
        season=season_of(outlook.event_date),
        avg_ticket_price=sum(prices) / len(prices) if prices else 0.0,
        price_range=prices[-1] - prices[0] if prices else 0.0,
        lowest_price=prices[0] if prices else 0.0,
        highest_price=prices[-1] if prices else 0.0,
    )


def vector(features: TicketFeatures) -> list[float]:
    """The features as numbers, in the model's order."""
    return [float(value) for value in structs.astuple(features)]


def encode_venue_type(venue_type: str, venue_types: Sequence[str]) -> int:
    """A venue type's code, its place in the encoder's list; -1 for one that the model never saw."""
    return list(venue_types).index(venue_type) if venue_type in venue_types else UNKNOWN_VENUE_TYPE


def season_of(day: date) -> int:
    """1 winter (December to February), 2 spring, 3 summer, 4 autumn."""
    return day.month % 12 // 3 + 1


def ticket_prices(text: str | None) -> list[float]:
    """The positive prices of a `{tier: price}` JSON text, lowest first; what is no price is left out."""
    try:
        tiers = json.loads(text or "")
    except (ValueError, RecursionError):
        return []
    found = [_price(value) for value in tiers.values()] if isinstance(tiers, Mapping) else []
    return sorted(price for price in found if price > 0)


def _price(value: object) -> float:
    """A price as a number; 0 for what is none, also for one beyond any ticket."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return 0.0
    try:
        price = float(value)
    except (ValueError, OverflowError):
        return 0.0
    return price if price <= HIGHEST_PRICE else 0.0
