"""Can a snapshot as a whole be true: what no row shows, since each value alone is possible.

A unit that is wrong throughout, columns that are swapped, a column that stands still: each shows in a median or a
share over many aircraft. Each finding needs at least `plausible_min_rows` rows to be judged, and looks at a sample of
at most some 20,000 rows, so that its cost does not grow with the snapshot.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from chalicelib.flights.checks.findings import Floats, Mask
from chalicelib.flights.checks.gathering import Snapshot
from chalicelib.flights.checks.homes import REGION_OF, REGIONS
from chalicelib.flights.checks.thresholds import Thresholds
from chalicelib.flights.columns import FEET_PER_METRE, FPM_PER_MPS, KNOTS_PER_MPS
from chalicelib.flights.reports import CheckVerdict, Plausibility

HIGH_FT: Final = 29_000.0
"""Above it fly jets, and hardly anything else."""
FAST_KT: Final = 350.0
"""Faster are jets that have left the terminal area."""
JET_KT: Final = (250.0, 650.0)
"""What a jet's ground speed can be at height, from the strongest headwind to the strongest tailwind."""
CLIMBING_FPM: Final = 300.0

_BOXES: Final = list(REGIONS)
_REGIONS: Final = np.array([*REGION_OF.values(), len(REGIONS)])


def plausibility(snapshot: Snapshot, limits: Thresholds, usual_rows: int | None) -> list[Plausibility]:
    """The findings that could be judged; `usual_rows` is how many rows the snapshots before had."""
    with np.errstate(invalid="ignore", over="ignore"):
        found = [*_found(snapshot, limits)]
    if usual_rows is not None and usual_rows >= limits.plausible_min_rows:
        found.append(("share_of_usual_rows", snapshot.rows / usual_rows, limits.min_share_of_usual_rows, np.inf))
    return [
        Plausibility(
            name=name,
            value=round(float(value), 4),
            lowest=None if low == -np.inf else low,
            highest=None if high == np.inf else high,
            verdict=CheckVerdict.PASSED if low <= value <= high else CheckVerdict.FAILED,
        )
        for name, value, low, high in found
    ]


def _found(snapshot: Snapshot, limits: Thresholds) -> Iterator[tuple[str, float, float, float]]:
    enough = limits.plausible_min_rows
    altitude, speed, rate = (snapshot.sampled(name) for name in ("baro_altitude", "velocity", "vertical_rate"))
    altitude, speed = altitude * FEET_PER_METRE, speed * KNOTS_PER_MPS
    airborne, grounded = snapshot.sampled_airborne, snapshot.sampled_grounded
    high = speed[airborne & (altitude >= HIGH_FT) & ~np.isnan(speed)]
    if len(high) >= enough:
        yield "cruise_speed_kt", np.median(high), limits.cruise_speed_low_kt, limits.cruise_speed_high_kt
        jets = np.count_nonzero((high >= JET_KT[0]) & (high <= JET_KT[1])) / len(high)
        yield "share_of_high_at_jet_speed", jets, limits.min_share_at_jet_speed, np.inf
    fast = altitude[airborne & (speed >= FAST_KT) & ~np.isnan(altitude)]
    if len(fast) >= enough:
        yield "cruise_altitude_ft", np.median(fast), limits.cruise_altitude_low_ft, limits.cruise_altitude_high_ft
    steep = np.abs(rate[airborne]) * FPM_PER_MPS
    steep = steep[steep > CLIMBING_FPM]
    if len(steep) >= enough:
        yield "climb_rate_fpm", np.median(steep), limits.climb_rate_low_fpm, limits.climb_rate_high_fpm
    said = np.count_nonzero(airborne) + np.count_nonzero(grounded)
    if said >= enough:
        yield "share_on_ground", np.count_nonzero(grounded) / said, -np.inf, limits.max_share_on_ground
    yield from _of_places(snapshot, limits, airborne)
    for name, most in (
        ("baro_altitude", limits.max_share_of_one_value),
        ("velocity", limits.max_share_of_one_value),
        ("true_track", limits.max_share_of_one_value),
        ("vertical_rate", limits.max_share_of_one_rate),
    ):
        values = snapshot.sampled(name)[airborne]
        values = values[~np.isnan(values)]
        if len(values) >= enough:
            yield f"share_of_one_{name}", _share_of_commonest(values), -np.inf, most


def _of_places(snapshot: Snapshot, limits: Thresholds, airborne: Mask) -> Iterator[tuple[str, float, float, float]]:
    longitude, latitude = snapshot.sampled("longitude"), snapshot.sampled("latitude")
    located = ~np.isnan(longitude) & ~np.isnan(latitude)
    places = (longitude + 1j * latitude)[airborne & located]
    if len(places) >= limits.plausible_min_rows:
        distinct = len(np.unique(places)) / len(places)
        yield "share_of_distinct_positions", distinct, limits.min_distinct_positions, np.inf
    regions = _REGIONS[snapshot.countries[located]]
    sizes = np.bincount(regions, minlength=len(REGIONS) + 1)[: len(REGIONS)]
    largest = int(sizes.argmax())
    if sizes[largest] >= max(limits.plausible_min_rows, len(regions) / 3):
        south, west, north, east = _BOXES[largest]
        latitude, longitude = (values[located][regions == largest] for values in (latitude, longitude))
        home = (latitude >= south) & (latitude <= north) & (longitude >= west) & (longitude <= east)
        yield "share_near_home", np.count_nonzero(home) / len(home), limits.min_share_near_home, np.inf


def _share_of_commonest(values: Floats) -> float:
    _, counts = np.unique(values, return_counts=True)
    return int(counts.max()) / len(values)
