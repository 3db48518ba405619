"""The whole judgement: spoiled snapshots go to quarantine, honest ones do not.

A part of the set runs here; `benchmarks/spoiled_snapshots.py` runs all of it and writes the table of
docs/quality-checks.md.
"""

import io
import random
from itertools import islice

import msgspec
import pytest
from pyarrow import parquet as pq

from chalicelib.flights.convert import convert
from chalicelib.flights.quality import assess
from chalicelib.flights.reports import QualityReport
from tests.unit.flights import pairs, unseen
from tests.unit.flights.traffic import FAULTS, TIME, Vectors, honest, spoiled, traffic


def judged(
    vectors: Vectors, time: int = TIME, usual_rows: int | None = None, before: bytes | None = None
) -> QualityReport:
    parquet, rejected = converted(vectors, time)
    return assess(parquet, rejected=rejected, usual_rows=usual_rows, before=before)


def judged_pair(pair: pairs.Pair, known: dict[str, bytes] | None = None) -> QualityReport:
    """The report on the later one; `known` keeps the Parquet of the earlier by kind."""
    known = {} if known is None else known
    if pair.kind not in known:
        known[pair.kind] = converted(pair.before, pair.time - pairs.STEP)[0]
    return judged(pair.now, pair.time, pair.usual, known[pair.kind])


def converted(vectors: Vectors, time: int = TIME) -> tuple[bytes, int]:
    """The Parquet, and the number of rows that were rejected."""
    parquet = io.BytesIO()
    raw = msgspec.json.encode({"time": time, "states": vectors})
    conversion = convert(io.BytesIO(raw), parquet)
    assert conversion.rows + conversion.rejected == len(vectors)
    return parquet.getvalue(), conversion.rejected


@pytest.mark.slow
def test_honest_snapshots_pass() -> None:
    failed = [(kind, report.reasons) for kind, time, vectors in islice(honest(), 0, None, 4)
              if (report := judged(vectors, time)).verdict != "passed"]  # fmt: skip
    assert failed == []


@pytest.mark.slow
def test_spoiled_snapshots_go_to_quarantine() -> None:
    missed = [fault for fault, _, usual, vectors in islice(spoiled(), len(FAULTS))
              if judged(vectors, usual_rows=usual).verdict != "failed"]  # fmt: skip
    assert missed == []


@pytest.mark.slow
def test_what_was_written_without_knowing_the_checks_is_told_apart_too() -> None:
    faults = {**unseen.SPOILED, **unseen.LATER}
    missed = {fault for fault, _, usual, vectors in islice(spoiled(faults), len(faults))
              if judged(vectors, usual_rows=usual).verdict != "failed"}  # fmt: skip
    assert missed == unseen.HIDDEN
    failed = [(kind, report.reasons) for kind, time, usual, vectors in unseen.honest(1)
              if (report := judged(vectors, time, usual)).verdict != "passed"]  # fmt: skip
    assert failed == []


@pytest.mark.slow
def test_honest_snapshots_continue_the_one_before() -> None:
    failed = [(pair.kind, report.reasons) for pair in islice(pairs.honest_pairs(1, first=False), 0, None, 2)
              if (report := judged_pair(pair)).verdict != "passed"]  # fmt: skip
    assert failed == []


@pytest.mark.slow
def test_what_does_not_continue_the_snapshot_before_goes_to_quarantine() -> None:
    faults = {**pairs.DEVELOPMENT, **pairs.HELD_OUT, **pairs.FRESH}
    faults |= {name: pairs.alone(unseen.LATER[name]) for name in unseen.HIDDEN}
    faults = dict(islice(faults.items(), 0, None, 2))
    known: dict[str, bytes] = {}
    missed = {fault for fault, _, pair in pairs.spoiled(faults, (1.0,), ["world"])
              if judged_pair(pair, known).verdict != "failed"}  # fmt: skip
    assert missed == pairs.MISSED & faults.keys()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("bytes of the addresses swapped", "share_seen_before"),
        ("callsigns shuffled", "share_with_same_callsign"),
        ("countries shuffled", "share_with_same_origin_country"),
        ("squawks shuffled", "share_with_same_squawk"),
        ("on_ground flipped", "share_with_same_on_ground"),
        ("positions and their times frozen", "share_of_new_positions"),
        ("speeds sorted", "share_of_fast_at_steady_speed"),
        ("speeds with noise", "share_of_high_at_steady_speed"),
        ("positions frozen", "share_of_fast_as_far_as_flown"),
        ("longitudes projected", "share_of_high_as_far_as_flown"),
        ("tracks mirrored", "share_of_fast_along_track"),
        ("tracks with noise", "share_of_high_along_track"),
        ("vertical rates with the other sign", "share_climbing_as_told"),
        ("altitudes shuffled", "share_of_altitudes_as_climbed"),
        ("barometric altitudes frozen", "share_of_steady_datum"),
        ("speeds frozen", "share_with_unchanged_velocity"),
        ("tracks frozen", "share_with_unchanged_true_track"),
        ("vertical rates frozen", "share_with_unchanged_vertical_rate"),
        ("vertical rates in ft/s", "share_of_extreme_rates"),
        ("vertical rates one row late", "surplus_of_level_flight_above"),
        ("latitudes one row late", "latitude_by_longitude_nats"),
        ("callsigns and squawks swapped", "share_of_callsigns_with_letter"),
        ("tracks from -180 to 180", "share_of_tracks_on_the_compass"),
        ("altitudes rounded to 5,000 ft", "share_of_eight_low_baro_altitude"),
        ("on the ground below 10,000 ft", "share_on_ground_at_speed"),
        ("on_ground unknown", "share_that_says_if_on_ground"),
    ],
)
def test_what_does_not_continue_is_named(fault: str, reason: str) -> None:
    spoil = {**pairs.DEVELOPMENT, **pairs.HELD_OUT, **pairs.FRESH}[fault]
    ((_, _, pair),) = pairs.spoiled({fault: spoil}, (1.0,), ["winter"])
    report = judged_pair(pair)
    (found,) = [each for each in report.plausibility if each.name == reason]
    assert found.verdict == "failed"


