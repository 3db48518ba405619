"""The 16 checks, what each needs, and how its counts become a score."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Generic, TypeVar

from chalicelib.flights.checks.agreement import altitude_consistency, consistency, speed_consistency
from chalicelib.flights.checks.anomalies import anomaly_detection
from chalicelib.flights.checks.findings import Tally
from chalicelib.flights.checks.gathering import Snapshot
from chalicelib.flights.checks.identity import callsign_format, country_code, uniqueness
from chalicelib.flights.checks.positions import coordinate_validity, position_accuracy
from chalicelib.flights.checks.presence import accuracy, completeness
from chalicelib.flights.checks.ranges import altitude_range, speed_range, validity
from chalicelib.flights.checks.reading import Batch
from chalicelib.flights.checks.thresholds import Thresholds
from chalicelib.flights.checks.times import timeliness, timestamp_consistency

Scope = TypeVar("Scope")
Parts = Mapping[str, tuple[int, int]]


def share(checked: int, failing: int, parts: Parts) -> float | None:
    """The share that does not fail; None if nothing was checked.

    One division, since 1 - 7 / 100 is less than 0.93, and a score of exactly the pass mark passes.
    """
    return (checked - failing) / checked if checked else None


def mean_of_parts(checked: int, failing: int, parts: Parts) -> float | None:
    """The mean of the parts' shares: a small part counts as much as a large one, an empty part does not count."""
    shares = [Fraction(checked - failing, checked) for checked, failing in parts.values() if checked]
    return float(sum(shares) / len(shares)) if shares else None


@dataclass(frozen=True, slots=True)
class Check(Generic[Scope]):
    """A check of batches (row by row) or of the whole snapshot; `needs` are the columns without which it is unknown."""

    judge: Callable[[Scope, Thresholds], Tally]
    needs: tuple[str, ...]
    also: tuple[str, ...] = ()
    """Columns that it uses if they are there."""
    score: Callable[[int, int, Parts], float | None] = share

    @property
    def name(self) -> str:
        return self.judge.__name__

    @property
    def columns(self) -> tuple[str, ...]:
        """All that it reads, which is also what a sample row shows."""
        return self.needs + self.also


ROW_CHECKS: Final[tuple[Check[Batch], ...]] = (
    Check(
        completeness,
        ("icao24", "longitude", "latitude", "baro_altitude", "velocity", "last_contact", "on_ground"),
        score=mean_of_parts,
    ),
    Check(
        validity,
        ("icao24", "longitude", "latitude", "baro_altitude", "velocity"),
        also=("vertical_rate",),
        score=mean_of_parts,
    ),
    Check(consistency, ("on_ground", "longitude", "latitude", "baro_altitude", "velocity", "vertical_rate")),
    Check(accuracy, ("longitude", "latitude", "baro_altitude", "velocity", "on_ground", "position_source")),
    Check(timeliness, ("last_contact", "snapshot_time")),
    Check(coordinate_validity, ("longitude", "latitude")),
    Check(callsign_format, ("callsign",)),
    Check(country_code, ("origin_country",)),
    Check(timestamp_consistency, ("time_position", "last_contact", "snapshot_time")),
    Check(position_accuracy, ("longitude", "latitude", "position_source")),
    Check(speed_consistency, ("velocity", "on_ground"), also=("category", "position_source")),
)
"""Checks of single rows."""

SNAPSHOT_CHECKS: Final[tuple[Check[Snapshot], ...]] = (
    Check(uniqueness, ("icao24",)),
    Check(altitude_range, ("baro_altitude",)),
    Check(speed_range, ("velocity", "on_ground")),
    Check(altitude_consistency, ("baro_altitude", "geo_altitude")),
    Check(anomaly_detection, ("flight_phase", "velocity", "vertical_rate")),
)
"""Checks that compare a row with all others."""
