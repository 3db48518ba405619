"""A block of CSV in, the same block with its predictions out; the caller's bytes pass through untouched."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.errors import OmnibusError, Unprocessable
from chalicelib.predictions.columns import NewColumn, csv_values
from chalicelib.predictions.features import Columns, FeatureRows, numbers_in_place, read_rows
from chalicelib.predictions.inputs import Inputs, matrix_of
from chalicelib.predictions.models import ModelFeature
from chalicelib.predictions.ports import Chunk
from chalicelib.predictions.records import ByteOffsets

Predict = Callable[[Inputs], Sequence[NewColumn]]
MakeInputs = Callable[[Any, Sequence[ModelFeature], int], Inputs]
"""Takes arrays of the features' types; `matrix_of` also takes a matrix."""


@dataclass(frozen=True)
class Scorer:
    """Scores blocks of one CSV file; `inputs` makes of typed columns what `predict` takes."""

    columns: Columns
    predict: Predict
    inputs: MakeInputs = matrix_of

    def score(self, block: bytes, first_row: int) -> tuple[Chunk, int]:
        """`block` with its predictions, and its number of rows; `first_row` data rows came before it.

        Raises what `read_rows`, `inputs` and `predict_rows` raise.
        """
        in_place = numbers_in_place(block, self.columns) if self.inputs is matrix_of else None
        rows = in_place or read_rows(block, self.columns, first_row)
        if not len(rows.ends):
            return block, 0
        added = self.new_columns(rows, first_row)
        return append_fields(block, rows.ends, [csv_values(column.values) for column in added], b","), len(rows.ends)

    def new_columns(self, rows: FeatureRows, first_row: int) -> Sequence[NewColumn]:
        """The predictions for the rows of a block."""
        return predict_rows(self.predict, self.inputs(rows.arrays, self.columns.features, first_row), first_row)


def predict_rows(predict: Predict, inputs: Inputs, first_row: int) -> Sequence[NewColumn]:
    """The new columns for `inputs`; Unprocessable ("value_refused") names the first row that the model refuses."""
    try:
        return predict(inputs)
    except (OmnibusError, MemoryError):
        raise
    except Exception as error:  # scikit-learn says so by ValueError: a forest, for one, takes no value beyond float32
        logging.getLogger(__name__).warning("a model refuses a row", exc_info=True)
        row = first_row + _first_refused(predict, inputs) + 1
        raise Unprocessable.of(
            f"row {row}",
            f"has a value that the model refuses ({type(error).__name__})",
            "values as it was trained on",
            code="value_refused",
        ) from error


def _first_refused(predict: Predict, inputs: Inputs) -> int:
    start, stop = 0, len(inputs)
    while stop - start > 1:
        middle = (start + stop) // 2
        try:
            predict(inputs[start:middle])
            start = middle
        except Exception:  # noqa: BLE001  # whatever a model raises
            stop = middle
    return start


def append_fields(block: bytes, ends: ByteOffsets, fields: Sequence[pa.Array], separator: bytes) -> memoryview:
    """The block with fields after each of `ends`, a `separator` before each field.

    The block is viewed as an Arrow array whose elements reach from the end of one record's content to the end of
    the next: each holds the terminator of the record before it, so joining them with the new fields copies every
    byte once and splits nothing. The last element is the last terminator; it has no fields, and stays as it is.
    """
    offsets = np.concatenate(([0], ends, [len(block)])).astype(np.int32)
    count = len(ends) + 1
    views = pa.Array.from_buffers(pa.binary(), count, [None, pa.py_buffer(offsets), pa.py_buffer(block)])
    none = pa.nulls(1, pa.binary())
    texts = [pa.concat_arrays([field.cast(pa.binary()), none]) for field in fields]
    joined = pc.binary_join_element_wise(views, *texts, _element(separator), null_handling="skip")
    length = int(np.frombuffer(joined.buffers()[1], np.int32)[count])
    return memoryview(joined.buffers()[2]).cast("B")[:length]


def _element(value: bytes) -> pa.Scalar:
    """The bytes as an Arrow value; `pa.scalar` would load pandas, for a tenth of a cold start."""
    offsets = pa.py_buffer(np.array([0, len(value)], np.int32))
    return pa.Array.from_buffers(pa.binary(), 1, [None, offsets, pa.py_buffer(value)])[0]
