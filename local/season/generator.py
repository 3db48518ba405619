"""A realistic season, the same for the same seed, day and size.

Audiences follow rules that a model can learn, plus noise: an artist's popularity and genre, the city, the kind of
venue, the weekday, the time of year, the price, the artist's previous shows in town. A sales line is a settlement: the
tickets of one price tier that one segment of customers bought on one day. A completed concert's lines add up to its
revenue and its attendance.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.random import Generator

from local.season.names import (
    AMENITIES,
    FIRST_WORDS,
    GENRES,
    SECOND_WORDS,
    SEGMENTS,
    TIERS,
    VENUE_KINDS,
    VENUE_WORDS,
)
from local.season.places import CITIES

SMALLEST, LARGEST = 1_000, 1_000_000
SALES_PER_CONCERT = 10
PAST_DAYS, FUTURE_DAYS = 1095, 180
EPOCH = datetime(1970, 1, 1)

Row = tuple[Any, ...]

COLUMNS = {
    "artists": ("artist_id", "name", "genre", "popularity_score", "formation_date", "members", "spotify_id"),
    "venues": (
        "venue_id", "name", "address", "city", "state", "country", "postal_code", "latitude", "longitude", "capacity",
        "venue_type", "amenities", "ticketmaster_id",
    ),
    "concerts": (
        "concert_id", "artist_id", "venue_id", "event_date", "ticket_prices", "total_attendance", "revenue", "status",
    ),
    "ticket_sales": (
        "sale_id", "concert_id", "price_tier", "quantity", "unit_price", "total_amount", "purchase_timestamp",
        "customer_segment",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Season:
    """The rows of each table, in COLUMNS' order; sales are generated on demand."""

    today: date
    artists: list[Row]
    venues: list[Row]
    concerts: list[Row]
    lines: "Lines"

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of one table."""
        if table == "ticket_sales":
            return self.lines.rows()
        found: list[Row] = getattr(self, table)
        return iter(found)

    def count(self, table: str) -> int:
        """The number of a table's rows."""
        return len(self.lines.quantity) if table == "ticket_sales" else len(getattr(self, table))


@dataclass(frozen=True)
class Lines:
    """The sales lines as columns; prices in cents, purchase times in seconds since 1970."""

    concert: "np.ndarray[Any, Any]"
    tier: "np.ndarray[Any, Any]"
    segment: "np.ndarray[Any, Any]"
    quantity: "np.ndarray[Any, Any]"
    cents: "np.ndarray[Any, Any]"
    bought_at: "np.ndarray[Any, Any]"

    def rows(self) -> Iterator[Row]:
        columns = (self.concert, self.tier, self.segment, self.quantity, self.cents, self.bought_at)
        values = zip(*(column.tolist() for column in columns), strict=True)
        for number, (concert, tier, segment, quantity, cents, bought_at) in enumerate(values, 1):
            yield (
                f"sal-{number:07d}",
                f"con-{concert + 1:06d}",
                TIERS[tier][0],
                quantity,
                _money(cents),
                _money(cents * quantity),
                EPOCH + timedelta(seconds=bought_at),
                SEGMENTS[segment],
            )


