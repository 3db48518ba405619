"""Recommendations: reading a wish, and a reason for each concert."""

from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest

from chalicelib.concerts.models import RecommendationQuery
from chalicelib.errors import InvalidInput, NotFound
from tests.fakes.season import TODAY, ConcertWorld


@pytest.mark.parametrize(
    "query",
    [{"genres": [" "]}, {"location": "a,b,c,d"}, {"location": "a,,b"}, {"location": ","}, {"until": date(2020, 1, 1)}],
)
def test_what_makes_no_sense_is_refused(query: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        ConcertWorld().recommender.recommend(RecommendationQuery(**query))  # type: ignore[arg-type]


def test_what_the_warehouse_does_not_have_is_said() -> None:
    found = ConcertWorld().recommender.recommend(RecommendationQuery(genres=["rock", "gamelan"], location="Atlantis"))
    assert found.notes == ["No artist plays gamelan.", "No venue is in Atlantis."]
    assert found.recommendations == []


def test_each_limit_is_kept() -> None:
    world = ConcertWorld()
    asked = RecommendationQuery(
        exclude_genres=["rock"],
        locations=["USA", "Montréal"],
        exclude_locations=["TX"],
        since=date(2026, 12, 1),
        until=date(2027, 2, 28),
        max_price=120,
        min_capacity=500,
        top_n=50,
    )
    found = world.recommender.recommend(asked).recommendations
    assert len(found) > 3
    for one in found:
        concert = world.warehouse.concerts[one.concert_id]
        assert "rock" not in concert.artist.parts
        assert concert.venue.country in {"United States", "Canada"}
        assert concert.venue.state != "Texas"
        assert date(2026, 12, 1) <= concert.event_date <= date(2027, 2, 28)
        assert one.price_from is not None
        assert one.price_from <= 120
        assert concert.venue.capacity >= 500


def test_similar_concerts_are_of_its_genres_and_not_its_artists() -> None:
    world = ConcertWorld()
    concert = next(
        one for one in world.warehouse.concerts.values() if one.status == "scheduled" and "rock" in one.artist.parts
    )
    found = world.recommender.recommend(RecommendationQuery(similar_to=concert.concert_id)).recommendations
    assert found
    assert all(world.warehouse.concerts[one.concert_id].artist.parts & concert.artist.parts for one in found)
    assert concert.artist.artist_id not in {one.artist_id for one in found}
    with pytest.raises(NotFound):
        world.recommender.recommend(RecommendationQuery(similar_to="con-none"))


def test_concerts_of_unknown_price_are_left_out_of_a_price_and_counted() -> None:
    world = ConcertWorld()
    concert = world.concert()
    world.warehouse.concerts[concert.concert_id] = replace(concert, prices='{"vip": "ask at the door"}')
    found = world.recommender.recommend(RecommendationQuery(max_price=10_000, top_n=50))
    assert concert.concert_id not in {one.concert_id for one in found.recommendations}
    assert found.notes == ["1 concerts are left out, because their prices are unknown."]


def test_the_cheapest_come_first() -> None:
    found = ConcertWorld().recommender.recommend(RecommendationQuery(order="price", top_n=20)).recommendations
    prices = [one.price_from for one in found if one.price_from is not None]
    assert prices == sorted(prices)
    assert len(prices) == len(found)


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
