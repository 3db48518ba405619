"""Parquet, and CSV as input or output of it: record batches in, record batches with new columns out."""

import io
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from chalicelib.errors import InvalidInput, TooLarge, Unprocessable
from chalicelib.predictions.columns import NewColumn, arrow_numbers, csv_quoted, harmless, header_suffix
from chalicelib.predictions.features import Columns, arrow_table, one_chunk, records_plainly
from chalicelib.predictions.inputs import matrix_of
from chalicelib.predictions.kinds import ARROW_TYPES, TEXT, WORDS, takes, typed, typed_all
from chalicelib.predictions.ports import Output, Pinned, PredictionObjects
from chalicelib.predictions.records import MAX_COLUMNS
from chalicelib.predictions.scoring import MakeInputs, Predict, predict_rows

MAX_BATCH_ROWS = 65_536
BATCH_BYTES = 32 * 1024 * 1024
"""A batch has at most this many rows, and about so many bytes: wide tables come in fewer rows."""
VALUE_BYTES = 8
ADDED_BYTES = 24
"""The bytes of a new column's value, as a number and as text."""
MAX_ROW_GROUP_BYTES = 512 * 1024 * 1024
MAX_FOOTER_BYTES = 8 * 1024 * 1024
NESTED_ROWS = 64


class RangeFile(io.RawIOBase):
    """A pinned object as a file that Arrow may seek in; every read is a range read."""

    def __init__(self, objects: PredictionObjects, pinned: Pinned) -> None:
        self._objects = objects
        self._pinned = pinned
        self._at = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to `offset` from the start, from here, or from the end."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._pinned.bytes}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """The position."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes from the position on."""
        stop = self._pinned.bytes if size < 0 else min(self._at + size, self._pinned.bytes)
        if stop <= self._at:
            return b""
        data = self._objects.read(self._pinned, self._at, stop)
        self._at = stop
        return data


@dataclass(frozen=True)
class TableScorer:
    """Scores record batches; `inputs` makes of typed columns what `predict` takes, `schema` is that of the output."""

    columns: Columns
    predict: Predict
    inputs: MakeInputs = matrix_of
    schema: pa.Schema | None = None

    def score(self, batch: pa.RecordBatch, first_row: int) -> pa.RecordBatch:
        """`batch` with the new columns; raises what `kinds.typed`, `inputs` and `predict_rows` raise."""
        features = self.columns.features
        arrays = typed_all([batch.column(index) for index in self.columns.wanted], features, first_row)
        batch = batch.cast(self.schema) if self.schema is not None else batch
        for added in predict_rows(self.predict, self.inputs(arrays, features, first_row), first_row):
            batch = batch.append_column(added.name, arrow_values(added))
        return batch


def arrow_values(column: NewColumn) -> pa.Array:
    """A new column's values with their own type; words as text."""
    if column.values.dtype.kind in "fiu":
        return arrow_numbers(column.values)
    if column.values.dtype.kind == "b":
        return pa.array(column.values)
    return pa.array(column.values.astype(str).tolist(), pa.string())


@dataclass(frozen=True)
class ParquetTable:
    """An open Parquet file: its `schema`, and the file that gives stored dictionaries as such."""

    file: pq.ParquetFile
    schema: pa.Schema

    @property
    def metadata(self) -> pq.FileMetaData:
        """The footer."""
        return self.file.metadata