def generate(sales: int, *, today: date, seed: int = 20_26) -> Season:
    """A season of `sales` sales lines around `today`; ValueError outside 1,000 to 1,000,000."""
    if not SMALLEST <= sales <= LARGEST:
        raise ValueError(f"sales: is {sales}; expected {SMALLEST:,} to {LARGEST:,}")
    random = np.random.default_rng(seed)
    concerts = sales // SALES_PER_CONCERT
    artists = _Artists.make(random, max(20, min(2000, concerts // 40)))
    venues = _Venues.make(random, max(25, min(600, concerts // 80)))
    plan = _Plan.make(random, concerts, artists, venues, today)
    lines = _lines(random, sales, plan)
    return Season(today, artists.rows, venues.rows, list(_concert_rows(plan, lines, venues)), lines)


@dataclass(frozen=True)
class _Artists:
    rows: list[Row]
    popularity: "np.ndarray[Any, Any]"
    genre: "np.ndarray[Any, Any]"

    @classmethod
    def make(cls, random: Generator, count: int) -> "_Artists":
        popularity = np.round(np.clip(random.beta(1.6, 2.4, count) * 100, 3, 99.5), 2)
        genre = random.integers(0, len(GENRES), count)
        names = random.permutation(len(FIRST_WORDS) * len(SECOND_WORDS))[:count]
        rows = []
        for number in range(count):
            first, second = divmod(int(names[number]), len(SECOND_WORDS))
            members = int(random.integers(1, 7))
            rows.append(
                (
                    f"art-{number + 1:05d}",
                    f"{FIRST_WORDS[first]} {SECOND_WORDS[second]}",
                    GENRES[genre[number]][0],
                    Decimal(f"{popularity[number]:.2f}"),
                    date(int(random.integers(1968, 2023)), int(random.integers(1, 13)), 1),
                    json.dumps([f"member {place}" for place in range(1, members + 1)]),
                    f"spotify-{number + 1:022d}",
                )
            )
        return cls(rows, popularity, genre)


@dataclass(frozen=True)
class _Venues:
    rows: list[Row]
    capacity: "np.ndarray[Any, Any]"
    kind: "np.ndarray[Any, Any]"
    city: "np.ndarray[Any, Any]"
    pull: "np.ndarray[Any, Any]"

    @classmethod
    def make(cls, random: Generator, count: int) -> "_Venues":
        kind = random.choice(len(VENUE_KINDS), count, p=[kind.share for kind in VENUE_KINDS])
        demand = np.array([city.demand for city in CITIES])
        city = np.concatenate([np.arange(min(count, len(CITIES))), random.choice(
            len(CITIES), max(0, count - len(CITIES)), p=demand / demand.sum())])  # fmt: skip
        words = random.permutation(np.arange(count) % len(VENUE_WORDS))
        pull = np.clip(random.normal(1.0, 0.10, count), 0.7, 1.3)
        rows, capacities = [], []
        for number in range(count):
            form, place = VENUE_KINDS[kind[number]], CITIES[city[number]]
            low, high = np.log(form.smallest), np.log(form.largest)
            capacity = int(round(float(np.exp(random.uniform(low, high))), -1))
            capacities.append(capacity)
            rows.append(
                (
                    f"ven-{number + 1:04d}",
                    f"{VENUE_WORDS[words[number]]} {form.nouns[int(random.integers(len(form.nouns)))]}",
                    f"{int(random.integers(1, 999))} {VENUE_WORDS[int(random.integers(len(VENUE_WORDS)))]} Street",
                    place.name,
                    place.state,
                    place.country,
                    f"{int(random.integers(10_000, 99_999))}",
                    round(place.latitude + float(random.normal(0, 0.03)), 6),
                    round(place.longitude + float(random.normal(0, 0.03)), 6),
                    capacity,
                    form.name,
                    json.dumps(sorted(random.choice(AMENITIES, 3, replace=False).tolist())),
                    f"tm-{number + 1:06d}",
                )
            )
        return cls(rows, np.array(capacities), kind, city, pull)


@dataclass(frozen=True)
class _Plan:
    """Every concert before its sales: artist, venue, date, standard price, and attendance."""

    artist: "np.ndarray[Any, Any]"
    venue: "np.ndarray[Any, Any]"
    day: "np.ndarray[Any, Any]"
    cents: "np.ndarray[Any, Any]"
    seats: "np.ndarray[Any, Any]"
    status: "np.ndarray[Any, Any]"
    today: int
    artist_ids: list[str]
    venue_ids: list[str]

    @classmethod
    def make(cls, random: Generator, count: int, artists: _Artists, venues: _Venues, today: date) -> "_Plan":
        now = (today - EPOCH.date()).days
        busy = np.exp(artists.popularity / 60)
        artist = random.choice(len(artists.rows), count, p=busy / busy.sum())
        venue = _suited(random, artists.popularity[artist], venues)
        day = now - PAST_DAYS + np.sort(random.integers(0, PAST_DAYS + FUTURE_DAYS, count))
        weekday = (day + 3) % 7
        day = day + np.where((weekday < 4) & (random.random(count) < 0.35), 5 - weekday, 0)
        popularity = artists.popularity[artist] / 100
        fair = 1500 + 9500 * popularity + 900 * np.log10(venues.capacity[venue])
        greed = np.exp(random.normal(0, 0.22, count))
        cents = np.round(fair * greed / 50).astype(np.int64) * 50
        rate = _attendance_rate(random, artists, venues, artist, venue, day, greed)
        seats = np.maximum(1, np.floor(venues.capacity[venue] * rate)).astype(np.int64)
        chance = random.random(count)
        past = np.where(chance < 0.93, "completed", np.where(chance < 0.98, "cancelled", "postponed"))
        status = np.where(day < now, past, np.where(chance < 0.97, "scheduled", "cancelled"))
        return cls(
            artist, venue, day, cents, seats, status, now,
            [row[0] for row in artists.rows], [row[0] for row in venues.rows],
        )  # fmt: skip


def _suited(random: Generator, popularity: Any, venues: _Venues) -> Any:
    """A venue for each concert: popular artists draw the larger ones, smaller ones are booked more often."""
    order = np.argsort(venues.capacity, kind="stable")
    demand = np.array([CITIES[city].demand for city in venues.city])[order]
    bookings = demand * venues.pull[order] ** 2 * venues.capacity[order] ** -0.3
    shares = np.cumsum(bookings) / bookings.sum()
    ambition = popularity / 100 + random.normal(0, 0.25, len(popularity))
    wanted = (np.argsort(np.argsort(ambition, kind="stable"), kind="stable") + 0.5) / len(ambition)
    return order[np.minimum(np.searchsorted(shares, wanted), len(order) - 1)]


def _attendance_rate(
    random: Generator, artists: _Artists, venues: _Venues, artist: Any, venue: Any, day: Any, greed: Any
) -> Any:
    """Each concert's attendance rate, 0.03 to 1."""
    fame = artists.popularity[artist] / 100
    reach = np.log10(venues.capacity[venue]) / 5
    genre = np.array([demand for _, demand in GENRES])[artists.genre[artist]]
    kind = np.array([form.pull for form in VENUE_KINDS])[venues.kind[venue]]
    city = np.array([place.demand for place in CITIES])[venues.city[venue]]
    weekend = np.where(((day + 3) % 7) >= 4, 1.10, 0.94)
    year = 1 + 0.10 * np.cos(2 * np.pi * ((day % 365.25) - 195) / 365.25)
    base = 0.34 + 0.75 * fame - 0.30 * (reach - 0.6)
    noise = np.exp(random.normal(0, 0.13, len(artist)))
    rate = base * genre * kind * city**0.5 * venues.pull[venue] * weekend * year * greed**-0.7 * noise
    return np.clip(rate, 0.03, 1.0)


def _lines(random: Generator, sales: int, plan: _Plan) -> Lines:
    """Ten lines for each concert: a completed one's sales, and a scheduled one's sales to date."""
    concerts = len(plan.artist)
    concert = np.repeat(np.arange(concerts), SALES_PER_CONCERT)
    concert = np.concatenate([concert, np.full(sales - len(concert), concerts - 1)])
    tier = np.tile(np.array([0] * 5 + [1] * 3 + [2] * 2), concerts)
    tier = np.concatenate([tier, np.zeros(sales - len(tier), dtype=tier.dtype)])
    share = np.array([tier_share for _, _, tier_share in TIERS])[tier] * random.gamma(3.0, 1.0, sales)
    share = share / np.bincount(concert, weights=share, minlength=concerts)[concert]
    lead = plan.day - plan.today
    sold = np.where(lead > 0, np.clip(1 - lead / 200, 0.05, 0.9), 1.0)
    quantity = np.floor(plan.seats[concert] * share * sold[concert]).astype(np.int64)
    quantity = np.maximum(quantity, 1)
    factor = np.array([factor for _, factor, _ in TIERS])[tier]
    cents = np.round(plan.cents[concert] * factor / 50).astype(np.int64) * 50
    latest = np.minimum(plan.day[concert], plan.today - 1)
    bought = (latest - np.floor(random.exponential(30.0, sales))).astype(np.int64) * 86400
    bought = bought + random.integers(8 * 3600, 23 * 3600, sales)
    segment = random.choice(len(SEGMENTS), sales, p=[0.55, 0.15, 0.12, 0.06, 0.12])
    return Lines(concert, tier, segment, quantity, cents, bought)


def _concert_rows(plan: _Plan, lines: Lines, venues: _Venues) -> Iterator[Row]:
    count = len(plan.artist)
    revenue = np.bincount(lines.concert, weights=lines.quantity * lines.cents, minlength=count).astype(np.int64)
    heads = np.bincount(lines.concert, weights=lines.quantity, minlength=count).astype(np.int64)
    heads = np.minimum(heads, venues.capacity[plan.venue])
    for number in range(count):
        standard = int(plan.cents[number])
        prices = {name: str(_money(round(standard * factor / 50) * 50)) for name, factor, _ in TIERS}
        completed = plan.status[number] == "completed"
        yield (
            f"con-{number + 1:06d}",
            plan.artist_ids[plan.artist[number]],
            plan.venue_ids[plan.venue[number]],
            EPOCH.date() + timedelta(days=int(plan.day[number])),
            json.dumps(prices),
            int(heads[number]) if completed else None,
            _money(int(revenue[number])) if completed else None,
            str(plan.status[number]),
        )


def _money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)
