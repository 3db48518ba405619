"""The recording: how it is made from rows, and what the committed file holds."""

import gzip
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from local.opensky.countries import country_of
from local.opensky.record import snapshots, write_recording
from local.opensky.recording import (
    COUNTRY,
    ICAO24,
    LAST_CONTACT,
    LATITUDE,
    LONGITUDE,
    TIME_POSITION,
    Recording,
    Snapshot,
    load_recording,
)

BEGINNING = 1_633_608_000


def row(second: int, **changes: Any) -> dict[str, Any]:
    return {
        "icao24": "39cea2",
        "callsign": "TVF93VT",
        "timestamp": (BEGINNING + second) * 1000,
        "altitude": 10_000.0,
        "groundspeed": 300.0,
        "latitude": 48.0 + second / 1000,
        "longitude": 2.0,
        "onground": False,
        "squawk": "0041",
        "track": 90.0,
        "vertical_rate": -600.0,
    } | changes


def recorded(*rows: dict[str, Any]) -> dict[int, list[list[Any]]]:
    return {at - BEGINNING: vectors for at, vectors in snapshots(rows)}


def test_a_row_comes_back_in_si_in_openskys_order_and_precision() -> None:
    (vector,) = recorded(row(10, latitude=48.123456, longitude=2.000049))[10]

    assert vector == [
        "39cea2",
        "TVF93VT ",
        "France",
        BEGINNING + 10,
        BEGINNING + 10,
        2.0,
        48.1235,
        3048.0,
        False,
        154.33,
        90.0,
        -3.05,
        None,
        None,
        "0041",
        False,
        0,
        0,
    ]


def test_nulls_and_zeros_stay_what_they_are() -> None:
    (vector,) = recorded(row(10, altitude=0.0, groundspeed=None, track=None, vertical_rate=0.0, squawk=None))[10]

    assert vector[7:12] == [0.0, False, None, None, 0.0]
    assert vector[14] is None


def test_a_moving_aircraft_that_repeats_itself_grows_old_and_loses_its_position_after_15_seconds() -> None:
    frozen = [row(second, latitude=48.5) for second in range(4, 41)]

    at = recorded(*frozen)

    ages = {second: second + BEGINNING - vectors[0][LAST_CONTACT] for second, vectors in at.items()}
    assert ages == {10: 6, 20: 16, 30: 26, 40: 36}
    assert at[10][0][TIME_POSITION] == BEGINNING + 4
    assert at[10][0][LATITUDE] == 48.5
    assert [at[20][0][i] for i in (TIME_POSITION, LONGITUDE, LATITUDE)] == [None, None, None]


def test_contact_without_a_new_position_keeps_contact_fresh() -> None:
    heard = [row(second, latitude=48.5, track=float(second)) for second in range(1, 31)]

    (vector,) = recorded(*heard)[30]

    assert vector[LAST_CONTACT] == BEGINNING + 30
    assert vector[TIME_POSITION] is None


def test_a_parked_aircraft_stays_fresh_where_it_stands() -> None:
    parked = [row(second, latitude=48.5, onground=True, groundspeed=None) for second in range(1, 61)]

    (vector,) = recorded(*parked)[60]

    assert vector[LAST_CONTACT] == vector[TIME_POSITION] == BEGINNING + 60


def test_an_aircraft_leaves_15_seconds_after_its_last_row_and_returns_with_its_next() -> None:
    other = [row(second, icao24="0a0046", callsign="DAH1011") for second in range(1, 71)]

    at = recorded(row(8), row(52), *other)

    present = [second for second, vectors in at.items() if any(vector[ICAO24] == "39cea2" for vector in vectors)]
    assert present == [10, 20, 60]


def test_the_same_rows_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    rows = [row(second, icao24=icao24) for second in range(1, 30) for icao24 in ("39cea2", "0a0046")]

    for name, source in (("one", rows), ("two", rows[::-1])):
        write_recording(snapshots(source), tmp_path / name)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.fixture(scope="module")
def recording() -> Recording:
    return load_recording()


def test_the_committed_recording_is_the_one_that_its_text_describes(recording: Recording) -> None:
    text = (Path(__file__).parents[3] / "local/opensky/RECORDING.md").read_text()
    lines = gzip.decompress((Path(__file__).parents[3] / "local/opensky/recording.jsonl.gz").read_bytes())
    vectors = [vector for snapshot in recording.snapshots for vector in snapshot.vectors]

    assert hashlib.sha256(lines).hexdigest() in text
    assert f"{len(recording.snapshots):,} answers" in text
    assert f"{len(vectors):,} state vectors" in text
    assert f"{len({vector[ICAO24] for vector in vectors})} aircraft" in text


def test_every_recorded_vector_keeps_openskys_promises(recording: Recording) -> None:
    for snapshot in recording.snapshots:
        assert len({vector[ICAO24] for vector in snapshot.vectors}) == len(snapshot.vectors)
        for vector in snapshot.vectors:
            assert len(vector) == 18
            assert re.fullmatch("[0-9a-f]{6}", vector[ICAO24])
            assert len(vector[1]) == 8
            assert vector[LAST_CONTACT] <= snapshot.time
            assert (vector[TIME_POSITION] is None) == (vector[LONGITUDE] is None) == (vector[LATITUDE] is None)
            if vector[TIME_POSITION] is not None:
                assert snapshot.time - 15 <= vector[TIME_POSITION] <= vector[LAST_CONTACT]


def test_the_country_follows_from_the_address() -> None:
    assert country_of("3c6647") == "Germany"
    assert country_of("4d0261") == "Luxembourg"
    with pytest.raises(LookupError, match="f00001"):
        country_of("f00001")


def snapshot_at(time: int) -> Snapshot:
    return Snapshot(time, [["39cea2", "TVF93VT ", "France", time - 3, time - 1, 2.0, 48.0, *[None] * 11]])


def test_the_replay_begins_again_at_its_end() -> None:
    recording = Recording(tuple(snapshot_at(BEGINNING + second) for second in (10, 20, 30)), step=10)

    times = [recording.at(position).time - BEGINNING for position in (0, 9.9, 10, 29.9, 30, 45, -0.5)]

    assert times == [10, 10, 20, 30, 10, 20, 30]


def test_moving_a_snapshot_in_time_keeps_every_age() -> None:
    moved = snapshot_at(1000).moved_to(5000)

    assert moved.time == 5000
    assert moved.vectors[0][TIME_POSITION : LAST_CONTACT + 1] == [4997, 4999]


def test_moving_a_snapshot_leaves_unknown_positions_unknown_and_the_recording_alone() -> None:
    vector = ["39cea2", None, "France", None, 990, None, None, *[None] * 11]
    snapshot = Snapshot(1000, [vector])

    assert snapshot.moved_to(2000).vectors[0][TIME_POSITION] is None
    assert vector[LAST_CONTACT] == 990
    assert snapshot.vectors[0][COUNTRY] == "France"
