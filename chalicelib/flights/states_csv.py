"""State vectors, fast: except for the brackets, rows of scalars are CSV, which Arrow parses directly into columns.

In a copy of what is proven to be JSON, every `],[` ends a row. Everything that JSON allows and CSV does not is
checked: quotes are read as part of a cell, so a cell of a text column must have exactly two, at its ends, and a cell of
any other column none. If anything is irregular, `Doubt` is raised, and `states_json` reads the same bytes at a third of
the speed; a property test proves that both give the same result.
"""

from typing import NamedTuple

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


class Doubt(Exception):
    """These rows are not surely what a CSV reading would make of them; the message says why."""


def parse_csv(text: bytearray, start: int, end: int) -> pa.RecordBatch:
    """The rows `[...],[...]` of `text[start:end]` as a batch of `STATE_SCHEMA`.

    A byte must stand on either side of them. All bytes are afterwards as they were.
    """
    if end <= start:
        raise Doubt("no border between rows")
    if text.find(b"\\", start, end) >= 0:
        raise Doubt("a backslash in a string")
    if text.find(b"\n", start, end) >= 0 or text.find(b"\r", start, end) >= 0:
        raise Doubt("line breaks between values")
    rows = memoryview(text)
    _require_json(rows[start - 1 : end + 1])
    return _typed(_read(_lines(rows[start:end])))


def _require_json(framed: memoryview) -> None:
    """Doubt unless what stands between the first and the last byte is an array's elements."""
    sides = framed[0], framed[-1]
    framed[0], framed[-1] = _OPEN, _CLOSE
    try:
        msgspec.json.decode(framed, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Doubt("rows that are not JSON, or end elsewhere") from error
    finally:
        framed[0], framed[-1] = sides


class _Lines(NamedTuple):
    text: np.ndarray
    rows: int
    fields: int


def _lines(rows: memoryview) -> _Lines:
    """A copy with newlines instead of the brackets between rows, and a stand-in for commas in strings."""
    text = np.array(rows, np.uint8)
    opens = np.concatenate(
        [np.flatnonzero(text[start : start + _CACHED] == _OPEN) + start for start in range(0, len(text), _CACHED)]
    )
    if not len(opens) or opens[0] or text[-1] != _CLOSE:
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
    text[opens] = text[between - 1] = text[between - 2] = text[-1] = _NEWLINE
    return _Lines(text, len(opens), fields)


def _read(lines: _Lines) -> pa.Table:
    if not MIN_FIELDS <= lines.fields <= len(STATE_SCHEMA):
        raise Doubt(f"rows of {lines.fields} fields")
    names = STATE_SCHEMA.names[: lines.fields]
    reading = csv.ReadOptions(column_names=names, block_size=len(lines.text), use_threads=False)  # one chunk
    try:
        table = csv.read_csv(pa.BufferReader(lines.text), reading, _PARSING, _CONVERSION)
    except pa.ArrowInvalid as error:
        raise Doubt(str(error).partition("\n")[0]) from error
    if table.num_rows != lines.rows:
        raise Doubt(f"{lines.rows} rows that read as {table.num_rows}")
    return table


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
