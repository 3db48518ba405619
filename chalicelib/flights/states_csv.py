"""State vectors, fast: rows of scalars are CSV in all but the brackets, and Arrow makes columns of CSV directly.

The text is first proven to be JSON; then every `],[` is taken for the end of a row. That, and everything else JSON
allows and CSV does not, is checked afterwards: quotes are read as part of a cell, so a cell of a text column has
exactly two, at its ends, and a cell of any other column none, or the reading was wrong. Any doubt is a `Doubt`, and
`states_json` reads the same bytes at a third of the speed; a property test holds that both give the same.
"""

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from chalicelib.flights.columns import MIN_FIELDS, STATE_SCHEMA

_OPEN, _CLOSE, _COMMA, _NEWLINE = b"[],\n"
_STAND_IN = 0x1F  # for a comma inside a string: JSON has no raw control characters there, so it is free
_COMMA_SPACE = int.from_bytes(b", ", "little")
_CACHED = 1 << 17  # a numpy pass over this much stays in the cache

_TEXT_COLUMNS = ("icao24", "callsign", "squawk")
_REAL_COLUMNS = tuple(field.name for field in STATE_SCHEMA if field.type == pa.float64())
_TYPES = {field.name: field.type for field in STATE_SCHEMA} | {"sensors": pa.null()}
_PARSING = csv.ParseOptions(quote_char=False, newlines_in_values=False, ignore_empty_lines=True)
_CONVERSION = csv.ConvertOptions(
    column_types=_TYPES,
    null_values=["null"],
    true_values=["true"],
    false_values=["false"],
    strings_can_be_null=True,
    check_utf8=True,
)
_BLOCK_READ_AT_ONCE = 512 << 10  # by each of Arrow's threads


class Doubt(Exception):
    """These rows are not surely what a CSV reading would make of them; the message says why."""


def parse(text: bytearray, start: int, end: int) -> pa.RecordBatch:
    """The rows `[...],[...]` of `text[start:end]` as a batch of `STATE_SCHEMA`; this destroys them.

    A byte must stand on either side of them. On Doubt all bytes are as they were.
    """
    if end <= start:
        raise Doubt("no border between rows")
    if text.find(b"\\", start, end) >= 0:
        raise Doubt("a backslash in a string")
    if text.find(b"\n", start, end) >= 0 or text.find(b"\r", start, end) >= 0:
        raise Doubt("line breaks between values")
    framed = memoryview(text)[start - 1 : end + 1]
    sides = framed[0], framed[-1]
    framed[0], framed[-1] = _OPEN, _CLOSE
    try:
        return _batch(framed)
    finally:
        framed[0], framed[-1] = sides


def _batch(framed: memoryview) -> pa.RecordBatch:
    try:
        msgspec.json.decode(framed, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        raise Doubt("rows that are not JSON, or end elsewhere") from error
    octets = np.frombuffer(framed, np.uint8)
    count, fields = _break_lines(octets)
    try:
        return _typed(_read(framed, fields, count))
    except Doubt:
        _mend_lines(octets)
        raise


def _break_lines(text: np.ndarray) -> tuple[int, int]:
    """Overwrite the borders of rows by newlines, and commas inside strings by a stand-in; count rows and fields."""
    opens = np.concatenate(
        [np.flatnonzero(text[start : start + _CACHED] == _OPEN) + start for start in range(0, len(text), _CACHED)]
    )[1:]
    if not len(opens) or opens[0] != 1:
        raise Doubt("an element that is not a row")
    between = opens[1:]
    if not ((text[between - 1] == _COMMA) & (text[between - 2] == _CLOSE)).all():
        raise Doubt("a bracket that starts no row")
    for offset in (0, 1):
        pairs = text[offset : offset + (len(text) - offset) // 2 * 2].view("<u2")
        for start in range(0, len(pairs), _CACHED):
            found = pairs[start : start + _CACHED] == _COMMA_SPACE
            if found.any():
                text[(np.flatnonzero(found) + start) * 2 + offset] = _STAND_IN
    first_row = text[: between[0] - 1] if len(between) else text
    fields = int(np.count_nonzero(first_row == _COMMA)) + 1
    text[opens] = text[between - 1] = text[between - 2] = _NEWLINE
    text[0] = text[-1] = text[-2] = _NEWLINE
    return len(opens), fields


def _mend_lines(text: np.ndarray) -> None:
    """Undo `_break_lines`: what it wrote stood nowhere before."""
    text[text == _STAND_IN] = _COMMA
    inside = text[2:-2]
    inside[:] = np.frombuffer(inside.tobytes().replace(b"\n\n\n", b"],["), np.uint8)
    text[1], text[-2] = _OPEN, _CLOSE


def _read(text: memoryview, fields: int, count: int) -> pa.Table:
    if not MIN_FIELDS <= fields <= len(STATE_SCHEMA):
        raise Doubt(f"rows of {fields} fields")
    names = STATE_SCHEMA.names[:fields]
    reading = csv.ReadOptions(column_names=names, block_size=_BLOCK_READ_AT_ONCE, use_threads=True)
    try:
        table = csv.read_csv(pa.BufferReader(text), reading, _PARSING, _CONVERSION)
    except pa.ArrowInvalid as error:
        raise Doubt(str(error).partition("\n")[0]) from error
    if table.num_rows != count:
        raise Doubt(f"{count} rows that read as {table.num_rows}")
    return table.unify_dictionaries().combine_chunks()


def _typed(table: pa.Table) -> pa.RecordBatch:
    columns = {name: table.column(name).chunk(0) for name in table.column_names}
    for name in _TEXT_COLUMNS:
        columns[name] = _unquoted(columns[name])
    countries = columns["origin_country"]
    columns["origin_country"] = pa.DictionaryArray.from_arrays(
        countries.indices, _unquoted(countries.dictionary), safe=False
    )
    for name in _REAL_COLUMNS:
        if not np.isfinite(np.frombuffer(columns[name].buffers()[1], np.float64)).all():
            raise Doubt(f"{name} out of a double's range")
    columns["sensors"] = pa.nulls(table.num_rows, STATE_SCHEMA.field("sensors").type)
    if "category" not in columns:
        columns["category"] = pa.nulls(table.num_rows, STATE_SCHEMA.field("category").type)
    return pa.RecordBatch.from_arrays([columns[name] for name in STATE_SCHEMA.names], schema=STATE_SCHEMA)


def _unquoted(cells: pa.StringArray) -> pa.StringArray:
    """Cells without their quotes and with their commas, or Doubt unless each has a quote at either end."""
    values = pc.ascii_trim(cells, '"')
    if len(_octets(cells)) - len(_octets(values)) != 2 * (len(cells) - cells.null_count):
        raise Doubt("a value that is not a string, or a string that holds a separator")
    if (_octets(values) == _STAND_IN).any():
        return pc.replace_substring(values, chr(_STAND_IN), ",")
    return values


def _octets(strings: pa.StringArray) -> np.ndarray:
    _, offsets, data = strings.buffers()
    size = np.frombuffer(offsets, np.int32)[len(strings)]
    return np.frombuffer(data, np.uint8)[:size] if size else np.empty(0, np.uint8)
