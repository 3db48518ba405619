"""New columns as CSV text: numbers as the shortest text that reads back the same, words made harmless."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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


def csv_field(text: str) -> str:
    """A word that we add, as one CSV field."""
    return csv_quoted(harmless(text))


def csv_values(values: npt.NDArray[Any]) -> pa.Array:
    """`values` as an Arrow array of CSV fields."""
    if values.dtype.kind in "fiu":
        return pc.cast(pa.array(values), pa.string())
    labels, codes = np.unique(values.astype(str), return_inverse=True)
    fields = pa.array([csv_field(label) for label in labels.tolist()], pa.string())
    return fields.take(pa.array(codes.reshape(-1)))


def header_suffix(names: Sequence[str]) -> bytes:
    """What the new columns add to a CSV header."""
    return "".join("," + csv_field(name) for name in names).encode()
