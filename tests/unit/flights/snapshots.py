"""Snapshots for the conversion's tests: text as OpenSky writes it, and a conversion that keeps what it wrote."""

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chalicelib.flights import states_csv, states_text
from chalicelib.flights.columns import SCHEMA
from chalicelib.flights.convert import Conversion, SnapshotLimits, convert

TIME = 1_633_608_000

CLIMBING = [
    "3c6444", "DLH9LF  ", "Germany", 1633607998, 1633607999, 8.5622, 50.0379, 1000.0, False, 100.0,
    245.5, 10.0, None, 1050.0, "0021", False, 0, 4,
]  # fmt: skip
PARKED = [
    "a0b1c2", "N123AB  ", "United States", 1633607990, 1633607999, -118.4, 33.94, None, True, 0,
    0, None, None, None, None, False, 0, 2,
]  # fmt: skip
CRUISING = [
    "71be01", "KAL902  ", "Republic of Korea", 1633607999, 1633607999, 126.8, 37.5, 11_277.6, False, 250.0,
    90, 0, None, 11_500.0, "7700", True, 2, 0,
]  # fmt: skip


def text(states: Any, *, time: Any = TIME, separators: tuple[str, str] = (",", ":")) -> bytes:
    return json.dumps({"time": time, "states": states}, separators=separators, ensure_ascii=False).encode()


def altered(row: Sequence[Any], **fields: Any) -> list[Any]:
    changed = list(row)
    for name, value in fields.items():
        changed[SCHEMA.get_field_index(name)] = value
    return changed


class Dribble(io.RawIOBase):
    """A source that never gives more than a few bytes at a time, as a socket may."""

    def __init__(self, content: bytes, most: int = 7) -> None:
        self._content = io.BytesIO(content)
        self._most = most

    def read(self, size: int = -1) -> bytes:
        return self._content.read(min(size, self._most) if size >= 0 else self._most)


def converted(content: bytes | io.RawIOBase, limits: SnapshotLimits | None = None) -> tuple[Conversion, pa.Table]:
    source = io.BytesIO(content) if isinstance(content, bytes) else content
    sink = io.BytesIO()
    conversion = convert(source, sink, limits=limits or SnapshotLimits())
    assert conversion.bytes_out == len(sink.getvalue())
    return conversion, pq.ParquetFile(sink).read()  # takes half of the time of `read_table`


def bits(table: pa.Table) -> dict[str, pa.Array]:
    """The table's columns for comparison: without chunks and dictionaries, and doubles as the bits they are."""
    columns = {}
    for field in table.schema:
        column = table[field.name].combine_chunks()
        if pa.types.is_dictionary(field.type):
            column = column.cast(field.type.value_type)
        elif pa.types.is_float64(field.type):
            column = column.view(pa.int64())
        columns[field.name] = column
    return columns


@contextmanager
def exact_only() -> Iterator[None]:
    """The fast path always in doubt."""

    def doubt(*_: object) -> None:
        raise states_csv.Doubt("by order of the test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(states_csv, "parse_csv", doubt)
        yield


@contextmanager
def small_pieces(first: int = 300, most: int = 1200) -> Iterator[None]:
    """So little text at a time that a handful of rows makes many pieces."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(states_text, "FIRST_PIECE_BYTES", first)
        patch.setattr(states_text, "PIECE_BYTES", most)
        yield
