"""Compaction: every query counts each snapshot once, at any moment and after any interruption."""

import io
import math
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chalicelib.errors import UpstreamUnavailable
from chalicelib.flights import compaction, keys
from chalicelib.flights.columns import SCHEMA
from chalicelib.flights.compaction import QUERIES_LAST, SOURCES_KEY
from chalicelib.flights.models import CompactionOrder, CompactionReport, ReleaseRequest
from chalicelib.flights.status import RunStatus
from tests.unit.flights.vectors import TIME, snapshot, state
from tests.unit.flights.world import World

HOUR = TIME - TIME % 3600
KEY = keys.history_key(HOUR)
END = datetime.fromtimestamp(HOUR + 3600, UTC)


def rows_of(number: int, time: int, **changes: Any) -> list[list[Any]]:
    return [state(n, last_contact=time - 1, time_position=time - 2, **changes) for n in range(number)]


def put(world: World, time: int, number: int = 20, **changes: Any) -> None:
    """A snapshot through processing and validation."""
    world.put(snapshot(rows_of(number, time, **changes), time), keys.raw_key(time))
    world.processing.process(keys.raw_key(time), again=True)
    world.validation.validate(keys.processed_key(time))


def hour_of(*minutes: int) -> World:
    world = World()
    world.clock.now = END + timedelta(minutes=12)
    for minute in minutes:
        put(world, HOUR + 60 * minute)
    return world


def run(world: World, order: CompactionOrder = CompactionOrder(), left: float = math.inf) -> CompactionReport:  # noqa: B008
    return world.compaction.run(order, lambda: left)


def seen(world: World) -> Counter[int]:
    """Rows by snapshot, counted by a reader that prefers the inbox."""
    inbox, history = Counter[int](), Counter[int]()
    for key, body in world.bucket.objects.items():
        if key.startswith((keys.PROCESSED, keys.HISTORY)):
            found = inbox if key.startswith(keys.PROCESSED) else history
            found.update(pq.read_table(io.BytesIO(body))["snapshot_s"].to_pylist())
    return Counter({**history, **inbox})


def test_an_hour_becomes_one_sorted_file_with_statistics() -> None:
    world = hour_of(0, 5, 10)
    report = run(world)
    assert (report.hours, report.snapshots, report.rows, report.skipped) == ([KEY], 3, 60, [])
    file = pq.ParquetFile(io.BytesIO(world.bucket.objects[KEY]))
    table = file.read()
    order = list(zip(table["icao24"].to_pylist(), table["snapshot_s"].to_pylist(), strict=True))
    assert order == sorted(order)
    assert [name for name in table.column_names if name not in SCHEMA.names] == []
    assert file.metadata.row_group(0).column(0).statistics.min == "4b1800"
    sources = msgspec.json.decode(file.schema_arrow.metadata[SOURCES_KEY])
    assert sorted(sources) == [keys.tracking_id(HOUR + 300 * n) for n in range(3)]


def test_row_groups_let_a_query_pass_over_other_aircraft(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "ROWS_A_GROUP", 10)
    world = World()
    world.clock.now = END + timedelta(minutes=12)
    put(world, HOUR, 30)
    run(world)
    groups = pq.ParquetFile(io.BytesIO(world.bucket.objects[KEY])).metadata
    spans = [groups.row_group(n).column(0).statistics for n in range(groups.num_row_groups)]
    assert len(spans) == 3
    assert all(before.max < after.min for before, after in pairwise(spans))


def test_the_inbox_is_kept_until_no_query_can_miss_it_then_removed() -> None:
    world = hour_of(0, 5)
    before = seen(world)
    run(world)
    assert seen(world) == before
    assert run(world).removed == 0
    world.clock.now += QUERIES_LAST
    assert run(world).removed == 2
    assert not list(world.bucket.keys(keys.PROCESSED))
    assert seen(world) == before
    assert run(world) == CompactionReport(hours=[], snapshots=0, dropped=0, removed=0, rows=0, skipped=[])


