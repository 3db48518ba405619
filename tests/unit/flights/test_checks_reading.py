"""Reading a snapshot's columns: reads that statistics save, and reads that they must not save."""

import struct

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.flights.checks.reading import as_floats
from chalicelib.flights.quality import assess
from tests.unit.flights.quality_reference import TYPES, written
from tests.unit.flights.test_quality import aircraft, faultless

NUMBERS = [pa.float64(), pa.float32(), pa.int64(), pa.int16(), pa.uint8(), pa.dictionary(pa.int32(), pa.int64())]


@given(st.lists(st.none() | st.integers(0, 100), max_size=20), st.sampled_from(NUMBERS), st.integers(0, 9))
def test_numbers_of_any_width_with_gaps_anywhere_in_a_slice(
    values: list[int | None], type_: pa.DataType, before: int
) -> None:
    whole = pa.array([7] * before + values + [None], pa.int64())
    whole = whole.dictionary_encode() if pa.types.is_dictionary(type_) else whole.cast(type_)
    column = whole.slice(before, len(values))
    assert as_floats(column).tolist() == pytest.approx([np.nan if v is None else v for v in values], nan_ok=True)


def test_booleans_as_numbers() -> None:
    column = pa.array([None, True, False, None, True]).slice(1)
    assert as_floats(column).tolist() == pytest.approx([1, 0, np.nan, 1], nan_ok=True)


def overwritten(parquet: bytes, name: str) -> bytes:
    """The file with that column's pages destroyed; reading them fails."""
    whole = bytearray(parquet)
    chunk = pq.read_metadata(pa.BufferReader(parquet)).row_group(0).column(list(TYPES).index(name))
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    whole[start : start + chunk.total_compressed_size] = bytes(chunk.total_compressed_size)
    return bytes(whole)


@pytest.mark.parametrize("name", ["category", "position_source", "on_ground", "geo_altitude", "last_contact"])
def test_a_column_that_its_statistics_give_away_is_not_read(name: str) -> None:
    """In these rows each is one whole number throughout, or (here the geometric altitude) missing."""
    parquet = written([row | {"geo_altitude": None} for row in faultless()], compression="none")
    assert assess(overwritten(parquet, name)).to_json() == assess(parquet).to_json()


@pytest.mark.parametrize("name", ["velocity", "icao24", "time_position"])
def test_a_column_that_they_do_not_give_away_is(name: str) -> None:
    parquet = written([aircraft(number, time_position=number) for number in range(20)], compression="none")
    with pytest.raises(Exception, match="parquet: cannot be read"):
        assess(overwritten(parquet, name))


def test_a_constant_real_is_read_since_statistics_leave_nan_out() -> None:
    rows = [aircraft(number, velocity=float("nan") if number == 3 else 200.0) for number in range(20)]
    completeness = assess(written(rows)).checks[0]
    assert (completeness.parts["velocity"].checked, completeness.parts["velocity"].failing) == (20, 1)


def test_statistics_that_are_no_numbers_prove_nothing() -> None:
    """Some writers put NaN where the smallest and largest value belong."""
    rows = [aircraft(number, velocity=-77.25 if number == 3 else 200.0) for number in range(20)]
    parquet = written(rows, use_dictionary=False, compression="none")
    footer = parquet.rindex(struct.pack("<d", 8.5706))  # after it, statistics alone hold these bytes
    damaged = bytearray(parquet)
    for value in (-77.25, 200.0):
        place = parquet.index(struct.pack("<d", value), footer)
        while place >= 0:
            damaged[place : place + 8] = struct.pack("<d", np.nan)
            place = parquet.find(struct.pack("<d", value), place + 8)
    assert np.isnan(pq.read_metadata(pa.BufferReader(bytes(damaged))).row_group(0).column(9).statistics.min)
    assert assess(bytes(damaged)).checks[1].parts["velocity"].failing == 1
