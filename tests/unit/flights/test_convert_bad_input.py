"""What is no snapshot is refused with its place; a row that is no state vector is left out and counted."""

import gzip
import io
import json
import zlib
from typing import Any

import pytest

from chalicelib.errors import InvalidInput, TooLarge
from chalicelib.flights.convert import SnapshotLimits, convert
from tests.unit.flights.snapshots import (
    CLIMBING,
    CRUISING,
    PARKED,
    TIME,
    altered,
    converted,
    exact_only,
    small_pieces,
    text,
)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (CLIMBING[:16], "Expected array of at least length 17, got 16"),
        ([], "Expected array of at least length 17, got 0"),
        (None, "Expected array, got null"),
        (5, "Expected array, got int"),
        ({"icao24": "3c6444"}, "Expected array, got object"),
        (altered(CLIMBING, velocity="100.0"), "velocity: Expected float or null, got str"),
        (altered(CLIMBING, last_contact="1633607999"), "last_contact: Expected int or null, got str"),
        (altered(CLIMBING, last_contact=1633607999.5), "last_contact: Expected int or null, got float"),
        (altered(CLIMBING, last_contact=2**63), "last_contact: Expected int <= 9223372036854775807"),
        (altered(CLIMBING, category=70_000), "category: Expected int <= 32767"),
        (altered(CLIMBING, on_ground=0), "on_ground: Expected bool or null, got int"),
        (altered(CLIMBING, on_ground="false"), "on_ground: Expected bool or null, got str"),
        (altered(CLIMBING, longitude=True), "longitude: Expected float or null, got bool"),
        (altered(CLIMBING, squawk=21), "squawk: Expected str or null, got int"),
        (altered(CLIMBING, icao24=3), "icao24: Expected str or null, got int"),
        (altered(CLIMBING, sensors=7), "sensors: Expected array or null, got int"),
        (altered(CLIMBING, sensors=[1, "b"]), "sensors[1]: Expected int, got str"),
        (altered(CLIMBING, sensors=[2**31]), "sensors[0]: Expected int <= 2147483647"),
    ],
)
def test_a_malformed_row_is_left_out_and_counted(row: Any, reason: str) -> None:
    conversion, table = converted(text([PARKED, row, CRUISING]))
    assert (conversion.rows, conversion.rejected, conversion.path) == (2, 1, "exact")
    (sample,) = conversion.rejected_samples
    assert sample.row == 1
    assert sample.reason.startswith(reason)
    assert table["icao24"].to_pylist() == [PARKED[0], CRUISING[0]]


def test_a_number_beyond_doubles_rejects_its_row() -> None:
    content = text([CLIMBING, altered(CLIMBING, velocity=-77), PARKED]).replace(b"-77", b"1e400")
    conversion, _ = converted(content)
    assert (conversion.rows, conversion.rejected) == (2, 1)
    assert conversion.rejected_samples[0].reason == "velocity: Number out of range"


def test_at_most_five_samples_across_pieces_with_their_own_indices() -> None:
    states = [CLIMBING[:3] if i % 10 == 3 else CLIMBING for i in range(100)]
    with small_pieces():
        conversion, _ = converted(text(states))
    assert (conversion.rows, conversion.rejected) == (90, 10)
    assert [sample.row for sample in conversion.rejected_samples] == [3, 13, 23, 33, 43]


def test_all_rows_malformed_is_still_a_snapshot() -> None:
    conversion, table = converted(text([[], None]))
    assert (conversion.rows, conversion.rejected, table.num_rows) == (0, 2, 0)


