"""The 16 checks once more, one row at a time in plain Python, from `docs/quality-checks.md` and not from the code.

`judged` returns, for each check, how much it looked at, how much fails, its score and the failing rows; None where a
column is missing. `written` stores rows as Parquet, in the ways that writers differ.
"""

import io
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from chalicelib.flights.checks.countries import COUNTRIES

Row = Mapping[str, Any]

TYPES = {
    "icao24": pa.string(),
    "callsign": pa.string(),
    "origin_country": pa.string(),
    "time_position": pa.int64(),
    "last_contact": pa.int64(),
    "longitude": pa.float64(),
    "latitude": pa.float64(),
    "baro_altitude": pa.float64(),
    "on_ground": pa.bool_(),
    "velocity": pa.float64(),
    "true_track": pa.float64(),
    "vertical_rate": pa.float64(),
    "geo_altitude": pa.float64(),
    "position_source": pa.int16(),
    "category": pa.int16(),
    "flight_phase": pa.string(),
    "snapshot_time": pa.timestamp("s", tz="UTC"),
}
FT = 1 / 3.28084
KT = 1 / 1.94384
DECIMALS = {0: 5, 1: 6, 2: 4, 3: 5}


@dataclass(frozen=True)
class Expected:
    checked: int
    failing: int
    score: float | None
    rows: list[int]


def written(
    rows: Sequence[Row], *, drop: Iterable[str] = (), types: Mapping[str, pa.DataType] = {}, **how: Any
) -> bytes:
    """The rows as Parquet; a value that a row lacks is null, a dropped column is not there."""
    fields = [(name, types.get(name, type_)) for name, type_ in TYPES.items() if name not in set(drop)]
    arrays = [pa.array([row.get(name) for row in rows], TYPES[name]).cast(type_) for name, type_ in fields]
    output = io.BytesIO()
    pq.write_table(pa.table(arrays, pa.schema(fields)), output, **how)
    return output.getvalue()


def judged(rows: Sequence[Row], columns: Iterable[str] = TYPES) -> dict[str, Expected | None]:
    """What every check must find in the rows, given that only those columns are there."""
    known = set(columns)
    visible = [{name: _value(row.get(name)) for name in known} for row in rows]
    times = [row["snapshot_time"] for row in visible if row.get("snapshot_time") is not None]
    time = max(times) if times else None
    found: dict[str, Expected | None] = {}
    for name, (needs, check) in CHECKS.items():
        found[name] = check(visible, time) if known.issuperset(needs) else None
    return found


