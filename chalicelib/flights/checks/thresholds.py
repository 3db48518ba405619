"""Every number that a verdict depends on, with its default. Imports neither Arrow nor numpy."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypeGuard

from chalicelib.errors import InvalidInput, Problem

PASS_MARKS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "completeness": 0.80,
        "validity": 0.90,
        "consistency": 0.85,
        "uniqueness": 0.95,
        "accuracy": 0.70,
        "timeliness": 0.80,
        "altitude_range": 0.95,
        "speed_range": 0.95,
        "coordinate_validity": 0.98,
        "callsign_format": 0.90,
        "country_code": 0.95,
        "timestamp_consistency": 0.90,
        "position_accuracy": 0.95,
        "altitude_consistency": 0.80,
        "speed_consistency": 0.80,
        "anomaly_detection": 0.95,
    }
)
"""The score from which each check passes, in the order of the report."""

GRADES: Final[Mapping[str, float]] = MappingProxyType({"A": 0.95, "B": 0.90, "C": 0.80, "D": 0.70})
"""The score from which each grade is given; below the last it is F."""


def _number(default: float, low: float, high: float) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "whole": False})


def _whole(default: int, low: int, high: int) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "whole": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The limits of the checks and of the verdict; the unit ends each name (ft, kt, fpm, s)."""

    pass_marks: Mapping[str, float] = field(default_factory=lambda: PASS_MARKS)
    grades: Mapping[str, float] = field(default_factory=lambda: GRADES)

    min_score: float = _number(0.8, 0, 1)
    """A snapshot with a lower overall score fails."""
    min_completeness: float = _number(0.7, 0, 1)
    """A snapshot with a lower completeness fails, whatever its score."""
    max_rejected: float = _number(0.05, 0, 1)
    """A snapshot of which a larger share of the received rows was rejected fails."""

    altitude_floor_ft: float = _number(-1_000, -100_000, 1_000_000)
    altitude_ceiling_ft: float = _number(60_000, -100_000, 1_000_000)
    speed_ceiling_kt: float = _number(1_200, 0, 100_000)
    iqr_factor: float = _number(3, 0, 1_000)
    """Values further than so many interquartile ranges from the quartiles are outliers."""
    iqr_min_values: int = _whole(11, 1, 1_000_000)
    """With fewer values no outliers are looked for."""

    fresh_s: int = _whole(300, 0, 10**9)
    """OpenSky drops an aircraft 300 s after its last message."""
    oldest_s: int = _whole(86_400, 0, 10**9)

    highest_airport_ft: float = _number(14_472, 0, 1_000_000)
    """Daocheng Yading, the highest civil airport."""
    ground_rush_kt: float = _number(100, 0, 100_000)
    """Faster is no taxiing: with an altitude above every airport, the on-ground flag is wrong."""
    ground_climb_fpm: float = _number(1_000, 0, 1_000_000)
    """Nothing that is on the ground climbs or sinks faster."""
    ground_speed_ceiling_kt: float = _number(60, 0, 100_000)
    airborne_speed_floor_kt: float = _number(40, 0, 100_000)
    slow_categories: tuple[int, ...] = (8, 9, 10)
    """Rotorcraft, gliders and lighter-than-air craft fly slower than the floor, by design."""
    datum_deviation_ft: float = _number(2_000, 0, 1_000_000)
    """How far one aircraft's geometric minus barometric altitude may be from the snapshot's median."""

    decimals_ads_b: int = _whole(5, 0, 7)
    """CPR positions step by 4.6e-5 degrees in the air and 1.1e-5 on the ground."""
    decimals_asterix: int = _whole(6, 0, 7)
    """CAT062 item 105 counts in 180/2^25 = 5.4e-6 degrees."""
    decimals_mlat: int = _whole(4, 0, 7)
    """Multilateration is good to tens of metres at best; 4 decimals are 11 m."""
    decimals_flarm: int = _whole(5, 0, 7)
    """FLARM sends positions in steps of 1.28e-5 degrees."""

    anomaly_z: float = _number(6, 0, 1_000)
    """Iglewicz and Hoaglin's 3.5 is for normal values; those of a phase are skewed, light aircraft among jets."""
    anomaly_min_values: int = _whole(10, 2, 1_000_000)
    """A flight phase with fewer values is not judged."""

    @classmethod
    def from_mapping(cls, overrides: Mapping[str, Any]) -> "Thresholds":
        """The defaults with some replaced, as read from JSON; `pass_marks` and `grades` may be partial.

        One InvalidInput names every unknown key and every value of the wrong type or out of bounds.
        """
        problems: list[Problem] = []
        accepted: dict[str, Any] = {}
        fields = {item.name: item for item in dataclasses.fields(cls)}
        for key, value in overrides.items():
            if key not in fields:
                problems.append(Problem(str(key), "is not a threshold", "one of " + ", ".join(fields)))
            elif key == "pass_marks":
                accepted[key] = _shares(key, PASS_MARKS, value, problems)
            elif key == "grades":
                accepted[key] = _shares(key, GRADES, value, problems)
            elif key == "slow_categories":
                accepted[key] = _categories(key, value, problems)
            else:
                accepted[key] = _bounded(key, value, fields[key].metadata, problems)
        if not problems:
            made = cls(**accepted)
            problems += _disorder(made)
            if not problems:
                return made
        raise InvalidInput(
            "thresholds: " + "; ".join(f"{p.field} {p.problem}, expected {p.expected}" for p in problems),
            problems=problems,
        )


def _bounded(name: str, value: object, bounds: Mapping[str, Any], problems: list[Problem]) -> float | int:
    low, high, whole = bounds["low"], bounds["high"], bounds["whole"]
    if _is_number(value) and low <= value <= high and (not whole or value == int(value)):
        return int(value) if whole else value
    kind = "a whole number" if whole else "a number"
    problems.append(Problem(name, f"is {value!r}", f"{kind} from {low} to {high}"))
    return 0


def _shares(name: str, defaults: Mapping[str, float], value: object, problems: list[Problem]) -> Mapping[str, float]:
    if not isinstance(value, Mapping):
        problems.append(Problem(name, f"is {value!r}", "an object of numbers from 0 to 1"))
        return defaults
    for key, share in value.items():
        if key not in defaults:
            problems.append(Problem(f"{name}.{key}", "is unknown", "one of " + ", ".join(defaults)))
        elif not (_is_number(share) and 0 <= share <= 1):
            problems.append(Problem(f"{name}.{key}", f"is {share!r}", "a number from 0 to 1"))
    return MappingProxyType({**defaults, **value})


def _categories(name: str, value: object, problems: list[Problem]) -> tuple[int, ...]:
    if isinstance(value, (list, tuple)) and all(type(item) is int for item in value):
        return tuple(value)
    problems.append(Problem(name, f"is {value!r}", "a list of whole numbers"))
    return ()


def _disorder(made: Thresholds) -> list[Problem]:
    problems = []
    if made.altitude_floor_ft >= made.altitude_ceiling_ft:
        problems.append(Problem("altitude_floor_ft", f"is {made.altitude_floor_ft}", "less than altitude_ceiling_ft"))
    marks = list(made.grades.values())
    if marks != sorted(marks, reverse=True):
        problems.append(Problem("grades", f"are {dict(made.grades)}", "marks that fall from A to D"))
    return problems


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
