"""What a processed snapshot says beyond the state vectors: other units, bands, phases, airlines."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.flights.columns import (
    ALTITUDE_BAND_FLOORS_FT,
    ALTITUDE_BANDS,
    CRUISE_FLOOR_FT,
    FEET_PER_METRE,
    FLIGHT_PHASES,
    FPM_PER_MPS,
    KNOTS_PER_MPS,
    LEVEL_DEAD_BAND_FPM,
    SCHEMA,
    SPEED_BAND_FLOORS_KT,
    SPEED_BANDS,
    STATE_SCHEMA,
)

_MOMENT = SCHEMA.field("snapshot_time").type
_TEXT = pa.dictionary(pa.int32(), pa.string())
_GROUND, _CLIMB, _DESCENT, _CRUISE, _LEVEL = (np.uint8(code) for code in range(len(FLIGHT_PHASES)))
_LETTERS = 26


def complete(states: pa.RecordBatch, snapshot_time: int) -> pa.RecordBatch:
    """A batch of `STATE_SCHEMA` as one of `SCHEMA`.

    Callsigns lose their padding, and empty ones become null; a negative zero becomes zero.
    """
    columns = dict(zip(STATE_SCHEMA.names, states.columns, strict=True))
    for field in STATE_SCHEMA:
        if field.type == pa.float64():
            columns[field.name] = pc.add(columns[field.name], 0.0)
    callsign = pc.ascii_trim(columns["callsign"], " ")
    columns["callsign"] = callsign = pc.if_else(pc.equal(callsign, ""), None, callsign)
    altitude = pc.multiply(columns["baro_altitude"], FEET_PER_METRE)
    speed = pc.multiply(columns["velocity"], KNOTS_PER_MPS)
    climb = pc.multiply(columns["vertical_rate"], FPM_PER_MPS)
    columns["baro_altitude_ft"] = altitude
    columns["geo_altitude_ft"] = pc.multiply(columns["geo_altitude"], FEET_PER_METRE)
    columns["velocity_kt"] = speed
    columns["vertical_rate_fpm"] = climb
    columns["altitude_band"] = _band(altitude, ALTITUDE_BAND_FLOORS_FT, ALTITUDE_BANDS)
    columns["speed_band"] = _band(speed, SPEED_BAND_FLOORS_KT, SPEED_BANDS)
    columns["flight_phase"] = _phase(columns["on_ground"], climb, altitude)
    columns["airline_code"] = _airline(callsign)
    columns["snapshot_time"] = pa.repeat(pa.scalar(snapshot_time * 1000, _MOMENT), len(states))
    return pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _band(values: pa.DoubleArray, floors: Sequence[float], names: Sequence[str]) -> pa.DictionaryArray:
    numbers = _numbers(values)
    codes = np.zeros(len(numbers), np.uint8)
    for floor in floors:
        codes += numbers >= floor
    return _coded(codes, values.buffers()[0], names)


def _phase(on_ground: pa.BooleanArray, climb: pa.DoubleArray, altitude: pa.DoubleArray) -> pa.DictionaryArray:
    rate = _numbers(climb)
    moving = np.abs(rate) > LEVEL_DEAD_BAND_FPM
    ground = _bits(on_ground.fill_null(False))
    codes = np.where(_numbers(altitude) >= CRUISE_FLOOR_FT, _CRUISE, _LEVEL)
    codes[moving] = np.where(rate[moving] > 0, _CLIMB, _DESCENT)
    codes[ground] = _GROUND
    known = _bits(on_ground.is_valid()) & (ground | _bits(climb.is_valid()) & (moving | _bits(altitude.is_valid())))
    return _coded(codes, pa.py_buffer(np.packbits(known, bitorder="little")), FLIGHT_PHASES)


def _airline(callsigns: pa.StringArray) -> pa.DictionaryArray:
    """The first three characters where those are letters and a digit follows."""
    starts = pc.ascii_rpad(pc.binary_slice(callsigns.fill_null("").cast(pa.binary()), 0, 4).view(pa.string()), 4)
    letters = np.frombuffer(starts.buffers()[2], np.uint8)[: 4 * len(starts)].reshape(-1, 4)
    known = letters[:, 3] - np.uint8(ord("0")) < 10
    packed = np.zeros(len(starts), np.int32)
    for position in range(3):
        letter = letters[:, position] - np.uint8(ord("A"))
        known &= letter < _LETTERS
        packed *= _LETTERS
        packed += letter
    seen = np.zeros(_LETTERS**3, bool)
    seen[packed[known]] = True
    codes = np.cumsum(seen, dtype=np.int32) - 1
    packed[~known] = 0
    names = [_spelled(number) for number in np.flatnonzero(seen)]
    return _coded(codes[packed].clip(0), pa.py_buffer(np.packbits(known, bitorder="little")), names)


def _spelled(packed: int | np.integer[Any]) -> str:
    return "".join(chr(ord("A") + packed // _LETTERS**power % _LETTERS) for power in (2, 1, 0))


def _coded(codes: np.ndarray, validity: pa.Buffer | None, names: Sequence[str]) -> pa.DictionaryArray:
    indices = pa.py_buffer(codes.astype(np.int32, copy=False))
    return pa.DictionaryArray.from_buffers(_TEXT, len(codes), [validity, indices], pa.array(names, pa.string()))


def _numbers(values: pa.DoubleArray) -> np.ndarray:
    """The values without a copy; what stands at a null is a number, but any."""
    return np.frombuffer(values.buffers()[1], np.float64)[: len(values)]


def _bits(flags: pa.BooleanArray) -> np.ndarray:
    octets: np.ndarray = flags.cast(pa.uint8()).to_numpy(zero_copy_only=False)
    return octets.view(bool)
