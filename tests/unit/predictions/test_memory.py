"""Inputs that once took gigabytes, each scored under a real limit of the function's memory, or refused before."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chalicelib.errors import InvalidInput
from tests.sizes import sized
from tests.unit.predictions.limited import LIMIT_BYTES
from tests.unit.predictions.studio import OUTPUT, PARQUET, Machine, Studio, parquet_of, refusal, rows, trained

ROOT = Path(__file__).parents[3]
ROW = b"0.123,0.456\n"
LINES, OBJECTS = sized(1_000_000, 4_000_000), sized(250_000, 1_000_000)


def one_long_text(folder):
    """A dictionary of one text of 100,000 characters, for 15,000 rows: 600 bytes for 1.5 GB."""
    count = 15_000
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, "int32")), pa.array(["a" * 100_000]))
    table = pa.table({"x": np.zeros(count), "text": text})
    pq.write_table(table, folder / "long.parquet", compression="zstd", store_schema=False)
    assert os.path.getsize(folder / "long.parquet") < 1400


def nested(folder):
    """2,000 lists of 200 texts of 3,000 characters: a gigabyte, which is not made here."""
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(400_000, "int32")), pa.array(["b" * 3000]))
    lists = pa.ListArray.from_arrays(pa.array(np.arange(0, 400_001, 200, "int32")), texts)
    pq.write_table(pa.table({"x": np.zeros(2000), "l": lists}), folder / "nested.parquet", store_schema=False)
    assert pq.read_schema(folder / "nested.parquet").field("l").type == pa.list_(pa.field("element", pa.string()))


def wide(folder):
    names = [f"c{number}" for number in range(100_000)]
    (folder / "wide.csv").write_text(",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")
    pq.write_table(pa.table({name: [0.0] for name in names[:6000]}), folder / "wide.parquet")
    pq.write_table(pa.table({name: [0.0] for name in names[:40_000]}), folder / "wider.parquet")


def lines(folder):
    (folder / "blank.csv").write_bytes(b"x,y\n" + (ROW * 10_000 + b"\n") * (LINES // 10_000))
    (folder / "blanks.csv").write_bytes(b"x,y\n" + b"\n" * 24_000_000 + ROW)
    (folder / "cr.csv").write_bytes(b"x,y\n" + b"0.123,0.456\r" * 2_000_000)
    (folder / "plain.csv").write_bytes(b"x,y\n" + (b"1,a\rb\n" + b"1,2\n" * 20_000) * 20)
    (folder / "quotes.csv").write_bytes(b"x,y\n" + (b'1,"' + b'""' * 100_000 + b'"\n') * 80)
    (folder / "tiny.csv").write_bytes(b"x\n" + b"1\n" * LINES)
    (folder / "sparse.jsonl").write_bytes(b'{"x":1}\n' * OBJECTS)
    (folder / "deep.jsonl").write_bytes(b'{"x":1,"y":' + b"[" * 4_000_000 + b"]" * 4_000_000 + b"}\n")


CASES = [
    ("long.parquet csv x linear", {"rows": 15_000}),
    ("long.parquet parquet x linear", {"rows": 15_000}),
    ("long.parquet jsonl x linear", {"rows": 15_000}),
    ("long.parquet parquet text text", {"rows": 15_000}),
    ("nested.parquet parquet x linear", {"rows": 2000}),
    ("wide.csv csv c0 linear", {"code": "too_many_columns"}),
    ("wide.parquet csv c0 linear", {"code": "too_many_columns"}),
    ("wider.parquet csv c0 linear", {"code": "too_many_columns"}),
    ("blank.csv csv x,y linear", {"rows": LINES}),
    ("blanks.csv csv x,y linear", {"rows": 1}),
    ("cr.csv csv x,y linear", {"code": "record_too_long"}),
    ("plain.csv csv x linear", {"rows": 400_020}),
    ("quotes.csv csv x linear", {"rows": 80}),
    ("tiny.csv csv x linear", {"rows": LINES}),
    ("sparse.jsonl jsonl x linear", {"rows": OBJECTS}),
    ("sparse.jsonl csv x linear", {"rows": OBJECTS}),
    ("deep.jsonl jsonl x linear", {"code": "malformed_json"}),
]


@pytest.mark.slow
@pytest.mark.load
def test_no_input_takes_more_memory_than_the_function_has(tmp_path):
    for make in (one_long_text, nested, wide, lines):
        make(tmp_path)
    # Arrow's own pool reserves a gigabyte at once, which counts here but takes no memory
    environment = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "4"}
    command = [sys.executable, "-m", "tests.unit.predictions.limited", *(f"{tmp_path}/{case}" for case, _ in CASES)]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(answers) == len(CASES), ran.stderr[-2000:]
    for (case, wanted), answer in zip(CASES, answers, strict=True):
        assert {name: answer.get(name) for name in wanted} == wanted, case
        assert answer["peak_mib"] < LIMIT_BYTES / 2**20, case


@pytest.fixture
def damaged(studio: Studio):
    """A Parquet file of 5 rows whose first page says that it has fewer values."""
    studio.publish(trained("linear"))
    whole = io.BytesIO()
    table = pa.table({"x": rows(5)[:, 0], "y": rows(5)[:, 1]})
    pq.write_table(table, whole, compression="none", use_dictionary=False, data_page_version="1.0")
    page = b"\x2c\x15\x0a"  # a data page's header, its number of values 5
    assert page in whole.getvalue()

    def spoilt(values: int) -> Studio:
        studio.objects.put(PARQUET, whole.getvalue().replace(page, page[:2] + bytes([2 * values])))
        return studio

    return spoilt


@pytest.mark.parametrize("values", [0, 2, 4])
def test_a_damaged_page_loses_no_rows_in_a_call(damaged, values):
    assert refusal(damaged(values), data_s3_uri=PARQUET).code == "malformed_parquet"


@pytest.mark.parametrize("values", [0, 2, 4])
def test_a_damaged_page_loses_no_rows_in_a_job(damaged, values):
    machine = Machine(damaged(values))
    with pytest.raises(InvalidInput) as refused:
        machine.run(data_s3_uri=PARQUET)
    assert refused.value.code == "malformed_parquet"
    assert machine.jobs.get("job").state == "failed"
    assert machine.studio.objects.get(OUTPUT) is None


@pytest.mark.slow
def test_rows_of_a_dictionary_come_in_pieces(studio):
    text = pa.array(["a" * 1_000_000] * 100)
    studio.publish(trained("linear"))
    studio.objects.put(PARQUET, parquet_of(rows(100), text=text))
    studio.predict(data_s3_uri=PARQUET)
    assert len(studio.objects.get(OUTPUT)) > 100_000_000
