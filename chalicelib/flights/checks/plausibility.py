"""Plausibility of a snapshot as a whole: faults that no single row shows, because each value is possible.

A wrong unit in the whole snapshot, swapped columns or a constant column show in a median or a share over many aircraft.
Each finding needs at least `plausible_min_rows` rows, and uses a sample of at most some 20,000 rows, which bounds its
cost.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from chalicelib.flights.checks.findings import Floats, Mask
from chalicelib.flights.checks.gathering import Snapshot
from chalicelib.flights.checks.homes import REGION_OF, REGIONS
from chalicelib.flights.checks.order import median
from chalicelib.flights.checks.thresholds import Thresholds
from chalicelib.flights.columns import FEET_PER_METRE, FPM_PER_MPS, KNOTS_PER_MPS
from chalicelib.flights.reports import CheckVerdict, Plausibility

HIGH_FT: Final = 29_000.0
"""Hardly anything but jets flies above it."""
FAST_KT: Final = 350.0
"""Faster are jets that have left the terminal area."""
JET_KT: Final = (250.0, 650.0)
"""A jet's possible ground speeds at height, from the strongest headwind to the strongest tailwind."""
CLIMBING_FPM: Final = 300.0
STILL_MPS: Final = 0.7
WIDE_DEGREES: Final = 60.0
"""Longitudes that are spread as wide show more than one region."""

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
        yield "cruise_speed_kt", median(high, len(high)), limits.cruise_speed_low_kt, limits.cruise_speed_high_kt
        jets = np.count_nonzero((high >= JET_KT[0]) & (high <= JET_KT[1])) / len(high)
        yield "share_of_high_at_jet_speed", jets, limits.min_share_at_jet_speed, np.inf
    fast = altitude[airborne & (speed >= FAST_KT)]
    low, highest = limits.cruise_altitude_low_ft, limits.cruise_altitude_high_ft
    yield from _median("cruise_altitude_ft", fast, low, highest, limits)
    steep = np.abs(rate[airborne]) * FPM_PER_MPS
    steep = steep[steep > CLIMBING_FPM]
    if len(steep) >= enough:
        yield "climb_rate_fpm", median(steep, len(steep)), limits.climb_rate_low_fpm, limits.climb_rate_high_fpm
        climbing = np.count_nonzero(rate[airborne] * FPM_PER_MPS > CLIMBING_FPM) / len(steep)
        yield "share_climbing", climbing, limits.min_share_climbing, 1 - limits.min_share_climbing
    said = np.count_nonzero(airborne) + np.count_nonzero(grounded)
    if len(airborne) >= enough and "on_ground" in snapshot.columns:
        yield "share_that_says_if_on_ground", said / len(airborne), limits.min_share_that_says_if_on_ground, np.inf
    if said >= enough:
        yield "share_on_ground", np.count_nonzero(grounded) / said, -np.inf, limits.max_share_on_ground
    yield from _of_times(snapshot, limits)
    yield from _of_places(snapshot, limits, airborne)
    yield from _of_moves(snapshot, limits, airborne)
    named, distinct = snapshot.callsigns
    if named >= enough:
        yield "share_of_distinct_callsigns", distinct / named, limits.min_distinct_callsigns, np.inf
    for name, most in (
        ("baro_altitude", limits.max_share_of_one_value),
        ("velocity", limits.max_share_of_one_value),
        ("true_track", limits.max_share_of_one_track),
        ("vertical_rate", limits.max_share_of_one_rate),
    ):
        values = snapshot.sampled(name)[airborne]
        values = values[~np.isnan(values)]
        if len(values) >= enough:
            yield f"share_of_one_{name}", _share_of_commonest(values), -np.inf, most


def _of_times(snapshot: Snapshot, limits: Thresholds) -> Iterator[tuple[str, float, float, float]]:
    """The age of contacts and positions: OpenSky hears most aircraft every few seconds."""
    contact, position = snapshot.sampled("last_contact"), snapshot.sampled("time_position")
    if snapshot.time is not None:
        yield from _median("age_of_contacts_s", snapshot.time - contact, -np.inf, limits.max_median_age_s, limits)
    yield from _median("age_of_positions_s", contact - position, -np.inf, limits.max_median_age_s, limits)
    located = ~np.isnan(snapshot.sampled("longitude")) & ~np.isnan(snapshot.sampled("latitude"))
    count = np.count_nonzero(located)
    if count >= limits.plausible_min_rows:
        timed = np.count_nonzero(located & ~np.isnan(position)) / count
        yield "share_of_positions_with_time", timed, limits.min_positions_with_time, np.inf


