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

FLOORS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "completeness": 0.70,
        "validity": 0.90,
        "consistency": 0.70,
        "uniqueness": 0.80,
        "accuracy": 0.50,
        "timeliness": 0.70,
        "coordinate_validity": 0.90,
        "callsign_format": 0.50,
        "country_code": 0.50,
        "timestamp_consistency": 0.70,
        "altitude_consistency": 0.60,
        "speed_consistency": 0.50,
    }
)
"""The score below which a check fails the snapshot whatever the others say: one dead check costs the mean but 1/16."""

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
    floors: Mapping[str, float] = field(default_factory=lambda: FLOORS)

    min_score: float = _number(0.8, 0, 1)
    """A snapshot with a lower overall score fails."""
    min_validity_part: float = _number(0.8, 0, 1)
    """The least share of possible values in each field of `validity`: the mean of six fields hides one."""
    max_rejected: float = _number(0.05, 0, 1)
    """A snapshot of which a larger share of the received rows was rejected fails."""

    altitude_floor_ft: float = _number(-1_000, -100_000, 1_000_000)
    altitude_ceiling_ft: float = _number(60_000, -100_000, 1_000_000)
    speed_ceiling_kt: float = _number(1_200, 0, 100_000)
    climb_ceiling_fpm: float = _number(10_000, 0, 1_000_000)
    """No aircraft that OpenSky hears climbs or sinks faster."""
    iqr_factor: float = _number(3, 0, 1_000)
    """Values further than so many interquartile ranges from the quartiles are outliers."""
    iqr_min_values: int = _whole(40, 1, 1_000_000)
    """With fewer values no outliers are looked for: one among 20 would already fail the check."""

    fresh_s: int = _whole(300, 0, 10**9)
    """OpenSky drops an aircraft 300 s after its last message."""
    oldest_s: int = _whole(86_400, 0, 10**9)

    highest_airport_ft: float = _number(14_472, 0, 1_000_000)
    """Daocheng Yading, the highest civil airport."""
    ground_climb_fpm: float = _number(1_000, 0, 1_000_000)
    """Nothing that is on the ground climbs or sinks faster."""
    ground_speed_ceiling_kt: float = _number(60, 0, 100_000)
    airborne_speed_floor_kt: float = _number(40, 0, 100_000)
    slow_categories: tuple[int, ...] = (8, 9, 10, 11, 12, 14, 18, 19, 20)
    """Rotorcraft, gliders, balloons, parachutists, ultralights and paragliders, UAVs and obstacles may stand still.

    So may what FLARM reports without a category: it is made for gliders.
    """
    datum_deviation_ft: float = _number(2_000, 0, 1_000_000)
    """The largest deviation of one aircraft's geometric minus barometric altitude from the others' at its altitude."""
    datum_deviation_share: float = _number(0.03, 0, 1)
    """The additional tolerance, as a share of the altitude: air masses differ in temperature, and the error adds up."""
    datum_slope: float = _number(0.15, 0, 1)
    """The steepest growth of the difference with altitude: an atmosphere 40 K from the standard one makes 15 %."""

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
    anomaly_spread_mps: float = _number(2, 0, 1_000)
    """The MAD is taken to be at least this: values that all but agree make no ordinary one an anomaly."""
    moving_mps: float = _number(1, 0, 1_000)
    """Slower aircraft on the ground stand still, and say nothing about how fast others taxi."""

    plausible_min_rows: int = _whole(200, 1, 1_000_000)
    """Medians and shares over fewer rows are not judged."""
    cruise_speed_low_kt: float = _number(350, 0, 100_000)
    cruise_speed_high_kt: float = _number(600, 0, 100_000)
    """The median ground speed above 29,000 ft; in a winter's jet stream, a whole region flies at 560."""
    min_share_at_jet_speed: float = _number(0.85, 0, 1)
    """The share of aircraft above 29,000 ft that fly at 250 to 650 kt."""
    cruise_altitude_low_ft: float = _number(20_000, -100_000, 1_000_000)
    cruise_altitude_high_ft: float = _number(45_000, -100_000, 1_000_000)
    """The median barometric altitude of aircraft faster than 350 kt."""
    climb_rate_low_fpm: float = _number(350, 0, 1_000_000)
    climb_rate_high_fpm: float = _number(3_000, 0, 1_000_000)
    """The median of the vertical rates above 300 ft/min, either sign."""
    max_share_of_extreme_rates: float = _number(0.03, 0, 1)
    """Of these, the share above 5,000 ft/min."""
    min_level_above_surplus: float = _number(0.1, 0, 1)
    """The share that flies level above 29,000 ft, less the share below."""
    min_share_climbing: float = _number(0.1, 0, 0.5)
    """Of aircraft above 300 ft/min, up or down: the least share of either. Rates without a sign all climb."""
    max_share_on_ground: float = _number(0.95, 0, 1)
    """A box around an airport shows little else at night, or while nothing may take off."""
    max_share_on_ground_at_speed: float = _number(0.15, 0, 1)
    """The share of rows on the ground that are faster than an aircraft taxies. Take-off runs are brief."""
    max_share_standing_still: float = _number(0.04, 0, 1)
    """Of airborne rows: helicopters that hover, and a few transponders that err."""
    min_share_of_level_rates: float = _number(0.01, 0, 1)
    """Of airborne vertical rates, the share that is 0: it is the commonest value, unless it was taken for null."""
    min_track_of_most: float = _number(20, 0, 360)
    """The track, degrees, that 5 % of airborne aircraft exceed: in radians it is 6."""
    max_datum_ft: float = _number(6_500, 0, 1_000_000)
    """The median of geometric minus barometric altitude; an atmosphere 40 K from the standard one makes 5,500."""
    max_median_age_s: float = _number(60, 0, 1e9)
    """The median age of a contact, and of a position when the contact was made; OpenSky drops positions after 15 s."""
    min_positions_with_time: float = _number(0.5, 0, 1)
    min_distinct_callsigns: float = _number(0.3, 0, 1)
    min_share_of_callsigns_with_letter: float = _number(0.8, 0, 1)
    min_share_of_precise_positions: float = _number(0.75, 0, 1)
    """Latitudes that are no multiples of 1/20 degree."""
    min_share_of_tracks_on_the_compass: float = _number(0.95, 0, 1)
    """Tracks from 0 to 360 degrees."""
    min_share_that_says_if_on_ground: float = _number(0.9, 0, 1)
    max_share_at_null_island: float = _number(0.01, 0, 1)
    min_distinct_positions: float = _number(0.9, 0, 1)
    min_share_near_home: float = _number(0.1, 0, 1)
    """Of the aircraft of the region that has the most: the share that is there or over the oceans beside it."""
    min_share_of_the_world_near_home: float = _number(0.65, 0, 1)
    """The same over all regions, where longitudes are spread over 60 degrees and half the countries have a region."""
    min_mutual_information: float = _number(0.2, 0, 10)
    """The mutual information of longitudes and latitudes, nats, if longitudes are spread over 120 degrees."""
    min_share_past_60_minutes: float = _number(0.2, 0, 1)
    """Of positions spread as wide: those with a fraction of a degree from 0.6 on, which minutes never make."""
    max_share_of_one_altitude: float = _number(0.5, 0, 1)
    """The share of airborne aircraft with one altitude."""
    max_share_of_eight_low_altitudes: float = _number(0.25, 0, 1)
    """The same of the eight commonest altitudes below 29,000 ft, where most climb or sink."""
    max_share_of_one_speed: float = _number(0.15, 0, 1)
    max_share_of_eight_tracks: float = _number(0.18, 0, 1)
    """The share of the eight commonest tracks: in steps of 45 degrees there are no others."""
    max_share_of_one_rate: float = _number(0.95, 0, 1)
    """The same of vertical rates, of which many are 0 in cruise."""
    min_share_of_usual_rows: float = _number(0.75, 0, 1)
    """A snapshot with fewer of the rows that those before it had lacks a region."""
    compared_from_s: int = _whole(60, 1, 10**6)
    compared_within_s: int = _whole(600, 1, 10**6)
    """The ages at which an earlier snapshot is compared with: long enough to move, too short to land elsewhere."""
    min_share_seen_before: float = _number(0.7, 0, 1)
    """The share of rows whose aircraft is also in the snapshot of five minutes before; for ten minutes, its square."""
    min_share_that_continues: float = _number(0.8, 0, 1)
    """Of the aircraft of both snapshots: the share that has the expected identity and motion."""
    min_share_that_continues_steadily: float = _number(0.9, 0, 1)
    """The same for the motion above 29,000 ft, and for the difference of the two altitudes."""
    max_share_unchanged: float = _number(0.2, 0, 1)
    """Of fast or climbing aircraft: the share with exactly the same speed, track or rate."""

    @classmethod
    def from_mapping(cls, overrides: Mapping[str, Any]) -> "Thresholds":
        """The defaults with some replaced, as read from JSON; `pass_marks`, `grades` and `floors` may be partial.

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
            elif key == "floors":
                accepted[key] = _shares(key, {**dict.fromkeys(PASS_MARKS, 0.0), **FLOORS}, value, problems)
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
