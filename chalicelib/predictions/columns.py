"""New columns as CSV text: numbers as the shortest text that reads back the same, words made harmless."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class NewColumn:
    """One column that scoring adds: its name, and a value for each row."""

    name: str
    values: npt.NDArray[Any]


def harmless(text: str) -> str:
    """`text` as no spreadsheet takes for a formula: an apostrophe before a leading = + - @, tab or CR (OWASP)."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_quoted(text: str) -> str:
    """`text` as one CSV field, quoted where RFC 4180 wants it."""
    if any(char in text for char in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def csv_field(label: object) -> str:
    """A label or a name that we add, as one CSV field."""
    return csv_quoted(harmless(str(label)))


def arrow_numbers(values: npt.NDArray[Any]) -> pa.Array:
    """The numbers as an Arrow array over the same memory; `pa.array` would load pandas, for a tenth of a cold start."""
    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, buffer])


def csv_values(values: npt.NDArray[Any]) -> pa.Array:
    """`values` as an Arrow array of CSV fields."""
    if values.dtype.kind in "fiu":
        return pc.cast(arrow_numbers(values), pa.string())
    return _labels(values, csv_field)


def json_values(values: npt.NDArray[Any]) -> pa.Array:
    """`values` as an Arrow array of JSON values; what is not finite is null."""
    if values.dtype.kind in "fiu":
        texts = pc.cast(arrow_numbers(values), pa.string())
        return texts if values.dtype.kind != "f" or np.isfinite(values).all() else _finite(texts, values)
    return _labels(values, lambda label: msgspec.json.encode(label).decode())


def _finite(texts: pa.Array, values: npt.NDArray[Any]) -> pa.Array:
    return pc.if_else(pa.array(np.isfinite(values)), texts, pa.scalar("null"))


def _labels(values: npt.NDArray[Any], written: Callable[[Any], str]) -> pa.Array:
    """Each different label is written once."""
    if values.dtype.kind == "b":
        return pc.if_else(pa.array(values), written(True), written(False))
    try:
        found = pa.array(values, pa.string() if values.dtype.kind == "U" else None).dictionary_encode()
    except pa.ArrowException:  # labels of several types
        found = pa.array(values.astype(str)).dictionary_encode()
    fields = pa.array([written(label) for label in found.dictionary.to_pylist()], pa.string())
    return fields.take(found.indices)


def header_suffix(names: Sequence[str]) -> bytes:
    """The new columns' part of a CSV header."""
    return "".join("," + csv_field(name) for name in names).encode()
