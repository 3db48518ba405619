"""A processed snapshot's Parquet, each row group read once, in batches that stay in the processor's cache.

Row-group statistics save work: a column that they show to be constant or empty is not read, and a range that they
prove is not tested. Files without statistics, or from other writers, are read in full. Numbers become float64, with NaN
for missing values (null or NaN), and a comparison with a missing value is false.
"""

import math
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import accumulate
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from chalicelib.errors import InvalidInput
from chalicelib.flights.checks import text
from chalicelib.flights.checks.findings import Floats, Mask, marked
from chalicelib.flights.reports import Cell

BATCH_ROWS: Final = 131_072
"""1 MiB of float64 a column: a batch's working set stays in the second-level cache."""

TEXTS: Final = frozenset({"icao24", "callsign", "origin_country", "squawk", "flight_phase"})
FLAGS: Final = frozenset({"on_ground"})
TIMES: Final = frozenset({"snapshot_time"})
WHOLE: Final = frozenset({"time_position", "last_contact", "position_source", "category"})
REALS: Final = frozenset(
    {"longitude", "latitude", "baro_altitude", "velocity", "true_track", "vertical_rate", "geo_altitude"}
)

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Bounds:
    """A row group's statistics of a column: the smallest and largest value (None if unknown), and nulls."""

    low: float | None
    high: float | None
    nulls: int | None


class Numbers:
    """A batch's column as float64, NaN where a value is missing, with bounds as far as they are known."""

    def __init__(self, values: Floats, low: float = -np.inf, high: float = np.inf) -> None:
        self.values = values
        self.low = low
        self.high = high
        absent = np.isnan(values)
        gaps = marked(absent)
        self.present = len(values) - gaps
        self.missing: Mask | None = absent if gaps else None
        """The mask of missing values; None if there are none."""
        self._outside: dict[tuple[float, float], Mask | None] = {}

    def outside(self, low: float, high: float) -> Mask | None:
        """The mask of values below `low` or above `high`; None if there are none. Missing values do not count."""
        if low <= self.low and self.high <= high:
            return None
        if (low, high) not in self._outside:
            failing = (self.values < low) | (self.values > high)
            self._outside[low, high] = failing if failing.any() else None
        return self._outside[low, high]


class Batch:
    """Some successive rows of one row group; each column is converted when a check first asks for it."""

    def __init__(
        self, start: int, rows: int, time: int | None, columns: pa.RecordBatch, spans: dict[str, Bounds]
    ) -> None:
        self.start = start
        self.rows = rows
        self.time = time
        self._columns = columns
        self._spans = spans
        self._names = frozenset(columns.schema.names)
        self._numbers: dict[str, Numbers] = {}
        self._arrays: dict[str, pa.Array] = {}

    def numbers(self, name: str) -> Numbers:
        """The column as numbers; all missing if the file has no such column."""
        if name not in self._numbers:
            self._numbers[name] = self._convert(name)
        return self._numbers[name]

    def array(self, name: str) -> pa.Array:
        """A text or boolean column as Arrow has it."""
        if name not in self._arrays:
            column = self._columns.column(name)
            self._arrays[name] = text.normal(column) if name in TEXTS else column
        return self._arrays[name]

    @cached_property
    def grounded(self) -> Mask:
        """The mask of rows that report being on the ground."""
        return self._says(True)

    @cached_property
    def airborne(self) -> Mask:
        """The mask of rows that report not being on the ground; a row that reports neither is in neither mask."""
        return self._says(False)

    @cached_property
    def addresses(self) -> text.Codes:
        """Each row's ICAO address as a number, `text.NULL` or `text.MALFORMED`."""
        return text.addresses(self.array("icao24"))

    @cached_property
    def sources(self) -> dict[float, Mask | None]:
        """The rows of each position_source there is, NaN for null; None for the mask of a source that all rows have."""
        source = self.numbers("position_source")
        if source.low == source.high and source.present == self.rows:
            return {source.low: None}
        found: dict[float, Mask | None] = {}
        left = self.rows
        for code in (*range(4), np.nan):
            rows = np.isnan(source.values) if np.isnan(code) else source.values == code
            if size := marked(rows):
                found[code] = rows
                left -= size
        if left:
            for code in np.unique(source.values[(source.values < 0) | (source.values > 3)]):
                found[float(code)] = source.values == code
        return found

    def shown(self, row: int, names: tuple[str, ...]) -> dict[str, Cell]:
        """The row's values under those names, for a person to read."""
        return {name: self._value(row, name) for name in names}

    def _says(self, grounded: bool) -> Mask:
        if "on_ground" not in self._names:
            given_away: Mask = self.numbers("on_ground").values == grounded
            return given_away
        column = self.array("on_ground").cast(pa.bool_())
        said: Mask = column.fill_null(not grounded).to_numpy(zero_copy_only=False)
        return said if grounded else ~said

    def _convert(self, name: str) -> Numbers:
        span = self._spans.get(name)
        if name not in self._names:
            constant = np.nan if span is None or span.low is None else span.low
            values = np.broadcast_to(np.float64(constant), self.rows)
            return Numbers(values, constant, constant)
        values = as_floats(self._columns.column(name))
        if span is None or span.low is None or span.high is None:
            return Numbers(values)
        return Numbers(values, span.low, span.high)

    def _value(self, row: int, name: str) -> Cell:
        if name in TEXTS:
            return text.readable(self.array(name), row) if name in self._names else None
        return plain(self.numbers(name).values[row], name)