@pytest.mark.parametrize(
    "literal", [b"NaN", b"Infinity", b"-Infinity", b"nan", b"-nan", b"inf", b"01", b"1.", b".5", b"0x10", b"+1"]
)
def test_what_json_has_not_is_named_with_its_place(literal: bytes) -> None:
    content = text([PARKED] * 3 + [altered(CLIMBING, velocity=-77)] + [CRUISING]).replace(b"-77", literal)
    for pieces in (300, 1 << 20):
        with small_pieces(pieces, pieces), pytest.raises(InvalidInput, match="is not JSON at byte") as caught:
            converted(content)
        place = int(caught.value.message.split("at byte ")[1].split(",")[0])
        assert abs(place - content.index(b"," + literal)) <= len(literal) + 2
        assert literal.decode() in caught.value.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "snapshot: is not JSON at byte 0"),
        (b"   ", "snapshot: is not JSON at byte 3"),
        (b"not json", "snapshot: is not JSON at byte"),
        (b"<html>blocked</html>", "snapshot: is not JSON at byte 0"),
        (b"[1,2]", "snapshot: Expected object, got array"),
        (b"null", "snapshot: Expected object, got null"),
        (b"{}", "snapshot: Object missing required field states"),
        (b'{"time":5}', "snapshot: Object missing required field states"),
        (b'{"states":[]}', "snapshot: Object missing required field time"),
        (b'{"states":null}', "snapshot: Object missing required field time"),
        (b'{"states":[[1]],"Time":5}', "snapshot: Object missing required field time"),
        (b'{"time":null,"states":[]}', "time: Expected int, got null"),
        (b'{"time":"5","states":[]}', "time: Expected int, got str"),
        (b'{"time":1.5,"states":null}', "time: Expected int, got float"),
        (b'{"time":-1,"states":[]}', "time: Expected int >= 0"),
        (b'{"time":99999999999999,"states":[]}', "time: Expected int <= 253402300799"),
        (b'{"time":5,"states":{}}', "states: Expected array or null, got object"),
        (b'{"time":5,"states":"x"}', "states: Expected array or null, got str"),
        (b'{"time":5,"states":[],"states":[[1]]}', "states: Expected array of length <= 0"),
        (b'{"time":5,"states":[],"time":6}', "time: is given twice, as 5 and as 6"),
        (b'{"time":5,"states":[]', "snapshot: is not JSON at byte 21"),
        (b'{"time":5,"states":[]}x', "snapshot: is not JSON at byte 23"),
        (b'{"time":5,"states":[],}', "snapshot: is not JSON at byte 22"),
        (b'{"time":5 "states":[]}', "snapshot: is not JSON at byte 10"),
        (b'{"time":5,"states":[', "snapshot: ends at byte 20"),
        (b'{"time":5,"states":[[', "snapshot: has '[' at byte 20"),
        (b'{"time":5,"states":[["a","', "snapshot: has"),
        (b'\xef\xbb\xbf{"time":5,"states":[]}', "snapshot: is not JSON at byte 0"),
        ('{"time":5,"states":[]}'.encode("utf-16"), "snapshot: byte 0 is 0xff, which is not UTF-8"),
        (b'{"time":5,"a":"\xff","states":[]}', "snapshot: byte 15 is 0xff, which is not UTF-8"),
        (b'{"time":5,"states":[],"a":"\xfe"}', "snapshot: byte 27 is 0xfe, which is not UTF-8"),
    ],
)
def test_what_is_no_snapshot_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        converted(content)
    assert caught.value.message.startswith(message)
    assert "expected" in caught.value.message


@pytest.mark.parametrize("field", ["icao24", "callsign", "origin_country", "squawk"])
def test_text_that_is_not_utf8_is_named_with_its_place(field: str) -> None:
    content = text([CLIMBING, altered(PARKED, **{field: "abcd?f"})]).replace(b"?", b"\xe9")
    with pytest.raises(InvalidInput) as caught:
        converted(content)
    assert f"byte {content.index(0xE9)} is 0xe9, which is not UTF-8" in caught.value.message


@pytest.mark.parametrize("between", [b"] [", b"],,[", b"][", b"],5 [", b"]:["])
def test_rows_want_one_comma_between_them(between: bytes) -> None:
    states = [altered(CLIMBING, velocity=i) for i in range(20)]
    content = text(states)
    places = [i for i in range(len(content)) if content.startswith(b"],[", i)]
    for place in places:
        with small_pieces(), pytest.raises(InvalidInput):
            converted(content[:place] + between + content[place + 3 :])


@pytest.mark.parametrize("damage", [b"] [", b"],]", b"],,["])
def test_a_border_between_rows_may_fall_on_one_between_pieces(damage: bytes) -> None:
    content = text([CLIMBING] * 4)
    place = content.rindex(b"],[")
    damaged = content[:place] + damage + content[place + 3 :] if damage != b"],]" else content[:place] + damage + b"}"
    for first in range(place - 6, place + 6):
        with exact_only(), small_pieces(first, 4096):
            assert converted(content)[0].rows == 4
            with pytest.raises(InvalidInput):
                converted(damaged)


