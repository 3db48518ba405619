"""State vectors, exact: any JSON, row by row, with a reason for every refused row.

A row is refused if it is no array of at least 17 fields, a field has a wrong type (`"12.5"` is no number, 70000 no
int16), a text contains half a surrogate pair, or values are nested too deeply. Any field may be null; fields after the
18th are ignored; whole seconds may be written as `1770000000.0`, as in archives made by pandas.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated

import msgspec
import pyarrow as pa
from msgspec import Meta

from chalicelib.errors import InvalidInput
from chalicelib.flights.columns import STATE_SCHEMA
from chalicelib.flights.escapes import mended

Int16 = Annotated[int, Meta(ge=-(2**15), le=2**15 - 1)]
Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]

STRING = rb'"(?:[^"\\]++|\\.)*+(?:"|\Z)'
_TOKEN = re.compile(STRING + rb"|[\[\]{}]", re.DOTALL)
_STRUCTURE = re.compile(STRING + rb"|[\[\]{},]", re.DOTALL)
_COMMA = ord(",")
_WHOLE = frozenset(place for place, field in enumerate(STATE_SCHEMA) if pa.types.is_integer(field.type))
_SCALAR = re.compile(STRING + rb"|[^\[\]{},\s]++", re.DOTALL)
_OPENING, _CLOSING = b"[{", b"]}"
_PLACE = re.compile(r" - at `\$(?:\[(\d+)\](.*))?`$")
_BYTE = re.compile(r" \(byte (\d+)\)$")
_EXCERPT = 20


class StateVector(msgspec.Struct, array_like=True, gc=False):
    """One state vector, in OpenSky's order."""

    icao24: str | None
    callsign: str | None
    origin_country: str | None
    time_position: Int64 | None
    last_contact: Int64 | None
    longitude: float | None
    latitude: float | None
    baro_altitude: float | None
    on_ground: bool | None
    velocity: float | None
    true_track: float | None
    vertical_rate: float | None
    sensors: list[Int32] | None
    geo_altitude: float | None
    squawk: str | None
    spi: bool | None
    position_source: Int16 | None
    category: Int16 | None = None


_STATES = msgspec.json.Decoder(list[StateVector])
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_STATE = msgspec.json.Decoder(StateVector)


@dataclass(frozen=True, slots=True)
class RejectedState:
    """A row that was left out: its index among the snapshot's states, and why."""

    row: int
    reason: str


def parse_json(rows: bytes | memoryview, first_row: int, offset: int) -> tuple[pa.RecordBatch, list[RejectedState]]:
    """The elements of an array (without its brackets) as a batch of `STATE_SCHEMA`, and those that are no rows.

    `first_row` numbers the first element and `offset` is its place in the text, for messages. Raises InvalidInput
    where the text is not JSON or not UTF-8.
    """
    text = b"".join((b"[", rows, b"]"))
    require_utf8(text, offset - 1)
    rejected: list[RejectedState] = []
    try:
        states = _STATES.decode(text)
    except (msgspec.DecodeError, RecursionError):
        states = _accepted(text, first_row, offset - 1, rejected)
    columns = [_column(states, field) for field in STATE_SCHEMA]
    return pa.RecordBatch.from_arrays(columns, schema=STATE_SCHEMA), rejected


def boundary(text: bytearray, start: int, end: int) -> int:
    """The end of the last whole array or object in `text[start:end]`, where `start` is inside an array.

    Where that array itself ends here, it is the place of its closing bracket.
    """
    depth, cut = 0, start
    for token in _TOKEN.finditer(text, start, end):
        kind = text[token.start()]
        if kind in _OPENING:
            depth += 1
        elif kind in _CLOSING:
            depth -= 1
            if depth < 0:
                return token.start()
            if depth == 0:
                cut = token.end()
    return cut


def value_end(text: bytearray, start: int, end: int) -> int:
    """The end of the JSON value that begins at `start`, or `end` if it does not end."""
    scalar = _SCALAR.match(text, start, end)
    if scalar:
        return scalar.end()
    depth = 0
    for token in _TOKEN.finditer(text, start, end):
        kind = text[token.start()]
        depth += (kind in _OPENING) - (kind in _CLOSING)
        if depth <= 0:
            return token.end()
    return end