def _value(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def by_row(verdict: Callable[[Any, Any], bool | None]) -> Callable[[Sequence[Row], int | None], Expected]:
    """A check that looks at each row alone; its verdict is True (fails), False, or None (does not apply)."""

    def check(rows: Sequence[Row], time: int | None) -> Expected:
        verdicts = [verdict(row, time) for row in rows]
        failing = [i for i, failed in enumerate(verdicts) if failed]
        return shared(sum(v is not None for v in verdicts), failing)

    return check


def shared(checked: int, failing: list[int]) -> Expected:
    return Expected(checked, len(failing), 1 - len(failing) / checked if checked else None, failing)


def completeness(rows: Sequence[Row], time: int | None) -> Expected:
    shares, checked, missing, failing = [], 0, 0, set()
    for name in ("icao24", "longitude", "latitude", "baro_altitude", "velocity", "last_contact"):
        expected = [i for i, row in enumerate(rows) if name != "baro_altitude" or row["on_ground"] is False]
        gaps = [i for i in expected if rows[i][name] is None]
        checked, missing, failing = checked + len(expected), missing + len(gaps), failing | set(gaps)
        if expected:
            shares.append(1 - len(gaps) / len(expected))
    return Expected(checked, missing, sum(shares) / len(shares) if shares else None, sorted(failing))


def validity(rows: Sequence[Row], time: int | None) -> Expected:
    legal: dict[str, Callable[[Any], bool]] = {
        "vertical_rate": lambda x: abs(x) <= 10_000 / (3.28084 * 60),
        "longitude": lambda x: -180 <= x <= 180,
        "latitude": lambda x: -90 <= x <= 90,
        "baro_altitude": _altitude_is_possible,
        "velocity": _speed_is_possible,
        "icao24": lambda x: re.fullmatch("[0-9a-f]{6}", x) is not None,
    }
    present = [(i, name, row[name]) for i, row in enumerate(rows) for name in legal if row.get(name) is not None]
    wrong = [(i, name) for i, name, value in present if not legal[name](value)]
    shares = []
    for part in legal:
        values = [name for _, name, _ in present if name == part]
        if values:
            shares.append(1 - sum(name == part for _, name in wrong) / len(values))
    score = sum(shares) / len(shares) if shares else None
    return Expected(len(present), len(wrong), score, sorted({i for i, _ in wrong}))


def _altitude_is_possible(metres: float) -> bool:
    return -1000 / 3.28084 <= metres <= 60_000 / 3.28084


def _speed_is_possible(speed: float) -> bool:
    return 0 <= speed <= 1200 / 1.94384


def contradicts(row: Row, time: int | None) -> bool:
    if (row["longitude"] is None) != (row["latitude"] is None):
        return True
    if not row["on_ground"]:
        return False
    altitude, climb = row["baro_altitude"], row["vertical_rate"]
    aloft = altitude is not None and altitude > 14_472 / 3.28084
    return aloft or (climb is not None and abs(climb) > 1000 / (3.28084 * 60))


def uniqueness(rows: Sequence[Row], time: int | None) -> Expected:
    seen: set[str] = set()
    repeated = []
    for i, row in enumerate(rows):
        if row["icao24"] in seen:
            repeated.append(i)
        elif row["icao24"] is not None:
            seen.add(row["icao24"])
    return shared(len(seen) + len(repeated), repeated)


def is_incomplete(row: Row, time: int | None) -> bool:
    wanted = ["longitude", "latitude", "velocity"] + (["baro_altitude"] if row["on_ground"] is False else [])
    return any(row[name] is None for name in wanted)


def is_late(row: Row, time: int | None) -> bool | None:
    if time is None or row["last_contact"] is None:
        return None
    return abs(time - row["last_contact"]) > 300


def altitude_range(rows: Sequence[Row], time: int | None) -> Expected:
    present = [(i, row["baro_altitude"]) for i, row in enumerate(rows) if row["baro_altitude"] is not None]
    return _ranged(present, _altitude_is_possible, floor=True)


def speed_range(rows: Sequence[Row], time: int | None) -> Expected:
    flying = [(i, row["velocity"]) for i, row in enumerate(rows) if row["on_ground"] is False]
    return _ranged([(i, value) for i, value in flying if value is not None], _speed_is_possible, floor=False)


def _ranged(present: list[tuple[int, float]], is_possible: Callable[[float], bool], *, floor: bool) -> Expected:
    possible = sorted(value for _, value in present if is_possible(value))
    lowest, highest = -math.inf, math.inf
    if len(possible) >= 40:
        lower, upper = possible[(len(possible) - 1) // 4], possible[3 * (len(possible) - 1) // 4]
        highest = upper + 3 * (upper - lower)
        lowest = lower - 3 * (upper - lower) if floor else lowest
    failing = [i for i, value in present if not is_possible(value) or not lowest <= value <= highest]
    return shared(len(present), failing)


def is_off_globe(row: Row, time: int | None) -> bool | None:
    longitude, latitude = row["longitude"], row["latitude"]
    if longitude is None or latitude is None:
        return None
    return abs(longitude) > 180 or abs(latitude) > 90 or (longitude == 0 and latitude == 0)


def is_no_callsign(row: Row, time: int | None) -> bool | None:
    if row["callsign"] is None:
        return None
    trimmed = row["callsign"].strip(" ")
    letters = set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    return not (1 <= len(trimmed) <= 8 and set(trimmed) <= letters and set(trimmed) != {"0"})


def is_out_of_order(row: Row, time: int | None) -> bool | None:
    times = [t for t in (row["time_position"], row["last_contact"]) if t is not None]
    if time is None or not times:
        return None
    return [*times, time] != sorted([*times, time]) or min(times) < time - 86_400


def claims_too_much(row: Row, time: int | None) -> bool | None:
    longitude, latitude, source = row["longitude"], row["latitude"], row["position_source"]
    if longitude is None or latitude is None or abs(longitude) > 180 or abs(latitude) > 90 or source not in DECIMALS:
        return None
    return any(_has_more_decimals(value, DECIMALS[source]) for value in (longitude, latitude))


def _has_more_decimals(value: float, decimals: int) -> bool:
    scaled = Decimal(value).scaleb(decimals)
    return abs(scaled - scaled.to_integral_value()) > Decimal("1e-6")


def altitude_consistency(rows: Sequence[Row], time: int | None) -> Expected:
    differences = {}
    for i, row in enumerate(rows):
        if row["geo_altitude"] is not None and row["baro_altitude"] is not None:
            difference = row["geo_altitude"] - row["baro_altitude"]
            if math.isfinite(difference):
                differences[i] = difference
    heights = {i: rows[i]["baro_altitude"] for i in differences}
    slope = resistant_slope(heights, differences)
    left = {i: d - slope * heights[i] for i, d in differences.items()}
    middle = median(left.values()) if left else 0
    return shared(len(left), [i for i, d in left.items() if abs(d - middle) > 2000 / 3.28084 + 0.03 * abs(heights[i])])


def resistant_slope(heights: Mapping[int, float], differences: Mapping[int, float]) -> float:
    if len(heights) < 40:
        return 0.0
    ordered = sorted(heights.values())
    lower, upper = ordered[(len(ordered) - 1) // 4], ordered[3 * (len(ordered) - 1) // 4]
    if upper - lower < 1000:
        return 0.0
    low = [i for i, height in heights.items() if height <= lower]
    high = [i for i, height in heights.items() if height >= upper]
    rise = median(differences[i] for i in high) - median(differences[i] for i in low)
    run = median(heights[i] for i in high) - median(heights[i] for i in low)
    return max(-0.15, min(0.15, rise / run))


def has_odd_speed(row: Row, time: int | None) -> bool | None:
    speed = row["velocity"]
    if speed is None or row["on_ground"] is None:
        return None
    if row["on_ground"]:
        return bool(speed > 60 / 1.94384)
    category = row.get("category")
    slow = category in (8, 9, 10, 11, 12, 14, 18, 19, 20)
    gliding = row.get("position_source") == 3 and (category is None or category <= 1)
    return None if slow or gliding else bool(speed < 40 / 1.94384)


def anomaly_detection(rows: Sequence[Row], time: int | None) -> Expected:
    judged, failing = set(), set()
    for feature in ("velocity", "vertical_rate"):
        phases = defaultdict(list)
        for i, row in enumerate(rows):
            if row[feature] is not None and math.isfinite(row[feature]):
                phases[row["flight_phase"]].append((i, row[feature]))
        for phase in ("GROUND", "CLIMB", "DESCENT", "CRUISE", "LEVEL"):
            values = phases[phase]
            if len(values) < 10:
                continue
            moving = [(i, value) for i, value in values if value >= 1]
            if phase == "GROUND" and feature == "velocity" and len(moving) >= 10:
                values = moving
            middle = median(value for _, value in values)
            spread = max(2.0, median(abs(value - middle) for _, value in values))
            judged |= {i for i, _ in values}
            failing |= {i for i, value in values if 0.6745 * abs(value - middle) > 6 * spread}
    return shared(len(judged), sorted(failing))


SIX = ("icao24", "longitude", "latitude", "baro_altitude", "velocity", "last_contact")
CHECKS: dict[str, tuple[tuple[str, ...], Callable[[Sequence[Row], int | None], Expected]]] = {
    "completeness": ((*SIX, "on_ground"), completeness),
    "validity": (SIX[:5], validity),
    "consistency": (("on_ground", *SIX[1:5], "vertical_rate"), by_row(contradicts)),
    "uniqueness": (("icao24",), uniqueness),
    "accuracy": ((*SIX[1:5], "on_ground", "position_source"), by_row(is_incomplete)),
    "timeliness": (("last_contact", "snapshot_time"), by_row(is_late)),
    "altitude_range": (("baro_altitude",), altitude_range),
    "speed_range": (("velocity", "on_ground"), speed_range),
    "coordinate_validity": (("longitude", "latitude"), by_row(is_off_globe)),
    "callsign_format": (("callsign",), by_row(is_no_callsign)),
    "country_code": (("origin_country",), by_row(lambda row, time: row["origin_country"] not in COUNTRIES)),
    "timestamp_consistency": (("time_position", "last_contact", "snapshot_time"), by_row(is_out_of_order)),
    "position_accuracy": (("longitude", "latitude", "position_source"), by_row(claims_too_much)),
    "altitude_consistency": (("baro_altitude", "geo_altitude"), altitude_consistency),
    "speed_consistency": (("velocity", "on_ground"), by_row(has_odd_speed)),
    "anomaly_detection": (("flight_phase", "velocity", "vertical_rate"), anomaly_detection),
}
