"""Features of CSV blocks: three readers with equal results.

`numbers_in_place` and Arrow read the common cases, `records_plainly` everything.

Arrow reads each feature as its type, or as text, which `kinds` then parses by its own rules. If the block's structure
is irregular, the plain reader splits the records. `kinds` and the plain reader name the wrong row and column. Integers
beyond 2**53 round to the nearest float64 if a feature is a number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from chalicelib.errors import InvalidInput
from chalicelib.predictions.inputs import Matrix
from chalicelib.predictions.kinds import ARROW_TYPES, FALSE, MISSING_TEXTS, TRUE, typed_all
from chalicelib.predictions.models import FeatureType, ModelFeature
from chalicelib.predictions.records import (
    BOM,
    COMMA,
    NEWLINE,
    ByteOffsets,
    content_ends,
    record_ends,
    split_record,
    stray_quote,
)

BY_ARROW: Mapping[FeatureType, pa.DataType] = {**ARROW_TYPES, "timestamp": ARROW_TYPES["text"]}
"""The types whose values Arrow reads exactly as `kinds` does."""
SLICE_RECORDS = 16_384
"""The number of records that the plain reader holds as objects at a time."""


@dataclass(frozen=True)
class Columns:
    """The columns of a table, the positions of the features among them, in the model's order, and the features."""

    names: tuple[str, ...]
    wanted: tuple[int, ...]
    features: tuple[ModelFeature, ...]


@dataclass(frozen=True)
class FeatureRows:
    """The records of a block: where each one's content ends in it, blank lines left out, and their features.

    The features are arrays of their types, or a matrix of numbers.
    """

    block: bytes
    ends: ByteOffsets
    arrays: Sequence[pa.Array] | Matrix


def read_rows(block: bytes, columns: Columns, first_row: int) -> FeatureRows:
    """The features of a block's records; `first_row` is the number of data rows before it.

    Raises InvalidInput, naming the row: "malformed_csv", "ragged_row", "not_utf8", and what `kinds.typed` raises.
    """
    found = rows_by_arrow(block, columns, first_row)
    return found if found is not None else rows_plainly(block, columns, first_row)


def numbers_in_place(block: bytes, columns: Columns) -> FeatureRows | None:
    """The features of a block's records as a matrix, NaN for empty fields, in three quarters of the time of Arrow.

    None if a feature has another type or spelling, or if the block has quotation marks, CRs, or blank or ragged lines.
    Arrow views and casts the fields where they are, with the separators between them as nulls.
    """
    width, data = len(columns.names), np.frombuffer(block, np.uint8)
    if b'"' in block or b"\r" in block or any(it.type != "number" for it in columns.features):
        return None
    stops = np.flatnonzero((data == COMMA) | (data == NEWLINE))
    if not block.endswith(b"\n"):
        stops = np.append(stops, len(block))
    if len(stops) % width or not len(stops):
        return None
    separators = data.take(stops, mode="clip").reshape(-1, width)
    if (separators[:, :-1] != COMMA).any() or (separators[:-1, -1] != NEWLINE).any():
        return None
    ends = stops[width - 1 :: width].copy()
    borders = np.zeros((len(stops), 2), np.int32)
    borders[:, 1] = stops
    borders[1:, 0] = borders[:-1, 1] + 1
    file_order = np.argsort(columns.wanted)
    if len(file_order) < width:
        borders = borders.reshape(-1, width, 2)[:, np.array(columns.wanted)[file_order]].reshape(-1, 2)
    filled = borders[:, 1] > borders[:, 0]
    if width == 1 and not filled.all():
        return None
    shown = np.packbits(np.stack((filled, np.zeros_like(filled)), axis=-1), bitorder="little")
    buffers = [pa.py_buffer(shown), pa.py_buffer(borders), pa.py_buffer(block)]
    try:
        values = pc.cast(pa.Array.from_buffers(pa.string(), borders.size - 1, buffers), pa.float64())
    except pa.ArrowInvalid:
        return None
    numbers = np.where(filled, np.frombuffer(values.buffers()[1], np.float64, borders.size - 1)[::2], np.nan)
    return FeatureRows(block, ends, np.take(numbers.reshape(len(ends), -1), np.argsort(file_order), axis=1))


