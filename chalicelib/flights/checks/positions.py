"""Positions: coordinate_validity and position_accuracy."""

from typing import Final

import numpy as np

from chalicelib.flights.checks.findings import Floats, Mask, Tally, either, marked
from chalicelib.flights.checks.presence import POSITION_SOURCES
from chalicelib.flights.checks.reading import Batch, Numbers
from chalicelib.flights.checks.thresholds import Thresholds

MAX_LONGITUDE: Final = 180.0
MAX_LATITUDE: Final = 90.0
DECIMAL_TOLERANCE: Final = 1e-6
"""The largest difference of a binary fraction from its decimal one, in units of the last decimal."""
FEW: Final = 4
"""Rows of a source that are fewer than one in so many are picked out, others are looked at among all."""


def coordinate_validity(batch: Batch, limits: Thresholds) -> Tally:
    """Whether a position is on the globe, and not the one that software makes of nothing.

    Why: decoders that mistake null for 0 put aircraft at 0, 0 in the Gulf of Guinea (null island). The equator and
    the prime meridian are legal: one coordinate may be 0.
    Formula: |longitude| <= 180, |latitude| <= 90, not both 0, of the rows with both.
    Pass mark: 0.98.
    """
    longitude, latitude = batch.numbers("longitude"), batch.numbers("latitude")
    failing = either(
        longitude.outside(-MAX_LONGITUDE, MAX_LONGITUDE),
        latitude.outside(-MAX_LATITUDE, MAX_LATITUDE),
        _null_island(longitude, latitude),
    )
    located = _located(longitude, latitude)
    if located is None:
        return Tally.of(batch.rows, failing)
    return Tally.of(marked(located), None if failing is None else failing & located)


def position_accuracy(batch: Batch, limits: Thresholds) -> Tally:
    """Whether a position claims no more decimals than its source can give.

    Why: decimals that the source cannot deliver were interpolated, or come from a unit conversion. It judges decimals,
    not how true they are; OpenSky itself publishes 4, so it can fail only where somebody else made the positions.
    Formula: x * 10^d is whole to within 1e-6, for longitude and latitude, of the rows with a position on the globe and
    a source that OpenSky lists; d is 5 for ADS-B and FLARM, 6 for ASTERIX, 4 for MLAT.
    Pass mark: 0.95. Sources: RTCA DO-260B (CPR, 17 bits a zone), EUROCONTROL CAT062 I062/105, OpenSky's 4 decimals.
    """
    longitude, latitude = batch.numbers("longitude"), batch.numbers("latitude")
    located = _located(longitude, latitude)
    astray = either(longitude.outside(-MAX_LONGITUDE, MAX_LONGITUDE), latitude.outside(-MAX_LATITUDE, MAX_LATITUDE))
    judged = located
    if astray is not None:
        judged = ~astray if located is None else located & ~astray
    claims: list[Mask | None] = []
    parts: dict[str, tuple[int, int]] = {}
    for code, name in POSITION_SOURCES.items():
        if code not in batch.sources:
            continue
        rows = batch.sources[code]
        chosen = judged if rows is None else rows if judged is None else rows & judged
        finer = _finer(batch, chosen, getattr(limits, f"decimals_{name}"))
        claims.append(finer)
        parts[name] = (batch.rows if chosen is None else marked(chosen), marked(finer))
    return Tally.of(sum(checked for checked, _ in parts.values()), either(*claims), parts)


def _located(longitude: Numbers, latitude: Numbers) -> Mask | None:
    """The rows with both coordinates; None if all have them."""
    missing = either(longitude.missing, latitude.missing)
    return None if missing is None else ~missing


def _null_island(longitude: Numbers, latitude: Numbers) -> Mask | None:
    if longitude.low > 0 or longitude.high < 0 or latitude.low > 0 or latitude.high < 0:
        return None
    island: Mask = (longitude.values == 0) & (latitude.values == 0)
    return island


def _finer(batch: Batch, chosen: Mask | None, decimals: int) -> Mask | None:
    """The chosen rows with a coordinate that has more decimals; None if there are none."""
    scale = 10.0**decimals
    longitude, latitude = batch.numbers("longitude").values, batch.numbers("latitude").values
    if chosen is None or marked(chosen) * FEW > batch.rows:
        finer = _has_more(longitude, scale) | _has_more(latitude, scale)
        if chosen is not None:
            finer &= chosen
    else:
        finer = np.zeros(batch.rows, np.bool_)
        finer[chosen] = _has_more(longitude[chosen], scale) | _has_more(latitude[chosen], scale)
    return finer if finer.any() else None


def _has_more(values: Floats, scale: float) -> Mask:
    scaled = values * scale
    return np.abs(scaled - np.rint(scaled)) > DECIMAL_TOLERANCE
