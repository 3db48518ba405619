"""Recommendations: how a wish is read, and that each concert says why."""

from itertools import pairwise

import pytest

from chalicelib.concerts.models import RecommendationQuery
from chalicelib.concerts.recommendations import criteria_of
from chalicelib.errors import InvalidInput
from tests.fakes.season import TODAY, ConcertWorld


@pytest.mark.parametrize(
    ("genres", "location", "expected"),
    [
        ([], "", ((), ())),
        ([" Rock ", "ROCK", "jazz"], "", (("rock", "jazz"), ())),
        ([], "  Austin , Texas ", ((), ("austin", "texas"))),
        (["r&b"], "São Paulo", (("r&b",), ("são paulo",))),
    ],
)
def test_a_wish_is_trimmed_and_lowered(
    genres: list[str], location: str, expected: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    criteria = criteria_of(RecommendationQuery(genres=genres, location=location))
    assert (criteria.genres, criteria.places) == expected


@pytest.mark.parametrize("query", [{"genres": [" "]}, {"location": "a,b,c,d"}, {"location": "a,,b"}, {"location": ","}])
def test_blank_parts_are_refused(query: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        criteria_of(RecommendationQuery(**query))  # type: ignore[arg-type]


def test_only_scheduled_concerts_to_come_each_with_reasons() -> None:
    world = ConcertWorld()
    found = world.recommender.recommend(RecommendationQuery(genres=["rock"], location="United States", top_n=50))
    assert found.basis == ["genres", "location"]
    assert found.recommendations
    for one in found.recommendations:
        concert = world.warehouse.concerts[one.concert_id]
        assert concert.status == "scheduled"
        assert concert.event_date >= TODAY
        assert 0 < one.score <= 1
        assert "rock" in one.genre
        assert one.country == "United States"
        assert any("you asked for" in reason for reason in one.reasons)
        assert any("as you asked" in reason for reason in one.reasons)
    scores = [one.score for one in found.recommendations]
    assert scores == sorted(scores, reverse=True)


def test_ties_go_to_the_earlier_concert() -> None:
    world = ConcertWorld()
    found = world.recommender.recommend(RecommendationQuery(top_n=50)).recommendations
    tied = [(a, b) for a, b in pairwise(found) if a.score == b.score]
    assert tied
    assert all(a.event_date <= b.event_date for a, b in tied)


def test_without_wishes_popularity_decides_and_the_user_changes_nothing() -> None:
    world = ConcertWorld()
    plain = world.recommender.recommend(RecommendationQuery())
    named = world.recommender.recommend(RecommendationQuery(user_id="user-17"))
    assert plain.basis == ["popularity"]
    assert named.user_id == "user-17"
    assert named.recommendations == plain.recommendations


def test_the_stored_rank_is_a_reason() -> None:
    world = ConcertWorld()
    world.popularity.refresh(world.clock())
    found = world.recommender.recommend(RecommendationQuery()).recommendations
    assert any("in popularity" in reason for one in found for reason in one.reasons)
