"""Agreement of fields: consistency, altitude_consistency and speed_consistency."""

from typing import Final

import numpy as np

from chalicelib.flights.checks.findings import Floats, Mask, Tally, either, marked
from chalicelib.flights.checks.gathering import Snapshot
from chalicelib.flights.checks.order import median, quartiles
from chalicelib.flights.checks.reading import Batch
from chalicelib.flights.checks.thresholds import Thresholds
from chalicelib.flights.columns import FEET_PER_METRE, FPM_PER_MPS, KNOTS_PER_MPS

LEAST_SPAN_M: Final = 1_000.0
"""Altitudes that are closer together than this say nothing of how the difference grows with altitude."""
FLARM: Final = 3
LAST_UNKNOWN_CATEGORY: Final = 1
"""0 is no information at all, 1 none about the category."""


def consistency(batch: Batch, limits: Thresholds) -> Tally:
    """Whether no two fields of a row contradict each other.

    Why: each value may be possible, yet not together; the on-ground flag is the one that transponders get wrong.
    Formula: rows without a contradiction / rows. Contradictions: on the ground and higher than the highest airport
    (14,472 ft); on the ground and climbing or sinking faster than 1000 ft/min; exactly one of longitude and latitude.
    A missing value contradicts nothing.
    Pass mark: 0.85.
    """
    longitude, latitude = batch.numbers("longitude").missing, batch.numbers("latitude").missing
    half: Mask | None = None
    if longitude is not None and latitude is not None:
        half = longitude != latitude
    elif longitude is not None or latitude is not None:
        half = either(longitude, latitude)
    aloft: Mask | None = None
    climbing: Mask | None = None
    if batch.grounded.any():
        highest = limits.highest_airport_ft / FEET_PER_METRE
        aloft = batch.grounded & (batch.numbers("baro_altitude").values > highest)
        climb = limits.ground_climb_fpm / FPM_PER_MPS
        climbing = batch.grounded & (np.abs(batch.numbers("vertical_rate").values) > climb)
    rules = {"ground_above_airports": aloft, "ground_climbing": climbing, "half_position": half}
    parts = {name: (batch.rows, marked(mask)) for name, mask in rules.items()}
    return Tally.of(batch.rows, either(*rules.values()), parts)


def altitude_consistency(snapshot: Snapshot, limits: Thresholds) -> Tally:
    """Whether an aircraft's two altitudes differ like the others' at its height.

    Why: barometric altitude counts from the 1013.25 hPa surface, geometric from the ellipsoid. Their difference depends
    on the weather and the geoid, and grows with altitude if the air is warmer or colder than the standard atmosphere;
    a single aircraft that differs from all others has a broken sensor.
    Formula: |d - line| <= 2000 ft + 3 % of |baro_altitude|, d being geo_altitude - baro_altitude, of the rows with
    both, finite. The line is Tukey's resistant one: its slope goes through the medians of the rows not above the lower
    and not below the upper quartile of baro_altitude, at most 15 % either way, and is 0 with fewer than 40 rows or
    quartiles less than 1000 m apart; its intercept is the median of the remainders.
    Pass mark: 0.80. Source: ICAO Annex 10, Volume IV, 4.3.9.3; RTCA DO-260B, 2.2.3.2.6.1.14 (GNSS minus baro); ICAO
    Doc 8168, III-1-4, temperature correction.
    """
    altitude = snapshot.values("baro_altitude")
    difference = snapshot.values("geo_altitude") - altitude
    difference[np.isinf(difference)] = np.nan
    present = len(difference) - marked(np.isnan(difference))
    if not present:
        return Tally(0, 0)
    altitude = np.where(np.isnan(difference), np.nan, altitude)
    difference -= _slope(altitude, difference, present, limits) * altitude
    deviation = np.abs(difference - median(difference, present))
    allowed = limits.datum_deviation_ft / FEET_PER_METRE + limits.datum_deviation_share * np.abs(altitude)
    return Tally.of(present, deviation > allowed)


def _slope(altitude: Floats, difference: Floats, present: int, limits: Thresholds) -> float:
    if present < limits.iqr_min_values:
        return 0.0
    lower, upper = quartiles(altitude, present)
    if upper - lower < LEAST_SPAN_M:
        return 0.0
    low, high = altitude <= lower, altitude >= upper
    rise, run = (
        median(values[high], marked(high)) - median(values[low], marked(low)) for values in (difference, altitude)
    )
    return min(max(rise / run, -limits.datum_slope), limits.datum_slope)


def speed_consistency(batch: Batch, limits: Thresholds) -> Tally:
    """Whether an aircraft on the ground is slow, and an airborne one fast.

    Why: no aeroplane flies below its stalling speed, and none taxies above 60 kt (take-off runs are brief).
    Formula: velocity <= 60 kt on the ground, >= 40 kt in the air, of the rows with on_ground and velocity, except what
    is airborne and may be slow: rotorcraft, gliders, balloons, parachutists, ultralights and paragliders, UAVs and
    obstacles (categories 8 to 12, 14, 18 to 20), and without a category (none, 0 or 1) what FLARM reports.
    Pass mark: 0.80. Source: OpenSky's REST API documentation, `category`.
    """
    velocity = batch.numbers("velocity").values
    known = ~np.isnan(velocity)
    category = batch.numbers("category")
    flying = batch.airborne & known
    if category.present:
        for slow in limits.slow_categories:
            if category.low <= slow <= category.high:
                flying &= category.values != slow
    source = batch.numbers("position_source")
    if source.low <= FLARM <= source.high:
        flying &= (source.values != FLARM) | (category.values > LAST_UNKNOWN_CATEGORY)
    rolling = batch.grounded & known
    rushing = rolling & (velocity > limits.ground_speed_ceiling_kt / KNOTS_PER_MPS)
    crawling = flying & (velocity < limits.airborne_speed_floor_kt / KNOTS_PER_MPS)
    parts = {"ground": (marked(rolling), marked(rushing)), "airborne": (marked(flying), marked(crawling))}
    return Tally.of(parts["ground"][0] + parts["airborne"][0], rushing | crawling, parts)