def test_an_hour_that_is_not_over_is_left_alone_whatever_the_clock() -> None:
    world = hour_of(0)
    for now in (END - timedelta(days=1), END, END + timedelta(minutes=9)):
        world.clock.now = now
        assert run(world).hours == []
    world.clock.now = END + timedelta(days=1)
    assert run(world).hours == [KEY]


def test_a_late_snapshot_joins_its_hour() -> None:
    world = hour_of(0, 10)
    run(world)
    world.clock.now += QUERIES_LAST
    run(world)
    put(world, HOUR + 300, 7)
    assert seen(world) == {HOUR: 20, HOUR + 300: 7, HOUR + 600: 20}
    report = run(world)
    assert (report.snapshots, report.rows) == (1, 47)
    world.clock.now += QUERIES_LAST
    run(world)
    assert seen(world) == {HOUR: 20, HOUR + 300: 7, HOUR + 600: 20}


def test_a_replayed_snapshot_replaces_what_the_hour_had() -> None:
    world = hour_of(0, 5)
    run(world)
    world.clock.now += QUERIES_LAST
    run(world)
    put(world, HOUR, 9)
    assert seen(world) == {HOUR: 9, HOUR + 300: 20}
    run(world)
    world.clock.now += QUERIES_LAST
    run(world)
    assert seen(world) == {HOUR: 9, HOUR + 300: 20}


def test_what_is_in_quarantine_is_not_in_the_hour_until_it_is_released() -> None:
    world = hour_of(0)
    put(world, HOUR + 300, longitude=0.0, latitude=0.0)
    run(world)
    assert seen(world) == {HOUR: 20}
    name = keys.tracking_id(HOUR + 300)
    world.review.release(ReleaseRequest(tracking_id=name, released_by="Ada", reason="reviewed"))
    world.validation.validate(keys.processed_key(HOUR + 300))
    run(world)
    assert seen(world) == {HOUR: 20, HOUR + 300: 20}


def test_a_snapshot_whose_verdict_changed_leaves_its_hour() -> None:
    world = hour_of(0, 5)
    run(world)
    put(world, HOUR, longitude=0.0, latitude=0.0)
    assert (run(world).dropped, seen(world)) == (1, {HOUR + 300: 20})


@pytest.mark.parametrize("operation", ["read", "write_over", "remove"])
def test_killed_anywhere_nothing_is_lost_or_doubled(operation: str) -> None:
    world = hour_of(0, 5)
    before = seen(world)
    for _ in range(4):
        world.bucket.fail_next(operation, UpstreamUnavailable("S3 is down"))
        with suppress(UpstreamUnavailable):
            run(world)
        assert seen(world) == before
        world.bucket.failures.clear()
        run(world)
        assert seen(world) == before
        world.clock.now += QUERIES_LAST
    assert not list(world.bucket.keys(keys.PROCESSED))


def test_of_two_runs_at_once_one_gives_way() -> None:
    world = hour_of(0, 5)
    first = world.bucket.write_over

    def overtaken(*arguments: Any) -> bool:
        world.bucket.write_over = first  # type: ignore[method-assign]
        put(world, HOUR + 600, 3)
        run(world)
        return first(*arguments)

    world.bucket.write_over = overtaken  # type: ignore[method-assign]
    with pytest.raises(UpstreamUnavailable, match="another run"):
        run(world)
    assert seen(world) == {HOUR: 20, HOUR + 300: 20, HOUR + 600: 3}
    assert pq.read_table(io.BytesIO(world.bucket.objects[KEY])).num_rows == 43


def test_what_was_written_again_since_is_not_removed() -> None:
    world = hour_of(0)
    run(world)
    world.clock.now += QUERIES_LAST
    remove = world.bucket.remove

    def replaced(key: str, etag: str) -> bool:
        put(world, HOUR, 5)
        return remove(key, etag)

    world.bucket.remove = replaced  # type: ignore[method-assign]
    assert run(world).removed == 0
    assert seen(world) == {HOUR: 5}


