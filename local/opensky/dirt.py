"""Faults injected into real rows, for the quality checks to find.

Each kind corrupts rows of a clean snapshot in one way; the header `X-Injected` marks answers with such rows. Only the
control endpoint triggers this.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from local.opensky.recording import (
    ALTITUDE,
    CALLSIGN,
    COUNTRY,
    ICAO24,
    LAST_CONTACT,
    LATITUDE,
    LONGITUDE,
    ON_GROUND,
    TIME_POSITION,
    VELOCITY,
    StateVector,
)

STALE_SECONDS: Final = 3600


def soilable(vectors: list[StateVector]) -> list[int]:
    """Indexes of the vectors to corrupt: airborne aircraft with a position."""
    return [i for i, vector in enumerate(vectors) if vector[LATITUDE] is not None and not vector[ON_GROUND]]


def soil(vectors: list[StateVector], kind: str, chosen: Sequence[int]) -> list[StateVector]:
    """A copy of the vectors with the chosen ones corrupted; duplicates come at the end."""
    soiled = [list(vector) for vector in vectors]
    if kind == "duplicated":
        soiled += [list(vectors[i]) for i in chosen]
    else:
        for i in chosen:
            _KINDS[kind](soiled[i])
    return soiled


def _swap_coordinates(vector: StateVector) -> None:
    vector[LONGITUDE], vector[LATITUDE] = vector[LATITUDE], vector[LONGITUDE]


def _leave_the_globe(vector: StateVector) -> None:
    vector[LATITUDE] += 200


def _go_to_null_island(vector: StateVector) -> None:
    vector[LONGITUDE] = vector[LATITUDE] = 0.0


def _go_stale(vector: StateVector) -> None:
    vector[LAST_CONTACT] -= STALE_SECONDS
    if vector[TIME_POSITION] is not None:
        vector[TIME_POSITION] -= STALE_SECONDS


def _come_from_the_future(vector: StateVector) -> None:
    vector[TIME_POSITION] = vector[LAST_CONTACT] + STALE_SECONDS


def _fly_too_fast(vector: StateVector) -> None:
    vector[VELOCITY] = 1500.0


def _fly_too_high(vector: StateVector) -> None:
    vector[ALTITUDE] = 30_000.0


def _lose_values(vector: StateVector) -> None:
    vector[LONGITUDE] = vector[LATITUDE] = vector[ALTITUDE] = vector[VELOCITY] = None


def _garble_callsign(vector: StateVector) -> None:
    vector[CALLSIGN] = "?" + (vector[CALLSIGN] or "").lower()[:7]


def _forget_country(vector: StateVector) -> None:
    vector[COUNTRY] = ""


def _break_address(vector: StateVector) -> None:
    vector[ICAO24] = "zz" + vector[ICAO24][2:]


def _cut_short(vector: StateVector) -> None:
    del vector[VELOCITY:]


def _send_text_for_numbers(vector: StateVector) -> None:
    vector[LATITUDE] = str(vector[LATITUDE])


def _send_nan(vector: StateVector) -> None:
    vector[VELOCITY] = math.nan


_KINDS: Final[Mapping[str, Callable[[StateVector], None]]] = {
    "swapped_coordinates": _swap_coordinates,
    "off_the_globe": _leave_the_globe,
    "null_island": _go_to_null_island,
    "stale": _go_stale,
    "from_the_future": _come_from_the_future,
    "too_fast": _fly_too_fast,
    "too_high": _fly_too_high,
    "values_lost": _lose_values,
    "garbled_callsign": _garble_callsign,
    "no_country": _forget_country,
    "broken_address": _break_address,
    "short_row": _cut_short,
    "text_for_number": _send_text_for_numbers,
    "not_a_number": _send_nan,
}
KINDS: Final = ("duplicated", *_KINDS)
"""The kinds that `soil` accepts."""