def require_utf8(text: bytes, offset: int) -> None:
    """InvalidInput unless `text`, which begins at byte `offset` of the snapshot, is UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        place = f"byte {offset + error.start} is 0x{text[error.start]:02x}, which is not UTF-8"
        raise InvalidInput.of("snapshot", place, "JSON in UTF-8") from error


def malformed(
    error: msgspec.DecodeError, text: bytes, offset: int, *, skipped_from: int | None = None, skipped: int = 0
) -> InvalidInput:
    """The error for text that is not JSON: where, and what stands there.

    `text` begins at byte `offset` of the snapshot, and from `skipped_from` on lies `skipped` bytes further.
    """
    found = _BYTE.search(str(error))
    place = int(found[1]) if found else len(text)
    reason = _BYTE.sub("", str(error)).removeprefix("JSON is malformed: ")
    excerpt = text[max(place - _EXCERPT, 0) : place + _EXCERPT].decode(errors="replace")
    if skipped_from is not None and place > skipped_from:
        offset += skipped
    what = f"is not JSON at byte {offset + place}, {reason}, near {excerpt!r}"
    return InvalidInput.of("snapshot", what, "JSON as OpenSky sends it")


def _accepted(text: bytes, first_row: int, offset: int, rejected: list[RejectedState]) -> list[StateVector]:
    states = []
    for number, row in enumerate(_rows(text, offset), first_row):
        try:
            states.append(_state(row))
        except msgspec.ValidationError as error:
            rejected.append(RejectedState(number, _reason(error)))
        except msgspec.DecodeError:
            rejected.append(RejectedState(number, "A text holds half a surrogate pair"))
        except RecursionError:
            rejected.append(RejectedState(number, "Values are nested too deeply"))
    return states


def _rows(text: bytes, offset: int) -> Iterable[bytes | msgspec.Raw]:
    """The elements of an array; InvalidInput unless it is JSON, of whose texts alone a half surrogate pair is none."""
    with suppress(msgspec.DecodeError, RecursionError):
        return _ROWS.decode(text)
    try:
        _ROWS.decode(mended(text))
    except msgspec.DecodeError as error:
        raise malformed(error, text, offset) from error
    except RecursionError:
        pass  # brackets that pair are all that is known of it
    return _elements(text)


def _elements(text: bytes) -> Iterator[bytes]:
    """The elements of an array, told by its brackets and commas alone."""
    depth, start = 0, 1
    for token in _STRUCTURE.finditer(text):
        kind = text[token.start()]
        depth += (kind in _OPENING) - (kind in _CLOSING)
        if depth == 1 and kind == _COMMA:
            yield text[start : token.start()]
            start = token.end()
    yield text[start:-1]


def _state(row: bytes | msgspec.Raw) -> StateVector:
    try:
        return _STATE.decode(row)
    except msgspec.ValidationError as error:
        values = msgspec.json.decode(row)
        if not isinstance(values, list):
            raise
        whole = [int(each) if place in _WHOLE and _is_whole(each) else each for place, each in enumerate(values)]
        try:
            return msgspec.convert(whole, StateVector)
        except msgspec.ValidationError:
            raise error from None


def _is_whole(value: object) -> bool:
    return isinstance(value, float) and value.is_integer()


def _reason(error: msgspec.ValidationError) -> str:
    message = str(error)
    place = _PLACE.search(message)
    what = _PLACE.sub("", message).replace("`", "").replace(" | null", " or null")
    if place and place[1]:
        return f"{STATE_SCHEMA.names[int(place[1])]}{place[2]}: {what}"
    return what


def _column(states: list[StateVector], field: pa.Field) -> pa.Array:
    values = list(map(attrgetter(field.name), states))
    if pa.types.is_dictionary(field.type):
        return pa.array(values, field.type.value_type).dictionary_encode()
    return pa.array(values, field.type)
