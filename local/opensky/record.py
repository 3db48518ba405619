"""Make the recording that the local OpenSky replays, from real ADS-B tracks.

    pip download --no-deps traffic==2.13
    python -m local.opensky.record traffic-2.13-py3-none-any.whl

The source has one row per aircraft and second, in feet and knots. The result contains OpenSky's answers to
`GET /states/all?extended=1` every ten seconds: one answer a line, gzip. RECORDING.md says which fields are received
and which are derived.
"""

import argparse
import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

from local.opensky.countries import country_of

MEMBER: Final = "traffic/data/samples/collections/quickstart.json.gz"
MEMBER_SHA256: Final = "0ef1a97f6b96c31a58e2d9cf58af01a90016eb97472f37718dcba3913c682403"
RECORDING: Final = Path(__file__).with_name("recording.jsonl.gz")

STEP: Final = 10
POSITION_LIFETIME: Final = 15

METRES_PER_FOOT: Final = 0.3048
METRES_PER_SECOND_PER_KNOT: Final = 1852 / 3600

OBSERVED: Final = (
    "altitude",
    "callsign",
    "groundspeed",
    "latitude",
    "longitude",
    "onground",
    "squawk",
    "track",
    "vertical_rate",
)

Observation = Mapping[str, Any]
StateVector = list[Any]


class Heard(NamedTuple):
    """One second of one aircraft, with the times of the last message and the last position."""

    second: int
    last_contact: int
    time_position: int
    seen: Observation


def read_source(wheel: Path) -> list[Observation]:
    """The rows of the sample in the wheel, checked against the digest in this file."""
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read(MEMBER)
    digest = hashlib.sha256(packed).hexdigest()
    if digest != MEMBER_SHA256:
        raise SystemExit(f"{MEMBER} has sha256 {digest}, expected {MEMBER_SHA256}: another release of traffic?")
    rows: list[Observation] = json.loads(gzip.decompress(packed))
    return rows


def hear(track: Iterable[Observation]) -> Iterator[Heard]:
    """Date each row of one aircraft's track (in time order) by its last change.

    OpenSky repeats a vector for up to 300 s after the last message. A moving aircraft's row that equals the previous
    row is such a repetition; a parked aircraft's row (on the ground, no speed) counts as received.
    """
    before: Observation = {}
    second = contact = position = 0
    for row in track:
        previous, second = second, row["timestamp"] // 1000
        anew = second != previous + 1 or (row["onground"] and row["groundspeed"] is None)
        if anew or any(row[name] != before[name] for name in OBSERVED):
            contact = second
        if anew or row["latitude"] != before["latitude"] or row["longitude"] != before["longitude"]:
            position = second
        before = row
        yield Heard(second, contact, position, row)


def state_vector(heard: Heard, at: int) -> StateVector:
    """OpenSky's 18 fields for the received data as of second `at`, in SI units and with OpenSky's precision."""
    seen = heard.seen
    located = at - heard.time_position <= POSITION_LIFETIME
    return [
        seen["icao24"],
        seen["callsign"].ljust(8),
        country_of(seen["icao24"]),
        heard.time_position if located else None,
        heard.last_contact,
        round(seen["longitude"], 4) if located else None,
        round(seen["latitude"], 4) if located else None,
        scaled(seen["altitude"], METRES_PER_FOOT),
        seen["onground"],
        scaled(seen["groundspeed"], METRES_PER_SECOND_PER_KNOT),
        scaled(seen["track"], 1),
        scaled(seen["vertical_rate"], METRES_PER_FOOT / 60),
        None,
        None,
        seen["squawk"],
        False,
        0,
        0,
    ]


def scaled(value: float | None, factor: float) -> float | None:
    """The value in the other unit, to two decimals; null stays null."""
    return None if value is None else round(value * factor, 2)


def snapshots(rows: Iterable[Observation]) -> Iterator[tuple[int, list[StateVector]]]:
    """One (second, vectors by address) every STEP seconds; an aircraft without a row for 15 s is absent."""
    by_second: dict[int, list[StateVector]] = {}
    ordered = sorted(rows, key=lambda row: (row["icao24"], row["timestamp"]))
    for _, track in groupby(ordered, key=itemgetter("icao24")):
        latest: dict[int, Heard] = {}
        for heard in hear(track):
            first = -(-heard.second // STEP) * STEP
            for at in range(first, heard.second + POSITION_LIFETIME + 1, STEP):
                latest[at] = heard
        for at, heard in latest.items():
            by_second.setdefault(at, []).append(state_vector(heard, at))
    last = max(row["timestamp"] for row in ordered) // 1000
    return ((at, by_second[at]) for at in sorted(by_second) if at <= last)


def write_recording(snapshots: Iterable[tuple[int, list[StateVector]]], path: Path) -> int:
    """Write one answer a line; reproducible, because the gzip has no date. Return the number of answers."""
    packed, count = io.BytesIO(), 0
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as lines:
        for at, vectors in snapshots:
            lines.write(json.dumps({"time": at, "states": vectors}, separators=(",", ":")).encode() + b"\n")
            count += 1
    path.write_bytes(packed.getvalue())
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the recording of state vectors from the traffic wheel.")
    parser.add_argument("wheel", type=Path, help="traffic-2.13-py3-none-any.whl")
    parser.add_argument("--out", type=Path, default=RECORDING)
    arguments = parser.parse_args()
    count = write_recording(snapshots(read_source(arguments.wheel)), arguments.out)
    print(f"{count} snapshots, {arguments.out.stat().st_size:,} bytes: {arguments.out}")


if __name__ == "__main__":
    main()
