"""The compact index: a snapshot's aircraft in a form that is read without Arrow.

`GET /flights/latest` and `/flights/snapshots/{tracking_id}/aircraft` read it. Gzip of MessagePack, each message after
its length: the snapshot's time, then a block for each batch of rows, which has the columns of the aircraft with an
address and a position. Numbers are rounded to what a map needs and stored as whole ones; all are little-endian.
Written and read block by block, so memory is bounded by a block.
"""

import gzip
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import accumulate
from typing import IO, Any, BinaryIO, Protocol, cast

import msgspec

from chalicelib.flights.boxes import holds
from chalicelib.flights.models import Aircraft, Selection

COLUMNS = Aircraft.__struct_fields__
DECIMALS = {
    "latitude": 5,
    "longitude": 5,
    "baro_altitude_ft": 0,
    "geo_altitude_ft": 0,
    "velocity_kt": 1,
    "true_track": 1,
    "vertical_rate_fpm": 0,
}
LARGEST_WHOLE = 2.0**53
"""A larger number, before its decimals are set apart, is stored as this."""
_LENGTH_BYTES = 4
_READ_BYTES = 1 << 18


class Values(Protocol):
    """A column's values."""

    def __len__(self) -> int: ...

    def at(self, rows: Sequence[int], /) -> Sequence[Any]:
        """The values of these rows."""
        ...


Block = Mapping[str, Values]


class Column(msgspec.Struct, array_like=True, dict=True):
    """A whole number for each row: a place in `names`, the length of its `text`, or a number with so many `decimals`.

    `kind` is the narrowest type that holds them, as the module `array` calls it. A row whose byte in `valid` is 0 is
    null; without `valid`, none is.
    """

    kind: str
    packed: bytes
    valid: bytes = b""
    decimals: int = 0
    names: list[Any] | None = None
    text: bytes | None = None

    @cached_property
    def _numbers(self) -> Sequence[int]:
        return memoryview(self.packed).cast(cast(Any, self.kind))

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(self._numbers))

    def __len__(self) -> int:
        return len(self._numbers)

    def at(self, rows: Sequence[int], /) -> Sequence[Any]:
        """The values of these rows."""
        numbers = [self._numbers[row] for row in rows]
        values: list[Any] = numbers
        if self.text is not None:
            ends = [self._ends[row] for row in rows]
            values = [self.text[end - length : end].decode() for end, length in zip(ends, numbers, strict=True)]
        elif self.names is not None:
            values = [self.names[number] for number in numbers]
        elif self.decimals:
            scale = 10.0**self.decimals
            values = [number / scale for number in numbers]
        if self.valid:
            values = [value if self.valid[row] else None for row, value in zip(rows, values, strict=True)]
        return values


class _Listed(list[Any]):
    """A column whose values are at hand."""

    def at(self, rows: Sequence[int], /) -> Sequence[Any]:
        return [self[row] for row in rows]


_BLOCK = msgspec.msgpack.Decoder(dict[str, Column])


@contextmanager
def begun_index(sink: IO[bytes], snapshot_time: int) -> Iterator[Callable[[Any], None]]:
    """Begin an index in `sink`, which stays open, and yield the function that adds processed rows."""
    from chalicelib.flights.states_text import GzipStream

    with GzipStream(fileobj=sink, mode="wb", compresslevel=1, mtime=0, filename="") as packed:
        _write(packed, snapshot_time)
        yield partial(add_rows, packed)


def add_rows(packed: BinaryIO, batch: Any) -> None:
    """Write a block of the rows that have an address and a position."""
    import pyarrow.compute as pc

    placed = pc.and_(batch["latitude"].is_valid(), batch["longitude"].is_valid())
    rows = batch.select(COLUMNS).filter(pc.and_(placed, batch["icao24"].is_valid()))
    if len(rows):
        _write(packed, {name: _column(rows[name], DECIMALS.get(name)) for name in COLUMNS})


def _write(packed: BinaryIO, message: Any) -> None:
    body = msgspec.msgpack.encode(message)
    packed.write(len(body).to_bytes(_LENGTH_BYTES, "little") + body)


