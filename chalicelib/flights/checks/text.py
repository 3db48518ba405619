"""Tests of text columns on whole buffers; only what stands out is looked at value by value.

A column may come as plain text or as a dictionary with indices; in the latter the dictionary alone is tested.
"""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.flights.checks.findings import Mask

NULL: Final = -1
MALFORMED: Final = -2
CALLSIGN: Final = re.compile(r"(?!0+\Z)[A-Z0-9]{1,8}")
MAX_CALLSIGN: Final = 8
ADDRESS_BYTES: Final = 6

Codes = npt.NDArray[np.int32]
Octets = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int32] | npt.NDArray[np.int64]


def normal(column: pa.Array) -> pa.Array:
    """The column as text with offsets, as a dictionary of such text, or as nulls: what the functions here take."""
    if pa.types.is_dictionary(column.type):
        words = normal(column.dictionary)
        return pa.DictionaryArray.from_arrays(column.indices.cast(pa.int32()), words)
    return column.cast(pa.string()) if column.type == pa.string_view() else column


def readable(column: pa.Array, row: int) -> str | None:
    """One value, whatever its bytes."""
    if isinstance(column, pa.DictionaryArray):
        index = column.indices[row].as_py()
        return None if index is None else readable(column.dictionary, index)
    try:
        found: str | None = column[row].as_py()
    except UnicodeDecodeError:
        found = _binary(column.slice(row, 1))[0].as_py().decode(errors="backslashreplace")
    return found


def readable_at(column: pa.Array, rows: npt.NDArray[np.intp]) -> list[str]:
    """Several values, none of them null."""
    plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    return [raw.decode(errors="backslashreplace") for raw in _binary(plain.take(pa.array(rows))).to_pylist()]


def addresses(column: pa.Array) -> Codes:
    """Each ICAO address as its number; NULL or MALFORMED where it is not six lower-case hexadecimal digits."""
    plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    if pa.types.is_null(plain.type):
        return np.full(len(plain), NULL, np.int32)
    offsets, data = _buffers(plain)
    if len(data) == ADDRESS_BYTES * len(plain) and not plain.null_count and _evenly(offsets):
        return _hexadecimal(data)
    codes = np.full(len(plain), MALFORMED, np.int32)
    lengths = np.diff(offsets)
    fitting = lengths == ADDRESS_BYTES
    codes[fitting] = _hexadecimal(data[np.repeat(fitting, lengths)])
    if plain.null_count:
        codes[_nulls(plain)] = NULL
    return codes


def misshapen_callsigns(column: pa.Array) -> Mask | None:
    """The mask of callsigns that, trimmed, are not 1 to 8 of A-Z and 0-9; None if there are none. Nulls are fine."""
    if pa.types.is_dictionary(column.type):
        return _spread(column, misshapen_callsigns(column.dictionary))
    if pa.types.is_null(column.type):
        return None
    offsets, data = _buffers(column)
    lengths = np.diff(offsets)
    failing = (lengths < 1) | (lengths > MAX_CALLSIGN)
    # Unsigned subtraction wraps below the range, so that one comparison tests both ends.
    foreign = np.flatnonzero(((data - np.uint8(ord("0"))) > 9) & ((data - np.uint8(ord("A"))) > 25))
    if len(foreign):
        rows = np.searchsorted(offsets, foreign + offsets[0], side="right") - 1
        blank = data[foreign] == ord(" ")
        _judge_spaced(column, failing, np.unique(rows[blank]))
        failing[rows[~blank]] = True
    _judge_zeros(offsets, data, failing)
    if column.null_count:
        failing &= ~_nulls(column)
    return failing if failing.any() else None


def lettered(words: pa.Array) -> int:
    """The number of words with a capital letter."""
    plain = words.dictionary_decode() if pa.types.is_dictionary(words.type) else words
    if pa.types.is_null(plain.type):
        return 0
    return int(pc.sum(pc.not_equal(plain, pc.ascii_lower(plain))).as_py() or 0)


def unlisted(column: pa.Array, listed: frozenset[str]) -> Mask | None:
    """The mask of values that are not listed, including nulls; None if all are listed."""
    if pa.types.is_null(column.type):
        return np.ones(len(column), np.bool_) if len(column) else None
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    names = _binary(column.dictionary).to_pylist()
    foreign = np.array([name is None or name.decode(errors="replace") not in listed for name in names], np.bool_)
    failing = _spread(column, foreign)
    if column.indices.null_count:
        nulls = _nulls(column.indices)
        failing = nulls if failing is None else failing | nulls
    return failing


