"""Popularity: the days that count, and the stored ranking."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chalicelib.concerts.models import PopularityQuery, TotalsQuery
from chalicelib.errors import UpstreamUnavailable
from tests.fakes.season import TODAY, ConcertWorld


def test_only_completed_concerts_of_the_look_back_count() -> None:
    world = ConcertWorld()
    report = world.popularity.rank(PopularityQuery(top_n=100, min_events=1, lookback_days=90))
    since = TODAY - timedelta(days=90)
    counted = [
        one
        for one in world.warehouse.concerts.values()
        if one.status == "completed" and since <= one.event_date < TODAY
    ]
    assert (report.since, report.until) == (since, TODAY)
    assert sum(venue.total_events for venue in report.venues) == len(counted) > 0


def test_defaults_are_ten_venues_of_five_concerts_in_a_year() -> None:
    world = ConcertWorld()
    report = world.popularity.rank(PopularityQuery())
    assert report.since == TODAY - timedelta(days=365)
    assert len(report.venues) <= 10
    assert all(venue.total_events >= 5 for venue in report.venues)


def test_a_refresh_stores_every_venue() -> None:
    world = ConcertWorld()
    moment = datetime(2026, 11, 21, 3, tzinfo=UTC)
    refreshed = world.popularity.refresh(moment)
    assert refreshed.calculated_at == moment
    assert refreshed.venues == len(world.warehouse.ranks) > 5


def test_a_failing_warehouse_is_not_hidden() -> None:
    world = ConcertWorld()
    world.warehouse.fail = UpstreamUnavailable("down", retry_after=5)
    with pytest.raises(UpstreamUnavailable):
        world.popularity.rank(PopularityQuery())


def test_the_parts_add_up_to_the_score() -> None:
    for venue in ConcertWorld().popularity.rank(PopularityQuery(min_events=1)).venues:
        assert len(venue.contributions) == 11
        assert sum(part.weight for part in venue.contributions) == pytest.approx(1)
        assert sum(part.contribution or 0 for part in venue.contributions) == pytest.approx(venue.score, abs=1e-5)


def test_the_stored_rank_is_the_one_that_is_answered() -> None:
    world = ConcertWorld()
    world.popularity.refresh(world.clock())
    answered = world.popularity.rank(PopularityQuery(top_n=100)).venues
    assert {venue.venue_id: venue.popularity_rank for venue in answered} == world.warehouse.ranks


def test_within_a_place_a_type_and_days() -> None:
    world = ConcertWorld()
    asked = PopularityQuery(
        min_events=1,
        locations=["USA"],
        venue_types=["clubs"],
        since=date(2025, 1, 1),
        until=date(2025, 12, 31),
        top_n=100,
    )
    report = world.popularity.rank(asked)
    assert report.venues
    assert (report.since, report.until) == (date(2025, 1, 1), date(2026, 1, 1))
    assert {(venue.country, venue.venue_type) for venue in report.venues} == {("United States", "club")}
    assert report.venues[0].popularity_rank == 1
    nowhere = world.popularity.rank(PopularityQuery(locations=["Atlantis"]))
    assert (nowhere.venues, nowhere.notes) == ([], ["No venue is in Atlantis."])


@pytest.mark.parametrize("order_by", ["revenue", "attendance_rate", "concerts", "capacity", "popularity"])
def test_most_and_least_first(order_by: Any) -> None:
    world = ConcertWorld()
    most = world.popularity.rank(PopularityQuery(min_events=1, top_n=100, order_by=order_by)).venues
    least = world.popularity.rank(PopularityQuery(min_events=1, top_n=100, order_by=order_by, least_first=True)).venues
    measure = {"revenue": "total_revenue", "attendance_rate": "avg_attendance_rate", "concerts": "total_events"}.get(
        order_by, "score" if order_by == "popularity" else order_by
    )
    values = [getattr(venue, measure) for venue in most]
    assert values == sorted(values, reverse=True)
    assert [getattr(venue, measure) for venue in least] == sorted(values)


def test_what_nobody_reported_is_not_zero() -> None:
    world = ConcertWorld()
    best = world.popularity.rank(PopularityQuery(top_n=1)).venues[0]
    own = [
        one
        for one in world.warehouse.concerts.values()
        if one.venue.venue_id == best.venue_id and one.status == "completed"
    ]
    for one in own[::2]:
        world.warehouse.concerts[one.concert_id] = replace(one, attendance=None, revenue=None)
        world.warehouse.sold.pop(one.concert_id, None)
    after = next(
        one for one in world.popularity.rank(PopularityQuery(top_n=100)).venues if one.venue_id == best.venue_id
    )
    assert after.avg_attendance_rate == pytest.approx(best.avg_attendance_rate, rel=0.35)
    assert after.reported_events < after.total_events
    for one in own:
        world.warehouse.concerts[one.concert_id] = replace(one, attendance=None, revenue=None)
        world.warehouse.sold.pop(one.concert_id, None)
    unknown = next(
        one for one in world.popularity.rank(PopularityQuery(top_n=100)).venues if one.venue_id == best.venue_id
    )
    assert (unknown.avg_attendance_rate, unknown.total_revenue) == (None, None)
    assert sum(part.contribution or 0 for part in unknown.contributions) == pytest.approx(unknown.score, abs=1e-5)


def test_bookings_are_counted_over_the_look_back_so_that_being_new_is_no_merit() -> None:
    for venue in ConcertWorld().popularity.rank(PopularityQuery(min_events=1, top_n=100, lookback_days=300)).venues:
        assert venue.booking_frequency == pytest.approx(venue.total_events * 30 / 300, abs=0.01)


def test_totals_name_their_days_and_what_was_not_reported() -> None:
    world = ConcertWorld()
    first = next(
        one for one in world.warehouse.concerts.values() if one.status == "completed" and one.event_date.year == 2026
    )
    world.warehouse.concerts[first.concert_id] = replace(first, revenue=None)
    totals = world.totals.sum_up(TotalsQuery(since=date(2026, 1, 1), genres=[first.artist.genre]))
    assert (totals.since, totals.until) == (date(2026, 1, 1), TODAY)
    found = next(one for one in totals.genres if one.genre == first.artist.genre)
    assert found.reported_concerts == found.concerts - 1