def test_a_snapshot_that_is_not_what_its_key_says_is_left_out_and_named() -> None:
    world = hour_of(0)
    world.bucket.objects[keys.processed_key(HOUR + 300)] = world.bucket.objects[keys.processed_key(HOUR)]
    put(world, HOUR - 3600, 5)
    report = run(world)
    assert report.hours == [keys.history_key(HOUR - 3600)]
    assert report.skipped[0].startswith(f"{KEY}: a snapshot of {HOUR + 300} holds rows of")
    assert KEY not in world.bucket.objects


def test_no_time_left_leaves_hours_to_the_next_run() -> None:
    world = hour_of(0)
    put(world, HOUR - 3600)
    left = iter([100.0, 10.0])
    report = world.compaction.run(CompactionOrder(), lambda: next(left))
    assert (report.hours, report.skipped) == ([keys.history_key(HOUR - 3600)], [f"{KEY}: no time left"])


def test_an_order_names_its_hours() -> None:
    world = hour_of(0)
    put(world, HOUR - 3600)
    order = CompactionOrder(start=END - timedelta(hours=1), end=END)
    assert run(world, order).hours == [KEY]
    assert run(world, CompactionOrder(start=END, end=END - timedelta(hours=5))).hours == []


def test_what_is_not_judged_waits_and_what_has_outlived_its_run_does_not() -> None:
    world = hour_of(0)
    world.runs.advance(keys.tracking_id(HOUR), RunStatus.PROCESSED, tuple(RunStatus), {})
    assert run(world).hours == []
    world.runs.runs.clear()
    assert run(world).snapshots == 1


@pytest.mark.parametrize("columns", [lambda table: table.drop_columns(["snapshot_s"])])
def test_a_file_of_an_earlier_release_gains_the_new_columns(columns: Callable[[pa.Table], pa.Table]) -> None:
    world = hour_of(0)
    key = keys.processed_key(HOUR)
    old = io.BytesIO()
    pq.write_table(columns(pq.read_table(io.BytesIO(world.bucket.objects[key]))), old)
    world.bucket.objects[key] = old.getvalue()
    run(world)
    assert set(pq.read_table(io.BytesIO(world.bucket.objects[KEY]))["snapshot_s"].to_pylist()) == {HOUR}


def test_a_snapshot_without_rows_is_compacted_too() -> None:
    world = hour_of(0)
    put(world, HOUR + 300, 0)
    assert run(world).snapshots == 2
    world.clock.now += QUERIES_LAST
    assert run(world).removed == 2


def test_addresses_that_are_none_stay_in_the_hour() -> None:
    world = World()
    world.clock.now = END + timedelta(minutes=12)
    for time in (HOUR, HOUR + 300):
        rows = rows_of(40, time)
        rows[7][0], rows[9][0] = "XYZ", None
        world.put(snapshot(rows, time), keys.raw_key(time))
        world.processing.process(keys.raw_key(time))
        world.validation.validate(keys.processed_key(time))
    before = seen(world)
    kept = sum(before.values())
    assert run(world).rows == kept
    table = pq.read_table(io.BytesIO(world.bucket.objects[KEY]))
    addresses = table["icao24"].to_pylist()
    assert addresses.count("XYZ") == 2
    proper = [address for address in addresses if address not in ("XYZ", None)]
    assert proper == sorted(proper) == addresses[-len(proper) :]


def test_an_hour_derives_anew_what_an_earlier_release_derived_otherwise() -> None:
    world = hour_of(0)
    key = keys.processed_key(HOUR)
    table = pq.read_table(io.BytesIO(world.bucket.objects[key]))
    place = table.schema.get_field_index("velocity_kt")
    wrong = table.set_column(place, "velocity_kt", pa.array([1.0] * len(table)))
    sink = io.BytesIO()
    pq.write_table(wrong, sink)
    world.bucket.objects[key] = sink.getvalue()
    run(world)
    hour = pq.read_table(io.BytesIO(world.bucket.objects[KEY]))
    assert sorted(hour["velocity_kt"].to_pylist()) == sorted(table["velocity_kt"].to_pylist())
