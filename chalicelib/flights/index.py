"""The compact index: what `GET /flights/latest` needs of a snapshot, as JSON that is read without Arrow.

Gzipped lines of JSON: the snapshot's time, then blocks of rows, a list for each column, of the aircraft that have an
address and a position; numbers are rounded to what a map needs. Written and read block by block, so memory is bounded
by a block.
"""

import gzip
import heapq
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from chalicelib.flights.models import Aircraft
from chalicelib.flights.ports import Box

COLUMNS = Aircraft.__struct_fields__
DECIMALS = {
    "latitude": 5,
    "longitude": 5,
    "baro_altitude_ft": 0,
    "velocity_kt": 1,
    "true_track": 1,
    "vertical_rate_fpm": 0,
}
BLOCK_ROWS = 8192

Block = dict[str, list[Any]]


def build(parquet: BinaryIO, sink: BinaryIO, snapshot_time: int) -> None:
    """Write the index of a processed Parquet to `sink`, which stays open."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=6, mtime=0, filename="") as lines:
        lines.write(msgspec.json.encode({"time": snapshot_time}) + b"\n")
        for batch in pq.ParquetFile(parquet).iter_batches(BLOCK_ROWS, columns=list(COLUMNS)):
            placed = pc.and_(batch["latitude"].is_valid(), batch["longitude"].is_valid())
            located = batch.filter(pc.and_(placed, batch["icao24"].is_valid()))
            block = {}
            for name in COLUMNS:
                column = located[name]
                block[name] = (pc.round(column, DECIMALS[name]) if name in DECIMALS else column).to_pylist()
            lines.write(msgspec.json.encode(block) + b"\n")


def select(stream: BinaryIO, *, box: Box | None, phase: str | None, limit: int) -> tuple[int, int, list[Aircraft]]:
    """The snapshot's time, how many aircraft are in `box` and `phase`, and the first `limit` of them by address."""
    with gzip.GzipFile(fileobj=stream, mode="rb") as lines:
        time = int(msgspec.json.decode(lines.readline())["time"])
        matching = 0

        def found() -> Iterator[Aircraft]:
            nonlocal matching
            for line in lines:
                for aircraft in _matching(msgspec.json.decode(line, type=Block), box, phase):
                    matching += 1
                    yield aircraft

        first = heapq.nsmallest(limit, found(), key=lambda aircraft: aircraft.icao24)
    return time, matching, first


def _matching(block: Block, box: Box | None, phase: str | None) -> Iterator[Aircraft]:
    for row, latitude in enumerate(block["latitude"]):
        inside = box is None or (box[0] <= latitude <= box[2] and box[1] <= block["longitude"][row] <= box[3])
        if inside and phase in (None, block["flight_phase"][row]):
            yield msgspec.convert({name: block[name][row] for name in COLUMNS}, Aircraft)
