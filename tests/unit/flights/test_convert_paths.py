"""The fast path gives the exact path's result for every text, and the exact path gives `json`'s."""

import json
import random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidInput
from chalicelib.flights import states_csv
from chalicelib.flights.columns import STATE_SCHEMA
from chalicelib.flights.convert import Conversion
from tests.properties import FUZZING, examples
from tests.unit.flights.snapshots import (
    CLIMBING,
    CRUISING,
    PARKED,
    TIME,
    altered,
    bits,
    converted,
    exact_only,
    small_pieces,
    text,
)

AWKWARD = ["],[", '"],["', "]]", "],", ", ", ",", "\\", '"', "null", "true", "", " ", "[", "]", "{", "}", "\n", "\r"]
AWKWARD += [
    "\x1f",
    "\t",
    "é",
    "日本",
    "\U0001f6e9",
    "\ud7ff",
    "5",
    "-",
    "a,b",
    'a"b',
    "Iran, Islamic Republic of",
    "x],[y, z",
]
awkward_text = st.sampled_from(AWKWARD)
texts = st.one_of(awkward_text, st.text(max_size=12), st.text("0123456789abcdef", min_size=6, max_size=6))
integers = st.one_of(
    st.integers(0, 2_000_000_000),
    st.integers(-3, 30),
    st.integers(),
    st.sampled_from([2**15 - 1, 2**15, -(2**15) - 1, 2**31, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**30]),
)
reals = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.floats(-1e4, 1e4).map(lambda x: round(x, 4)))
numbers = st.one_of(reals, integers, st.sampled_from([-0.0, 5e-324, 1.7976931348623157e308, 1e22, -1e-7]))
wrong = st.one_of(st.just("12.5"), st.just([]), st.just([1, "a"]), st.just({}), st.just({"a": [1, 2]}), numbers, texts)


def of_type(type_: pa.DataType) -> st.SearchStrategy[Any]:
    if pa.types.is_floating(type_):
        return numbers
    if pa.types.is_integer(type_):
        return integers
    if pa.types.is_boolean(type_):
        return st.booleans()
    if pa.types.is_list(type_):
        return st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3)
    return texts


def field(type_: pa.DataType) -> st.SearchStrategy[Any]:
    return st.one_of(of_type(type_), of_type(type_), st.none(), wrong)


usual = st.sampled_from([CLIMBING, PARKED, CRUISING])
mended = st.builds(
    lambda row, name, value: altered(row, **{name: value}),
    usual,
    st.sampled_from(STATE_SCHEMA.names),
    st.one_of(wrong, st.none()),
)
typed = st.tuples(*[st.one_of(st.none(), of_type(column.type)) for column in STATE_SCHEMA]).map(list)
free = st.tuples(*[field(column.type) for column in STATE_SCHEMA]).map(list)
cut = st.builds(lambda row, length, more: [*row, *more][:length], free, st.integers(0, 20), st.lists(wrong, max_size=2))
not_rows = st.one_of(st.none(), st.integers(), st.just("row"), st.just({"icao24": "3c6444"}), st.just([[1], [2]]))
states = st.lists(st.one_of(usual, usual, mended, typed, free, cut, not_rows), max_size=8)
styles = st.sampled_from([(",", ":"), (",", ":"), (",", ":"), (", ", ": "), (",\n", ":"), (" ,", ":"), (",\t", ":")])


def outcome(content: bytes) -> tuple[Conversion, dict[str, pa.Array]] | str:
    try:
        conversion, table = converted(content)
    except InvalidInput as error:
        return error.message
    return conversion, bits(table)


def agree(content: bytes) -> Conversion | str:
    """Both paths' outcome, which is one: the same values and counts, or error."""
    fast = outcome(content)
    with exact_only():
        exact = outcome(content)
    if isinstance(fast, str) or isinstance(exact, str):
        assert fast == exact
        return fast if isinstance(fast, str) else fast[0]
    assert fast[1] == exact[1]
    for name in ("snapshot_time", "rows", "rejected", "rejected_samples", "bytes_in"):
        assert getattr(fast[0], name) == getattr(exact[0], name)
    return fast[0]


dressed = st.builds(
    lambda row, name, value: altered(row, **{name: value}),
    usual,
    st.sampled_from(["icao24", "callsign", "origin_country", "squawk"]),
    st.one_of(texts, texts.map(lambda word: f"{word}, {word}"), st.none()),
)


@pytest.mark.slow
@examples(50)
@given(st.lists(st.one_of(usual, dressed), min_size=1, max_size=3))
def test_paths_agree_on_any_text(rows: list[Any]) -> None:
    agree(json.dumps({"time": TIME, "states": rows}, separators=(",", ":"), ensure_ascii=False).encode())


@pytest.mark.slow
@examples(50)
@given(states, styles, st.booleans(), st.booleans())
def test_paths_agree_on_any_rows(rows: list[Any], style: tuple[str, str], ascii_only: bool, pieces: bool) -> None:
    content = json.dumps({"time": TIME, "states": rows}, separators=style, ensure_ascii=ascii_only).encode(
        errors="surrogatepass"
    )
    agree(content)
    if pieces:
        with small_pieces(64, 4096):
            agree(content)


SPLICES = [
    "]",
    "[",
    "],[",
    ",",
    '"',
    "\\",
    " ",
    "\n",
    "\r",
    "\t",
    "\x00",
    "\x1f",
    "{",
    "}",
    ".",
    "-",
    "+",
    "e",
    "E",
    "0",
    "00",
]
SPLICES += [
    "0x",
    "NaN",
    "nan",
    "Infinity",
    "-inf",
    "null",
    "true",
    "True",
    "é",
    "\xff",
    "1.",
    ".5",
    "1e400",
    "-0",
    "]]",
    "]}",
]


