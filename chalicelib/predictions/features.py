"""Feature values out of CSV blocks: Arrow reads the common case, `rows_plainly` everything, and they agree.

Numbers are what Arrow takes for one: decimal with an optional sign, fraction and exponent, blanks around it, `inf`
and `nan`; an empty field and the MISSING spellings are missing values. Integers beyond 2**53 round to the nearest
float64, as they do for numpy. Whatever Arrow doubts, the plain reader decides, and it is the plain reader that says
which row and column is wrong.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from chalicelib.errors import InvalidInput, Unprocessable
from chalicelib.predictions.records import BOM, ByteOffsets, content_ends, record_ends, split_record, stray_quote

Matrix = npt.NDArray[np.float64]

MISSING = tuple(csv.ConvertOptions().null_values)
_MISSING = frozenset(text.encode() for text in MISSING)
_NUMBER = re.compile(
    rb"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf(?:inity)?|[+-]?nan(?:\([a-z0-9_]*\))?", re.IGNORECASE
)


@dataclass(frozen=True)
class CsvRows:
    """The records of a block: where each one's content ends in it, and their features, a row for each."""

    block: bytes
    ends: ByteOffsets
    matrix: Matrix


@dataclass(frozen=True)
class PlainRows:
    """The lines of a block as (content, terminator), blank ones included, and the features of the others."""

    lines: list[tuple[bytes, bytes]]
    matrix: Matrix

    def contents(self) -> list[bytes]:
        """The records, without the blank lines."""
        return [content for content, _ in self.lines if content]


@dataclass(frozen=True)
class Columns:
    """The columns of a CSV file, and the positions of the features among them, in the model's order."""

    names: tuple[str, ...]
    wanted: tuple[int, ...]


def rows_by_arrow(block: bytes, columns: Columns) -> CsvRows | None:
    """The rows of `block`; None where there is any doubt, as `arrow_table` says."""
    parsed = arrow_table(block, columns, whole=False)
    if parsed is None:
        return None
    table, ends = parsed
    features = [table.column(str(index)) for index in columns.wanted]
    return CsvRows(block, ends, to_matrix(features, table.num_rows))


def arrow_table(block: bytes, columns: Columns, *, whole: bool) -> tuple[pa.Table, ByteOffsets] | None:
    """The features of `block`, or the `whole` of it, by column number, and where its records' contents end.

    None where there is any doubt: blank lines, ragged rows, bare CRs, stray quotation marks, byte order marks, strange
    numbers.
    """
    quoted = b'"' in block
    if block.startswith(BOM):  # Arrow would skip it
        return None
    if quoted and stray_quote(block) is not None:
        return None
    if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
        return None
    ends = content_ends(block, record_ends(block))
    numbers = [str(index) for index in range(len(columns.names))]
    types = {number: pa.string() for number in numbers} if whole else {}
    types.update({str(index): pa.float64() for index in columns.wanted})
    try:
        table = csv.read_csv(
            pa.BufferReader(block),
            csv.ReadOptions(column_names=numbers, block_size=len(block) + 1, use_threads=False),
            csv.ParseOptions(newlines_in_values=quoted),
            csv.ConvertOptions(
                column_types=types, include_columns=numbers if whole else [str(index) for index in columns.wanted]
            ),
        )
    except pa.ArrowInvalid:
        return None
    return (table, ends) if table.num_rows == len(ends) else None  # Arrow skips blank lines


def to_matrix(columns: Sequence[pa.ChunkedArray], rows: int) -> Matrix:
    """Arrow columns of numbers as one float64 matrix, a column for each; missing values become NaN."""
    matrix = np.empty((rows, len(columns)), np.float64)
    for index, column in enumerate(columns):
        if column.null_count:
            column = pc.fill_null(column.cast(pa.float64(), safe=False), float("nan"))
        matrix[:, index] = column.to_numpy()
    return matrix


def rows_plainly(block: bytes, columns: Columns, first_row: int) -> PlainRows:
    """The rows of `block`, read field by field; blank lines are kept, and are no rows.

    `first_row` is the number of data rows before the block. Raises InvalidInput, naming the row: "malformed_csv",
    "ragged_row", and, with the column, "non_numeric_feature".
    """
    lines: list[tuple[bytes, bytes]] = []
    values: list[list[float]] = []
    start = 0
    for newline in record_ends(block).tolist():
        content = block[start:newline]
        terminator = block[newline : newline + 1]
        if terminator and content.endswith(b"\r"):
            content, terminator = content[:-1], b"\r\n"
        start = newline + 1
        if content:
            values.append(_record_values(content, columns, first_row + len(values) + 1))
        lines.append((content, terminator))
    return PlainRows(lines, np.array(values, np.float64).reshape(len(values), len(columns.wanted)))


def _record_values(content: bytes, columns: Columns, row: int) -> list[float]:
    try:
        fields = split_record(content)
    except ValueError as error:
        raise InvalidInput.of(
            f"row {row}", str(error), "fields quoted whole or not at all", code="malformed_csv"
        ) from None
    if len(fields) != len(columns.names):
        raise InvalidInput.of(
            f"row {row}", f"has {len(fields)} fields", f"{len(columns.names)}, as the header", code="ragged_row"
        )
    return [_number(fields[index], columns.names[index], row) for index in columns.wanted]


def _number(field: bytes, column: str, row: int) -> float:
    text = field.strip(b" \t")
    if text in _MISSING:
        return float("nan")
    if not _NUMBER.fullmatch(text):
        shown = ascii(text[:40].decode("utf-8", "replace"))
        raise InvalidInput.of(f"row {row}, column {column!r}", f"is {shown}", "a number", code="non_numeric_feature")
    return float("nan") if b"nan" in text.lower() else float(text)


def check_values(matrix: Matrix, names: Sequence[str], first_row: int, *, missing_allowed: bool) -> None:
    """Unprocessable at the first infinity, or missing value that the model cannot take: its row and column."""
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.dot(np.ones(len(matrix)), matrix)
    if np.isfinite(sums).all():  # a sum is finite only if every term is
        return
    wrong = np.isinf(matrix) if missing_allowed else ~np.isfinite(matrix)
    if not wrong.any():
        return
    row, column = np.argwhere(wrong)[0]
    where = f"row {first_row + row + 1}, column {names[column]!r}"
    if np.isnan(matrix[row, column]):
        raise Unprocessable.of(where, "is missing", "a number: this model takes no gaps", code="missing_value")
    raise Unprocessable.of(where, "is infinite", "a finite number", code="infinite_value")
