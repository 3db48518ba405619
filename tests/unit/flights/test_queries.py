"""The routes' queries: the latest aircraft and their index, the verdicts, one run."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.errors import InvalidInput, NotFound
from chalicelib.flights import keys
from chalicelib.flights.models import LatestQuery, QualityQuery
from chalicelib.flights.runs import begun
from chalicelib.flights.status import RunStatus
from tests.unit.flights.vectors import TIME, bad, good, snapshot, state
from tests.unit.flights.world import ID, INDEX, RAW, World


def test_latest_selects_by_box_phase_and_limit() -> None:
    world = World()
    rows = [
        state(1, longitude=8.0, latitude=47.0, vertical_rate=10.0),
        state(2, longitude=9.0, latitude=47.0),
        state(3, longitude=None, latitude=None),
        state(4, longitude=8.5, latitude=46.0, on_ground=True, velocity=0.0),
    ]
    world.put(snapshot(rows))
    world.processing.process(RAW)
    world.runs.advance(ID, RunStatus.VALIDATED, (RunStatus.PROCESSED,), {})
    everything = world.flights.latest(LatestQuery())
    assert (everything.time, everything.matching) == (TIME, 3)
    assert [each.icao24 for each in everything.aircraft] == ["4b1801", "4b1802", "4b1804"]
    assert everything.aircraft[2].velocity_kt == 0.0, "0 is a value, not a null"
    climbing = world.flights.latest(LatestQuery(phase="CLIMB"))
    assert [each.icao24 for each in climbing.aircraft] == ["4b1801"]
    boxed = world.flights.latest(LatestQuery(lamin=46.5, lomin=7.5, lamax=47.5, lomax=9.5, limit=1))
    assert (boxed.matching, len(boxed.aircraft)) == (2, 1)


def test_latest_leaves_out_what_has_no_address() -> None:
    world = World()
    world.put(snapshot([state(1), state(2, icao24=None)]))
    world.processing.process(RAW)
    world.runs.advance(ID, RunStatus.VALIDATED, (RunStatus.PROCESSED,), {})
    latest = world.flights.latest(LatestQuery())
    assert (latest.matching, [each.icao24 for each in latest.aircraft]) == (1, ["4b1801"])


def test_an_older_snapshot_that_comes_late_does_not_become_the_latest() -> None:
    world = World()
    world.run_through(good())
    older = TIME - 300
    world.put(
        snapshot([state(n, last_contact=older, time_position=older) for n in range(3)], older), keys.raw_key(older)
    )
    world.processing.process(keys.raw_key(older))
    world.validation.validate(keys.processed_key(older))
    late = world.runs.find(keys.tracking_id(older))
    assert late is not None
    assert late.status is RunStatus.VALIDATED
    assert world.flights.latest(LatestQuery()).tracking_id == ID


def test_latest_before_the_first_snapshot_is_not_found() -> None:
    with pytest.raises(NotFound, match="no snapshot has passed"):
        World().flights.latest(LatestQuery())


@pytest.mark.parametrize(
    ("sides", "field"),
    [
        ({"lamin": 1.0}, "lomin"),
        ({"lamin": 1.0, "lomin": 1.0, "lamax": 0.0, "lomax": 2.0}, "lamax"),
        ({"lamin": 1.0, "lomin": 1.0, "lamax": 2.0, "lomax": 1.0}, "lomax"),
        ({"altitude_min_ft": 2.0, "altitude_max_ft": 1.0}, "altitude_max_ft"),
    ],
)
def test_a_box_has_four_sides_in_order(sides: dict[str, float], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        World().flights.latest(LatestQuery(**sides))
    assert caught.value.problems[0].field == field


def test_quality_shows_the_verdicts_and_the_worst_checks() -> None:
    world = World()
    world.clock.now = world.clock.now.replace(year=2025)
    world.run_through(bad())
    history = world.operations.quality(QualityQuery(days=2))
    (judged,) = history.runs
    assert (judged.tracking_id, judged.status) == (ID, RunStatus.QUARANTINED)
    assert history.mean_score == round(judged.score or 0, 4)
    assert {worst.check for worst in history.worst_checks} == set(judged.failed_checks)


def test_quality_looks_back_over_midnight() -> None:
    world = World()
    world.run_through(bad())
    world.clock.now = datetime.fromtimestamp(TIME, UTC) + timedelta(hours=23, minutes=59)
    assert [judged.tracking_id for judged in world.operations.quality(QualityQuery(days=1)).runs] == [ID]
    world.clock.advance(minutes=2)
    assert world.operations.quality(QualityQuery(days=1)).runs == []
    assert len(world.operations.quality(QualityQuery(days=2)).runs) == 1


def test_what_names_no_run_is_not_looked_for() -> None:
    world = World()
    world.runs.find = pytest.fail  # type: ignore[method-assign]  # DynamoDB refuses keys of more than 2048 bytes
    for tracking_id in ("x" * 3000, "states_", "states_1\n", "health"):
        with pytest.raises(NotFound, match="there is no such run"):
            world.operations.run(tracking_id)


def test_quality_goes_back_over_runs_without_a_verdict() -> None:
    world = World()
    world.clock.now = world.clock.now.replace(year=2025)
    world.run_through(good())
    for later in range(1, 4):
        world.runs.begin(begun(TIME + 300 * later, world.clock()))
    assert [judged.tracking_id for judged in world.operations.quality(QualityQuery(limit=1)).runs] == [ID]


def test_an_index_that_is_no_longer_kept_is_not_found() -> None:
    world = World()
    world.run_through(good())
    del world.bucket.objects[INDEX]
    with pytest.raises(NotFound, match="states_1763726400 is too old to be shown") as caught:
        world.flights.latest(LatestQuery())
    assert INDEX not in caught.value.message