def ordinals(column: pa.Array, names: Sequence[str]) -> Octets:
    """Each value's place among the names; len(names) where it is null or none of them."""
    if pa.types.is_null(column.type):
        return np.full(len(column), len(names), np.uint8)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    places = {name.encode(): place for place, name in enumerate(names)}
    table = [places.get(value, len(names)) for value in _binary(column.dictionary).to_pylist()]
    indices = column.indices.fill_null(len(table)).to_numpy(zero_copy_only=False)
    places_or_none: Octets = np.array([*table, len(names)], np.uint8)[indices]
    return places_or_none


def _judge_spaced(column: pa.Array, failing: Mask, rows: npt.NDArray[np.intp]) -> None:
    """Settle the rows with spaces, which only trimming can tell; each distinct value is looked at once."""
    if not len(rows):
        return
    spaced = _binary(column.take(pa.array(rows))).dictionary_encode()
    fails = [value is None or not _is_callsign(value) for value in spaced.dictionary.to_pylist()]
    failing[rows] = np.array([*fails, False])[spaced.indices.fill_null(len(fails)).to_numpy(zero_copy_only=False)]


def _judge_zeros(offsets: Offsets, data: Octets, failing: Mask) -> None:
    """Mark callsigns of zeros alone: a transponder that nobody has set sends 00000000."""
    filled = np.flatnonzero(np.diff(offsets) > 0)
    begins = filled[data[offsets[filled] - offsets[0]] == ord("0")]
    for row in begins.tolist():
        word = data[offsets[row] - offsets[0] : offsets[row + 1] - offsets[0]].tobytes()
        if not word.strip(b" 0"):
            failing[row] = True


def _is_callsign(raw: bytes) -> bool:
    return CALLSIGN.fullmatch(raw.strip(b" ").decode(errors="replace")) is not None


def _spread(column: pa.DictionaryArray, failing: Mask | None) -> Mask | None:
    """The dictionary's mask, for each row; a null index is not marked."""
    if failing is None or not failing.any():
        return None
    indices = column.indices.fill_null(len(failing)).to_numpy(zero_copy_only=False)
    spread = np.append(failing, False)[indices]
    return spread if spread.any() else None


def _binary(column: pa.Array) -> pa.Array:
    """The same bytes without the promise that they are UTF-8."""
    return column.cast(pa.large_binary() if pa.types.is_large_string(column.type) else pa.binary())


def _buffers(column: pa.Array) -> tuple[Offsets, Octets]:
    """The offsets of a text column's values, and the bytes between the first and the last of them."""
    width = np.dtype(np.int64 if pa.types.is_large_string(column.type) else np.int32)
    _, stored, data = column.buffers()
    if not len(column) or data is None:
        return np.zeros(len(column) + 1, np.int32), np.empty(0, np.uint8)
    offsets: Offsets = np.frombuffer(stored, width, len(column) + 1, column.offset * width.itemsize)
    return offsets, np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]


def _nulls(column: pa.Array) -> Mask:
    mask: Mask = column.is_null().to_numpy(zero_copy_only=False)
    return mask


def _evenly(offsets: Offsets) -> bool:
    return bool((np.diff(offsets) == ADDRESS_BYTES).all())


def _hexadecimal(data: Octets) -> Codes:
    """The numbers that so many groups of six characters spell; MALFORMED where one is no hexadecimal digit."""
    # 0-9 are 48-57 and a-f are 97-102: unsigned subtraction wraps below, and bit 6 tells a letter from a digit.
    foreign = ((data - np.uint8(ord("0"))) > 9) & ((data - np.uint8(ord("a"))) > 5)
    nibbles = (data & np.uint8(15)) + (data >> np.uint8(6)) * np.uint8(9)
    pairs = nibbles.view("<u2")
    pairs = ((pairs << np.uint16(4)) | (pairs >> np.uint16(8))) & np.uint16(255)
    high, middle, low = pairs.reshape(-1, 3).T.astype(np.int32)
    codes: Codes = (high << 16) | (middle << 8) | low
    if foreign.any():
        codes[foreign.reshape(-1, ADDRESS_BYTES).any(axis=1)] = MALFORMED
    return codes
