"""Popularity: which days count, and what a refresh stores."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.concerts.models import PopularityQuery
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
    assert refreshed.venues == len(world.warehouse.ranks) > 10


def test_a_failing_warehouse_is_not_hidden() -> None:
    world = ConcertWorld()
    world.warehouse.fail = UpstreamUnavailable("down", retry_after=5)
    with pytest.raises(UpstreamUnavailable):
        world.popularity.rank(PopularityQuery())
