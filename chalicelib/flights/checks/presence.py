"""Presence of values: completeness and accuracy."""

from typing import Final

import numpy as np

from chalicelib.flights.checks import text
from chalicelib.flights.checks.findings import Mask, Tally, either, first, marked
from chalicelib.flights.checks.reading import Batch
from chalicelib.flights.checks.thresholds import Thresholds

POSITION_SOURCES: Final = {0: "ads_b", 1: "asterix", 2: "mlat", 3: "flarm"}


def completeness(batch: Batch, limits: Thresholds) -> Tally:
    """Whether the essential fields have values.

    Why: growing gaps indicate a failing receiver or a field that OpenSky renamed. OpenSky sends no barometric altitude
    for aircraft on the ground, so only airborne rows need one; 0 is a value.
    Formula: the mean, over icao24, longitude, latitude, baro_altitude (airborne), velocity and last_contact, of values
    present / values expected. A field of which no value is expected takes no part. Counts are of values.
    Pass mark: 0.80. Source: OpenSky's REST API documentation, which fields may be null.
    """
    nulls = batch.addresses == text.NULL
    altitude = batch.numbers("baro_altitude").missing
    missing: dict[str, Mask | None] = {
        "icao24": nulls,
        "longitude": batch.numbers("longitude").missing,
        "latitude": batch.numbers("latitude").missing,
        "baro_altitude": None if altitude is None else altitude & batch.airborne,
        "velocity": batch.numbers("velocity").missing,
        "last_contact": batch.numbers("last_contact").missing,
    }
    expected = dict.fromkeys(missing, batch.rows) | {"baro_altitude": marked(batch.airborne)}
    parts = {name: (expected[name], marked(mask)) for name, mask in missing.items()}
    checked, failing = (sum(column) for column in zip(*parts.values(), strict=True))
    return Tally(checked, failing, first(either(*missing.values())) if failing else first(None), parts)


def accuracy(batch: Batch, limits: Thresholds) -> Tally:
    """Whether a row can place an aircraft: position, altitude if airborne, and speed. It checks only presence.

    Why: a row without them serves no map and no derived column, however well-formed it is.
    Formula: rows with longitude, latitude, velocity, and (airborne) baro_altitude / rows; counted by position_source,
    since MLAT and FLARM deliver less than ADS-B. A source that no page lists is counted under its number.
    Pass mark: 0.70. Source: OpenSky's REST API documentation, `position_source`.
    """
    altitude = batch.numbers("baro_altitude").missing
    failing = either(
        batch.numbers("longitude").missing,
        batch.numbers("latitude").missing,
        batch.numbers("velocity").missing,
        None if altitude is None else altitude & batch.airborne,
    )
    parts = {
        source_name(code): (batch.rows, marked(failing))
        if rows is None
        else (marked(rows), 0 if failing is None else marked(rows & failing))
        for code, rows in batch.sources.items()
    }
    return Tally.of(batch.rows, failing, parts)


def source_name(code: float) -> str:
    """A position_source's name; `unknown` for null, its number where no page lists it."""
    return "unknown" if np.isnan(code) else POSITION_SOURCES.get(int(code), str(int(code)))
