"""The compact index: what it keeps of any rows, in how many blocks, and indexes of earlier releases."""

import gzip
import io
import sys
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given

from chalicelib.errors import InvalidInput
from chalicelib.flights import index, states_text
from chalicelib.flights.columns import STATE_SCHEMA
from chalicelib.flights.convert import convert
from chalicelib.flights.models import Aircraft, Selection
from tests.properties import examples
from tests.unit.flights.snapshots import text
from tests.unit.flights.test_convert_paths import states
from tests.unit.flights.vectors import TIME, good, snapshot, state
from tests.unit.flights.world import INDEX, RAW, World

ALL = Selection()


def indexed(content: bytes) -> tuple[bytes, list[pa.RecordBatch]]:
    """The index of a snapshot, and its rows."""
    packed, batches = io.BytesIO(), list[pa.RecordBatch]()

    def also(batch: pa.RecordBatch) -> None:
        batches.append(batch)
        add_rows(batch)

    with index.begun_index(packed, TIME) as add_rows:
        convert(io.BytesIO(content), io.BytesIO(), also=also)
    return packed.getvalue(), batches


def opened(packed: bytes, limit: int = 1_000_000) -> tuple[int, int, list[Aircraft]]:
    return index.select(io.BytesIO(packed), ALL, limit)


@pytest.mark.slow
@examples(100)
@given(states)
def test_an_index_holds_what_any_rows_say(rows: list[Any]) -> None:
    try:
        packed, batches = indexed(text(rows))
    except InvalidInput:
        return
    placed = [
        row
        for batch in batches
        for row in batch.select(index.COLUMNS).to_pylist()
        if None not in (row["icao24"], row["latitude"], row["longitude"])
    ]
    time, matching, found = opened(packed)
    assert (time, matching) == (TIME, len(placed))
    past = index.select_from([index.block_of(Aircraft(**row) for row in placed)], ALL, len(placed))
    assert (matching, found) == past, "the history rounds alike"


def test_an_index_of_many_blocks_gives_the_first_by_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states_text, "FIRST_PIECE_BYTES", 1 << 10)
    rows = 300
    packed, batches = indexed(snapshot([state(rows - number, callsign=None) for number in range(rows)]))
    assert len(batches) > 2
    time, matching, first = opened(packed, limit=3)
    assert (time, matching) == (TIME, rows)
    assert [aircraft.icao24 for aircraft in first] == ["4b1801", "4b1802", "4b1803"]


def test_an_index_holds_more_names_than_two_bytes_count() -> None:
    _, (batch,) = indexed(snapshot([state(1)]))
    count = 2**15 + 1
    countries = pa.array([f"Country {number}" for number in range(count)])
    columns = {name: pa.repeat(batch[name][0].as_py(), count) for name in index.COLUMNS}
    columns |= {"origin_country": countries.dictionary_encode(), "icao24": countries}
    packed = io.BytesIO()
    with index.begun_index(packed, TIME) as add_rows:
        add_rows(pa.RecordBatch.from_pydict(columns))
    _, matching, found = opened(packed.getvalue())
    assert (matching, {each.icao24 == each.origin_country for each in found}) == (count, {True})


def test_the_same_snapshot_gives_the_same_index() -> None:
    assert indexed(good(3))[0] == indexed(good(3))[0]


def test_without_isal_the_index_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with_isal, _ = indexed(good(3))
    monkeypatch.setattr(states_text, "GzipStream", gzip.GzipFile)
    without, _ = indexed(good(3))
    assert with_isal != without, "another writer made it"
    assert opened(with_isal) == opened(without)
    assert len(opened(without)[2]) == 3


@pytest.mark.parametrize(
    "name", [name for name in STATE_SCHEMA.names if name not in {"icao24", "longitude", "latitude"}]
)
@pytest.mark.parametrize("others", [[], [state(2)]], ids=["alone", "among others"])
def test_an_aircraft_may_lack_anything_but_its_address_and_position(name: str, others: list[Any]) -> None:
    _, matching, (first, *_) = opened(indexed(snapshot([state(1, **{name: None}), *others]))[0])
    assert matching == 1 + len(others)
    assert getattr(first, name, None) is None


