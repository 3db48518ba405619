"""Identity: uniqueness, callsign_format and country_code."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import numpy as np

from chalicelib.flights.checks import text
from chalicelib.flights.checks.countries import COUNTRIES
from chalicelib.flights.checks.findings import MAX_SAMPLES, Mask, Tally
from chalicelib.flights.checks.gathering import Snapshot
from chalicelib.flights.checks.reading import Batch
from chalicelib.flights.checks.thresholds import Thresholds

ADDRESSES: Final = 1 << 24
FLAGS_FROM: Final = 50_000
"""Rows from which marking addresses in an array of flags (16 MiB to clear and to count) beats sorting them."""
SEARCHED_ROWS: Final = 16_384
"""Rows among which repetitions are found by sorting; earlier rows are looked up in the flags."""


def uniqueness(snapshot: Snapshot, limits: Thresholds) -> Tally:
    """Whether each aircraft is there once.

    Why: a state vector is the state of one aircraft; repeated ones come from a snapshot stored twice or merged.
    Formula: distinct icao24 / rows with an icao24. Two addresses differ if their text does.
    Pass mark: 0.95.
    """
    codes = snapshot.addresses[snapshot.addresses >= 0]
    distinct = _distinct(codes) + len(set(snapshot.malformed.values()))
    checked = len(codes) + len(snapshot.malformed)
    if distinct == checked:
        return Tally(checked, 0)
    examples = list(islice(_repeats(snapshot), MAX_SAMPLES))
    return Tally(checked, checked - distinct, np.array(examples, np.intp))


def callsign_format(batch: Batch, limits: Thresholds) -> Tally:
    """Whether a callsign looks like one.

    Why: other characters come from bit errors, or from a pilot's mistake, and split a flight in two.
    Formula: callsigns that, trimmed of spaces, are 1 to 8 of A-Z and 0-9, not all of them 0 / callsigns not null.
    Pass mark: 0.90. Source: ICAO Annex 10, Volume IV, 3.1.2.9.1.2, aircraft identification.
    """
    column = batch.array("callsign")
    return Tally.of(batch.rows - column.null_count, text.misshapen_callsigns(column))


def country_code(batch: Batch, limits: Thresholds) -> Tally:
    """Whether the country of registration is one that OpenSky can name.

    Why: OpenSky derives it from the address's block; an empty or new name means an address outside all blocks.
    Formula: rows whose origin_country is in `countries.COUNTRIES` / rows; null and empty are not.
    Pass mark: 0.95. Source: ICAO Annex 10, Volume III, the appendix on aircraft addresses (`countries`).
    """
    return Tally.of(batch.rows, text.unlisted(batch.array("origin_country"), COUNTRIES))


def _distinct(codes: text.Codes) -> int:
    if len(codes) < FLAGS_FROM:
        ordered = np.sort(codes)
        return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + bool(len(codes))
    seen = np.zeros(ADDRESSES, np.bool_)
    seen[codes.astype(np.intp)] = True
    return int(np.count_nonzero(seen))


def _repeats(snapshot: Snapshot) -> Iterator[int]:
    """The rows, in order, whose address an earlier row has."""
    seen: Mask | None = None
    texts: set[str] = set()
    for start in range(0, snapshot.rows, SEARCHED_ROWS):
        codes = snapshot.addresses[start : start + SEARCHED_ROWS]
        repeated = np.zeros(len(codes), np.bool_)
        known = np.flatnonzero(codes >= 0)
        if start:
            if seen is None:
                seen = np.zeros(ADDRESSES, np.bool_)
            before = snapshot.addresses[start - SEARCHED_ROWS : start]
            seen[before[before >= 0]] = True
            repeated[known] = seen[codes[known]]
        ordered = np.sort(codes[known].astype(np.int64) << 32 | known)
        again = ordered[1:][ordered[1:] >> 32 == ordered[:-1] >> 32]
        repeated[again & 0xFFFFFFFF] = True
        for row in np.flatnonzero(codes == text.MALFORMED):
            malformed = snapshot.malformed[start + int(row)]
            repeated[row] = malformed in texts
            texts.add(malformed)
        yield from (start + int(row) for row in np.flatnonzero(repeated))
