"""Do the fields agree: consistency, altitude_consistency and speed_consistency."""

import numpy as np

from chalicelib.flights.checks.findings import Mask, Tally, count, either
from chalicelib.flights.checks.gathering import Snapshot
from chalicelib.flights.checks.order import median
from chalicelib.flights.checks.reading import Batch
from chalicelib.flights.checks.thresholds import Thresholds
from chalicelib.flights.columns import FEET_PER_METRE, FPM_PER_MPS, KNOTS_PER_MPS


def consistency(batch: Batch, limits: Thresholds) -> Tally:
    """Whether no two fields of a row contradict each other.

    Why: each value may be possible, yet not together; the on-ground flag is the one that transponders get wrong.
    Formula: rows without a contradiction / rows. Contradictions: on the ground, higher than the highest airport
    (14,472 ft) and faster than 100 kt; on the ground and climbing or sinking faster than 1000 ft/min; exactly one of
    longitude and latitude. A missing value contradicts nothing.
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
        aloft = (
            batch.grounded
            & (batch.numbers("baro_altitude").values > limits.highest_airport_ft / FEET_PER_METRE)
            & (batch.numbers("velocity").values > limits.ground_rush_kt / KNOTS_PER_MPS)
        )
        climb = limits.ground_climb_fpm / FPM_PER_MPS
        climbing = batch.grounded & (np.abs(batch.numbers("vertical_rate").values) > climb)
    rules = {"ground_above_airports": aloft, "ground_climbing": climbing, "half_position": half}
    parts = {name: (batch.rows, count(mask)) for name, mask in rules.items()}
    return Tally.of(batch.rows, either(*rules.values()), parts)


def altitude_consistency(snapshot: Snapshot, limits: Thresholds) -> Tally:
    """Whether an aircraft's two altitudes differ as everybody's do.

    Why: barometric altitude counts from the 1013.25 hPa surface, geometric from the ellipsoid, so that their difference
    is the weather's and the geoid's; one aircraft that differs from all others has a broken sensor.
    Formula: |(geo_altitude - baro_altitude) - median of these| <= 2000 ft, of the rows with both, finite.
    Pass mark: 0.80. Source: ICAO Annex 10, Volume IV, 4.3.9.3; RTCA DO-260B, 2.2.3.2.6.1.14 (GNSS minus baro).
    """
    difference = snapshot.values("geo_altitude") - snapshot.values("baro_altitude")
    difference[np.isinf(difference)] = np.nan
    present = len(difference) - count(np.isnan(difference))
    if not present:
        return Tally(0, 0)
    deviation = np.abs(difference - median(difference, present))
    return Tally.of(present, deviation > limits.datum_deviation_ft / FEET_PER_METRE)


def speed_consistency(batch: Batch, limits: Thresholds) -> Tally:
    """Whether an aircraft on the ground is slow, and an airborne one fast.

    Why: no aeroplane flies below its stalling speed, and none taxies above 60 kt (take-off runs are brief).
    Formula: velocity <= 60 kt on the ground, >= 40 kt in the air, of the rows with on_ground and velocity, except
    airborne rotorcraft, gliders and lighter-than-air craft (categories 8, 9, 10), as far as the category is known.
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
    rolling = batch.grounded & known
    rushing = rolling & (velocity > limits.ground_speed_ceiling_kt / KNOTS_PER_MPS)
    crawling = flying & (velocity < limits.airborne_speed_floor_kt / KNOTS_PER_MPS)
    parts = {"ground": (count(rolling), count(rushing)), "airborne": (count(flying), count(crawling))}
    return Tally.of(parts["ground"][0] + parts["airborne"][0], rushing | crawling, parts)