def open_parquet(objects: PredictionObjects, pinned: Pinned) -> ParquetTable:
    """The Parquet file, its footer read.

    Raises InvalidInput: "malformed_parquet", "empty_data"; TooLarge: "too_many_columns", "row_group_too_large".
    """
    if pinned.bytes == 0:
        raise InvalidInput.of("data_s3_uri", "is empty", "a Parquet file with rows", code="empty_data")
    end = objects.read(pinned, max(0, pinned.bytes - 8), pinned.bytes)
    if int.from_bytes(end[:4], "little") > MAX_FOOTER_BYTES and end[4:] == b"PAR1":
        raise _too_large(f"has a footer of more than {MAX_FOOTER_BYTES} bytes", "larger row groups or fewer columns")
    try:
        source = pa.PythonFile(RangeFile(objects, pinned), "r")
        metadata = pq.read_metadata(source)
    except (pa.ArrowException, OSError):
        raise InvalidInput.of("data_s3_uri", "is not Parquet", "a whole file", code="malformed_parquet") from None
    check_width(metadata.num_columns)
    if metadata.num_rows == 0:
        raise InvalidInput.of("data_s3_uri", "has no rows", "at least one", code="empty_data")
    for group in range(metadata.num_row_groups):
        if metadata.row_group(group).total_byte_size > MAX_ROW_GROUP_BYTES:
            raise _too_large(f"has a row group of more than {MAX_ROW_GROUP_BYTES} bytes", "smaller row groups")
    schema = pq.ParquetFile(source, metadata=metadata).schema_arrow
    repeated = _repeated(metadata)
    return ParquetTable(pq.ParquetFile(source, metadata=metadata, read_dictionary=repeated, pre_buffer=True), schema)


def check_width(columns: int) -> None:
    """TooLarge ("too_many_columns") if a table is too wide to be scored in bounded memory."""
    if columns > MAX_COLUMNS:
        raise TooLarge.of(
            "data_s3_uri", f"has {columns} columns", f"at most {MAX_COLUMNS} columns", code="too_many_columns"
        )


def _too_large(problem: str, expected: str) -> InvalidInput:
    return TooLarge.of("data_s3_uri", problem, expected, code="row_group_too_large")


def _repeated(metadata: pq.FileMetaData) -> list[str]:
    """Text columns that are stored as a dictionary: one long text may stand for any number of rows."""
    group = metadata.row_group(0) if metadata.num_row_groups else None
    columns = [group.column(index) for index in range(group.num_columns)] if group else []
    return [
        it.path_in_schema
        for it in columns
        if it.physical_type == "BYTE_ARRAY" and it.has_dictionary_page and "." not in it.path_in_schema
    ]


def check_types(schema: pa.Schema, columns: Columns) -> None:
    """Unprocessable ("non_numeric_feature", "wrong_type") at the first feature whose column has another type."""
    for index, feature in zip(columns.wanted, columns.features, strict=True):
        found = schema.field(index).type
        if not takes(feature.type, found):
            code = "non_numeric_feature" if feature.type == "number" else "wrong_type"
            raise Unprocessable.of(f"column {feature.name!r}", f"is {found}", WORDS[feature.type], code=code)


def read_batches(table: ParquetTable, groups: range, added: int) -> Iterator[pa.RecordBatch]:
    """The rows of some row groups, for `added` new columns: batches of bounded memory, never across two groups.

    Stored dictionaries stay such, so that the batches can be cast to the table's schema when they are written.
    Raises InvalidInput ("malformed_parquet") if a group is broken, or has not as many rows as the footer says.
    """
    for group in groups:
        metadata, found = table.metadata.row_group(group), 0
        rows = _rows_at_once(metadata, table.schema)
        try:
            for batch in table.file.iter_batches(rows, row_groups=[group], use_threads=False):
                found += batch.num_rows
                yield from _cut(batch, added)
        except (pa.ArrowException, OSError):
            found = -1
        if found != metadata.num_rows:
            raise InvalidInput.of(
                "data_s3_uri", f"is broken in row group {group}", "a whole file", code="malformed_parquet"
            )


