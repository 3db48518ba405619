"""The routes' queries: the latest aircraft and their index, the verdicts, one run."""

import gzip
import io
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from chalicelib.errors import InvalidInput, NotFound
from chalicelib.flights import index, keys, states_text
from chalicelib.flights.convert import convert
from chalicelib.flights.models import Aircraft, LatestQuery, QualityQuery, Selection
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


def test_an_index_of_many_blocks_gives_the_first_by_address() -> None:
    world = World()
    rows = 2 * index.BLOCK_ROWS + 5
    world.put(snapshot([state(rows - number, callsign=None) for number in range(rows)]))
    world.processing.process(RAW)
    with world.bucket.open(INDEX) as stream:
        time, matching, first = index.select(stream, Selection(), limit=3)
    assert (time, matching) == (TIME, rows)
    assert [aircraft.icao24 for aircraft in first] == ["4b1801", "4b1802", "4b1803"]


def test_the_same_snapshot_gives_the_same_index() -> None:
    bodies = []
    for _ in range(2):
        world = World()
        world.put(good(3))
        world.processing.process(RAW)
        bodies.append(world.bucket.objects[INDEX])
    assert bodies[0] == bodies[1]


def test_without_isal_the_index_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for installed in (True, False):
        if not installed:
            monkeypatch.setattr(states_text, "GzipStream", gzip.GzipFile)
        packed = io.BytesIO()
        with index.begun_index(packed, TIME) as add_rows:
            convert(io.BytesIO(good(3)), io.BytesIO(), also=add_rows)
        packed.seek(0)
        found.append((len(packed.getvalue()), index.select(packed, Selection(), 10)))
    assert found[0][1] == found[1][1]
    assert found[0][0] != found[1][0], "another writer made it"
    assert len(found[0][1][2]) == 3


def test_an_index_holds_any_number() -> None:
    world = World()
    beyond = {"latitude": 1e300, "longitude": -1e300, "baro_altitude": 1e308, "velocity": 1e17, "true_track": -0.01}
    world.put(snapshot([state(1, **beyond), state(2, latitude=-89.999996, velocity=0.05, baro_altitude=None)]))
    world.processing.process(RAW)
    with world.bucket.open(INDEX) as stream:
        _, matching, (first, second) = index.select(stream, Selection(), limit=3)
    assert matching == 2
    most = index.LARGEST_WHOLE
    assert (first.latitude, first.longitude) == (most / 1e5, -most / 1e5)
    assert (first.baro_altitude_ft, first.velocity_kt, first.true_track) == (most, most / 10, 0.0)
    assert (second.latitude, second.velocity_kt, second.baro_altitude_ft) == (-90.0, 0.1, None)


def test_an_index_without_decimals_is_still_read() -> None:
    aircraft = Aircraft(
        icao24="4b1801", callsign=None, origin_country="Chad", latitude=12.34567, longitude=-0.5,
        baro_altitude_ft=900.0, velocity_kt=80.1, true_track=1.5, vertical_rate_fpm=None, flight_phase="LEVEL",
        last_contact=TIME,
    )  # fmt: skip
    lines = [msgspec.json.encode({"time": TIME}), msgspec.json.encode(index.block_of([aircraft]))]
    packed = io.BytesIO(gzip.compress(b"\n".join(lines)))
    assert index.select(packed, Selection(), 10) == (TIME, 1, [aircraft])
