"""Parquet, and what is CSV on one side only: record batches in, record batches with new columns out."""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from chalicelib.errors import InvalidInput, Unprocessable
from chalicelib.predictions.columns import NewColumn, csv_quoted, harmless, header_suffix
from chalicelib.predictions.features import Columns, arrow_table, check_values, rows_plainly, to_matrix
from chalicelib.predictions.ports import Output, Pinned, PredictionObjects
from chalicelib.predictions.records import split_record
from chalicelib.predictions.scoring import Predict, predict_rows

MAX_BATCH_ROWS = 65_536
BATCH_BYTES = 32 * 1024 * 1024
"""A batch has at most this many rows, and about so many bytes: wide tables come in fewer rows."""
VALUE_BYTES = 8
ADDED_BYTES = 24
"""What a value of a new column takes as a number or as its text."""
MAX_ROW_GROUP_BYTES = 512 * 1024 * 1024


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
    """Scores record batches; `wanted` are the features' positions, in the model's order."""

    wanted: tuple[int, ...]
    predict: Predict
    missing_allowed: bool

    def score(self, batch: pa.RecordBatch, first_row: int) -> pa.RecordBatch:
        """`batch` with the new columns; Unprocessable as `check_values` and `predict_rows` raise it."""
        columns = [pa.chunked_array([batch.column(index)]) for index in self.wanted]
        matrix = to_matrix(
            [pc.cast(column, pa.float64(), safe=False) for column in columns],
            batch.num_rows,
        )
        names = [batch.schema.field(index).name for index in self.wanted]
        check_values(matrix, names, first_row, missing_allowed=self.missing_allowed)
        for added in predict_rows(self.predict, matrix, first_row):
            batch = batch.append_column(added.name, arrow_values(added))
        return batch


def arrow_values(column: NewColumn) -> pa.Array:
    """A new column's values with their own type; words as text."""
    if column.values.dtype.kind in "fiub":
        return pa.array(column.values)
    return pa.array(column.values.astype(str).tolist(), pa.string())


def open_parquet(objects: PredictionObjects, pinned: Pinned) -> pq.ParquetFile:
    """The Parquet file, its footer read; InvalidInput: "malformed_parquet", "empty_data", "row_group_too_large"."""
    if pinned.bytes == 0:
        raise InvalidInput.of("data_s3_uri", "is empty", "a Parquet file with rows", code="empty_data")
    try:
        file = pq.ParquetFile(pa.PythonFile(RangeFile(objects, pinned), "r"), pre_buffer=True)
    except (pa.ArrowException, OSError):
        raise InvalidInput.of("data_s3_uri", "is not Parquet", "a whole file", code="malformed_parquet") from None
    if file.metadata.num_rows == 0:
        raise InvalidInput.of("data_s3_uri", "has no rows", "at least one", code="empty_data")
    for group in range(file.num_row_groups):
        if file.metadata.row_group(group).total_byte_size > MAX_ROW_GROUP_BYTES:
            raise InvalidInput.of(
                "data_s3_uri",
                f"has a row group of more than {MAX_ROW_GROUP_BYTES} bytes",
                "smaller row groups",
                code="row_group_too_large",
            )
    return file


def check_numeric(schema: pa.Schema, wanted: Sequence[int]) -> None:
    """Unprocessable ("non_numeric_feature") at the first feature column that holds no numbers."""
    for index in wanted:
        kind = schema.field(index).type
        if not (
            pa.types.is_integer(kind)
            or pa.types.is_floating(kind)
            or pa.types.is_decimal(kind)
            or pa.types.is_boolean(kind)
        ):
            raise Unprocessable.of(
                f"column {schema.field(index).name!r}", f"is {kind}", "numbers", code="non_numeric_feature"
            )


def read_batches(file: pq.ParquetFile, groups: range, added: int) -> Iterator[pa.RecordBatch]:
    """The rows of some row groups, for `added` new columns: batches of bounded memory, never across two groups."""
    for group in groups:
        try:
            rows = _batch_rows(file.metadata.row_group(group), added)
            yield from file.iter_batches(rows, row_groups=[group], use_threads=False)
        except (pa.ArrowException, OSError):
            raise InvalidInput.of(
                "data_s3_uri", f"is broken in row group {group}", "a whole file", code="malformed_parquet"
            ) from None


def _batch_rows(group: Any, added: int) -> int:
    stored = group.total_byte_size // max(group.num_rows, 1)
    width = max(stored, group.num_columns * VALUE_BYTES) + added * ADDED_BYTES
    return max(1, min(MAX_BATCH_ROWS, int(BATCH_BYTES // width)))


def read_groups(file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    """Each row group of a file that `ParquetSink` wrote, as the batch that it was."""
    for group in range(file.num_row_groups):
        yield file.read_row_group(group, use_threads=False).combine_chunks().to_batches()[0]


def batch_of_block(block: bytes, columns: Columns, first_row: int) -> pa.RecordBatch:
    """A block of CSV as a batch: features as float64, everything else as text, blank lines left out.

    Raises what `rows_plainly` raises, and InvalidInput ("not_utf8") for text that Parquet cannot hold.
    """
    parsed = arrow_table(block, columns, whole=True)
    if parsed is not None:
        arrays = [column.combine_chunks() for column in parsed[0].columns]
    else:
        rows = rows_plainly(block, columns, first_row)
        texts = [_texts(content, first_row + row) for row, content in enumerate(rows.contents(), 1)]
        values = dict(zip(columns.wanted, rows.matrix.T, strict=True))
        arrays = [
            pa.array(values[index], from_pandas=True)
            if index in values
            else pa.array([row[index] for row in texts], pa.string())
            for index in range(len(columns.names))
        ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema_of(columns))


def schema_of(columns: Columns) -> pa.Schema:
    """The schema of a CSV file's batches; Unprocessable ("duplicate_column") if two columns have one name."""
    repeated = [name for name, times in Counter(columns.names).items() if times > 1]
    if repeated:
        raise Unprocessable.of("data_s3_uri", f"repeats column {repeated[0]!r}", "each once", code="duplicate_column")
    return pa.schema(
        [(name, pa.float64() if index in columns.wanted else pa.string()) for index, name in enumerate(columns.names)]
    )


def _texts(content: bytes, row: int) -> list[str]:
    try:
        return [field.decode() for field in split_record(content)]
    except UnicodeDecodeError:
        raise InvalidInput.of(f"row {row}", "is not UTF-8", "UTF-8", code="not_utf8") from None


def csv_header(names: Sequence[str], added: Sequence[str]) -> bytes:
    """The header of a CSV file made from Parquet: its own names as they are, ours made harmless."""
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
