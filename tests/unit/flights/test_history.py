"""Tracks, aircraft and traffic: the SQL on DuckDB over what the pipeline left, and how a query may go."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from chalicelib.errors import InvalidInput, NotFound, Unprocessable, UpstreamError, UpstreamTimeout, UpstreamUnavailable
from chalicelib.flights import keys
from chalicelib.flights.compaction import QUERIES_LAST
from chalicelib.flights.history import FlightHistory
from chalicelib.flights.models import (
    CompactionOrder,
    LatestQuery,
    PastSnapshot,
    PastSnapshots,
    PendingQuery,
    SearchQuery,
    SnapshotQuery,
    SnapshotsQuery,
    Track,
    TrackFeatures,
    TrackQuery,
    Traffic,
    TrafficQuery,
)
from chalicelib.flights.statements import literal, statement
from tests.fakes.history import FakeEngine
from tests.unit.flights.vectors import TIME, snapshot, state
from tests.unit.flights.world import World

HOUR = TIME - TIME % 3600
START = datetime.fromtimestamp(HOUR, UTC)
DAY = {"start": START, "end": START + timedelta(hours=2)}


@cache
def passed() -> World:
    """A world in which an hour and a half of snapshots have passed; tests take copies."""
    world = World()
    world.clock.now = START + timedelta(hours=5)
    for number in range(18):
        time = HOUR + 300 * number
        rows = [
            state(n, last_contact=time - 1, time_position=time - 2, longitude=round(8.5 + 0.1 * number + n, 4))
            for n in range(20)
        ]
        put(world, time, rows)
    return world


def put(world: World, time: int, rows: list[Any]) -> None:
    world.put(snapshot(rows, time), keys.raw_key(time))
    world.processing.process(keys.raw_key(time), again=True)
    world.validation.validate(keys.processed_key(time))


class Past:
    """That world, and the history of it."""

    def __init__(self) -> None:
        self.world, flown = World(), passed()
        self.world.clock.now = flown.clock.now
        for name in ("bucket", "runs", "guard", "alerts", "emit"):
            state = deepcopy(vars(getattr(flown, name)), {id(flown.clock): self.world.clock})
            vars(getattr(self.world, name)).update(state)
        self.engine = FakeEngine(self.world.bucket, self.world.clock)
        self.waited = 0.0
        self.history = FlightHistory(
            self.engine, clock=self.world.clock, monotonic=lambda: self.waited, sleep=self._sleep
        )

    def _sleep(self, seconds: float) -> None:
        self.waited += seconds

    def compact(self) -> None:
        self.world.compaction.run(CompactionOrder(), lambda: 1e9)

    def traffic(self, **query: Any) -> dict[str | None, tuple[int, int]]:
        found = self.history.traffic(TrafficQuery(**{**DAY, **query})).answer
        assert isinstance(found, Traffic)
        return {count.key: (count.aircraft, count.rows) for count in found.counts}

    def track(self, icao24: str = "4b1801", **query: Any) -> Track:
        found = self.history.track(icao24, TrackQuery(**{**DAY, **query})).answer
        assert isinstance(found, Track)
        return found


@pytest.fixture
def past() -> Past:
    return Past()


EVERYTHING = {"2025-11-21T12:00:00Z": (20, 240), "2025-11-21T13:00:00Z": (20, 120)}


def test_traffic_is_the_same_before_while_and_after_hours_are_compacted(past: Past) -> None:
    assert past.traffic() == EVERYTHING
    past.compact()
    assert past.traffic() == EVERYTHING, "both the inbox and the hour have it"
    past.world.clock.now += QUERIES_LAST
    past.compact()
    assert not list(past.world.bucket.keys(keys.PROCESSED))
    assert past.traffic() == EVERYTHING


def test_a_snapshot_that_is_replayed_counts_as_it_is_now(past: Past) -> None:
    past.compact()
    put(past.world, HOUR, [state(n, last_contact=HOUR, time_position=HOUR) for n in range(5)])
    assert past.traffic()["2025-11-21T12:00:00Z"] == (20, 225)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("day", {"2025-11-21T00:00:00Z": (20, 360)}),
        ("country", {"Switzerland": (20, 360)}),
        ("airline", {"SWR": (20, 360)}),
        ("phase", {"CRUISE": (20, 360)}),
        ("altitude_band", {"HIGH": (20, 360)}),
    ],
)
def test_what_traffic_is_counted_by(past: Past, by: Any, expected: dict[str, tuple[int, int]]) -> None:
    assert past.traffic(by=by) == expected


def test_a_period_is_taken_by_the_second_and_bounds_the_partitions(past: Past) -> None:
    assert past.traffic(start=START, end=START + timedelta(seconds=301)) == {"2025-11-21T12:00:00Z": (20, 40)}
    assert past.traffic(start=START + timedelta(hours=3), end=START + timedelta(hours=4)) == {}
    assert all("day >= ? AND day <= ?" in asked.text for asked in past.engine.asked)


@pytest.mark.slow
def test_days_without_objects_have_no_traffic_and_no_track(past: Past) -> None:
    empty = {"start": START - timedelta(days=3), "end": START - timedelta(days=1)}
    assert past.traffic(**empty) == {}
    assert past.track(**empty).flights == []
    past.compact()
    assert past.traffic(**empty) == {}
    assert past.track(**empty).flights == []


def test_a_track_is_split_and_measured(past: Past) -> None:
    track = past.track()
    (flight,) = track.flights
    assert (flight.callsign, len(flight.points), flight.duration_s) == ("SWR1", 18, 17 * 300)
    assert flight.distance_nm == pytest.approx(17 * 0.1 * 60 * 0.6768, rel=0.01)
    assert flight.highest_altitude_ft == pytest.approx(10_001 * 3.28084, abs=0.01)
    assert (track.bytes_scanned, track.truncated) == (4096, False)
    past.compact()
    assert past.track().flights == track.flights


def test_a_track_as_geojson(past: Past) -> None:
    found = past.history.track("4B1801", TrackQuery(**DAY, format="geojson")).answer
    assert isinstance(found, TrackFeatures)
    (feature,) = found.features
    assert feature.properties["icao24"] == "4b1801"
    assert feature.geometry.coordinates[0][0] == [9.5, 47.407, 10001]


@pytest.mark.parametrize("address", ["4B1801", " 4b1801 "])
def test_an_address_may_be_written_as_people_write_it(past: Past, address: str) -> None:
    assert past.track(address).icao24 == "4b1801"


@pytest.mark.parametrize("address", ["4b180", "4b18011", "xyz123", "", "4b1801' OR '1'='1"])
def test_what_is_no_address_is_refused(past: Past, address: str) -> None:
    with pytest.raises(InvalidInput, match="icao24"):
        past.track(address)
    assert past.engine.asked == []


def test_aircraft_by_the_beginning_of_address_or_callsign(past: Past) -> None:
    found: Any = past.history.search(SearchQuery(**DAY, q=" swr1 ")).answer
    assert [each.icao24 for each in found.aircraft][:2] == ["4b1801", "4b180a"]
    assert found.aircraft[0].positions == 18
    assert (found.aircraft[0].first_seen, found.aircraft[0].last_seen) == (HOUR, HOUR + 17 * 300)
    by_address: Any = past.history.search(SearchQuery(**DAY, q="4B1802")).answer
    assert [each.callsigns for each in by_address.aircraft] == [["SWR2"]]
    for wrong in ("%", "a'b", "sw r", "x"):
        with pytest.raises(InvalidInput, match="q: "):
            past.history.search(SearchQuery(**DAY, q=wrong))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"start": START, "end": START}, "to"),
        ({"start": START, "end": START - timedelta(days=1)}, "to"),
        ({"start": START, "end": START + timedelta(days=7, seconds=1)}, "to"),
        ({"start": START + timedelta(days=9), "end": START + timedelta(days=10)}, "from"),
        ({"start": datetime(1, 1, 1, tzinfo=UTC), "end": datetime(9999, 12, 31, tzinfo=UTC)}, "to"),
    ],
)
def test_a_period_that_cannot_be_is_refused(past: Past, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Unprocessable) as caught:
        past.track(**changes)
    assert caught.value.problems[0].field == field
    assert past.engine.asked == []


def test_a_query_that_takes_longer_is_polled(past: Past) -> None:
    past.engine.slow = 40
    found = past.history.traffic(TrafficQuery()).answer
    assert isinstance(found, PendingQuery)
    assert past.waited < 21
    past.engine.slow = 0
    past.world.clock.advance(minutes=3)
    again = {"start": datetime.fromisoformat(found.start), "end": datetime.fromisoformat(found.end)}
    answer = past.history.traffic(TrafficQuery(**again, query=found.query)).answer
    assert isinstance(answer, Traffic)
    assert len(past.engine.asked) == 1
    with pytest.raises(NotFound):
        past.history.traffic(TrafficQuery(**again, by="day", query=found.query))
    with pytest.raises(NotFound):
        past.history.traffic(TrafficQuery(query="f" * 36))


def test_a_query_that_takes_too_long_is_stopped(past: Past) -> None:
    past.engine.slow = 1000
    found = past.history.traffic(TrafficQuery(**DAY)).answer
    assert isinstance(found, PendingQuery)
    past.engine._clock = lambda: past.world.clock() - timedelta(minutes=11)
    with pytest.raises(UpstreamTimeout):
        past.history.traffic(TrafficQuery(**DAY, query=found.query))
    assert past.engine.cancelled == [found.query]


@pytest.mark.parametrize(
    ("ended", "status", "message"),
    [
        (("FAILED", "Query exhausted resources at this scale factor"), 503, "try again"),
        (("FAILED", "Bytes scanned limit was exceeded"), 502, "shorter period"),
        (("CANCELLED", ""), 503, "cancelled"),
    ],
)
def test_a_query_may_end_badly(past: Past, ended: Any, status: int, message: str) -> None:
    past.engine.ended = ended
    with pytest.raises(UpstreamError, match=message) as caught:
        past.traffic()
    assert caught.value.status == status


def test_a_busy_engine_says_when_to_come_back(past: Past) -> None:
    past.engine.error = UpstreamUnavailable("the history is busy; try again later", retry_after=5)
    with pytest.raises(UpstreamUnavailable) as caught:
        past.traffic()
    assert caught.value.retry_after == 5


def test_only_a_closed_period_is_kept(past: Past) -> None:
    assert past.history.traffic(TrafficQuery(**DAY)).closed
    past.world.clock.now = START + timedelta(hours=3)
    assert not past.history.traffic(TrafficQuery(**DAY)).closed
    assert past.engine.reuse == [3600, 0]


def test_nulls_and_more_rows_than_an_answer_holds(past: Past) -> None:
    rows = [[str(HOUR + n), "47.0", "8.0", None, None, None, None, None, None] for n in range(5001)]
    past.engine._run = lambda sql: rows  # type: ignore[method-assign]
    track = past.track()
    assert (track.truncated, len(track.flights[0].points)) == (True, 5000)
    assert (track.flights[0].callsign, track.flights[0].highest_altitude_ft) == (None, None)


@pytest.mark.parametrize(
    "value",
    ["' OR 1=1 --", "a'b", "é", "a\n", "x" * 25, "\\", "a;b", True, 1.5, None, 2**63, "%_", b"x"],
)
def test_nothing_but_a_literal_can_stand_in_a_statement(value: Any) -> None:
    with pytest.raises(ValueError, match="may not stand"):
        literal(value)


def test_a_statement_has_a_value_for_each_place() -> None:
    asked = statement("a = ? AND b = ?", "3950d0", -5)
    assert (asked.literals, asked.spelled_out()) == (("'3950d0'", "-5"), "a = '3950d0' AND b = -5")
    with pytest.raises(ValueError, match="2 values for 1 places"):
        statement("a = ?", 1, 2)


NARROW = {"lomax": 18.0, "lomin": 10.0, "lamin": 40.0, "lamax": 60.0, "altitude_min_ft": 1000.0, "limit": 3}


@pytest.mark.parametrize("query", [{}, {"limit": 2}, NARROW, {"callsign": "swr1"}, {"phase": "GROUND"}])
def test_a_snapshot_whose_index_has_expired_is_read_from_the_history(past: Past, query: dict[str, Any]) -> None:
    name = keys.tracking_id(HOUR)
    kept = past.world.flights.aircraft(name, LatestQuery(**query))
    assert kept is not None
    del past.world.bucket.objects[keys.index_key(HOUR)]
    assert past.world.flights.aircraft(name, LatestQuery(**query)) is None
    for _ in range(2):  # from the inbox, then from the hour
        found = past.history.aircraft(name, SnapshotQuery(**query))
        assert isinstance(found.answer, PastSnapshot)
        assert (found.answer.matching, found.answer.aircraft) == (kept.matching, kept.aircraft)
        assert (found.answer.time, found.answer.bytes_scanned, found.closed) == (HOUR, 4096, True)
        past.compact()
        past.world.clock.now += QUERIES_LAST
        past.compact()


def test_a_snapshot_that_the_history_lacks_is_not_found(past: Past) -> None:
    with pytest.raises(NotFound):
        past.history.aircraft(keys.tracking_id(HOUR + 1), SnapshotQuery())


def test_snapshots_whose_runs_are_forgotten_are_listed_from_the_history(past: Past) -> None:
    query = SnapshotsQuery(**DAY, limit=3)
    listed = past.world.flights.snapshots(query)
    past.world.clock.now += timedelta(days=91)
    assert past.world.flights.snapshots(query) is None
    assert past.world.flights.aircraft(keys.tracking_id(HOUR - 7), LatestQuery()) is None
    found = past.history.snapshots(query).answer
    assert isinstance(found, PastSnapshots)
    assert [(each.tracking_id, each.rows) for each in found.snapshots] == [
        (keys.tracking_id(HOUR + 300 * number), 20) for number in range(3)
    ]
    assert found.truncated
    assert listed is not None


def test_a_snapshot_that_takes_longer_is_polled(past: Past) -> None:
    past.engine.slow = 1_000
    pending = past.history.aircraft(keys.tracking_id(HOUR), SnapshotQuery()).answer
    assert isinstance(pending, PendingQuery)
    past.engine.slow = 0
    query = SnapshotQuery(query=pending.query)
    assert isinstance(past.history.aircraft(keys.tracking_id(HOUR), query).answer, PastSnapshot)
    with pytest.raises(NotFound):
        past.history.aircraft(keys.tracking_id(HOUR + 300), query)
