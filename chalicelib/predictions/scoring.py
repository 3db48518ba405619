"""A block of CSV in, the same block with its predictions out; the caller's bytes pass through untouched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.errors import Unprocessable
from chalicelib.predictions.columns import NewColumn, csv_values
from chalicelib.predictions.features import (
    Columns,
    CsvRows,
    Matrix,
    PlainRows,
    check_values,
    rows_by_arrow,
    rows_plainly,
)
from chalicelib.predictions.ports import Chunk

Predict = Callable[[Matrix], Sequence[NewColumn]]


@dataclass(frozen=True)
class Scorer:
    """Scores blocks of one CSV file; `missing_allowed` says whether the model takes missing values."""

    columns: Columns
    predict: Predict
    missing_allowed: bool

    def score(self, block: bytes, first_row: int) -> tuple[Chunk, int]:
        """`block` with its predictions, and its number of rows; `first_row` data rows came before it.

        Raises what `rows_plainly`, `check_values` and `predict_rows` raise.
        """
        rows = rows_by_arrow(block, self.columns)
        if rows is not None:
            return append_columns(rows, self._new_columns(rows.matrix, first_row)), len(rows.matrix)
        plain = rows_plainly(block, self.columns, first_row)
        return append_plainly(plain, self._new_columns(plain.matrix, first_row)), len(plain.matrix)

    def _new_columns(self, matrix: Matrix, first_row: int) -> Sequence[NewColumn]:
        if not len(matrix):
            return ()
        names = [self.columns.names[index] for index in self.columns.wanted]
        check_values(matrix, names, first_row, missing_allowed=self.missing_allowed)
        return predict_rows(self.predict, matrix, first_row)


def predict_rows(predict: Predict, matrix: Matrix, first_row: int) -> Sequence[NewColumn]:
    """The new columns for `matrix`; Unprocessable ("value_refused") names the first row that the model refuses."""
    try:
        return predict(matrix)
    except ValueError as error:  # how scikit-learn says so: a forest, for one, takes no value beyond float32
        row = first_row + _first_refused(predict, matrix) + 1
        raise Unprocessable.of(
            f"row {row}", "has a value that the model refuses", "values as it was trained on", code="value_refused"
        ) from error


def _first_refused(predict: Predict, matrix: Matrix) -> int:
    start, stop = 0, len(matrix)
    while stop - start > 1:
        middle = (start + stop) // 2
        try:
            predict(matrix[start:middle])
            start = middle
        except ValueError:
            stop = middle
    return start


def append_columns(rows: CsvRows, added: Sequence[NewColumn]) -> memoryview:
    """The block with the new columns at the end of its records.

    The block is viewed as an Arrow array whose elements reach from the end of one record's content to the end of
    the next: each holds the terminator of the record before it, so joining them with the new fields copies every
    byte once and splits nothing. The last element is the last terminator; it has no fields, and stays as it is.
    """
    offsets = np.concatenate(([0], rows.ends, [len(rows.block)])).astype(np.int32)
    count = len(rows.ends) + 1
    views = pa.Array.from_buffers(pa.binary(), count, [None, pa.py_buffer(offsets), pa.py_buffer(rows.block)])
    none = pa.nulls(1, pa.binary())
    texts = [pa.concat_arrays([csv_values(column.values).cast(pa.binary()), none]) for column in added]
    joined = pc.binary_join_element_wise(views, *texts, b",", null_handling="skip")
    length = int(np.frombuffer(joined.buffers()[1], np.int32)[count])
    return memoryview(joined.buffers()[2]).cast("B")[:length]


def append_plainly(rows: PlainRows, added: Sequence[NewColumn]) -> bytes:
    """What `append_columns` makes, line by line; blank lines stay blank."""
    suffixes = zip(*(csv_values(column.values).to_pylist() for column in added), strict=True)
    out = bytearray()
    for content, terminator in rows.lines:
        out += content
        if content:
            out += ("," + ",".join(next(suffixes))).encode()
        out += terminator
    return bytes(out)
