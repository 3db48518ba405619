"""The ends of records: quotation marks, line ends, and a grid that does not depend on the reader."""

import csv
import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidInput, TooLarge
from chalicelib.predictions import records
from chalicelib.predictions.records import cut_blocks, read_header, record_ends, split_record, stray_quote

FIELD = st.one_of(st.text('ab1.,"\n ', max_size=6), st.floats(-1e3, 1e3).map(repr))
ROWS = st.lists(st.lists(FIELD, min_size=2, max_size=4), min_size=1, max_size=30)
TERMINATORS = st.sampled_from(["\n", "\r\n"])


def written(rows: list[list[str]], terminator: str) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator=terminator).writerows(rows)
    return out.getvalue().encode()


def chunked(data: bytes, sizes: list[int]) -> list[bytes]:
    chunks, at = [], 0
    for size in sizes:
        chunks.append(data[at : at + size])
        at += size
    return [*chunks, data[at:]]


@given(ROWS, TERMINATORS, st.integers(1, 64), st.integers(0, 100), st.lists(st.integers(0, 40), max_size=20))
def test_blocks_are_whole_records_on_the_grid_however_the_bytes_arrive(rows, terminator, grid, start, sizes):
    data = written(rows, terminator)

    blocks = list(cut_blocks(chunked(data, sizes), start, grid))

    assert b"".join(blocks) == data
    assert blocks == list(cut_blocks([data], start, grid))
    at = start
    for block in blocks:
        assert len(block) > 0
        ends = [start_of + at for start_of in (record_ends(block) + 1).tolist()]
        assert all(end // grid == at // grid for end in ends[:-1])
        at += len(block)
        assert at // grid > (at - len(block)) // grid or at == start + len(data)


@given(ROWS, TERMINATORS)
def test_records_and_fields_are_those_of_the_csv_module(rows, terminator):
    data = written(rows, terminator)
    assert stray_quote(data) is None

    starts = [0, *(record_ends(data) + 1).tolist()]
    found = [
        [field.decode() for field in split_record(data[start : end - 1].removesuffix(b"\r"), 99)]
        for start, end in itertools.pairwise(starts)
    ]

    assert found == rows


@given(st.binary(max_size=60).map(lambda raw: raw.translate(bytes(b'ab,"\n"\r'[byte % 7] for byte in range(256)))))
def test_a_stray_mark_is_one_at_which_the_fields_of_a_record_cannot_be_told(data):
    starts = [0, *(record_ends(data) + 1).tolist()]
    problems = 0
    for start, end in itertools.pairwise(starts):
        try:
            split_record(data[start : end - 1].removesuffix(b"\r"), 99)
        except ValueError:
            problems += 1

    bare_return_after_a_field = b'"\r' in data  # a CR in the middle of a line is for the field splitter to refuse
    if not bare_return_after_a_field:
        assert (stray_quote(data) is not None) == (problems > 0)


@pytest.mark.parametrize(
    ("start", "columns", "terminator"),
    [
        (b"a,b\n1,2\n", ("a", "b"), b"\n"),
        (b"a,b\r\n1,2\r\n", ("a", "b"), b"\r\n"),
        (b"\xef\xbb\xbfa,b\n", ("a", "b"), b"\n"),
        (b'"a,""x""\nb",c\n', ('a,"x"\nb', "c"), b"\n"),
        (b"a,b", ("a", "b"), b"\n"),
        ("größe,b\n".encode(), ("größe", "b"), b"\n"),
        (b"a,a,\n", ("a", "a", ""), b"\n"),
    ],
)
def test_headers(start, columns, terminator):
    header = read_header(start)
    assert header.columns == columns
    assert header.terminator == terminator
    assert start.startswith(header.raw)


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (b"", "empty_data"),
        (b"\xef\xbb\xbf", "empty_data"),
        (b"\n\n", "empty_data"),
        ("a,b\n".encode("utf-16"), "not_utf8"),
        ("größe,b\n".encode("latin-1"), "not_utf8"),
        (b"a,b\r1,2\r3,4", "malformed_csv"),
        (b'a,b"c\n1,2\n', "malformed_csv"),
        (b'a,"b\n1,2\n', "malformed_csv"),
        (b"\na,b\n", "malformed_csv"),
    ],
)
def test_headers_that_are_refused(start, code):
    with pytest.raises(InvalidInput) as refused:
        read_header(start)
    assert refused.value.code == code


def test_a_header_without_an_end_is_refused():
    with pytest.raises(TooLarge) as refused:
        read_header(b"a" * records.MAX_HEADER_BYTES)
    assert refused.value.code == "record_too_long"


def test_a_record_without_an_end_is_refused_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 1000)
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield b'"' + b"x" * 99 + b'"'

    with pytest.raises(TooLarge) as refused:
        list(cut_blocks(endless(), 0, 100))
    assert refused.value.code == "record_too_long"
    assert len(taken) < 20


@pytest.mark.parametrize(
    ("block", "at"),
    [
        (b'a"b,c\n', 1),
        (b'1,5" pipe\n', 3),
        (b'"a"b,c\n', 2),
        (b'"a\n', 0),
        (b'a,""b"\n', 3),
        (b'"a""b","c"\n""\n', None),
        (b'"""a""",","\r\n', None),
    ],
)
def test_stray_quotation_marks(block, at):
    assert stray_quote(block) == at
