"""The whole judgement: spoiled snapshots go to quarantine, honest ones do not.

A part of the set runs here; `benchmarks/spoiled_snapshots.py` runs all of it and writes the table of
docs/quality-checks.md.
"""

import io
import random
from itertools import islice

import msgspec
import pytest

from chalicelib.flights.convert import convert
from chalicelib.flights.quality import assess
from chalicelib.flights.reports import QualityReport
from tests.unit.flights import unseen
from tests.unit.flights.traffic import FAULTS, TIME, Vectors, honest, spoiled, traffic


def judged(vectors: Vectors, time: int = TIME, usual_rows: int | None = None) -> QualityReport:
    parquet = io.BytesIO()
    raw = msgspec.json.encode({"time": time, "states": vectors})
    conversion = convert(io.BytesIO(raw), parquet)
    assert conversion.rows + conversion.rejected == len(vectors)
    return assess(parquet.getvalue(), rejected=conversion.rejected, usual_rows=usual_rows)


def test_honest_snapshots_pass() -> None:
    failed = [(kind, report.reasons) for kind, time, vectors in islice(honest(), 0, None, 4)
              if (report := judged(vectors, time)).verdict != "passed"]  # fmt: skip
    assert failed == []


def test_spoiled_snapshots_go_to_quarantine() -> None:
    missed = [fault for fault, _, usual, vectors in islice(spoiled(), len(FAULTS))
              if judged(vectors, usual_rows=usual).verdict != "failed"]  # fmt: skip
    assert missed == []


def test_what_was_written_without_knowing_the_checks_is_told_apart_too() -> None:
    faults = {**unseen.SPOILED, **unseen.LATER}
    missed = {fault for fault, _, usual, vectors in islice(spoiled(faults), len(faults))
              if judged(vectors, usual_rows=usual).verdict != "failed"}  # fmt: skip
    assert missed == unseen.HIDDEN
    failed = [(kind, report.reasons) for kind, time, usual, vectors in unseen.honest(1)
              if (report := judged(vectors, time, usual)).verdict != "passed"]  # fmt: skip
    assert failed == []


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
        ("one track everywhere", "share_of_one_true_track"),
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
        ("tracks halved to a byte", "share_of_one_true_track"),
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