class StatesSource:
    """A Parquet file's columns that the checks know, by row group; groups may be read by several threads at once."""

    def __init__(self, stored: pa.NativeFile) -> None:
        self._stored = stored
        self._readers = threading.local()
        self._reread: tuple[str, int, pa.ChunkedArray] = ("", -1, pa.chunked_array([pa.nulls(0)]))
        self._readers.file = pq.ParquetFile(stored)
        self._metadata = self._readers.file.metadata
        self._schema = self._metadata.schema.to_arrow_schema()
        self._places = {self._metadata.schema.column(i).path: i for i in range(self._metadata.num_columns)}
        self.rows: int = self._metadata.num_rows
        self.groups: int = self._metadata.num_row_groups
        self.columns = frozenset(name for name in TEXTS | FLAGS | TIMES | WHOLE | REALS if self._holds(name))

    @cached_property
    def time(self) -> int | None:
        """The snapshot's own time, s since 1970 UTC: the latest `snapshot_time`; None if there is none."""
        if "snapshot_time" not in self.columns or not self.rows:
            return None
        latest = [self._spans(group, ["snapshot_time"])["snapshot_time"].high for group in range(self.groups)]
        if any(high is None for high in latest):
            column = self._open().read(columns=["snapshot_time"], use_threads=False).column(0)
            if not pa.types.is_null(column.type):
                column = column.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
            seconds: int | None = pc.max(column).as_py()
            return seconds
        return max(int(high) for high in latest if high is not None)

    @cached_property
    def starts(self) -> list[int]:
        """The first row of each row group."""
        sizes = [self._metadata.row_group(group).num_rows for group in range(self.groups)]
        return list(accumulate(sizes, initial=0))[:-1]

    def batches(self, group: int, names: frozenset[str]) -> Iterator[Batch]:
        """A row group's rows in order, with those of the named columns that its statistics do not give away."""
        rows = self._metadata.row_group(group).num_rows
        known = sorted(names & self.columns - TIMES)
        spans = self._spans(group, [name for name in known if name not in TEXTS])
        needed = [name for name in known if name in TEXTS or not _given_away(name, spans[name], rows)]
        start = self.starts[group]
        for columns in self._pieces(group, rows, needed):
            yield Batch(start, len(columns), self.time, columns, spans)
            start += len(columns)

    def text_at(self, name: str, row: int) -> str | None:
        """One value of a text column, read again; samples in one row group after another cost one reading each."""
        group = bisect_right(self.starts, row) - 1
        if self._reread[:2] != (name, group):
            column = self._open().read_row_group(group, columns=[name], use_threads=False).column(0)
            self._reread = (name, group, column)
        place = row - self.starts[group]
        return text.readable(text.normal(self._reread[2].slice(place, 1).combine_chunks()), 0)

    def _pieces(self, group: int, rows: int, names: list[str]) -> Iterator[pa.RecordBatch]:
        if names:
            file = self._open()
            yield from file.iter_batches(BATCH_ROWS, row_groups=[group], columns=names, use_threads=False)
            return
        for start in range(0, rows, BATCH_ROWS):
            size = min(BATCH_ROWS, rows - start)
            yield pa.RecordBatch.from_struct_array(pa.array([{}] * size, pa.struct([])))

    def _open(self) -> pq.ParquetFile:
        """This thread's own reader: a reader is no two threads' to share."""
        if not hasattr(self._readers, "file"):
            self._readers.file = pq.ParquetFile(self._stored, metadata=self._metadata)
        return self._readers.file

    def _spans(self, group: int, names: list[str]) -> dict[str, Bounds]:
        columns = self._metadata.row_group(group)
        return {name: _span(columns.column(self._places[name])) for name in names}

    def _holds(self, name: str) -> bool:
        fields = self._schema.get_all_field_indices(name)
        if not fields:
            return False
        if len(fields) > 1:
            raise InvalidInput.of(name, f"is there {len(fields)} times", "one column of that name")
        type_ = self._schema.field(fields[0]).type
        accepted, expected = _ACCEPTED[name]
        if not accepted(type_.value_type if pa.types.is_dictionary(type_) else type_):
            raise InvalidInput.of(name, f"has the type {type_}", f"a column of {expected}")
        return True


