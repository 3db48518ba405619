"""State vectors, fast: rows of scalars are CSV in all but the brackets, and Arrow reads CSV at a gigabyte a second.

The text is first proven to be JSON; then every `],[` is taken for the end of a row. That, and everything else JSON
allows and CSV does not, is checked afterwards: quotes are read as part of a cell, so a cell of a text column has
exactly two, at its ends, and a cell of any other column none, or the reading was wrong. Any doubt is a `Doubt`, and
`states_json` reads the same bytes slowly; where both succeed they agree, which a property test holds.
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
_BLOCK = 1 << 17  # a numpy pass over this much stays in the cache

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
_PARALLEL = pa.cpu_count() > 1


class Doubt(Exception):
    """These rows are not surely what a CSV reading would make of them; the message says why."""


def parse(rows: bytes | memoryview) -> pa.RecordBatch:
    """The rows of `[...],[...]` (no outer brackets) as a batch of `STATE_SCHEMA`, or Doubt."""
    text = bytearray(len(rows) + 2)
    text[0], text[1:-1], text[-1] = _OPEN, rows, _CLOSE
    if b"\\" in text:
        raise Doubt("a backslash in a string")
    if b"\n" in text or b"\r" in text:
        raise Doubt("line breaks between values")
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        raise Doubt("rows that are not JSON, or end elsewhere") from error
    count = _break_lines(np.frombuffer(text, np.uint8))
    fields = text.count(b",", 0, text.index(b"\n\n\n", 1)) + 1 if count > 1 else text.count(b",") + 1
    if not MIN_FIELDS <= fields <= len(STATE_SCHEMA):
        raise Doubt(f"rows of {fields} fields")
    return _batch(_read(text, fields, count))


def _break_lines(text: np.ndarray) -> int:
    """Overwrite the brackets of every row by newlines, and commas inside strings by a stand-in; return the rows."""
    opens = np.concatenate(
        [np.flatnonzero(text[start : start + _BLOCK] == _OPEN) + start for start in range(0, len(text), _BLOCK)]
    )[1:]
    if not len(opens) or opens[0] != 1:
        raise Doubt("an element that is not a row")
    between = opens[1:]
    if not ((text[between - 1] == _COMMA) & (text[between - 2] == _CLOSE)).all():
        raise Doubt("a bracket that starts no row")
    for offset in (0, 1):
        pairs = text[offset : offset + (len(text) - offset) // 2 * 2].view("<u2")
        for start in range(0, len(pairs), _BLOCK):
            found = pairs[start : start + _BLOCK] == _COMMA_SPACE
            if found.any():
                text[(np.flatnonzero(found) + start) * 2 + offset] = _STAND_IN
    text[opens] = text[between - 1] = text[between - 2] = _NEWLINE
    text[0] = text[-1] = text[-2] = _NEWLINE
    return len(opens)


def _read(text: bytearray, fields: int, count: int) -> pa.Table:
    names = STATE_SCHEMA.names[:fields]
    reading = csv.ReadOptions(column_names=names, block_size=len(text) + 1, use_threads=_PARALLEL)
    try:
        table = csv.read_csv(pa.BufferReader(text), reading, _PARSING, _CONVERSION)
    except pa.ArrowInvalid as error:
        raise Doubt(str(error).partition("\n")[0]) from error
    if table.num_rows != count:
        raise Doubt(f"{count} rows that read as {table.num_rows}")
    return table


def _batch(table: pa.Table) -> pa.RecordBatch:
    columns = {name: table.column(name).chunk(0) for name in table.column_names}
    for name in _TEXT_COLUMNS:
        columns[name] = _unquoted(columns[name])
    countries = columns["origin_country"]
    columns["origin_country"] = pa.DictionaryArray.from_arrays(
        countries.indices, pc.replace_substring(_unquoted(countries.dictionary), chr(_STAND_IN), ","), safe=False
    )
    for name in _REAL_COLUMNS:
        if not np.isfinite(np.frombuffer(columns[name].buffers()[1], np.float64)).all():
            raise Doubt(f"{name} out of a double's range")
    columns["sensors"] = pa.nulls(table.num_rows, STATE_SCHEMA.field("sensors").type)
    if "category" not in columns:
        columns["category"] = pa.nulls(table.num_rows, STATE_SCHEMA.field("category").type)
    return pa.RecordBatch.from_arrays([columns[name] for name in STATE_SCHEMA.names], schema=STATE_SCHEMA)


def _unquoted(cells: pa.StringArray) -> pa.StringArray:
    """Cells without their quotes, or Doubt unless each has one at either end."""
    values = pc.ascii_trim(cells, '"')
    if _text_bytes(cells) - _text_bytes(values) != 2 * (len(cells) - cells.null_count):
        raise Doubt("a value that is not a string, or a string that holds a separator")
    return values


def _text_bytes(strings: pa.StringArray) -> int:
    offsets = np.frombuffer(strings.buffers()[1], np.int32)
    return int(offsets[len(strings)])