def _rows_at_once(group: Any, schema: pa.Schema) -> int:
    """The number of rows to read before their bytes can be measured: few if the footer says little about them."""
    if any(pa.types.is_nested(it.type) for it in schema):
        return NESTED_ROWS
    stored = group.total_byte_size // max(group.num_rows, 1)
    return max(1, min(MAX_BATCH_ROWS, int(BATCH_BYTES // max(stored, group.num_columns * VALUE_BYTES))))


def _cut(batch: pa.RecordBatch, added: int) -> Iterator[pa.RecordBatch]:
    """Stretches of a batch that have about BATCH_BYTES each once their dictionaries are written out."""
    plain = sum(it.nbytes for it in batch.columns if not pa.types.is_dictionary(it.type))
    width = np.full(batch.num_rows, plain / max(batch.num_rows, 1) + added * ADDED_BYTES)
    for column in batch.columns:
        if pa.types.is_dictionary(column.type):
            lengths = pc.binary_length(column.dictionary).take(column.indices)
            width += lengths.cast(pa.int64()).fill_null(0).to_numpy() + VALUE_BYTES
    stretch = (np.cumsum(width) // BATCH_BYTES).astype(np.int64)
    starts = [0, *(np.flatnonzero(np.diff(stretch)) + 1).tolist(), batch.num_rows]
    for start, stop in itertools.pairwise(starts):
        if stop > start:
            yield batch.slice(start, stop - start)


def read_groups(table: ParquetTable) -> Iterator[pa.RecordBatch]:
    """The batches that `ParquetSink` wrote to a file, one for each row group."""
    for group in range(table.metadata.num_row_groups):
        yield table.file.read_row_group(group, use_threads=False).combine_chunks().to_batches()[0].cast(table.schema)


def batch_of_block(block: bytes, columns: Columns, first_row: int) -> pa.RecordBatch:
    """A block of CSV as a batch: features as their types, everything else as text, blank lines left out.

    Raises what `records_plainly` and `kinds.typed` raise; InvalidInput ("not_utf8") for text that Parquet cannot hold.
    """
    everything = range(len(columns.names))
    read = arrow_table(block, columns, {str(index): pa.string() for index in everything})
    if read is not None:
        texts = [one_chunk(read[0].column(str(index))) for index in everything]
    else:
        texts = records_plainly(block, columns, tuple(everything), first_row)[0]
    for index, feature in zip(columns.wanted, columns.features, strict=True):
        values = typed(texts[index], feature, first_row)
        texts[index] = values.cast(pa.string()) if values.type == TEXT else values
    return pa.RecordBatch.from_arrays(texts, schema=schema_of(columns))


def schema_of(columns: Columns) -> pa.Schema:
    """The schema of a file's batches; Unprocessable ("duplicate_column") if two columns have one name."""
    repeated = [name for name, times in Counter(columns.names).items() if times > 1]
    if repeated:
        raise Unprocessable.of("data_s3_uri", f"repeats column {repeated[0]!r}", "each once", code="duplicate_column")
    types = {index: ARROW_TYPES[it.type] for index, it in zip(columns.wanted, columns.features, strict=True)}
    known = [(name, types.get(index, pa.string())) for index, name in enumerate(columns.names)]
    return pa.schema([(name, pa.string() if kind == TEXT else kind) for name, kind in known])


def csv_header(names: Sequence[str], added: Sequence[str]) -> bytes:
    """The header of a CSV file made from Parquet: its own names unchanged, added ones made harmless."""
    own = ",".join(csv_quoted(name) for name in names)
    return own.encode() + header_suffix(added) + b"\n"


def csv_lines(batch: pa.RecordBatch, added: int) -> bytes:
    """A scored batch as CSV lines; Unprocessable ("unsupported_column") for what has no text, such as lists."""
    first_added = batch.num_columns - added
    for index in range(first_added, batch.num_columns):
        kind = batch.column(index).type
        if pa.types.is_string(kind) or pa.types.is_boolean(kind):
            texts = pa.array([harmless(str(label)) for label in batch.column(index).to_pylist()], pa.string())
            batch = batch.set_column(index, batch.schema.field(index).name, texts)
    out = io.BytesIO()
    try:
        csv.write_csv(batch, out, csv.WriteOptions(include_header=False, quoting_style="needed"))
    except pa.ArrowException as error:
        raise Unprocessable.of(
            "data_s3_uri", f"holds what CSV cannot ({error})", "plain columns", code="unsupported_column"
        ) from None
    return out.getvalue()


class ParquetSink:
    """Writes batches to an output as one Parquet file, a row group for each batch."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._writer: pq.ParquetWriter | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Add a batch; the first one gives the file its schema."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                pa.PythonFile(OutputFile(self._output), "w"), batch.schema, compression="zstd"
            )
        self._writer.write_batch(batch)

    def close(self) -> None:
        """Write the footer."""
        if self._writer is not None:
            self._writer.close()


class OutputFile(io.RawIOBase):
    """An output as a file that can only grow."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Add bytes."""
        return self._output.write(bytes(data))