@pytest.mark.parametrize("ending", [b"],]", b"],", b"", b"]]]", b"]}", b'],"'])
def test_the_end_of_the_rows_is_exact(ending: bytes) -> None:
    for rows in (1, 2, 9, 10):
        content = text([CLIMBING] * rows).removesuffix(b"]]}") + ending + b"}"
        with small_pieces(), pytest.raises(InvalidInput):
            converted(content)


@pytest.mark.slow
def test_every_truncation_is_refused() -> None:
    content = text([CLIMBING, PARKED, CRUISING])
    for length in range(len(content)):
        with pytest.raises(InvalidInput):
            converted(content[:length])
        with small_pieces(64, 4096), pytest.raises(InvalidInput):
            converted(content[:length])


def test_every_truncation_of_gzip_is_refused() -> None:
    content = gzip.compress(text([CLIMBING, PARKED, CRUISING] * 4))
    for length in range(2, len(content)):
        with pytest.raises(InvalidInput, match="gzip") as caught:
            converted(content[:length])
        assert caught.value.problems[0].field == "gzip"


def test_truncated_gzip_says_how_far_it_came() -> None:
    content = text([altered(CLIMBING, icao24=f"{i * 7919 % (1 << 24):06x}") for i in range(5000)])
    compressed = gzip.compress(content)
    with (
        small_pieces(4096, 65_536),
        pytest.raises(InvalidInput, match=r"ends within a member, after \d+ bytes of text"),
    ):
        converted(compressed[: len(compressed) // 2])


@pytest.mark.parametrize("place", [5, 40, -6, -2])
def test_damaged_gzip_is_refused(place: int) -> None:
    content = bytearray(gzip.compress(text([CLIMBING, PARKED, CRUISING])))
    content[place % len(content)] ^= 0xFF
    if place == 5:  # the modification time: not part of the text, and not protected
        assert converted(bytes(content))[0].rows == 3
        return
    with pytest.raises(InvalidInput):
        converted(bytes(content))


def test_rubbish_after_gzip_is_refused() -> None:
    with pytest.raises(InvalidInput, match="gzip"):
        converted(gzip.compress(text([CLIMBING])) + b"rubbish")


def bomb(head: bytes, block: bytes, blocks: int, tail: bytes) -> bytes:
    packer = zlib.compressobj(1, wbits=31)
    return b"".join(
        [packer.compress(head), *(packer.compress(block) for _ in range(blocks)), packer.compress(tail), packer.flush()]
    )


HEAD = b'{"time":%d,"states":[' % TIME


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "block"),
    [
        (HEAD, b" " * 1_000_000),
        (HEAD + b'["', b"a" * 1_000_000),
        (HEAD, b"[" * 1_000_000),
        (HEAD, b"1," * 500_000),
        (b"", b" " * 1_000_000),
        (b'{"a":"', b"x" * 1_000_000),
        (b'{"a":[', b"[],[],[]," * 100_000),
        (HEAD + b"]", b" " * 1_000_000),
        (HEAD + b'],"a":"', b" " * 1_000_000),
    ],
)
def test_a_bomb_is_refused_long_before_it_is_unpacked(head: bytes, block: bytes) -> None:
    content = bomb(head, block, 40, b"")
    source = io.BytesIO(content)
    with pytest.raises(InvalidInput):
        convert(source, io.BytesIO(), limits=SnapshotLimits(max_bytes_decompressed=30_000_000))


def test_a_bomb_of_good_rows_is_refused_by_each_limit() -> None:
    rows = (json.dumps(CLIMBING, separators=(",", ":")) + ",").encode() * 1000
    content = bomb(HEAD, rows, 60, rows[:-1] + b"]}")
    with pytest.raises(TooLarge, match="at most 1000000 bytes when decompressed"):
        convert(io.BytesIO(content), io.BytesIO(), limits=SnapshotLimits(max_bytes_decompressed=1_000_000))
    with pytest.raises(TooLarge, match="has more than 50000 rows"):
        convert(io.BytesIO(content), io.BytesIO(), limits=SnapshotLimits(max_rows=50_000))
    assert convert(io.BytesIO(content), io.BytesIO()).rows == 61_000


def test_a_row_larger_than_the_buffer_is_refused_by_that_limit() -> None:
    content = text([CLIMBING, altered(CLIMBING, origin_country="x" * 5000), CLIMBING])
    with small_pieces(400, 2000), pytest.raises(TooLarge, match="has a row of over 2000 bytes at byte"):
        converted(content)
    with small_pieces(400, 8000):
        assert converted(content)[0].rows == 3
