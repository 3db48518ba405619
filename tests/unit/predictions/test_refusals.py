"""A single call's refusals of requests, data and values: each has its code and writes no output."""

import gzip
import io
import sys
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chalicelib.entry.invocations import proxy_status
from chalicelib.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
)
from chalicelib.predictions import streams, tables
from chalicelib.predictions.models import parse_event
from tests.sizes import sized
from tests.unit.predictions.studio import (
    CSV_GZ,
    DATA,
    MODEL,
    OUTPUT,
    OUTPUT_GZ,
    OUTPUT_PARQUET,
    PARQUET,
    Machine,
    csv_of,
    parquet_of,
    refusal,
    rows,
    trained,
)


@pytest.mark.parametrize(
    ("changes", "kind", "code"),
    [
        ({"data_s3_uri": "http://data/in/rows.csv"}, InvalidInput, "malformed_uri"),
        ({"data_s3_uri": "s3://data"}, InvalidInput, "malformed_uri"),
        ({"data_s3_uri": "s3://data/in/"}, InvalidInput, "malformed_uri"),
        ({"data_s3_uri": "s3://DATA/in/rows.csv"}, InvalidInput, "malformed_uri"),
        ({"data_s3_uri": "s3://data/in/rows\n.csv"}, InvalidInput, "malformed_uri"),
        ({"model_s3_uri": "s3://models/" + "é" * 600}, InvalidInput, "malformed_uri"),
        ({"data_s3_uri": "s3://data/in/rows.txt"}, InvalidInput, "unknown_format"),
        ({"data_s3_uri": "s3://data/in/rows.csv.zip"}, InvalidInput, "unknown_format"),
        ({"data_s3_uri": "s3://data/in/rows.zip", "format": "csv"}, InvalidInput, "unknown_format"),
        ({"data_s3_uri": "s3://data/in/rows.parquet.gz"}, InvalidInput, "unknown_format"),
        ({"data_s3_uri": "s3://data/elsewhere/rows.csv"}, Forbidden, "not_allowed"),
        ({"data_s3_uri": "s3://output/out/rows.csv"}, Forbidden, "not_allowed"),
        ({"model_s3_uri": "s3://data/in/model.skops"}, Forbidden, "not_allowed"),
        ({"output_s3_uri": "s3://models/other.skops"}, Forbidden, "not_allowed"),
        ({"feature_columns": ("x", "x")}, InvalidInput, "duplicate_feature"),
        ({"feature_columns": ("x", "z")}, InvalidInput, "features_mismatch"),
        ({"prediction_column_name": "x"}, InvalidInput, "column_exists"),
        ({"prediction_column_name": "id"}, InvalidInput, "column_exists"),
        ({"data_s3_uri": "s3://data/in/none.csv"}, NotFound, "no_such_object"),
        ({"model_s3_uri": "s3://models/none.skops"}, InvalidInput, "manifest_missing"),
        ({"probabilities": True}, InvalidInput, "no_probabilities"),
    ],
)
def test_requests_that_are_refused(ready, changes, kind, code):
    error = refusal(ready, **changes)
    assert isinstance(error, kind)
    assert error.code == code
    assert proxy_status(error) == 400


def test_output_equal_to_input_is_refused(ready):
    before = ready.objects.get(DATA)
    with pytest.raises(InvalidInput) as refused:
        ready.predict(output_s3_uri=DATA, overwrite=True)
    assert refused.value.code == "output_is_input"
    assert ready.objects.get(DATA) == before


