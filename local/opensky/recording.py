"""The recorded traffic, and its snapshot at any moment of an endless replay."""

import gzip
import json
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

RECORDING: Final = Path(__file__).with_name("recording.jsonl.gz")

StateVector = list[Any]
"""One aircraft in OpenSky's 18 positional fields (`extended=1`)."""

ICAO24, CALLSIGN, COUNTRY, TIME_POSITION, LAST_CONTACT, LONGITUDE, LATITUDE, ALTITUDE = range(8)
ON_GROUND, VELOCITY = 8, 9
FIELDS: Final = 17
"""Number of fields without `extended=1`: all but the category."""


@dataclass(frozen=True)
class Snapshot:
    """All aircraft at one second (Unix time)."""

    time: int
    vectors: list[StateVector]

    def moved_to(self, time: int) -> "Snapshot":
        """The same traffic as if seen at `time`: all times inside shift too, and ages do not change."""
        shift = time - self.time
        return Snapshot(time, [_shifted(vector, shift) for vector in self.vectors])


@dataclass(frozen=True)
class Recording:
    """Snapshots in time order, and the step between them in seconds."""

    snapshots: tuple[Snapshot, ...]
    step: int

    @property
    def length(self) -> int:
        """Seconds until the replay restarts."""
        return self.snapshots[-1].time - self.snapshots[0].time + self.step

    def at(self, position: float) -> Snapshot:
        """The latest snapshot not after `position` (seconds from the beginning; the recording repeats)."""
        instant = self.snapshots[0].time + position % self.length
        return self.snapshots[bisect_right(self.snapshots, instant, key=lambda snapshot: snapshot.time) - 1]


def load_recording(path: Path = RECORDING) -> Recording:
    """Read a file that `local.opensky.record` wrote."""
    with gzip.open(path, "rt", encoding="ascii") as lines:
        answers = [json.loads(line) for line in lines]
    snapshots = tuple(Snapshot(answer["time"], answer["states"]) for answer in answers)
    return Recording(snapshots, step=snapshots[1].time - snapshots[0].time)


def _shifted(vector: StateVector, shift: int) -> StateVector:
    moved = list(vector)
    moved[LAST_CONTACT] += shift
    if moved[TIME_POSITION] is not None:
        moved[TIME_POSITION] += shift
    return moved
