"""The concert warehouse's ports: Redshift's SQL against an independent computation, on the same generated season."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from msgspec import structs

from chalicelib.adapters.concerts.warehouse import ConcertWarehouse
from chalicelib.adapters.redshift import RedshiftData
from chalicelib.concerts.models import OrderBy, VenueStanding
from chalicelib.concerts.ports import VenueRanking
from chalicelib.concerts.values import Criteria, Place
from tests.contract.warehouse import adapter, load, served
from tests.fakes.concerts import FakeWarehouse
from tests.fakes.season import TODAY, small_season

YEAR_AGO = TODAY - timedelta(days=365)
VENUES: dict[str, Any] = {
    "places": (Place("", "Texas", "United States"), Place("", "", "Canada")),
    "without_places": (Place("", "", "United States"),),
    "venue_types": ("club", "theater"),
    "min_capacity": 2000,
    "max_capacity": 3000,
}


@pytest.fixture(scope="module")
def redshift() -> Iterator[RedshiftData]:
    with served("season") as server:
        found = adapter(server.url)
        load(found, small_season())
        yield found


@pytest.fixture(scope="module")
def real(redshift: RedshiftData) -> ConcertWarehouse:
    return ConcertWarehouse(redshift, fresh_for_s=0)


@pytest.fixture
def reference() -> FakeWarehouse:
    return FakeWarehouse.of(small_season().rows)


def ranked(
    ranking: VenueRanking,
    since: date,
    until: date,
    *,
    min_events: int,
    top_n: int,
    criteria: Criteria = Criteria(),  # noqa: B008  # frozen
    order_by: OrderBy = "popularity",
    least_first: bool = False,
) -> list[VenueStanding]:
    """The ranking of some days."""
    return ranking.popular_venues(
        criteria.but(since=since, until=until),
        min_events=min_events,
        top_n=top_n,
        order_by=order_by,
        least_first=least_first,
    )


def same(one: Sequence[Any], other: Sequence[Any], tolerance: float = 2e-6) -> None:
    """Equal values, floats up to `tolerance`: rounding to a DECIMAL may differ in its last digit."""
    assert len(one) == len(other)
    for left, right in zip(one, other, strict=True):
        for name, value in structs.asdict(left).items():
            expected = getattr(right, name)
            if name == "contributions":
                same(value, expected, tolerance)
            elif isinstance(value, float):
                assert value == pytest.approx(expected, abs=max(tolerance, abs(expected) * 1e-9)), name
            else:
                assert value == expected, f"{name} of {left}"


class TestPopularity:
    @pytest.mark.parametrize(("min_events", "top_n", "days"), [(1, 1000, 365), (5, 10, 365), (3, 3, 1000), (1, 5, 30)])
    def test_the_statement_agrees_with_plain_python(
        self, real: ConcertWarehouse, reference: FakeWarehouse, min_events: int, top_n: int, days: int
    ) -> None:
        since = TODAY - timedelta(days=days)
        by_sql = ranked(real, since, TODAY, min_events=min_events, top_n=top_n)
        by_hand = ranked(reference, since, TODAY, min_events=min_events, top_n=top_n)
        assert by_sql
        assert len(by_sql) <= top_n
        same(by_sql, by_hand)

    def test_the_first_day_counts_and_the_last_does_not(self, real: ConcertWarehouse, reference: FakeWarehouse) -> None:
        days = sorted(one.event_date for one in reference.concerts.values() if one.status == "completed")
        since, until = days[50], days[150]
        by_sql = ranked(real, since, until, min_events=1, top_n=1000)
        counted = [one for one in days if since <= one < until]
        assert sum(venue.total_events for venue in by_sql) == len(counted) < len([one for one in days if one <= until])
        same(by_sql, ranked(reference, since, until, min_events=1, top_n=1000))

    @pytest.mark.parametrize("order_by", ["popularity", "revenue", "attendance_rate", "concerts", "capacity"])
    @pytest.mark.parametrize("least_first", [False, True])
    @pytest.mark.parametrize("criteria", [Criteria(), *(Criteria(**{name: value}) for name, value in VENUES.items())])
    def test_within_places_types_and_seats_in_any_order(
        self,
        real: ConcertWarehouse,
        reference: FakeWarehouse,
        criteria: Criteria,
        order_by: OrderBy,
        least_first: bool,
    ) -> None:
        asked: Any = {
            "min_events": 1,
            "top_n": 20,
            "criteria": criteria,
            "order_by": order_by,
            "least_first": least_first,
        }
        by_sql = ranked(real, YEAR_AGO, TODAY, **asked)
        same(by_sql, ranked(reference, YEAR_AGO, TODAY, **asked))
        assert by_sql

    def test_what_nobody_reported_is_not_zero(self, real: ConcertWarehouse, redshift: RedshiftData) -> None:
        unknown = [
            "INSERT INTO venues (venue_id, name, city, state, country, capacity, venue_type) VALUES "
            "('ven-dark', 'Dark', 'Darktown', 'Ohio', 'United States', 100, 'club'), "
            "('ven-half', 'Half', 'Halftown', 'Ohio', 'United States', 100, 'club')",
            "INSERT INTO concerts (concert_id, artist_id, venue_id, event_date, total_attendance, revenue, status) "
            "VALUES "
            "('con-dark-1', 'art-00001', 'ven-dark', '2019-05-05', NULL, NULL, 'completed'), "
            "('con-half-1', 'art-00001', 'ven-half', '2019-05-05', NULL, NULL, 'completed'), "
            "('con-half-2', 'art-00001', 'ven-half', '2019-05-06', 80, 1000, 'completed')",
        ]
        redshift.run(unknown)
        try:
            found = ranked(real, date(2019, 1, 1), date(2020, 1, 1), min_events=1, top_n=10)
            dark, half = sorted(found, key=lambda venue: venue.venue_id)
            assert (dark.avg_attendance_rate, dark.total_revenue, dark.reported_events) == (None, None, 0)
            assert (half.avg_attendance_rate, half.revenue_per_event, half.reported_events) == (0.8, 1000, 1)
            assert sum(part.contribution or 0 for part in dark.contributions) == pytest.approx(dark.score, abs=1e-5)
        finally:
            redshift.run(["DELETE FROM concerts WHERE concert_id LIKE 'con-dark%' OR concert_id LIKE 'con-half%'"])
            redshift.run(["DELETE FROM venues WHERE venue_id IN ('ven-dark', 'ven-half')"])

    def test_ranks_are_dense_and_scores_in_order(self, real: ConcertWarehouse) -> None:
        found = ranked(real, YEAR_AGO, TODAY, min_events=1, top_n=1000)
        assert [venue.score for venue in found] == sorted((venue.score for venue in found), reverse=True)
        assert found[0].popularity_rank == 1
        assert all(later.popularity_rank - venue.popularity_rank in {0, 1} for venue, later in pairwise(found))
        assert all(0 < venue.score <= 1 and venue.avg_attendance_rate <= 1 for venue in found)

    def test_equal_venues_share_a_rank(self, real: ConcertWarehouse, redshift: RedshiftData) -> None:
        twins = [
            "INSERT INTO venues (venue_id, name, city, state, country, capacity, venue_type) VALUES "
            "('ven-twin-1', 'Twin', 'Twinsburg', 'Ohio', 'United States', 100, 'club'), "
            "('ven-twin-2', 'Twin', 'Twinsburg', 'Ohio', 'United States', 100, 'club')",
            "INSERT INTO concerts (concert_id, artist_id, venue_id, event_date, total_attendance, revenue, status) "
            "SELECT 'con-' || venue_id, 'art-00001', venue_id, CAST('2019-05-05' AS DATE), 150, 10, 'completed' "
            "FROM venues WHERE venue_id LIKE 'ven-twin%'",
        ]
        redshift.run(twins)
        try:
            found = ranked(real, date(2019, 1, 1), date(2020, 1, 1), min_events=1, top_n=10)
            assert [(venue.venue_id, venue.popularity_rank) for venue in found] == [
                ("ven-twin-1", 1),
                ("ven-twin-2", 1),
            ]
            assert found[0].avg_attendance_rate == 1, "150 heads on 100 seats are a full house"
        finally:
            redshift.run(["DELETE FROM concerts WHERE venue_id LIKE 'ven-twin%'"])
            redshift.run(["DELETE FROM venues WHERE venue_id LIKE 'ven-twin%'"])

    def test_no_concerts_is_an_empty_ranking(self, real: ConcertWarehouse) -> None:
        assert ranked(real, date(1990, 1, 1), date(1991, 1, 1), min_events=1, top_n=10) == []

    def test_the_stored_ranking_is_replaced(self, real: ConcertWarehouse, redshift: RedshiftData) -> None:
        moment = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
        first = real.store_popularity(YEAR_AGO, TODAY, 1, moment)
        again = real.store_popularity(YEAR_AGO, TODAY, 1, moment)
        rows = redshift.rows("SELECT COUNT(*) AS n, MAX(calculated_at) AS moment FROM venue_popularity")
        assert first == again == rows[0]["n"] > 0
        assert rows[0]["moment"] == moment.replace(tzinfo=None)


class TestOutlooks:
    def test_they_agree_with_plain_python(self, real: ConcertWarehouse, reference: FakeWarehouse) -> None:
        scheduled = [one.concert_id for one in reference.concerts.values() if one.status == "scheduled"][:20]
        by_sql = sorted(real.outlooks([*scheduled, "con-none"], TODAY), key=lambda one: one.concert_id)
        by_hand = sorted(reference.outlooks(scheduled, TODAY), key=lambda one: one.concert_id)
        assert len(by_sql) == len(scheduled) > 5
        same(by_sql, by_hand, tolerance=0.01)

    def test_nothing_from_the_future_leaks_in(self, real: ConcertWarehouse, redshift: RedshiftData) -> None:
        as_of = TODAY - timedelta(days=200)
        target = redshift.rows(
            "SELECT concert_id FROM concerts WHERE event_date > :day AND status = 'completed' ORDER BY concert_id",
            {"day": TODAY - timedelta(days=150)},
        )[0]["concert_id"]
        before = real.outlooks([str(target)], as_of)
        change = (
            "UPDATE concerts SET revenue = revenue {} 10, total_attendance = total_attendance {} 10 "
            "WHERE event_date >= CAST(:day AS DATE)"
        )
        redshift.run([change.format("*", "*")], {"day": as_of})
        try:
            assert real.outlooks([str(target)], as_of) == before
            later = real.outlooks([str(target)], TODAY)
            assert later[0].historical_avg_sales != before[0].historical_avg_sales
        finally:
            redshift.run([change.format("/", "/")], {"day": as_of})


class TestProgramme:
    @pytest.mark.parametrize(
        "criteria",
        [
            Criteria(),
            Criteria(genres=("rock",)),
            Criteria(genres=("rock", "indie", "nothing")),
            Criteria(places=(Place("", "", "United States"),)),
            Criteria(places=(Place("Austin", "Texas", "United States"), Place("", "Texas", "United States"))),
            Criteria(places=(Place("", "Texas", "United States"), Place("", "", "Canada"))),
            Criteria(genres=("jazz", "blues"), places=(Place("", "", "United States"),)),
            Criteria(without_genres=("rock",), without_places=(Place("", "Texas", "United States"),)),
            Criteria(venue_types=("club", "theater"), min_capacity=500, max_capacity=4000),
            Criteria(since=TODAY + timedelta(days=20), until=TODAY + timedelta(days=60)),
            Criteria(artists=("art-00001", "art-00002", "art-00003"), without_artists=("art-00002",)),
            Criteria(named=(("art-00001",), ("ven-0001",))),
            Criteria(named=((), ("ven-0001", "ven-0002"))),
            Criteria(venues=("ven-0001", "ven-0003")),
            Criteria(genres=("no such genre",)),
        ],
    )
    def test_it_agrees_with_plain_python(
        self, real: ConcertWarehouse, reference: FakeWarehouse, redshift: RedshiftData, criteria: Criteria
    ) -> None:
        redshift.run(["DELETE FROM venue_popularity"])
        by_sql = real.upcoming(criteria, TODAY, 10)
        by_hand = reference.upcoming(criteria, TODAY, 10)
        same(by_sql, by_hand)
        same(real.upcoming(criteria, TODAY, 10, by_date=True), reference.upcoming(criteria, TODAY, 10, by_date=True))
        assert all(0 < item.score <= 1 for item in by_sql)

    def test_the_stored_rank_comes_along(self, real: ConcertWarehouse) -> None:
        real.store_popularity(YEAR_AGO, TODAY, 1, datetime(2026, 11, 21, tzinfo=UTC))
        assert any(item.venue_rank for item in real.upcoming(Criteria(), TODAY, 50))

    @pytest.mark.parametrize(
        "text", ["'; DROP TABLE concerts; --", "rock' OR '1'='1", '"; DELETE', "%", "\\'", ":genre_1"]
    )
    def test_hostile_text_is_only_text(self, real: ConcertWarehouse, redshift: RedshiftData, text: str) -> None:
        assert real.upcoming(Criteria(genres=(text,), places=(Place(text, text, text),)), TODAY, 10) == []
        assert real.concerts(Criteria(artists=(text,)), (text,), (TODAY, text), 5) == []
        assert real.artists([text], YEAR_AGO, TODAY) == []
        assert real.venues([text], TODAY) == []
        assert real.venue_history(text, YEAR_AGO, TODAY) == []
        assert redshift.rows("SELECT COUNT(*) AS n FROM concerts")[0]["n"] == small_season().count("concerts")


class TestListings:
    @pytest.mark.parametrize("statuses", [("scheduled",), ("completed", "cancelled")])
    def test_concerts_by_date_page_by_page(
        self, real: ConcertWarehouse, reference: FakeWarehouse, statuses: tuple[str, ...]
    ) -> None:
        criteria = Criteria(places=(Place("", "", "United States"),), since=TODAY - timedelta(days=60))
        expected = reference.list_concerts(criteria, statuses, (date.min, ""), 30)
        found: list[Any] = []
        after = (date.min, "")
        while page := real.concerts(criteria, statuses, after, 7):
            found += page
            after = (page[-1].event_date, page[-1].concert_id)
            if len(found) >= len(expected):
                break
        same(found[: len(expected)], expected)

    def test_artists_and_venues(self, real: ConcertWarehouse, reference: FakeWarehouse, redshift: RedshiftData) -> None:
        redshift.run(["DELETE FROM venue_popularity"])
        artists = [*reference.artists][:7]
        same(real.artists([*artists, "art-none"], YEAR_AGO, TODAY), reference.list_artists(artists, YEAR_AGO, TODAY))
        venues = [*reference.venues][:7]
        same(real.venues([*venues, "ven-none"], TODAY), reference.list_venues(venues, TODAY))

    def test_a_venues_history_by_month(self, real: ConcertWarehouse, reference: FakeWarehouse) -> None:
        venue = next(one.venue.venue_id for one in reference.concerts.values() if one.status == "completed")
        found = real.venue_history(venue, date(2024, 1, 1), TODAY)
        same(found, reference.venue_history(venue, date(2024, 1, 1), TODAY), tolerance=1e-3)
        assert len(found) > 3


class TestCatalogue:
    def test_vocabulary(self, real: ConcertWarehouse, reference: FakeWarehouse) -> None:
        found, expected = real.vocabulary(), reference.vocabulary()
        assert found is real.vocabulary() or found.artists == real.vocabulary().artists
        assert found.genres == expected.genres
        assert found.venue_types == expected.venue_types
        assert set(found.places) == set(expected.places)
        assert set(found.artists) == set(expected.artists)
        assert set(found.venues) == set(expected.venues)

    @pytest.mark.parametrize(
        "criteria", [Criteria(), Criteria(genres=("rock",)), Criteria(places=(Place("", "Texas", "United States"),))]
    )
    def test_totals(self, real: ConcertWarehouse, reference: FakeWarehouse, criteria: Criteria) -> None:
        asked = criteria.but(since=YEAR_AGO, until=TODAY)
        same(real.totals(asked), reference.totals(asked))

    def test_genres(self, real: ConcertWarehouse, reference: FakeWarehouse) -> None:
        same(real.genres(TODAY), reference.genres(TODAY))

    def test_ping(self, real: ConcertWarehouse) -> None:
        real.ping()