def rows_by_arrow(block: bytes, columns: Columns, first_row: int) -> FeatureRows | None:
    """The features of a block's records; None where the block's structure is in any doubt."""
    types = {str(index): BY_ARROW[it.type] for index, it in zip(columns.wanted, columns.features, strict=True)}
    for wanted in (types, dict.fromkeys(types, ARROW_TYPES["text"])):
        read = arrow_table(block, columns, wanted)
        if read is not None:
            table, ends = read
            arrays = [one_chunk(table.column(str(index))) for index in columns.wanted]
            return FeatureRows(block, ends, typed_all(arrays, columns.features, first_row))
    return None


def rows_plainly(block: bytes, columns: Columns, first_row: int) -> FeatureRows:
    """The features of a block's records, read field by field."""
    texts, ends = records_plainly(block, columns, columns.wanted, first_row)
    return FeatureRows(block, ends, typed_all(texts, columns.features, first_row))


def arrow_table(
    block: bytes, columns: Columns, types: Mapping[str, pa.DataType]
) -> tuple[pa.Table, ByteOffsets] | None:
    """The columns of `block` that have `types`, by number, and the ends of its records' contents.

    None where there is any doubt: ragged rows, bare CRs, stray quotation marks, byte order marks, values of another
    type.
    """
    quoted = b'"' in block
    if block.startswith(BOM):  # Arrow would skip it
        return None
    if quoted and stray_quote(block) is not None:
        return None
    if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
        return None
    if pa.int64() in types.values() and (b"0x" in block or b"0X" in block):  # Arrow would take it for hexadecimal
        return None
    ends = filled_ends(block)
    numbers = [str(index) for index in range(len(columns.names))]
    try:
        table = csv.read_csv(
            pa.BufferReader(block),
            csv.ReadOptions(column_names=numbers, block_size=len(block) + 1, use_threads=False),
            csv.ParseOptions(newlines_in_values=quoted),
            csv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                null_values=MISSING_TEXTS
                if any(it.missing for it in columns.features)
                else (),  # looking costs a tenth
                true_values=TRUE,
                false_values=FALSE,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return (table, ends) if table.num_rows == len(ends) else None


def filled_ends(block: bytes, *, quoting: bool = True) -> ByteOffsets:
    """The ends of the records' contents, blank lines left out."""
    newlines = record_ends(block, quoting=quoting)
    ends = content_ends(block, newlines)
    starts = np.concatenate(([0], newlines[:-1] + 1))
    filled: ByteOffsets = ends[ends > starts]
    return filled


def one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array, not copied if it is one already."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def records_plainly(
    block: bytes, columns: Columns, wanted: tuple[int, ...], first_row: int
) -> tuple[list[pa.Array], ByteOffsets]:
    """The `wanted` columns as text, read field by field, and where the records' contents end; blank lines left out.

    Raises InvalidInput, naming the row: "malformed_csv", "ragged_row", "not_utf8".
    """
    chunks: list[list[pa.Array]] = [[] for _ in wanted]
    newlines = record_ends(block)
    ends, starts = content_ends(block, newlines), np.concatenate(([0], newlines[:-1] + 1))
    filled = ends > starts
    starts, ends = starts[filled], ends[filled]
    for at in range(0, len(ends), SLICE_RECORDS):
        records = zip(starts[at : at + SLICE_RECORDS].tolist(), ends[at : at + SLICE_RECORDS].tolist(), strict=True)
        split = _split((block[start:end] for start, end in records), columns, first_row + at)
        values = list(zip(*([fields[index] for index in wanted] for fields in split), strict=True))
        for chunk, fields in zip(chunks, values, strict=True):
            chunk.append(_texts(fields, first_row + at))
    return [pa.chunked_array(chunk, pa.string()).combine_chunks() for chunk in chunks], ends


def _split(records: Iterator[bytes], columns: Columns, first_row: int) -> Iterator[list[bytes]]:
    for row, record in enumerate(records, first_row + 1):
        try:
            fields = split_record(record, len(columns.names))
        except ValueError as error:
            raise InvalidInput.of(
                f"row {row}", str(error), "fields quoted whole or not at all", code="malformed_csv"
            ) from None
        if len(fields) != len(columns.names):
            raise InvalidInput.of(
                f"row {row}",
                f"has {len(fields)} fields" if b'"' in record else f"has {record.count(b',') + 1} fields",
                f"{len(columns.names)}, as the header",
                code="ragged_row",
            )
        yield fields


def _texts(fields: tuple[bytes, ...], first_row: int) -> pa.Array:
    try:
        return pa.array(fields, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        for row, field in enumerate(fields, first_row + 1):
            try:
                field.decode()
            except UnicodeDecodeError:
                raise InvalidInput.of(f"row {row}", "is not UTF-8", "UTF-8", code="not_utf8") from None
        raise
