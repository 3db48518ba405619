"""Typed columns as a model takes them: a float64 matrix, a DataFrame as `pandas.read_csv` makes it, or one column."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.errors import InvalidInput, Unprocessable
from chalicelib.predictions.models import ModelFeature

Matrix = npt.NDArray[np.float64]
Inputs = Any
"""A matrix, a DataFrame or an array; each can be cut by rows."""


def matrix_of(arrays: Sequence[pa.Array] | Matrix, features: Sequence[ModelFeature], first_row: int) -> Matrix:
    """One float64 matrix, a column for each array of numbers; missing values become NaN. A matrix is only checked.

    Raises Unprocessable ("missing_value", "infinite_value"), which names the row and the column.
    """
    matrix = arrays if isinstance(arrays, np.ndarray) else np.empty((len(arrays[0]), len(arrays)), np.float64)
    if matrix is not arrays:
        for index, array in enumerate(arrays):
            matrix[:, index] = _floats(array)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.dot(np.ones(len(matrix)), matrix)
    if not np.isfinite(sums).all():  # a sum is finite only if every term is
        allowed = np.array([feature.missing for feature in features])
        wrong = np.isinf(matrix) | (np.isnan(matrix) & ~allowed)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise _refused(features[column], first_row + int(row) + 1, missing=bool(np.isnan(matrix[row, column])))
    return matrix


def frame_of(arrays: Sequence[pa.Array], features: Sequence[ModelFeature], first_row: int) -> Any:
    """A DataFrame with the features' names and types; raises as `matrix_of` does.

    A feature that may be missing has the type that pandas gives to a column with gaps, whether or not these rows have
    any: so a row's prediction does not depend on its neighbours.
    """
    from pandas import DataFrame

    columns = {}
    for array, feature in zip(arrays, features, strict=True):
        values = _floats(array) if feature.type == "number" else None
        gaps = np.isnan(values) if values is not None else pc.is_null(array).to_numpy(zero_copy_only=False)
        if not feature.missing and gaps.any():
            raise _refused(feature, first_row + int(np.flatnonzero(gaps)[0]) + 1, missing=True)
        if values is not None and np.isinf(values).any():
            raise _refused(feature, first_row + int(np.flatnonzero(np.isinf(values))[0]) + 1, missing=False)
        columns[feature.name] = _column(array, feature) if values is None else values
    return DataFrame(columns, copy=False)


def column_of(arrays: Sequence[pa.Array], features: Sequence[ModelFeature], first_row: int) -> npt.NDArray[Any]:
    """The texts of the only feature, as a vectorizer takes them; raises as `matrix_of` does."""
    return np.asarray(frame_of(arrays, features, first_row)[features[0].name], object)


def _floats(array: pa.Array) -> npt.NDArray[np.float64]:
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.uint8())
    if array.type != pa.float64():
        array = pc.cast(array, pa.float64(), safe=False)
    # `to_numpy` loads pandas, which takes a tenth of a cold start.
    return np.asarray(array.to_numpy(zero_copy_only=False) if array.null_count else np.from_dlpack(array), np.float64)


def _column(array: pa.Array, feature: ModelFeature) -> Any:
    if feature.type == "integer":
        return _floats(array) if feature.missing else array.to_numpy()
    if feature.type == "boolean":
        values = array.to_numpy(zero_copy_only=False)
        if not feature.missing:
            return values
        values = values.astype(object)
        values[pc.is_null(array).to_numpy(zero_copy_only=False)] = np.nan
        return values
    if feature.type in ("date", "timestamp"):
        return array.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
    return _texts(array, categories=feature.type == "category")


def _texts(array: pa.DictionaryArray, *, categories: bool) -> Any:
    """Text that shares one object for each different value: cheap to make, and to encode."""
    import pandas

    codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    known = np.empty(len(array.dictionary) + 1, object)
    known[:-1], known[-1] = array.dictionary.to_pylist(), np.nan
    if categories:
        return pandas.Categorical.from_codes(codes, pandas.Index(known[:-1], dtype="str"))
    return pandas.array(known[codes], dtype=pandas.StringDtype("python", na_value=np.nan))


def _refused(feature: ModelFeature, row: int, *, missing: bool) -> InvalidInput:
    where = f"row {row}, column {feature.name!r}"
    if missing:
        expected = f"a value: this model takes no gaps in this {feature.type}"
        return Unprocessable.of(where, "is missing", expected, code="missing_value")
    return Unprocessable.of(where, "is infinite", "a finite number", code="infinite_value")
