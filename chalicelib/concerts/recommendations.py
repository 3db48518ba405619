"""Recommendations of scheduled concerts, with reasons.

With genres: .6 Jaccard overlap of genres + .4 the artist's popularity. With a place: .4 nearness (city 1, state .8,
country .6) + .3 capacity + .3 how full venues of that type get, the last two as shares of the largest candidate. With
both, the mean of the two; with neither, the artist's popularity. Ties go to the earlier concert. The statement is
`sql/recommendations.sql`; prices are stored as people wrote them, so concerts are chosen by price after it.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from chalicelib.concerts.features import ticket_prices
from chalicelib.concerts.lexicon import Lexical
from chalicelib.concerts.models import Recommendation, RecommendationQuery, Recommendations
from chalicelib.concerts.ports import Listings, Programme
from chalicelib.concerts.values import Criteria, ProgrammeItem
from chalicelib.concerts.wishes import Wishes
from chalicelib.errors import NotFound, Unprocessable

PRICED_CANDIDATES = 2000
"""Concerts whose prices are looked at, the best first, where a price was asked for."""
ANY_STATUS = ("scheduled", "completed", "cancelled", "postponed")


class Recommender:
    """Recommends from the programme of scheduled concerts."""

    def __init__(
        self, programme: Programme, listings: Listings, lexicon: Lexical, clock: Callable[[], datetime], currency: str
    ) -> None:
        self._programme = programme
        self._listings = listings
        self._wishes = Wishes(lexicon)
        self._clock = clock
        self._currency = currency

    def recommend(self, query: RecommendationQuery) -> Recommendations:
        """The concerts that `query` asks for; Upstream* where the warehouse fails, NotFound for what it resembles."""
        today = self._clock().date()
        since = query.since or today
        if query.until is not None and query.until < since:
            raise Unprocessable.of("until", f"is {query.until}, with since {since}", "a day that is not before since")
        criteria, notes, nothing = self._wishes.of_concerts(query)
        if query.similar_to is not None:
            criteria = self._alike(criteria, query.similar_to)
        criteria = criteria.but(since=since, until=query.until and query.until + timedelta(days=1))
        chosen = [] if nothing else self._chosen(query, criteria, today, notes)
        basis = [name for name, used in (("genres", criteria.genres), ("location", criteria.places)) if used]
        return Recommendations(
            recommendations=[self._recommendation(item, criteria) for item in chosen],
            basis=basis or ["popularity"],
            currency=self._currency,
            since=max(since, today),
            until=query.until,
            notes=notes,
            user_id=query.user_id,
        )

    def _alike(self, criteria: Criteria, concert_id: str) -> Criteria:
        found = self._listings.concerts(Criteria(concerts=(concert_id,)), ANY_STATUS, (date.min, ""), 1)
        if not found:
            raise NotFound(f"similar_to: there is no concert {concert_id}", code="concert_not_found")
        return criteria.but(
            genres=criteria.genres or tuple(part.strip() for part in found[0].genre.split("/")),
            without_artists=(*criteria.without_artists, found[0].artist_id),
        )

    def _chosen(
        self, query: RecommendationQuery, criteria: Criteria, today: date, notes: list[str]
    ) -> list[ProgrammeItem]:
        by_price = query.order == "price"
        limits = query.min_price, query.max_price
        if not by_price and limits == (None, None):
            return self._programme.upcoming(criteria, today, query.top_n, by_date=query.order == "date")
        items = self._programme.upcoming(criteria, today, PRICED_CANDIDATES, by_date=query.order == "date")
        priced = [(prices[0], item) for item in items if (prices := self._prices(item))]
        if unpriced := len(items) - len(priced):
            notes.append(f"{unpriced} concerts are left out, because their prices are unknown.")
        if len(items) == PRICED_CANDIDATES:
            notes.append(f"Only the {PRICED_CANDIDATES:,} best were looked at for their prices.")
        low, high = limits[0] or 0.0, float("inf") if limits[1] is None else limits[1]
        priced = [(price, item) for price, item in priced if low <= price <= high]
        if by_price:
            priced.sort(key=lambda it: (it[0], it[1].event_date, it[1].concert_id))
        return [item for _, item in priced[: query.top_n]]

    def _prices(self, item: ProgrammeItem) -> list[float]:
        return ticket_prices(item.ticket_prices, self._currency)

    def _recommendation(self, item: ProgrammeItem, criteria: Criteria) -> Recommendation:
        return Recommendation(
            concert_id=item.concert_id,
            artist_id=item.artist_id,
            artist=item.artist_name,
            genre=item.genre,
            venue_id=item.venue_id,
            venue=item.venue_name,
            city=item.city,
            state=item.state,
            country=item.country,
            event_date=item.event_date,
            price_from=cheapest(self._prices(item)),
            score=item.score,
            reasons=_reasons(item, criteria),
        )


def cheapest(prices: Sequence[float]) -> Decimal | None:
    """The lowest of sorted prices, exact; None where none is known."""
    return Decimal(str(prices[0])).quantize(Decimal("0.01")) if prices else None


def _reasons(item: ProgrammeItem, criteria: Criteria) -> list[str]:
    reasons = []
    if criteria.genres:
        reasons.append(f"{item.artist_name} plays {item.genre}, which you asked for")
    if criteria.places:
        where = {1.0: item.city, 0.8: f"{item.city}, {item.state}"}.get(item.nearness, f"{item.city}, {item.country}")
        reasons.append(f"it is in {where}, as you asked")
        full = "" if item.demand is None else f"; venues of its type fill {item.demand:.0%} of seats"
        reasons.append(f"{item.venue_name} holds {item.capacity:,}{full}")
    if criteria.genres or not criteria.places:
        reasons.append(f"the artist's popularity is {item.popularity * 100:.0f} of 100")
    if item.venue_rank is not None:
        reasons.append(f"the venue is number {item.venue_rank} in popularity")
    return reasons