@pytest.mark.parametrize("seconds", [30, 660])
def test_a_snapshot_is_not_compared_with_one_of_another_hour(few: Vectors, seconds: int) -> None:
    before, _ = converted(few, TIME)
    names = {each.name for each in judged(few, TIME + seconds, before=before).plausibility}
    assert "share_seen_before" not in names
    assert "share_seen_before" in {each.name for each in judged(few, TIME + 300, before=before).plausibility}


def test_a_snapshot_before_that_is_damaged_or_lacks_columns_or_rows_is_not_compared_with(few: Vectors) -> None:
    table = pq.read_table(io.BytesIO(converted(few, TIME)[0])).drop_columns(["squawk"])
    lacking = io.BytesIO()
    pq.write_table(table, lacking)
    for before in (lacking.getvalue(), converted(few[:150], TIME)[0], converted([], TIME)[0], b"PAR1 cut off"):
        names = {each.name for each in judged(few, TIME + 300, before=before).plausibility}
        assert "share_seen_before" not in names


@pytest.fixture(scope="module")
def few() -> Vectors:
    return traffic(2000, 1)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("speeds in knots", "cruise_speed_kt"),
        ("altitudes in flight levels", "cruise_altitude_ft"),
        ("vertical rates in ft/s", "climb_rate_fpm"),
        ("speed and track swapped", "share_of_high_at_jet_speed"),
        ("each aircraft under two addresses", "share_of_distinct_positions"),
        ("latitudes mirrored", "share_near_home"),
        ("one track everywhere", "share_of_eight_true_track"),
        ("everything on the ground", "share_on_ground"),
        ("a feed that stood still four minutes ago", "age_of_contacts_s"),
        ("positions ten minutes old, contacts fresh", "age_of_positions_s"),
        ("no time of any position", "share_of_positions_with_time"),
        ("nothing on the ground", "share_standing_still"),
        ("nulls for zeros", "share_of_level_rates"),
        ("tracks in radians", "true_track_of_most"),
        ("barometric altitudes 3,000 m too low", "geo_minus_baro_ft"),
        ("each aircraft under two addresses some metres apart", "share_of_distinct_flights"),
        ("zeros for nulls", "share_at_null_island"),
        ("degrees and minutes as decimals", "share_past_60_minutes"),
        ("countries shuffled", "share_of_the_world_near_home"),
        ("vertical rates without a sign", "share_climbing"),
        ("one callsign everywhere", "share_of_distinct_callsigns"),
        ("on_ground null everywhere", "share_that_says_if_on_ground"),
        ("positions rounded to a tenth", "share_of_precise_positions"),
        ("tracks halved to a byte", "share_of_eight_true_track"),
    ],
)
def test_what_no_row_shows_is_named(few: Vectors, fault: str, reason: str) -> None:
    spoil = {**FAULTS, **unseen.SPOILED, **unseen.LATER}[fault]
    report = judged(spoil([list(vector) for vector in few], random.Random(1)))
    assert any(line.startswith(reason) for line in report.reasons), report.reasons
    (found,) = [each for each in report.plausibility if each.name == reason]
    assert found.verdict == "failed"


def test_a_few_rows_show_nothing_of_the_whole() -> None:
    report = judged(traffic(150, 1))
    assert (report.plausibility, report.verdict) == ([], "passed")
