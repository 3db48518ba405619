"""The conversion's contract: golden rows, envelopes, sources, the file it writes."""

import gzip
import io
import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chalicelib.errors import InvalidInput
from chalicelib.flights import states_text
from chalicelib.flights.columns import BOUNDED, DERIVED_SCHEMA, FLIGHT_PHASES, SCHEMA, STATE_SCHEMA
from chalicelib.flights.convert import SnapshotLimits, convert
from tests.unit.flights.snapshots import (
    CLIMBING,
    CRUISING,
    PARKED,
    TIME,
    Dribble,
    altered,
    bits,
    converted,
    exact_only,
    small_pieces,
    text,
)


def test_golden_climbing_row() -> None:
    conversion, table = converted(text([CLIMBING]))
    assert (conversion.snapshot_time, conversion.rows, conversion.rejected, conversion.path) == (TIME, 1, 0, "fast")
    assert conversion.fallback_reason is None
    assert table.schema.equals(SCHEMA)
    assert table.to_pylist() == [
        {
            "icao24": "3c6444",
            "callsign": "DLH9LF",
            "origin_country": "Germany",
            "time_position": 1633607998,
            "last_contact": 1633607999,
            "longitude": 8.5622,
            "latitude": 50.0379,
            "baro_altitude": 1000.0,
            "on_ground": False,
            "velocity": 100.0,
            "true_track": 245.5,
            "vertical_rate": 10.0,
            "sensors": None,
            "geo_altitude": 1050.0,
            "squawk": "0021",
            "spi": False,
            "position_source": 0,
            "category": 4,
            "baro_altitude_ft": pytest.approx(3280.84),
            "geo_altitude_ft": pytest.approx(3444.882),
            "velocity_kt": pytest.approx(194.384),
            "vertical_rate_fpm": pytest.approx(1968.504),
            "altitude_band": "MEDIUM",
            "speed_band": "SLOW",
            "flight_phase": "CLIMB",
            "airline_code": "DLH",
            "snapshot_time": datetime(2021, 10, 7, 12, 0, tzinfo=UTC),
            "snapshot_s": TIME,
        }
    ]


def test_golden_parked_row_keeps_its_zeros() -> None:
    _, table = converted(text([PARKED]))
    (row,) = table.to_pylist()
    assert (row["velocity"], row["velocity_kt"], row["true_track"]) == (0.0, 0.0, 0.0)
    assert (row["speed_band"], row["flight_phase"]) == ("VERY_SLOW", "GROUND")
    assert (row["baro_altitude_ft"], row["altitude_band"], row["squawk"], row["airline_code"]) == (None,) * 4


def test_golden_cruising_row() -> None:
    _, table = converted(text([CRUISING]))
    (row,) = table.to_pylist()
    assert row["baro_altitude_ft"] == pytest.approx(37_000.0, abs=0.01)
    assert row["velocity_kt"] == pytest.approx(485.96)
    assert (row["altitude_band"], row["speed_band"], row["flight_phase"]) == ("VERY_HIGH", "FAST", "CRUISE")
    assert (row["spi"], row["position_source"], row["vertical_rate_fpm"]) == (True, 2, 0.0)


@pytest.mark.parametrize(
    ("metres", "band"),
    [
        (-400.0, "LOW"),
        (0, "LOW"),
        (304.7, "LOW"),  # 999.7 ft
        (304.81, "MEDIUM"),  # 1000.03 ft
        (5486.39, "MEDIUM"),  # 17,999.97 ft
        (5486.41, "HIGH"),
        (10_667.9, "HIGH"),  # 34,999.7 ft
        (10_668.1, "VERY_HIGH"),
        (None, None),
    ],
)
def test_altitude_band(metres: float | None, band: str | None) -> None:
    _, table = converted(text([altered(CLIMBING, baro_altitude=metres)]))
    assert table["altitude_band"].to_pylist() == [band]


