"""The compact index: a snapshot's aircraft as JSON that is read without Arrow.

`GET /flights/latest` and `/flights/snapshots/{tracking_id}/aircraft` read it. Gzipped lines of JSON: the snapshot's
time, then blocks of rows, a list for each column, of the aircraft that have an address and a position; numbers are
rounded to what a map needs. Written and read block by block, so memory is bounded by a block.
"""

import gzip
import heapq
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

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

Block = dict[str, list[Any]]


def build(parquet: BinaryIO, sink: BinaryIO, snapshot_time: int) -> None:
    """Write the index of a processed Parquet to `sink`, which stays open."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from chalicelib.flights.states_text import GzipStream

    with GzipStream(fileobj=sink, mode="wb", compresslevel=1, mtime=0, filename="") as lines:
        lines.write(msgspec.json.encode({"time": snapshot_time}) + b"\n")
        for batch in pq.ParquetFile(parquet).iter_batches(BLOCK_ROWS, columns=list(COLUMNS)):
            placed = pc.and_(batch["latitude"].is_valid(), batch["longitude"].is_valid())
            located = batch.filter(pc.and_(placed, batch["icao24"].is_valid()))
            block = {}
            for name in COLUMNS:
                column = located[name]
                if name in TEXTS:
                    column = column.cast("string")  # a dictionary becomes Python's texts twenty times slower
                block[name] = (pc.round(column, DECIMALS[name]) if name in DECIMALS else column).to_pylist()
            lines.write(msgspec.json.encode(block) + b"\n")


def select(stream: BinaryIO, wanted: Selection, limit: int) -> tuple[int, int, list[Aircraft]]:
    """The snapshot's time, how many aircraft are `wanted`, and the first `limit` of them by address."""
    with gzip.GzipFile(fileobj=stream, mode="rb") as lines:
        time = int(msgspec.json.decode(lines.readline())["time"])
        blocks = (msgspec.json.decode(line, type=Block) for line in lines)
        return time, *select_from(blocks, wanted, limit)


def select_from(blocks: Iterable[Block], wanted: Selection, limit: int) -> tuple[int, list[Aircraft]]:
    """The number of `wanted` aircraft in the blocks, and the first `limit` of them by address."""
    matching = 0

    def found() -> Iterator[Aircraft]:
        nonlocal matching
        for block in blocks:
            for aircraft in _matching(block, wanted):
                matching += 1
                yield aircraft

    first = heapq.nsmallest(limit, found(), key=lambda aircraft: aircraft.icao24)
    return matching, first


def block_of(aircraft: Iterable[Aircraft]) -> Block:
    """Aircraft as a block, rounded as they are in an index."""
    rows = list(aircraft)
    return {name: [_rounded(name, getattr(row, name)) for row in rows] for name in COLUMNS}


def _rounded(name: str, value: Any) -> Any:
    return round(value, DECIMALS[name]) if value is not None and name in DECIMALS else value


def _matching(block: Block, wanted: Selection) -> Iterator[Aircraft]:
    """The block's aircraft that are wanted; an index of an earlier release lacks some columns."""
    names = [name for name in COLUMNS if name in block]
    ranges = [(block[name], low, high) for name, low, high in wanted.ranges if name in block]
    for row, latitude in enumerate(block["latitude"]):
        if wanted.box is not None and not holds(wanted.box, latitude, block["longitude"][row]):
            continue
        if wanted.phase not in (None, block["flight_phase"][row]):
            continue
        if wanted.callsign and not (block["callsign"][row] or "").startswith(wanted.callsign):
            continue
        if all((value := values[row]) is not None and low <= value <= high for values, low, high in ranges):
            yield msgspec.convert({name: block[name][row] for name in names}, Aircraft)
