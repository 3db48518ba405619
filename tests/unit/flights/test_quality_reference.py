"""The engine against the row-by-row reference: same counts, same scores, same sample rows, however it is stored."""

import math
import random
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from chalicelib.flights.checks import identity, order, reading
from chalicelib.flights.quality import QualityReport, assess
from tests.properties import examples
from tests.unit.flights.quality_reference import TYPES, Row, judged, written

T = 1_633_608_000
FLOATS = st.sampled_from([None, math.nan, math.inf, -math.inf, 0.0, -0.0, 1e308, 5e-324]) | st.floats(-400, 20_000)
DEGREES = (
    st.none()
    | st.sampled_from([0.0, -0.0, 180.0, 90.0, 180.1, -90.00001, math.nan, math.inf])
    | st.builds(round, st.floats(-181, 181), st.integers(0, 8))
)
TIMES = st.none() | st.sampled_from([0, -1, T, T + 1, T - 300, T - 301, T - 86_400, T - 86_401, 2**63 - 1, -(2**63)])
COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "icao24": st.none() | st.sampled_from(["3c6444", "3C6444", "3c644", "", "é3c64", "3c644g", "00000a", "ffffff"]),
    "callsign": st.none()
    | st.sampled_from(["DLH4AB", "DLH4AB  ", " A", "", "   ", "dlh4", "A B", "ABCDEFGHI", "Ä1", "?1"]),
    "origin_country": st.none() | st.sampled_from(["Germany", "", "Atlantis", "Viet Nam", "Germany "]),
    "time_position": TIMES | st.integers(T - 400, T + 5),
    "last_contact": TIMES | st.integers(T - 400, T + 5),
    "longitude": DEGREES,
    "latitude": DEGREES,
    "baro_altitude": FLOATS | st.sampled_from([-1000 / 3.28084, 60_000 / 3.28084, 4500.0]),
    "on_ground": st.none() | st.booleans(),
    "velocity": FLOATS | st.floats(0, 300) | st.sampled_from([1200 / 1.94384, 60 / 1.94384, 40 / 1.94384]),
    "true_track": st.none() | st.floats(0, 360),
    "vertical_rate": FLOATS | st.floats(-20, 20),
    "geo_altitude": FLOATS,
    "position_source": st.none() | st.integers(-1, 8),
    "category": st.none() | st.integers(-1, 20),
    "flight_phase": st.none() | st.sampled_from(["GROUND", "CLIMB", "CRUISE", "ELSEWHERE"]),
    "snapshot_time": st.sampled_from([T] * 8 + [None, T - 5]),
}
ROWS = st.lists(st.fixed_dictionaries(COLUMNS), max_size=24)
STORED = st.fixed_dictionaries(
    {
        "write_statistics": st.booleans() | st.just(["longitude", "snapshot_time"]),
        "use_dictionary": st.booleans() | st.just(["callsign"]),
        "row_group_size": st.sampled_from([3, 7, 1000]),
        "compression": st.sampled_from(["zstd", "none"]),
        "store_schema": st.booleans(),
        "data_page_size": st.sampled_from([16, 1 << 20]),
        "types": st.sampled_from(
            [
                {},
                {"icao24": pa.large_string(), "callsign": pa.large_string(), "flight_phase": pa.large_string()},
                {"icao24": pa.string_view(), "callsign": pa.string_view(), "origin_country": pa.string_view()},
                {name: pa.dictionary(pa.int32(), pa.string()) for name in ("icao24", "callsign", "flight_phase")},
                {"snapshot_time": pa.timestamp("us"), "position_source": pa.int64(), "category": pa.int32()},
            ]
        ),
    }
)


def the_same(report: QualityReport, rows: Sequence[Row], columns: Sequence[str] = tuple(TYPES)) -> None:
    expected = judged(rows, columns)
    assert [check.name for check in report.checks] == list(expected)
    for check in report.checks:
        wanted = expected[check.name]
        if wanted is None or wanted.score is None:
            assert (check.verdict, check.score) == ("unknown", None), check.name
            assert wanted is not None or (check.checked, check.failing) == (0, 0)
            continue
        assert (check.checked, check.failing) == (wanted.checked, wanted.failing), check.name
        assert check.score == pytest.approx(wanted.score, abs=1e-12)
        assert check.verdict == ("passed" if check.score >= check.pass_mark else "failed")
        assert check.samples == [shown(rows[i], check.samples[0]) for i in wanted.rows[:5]], check.name


