"""Possible values: validity, altitude_range and speed_range.

Limits are in feet and knots, values in metres and metres a second; the limit is converted, with the factors of
`columns`, and no value is rounded.
"""

import numpy as np

from chalicelib.flights.checks import text
from chalicelib.flights.checks.findings import Floats, Mask, Tally, either, first, marked
from chalicelib.flights.checks.gathering import Snapshot
from chalicelib.flights.checks.order import quartiles
from chalicelib.flights.checks.positions import MAX_LATITUDE, MAX_LONGITUDE
from chalicelib.flights.checks.reading import Batch
from chalicelib.flights.checks.thresholds import Thresholds
from chalicelib.flights.columns import FEET_PER_METRE, FPM_PER_MPS, KNOTS_PER_MPS


def validity(batch: Batch, limits: Thresholds) -> Tally:
    """Whether the values that are there can be true.

    Why: impossible values betray a decoder, a unit or a swapped column; gaps are completeness's affair.
    Formula: the mean, over longitude (-180 to 180), latitude (-90 to 90), baro_altitude (-1000 to 60000 ft), velocity
    (0 to 1200 kt), vertical_rate (-10000 to 10000 ft/min) and icao24 (six lower-case hexadecimal digits), of values
    within their range / values present. A field without values takes no part. Counts are of values.
    Pass mark: 0.90. Source: the ranges are the facts' own; -1000 ft allows for high pressure at sea level.
    """
    longitude, latitude = batch.numbers("longitude"), batch.numbers("latitude")
    altitude, velocity = batch.numbers("baro_altitude"), batch.numbers("velocity")
    rate, climb = batch.numbers("vertical_rate"), limits.climb_ceiling_fpm / FPM_PER_MPS
    malformed = batch.addresses == text.MALFORMED
    outside: dict[str, tuple[int, Mask | None]] = {
        "longitude": (longitude.present, longitude.outside(-MAX_LONGITUDE, MAX_LONGITUDE)),
        "latitude": (latitude.present, latitude.outside(-MAX_LATITUDE, MAX_LATITUDE)),
        "baro_altitude": (altitude.present, altitude.outside(*_altitudes(limits))),
        "velocity": (velocity.present, velocity.outside(*_speeds(limits))),
        "vertical_rate": (rate.present, rate.outside(-climb, climb)),
        "icao24": (batch.rows - marked(batch.addresses == text.NULL), malformed),
    }
    parts = {name: (present, marked(mask)) for name, (present, mask) in outside.items()}
    failing = either(*(mask for _, mask in outside.values()))
    return Tally(
        sum(part[0] for part in parts.values()), sum(part[1] for part in parts.values()), first(failing), parts
    )


def altitude_range(snapshot: Snapshot, limits: Thresholds) -> Tally:
    """Whether a barometric altitude is possible, and not far from all others.

    Why: a wrong but possible altitude shows only in comparison with the others.
    Formula: within -1000 to 60000 ft, and, if at least 40 are, within 3 x IQR of their quartiles
    (`order.quartiles`), of the altitudes present.
    Pass mark: 0.95. Source: Tukey, Exploratory Data Analysis (1977): 3 x IQR is "far out".
    """
    values = snapshot.values("baro_altitude")
    low, high = _altitudes(limits)
    return _ranged(values, low, high, limits, both_ends=True)


def speed_range(snapshot: Snapshot, limits: Thresholds) -> Tally:
    """Whether an airborne aircraft's speed is possible, and not far above all others.

    Why: as altitude_range. Low speed is no error (hovering, gliding), so only the upper fence counts; parked aircraft
    would pull the quartiles to 0.
    Formula: within 0 to 1200 kt, and, if at least 40 are, at most 3 x IQR above the upper quartile, of the
    velocities present in airborne rows.
    Pass mark: 0.95. Source: as altitude_range.
    """
    values = np.where(snapshot.airborne, snapshot.values("velocity"), np.nan)
    low, high = _speeds(limits)
    return _ranged(values, low, high, limits, both_ends=False)


def _altitudes(limits: Thresholds) -> tuple[float, float]:
    return limits.altitude_floor_ft / FEET_PER_METRE, limits.altitude_ceiling_ft / FEET_PER_METRE


def _speeds(limits: Thresholds) -> tuple[float, float]:
    return 0.0, limits.speed_ceiling_kt / KNOTS_PER_MPS


def _ranged(values: Floats, low: float, high: float, limits: Thresholds, *, both_ends: bool) -> Tally:
    present = len(values) - marked(np.isnan(values))
    outside = (values < low) | (values > high)
    beyond = marked(outside)
    possible = np.where(outside, np.nan, values) if beyond else values
    outliers = 0
    failing = outside
    if present - beyond >= limits.iqr_min_values:
        lower, upper = quartiles(possible, present - beyond)
        reach = limits.iqr_factor * (upper - lower)
        far = possible > upper + reach
        if both_ends:
            far |= possible < lower - reach
        outliers = marked(far)
        failing = outside | far
    parts = {"limits": (present, beyond), "outliers": (present - beyond, outliers)}
    return Tally.of(present, failing, parts)