def _column(values: Any, decimals: int | None) -> Column:
    """An Arrow array as a column; with `decimals`, rounded to so many."""
    import numpy as np
    import pyarrow as pa

    valid = values.is_valid().to_numpy(zero_copy_only=False).tobytes() if values.null_count else b""
    names = text = None
    if pa.types.is_string(values.type):
        _, ends, octets = values.buffers()
        places = np.frombuffer(ends, np.int32)[values.offset :][: len(values) + 1]
        numbers, text = np.diff(places), bytes(memoryview(octets or b"")[places[0] : places[-1]])
    else:
        if pa.types.is_dictionary(values.type):
            names, values = values.dictionary.to_pylist() or [None], values.indices
        elif pa.types.is_boolean(values.type):
            names, values = [False, True], values.cast("int8")
        numbers = values.fill_null(0).to_numpy()
        if decimals is not None:
            with np.errstate(over="ignore"):
                rounded = np.rint(numbers * 10.0**decimals)
            numbers = np.clip(rounded, -LARGEST_WHOLE, LARGEST_WHOLE).astype(np.int64)
    least, most = numbers.min(), numbers.max()
    kind = next(kind for kind in "bhiq" if np.iinfo(kind).min <= least and most <= np.iinfo(kind).max)
    return Column(kind, numbers.astype(kind).tobytes(), valid, decimals or 0, names, text)


def select(stream: BinaryIO, wanted: Selection, limit: int) -> tuple[int, int, list[Aircraft]]:
    """The snapshot's time, how many aircraft are `wanted`, and the first `limit` of them by address."""
    with (
        gzip.GzipFile(fileobj=stream, mode="rb") as unpacked,
        io.BufferedReader(cast(Any, unpacked), _READ_BYTES) as file,
    ):
        time, blocks = _earlier(file) if file.peek(1).startswith(b"{") else _opened(file)
        return time, *select_from(blocks, wanted, limit)


def _opened(file: BinaryIO) -> tuple[int, Iterator[Block]]:
    lengths = iter(partial(file.read, _LENGTH_BYTES), b"")
    messages = (file.read(int.from_bytes(length, "little")) for length in lengths)
    return msgspec.msgpack.decode(next(messages), type=int), map(_BLOCK.decode, messages)


def _earlier(file: BinaryIO) -> tuple[int, Iterator[Block]]:
    """An index as earlier code wrote it: lines of JSON, the time and the decimals, then blocks of lists."""
    head = msgspec.json.decode(file.readline())
    decimals = {name: number for name, number in head.get("decimals", {}).items() if number}
    return head["time"], (_unscaled(msgspec.json.decode(line), decimals) for line in file)


def _unscaled(lists: dict[str, list[Any]], decimals: Mapping[str, int]) -> Block:
    for name, number in decimals.items():
        scale = 10.0**number
        lists[name] = [value and value / scale for value in lists[name]]
    return {name: _Listed(values) for name, values in lists.items()}


def select_from(blocks: Iterable[Block], wanted: Selection, limit: int) -> tuple[int, list[Aircraft]]:
    """The number of `wanted` aircraft in the blocks, and the first `limit` of them by address."""
    matching, first = 0, list[Aircraft]()
    for block in blocks:
        rows = _matching(block, wanted)
        matching += len(rows)
        ordered = sorted(zip(block["icao24"].at(rows), rows, strict=True))[:limit]
        chosen = [row for _, row in ordered]
        names = [name for name in COLUMNS if name in block]  # an index of an earlier release lacks some
        for values in zip(*(block[name].at(chosen) for name in names), strict=True):
            first.append(msgspec.convert(dict(zip(names, values, strict=True)), Aircraft))
        first = sorted(first, key=lambda aircraft: aircraft.icao24)[:limit]
    return matching, first


def block_of(aircraft: Iterable[Aircraft]) -> Block:
    """Aircraft as a block, rounded as they are in an index."""
    rows = list(aircraft)
    return {name: _Listed([_rounded(name, getattr(row, name)) for row in rows]) for name in COLUMNS}


def _rounded(name: str, value: Any) -> Any:
    if value is None or name not in DECIMALS:
        return value
    scale = 10.0 ** DECIMALS[name]
    return round(min(max(value * scale, -LARGEST_WHOLE), LARGEST_WHOLE)) / scale


def _matching(block: Block, wanted: Selection) -> Sequence[int]:
    """The rows of the block that are wanted."""
    rows: Sequence[int] = range(len(block["icao24"]))
    if wanted.box is not None:
        places = zip(rows, block["latitude"].at(rows), block["longitude"].at(rows), strict=True)
        rows = [row for row, *place in places if holds(wanted.box, *place)]
    if wanted.phase is not None:
        phases = block["flight_phase"].at(rows)
        rows = [row for row, phase in zip(rows, phases, strict=True) if phase == wanted.phase]
    if wanted.callsign:
        callsigns = block["callsign"].at(rows)
        rows = [row for row, each in zip(rows, callsigns, strict=True) if (each or "").startswith(wanted.callsign)]
    for name, low, high in wanted.ranges:
        values = block[name].at(rows) if name in block else [None] * len(rows)
        rows = [row for row, value in zip(rows, values, strict=True) if value is not None and low <= value <= high]
    return rows