@pytest.mark.parametrize(
    ("speed", "band"),
    [
        (0, "VERY_SLOW"),
        (25.72, "VERY_SLOW"),  # 49.996 kt
        (25.73, "SLOW"),  # 50.015 kt
        (102.88, "SLOW"),  # 199.98 kt
        (102.9, "MEDIUM"),
        (205.77, "MEDIUM"),  # 399.98 kt
        (205.8, "FAST"),
        (308.66, "FAST"),  # 599.99 kt
        (308.7, "VERY_FAST"),
        (None, None),
    ],
)
def test_speed_band(speed: float | None, band: str | None) -> None:
    _, table = converted(text([altered(CLIMBING, velocity=speed)]))
    assert table["speed_band"].to_pylist() == [band]


@pytest.mark.parametrize(
    ("on_ground", "climb", "altitude", "phase"),
    [
        (True, 10.0, 11_000.0, "GROUND"),
        (True, None, None, "GROUND"),
        (False, 1.5245, None, "CLIMB"),  # 300.1 ft/min
        (False, 1.5235, 6000.0, "CRUISE"),  # 299.9 ft/min
        (False, -1.5245, None, "DESCENT"),
        (False, -1.5235, 1000.0, "LEVEL"),
        (False, 5.0, 1000.0, "CLIMB"),  # 984 ft/min: the dead band is not in m/s
        (False, 0, 5486.41, "CRUISE"),
        (False, 0, 5486.39, "LEVEL"),
        (False, 0, None, None),
        (False, None, 9000.0, None),
        (None, 0, 9000.0, None),
    ],
)
def test_flight_phase(on_ground: bool | None, climb: float | None, altitude: float | None, phase: str | None) -> None:
    row = altered(CLIMBING, on_ground=on_ground, vertical_rate=climb, baro_altitude=altitude)
    _, table = converted(text([row]))
    assert table["flight_phase"].to_pylist() == [phase]
    assert phase is None or phase in FLIGHT_PHASES


