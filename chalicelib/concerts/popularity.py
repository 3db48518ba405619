"""Which venues are popular: eleven features over the completed concerts of a look-back, weighted into one score.

Each feature is divided by its maximum over the venues that have `min_events`. Weights: concerts .15, average
attendance .10, attendance rate .20, revenue .10, revenue per event .15, bookings per month .15, capacity .05, demand
for the venue's type .02, demand in its city .03, distinct artists .03, share of repeat bookings .02. Revenue is what
was sold; where no sales are recorded, what the concert reported. The statement is `sql/popularity.sql`.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.concerts.ports import VenueRanking

EVERY_VENUE = 1_000_000
REFRESH_LOOKBACK_DAYS = 365
REFRESH_MIN_EVENTS = 1


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


class VenuePopularity:
    """Ranks venues, on demand and into the table that reports read."""

    def __init__(self, ranking: VenueRanking, clock: Callable[[], datetime]) -> None:
        self._ranking = ranking
        self._clock = clock

    def rank(self, query: PopularityQuery) -> PopularityReport:
        """The venues that `query` asks for, most popular first; Upstream* where the warehouse fails."""
        now = self._clock()
        since = now.date() - timedelta(days=query.lookback_days)
        venues = self._ranking.popular_venues(since, now.date(), min_events=query.min_events, top_n=query.top_n)
        return PopularityReport(venues=venues, since=since, until=now.date(), generated_at=now)

    def refresh(self, calculated_at: datetime) -> Refreshed:
        """Replace the stored ranking by that of `calculated_at`; again with the same moment changes nothing."""
        until = calculated_at.date()
        since = until - timedelta(days=REFRESH_LOOKBACK_DAYS)
        venues = self._ranking.store_popularity(since, until, REFRESH_MIN_EVENTS, calculated_at)
        return Refreshed(venues=venues, calculated_at=calculated_at)
