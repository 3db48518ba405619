"""Plausibility of a snapshot as a whole: faults that no single row shows, because each value is possible.

A wrong unit in the whole snapshot, swapped columns or a constant column show in a median or a share over many aircraft.
Each finding needs at least `plausible_min_rows` rows, and uses a sample of at most some 20,000 rows, which bounds its
cost.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from chalicelib.flights.checks.continuity import Finding, continuity
from chalicelib.flights.checks.findings import Floats, Mask
from chalicelib.flights.checks.gathering import Snapshot
from chalicelib.flights.checks.homes import REGION_OF, REGIONS
from chalicelib.flights.checks.order import median
from chalicelib.flights.checks.reading import StatesSource
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
EXTREME_FPM: Final = 5_000.0
STILL_MPS: Final = 0.7
CELLS: Final = (("longitude", 20), ("latitude", 20), ("baro_altitude", 1 / 300), ("true_track", 1 / 10))
"""Two aircraft are hardly ever in one cell of 1/20 degree and 300 m on the same ten degrees of track."""
WORLD_DEGREES: Final = 120.0
"""Longitudes that are spread as wide show several continents."""
WIDE_DEGREES: Final = 60.0
"""Longitudes that are spread as wide show more than one region."""

_BOXES: Final = np.array([*REGIONS, [np.nan] * 4]).T
_REGIONS: Final = np.array([*REGION_OF.values(), len(REGIONS)])


def plausibility(
    snapshot: Snapshot, limits: Thresholds, usual_rows: int | None, before: StatesSource | None
) -> list[Plausibility]:
    """The findings that could be judged; `usual_rows` is how many rows the snapshots before had, `before` the last."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        found = [*_found(snapshot, limits)]
        if before is not None:
            found += continuity(snapshot.source, before, limits)
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


def _found(snapshot: Snapshot, limits: Thresholds) -> Iterator[Finding]:
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
        extreme = np.count_nonzero(steep > EXTREME_FPM) / len(steep)
        yield "share_of_extreme_rates", extreme, -np.inf, limits.max_share_of_extreme_rates
    said = np.count_nonzero(airborne) + np.count_nonzero(grounded)
    if len(airborne) >= enough and "on_ground" in snapshot.columns:
        yield "share_that_says_if_on_ground", said / len(airborne), limits.min_share_that_says_if_on_ground, np.inf
    if said >= enough:
        yield "share_on_ground", np.count_nonzero(grounded) / said, -np.inf, limits.max_share_on_ground
    rolling = speed[grounded & ~np.isnan(speed)]
    if len(rolling) >= enough:
        rushing = np.count_nonzero(rolling > limits.ground_speed_ceiling_kt) / len(rolling)
        yield "share_on_ground_at_speed", rushing, -np.inf, limits.max_share_on_ground_at_speed
    yield from _of_times(snapshot, limits)
    yield from _of_places(snapshot, limits, airborne)
    yield from _of_moves(snapshot, limits, airborne)
    named, distinct, lettered = snapshot.callsigns
    if named >= enough:
        yield "share_of_distinct_callsigns", distinct / named, limits.min_distinct_callsigns, np.inf
        yield "share_of_callsigns_with_letter", lettered / distinct, limits.min_share_of_callsigns_with_letter, np.inf
    below = airborne & (altitude < HIGH_FT)
    for name, rows, commonest, most in (
        ("one_baro_altitude", airborne, 1, limits.max_share_of_one_altitude),
        ("eight_low_baro_altitude", below, 8, limits.max_share_of_eight_low_altitudes),
        ("one_velocity", airborne, 1, limits.max_share_of_one_speed),
        ("eight_true_track", airborne, 8, limits.max_share_of_eight_tracks),
        ("one_vertical_rate", airborne, 1, limits.max_share_of_one_rate),
    ):
        values = snapshot.sampled(name.removeprefix("one_").removeprefix("eight_").removeprefix("low_"))[rows]
        values = values[~np.isnan(values)]
        if len(values) >= enough:
            yield f"share_of_{name}", _share_of_commonest(values, commonest), -np.inf, most


def _of_times(snapshot: Snapshot, limits: Thresholds) -> Iterator[Finding]:
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