@contextmanager
def opened(parquet: BinaryIO | Buffer) -> Iterator[StatesSource]:
    """The Parquet as a StatesSource; InvalidInput if it is no Parquet, is cut short, or a column has a foreign type."""
    try:
        yield StatesSource(_stored(parquet))
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and type(error) is not OSError:
            raise  # the storage's own trouble (a timeout, a lost connection) says nothing about the file
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise InvalidInput.of("parquet", f"cannot be read ({reason})", "a whole Parquet file") from error


def as_floats(column: pa.Array) -> Floats:
    """The column as float64, NaN for null; whole numbers beyond 2^53 are rounded."""
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    width = np.dtype(column.type.to_pandas_dtype())
    stored = column.buffers()[1]
    if stored is None:
        return np.full(len(column), np.nan)
    values = np.frombuffer(stored, width, len(column), column.offset * width.itemsize)
    if not column.null_count:
        return values.astype(np.float64, copy=False)
    return np.where(valid(column), values, np.nan)


def valid(column: pa.Array) -> Mask:
    """The mask of values that are not null."""
    bits = np.frombuffer(column.buffers()[0], np.uint8)
    mask = np.unpackbits(bits, count=column.offset + len(column), bitorder="little")[column.offset :]
    return mask.view(np.bool_)


def plain(value: float, name: str) -> Cell:
    """One number as JSON can carry it, in the type that its column has."""
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if name in FLAGS:
        return bool(value)
    return int(value) if name in WHOLE else float(value)


def _stored(parquet: BinaryIO | Buffer) -> pa.NativeFile:
    """The bytes as Arrow reads them: one object, which locks, for all threads."""
    if isinstance(parquet, (bytes, bytearray, memoryview)):
        return pa.BufferReader(pa.py_buffer(parquet))
    return pa.PythonFile(parquet, mode="r") if parquet.seekable() else pa.BufferReader(parquet.read())


def _given_away(name: str, span: Bounds, rows: int) -> bool:
    """Whether the statistics say what the column holds: nothing, or one whole number everywhere.

    Floating-point statistics leave NaN out, so that a constant one is read all the same.
    """
    if span.nulls == rows:
        return True
    return name not in REALS and span.nulls == 0 and span.low is not None and span.low == span.high


def _span(chunk: pq.ColumnChunkMetaData) -> Bounds:
    statistics = chunk.statistics if chunk.is_stats_set else None
    if statistics is None:
        return Bounds(None, None, None)
    nulls = statistics.null_count if statistics.has_null_count else None
    if not statistics.has_min_max:
        return Bounds(None, None, nulls)
    try:
        return Bounds(_number(statistics.min), _number(statistics.max), nulls)
    except (ValueError, OverflowError):  # a time beyond Python's calendar
        return Bounds(None, None, nulls)


def _number(value: object) -> float | None:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp() // 1
    return float(value) if isinstance(value, (bool, int, float)) else None


def _is_real(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_null(type_))


def _is_whole(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_) or pa.types.is_null(type_))


def _is_flag(type_: pa.DataType) -> bool:
    return bool(pa.types.is_boolean(type_) or pa.types.is_null(type_))


def _is_time(type_: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(type_) or pa.types.is_null(type_))


def _is_text(type_: pa.DataType) -> bool:
    texts = (pa.string(), pa.large_string(), pa.string_view(), pa.null())
    return type_ in texts


_ACCEPTED: Final[dict[str, tuple[Callable[[pa.DataType], bool], str]]] = {
    **dict.fromkeys(TEXTS, (_is_text, "text")),
    **dict.fromkeys(FLAGS, (_is_flag, "booleans")),
    **dict.fromkeys(TIMES, (_is_time, "timestamps")),
    **dict.fromkeys(WHOLE, (_is_whole, "whole numbers")),
    **dict.fromkeys(REALS, (_is_real, "numbers")),
}