def test_an_output_that_exists_stays_unless_overwriting_is_asked_for(ready):
    ready.objects.put(OUTPUT, b"precious")
    with pytest.raises(Conflict) as refused:
        ready.predict()
    assert refused.value.code == "output_exists"
    assert ready.objects.get(OUTPUT) == b"precious"

    ready.predict(overwrite=True)
    assert ready.objects.get(OUTPUT).startswith(b"id,x,y,price\n")


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (b"", "empty_data", "is empty"),
        (b"id,x,y\n", "empty_data", "has a header and no rows"),
        (b"id,x,y\n\n\n", "empty_data", "has a header and no rows"),
        (b"id,x\na,1\n", "missing_column", "'y' is not in the data; expected one of 'id', 'x'"),
        (b"id;x;y\na;1,5;2\n", "missing_column", "data_s3_uri: has ';' between its columns; expected commas"),
        (b"id\tx\ty\na\t1\t2\n", "missing_column", "data_s3_uri: has '\\t' between its columns; expected commas"),
        (b"id,x,x,y\na,1,1,2\n", "duplicate_column", "'x' is 2 times in the data"),
        (b"id,x,y\na,1\n", "ragged_row", "row 1: has 2 fields"),
        (b"id,x,y\na,1,2,3\n", "ragged_row", "row 1: has 4 fields"),
        (b"id,x,y\na,1,two\n", "non_numeric_feature", "row 1, column 'y': is 'two'"),
        (b"id,x,y\na,1,\n", "missing_value", "row 1, column 'y': is missing"),
        (b"id,x,y\na,-inf,2\n", "infinite_value", "row 1, column 'x': is infinite"),
        (b'id,x,y\na"b,1,2\n', "malformed_csv", "row 1: has a quotation mark inside"),
        (b'id,x,y\n"a,1,2\n', "malformed_csv", "row 1: has a quotation mark that is never closed"),
        ("id,x,y\na,1,2\n".encode("utf-16"), "not_utf8", "is UTF-16"),
    ],
)
def test_data_that_is_refused(ready, data, code, message):
    ready.objects.put(DATA, data)
    error = refusal(ready)
    assert error.code == code
    assert message in error.message
    assert proxy_status(error) == 400


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("parquet", [False, True])
def test_a_value_beyond_what_a_forest_takes_is_refused_by_its_row(studio, parquet):
    studio.publish(trained("forest"))
    matrix = rows(9)
    matrix[6, 1] = 1e300
    studio.objects.put(PARQUET if parquet else DATA, parquet_of(matrix) if parquet else csv_of(matrix))
    error = refusal(studio, data_s3_uri=PARQUET if parquet else DATA)
    assert (error.code, proxy_status(error)) == ("value_refused", 400)
    assert error.message.startswith("row 7: ")


def test_the_row_of_an_error_is_that_of_the_file_whatever_block_it_is_in(ready, monkeypatch):
    monkeypatch.setattr("chalicelib.predictions.estimators.GRID_BYTES", 500)
    lines = csv_of(rows(500)).splitlines()
    lines[321] = b"bad,1,oops"
    ready.objects.put(DATA, b"\n".join(lines))

    assert refusal(ready).message.startswith("row 321, column 'y': is 'oops'")


@pytest.mark.parametrize(
    ("place", "header", "row", "bad", "number"),
    [
        (DATA, b"id,x,y\n", b"r,0.1,0.2\n", b"r,0.1,two\n", 999_999),
        ("s3://data/in/rows.jsonl", b"", b'{"x":0.1,"y":0.2}\n', b'{"x":0.1,"y":"two"}\n', sized(399_999, 999_999)),
    ],
    ids=["csv", "jsonl"],
)
@pytest.mark.slow
@pytest.mark.load
def test_text_in_a_number_column_far_down_is_named_in_a_call_and_in_a_job(ready, place, header, row, bad, number):
    ready.objects.put(place, header + row * (number - 1) + bad + row)
    wanted = f"row {number}, column 'y': is 'two'; expected a number"
    error = refusal(ready, data_s3_uri=place)
    assert (error.code, error.message) == ("non_numeric_feature", wanted)

    machine = Machine(ready, part_bytes=4 << 20)
    with pytest.raises(InvalidInput):
        machine.run(data_s3_uri=place)
    failed = machine.jobs.get("job").error
    assert (failed.code, failed.message) == ("non_numeric_feature", wanted)
    assert ready.objects.get(OUTPUT) is None


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_data"),
        (b"PAR1 and then nothing", "malformed_parquet"),
        (parquet_of(rows(0)), "empty_data"),
        (parquet_of(rows(100))[:-50], "malformed_parquet"),
        (parquet_of(rows(2), y=pa.array(["1", "2"])), "non_numeric_feature"),
        (parquet_of(np.array([[1.0, np.inf]])), "infinite_value"),
    ],
)
def test_parquet_that_is_refused(ready, data, code):
    ready.objects.put(PARQUET, data)
    assert refusal(ready, data_s3_uri=PARQUET, output_s3_uri=OUTPUT_PARQUET).code == code


def test_parquet_that_is_broken_inside_is_refused(ready):
    data = bytearray(parquet_of(rows(500)))
    data[200:900] = b"\xaa" * 700
    ready.objects.put(PARQUET, bytes(data))
    assert refusal(ready, data_s3_uri=PARQUET, output_s3_uri=OUTPUT_PARQUET).code == "malformed_parquet"


def test_what_has_no_text_does_not_go_from_parquet_to_csv(ready):
    ready.objects.put(PARQUET, parquet_of(rows(2), more=pa.array([[1], [2]])))
    error = refusal(ready, data_s3_uri=PARQUET)
    assert (error.code, proxy_status(error)) == ("unsupported_column", 400)

    ready.predict(data_s3_uri=PARQUET, output_s3_uri=OUTPUT_PARQUET)
    assert pq.read_table(io.BytesIO(ready.objects.get(OUTPUT_PARQUET)))["more"].to_pylist() == [[1], [2]]


