"""Comparison with the snapshot before: what the same aircraft have done since then.

A feed that stands still, a column that belongs to other rows and a position that is off consist of possible values.
They contradict what the aircraft reported some minutes ago: where it was, how fast it flew and climbed, and who it was.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.flights.checks.findings import Floats, Mask, RowPlaces
from chalicelib.flights.checks.reading import Batch, StatesSource
from chalicelib.flights.checks.thresholds import Thresholds
from chalicelib.flights.columns import FEET_PER_METRE

Finding = tuple[str, float, float, float]
"""Name, value, and the lowest and the highest plausible value."""

USUAL_STEP_S: Final = 300
EARTH_M: Final = 6_371_000.0
FAST_MPS: Final = 100.0
"""Hardly anything as fast circles or turns back within minutes."""
CLIMBING_MPS: Final = 1.5
STEEP_MPS: Final = 4.0
"""Slower rates have so few values that many stay the same by chance."""
HIGH_M: Final = 29_000 / FEET_PER_METRE
"""Hardly anything but cruising jets flies above it, straight and steadily."""
ALTITUDE_M: Final = 1_500.0
"""The largest difference from the altitude that the vertical rates lead to: no aircraft climbs evenly for minutes."""
DATUM_M: Final = 300.0
"""The largest change of the difference of the two altitudes: the weather does not change within minutes."""


class Steadiness(NamedTuple):
    """The limits of how an aircraft's motion changes within minutes."""

    speed_mps: float
    """The largest change of its speed."""
    least: float
    most: float
    """The distance, as a multiple of that at the lower, and at the higher of both speeds. Turns shorten it."""
    degrees: float
    """The largest angle between its track and the direction of the new position."""


STEADINESS: Final = {"fast": Steadiness(80, 0.5, 1.25, 60), "high": Steadiness(30, 0.75, 1.15, 30)}
IDENTITY: Final = ("callsign", "origin_country", "squawk")
MOTION: Final = ("longitude", "latitude", "time_position", "velocity", "true_track", "vertical_rate")
COMPARED: Final = frozenset({"icao24", "on_ground", "baro_altitude", "geo_altitude", *IDENTITY, *MOTION})


def continuity(now: StatesSource, before: StatesSource, limits: Thresholds) -> Iterator[Finding]:
    """The findings for the aircraft of both snapshots; none if these are very large, or too far apart in time."""
    if now.time is None or before.time is None:
        return
    if not limits.compared_from_s <= now.time - before.time <= limits.compared_within_s:
        return
    later, earlier = _whole(now), _whole(before)
    if later is None or earlier is None or min(later.rows, earlier.rows) < limits.plausible_min_rows:
        return
    addresses, here, there = np.intersect1d(later.addresses, earlier.addresses, return_indices=True)
    here, there = here[addresses >= 0], there[addresses >= 0]
    steps = max(1.0, (now.time - before.time) / USUAL_STEP_S)
    yield "share_seen_before", len(here) / later.rows, limits.min_share_seen_before**steps, np.inf
    pair = _Pair(later, earlier, here, there)
    for name, judged, fits in _compared(pair):
        if (count := np.count_nonzero(judged)) >= limits.plausible_min_rows:
            strict = "high" in name or "datum" in name
            least = limits.min_share_that_continues_steadily if strict else limits.min_share_that_continues
            yield name, np.count_nonzero(fits & judged) / count, least, np.inf
    for name, judged, fits in _repeated(pair):
        if (count := np.count_nonzero(judged)) >= limits.plausible_min_rows:
            yield name, np.count_nonzero(fits & judged) / count, -np.inf, limits.max_share_unchanged


def _whole(source: StatesSource) -> Batch | None:
    """All rows; None unless the file is one batch, as all but enormous snapshots are."""
    if source.groups != 1 or not source.columns.issuperset(COMPARED):
        return None
    batches = [*source.batches(0, COMPARED)]
    return batches[0] if len(batches) == 1 else None


class _Pair:
    """The rows of the aircraft that are in both snapshots."""

    def __init__(self, later: Batch, earlier: Batch, here: RowPlaces, there: RowPlaces) -> None:
        self._later, self._earlier, self._here, self._there = later, earlier, here, there
        self.grounded = later.grounded[here], earlier.grounded[there]
        self.airborne = later.airborne[here], earlier.airborne[there]

    def numbers(self, name: str) -> tuple[Floats, Floats]:
        """A column now and before."""
        return self._later.numbers(name).values[self._here], self._earlier.numbers(name).values[self._there]

    def texts(self, name: str) -> tuple[Mask, Mask]:
        """The masks of rows that have a text in both, and of those with the same one."""
        one, other = (
            pc.cast(batch.array(name), pa.string()).take(pa.array(rows))
            for batch, rows in ((self._later, self._here), (self._earlier, self._there))
        )
        same = pc.equal(one, other)
        return pc.is_valid(same).to_numpy(False), pc.fill_null(same, False).to_numpy(False)


