"""The compact index: what `GET /flights/latest` needs of a snapshot, as JSON that is read without Arrow.

One list for each column, of the aircraft that have a position; numbers are rounded to what a map needs.
"""

import gzip
from typing import BinaryIO

import msgspec
from msgspec import Struct

from chalicelib.flights.models import Aircraft
from chalicelib.flights.ports import Box

COLUMNS = (
    "icao24",
    "callsign",
    "origin_country",
    "latitude",
    "longitude",
    "baro_altitude_ft",
    "velocity_kt",
    "true_track",
    "vertical_rate_fpm",
    "flight_phase",
    "last_contact",
)
DECIMALS = {
    "latitude": 5,
    "longitude": 5,
    "baro_altitude_ft": 0,
    "velocity_kt": 1,
    "true_track": 1,
    "vertical_rate_fpm": 0,
}


class Index(Struct, frozen=True, kw_only=True):
    """The columns of one snapshot's aircraft, all of one length."""

    time: int
    columns: dict[str, list[str | float | int | None]]


def build(parquet: BinaryIO, snapshot_time: int) -> bytes:
    """The gzipped index of a processed Parquet."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(parquet, columns=list(COLUMNS))
    located = table.filter(pc.and_(table["latitude"].is_valid(), table["longitude"].is_valid()))
    columns = {}
    for name in COLUMNS:
        column = located[name]
        columns[name] = (pc.round(column, DECIMALS[name]) if name in DECIMALS else column).to_pylist()
    return gzip.compress(msgspec.json.encode(Index(time=snapshot_time, columns=columns)), 6, mtime=0)


def read(stream: BinaryIO) -> Index:
    """The index that `build` wrote."""
    return msgspec.json.decode(gzip.decompress(stream.read()), type=Index)


def select(index: Index, *, box: Box | None, phase: str | None, limit: int) -> tuple[int, list[Aircraft]]:
    """How many aircraft are in `box` and `phase`, and the first `limit` of them, by address."""
    columns = index.columns
    found = [
        row
        for row, (latitude, longitude, in_phase) in enumerate(
            zip(columns["latitude"], columns["longitude"], columns["flight_phase"], strict=True)
        )
        if (phase is None or in_phase == phase) and _inside(box, latitude, longitude)
    ]
    found.sort(key=lambda row: str(columns["icao24"][row]))
    return len(found), [
        msgspec.convert({name: columns[name][row] for name in COLUMNS}, Aircraft) for row in found[:limit]
    ]


def _inside(box: Box | None, latitude: object, longitude: object) -> bool:
    if box is None:
        return True
    south, west, north, east = box
    assert isinstance(latitude, float | int)
    assert isinstance(longitude, float | int)
    return south <= latitude <= north and west <= longitude <= east