def _of_moves(snapshot: Snapshot, limits: Thresholds, airborne: Mask) -> Iterator[tuple[str, float, float, float]]:
    """The movement of flying aircraft, and the difference of their two altitudes."""
    enough = limits.plausible_min_rows
    speed, rate, track = (snapshot.sampled(name)[airborne] for name in ("velocity", "vertical_rate", "true_track"))
    for name, values, still, low, high in (
        ("share_standing_still", speed, STILL_MPS, -np.inf, limits.max_share_standing_still),
        ("share_of_level_rates", rate, 0.0, limits.min_share_of_level_rates, np.inf),
    ):
        said = np.count_nonzero(~np.isnan(values))
        if said >= enough:
            yield name, np.count_nonzero(np.abs(values) <= still) / said, low, high
    tracks = track[~np.isnan(track)]
    if len(tracks) >= enough:
        turn = np.partition(tracks, place := int(0.95 * len(tracks)))[place]
        yield "true_track_of_most", turn, limits.min_track_of_most, np.inf
    difference = (snapshot.sampled("geo_altitude") - snapshot.sampled("baro_altitude")) * FEET_PER_METRE
    yield from _median("geo_minus_baro_ft", difference, -limits.max_datum_ft, limits.max_datum_ft, limits)
    latitude = snapshot.sampled("latitude")[airborne]
    flights = np.rint(latitude * 10) * 1e6 + track * 1e3 + speed
    flights = flights[~np.isnan(flights) & (speed > STILL_MPS)]
    if len(flights) >= enough:
        distinct = _distinct(flights) / len(flights)
        yield "share_of_distinct_flights", distinct, limits.min_distinct_positions, np.inf


def _median(
    name: str, values: Floats, low: float, high: float, limits: Thresholds
) -> Iterator[tuple[str, float, float, float]]:
    known = values[~np.isnan(values)]
    if len(known) >= limits.plausible_min_rows:
        yield name, median(known, len(known)), low, high


def _of_places(snapshot: Snapshot, limits: Thresholds, airborne: Mask) -> Iterator[tuple[str, float, float, float]]:
    enough = limits.plausible_min_rows
    longitude, latitude = snapshot.sampled("longitude"), snapshot.sampled("latitude")
    located = ~np.isnan(longitude) & ~np.isnan(latitude)
    places = (np.rint(latitude * 1e4) * 1e7 + np.rint(longitude * 1e4))[airborne & located]
    if len(places) >= enough:
        distinct = _distinct(places) / len(places)
        yield "share_of_distinct_positions", distinct, limits.min_distinct_positions, np.inf
    regions = _REGIONS[snapshot.countries[located]]
    longitude, latitude = longitude[located], latitude[located]
    if len(longitude) < enough:
        return
    nowhere = np.count_nonzero((longitude == 0) & (latitude == 0)) / len(longitude)
    yield "share_at_null_island", nowhere, -np.inf, limits.max_share_at_null_island
    precise = np.count_nonzero(np.abs(latitude * 10 - np.rint(latitude * 10)) > 1e-6) / len(latitude)
    yield "share_of_precise_positions", precise, limits.min_share_of_precise_positions, np.inf
    home = np.zeros(len(regions), np.bool_)
    for region, (south, west, north, east) in enumerate(_BOXES):
        home |= (
            (regions == region) & (latitude >= south) & (latitude <= north) & (longitude >= west) & (longitude <= east)
        )
    sizes = np.bincount(regions, minlength=len(REGIONS) + 1)[: len(REGIONS)]
    largest = int(sizes.argmax())
    if sizes[largest] >= max(enough, len(regions) / 3):
        at_home = np.count_nonzero(home & (regions == largest)) / sizes[largest]
        yield "share_near_home", at_home, limits.min_share_near_home, np.inf
    west, east = np.partition(longitude, ends := (len(longitude) // 20, 19 * len(longitude) // 20))[list(ends)]
    if east - west < WIDE_DEGREES:
        return
    past = np.count_nonzero((np.abs(latitude) % 1 >= 0.6) | (np.abs(longitude) % 1 >= 0.6)) / len(latitude)
    yield "share_past_60_minutes", past, limits.min_share_past_60_minutes, np.inf
    if sizes.sum() >= len(regions) / 2:
        at_home = np.count_nonzero(home) / sizes.sum()
        yield "share_of_the_world_near_home", at_home, limits.min_share_of_the_world_near_home, np.inf


def _distinct(values: Floats) -> int:
    """How many differ; to sort them is quicker than to hash them."""
    return 1 + int(np.count_nonzero(np.diff(np.sort(values))))


def _share_of_commonest(values: Floats) -> float:
    _, counts = np.unique(values, return_counts=True)
    return int(counts.max()) / len(values)