@pytest.mark.parametrize("name", [field.name for field in STATE_SCHEMA if pa.types.is_floating(field.type)])
@pytest.mark.parametrize("value", [sys.float_info.max, -sys.float_info.max])
def test_an_index_holds_the_largest_numbers(name: str, value: float) -> None:
    _, matching, (first,) = opened(indexed(snapshot([state(1, **{name: value})]))[0])
    assert (matching, first.icao24) == (1, "4b1801")


def test_an_index_that_is_cut_short_is_not_read_as_a_smaller_one() -> None:
    packed, _ = indexed(good(3))
    with pytest.raises(EOFError):
        opened(packed[:-9])


def test_an_index_holds_any_number() -> None:
    beyond = {"latitude": 1e300, "longitude": -1e300, "baro_altitude": 1e308, "velocity": 1e17, "true_track": -0.01}
    rows = [state(1, **beyond), state(2, latitude=-89.999996, velocity=0.05, baro_altitude=None)]
    rows += [state(3, true_track=0.35), state(4, true_track=0.25)]
    _, matching, (first, second, *halves) = opened(indexed(snapshot(rows))[0])
    assert matching == 4
    assert [half.true_track for half in halves] == [0.4, 0.2], "halves of tenths go to the even one"
    again = [msgspec.structs.replace(half, true_track=track) for half, track in zip(halves, (0.35, 0.25), strict=True)]
    assert index.select_from([index.block_of(again)], ALL, 2) == (2, halves), "as in the history"
    most = index.LARGEST_WHOLE
    assert (first.latitude, first.longitude) == (most / 1e5, -most / 1e5)
    assert (first.baro_altitude_ft, first.velocity_kt, first.true_track) == (most, most / 10, 0.0)
    assert (second.latitude, second.velocity_kt, second.baro_altitude_ft) == (-90.0, 0.1, None)


@pytest.mark.parametrize("decimals", [{}, {"decimals": {"latitude": 5, "longitude": 1, "baro_altitude_ft": 0}}])
def test_an_index_of_an_earlier_release_is_still_read(decimals: dict[str, Any]) -> None:
    """One of lines of JSON with fewer columns, its numbers as they are or as whole ones."""
    latitude, longitude = (1_234_567, -5) if decimals else (12.34567, -0.5)
    block = {
        "icao24": ["4b1801"], "callsign": [None], "origin_country": ["Chad"], "latitude": [latitude],
        "longitude": [longitude], "baro_altitude_ft": [900], "velocity_kt": [None], "true_track": [0],
        "vertical_rate_fpm": [None], "flight_phase": ["LEVEL"], "last_contact": [TIME],
    }  # fmt: skip
    lines = [msgspec.json.encode(line) for line in ({"time": TIME, **decimals}, block)]
    aircraft = Aircraft(
        icao24="4b1801", callsign=None, origin_country="Chad", latitude=12.34567, longitude=-0.5, baro_altitude_ft=900,
        velocity_kt=None, true_track=0, vertical_rate_fpm=None, flight_phase="LEVEL", last_contact=TIME,
    )  # fmt: skip
    packed = gzip.compress(b"\n".join(lines))
    assert opened(packed) == (TIME, 1, [aircraft])
    south, north = Selection(box=(-90, -180, 12, 180)), Selection(box=(12, -1, 13, 0))
    assert [index.select(io.BytesIO(packed), wanted, 9)[1] for wanted in (south, north)] == [0, 1]
    assert index.select(io.BytesIO(packed), Selection(ranges=(("squawk", 0, 9),)), 9)[1] == 0, "a column it lacks"


def test_processing_writes_an_index() -> None:
    world = World()
    world.put(good(3))
    world.processing.process(RAW)
    assert opened(world.bucket.objects[INDEX])[1] == 3
