"""Which venues are popular: eleven features over the completed concerts of a look-back, weighted into one score.

Each feature is divided by its maximum over the venues that have `min_events`. Weights: concerts .15, average
attendance .10, attendance rate .20, revenue .10, revenue per event .15, bookings per month .15, capacity .05, demand
for the venue's type .02, demand in its city .03, distinct artists .03, share of repeat bookings .02. Revenue is what
was sold; where no sales are recorded, what the concert reported. The statement is `sql/popularity.sql`.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.concerts.models import PopularityQuery, PopularityReport, Refreshed
from chalicelib.concerts.ports import VenueRanking

EVERY_VENUE = 1_000_000
REFRESH_LOOKBACK_DAYS = 365
REFRESH_MIN_EVENTS = 1


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