def _compared(pair: _Pair) -> Iterator[tuple[str, Mask, Mask]]:
    """A name, the mask of judged rows, and the mask of rows that fit the earlier snapshot."""
    for name in IDENTITY:
        yield f"share_with_same_{name}", *pair.texts(name)
    said = [grounded | airborne for grounded, airborne in zip(pair.grounded, pair.airborne, strict=True)]
    yield "share_with_same_on_ground", said[0] & said[1], pair.grounded[0] == pair.grounded[1]
    times = pair.numbers("time_position")
    seconds = times[0] - times[1]
    yield "share_of_new_positions", ~np.isnan(seconds), seconds > 0
    (altitude, lower), (rate, rate_before) = pair.numbers("baro_altitude"), pair.numbers("vertical_rate")
    speeds, (track, _) = pair.numbers("velocity"), pair.numbers("true_track")
    slower, faster = np.minimum(*speeds), np.maximum(*speeds)
    east, north = _moved(pair)
    speed = np.hypot(east, north) / seconds
    off = np.abs((np.degrees(np.arctan2(east, north)) - track + 180) % 360 - 180)
    groups = {"fast": faster > FAST_MPS, "high": (np.minimum(altitude, lower) > HIGH_M) & (faster > FAST_MPS)}
    for group, rows in groups.items():
        steady, moved = STEADINESS[group], rows & (seconds > 0) & ~np.isnan(east)
        yield f"share_of_{group}_at_steady_speed", rows, faster - slower <= steady.speed_mps
        yield (
            f"share_of_{group}_as_far_as_flown",
            moved,
            ((speed >= steady.least * slower) & (speed <= steady.most * faster)),
        )
        yield f"share_of_{group}_along_track", moved & ~np.isnan(track), off <= steady.degrees
    climbed = altitude - lower
    known = ~np.isnan(climbed) & (seconds > 0)
    yield "share_climbing_as_told", known & (np.abs(rate) > CLIMBING_MPS), np.sign(climbed) == np.sign(rate)
    expected = (rate + rate_before) / 2 * seconds
    yield "share_of_altitudes_as_climbed", known & ~np.isnan(expected), np.abs(climbed - expected) <= ALTITUDE_M
    geometric, geometric_before = pair.numbers("geo_altitude")
    drift = np.abs((geometric - geometric_before) - climbed)
    yield "share_of_steady_datum", ~np.isnan(drift), drift <= DATUM_M


def _repeated(pair: _Pair) -> Iterator[tuple[str, Mask, Mask]]:
    """A name, the mask of judged rows, and the mask of rows with exactly the earlier value."""
    speed, track, rate = (pair.numbers(name) for name in ("velocity", "true_track", "vertical_rate"))
    fast = (speed[0] > FAST_MPS) & (speed[1] > FAST_MPS)
    steep = (np.abs(rate[0]) > STEEP_MPS) & (np.abs(rate[1]) > STEEP_MPS)
    yield "share_with_unchanged_velocity", fast, speed[0] == speed[1]
    yield "share_with_unchanged_true_track", fast & ~np.isnan(track[0] + track[1]), track[0] == track[1]
    yield "share_with_unchanged_vertical_rate", steep, rate[0] == rate[1]


def _moved(pair: _Pair) -> tuple[Floats, Floats]:
    """The distances, m, from each aircraft's earlier position to its new one, to the east and to the north."""
    longitudes, latitudes = pair.numbers("longitude"), pair.numbers("latitude")
    (x, y, z), (x0, y0, z0) = map(_on_sphere, longitudes, latitudes)
    longitude, latitude = np.radians(longitudes[0]), np.radians(latitudes[0])
    east = (y - y0) * np.cos(longitude) - (x - x0) * np.sin(longitude)
    inward = (x - x0) * np.cos(longitude) + (y - y0) * np.sin(longitude)
    return EARTH_M * east, EARTH_M * ((z - z0) * np.cos(latitude) - inward * np.sin(latitude))


def _on_sphere(longitude: Floats, latitude: Floats) -> tuple[Floats, Floats, Floats]:
    longitude, latitude = np.radians(longitude), np.radians(latitude)
    return np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)