def test_two_columns_of_one_name_do_not_go_from_csv_to_parquet(ready):
    ready.objects.put(DATA, b"id,id,x,y\na,b,1,2\n")
    assert refusal(ready, output_s3_uri=OUTPUT_PARQUET).code == "duplicate_column"


def test_a_row_group_that_would_fill_the_memory_is_refused(ready, monkeypatch):
    monkeypatch.setattr(tables, "MAX_ROW_GROUP_BYTES", 1000)
    ready.objects.put(PARQUET, parquet_of(rows(500)))
    assert refusal(ready, data_s3_uri=PARQUET, output_s3_uri=OUTPUT_PARQUET).code == "row_group_too_large"


def test_text_that_parquet_cannot_hold_is_named(ready):
    ready.objects.put(DATA, b"id,x,y\na,1,2\ngr\xfcn,1,2\n")
    error = refusal(ready, output_s3_uri=OUTPUT_PARQUET)
    assert (error.code, error.message.split(":")[0]) == ("not_utf8", "row 2")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"id,x,y\na,1,2\n", "corrupt_gzip"),
        (gzip.compress(csv_of(rows(500)), mtime=0)[:-9], "corrupt_gzip"),
        (gzip.compress(csv_of(rows(5)), mtime=0) + b"trailing", "corrupt_gzip"),
    ],
)
def test_gzip_that_is_refused(ready, data, code):
    ready.objects.put(CSV_GZ, data)
    assert refusal(ready, data_s3_uri=CSV_GZ, output_s3_uri=OUTPUT_GZ).code == code


def test_a_gzip_bomb_is_refused(ready, monkeypatch):
    monkeypatch.setattr(streams, "RATIO_FREE_BYTES", 1_000_000)
    packer = zlib.compressobj(9, wbits=31)
    bomb = packer.compress(b"id,x,y\n") + packer.compress(b"a,1,2\n" * 2_000_000) + packer.flush()
    ready.objects.put(CSV_GZ, bomb)
    error = refusal(ready, data_s3_uri=CSV_GZ, output_s3_uri=OUTPUT_GZ)
    assert error.code == "gzip_bomb"
    assert proxy_status(error) == 400


def test_gzip_of_many_empty_members_copies_no_more_than_a_piece_for_each(monkeypatch):
    copied = []

    class Member:
        """A member of gzip that counts what zlib copies behind it."""

        def __init__(self, wbits):
            self._member = decompressobj(wbits=wbits)

        def __getattr__(self, name):
            value = getattr(self._member, name)
            if name == "unused_data":
                copied.append(len(value))
            return value

    decompressobj = zlib.decompressobj
    monkeypatch.setattr(streams.zlib, "decompressobj", Member)
    empty = gzip.compress(b"", mtime=0)

    assert list(streams.gunzip([empty * 10_000 + gzip.compress(b"text")])) == [b"text"]
    assert max(copied) < 100_000 < len(empty) * 10_000


def test_a_gzip_bomb_without_a_line_is_refused_by_its_header(ready):
    ready.objects.put(CSV_GZ, gzip.compress(b"0" * 50_000_000))
    assert refusal(ready, data_s3_uri=CSV_GZ, output_s3_uri=OUTPUT_GZ).code == "record_too_long"


@pytest.fixture
def usual_recursion_limit():
    """Python's own limit; a library that another test has imported may have raised it."""
    raised = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(raised)


NESTED: dict[str, object] = {}
for _ in range(5000):
    NESTED = {"": NESTED}


@pytest.mark.parametrize(
    ("event", "code", "field"),
    [
        (NESTED, "invalid_input", "event"),
        ({}, "missing_field", "model_s3_uri"),
        (
            {"model_s3_uri": MODEL, "data_s3_uri": DATA, "output_s3_uri": OUTPUT},
            "missing_field",
            "prediction_column_name",
        ),
        ([], "invalid_input", "event"),
        (None, "invalid_input", "event"),
        ({"surprise": 1}, "invalid_input", "surprise"),
        ({"model_s3_uri": 7}, "invalid_input", "model_s3_uri"),
        ({"model_s3_uri": "s3://models/\ud800"}, "invalid_input", "event"),
    ],
)
def test_events_that_are_no_requests(usual_recursion_limit, event, code, field):
    with pytest.raises(InvalidInput) as refused:
        parse_event(event)
    assert refused.value.code == code
    assert refused.value.message.startswith(field)