def shown(row: Row, like: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: row[name] for name in like}
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            values[name] = None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        if isinstance(value, int) and abs(value) > 2**53:
            values[name] = int(float(value))
        if name == "flight_phase" and value == "ELSEWHERE":
            values[name] = None
    return values


@pytest.mark.slow
@examples(40, HealthCheck.data_too_large)
@given(ROWS, STORED, st.booleans())
def test_any_rows_stored_in_any_way(rows: list[Row], stored: dict[str, Any], small: bool) -> None:
    with ExitStack() as stack:
        if small:  # what otherwise takes a large snapshot to run
            stack.enter_context(patch.object(reading, "BATCH_ROWS", 2))
            stack.enter_context(patch.object(order, "SAMPLE", 4))
            stack.enter_context(patch.object(order, "PLAIN_BELOW", 8))
            stack.enter_context(patch.object(identity, "FLAGS_FROM", 2))
            stack.enter_context(patch.object(identity, "SEARCHED_ROWS", 3))
        the_same(assess(written(rows, **stored)), rows)


@pytest.mark.slow
@given(ROWS, st.sets(st.sampled_from(list(TYPES)), min_size=1))
def test_missing_columns(rows: list[Row], missing: set[str]) -> None:
    if len(missing) == len(TYPES):
        missing.remove("squawk" if "squawk" in missing else "icao24")
    left = [name for name in TYPES if name not in missing]
    the_same(assess(written(rows, drop=missing)), [{name: row[name] for name in left} for row in rows], left)


@pytest.mark.parametrize("seed", range(4))
def test_traffic_with_gaps_and_faults(seed: int) -> None:
    """Long enough for medians, quartiles, phases and several row groups; values as in real traffic."""
    draw = random.Random(seed)
    rows = [traffic(draw) for _ in range(draw.choice([400, 1500]))]
    with patch.object(order, "SAMPLE", 64), patch.object(order, "PLAIN_BELOW", 100):
        the_same(assess(written(rows, row_group_size=333)), rows)


def traffic(draw: random.Random) -> Row:
    ground = draw.random() < 0.15
    altitude = 7.62 * draw.randrange(0, 1600)
    rate = round(draw.choice([0, 0, draw.gauss(0, 6)]), 2)
    level = "CRUISE" if altitude > 5486 else "LEVEL"
    row = {
        "icao24": f"{draw.randrange(0, 40_000):06x}",
        "callsign": draw.choice(["DLH123", "AFR12 ", "x"]),
        "origin_country": draw.choice(["Germany"] * 9 + ["Nowhere"]),
        "last_contact": T - draw.randrange(0, 320),
        "time_position": T - draw.randrange(0, 340),
        "longitude": round(draw.uniform(-180, 180), draw.choice([4, 4, 4, 7])),
        "latitude": round(draw.uniform(-91, 90), 4),
        "baro_altitude": altitude,
        "geo_altitude": altitude + draw.gauss(100, 300),
        "on_ground": ground,
        "velocity": round(draw.expovariate(0.2) if ground else draw.gauss(200, 40), 2),
        "vertical_rate": rate,
        "position_source": draw.choice([0, 0, 0, 1, 2, 3, 8]),
        "category": draw.choice([0, 2, 4, 8, 9]),
        "flight_phase": "GROUND" if ground else "CLIMB" if rate > 1.5 else "DESCENT" if rate < -1.5 else level,
        "snapshot_time": T,
    }
    wild = {"velocity": 600.0, "vertical_rate": 90.0, "baro_altitude": 18_200.0, "longitude": 0.0, "icao24": "zz"}
    for name in row:
        if name != "snapshot_time" and draw.random() < 0.05:
            row[name] = wild.get(name) if draw.random() < 0.3 else None
    return row
