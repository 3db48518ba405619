"""Features: their order, the encoder, prices as the warehouse stores them."""

import json
import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.concerts.features import (
    encode_venue_type,
    season_of,
    ticket_features_of,
    ticket_prices,
    vector,
)
from chalicelib.concerts.models import TICKET_FEATURES
from tests.fakes.season import TODAY, VENUE_TYPES, ConcertWorld

ORDER = [
    "artist_popularity_score", "artist_avg_attendance", "artist_total_concerts", "artist_avg_revenue",
    "artist_genre_popularity", "venue_capacity", "venue_avg_attendance_rate", "venue_popularity_rank",
    "venue_type_encoded", "venue_location_popularity", "historical_avg_sales", "historical_max_sales",
    "similar_concert_avg_sales", "days_until_event", "is_weekend", "month_of_year", "season",
    "avg_ticket_price", "price_range", "lowest_price", "highest_price",
]  # fmt: skip


def test_the_order_is_the_models() -> None:
    assert list(TICKET_FEATURES) == ORDER
    assert len(TICKET_FEATURES) == 21


def test_a_concert_becomes_its_vector() -> None:
    world = ConcertWorld()
    concert = world.concert()
    outlook = world.warehouse.outlooks([concert.concert_id], TODAY)[0]
    features = ticket_features_of(outlook, VENUE_TYPES)
    numbers = dict(zip(TICKET_FEATURES, vector(features), strict=True))
    prices = sorted(float(price) for price in json.loads(concert.prices or "{}").values())
    assert numbers["venue_capacity"] == concert.venue.capacity
    assert VENUE_TYPES[int(numbers["venue_type_encoded"])] == concert.venue.venue_type
    assert numbers["days_until_event"] == (concert.event_date - TODAY).days
    assert numbers["is_weekend"] == (concert.event_date.weekday() in {4, 5, 6})
    assert numbers["lowest_price"] == prices[0]
    assert numbers["price_range"] == prices[-1] - prices[0]
    assert numbers["avg_ticket_price"] == pytest.approx(sum(prices) / 3)


@pytest.mark.parametrize(
    ("month", "season"), [(12, 1), (1, 1), (2, 1), (3, 2), (5, 2), (6, 3), (8, 3), (9, 4), (11, 4)]
)
def test_seasons(month: int, season: int) -> None:
    assert season_of(date(2026, month, 1)) == season


def test_an_unknown_venue_type_has_a_code_of_its_own() -> None:
    assert encode_venue_type("arena", VENUE_TYPES) == VENUE_TYPES.index("arena")
    assert encode_venue_type("barn", VENUE_TYPES) == -1


@pytest.mark.parametrize(
    ("text", "prices"),
    [
        ('{"vip": "120.50", "standard": 45}', [45.0, 120.5]),
        ('{"free": 0, "odd": -5, "ok": "10"}', [10.0]),
        ('{"flag": true, "none": null, "ok": 3}', [3.0]),
        ('{"nan": "NaN", "inf": "Infinity", "ok": 3}', [3.0]),
        ("[1, 2]", [1.0, 2.0]),
        ('{"standard": "$108.00", "vip": "USD 1,250"}', [108.0, 1250.0]),
        ('[{"min": 45, "max": 125}]', [45.0, 125.0]),
        ('[{"type": "standard", "currency": "USD", "min": 45, "max": 125.5}]', [45.0, 125.5]),
        ('{"standard": "45 €"}', []),
        ('{"standard": {"currency": "EUR", "min": 45}}', []),
        ('{"standard": "from 45 to 60"}', []),
        ("", []),
        (None, []),
        ("{broken", []),
    ],
)
def test_prices(text: str | None, prices: list[float]) -> None:
    assert ticket_prices(text) == prices


@pytest.mark.slow
@given(st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_no_text_breaks_the_prices(text: str) -> None:
    assert all(price > 0 and math.isfinite(price) for price in ticket_prices(text))
