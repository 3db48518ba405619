"""The compact index: a snapshot's aircraft as JSON that is read without Arrow.

`GET /flights/latest` and `/flights/snapshots/{tracking_id}/aircraft` read it. Gzipped lines of JSON: the snapshot's
time and the decimals of numbers, then blocks of rows, a list for each column, of the aircraft that have an address and
a position. Numbers are rounded to what a map needs and stored as whole ones, which take JSON a tenth of the time.
Written and read block by block, so memory is bounded by a block.
"""

import gzip
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO, cast

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
TEXTS = ("origin_country", "flight_phase")
BLOCK_ROWS = 8192
LARGEST_WHOLE = 2.0**53
"""A larger number, before its decimals are set apart, is stored as this."""
_READ_BYTES = 1 << 18

Block = dict[str, list[Any]]


@contextmanager
def begun_index(sink: BinaryIO, snapshot_time: int) -> Iterator[Callable[[Any], None]]:
    """Begin an index in `sink`, which stays open, and yield the function that adds processed rows."""
    from chalicelib.flights.states_text import GzipStream

    with GzipStream(fileobj=sink, mode="wb", compresslevel=1, mtime=0, filename="") as lines:
        lines.write(msgspec.json.encode({"time": snapshot_time, "decimals": DECIMALS}) + b"\n")
        yield partial(add_rows, lines)


def add_rows(lines: BinaryIO, batch: Any) -> None:
    """Write blocks of the rows that have an address and a position."""
    import pyarrow.compute as pc

    placed = pc.and_(batch["latitude"].is_valid(), batch["longitude"].is_valid())
    rows = batch.select(COLUMNS).filter(pc.and_(placed, batch["icao24"].is_valid()))
    for start in range(0, len(rows), BLOCK_ROWS):
        block = {}
        for name in COLUMNS:
            column = rows[name].slice(start, BLOCK_ROWS)
            if name in DECIMALS:
                scaled = pc.round(pc.multiply(column, 10.0 ** DECIMALS[name]))
                least = pc.max_element_wise(scaled, -LARGEST_WHOLE, skip_nulls=False)
                column = pc.min_element_wise(least, LARGEST_WHOLE, skip_nulls=False).cast("int64")
            elif name in TEXTS:
                column = column.cast("string")  # a dictionary becomes Python's texts twenty times slower
            block[name] = column.to_pylist()
        lines.write(msgspec.json.encode(block) + b"\n")


def select(stream: BinaryIO, wanted: Selection, limit: int) -> tuple[int, int, list[Aircraft]]:
    """The snapshot's time, how many aircraft are `wanted`, and the first `limit` of them by address."""
    with gzip.GzipFile(fileobj=stream, mode="rb") as packed, io.BufferedReader(cast(Any, packed), _READ_BYTES) as lines:
        head = msgspec.json.decode(lines.readline())
        decimals = {name: number for name, number in head.get("decimals", {}).items() if number}
        blocks = (_unscaled(msgspec.json.decode(line, type=Block), decimals) for line in lines)
        return int(head["time"]), *select_from(blocks, wanted, limit)


def _unscaled(block: Block, decimals: Mapping[str, int]) -> Block:
    for name, number in decimals.items():
        scale = 10.0**number
        block[name] = [value and value / scale for value in block[name]]
    return block


def select_from(blocks: Iterable[Block], wanted: Selection, limit: int) -> tuple[int, list[Aircraft]]:
    """The number of `wanted` aircraft in the blocks, and the first `limit` of them by address."""
    matching, first = 0, list[Aircraft]()
    for block in blocks:
        rows = _matching(block, wanted)
        matching += len(rows)
        names = [name for name in COLUMNS if name in block]  # an index of an earlier release lacks some
        for row in sorted(rows, key=block["icao24"].__getitem__)[:limit]:
            first.append(msgspec.convert({name: block[name][row] for name in names}, Aircraft))
        first = sorted(first, key=lambda aircraft: aircraft.icao24)[:limit]
    return matching, first


def block_of(aircraft: Iterable[Aircraft]) -> Block:
    """Aircraft as a block, rounded as they are in an index."""
    rows = list(aircraft)
    return {name: [_rounded(name, getattr(row, name)) for row in rows] for name in COLUMNS}


def _rounded(name: str, value: Any) -> Any:
    return round(value, DECIMALS[name]) if value is not None and name in DECIMALS else value


def _matching(block: Block, wanted: Selection) -> Sequence[int]:
    """The rows of the block that are wanted."""
    rows: Sequence[int] = range(len(block["icao24"]))
    if wanted.box is not None:
        places = zip(block["latitude"], block["longitude"], strict=True)
        rows = [row for row, place in enumerate(places) if holds(wanted.box, *place)]
    if wanted.phase is not None:
        rows = [row for row in rows if block["flight_phase"][row] == wanted.phase]
    if wanted.callsign:
        rows = [row for row in rows if (block["callsign"][row] or "").startswith(wanted.callsign)]
    for name, low, high in wanted.ranges:
        values = block.get(name, ())
        rows = [row for row in rows if (value := values[row]) is not None and low <= value <= high]
    return rows
