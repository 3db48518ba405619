"""The ticket model's 21 features: their order, their names, and how a concert becomes them."""

import json
from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import structs

from chalicelib.concerts.models import HIGHEST_PRICE, TICKET_FEATURES, TicketFeatures
from chalicelib.concerts.values import ConcertOutlook

LOOKBACK_DAYS = 730
UNKNOWN_VENUE_TYPE = -1


def features_of(outlook: ConcertOutlook, venue_types: Sequence[str]) -> TicketFeatures:
    """The model's features of a concert; `venue_types` is the encoder that was saved with the model."""
    prices = ticket_prices(outlook.prices)
    known = {name: getattr(outlook, name) for name in TICKET_FEATURES if name in ConcertOutlook.__struct_fields__}
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
