"""The ticket model's 21 features: their order, their names, and how a concert becomes them."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from math import nan
from typing import Any

from msgspec import structs

from chalicelib.concerts.models import HIGHEST_PRICE, TICKET_FEATURES, ConfidenceLevel, TicketFeatures
from chalicelib.concerts.values import ConcertOutlook

LOOKBACK_DAYS = 730
UNKNOWN_VENUE_TYPE = -1
HORIZON_DAYS = 270
"""The farthest that the model learnt to look ahead."""
FRIDAY = 4
SETTLED_ARTIST = 5
"""Earlier concerts from which an artist counts as known."""

CURRENCY_SIGNS: Mapping[str, frozenset[str]] = {
    "USD": frozenset({"$", "US$"}),
    "EUR": frozenset({"€"}),
    "GBP": frozenset({"£"}),
    "JPY": frozenset({"¥"}),
}
PRICE = re.compile(r"([^\d\s.,+-]*)\s*(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s*([^\d\s.,+-]*)")
BOUNDS = ("min", "max", "price", "amount", "value", "from", "to", "low", "high")

FORECAST_GAPS: Mapping[str, tuple[str, ...]] = {
    "venue history": (
        "venue_avg_attendance_rate",
        "venue_popularity_rank",
        "historical_avg_sales",
        "historical_max_sales",
    ),
    "artist history": ("artist_avg_attendance", "artist_avg_revenue"),
    "prices": ("avg_ticket_price", "price_range", "lowest_price", "highest_price"),
}
"""Facts that a forecast may lack, each with the features that show it; the last of each decides."""


def ticket_features_of(outlook: ConcertOutlook, venue_types: Sequence[str], currency: str = "USD") -> TicketFeatures:
    """The model's features of a concert; `venue_types` is the encoder that was saved with the model."""
    prices = ticket_prices(outlook.prices, currency)
    known = {name: getattr(outlook, name) for name in TICKET_FEATURES if name in ConcertOutlook.__struct_fields__}
    return TicketFeatures(
        **known,
        venue_type_encoded=encode_venue_type(outlook.venue_type, venue_types),
        days_until_event=max(0, (outlook.event_date - outlook.as_of).days),
        is_weekend=int(outlook.event_date.weekday() >= FRIDAY),
        month_of_year=outlook.event_date.month,
        season=season_of(outlook.event_date),
        avg_ticket_price=sum(prices) / len(prices) if prices else None,
        price_range=prices[-1] - prices[0] if prices else None,
        lowest_price=prices[0] if prices else None,
        highest_price=prices[-1] if prices else None,
    )


def vector(features: TicketFeatures) -> list[float]:
    """The features as numbers, in the model's order; NaN is unknown, and so is a rank, revenue or price of zero."""
    missing = {name for names in FORECAST_GAPS.values() for name in names if name not in {"price_range"}}
    missing |= {"similar_concert_avg_sales"}
    return [
        nan if value is None or (value == 0 and name in missing) else float(value)
        for name, value in structs.asdict(features).items()
    ]


def unknown_in(features: TicketFeatures) -> list[str]:
    """The unknown facts of a concert, by the names in FORECAST_GAPS."""
    return [what for what, names in FORECAST_GAPS.items() if not getattr(features, names[-1])]


def band_of(features: TicketFeatures) -> str:
    """The band whose measured errors give a forecast its interval: what is unknown, or how settled the artist is."""
    if unknown := unknown_in(features):
        return " + ".join(unknown)
    return "settled" if features.artist_total_concerts >= SETTLED_ARTIST else "new artist"


def confidence_level(features: TicketFeatures) -> ConfidenceLevel:
    """High where everything is known and near, low where something is unknown or beyond what the model learnt."""
    if unknown_in(features) or features.days_until_event > HORIZON_DAYS or features.venue_type_encoded < 0:
        return "low"
    return "high" if band_of(features) == "settled" else "medium"


def encode_venue_type(venue_type: str, venue_types: Sequence[str]) -> int:
    """A venue type's code, its place in the encoder's list; -1 for one that the model never saw."""
    return list(venue_types).index(venue_type) if venue_type in venue_types else UNKNOWN_VENUE_TYPE


def season_of(day: date) -> int:
    """1 winter (December to February), 2 spring, 3 summer, 4 autumn."""
    return day.month % 12 // 3 + 1


def ticket_prices(text: str | None, currency: str = "USD") -> list[float]:
    """The prices in a concert's JSON text, lowest first: `{tier: price}`, a list, or objects with `min` and `max`.

    Values that are no price, or in another currency than `currency`, are left out: unknown is not zero.
    """
    return list(_sorted_prices(text or "", currency))


@lru_cache(maxsize=4096)
def _sorted_prices(text: str, currency: str) -> tuple[float, ...]:
    try:
        found = [price for price in _prices(json.loads(text), currency) if 0 < price <= HIGHEST_PRICE]
    except (ValueError, RecursionError):
        return ()
    return tuple(sorted(found))


def _prices(value: Any, currency: str) -> Iterator[float]:
    if isinstance(value, Mapping):
        if str(value.get("currency", currency)).upper() == currency:
            bounds = [value[name] for name in BOUNDS if name in value]
            for part in bounds or value.values():
                yield from _prices(part, currency)
    elif isinstance(value, list):
        for part in value:
            yield from _prices(part, currency)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value) if abs(value) <= HIGHEST_PRICE else 0.0
    elif isinstance(value, str) and (found := PRICE.fullmatch(value.strip())):
        signs = {sign.upper() for sign in (found[1], found[3]) if sign}
        if signs <= {currency} | CURRENCY_SIGNS.get(currency, frozenset()):
            yield float(found[2].replace(",", ""))
