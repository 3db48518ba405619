"""One bad row costs one row: every field with every kind of damage that JSON allows."""

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.flights.columns import STATE_SCHEMA
from tests.properties import examples
from tests.unit.flights.snapshots import CLIMBING, CRUISING, PARKED, TIME, converted, small_pieces

GOOD = [json.dumps(row, separators=(",", ":")) for row in (CLIMBING, PARKED, CRUISING)]
DEEP = "[" * 5000 + "]" * 5000
DAMAGE = [
    '"\\ud83d"', '"\\udc00x"', '"a\\ud800\\u0041"', '"\\\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"', '"],["', "null",
    "true", "1770000000.0", "1e9", "1e400", "-1e400", "9" * 400, "9" * 5000, "1e-400", "-0.0", "2.5", '"12.5"', '""',
    "[]", "[1]", "[1.0]", '["a"]', "{}", '{"a":1,"a":2}', '{"a":{"a":[]}}', DEEP, '{"a":' * 5000 + "1" + "}" * 5000,
    '"' + "x" * 5000 + '"',
]  # fmt: skip
ROWS = ["null", "5", '"x"', "[]", "{}", '{"icao24":"3c6444"}', DEEP, "[" + ",".join(["null"] * 16) + "]", "1e400"]


def with_field(place: int, value: str) -> str:
    row = [json.dumps(each) for each in CLIMBING]
    row[place] = value
    return f"[{','.join(row)}]"


def plain(row: str) -> bool:
    """Whether Python's own reader makes a state vector of the row, judged field by field."""
    try:
        values = json.loads(row)
    except (RecursionError, ValueError):  # Python reads no integers of more than 4300 digits
        return False
    return isinstance(values, list) and len(values) >= 17 and all(map(fits, STATE_SCHEMA, values))


def fits(field: Any, value: Any) -> bool:
    kind = str(field.type)
    if value is None:
        return True
    if kind.startswith("list"):
        return isinstance(value, list) and all(type(each) is int and abs(each) < 2**31 for each in value)
    if kind == "bool":
        return isinstance(value, bool)
    if kind.startswith("int"):
        whole = type(value) is int or (type(value) is float and value.is_integer())
        return whole and -(2 ** (field.type.bit_width - 1)) <= value < 2 ** (field.type.bit_width - 1)
    if kind == "double":
        return type(value) in {int, float} and abs(value) <= sys.float_info.max
    return isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value)


def snapshot(rows: list[str]) -> bytes:
    return f'{{"time":{TIME},"states":[{",".join(rows)}]}}'.encode()


def check(rows: list[str]) -> None:
    expected = [plain(row) for row in rows]
    conversion, table = converted(snapshot(rows))
    assert (conversion.rows, conversion.rejected) == (sum(expected), len(rows) - sum(expected))
    assert table.num_rows == conversion.rows
    assert [sample.row for sample in conversion.rejected_samples] == [n for n, fine in enumerate(expected) if not fine][
        :5
    ]
    assert all(sample.reason for sample in conversion.rejected_samples)


@pytest.mark.slow
@pytest.mark.parametrize("place", range(18), ids=STATE_SCHEMA.names)
def test_every_field_with_every_damage(place: int) -> None:
    for value in DAMAGE:
        check([GOOD[0], with_field(place, value), *GOOD[1:]])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[:12])
def test_every_row_that_is_none(row: str) -> None:
    check([GOOD[0], row, *GOOD[1:]])
    check([row, *GOOD])


damaged = st.builds(with_field, st.integers(0, 17), st.sampled_from(DAMAGE))


@pytest.mark.slow
@given(st.lists(st.sampled_from(GOOD) | st.sampled_from(ROWS) | damaged, max_size=12), st.booleans())
@examples(50)
def test_rows_in_are_rows_kept_and_rows_rejected(rows: list[str], small: bool) -> None:
    if small:
        with small_pieces(most=1 << 16):
            check(rows)
    else:
        check(rows)


def test_an_archive_with_float_seconds_is_read_whole() -> None:
    rows = [json.dumps([*row[:3], float(row[3]), float(row[4]), *row[5:]]) for row in (CLIMBING, PARKED, CRUISING)]
    conversion, table = converted(snapshot(rows))
    assert (conversion.rows, conversion.rejected) == (3, 0)
    assert table["last_contact"].to_pylist() == [CLIMBING[4], PARKED[4], CRUISING[4]]
