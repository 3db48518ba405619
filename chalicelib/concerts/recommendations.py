"""Which scheduled concerts suit someone, and why.

With genres: .6 Jaccard overlap of genres + .4 the artist's popularity. With a location: .4 nearness (city 1, state .8,
country .6) + .3 capacity + .3 how full venues of that type get, the last two as shares of the largest candidate. With
both, the mean of the two; with neither, the artist's popularity. Ties go to the earlier concert. The statement is
`sql/recommendations.sql`.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.concerts.ports import Programme
from chalicelib.errors import InvalidInput

PLAIN = r"^[^\x00-\x1f\x7f]*$(?!\n)"
MAX_PLACES = 3

Genre = Annotated[str, Meta(min_length=1, max_length=50, pattern=PLAIN)]
UserId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z._:@-]{1,100}$(?!\n)", examples=["user-17"])]


class RecommendationQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What someone likes and where; all of it is optional."""

    genres: Annotated[list[Genre], Meta(max_length=10, examples=[["rock", "indie"]])] = []
    location: Annotated[
        str,
        Meta(
            max_length=100,
            pattern=PLAIN,
            description="A city, state or country, or several with commas.",
            examples=["Austin, Texas"],
        ),
    ] = ""
    user_id: Annotated[
        UserId | None, Meta(description="Echoed. The warehouse keeps no personal histories, so it changes no score.")
    ] = None
    top_n: Annotated[int, Meta(ge=1, le=50, examples=[10])] = 10


class Criteria(Struct, frozen=True):
    """The genres and the parts of the place that were asked for, lower case; either may be empty."""

    genres: tuple[str, ...]
    places: tuple[str, ...]


class ProgrammeItem(Struct, frozen=True, kw_only=True):
    """A scheduled concert with its score and the figures that made it, as the warehouse computed them."""

    concert_id: str
    event_date: date
    artist_id: str
    artist_name: str
    genre: str
    popularity: float
    shared_genres: int
    overlap: float
    nearness: float
    venue_id: str
    venue_name: str
    city: str
    state: str
    country: str
    venue_type: str
    capacity: int
    size_share: float
    demand: float
    type_share: float
    venue_rank: int | None
    score: float


class Recommendation(Struct, frozen=True, kw_only=True):
    """One concert, how well it suits, and why."""

    concert_id: str
    artist: str
    genre: str
    venue: str
    city: str
    country: str
    event_date: date
    score: Annotated[float, Meta(gt=0, le=1)]
    reasons: list[str]


class Recommendations(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The concerts that suit best, the best first; `basis` names what was used to score them."""

    recommendations: list[Recommendation]
    basis: list[str]
    user_id: str | None = None


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
