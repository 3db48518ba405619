"""Operators' requests to the pipeline: pages of runs, reports, links, the guard, the progress of replays."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.errors import NotFound, Unprocessable
from chalicelib.flights import keys
from chalicelib.flights.boxes import holds, square_degrees
from chalicelib.flights.breaker import after_failure
from chalicelib.flights.models import LatestQuery, QualityQuery, ReplayRequest, RunsQuery, SnapshotsQuery
from chalicelib.flights.reports import CheckVerdict
from chalicelib.flights.runs import begun
from chalicelib.flights.status import RunStatus
from tests.unit.flights.vectors import TIME, bad, good, snapshot, state
from tests.unit.flights.world import ID, PROCESSED, RAW, World

NOON = datetime.fromtimestamp(TIME, UTC)


def world_at_noon() -> World:
    world = World()
    world.clock.now = NOON + timedelta(minutes=1)
    return world


def passed(world: World, raw: bytes, time: int) -> None:
    world.put(raw, keys.raw_key(time))
    world.processing.process(keys.raw_key(time))
    world.validation.validate(keys.processed_key(time))


def test_runs_come_in_pages_across_days_newest_first() -> None:
    world = world_at_noon()
    times = [TIME - 3600 * hours for hours in range(0, 30, 3)]
    for time in times:
        world.runs.begin(begun(time, world.clock()))
    seen, cursor = [], None
    for _ in range(9):
        query = RunsQuery(start=NOON - timedelta(days=2), limit=3, cursor=cursor)
        page = world.operations.page(query)
        seen += [run.snapshot_time for run in page.runs]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == times


def test_runs_of_a_status_and_a_period() -> None:
    world = world_at_noon()
    for minutes in range(0, 60, 5):
        world.runs.begin(begun(TIME - 60 * minutes, world.clock()))
    world.runs.advance(keys.tracking_id(TIME - 600), RunStatus.FAILED, (RunStatus.INGESTED,), {})
    failed = world.operations.page(RunsQuery(status=RunStatus.FAILED))
    assert ([run.snapshot_time for run in failed.runs], failed.cursor) == ([TIME - 600], None)
    period = RunsQuery(start=NOON - timedelta(minutes=20), end=NOON - timedelta(minutes=10))
    assert [run.snapshot_time for run in world.operations.page(period).runs] == [TIME - 900, TIME - 1200]


@pytest.mark.parametrize("status", [None, RunStatus.INGESTED])
def test_a_period_without_end_asks_for_no_more_than_there_can_be(status: RunStatus | None) -> None:
    world = world_at_noon()
    world.runs.begin(begun(TIME, world.clock()))
    asked = 0
    of_day = world.runs.of_day

    def counted(day: str, limit: int, *, start: int = 0, end: int = 0) -> object:
        nonlocal asked
        asked += 1
        return of_day(day, limit, start=start, end=end)

    world.runs.of_day = counted  # type: ignore[method-assign, assignment]
    always = RunsQuery(status=status, start=datetime(1, 1, 1, tzinfo=UTC), end=datetime(9999, 12, 31, 23, tzinfo=UTC))
    assert len(world.operations.page(always).runs) == 1
    assert asked < 100
    future = RunsQuery(status=status, start=NOON + timedelta(days=40), end=NOON + timedelta(days=41))
    assert world.operations.page(future).runs == []


def test_a_reversed_period_is_refused() -> None:
    with pytest.raises(Unprocessable, match="a time after from"):
        world_at_noon().operations.page(RunsQuery(start=NOON, end=NOON - timedelta(hours=1)))


def test_the_view_of_a_run_keeps_who_and_why_for_operators() -> None:
    world = World()
    world.run_through(bad())
    released = {"released_at": "then", "released_by": "Ada", "release_reason": "reviewed"}
    world.runs.note(ID, released)
    view = world.operations.run(ID)
    assert view.released_at == "then"
    assert "Ada" not in repr(view)
    assert "reviewed" not in repr(view)
    record = world.operations.release(ID)
    assert (record.released_by, record.reason) == ("Ada", "reviewed")


def test_a_report_has_all_checks_with_samples_wherever_it_lies() -> None:
    world = World()
    with pytest.raises(NotFound):
        world.operations.report(ID)
    world.put(bad())
    world.processing.process(RAW)
    with pytest.raises(NotFound, match="no quality report yet"):
        world.operations.report(ID)
    world.validation.validate(PROCESSED)
    report = world.operations.report(ID)
    assert (len(report.checks), report.verdict) == (16, CheckVerdict.FAILED)
    assert any(check.samples for check in report.checks)


def test_links_are_only_to_what_is_there() -> None:
    world = World()
    world.run_through(bad())
    links = world.operations.downloads(ID)
    assert None not in (links.raw, links.report)
    assert links.parquet is not None
    assert links.parquet.key == keys.quarantine_key(TIME)
    del world.bucket.objects[RAW]
    assert world.operations.downloads(ID).raw is None


def test_the_guard_tells_what_may_forbid_a_poll() -> None:
    world = world_at_noon()
    guard = world.operations.guard()
    assert (guard.credits_left, guard.poll_cost, guard.polls_left) == (4000, 4, 1000)
    assert (guard.breaker.state, guard.throttled_until) == ("CLOSED", None)
    world.guard.used[guard.day] = 3990
    world.guard.throttle(world.clock() + timedelta(hours=1))
    for _ in range(5):
        world.guard.change_breaker(lambda breaker: after_failure(breaker, world.clock()))
    guard = world.operations.guard()
    assert (guard.credits_used, guard.credits_left, guard.polls_left) == (3990, 10, 2)
    assert guard.breaker.state == "OPEN"
    assert guard.breaker.retry_at == (world.clock() + timedelta(seconds=60)).isoformat()
    assert guard.throttled_until is not None
    world.clock.advance(hours=2)
    assert world.operations.guard().throttled_until is None


def test_the_days_runs_by_what_became_of_them() -> None:
    world = world_at_noon()
    for minutes, status in enumerate(("VALIDATED", "FAILED", "FAILED", "QUARANTINED", "INGESTED")):
        run = begun(TIME - 60 * minutes, world.clock())
        world.runs.begin(run)
        world.runs.advance(run.tracking_id, RunStatus(status), (RunStatus.INGESTED,), {})
    world.runs.begin(begun(TIME - 86_400, world.clock()))
    day = NOON.date().isoformat()
    assert world.operations.today() == {"day": day, "runs": 5, "validated": 1, "quarantined": 1, "failed": 2}


def test_quality_over_months_says_what_it_leaves_out() -> None:
    world = world_at_noon()
    days = [0, 1, 40, 80]
    for back in days:
        for minutes in (0, 5):
            time = TIME - 86_400 * back - 60 * minutes
            rows = [state(n, last_contact=time - 1, time_position=time - 2) for n in range(20)]
            if back == 40:
                rows = [[*row[:4], time - 4000, None, None, None, *row[8:]] for row in rows]
            passed(world, snapshot(rows, time), time)
    history = world.operations.quality(QualityQuery(days=92, limit=3))
    assert (history.total, len(history.runs), history.truncated) == (8, 3, True)
    assert [(day.runs, day.quarantined) for day in history.days] == [(2, 0), (2, 0), (2, 2), (2, 0)]
    assert history.days[2].failures["timeliness"] == 2
    timeliness = next(check for check in history.checks if check.check == "timeliness")
    assert (timeliness.judged, timeliness.failures, timeliness.mean_score) == (8, 2, 0.75)
    rest = world.operations.quality(QualityQuery(days=92, limit=9, cursor=history.cursor))
    assert [run.snapshot_time for run in rest.runs] == sorted((run.snapshot_time for run in rest.runs), reverse=True)
    assert (len(rest.runs), rest.cursor, rest.total) == (5, None, 8)
    assert not world.operations.quality(QualityQuery(days=92)).truncated
    assert world.operations.quality(QualityQuery(days=3)).total == 4


def test_the_progress_of_a_replay_counts_what_was_judged_since() -> None:
    world = world_at_noon()
    passed(world, good(), TIME)
    world.clock.advance(hours=1)
    replay = world.replays.start(ReplayRequest(start=NOON, end=NOON + timedelta(hours=1)))
    progress = world.replays.progress(replay.replay_id)
    assert (progress.snapshots, progress.done, progress.finished) == (1, 0, False)
    world.clock.advance(minutes=1)
    world.processing.process(RAW, again=True)
    assert world.replays.progress(replay.replay_id).done == 0, "its verdict is still the old one"
    world.validation.validate(PROCESSED)
    progress = world.replays.progress(replay.replay_id)
    assert (progress.done, progress.validated, progress.finished) == (1, 1, True)
    for unknown in ("0" * 16, "../", "x" * 3000):
        with pytest.raises(NotFound):
            world.replays.progress(unknown)


def test_snapshots_of_a_period_oldest_first_and_their_aircraft() -> None:
    world = world_at_noon()
    for minutes in (10, 5, 0):
        time = TIME - 60 * minutes
        rows = [state(n, last_contact=time - 1, time_position=time - 2) for n in range(20 + minutes)]
        passed(world, snapshot(rows, time), time)
    query = SnapshotsQuery(start=NOON - timedelta(hours=1), end=NOON + timedelta(seconds=1))
    listed = world.flights.snapshots(query)
    assert ([each.rows for each in listed.snapshots], listed.truncated) == ([30, 25, 20], False)
    cut = world.flights.snapshots(SnapshotsQuery(start=query.start, end=query.end, limit=2))
    assert ([each.rows for each in cut.snapshots], cut.truncated) == ([25, 20], True)
    earlier = world.flights.aircraft(listed.snapshots[0].tracking_id, LatestQuery(limit=1))
    assert (earlier.time, earlier.matching) == (TIME - 600, 30)


@pytest.mark.parametrize("tracking_id", ["states_1795176000", "../etc", ID])
def test_aircraft_of_a_snapshot_that_did_not_pass_are_not_shown(tracking_id: str) -> None:
    world = World()
    world.run_through(bad())
    with pytest.raises(NotFound):
        world.flights.aircraft(tracking_id, LatestQuery())


def latest_of(*rows: list[object], **query: object) -> list[str]:
    world = World()
    world.put(snapshot(list(rows)))
    world.processing.process(RAW)
    world.runs.advance(ID, RunStatus.VALIDATED, (RunStatus.PROCESSED,), {})
    return [each.icao24[-1] for each in world.flights.latest(LatestQuery(**query)).aircraft]  # type: ignore[arg-type]


def test_a_box_may_cross_the_date_line() -> None:
    rows = [state(1, longitude=179.5), state(2, longitude=-179.5), state(3, longitude=0.0)]
    sides = {"lamin": 40.0, "lamax": 50.0}
    assert latest_of(*rows, **sides, lomin=179.0, lomax=-179.0) == ["1", "2"]
    assert latest_of(*rows, **sides, lomin=-179.0, lomax=179.0) == ["3"]
    assert holds((40.0, 179.0, 50.0, -179.0), 45.0, 180.0)
    assert square_degrees((40.0, 179.0, 50.0, -179.0)) == 20.0


def test_ranges_and_callsigns_select() -> None:
    rows = [
        state(1, baro_altitude=3048.0, velocity=51.44, callsign="DLH1"),
        state(2, baro_altitude=9144.0, velocity=257.2, callsign="DLH2"),
        state(3, baro_altitude=None, velocity=None, callsign=None),
    ]
    assert latest_of(*rows, altitude_min_ft=20_000.0) == ["2"]
    assert latest_of(*rows, altitude_max_ft=20_000.0, speed_max_kt=150.0) == ["1"]
    assert latest_of(*rows, callsign="dlh") == ["1", "2"]
    assert latest_of(*rows) == ["1", "2", "3"]


def test_an_index_of_an_earlier_release_is_still_read() -> None:
    from chalicelib.flights import index

    world = World()
    kept = index.COLUMNS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "COLUMNS", kept[:11])
        world.run_through(good())
    (aircraft, *_) = world.flights.latest(LatestQuery()).aircraft
    assert (aircraft.callsign, aircraft.squawk) == ("SWR0", None)