@pytest.mark.parametrize(
    ("callsign", "trimmed", "airline"),
    [
        ("KLM1023 ", "KLM1023", "KLM"),
        ("KLM1    ", "KLM1", "KLM"),
        ("AAA0", "AAA0", "AAA"),
        ("ZZZ9", "ZZZ9", "ZZZ"),
        ("  SWR7X ", "SWR7X", "SWR"),
        ("KLM     ", "KLM", None),
        ("KLMX    ", "KLMX", None),
        ("klm1    ", "klm1", None),
        ("KL@1    ", "KL@1", None),
        ("@LM1    ", "@LM1", None),
        ("KL[1    ", "KL[1", None),
        ("KLM/    ", "KLM/", None),
        ("KLM:    ", "KLM:", None),
        ("N12345  ", "N12345", None),
        ("ÄBC1    ", "ÄBC1", None),
        ("\x00AB1", "\x00AB1", None),
        ("        ", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_callsign_and_airline(callsign: str | None, trimmed: str | None, airline: str | None) -> None:
    _, table = converted(text([altered(CLIMBING, callsign=callsign), CRUISING]))
    assert table["callsign"].to_pylist() == [trimmed, "KAL902"]
    assert table["airline_code"].to_pylist() == [airline, "KAL"]


def test_every_column_says_its_unit_and_meaning() -> None:
    for field in SCHEMA:
        assert field.metadata[b"meaning"]
        assert b"unit" in field.metadata
    assert all(field.metadata[b"from"] for field in DERIVED_SCHEMA if not field.name.startswith("snapshot_"))
    assert len(STATE_SCHEMA) == 18


@pytest.mark.parametrize("empty", ["null", "[]", " [ ] "])
def test_no_states_is_a_normal_answer(empty: str) -> None:
    conversion, table = converted(f'{{"time":{TIME},"states":{empty}}}'.encode())
    assert (conversion.snapshot_time, conversion.rows, conversion.rejected) == (TIME, 0, 0)
    assert table.num_rows == 0
    assert table.schema.equals(SCHEMA)


@pytest.mark.parametrize(
    "document",
    [
        '{"states":%s,"time":1633608000}',
        '{"states":%s,"more":[[1],["]],["]],"time":1633608000,"last":{"states":[[1]]}}',
        '{"first":{"states":[["]"]],"time":1},"a":"x","b":[],"time":1633608000,"states":%s}',
        '{"\\u0073tates":%s , "t\\u0069me":1633608000}',
        ' \n{ "time" : 1633608000 , "states" : %s } \n',
        '{"time":1633608000,"states":%s,"note":"],[ and ]]"}',
    ],
)
@pytest.mark.parametrize("rows", [1, 3, 40])
def test_time_and_other_members_stand_anywhere(document: str, rows: int) -> None:
    states = json.dumps([CLIMBING, PARKED, CRUISING] * rows, separators=(",", ":"))
    content = (document % states).encode()
    expected = converted(text([CLIMBING, PARKED, CRUISING] * rows))[1]
    for pieces in (small_pieces(), small_pieces(5000, 5000)):
        with pieces:
            conversion, table = converted(content)
        assert (conversion.snapshot_time, conversion.rows) == (TIME, 3 * rows)
        assert bits(table) == bits(expected)


def test_time_after_states_also_from_gzip_and_counted_once() -> None:
    content = gzip.compress(json.dumps({"states": [CLIMBING] * 50, "time": TIME}).encode())
    with small_pieces():
        conversion, table = converted(content)
    assert (conversion.rows, conversion.bytes_in) == (50, len(content))
    assert table["snapshot_time"].to_pylist() == [datetime(2021, 10, 7, 12, 0, tzinfo=UTC)] * 50


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_short_read_is_not_the_end(compress: type) -> None:
    content = compress(text([CLIMBING, PARKED] * 30))
    with small_pieces():
        conversion, table = converted(Dribble(content))
    assert (conversion.rows, conversion.bytes_in) == (60, len(content))
    assert bits(table) == bits(converted(text([CLIMBING, PARKED] * 30))[1])


def test_gzip_of_several_members_and_padding() -> None:
    content = text([CLIMBING, PARKED, CRUISING])
    for cut in (1, 30, 200, len(content)):
        members = gzip.compress(content[:cut]) + gzip.compress(content[cut:]) + b"\0" * 9
        assert bits(converted(members)[1]) == bits(converted(content)[1])


@pytest.mark.slow
def test_pieces_follow_each_other_without_loss() -> None:
    states = [altered(CLIMBING, icao24=f"{i:06x}", velocity=i) for i in range(200)]
    whole = converted(text(states))[1]
    for first in range(256, 300):
        with small_pieces(first):
            conversion, table = converted(text(states))
        assert conversion.path == "fast"
        assert bits(table) == bits(whole)


def test_17_fields_are_a_row_without_category() -> None:
    conversion, table = converted(text([CLIMBING[:17], PARKED[:17]]))
    assert (conversion.rows, conversion.path) == (2, "fast")
    assert table["category"].to_pylist() == [None, None]


def test_fields_after_the_18th_are_ignored() -> None:
    conversion, table = converted(text([[*CLIMBING, "more", {"and": [1]}], PARKED, CRUISING[:17]]))
    assert (conversion.rows, conversion.rejected, conversion.path) == (3, 0, "exact")
    assert table["category"].to_pylist() == [4, 2, None]


def test_unlisted_enumeration_values_are_kept() -> None:
    conversion, table = converted(text([altered(CLIMBING, category=-1, position_source=8)]))
    assert (conversion.rejected, conversion.path) == (0, "fast")
    assert (table["category"].to_pylist(), table["position_source"].to_pylist()) == ([-1], [8])


def test_sensors_are_kept() -> None:
    conversion, table = converted(text([altered(CLIMBING, sensors=[1, -7]), altered(PARKED, sensors=[]), CRUISING]))
    assert conversion.path == "exact"
    assert conversion.fallback_reason == "a bracket that starts no row"
    assert table["sensors"].to_pylist() == [[1, -7], [], None]


def test_swapped_and_impossible_coordinates_are_kept_for_the_checks() -> None:
    _, table = converted(text([altered(CLIMBING, longitude=50.0, latitude=181.5)]))
    assert (table["longitude"].to_pylist(), table["latitude"].to_pylist()) == ([50.0], [181.5])


def test_negative_zero_becomes_zero() -> None:
    for written in ("-0", "-0.0", "-0e3"):
        content = text([altered(CLIMBING, vertical_rate=-9.9)]).replace(b"-9.9", written.encode())
        assert [str(value) for value in converted(content)[1]["vertical_rate"].to_pylist()] == ["0.0"]
        with exact_only():
            assert [str(value) for value in converted(content)[1]["vertical_rate"].to_pylist()] == ["0.0"]


def test_commas_inside_strings_stay_on_the_fast_path() -> None:
    rows = [
        altered(CLIMBING, origin_country="Iran, Islamic Republic of"),
        altered(PARKED, origin_country="Côte d'Ivoire"),
    ]
    conversion, table = converted(text(rows))
    assert conversion.path == "fast"
    assert table["origin_country"].to_pylist() == ["Iran, Islamic Republic of", "Côte d'Ivoire"]


def test_statistics_of_every_row_group_are_written() -> None:
    states = [altered(CLIMBING, velocity=10.0 + i, baro_altitude=None if i % 2 else 100.0) for i in range(20)]
    sink = io.BytesIO()
    with small_pieces(900, 900):
        convert(io.BytesIO(text(states)), sink)
    metadata = pq.read_metadata(sink)
    assert metadata.num_row_groups > 1
    seen: list[tuple[float, float]] = []
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for column in map(group.column, range(metadata.num_columns)):
            assert column.is_stats_set == (column.path_in_schema in BOUNDED)
            assert column.compression == "ZSTD"
        velocity = group.column(SCHEMA.get_field_index("velocity")).statistics
        seen.append((velocity.min, velocity.max))
    assert seen[0][0] == 10.0
    assert seen[-1][1] == 29.0
    altitude = [metadata.row_group(i).column(7).statistics.null_count for i in range(metadata.num_row_groups)]
    assert sum(altitude) == 10


def test_source_and_sink_stay_open() -> None:
    source, sink = io.BytesIO(gzip.compress(text([CLIMBING]))), io.BytesIO()
    convert(source, sink)
    assert not source.closed
    assert not sink.closed


def test_the_same_snapshot_gives_the_same_bytes() -> None:
    content = text([CLIMBING, PARKED, CRUISING] * 100)
    sinks = [io.BytesIO() for _ in range(3)]
    convert(io.BytesIO(content), sinks[0])
    convert(Dribble(content), sinks[1])
    convert(Dribble(gzip.compress(content)), sinks[2])
    assert sinks[0].getvalue() == sinks[1].getvalue() == sinks[2].getvalue()


def test_a_failing_sink_is_not_swallowed() -> None:
    class Full(io.RawIOBase):
        def write(self, _: object) -> int:
            raise OSError("no space left")

    with small_pieces(), pytest.raises(OSError, match="no space left"):
        convert(io.BytesIO(text([CLIMBING] * 100)), Full())


def test_limits_are_inclusive() -> None:
    content = text([CLIMBING] * 3)
    assert converted(content, SnapshotLimits(max_bytes_decompressed=len(content), max_rows=3))[0].rows == 3
    with pytest.raises(InvalidInput):
        converted(content, SnapshotLimits(max_rows=2))
    with pytest.raises(InvalidInput):
        converted(content, SnapshotLimits(max_bytes_decompressed=len(content) - 1))


def test_without_isal_zlib_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states_text, "GzipStream", gzip.GzipFile)
    content = gzip.compress(text([CLIMBING, PARKED]))
    assert isinstance(converted(content)[1], pa.Table)
    assert converted(content)[0].rows == 2
