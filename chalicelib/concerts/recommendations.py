"""Which scheduled concerts suit someone, and why.

With genres: .6 Jaccard overlap of genres + .4 the artist's popularity. With a location: .4 nearness (city 1, state .8,
country .6) + .3 capacity + .3 how full venues of that type get, the last two as shares of the largest candidate. With
both, the mean of the two; with neither, the artist's popularity. Ties go to the earlier concert. The statement is
`sql/recommendations.sql`.
"""

from collections.abc import Callable
from datetime import datetime

from chalicelib.concerts.models import Recommendation, RecommendationQuery, Recommendations
from chalicelib.concerts.ports import Programme
from chalicelib.concerts.values import Criteria, ProgrammeItem
from chalicelib.errors import InvalidInput

MAX_PLACES = 3


class Recommender:
    """Recommends from the programme of scheduled concerts."""

    def __init__(self, programme: Programme, clock: Callable[[], datetime]) -> None:
        self._programme = programme
        self._clock = clock

    def recommend(self, query: RecommendationQuery) -> Recommendations:
        """The concerts that `query` asks for; Upstream* where the warehouse fails."""
        criteria = criteria_of(query)
        items = self._programme.upcoming(criteria, self._clock().date(), query.top_n)
        basis = [name for name, used in (("genres", criteria.genres), ("location", criteria.places)) if used]
        return Recommendations(
            recommendations=[_recommendation(item, criteria) for item in items],
            basis=basis or ["popularity"],
            user_id=query.user_id,
        )


def criteria_of(query: RecommendationQuery) -> Criteria:
    """What `query` asks for, trimmed, lower case, each genre once; InvalidInput for a blank genre or place."""
    genres = tuple(dict.fromkeys(genre.strip().lower() for genre in query.genres))
    if "" in genres:
        raise InvalidInput.of("genres", "has a blank one", "names of genres")
    if not query.location.strip():
        return Criteria(genres, ())
    places = tuple(part.strip().lower() for part in query.location.split(","))
    if "" in places or len(places) > MAX_PLACES:
        raise InvalidInput.of("location", f"is {query.location!r}", "a city, state or country, at most three")
    return Criteria(genres, places)


def _recommendation(item: ProgrammeItem, criteria: Criteria) -> Recommendation:
    return Recommendation(
        concert_id=item.concert_id,
        artist=item.artist_name,
        genre=item.genre,
        venue=item.venue_name,
        city=item.city,
        country=item.country,
        event_date=item.event_date,
        score=item.score,
        reasons=list(_reasons(item, criteria)),
    )


def _reasons(item: ProgrammeItem, criteria: Criteria) -> list[str]:
    reasons = []
    if criteria.genres:
        reasons.append(f"{item.artist_name} plays {item.genre}, which you asked for")
    if criteria.places:
        where = {1.0: item.city, 0.8: f"{item.city}, {item.state}"}.get(item.nearness, f"{item.city}, {item.country}")
        reasons.append(f"it is in {where}, as you asked")
        reasons.append(f"{item.venue_name} holds {item.capacity}; venues of its type fill {item.demand:.0%} of seats")
    if criteria.genres or not criteria.places:
        reasons.append(f"the artist's popularity is {item.popularity * 100:.0f} of 100")
    if item.venue_rank is not None:
        reasons.append(f"the venue is number {item.venue_rank} in popularity")
    return reasons
