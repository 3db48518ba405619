"""Popularity of venues: eleven features over the completed concerts of a look-back, weighted into one score.

Each feature is divided by its maximum over the venues with at least `min_events`; SCORE_WEIGHTS weighs them. Revenue is
recorded sales, or the concert's reported revenue if there are none. Unreported features do not count: their weight is
distributed over the others. The statement is `sql/popularity.sql`.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.concerts.lexicon import Lexical
from chalicelib.concerts.models import PopularityQuery, PopularityReport, Refreshed, SeasonTotals, TotalsQuery
from chalicelib.concerts.ports import ConcertCatalogue, VenueRanking
from chalicelib.concerts.wishes import Wishes, days_of

REFRESH_LOOKBACK_DAYS = 365
REFRESH_MIN_EVENTS = 5
"""The defaults of PopularityQuery, which make the stored rank equal to the ranking's."""


class VenuePopularity:
    """Ranks venues, on demand and into the table that reports read."""

    def __init__(self, ranking: VenueRanking, lexicon: Lexical, clock: Callable[[], datetime], currency: str) -> None:
        self._ranking = ranking
        self._wishes = Wishes(lexicon)
        self._clock = clock
        self._currency = currency

    def rank(self, query: PopularityQuery) -> PopularityReport:
        """The venues that `query` asks for; Upstream* where the warehouse fails."""
        now = self._clock()
        since, until = days_of(query.since, query.until, now.date(), query.lookback_days)
        criteria, notes, nothing = self._wishes.of_venues(query)
        venues = (
            []
            if nothing
            else self._ranking.popular_venues(
                criteria.but(since=since, until=until),
                min_events=query.min_events,
                top_n=query.top_n,
                order_by=query.order_by,
                least_first=query.least_first,
            )
        )
        return PopularityReport(
            venues=venues, since=since, until=until, currency=self._currency, generated_at=now, notes=notes
        )

    def refresh(self, calculated_at: datetime) -> Refreshed:
        """Replace the stored ranking by the ranking of `calculated_at`; a second run for that time changes nothing."""
        until = calculated_at.date()
        since = until - timedelta(days=REFRESH_LOOKBACK_DAYS)
        venues = self._ranking.store_popularity(since, until, REFRESH_MIN_EVENTS, calculated_at)
        return Refreshed(venues=venues, calculated_at=calculated_at)


class Totals:
    """Sums up completed concerts."""

    def __init__(
        self, catalogue: ConcertCatalogue, lexicon: Lexical, clock: Callable[[], datetime], currency: str
    ) -> None:
        self._catalogue = catalogue
        self._wishes = Wishes(lexicon)
        self._clock = clock
        self._currency = currency

    def sum_up(self, query: TotalsQuery) -> SeasonTotals:
        """The totals that `query` asks for; Upstream* where the warehouse fails."""
        since, until = days_of(query.since, query.until, self._clock().date(), REFRESH_LOOKBACK_DAYS)
        criteria, notes, nothing = self._wishes.of_totals(query)
        genres = [] if nothing else self._catalogue.totals(criteria.but(since=since, until=until))
        return SeasonTotals(genres=genres, since=since, until=until, currency=self._currency, notes=notes)
