"""Columns of a processed snapshot beyond the state vectors: other units, bands, phases, airlines."""

from collections.abc import Sequence

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
_ALTITUDE_NAMES, _SPEED_NAMES, _PHASE_NAMES = map(pa.array, (ALTITUDE_BANDS, SPEED_BANDS, FLIGHT_PHASES))
_AIRLINE_FROM, _AIRLINE_TO = (np.frombuffer(text, "<u4")[0] for text in (b"AAA0", b"ZZZ9"))
_HIGH_BITS = np.uint32(0x80808080)


def complete(states: pa.RecordBatch, seconds: pa.Int64Array) -> pa.RecordBatch:
    """A batch of `STATE_SCHEMA` as one of `SCHEMA`; `seconds` are the times of each row's snapshot.

    Callsigns lose their padding, and empty ones become null; a negative zero becomes zero.
    """
    columns = {name: states[name] for name in STATE_SCHEMA.names}
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
    columns["altitude_band"] = _band(altitude, ALTITUDE_BAND_FLOORS_FT, _ALTITUDE_NAMES)
    columns["speed_band"] = _band(speed, SPEED_BAND_FLOORS_KT, _SPEED_NAMES)
    columns["flight_phase"] = _phase(columns["on_ground"], climb, altitude)
    columns["airline_code"] = _airline(callsign)
    columns["snapshot_time"] = pc.multiply(seconds, 1000).cast(_MOMENT)
    columns["snapshot_s"] = seconds
    return pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _band(values: pa.DoubleArray, floors: Sequence[float], names: pa.StringArray) -> pa.DictionaryArray:
    numbers = _numbers(values)
    codes = np.zeros(len(numbers), np.uint8)
    for floor in floors:
        codes += numbers >= floor
    return _coded(codes, values.buffers()[0], names)


def _phase(on_ground: pa.BooleanArray, climb: pa.DoubleArray, altitude: pa.DoubleArray) -> pa.DictionaryArray:
    rate = _numbers(climb)
    moving = np.abs(rate) > LEVEL_DEAD_BAND_FPM
    said = _valid(on_ground)
    ground = said & _bits(on_ground.buffers()[1], len(on_ground))
    codes = np.where(_numbers(altitude) >= CRUISE_FLOOR_FT, _CRUISE, _LEVEL)
    codes[moving] = np.where(rate[moving] > 0, _CLIMB, _DESCENT)
    codes[ground] = _GROUND
    known = said & (ground | _valid(climb) & (moving | _valid(altitude)))
    return _coded(codes, pa.py_buffer(np.packbits(known, bitorder="little")), _PHASE_NAMES)


def _airline(callsigns: pa.StringArray) -> pa.DictionaryArray:
    """The first three characters where those are letters and a digit follows.

    The first four are compared as one integer: a byte outside its range sets its high bit in a difference.
    """
    _, ends, octets = callsigns.buffers()
    places = np.frombuffer(ends, np.int32)[: len(callsigns) + 1]
    padded = bytearray(octets or b"") + bytes(4)
    quads = np.ndarray(len(padded) - 3, "<u4", padded, strides=(1,))[places[:-1]]
    known = _valid(callsigns) & (np.diff(places) >= 4)
    known &= ((quads - _AIRLINE_FROM) | (_AIRLINE_TO - quads)) & _HIGH_BITS == 0
    letters = quads - _AIRLINE_FROM
    packed = (letters & 31) << 10 | (letters >> 8 & 31) << 5 | letters >> 16 & 31
    packed[~known] = 0
    seen = np.zeros(1 << 15, bool)
    seen[packed] = True
    present = np.flatnonzero(seen)
    codes = np.zeros(len(seen), np.int32)
    codes[present] = np.arange(len(present), dtype=np.int32)
    spelled = np.stack([present >> 10, present >> 5 & 31, present & 31], axis=1).astype(np.uint8) + np.uint8(ord("A"))
    ends = pa.py_buffer(3 * np.arange(len(present) + 1, dtype=np.int32))
    names = pa.StringArray.from_buffers(len(present), ends, pa.py_buffer(spelled))
    return _coded(codes[packed], pa.py_buffer(np.packbits(known, bitorder="little")), names)


def _coded(codes: np.ndarray, validity: pa.Buffer | None, names: pa.StringArray) -> pa.DictionaryArray:
    indices = pa.py_buffer(codes.astype(np.int32, copy=False))
    return pa.DictionaryArray.from_buffers(_TEXT, len(codes), [validity, indices], names)


def _numbers(values: pa.DoubleArray) -> np.ndarray:
    """The values without a copy; what stands at a null is a number, but any."""
    return np.frombuffer(values.buffers()[1], np.float64)[: len(values)]


def _valid(values: pa.Array) -> np.ndarray:
    """The mask of values that are not null."""
    return _bits(values.buffers()[0], len(values))


def _bits(buffer: pa.Buffer | None, count: int) -> np.ndarray:
    """The first bits as booleans; all true without a buffer."""
    if buffer is None:
        return np.ones(count, bool)
    return np.unpackbits(np.frombuffer(buffer, np.uint8), count=count, bitorder="little").view(bool)