def _of_moves(snapshot: Snapshot, limits: Thresholds, airborne: Mask) -> Iterator[Finding]:
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
        on_compass = np.count_nonzero((tracks >= 0) & (tracks <= 360)) / len(tracks)
        yield "share_of_tracks_on_the_compass", on_compass, limits.min_share_of_tracks_on_the_compass, np.inf
    altitude = snapshot.sampled("baro_altitude")[airborne]
    level, above = np.abs(rate) * FPM_PER_MPS <= CLIMBING_FPM, altitude * FEET_PER_METRE >= HIGH_FT
    counts = [
        (np.count_nonzero(level & part), np.count_nonzero(part))
        for part in (~np.isnan(rate) & above, ~np.isnan(rate + altitude) & ~above)
    ]
    if min(count for _, count in counts) >= enough:
        surplus = counts[0][0] / counts[0][1] - counts[1][0] / counts[1][1]
        yield "surplus_of_level_flight_above", surplus, limits.min_level_above_surplus, np.inf
    difference = (snapshot.sampled("geo_altitude") - snapshot.sampled("baro_altitude")) * FEET_PER_METRE
    yield from _median("geo_minus_baro_ft", difference, -limits.max_datum_ft, limits.max_datum_ft, limits)
    cells = (snapshot.sampled(name)[airborne] * scale for name, scale in CELLS)
    flights = sum((np.rint(cell) * 10.0**place for cell, place in zip(cells, (0, 4, 8, 11), strict=True)), np.zeros(1))
    flights = flights[~np.isnan(flights) & (speed > STILL_MPS)]
    if len(flights) >= enough:
        distinct = _distinct(flights) / len(flights)
        yield "share_of_distinct_flights", distinct, limits.min_distinct_positions, np.inf


def _median(name: str, values: Floats, low: float, high: float, limits: Thresholds) -> Iterator[Finding]:
    known = values[~np.isnan(values)]
    if len(known) >= limits.plausible_min_rows:
        yield name, median(known, len(known)), low, high


def _mutual_information(longitude: Floats, latitude: Floats) -> float:
    """The mutual information, nats, of longitude (to 15 degrees) and latitude (to 5), less what chance alone makes."""
    bins = np.floor((longitude + 180) / 15).astype(int) % 24 * 36 + np.floor((latitude + 90) / 5).astype(int) % 36
    joint = np.bincount(bins, minlength=24 * 36).reshape(24, 36) / len(bins)
    alone = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    there = joint > 0
    information = np.sum(joint[there] * np.log(joint[there] / alone[there]))
    chance = (np.count_nonzero(joint.sum(axis=1)) - 1) * (np.count_nonzero(joint.sum(axis=0)) - 1) / (2 * len(bins))
    return float(information - chance)


def _of_places(snapshot: Snapshot, limits: Thresholds, airborne: Mask) -> Iterator[Finding]:
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
    precise = np.count_nonzero(np.abs(latitude * 20 - np.rint(latitude * 20)) > 1e-6) / len(latitude)
    yield "share_of_precise_positions", precise, limits.min_share_of_precise_positions, np.inf
    south, west, north, east = _BOXES.take(regions, axis=1)
    home = (latitude >= south) & (latitude <= north) & (longitude >= west) & (longitude <= east)
    sizes = np.bincount(regions, minlength=len(REGIONS) + 1)[: len(REGIONS)]
    largest = int(sizes.argmax())
    if sizes[largest] >= max(enough, len(regions) / 3):
        at_home = np.count_nonzero(home & (regions == largest)) / sizes[largest]
        yield "share_near_home", at_home, limits.min_share_near_home, np.inf
    west, east = np.sort(longitude)[[len(longitude) // 20, 19 * len(longitude) // 20]]
    if east - west < WIDE_DEGREES:
        return
    if east - west >= WORLD_DEGREES:
        information = _mutual_information(longitude, latitude)
        yield "latitude_by_longitude_nats", information, limits.min_mutual_information, np.inf
    past = np.count_nonzero((_fraction(latitude) >= 0.6) | (_fraction(longitude) >= 0.6)) / len(latitude)
    yield "share_past_60_minutes", past, limits.min_share_past_60_minutes, np.inf
    if sizes.sum() >= len(regions) / 2:
        at_home = np.count_nonzero(home) / sizes.sum()
        yield "share_of_the_world_near_home", at_home, limits.min_share_of_the_world_near_home, np.inf


def _fraction(degrees: Floats) -> Floats:
    """What follows the point, without a sign: numpy's % takes ten times as long."""
    size = np.abs(degrees)
    return size - np.floor(size)


def _distinct(values: Floats) -> int:
    """The number of distinct values; sorting is faster than hashing."""
    return 1 + int(np.count_nonzero(np.diff(np.sort(values))))


def _share_of_commonest(values: Floats, number: int) -> float:
    """The share of values that are among the commonest `number`."""
    ordered = np.sort(values)
    counts = np.diff(np.flatnonzero(ordered[1:] != ordered[:-1]), prepend=-1, append=len(values) - 1)
    return int(np.sort(counts)[-number:].sum()) / len(values)