@pytest.mark.slow
@examples(50)
@given(
    st.lists(usual, min_size=1, max_size=4),
    st.integers(0, 10_000),
    st.integers(0, 3),
    st.sampled_from(SPLICES),
    st.booleans(),
)
def test_paths_agree_on_any_damage(rows: list[Any], place: int, removed: int, splice: str, pieces: bool) -> None:
    content = bytearray(text(rows))
    place %= len(content)
    content[place : place + removed] = splice.encode("latin-1" if splice == "\xff" else "utf-8")
    agree(bytes(content))
    if pieces:
        with small_pieces(64, 4096):
            agree(bytes(content))


@pytest.mark.slow
@pytest.mark.fuzz
@pytest.mark.parametrize("splice", SPLICES)
def test_paths_agree_on_a_splice_anywhere_in_a_row(splice: str) -> None:
    content = text([PARKED, CLIMBING])
    for place in range(content.index(b"],["), len(content) - 1, 1 if FUZZING else 5):
        damaged = content[:place] + splice.encode("latin-1" if splice == "\xff" else "utf-8") + content[place:]
        agree(damaged)


@pytest.mark.slow
@examples(40)
@given(st.lists(typed, min_size=1, max_size=5))
def test_well_typed_rows_come_out_as_json_reads_them(rows: list[list[Any]]) -> None:
    limits = {"time_position": 2**63, "last_contact": 2**63, "position_source": 2**15, "category": 2**15}
    fits = [
        row
        for row in rows
        if all(
            row[i] is None or -limit <= row[i] < limit
            for i, limit in ((STATE_SCHEMA.names.index(n), m) for n, m in limits.items())
        )
        and not any(isinstance(value, int) and abs(value) > 2**1000 for value in row)
    ]
    content = text(rows).decode(errors="replace").encode()
    conversion, table = converted(content)
    assert conversion.rows == len(fits)
    assert conversion.rejected == len(rows) - len(fits)
    for name in STATE_SCHEMA.names:
        i = STATE_SCHEMA.names.index(name)
        expected = [row[i] for row in fits]
        if name == "callsign":
            expected = [(value or "").strip(" ") or None for value in expected]
        elif STATE_SCHEMA.field(name).type == pa.float64():
            expected = [None if value is None else float(value) for value in expected]
        assert table[name].to_pylist() == expected


def test_traffic_takes_the_fast_path_and_agrees() -> None:
    draw = random.Random(7)
    rows = [
        altered(
            draw.choice([CLIMBING, PARKED, CRUISING]),
            icao24=f"{draw.randrange(1 << 24):06x}",
            longitude=round(draw.uniform(-180, 180), 4),
            latitude=draw.choice([None, 0, round(draw.uniform(-90, 90), 4)]),
            vertical_rate=draw.choice([0, 0.0, -0.33, 12.68, None, 1e-5]),
            squawk=draw.choice([None, "0000", "7500"]),
        )
        for _ in range(300)
    ]
    conversion = agree(text(rows))
    assert isinstance(conversion, Conversion)
    assert (conversion.path, conversion.rows) == ("fast", 300)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (altered(CLIMBING, origin_country="a\\b"), "a backslash in a string"),
        (altered(CLIMBING, origin_country="a],[b"), "rows of 3 fields"),
        (altered(CLIMBING, squawk="a],[b"), "rows of 15 fields"),
        (altered(CLIMBING[:17], origin_country="a,b"), "CSV conversion error"),
        (altered(CLIMBING, origin_country="a[b"), "a bracket that starts no row"),
        (altered(CLIMBING, origin_country="a,b"), "rows of 19 fields"),
        (altered(CLIMBING, velocity="12.5"), "CSV conversion error"),
        (altered(CLIMBING, squawk=7700), "a value that is not a string"),
        (CLIMBING[:16], "rows of 16 fields"),
        ([*CLIMBING, 1], "rows of 19 fields"),
    ],
)
def test_doubt_is_given_with_its_reason_and_leaves_the_text_as_it_was(row: list[Any], reason: str) -> None:
    content = text([row, row])
    start, end = content.index(b"[[") + 1, content.rindex(b"]]") + 1
    buffer = bytearray(content)
    with pytest.raises(states_csv.Doubt, match=reason):
        states_csv.parse_csv(buffer, start, end)
    assert buffer == content
    assert reason in (converted(content)[0].fallback_reason or "")


def test_line_breaks_are_doubted_before_anything_is_changed() -> None:
    content = text([CLIMBING, PARKED]).replace(b"8.5622,", b"8.5622,\n\n\n")
    buffer = bytearray(content)
    with pytest.raises(states_csv.Doubt, match="line breaks between values"):
        states_csv.parse_csv(buffer, content.index(b"[[") + 1, content.rindex(b"]]") + 1)
    assert buffer == content
    agree(content)


def test_only_the_doubtful_piece_is_read_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    parse = states_csv.parse_csv

    def counted(*arguments: Any) -> pa.RecordBatch:
        batch = parse(*arguments)
        read.append(batch.num_rows)
        return batch

    monkeypatch.setattr(states_csv, "parse_csv", counted)
    with small_pieces(1500, 1500):
        conversion, _ = converted(text([CLIMBING] * 50 + [altered(CLIMBING, sensors=[3])] + [CLIMBING] * 50))
    assert (conversion.rows, conversion.path) == (101, "exact")
    assert 80 < sum(read) < 101
