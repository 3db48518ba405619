"""The verdict on a snapshot, and the report that carries it."""

import io
import json
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chalicelib.errors import InvalidInput
from chalicelib.flights.checks.thresholds import PASS_MARKS, Thresholds
from chalicelib.flights.columns import SCHEMA
from chalicelib.flights.quality import QualityReport, assess
from tests.unit.flights.quality_reference import Row, written

T = 1_633_608_000


def aircraft(number: int = 1, **changes: object) -> Row:
    """A faultless row; no two numbers give the same."""
    return {
        "icao24": f"{number:06x}",
        "callsign": f"DLH{number}",
        "origin_country": "Germany",
        "time_position": T - 2,
        "last_contact": T - 1,
        "longitude": 8.5706,
        "latitude": 50.0333,
        "baro_altitude": 10_972.8 + 7.62 * (number % 5),
        "on_ground": False,
        "velocity": 230.0 + number % 7,
        "true_track": float(number % 360),
        "vertical_rate": 0.33 * (number % 3),
        "geo_altitude": 11_201.4 + 7.62 * (number % 5),
        "position_source": 0,
        "category": 4,
        "flight_phase": "CRUISE",
        "snapshot_time": T,
    } | changes


def faultless(rows: int = 20) -> list[Row]:
    return [aircraft(number) for number in range(rows)]


def verdicts(report: QualityReport) -> dict[str, str]:
    return {check.name: str(check.verdict) for check in report.checks}


def test_a_faultless_snapshot_passes_every_check() -> None:
    report = assess(written(faultless()))
    assert verdicts(report) == dict.fromkeys(PASS_MARKS, "passed")
    assert (report.score, report.grade, report.verdict, report.reasons) == (1.0, "A", "passed", [])
    assert (report.passed, report.failed, report.unknown) == (16, 0, 0)
    assert (report.snapshot_time, report.rows, report.rejected) == (T, 20, 0)


def test_a_replay_years_later_is_as_fresh_as_it_was() -> None:
    """The fixture is of 2021: judged against the wall clock it would fail."""
    assert verdicts(assess(written(faultless())))["timeliness"] == "passed"


def test_the_report_is_json_that_names_each_check() -> None:
    rows = [*faultless(), aircraft(99, velocity=float("inf"), baro_altitude=11_000.5)]
    report = json.loads(assess(written(rows)).to_json())
    assert [check["name"] for check in report["checks"]] == list(PASS_MARKS)
    validity = report["checks"][1]
    assert validity["parts"]["velocity"] == {"checked": 21, "failing": 1}
    assert validity["samples"] == [
        {
            "icao24": "000063",
            "callsign": "DLH99",
            "longitude": 8.5706,
            "latitude": 50.0333,
            "baro_altitude": 11000.5,
            "velocity": "Infinity",
            "vertical_rate": 0.0,
        }
    ]


def test_at_most_five_sample_rows_and_they_are_the_first() -> None:
    rows = [aircraft(number, callsign=None if number % 2 else "bad!") for number in range(40)]
    (check,) = [check for check in assess(written(rows, row_group_size=3)).checks if check.name == "callsign_format"]
    assert [sample["icao24"] for sample in check.samples] == ["000000", "000002", "000004", "000006", "000008"]
    assert (check.checked, check.failing) == (20, 20)


@pytest.mark.parametrize(("rejected", "verdict"), [(0, "passed"), (1, "passed"), (2, "failed"), (10_000, "failed")])
def test_rejected_rows_count_against_all_that_were_received(rejected: int, verdict: str) -> None:
    """Of 20 rows and 1 rejected, 1 of 21 is under 5 %; 2 of 22 is over."""
    report = assess(written(faultless()), rejected=rejected)
    assert (report.verdict, report.score) == (verdict, 1.0)
    assert [str(rejected) in reason for reason in report.reasons] == [True] * (verdict == "failed")


def test_a_snapshot_without_rows_is_empty_and_nothing_is_known() -> None:
    report = assess(written([]))
    assert (report.verdict, report.score, report.grade, report.snapshot_time) == ("empty", None, None, None)
    assert (report.passed, report.failed, report.unknown) == (0, 0, 16)
    assert report.reasons == []


def test_a_snapshot_of_which_every_row_was_rejected_fails() -> None:
    report = assess(written([]), rejected=3)
    assert report.verdict == "failed"
    assert "3 of 3" in report.reasons[0]


def test_an_unfinished_file_of_the_right_schema_but_no_row_group_is_empty() -> None:
    output = io.BytesIO()
    pq.ParquetWriter(output, SCHEMA).close()
    assert assess(output.getvalue()).verdict == "empty"


def test_low_completeness_fails_a_snapshot_whatever_its_score() -> None:
    lost = dict.fromkeys(("longitude", "latitude", "baro_altitude", "velocity"))
    rows = [aircraft(number, **(lost if number % 2 else {})) for number in range(20)]
    report = assess(written(rows))
    assert report.score is not None
    assert report.score > 0.8
    assert report.verdict == "failed"
    assert report.reasons == ["completeness 0.667 is below 0.7"]


def test_a_low_score_fails() -> None:
    report = assess(written([aircraft(1, callsign="?", origin_country="", velocity=-1.0)] * 20))
    assert report.verdict == "failed"
    assert report.grade in {"D", "F"}
    assert report.reasons[0].startswith("score 0.")


def test_strict_mode_fails_on_any_failed_check() -> None:
    rows = [aircraft(number, callsign="?" if number < 5 else "OK") for number in range(20)]
    assert assess(written(rows)).verdict == "passed"
    report = assess(written(rows), strict=True)
    assert (report.verdict, report.reasons) == (
        "failed",
        ["callsign_format failed (0.750, pass mark 0.9) in strict mode"],
    )


def test_an_unknown_check_takes_no_part_in_the_mean_and_strict_mode_lets_it_be() -> None:
    report = assess(written(faultless(), drop=["callsign", "geo_altitude"]), strict=True)
    assert (report.score, report.verdict, report.unknown) == (1.0, "passed", 2)


def test_a_file_that_has_nothing_to_judge_does_not_pass() -> None:
    report = assess(written(faultless(), drop=[name for name in aircraft() if name != "category"]))
    assert (report.verdict, report.reasons) == ("failed", ["no check found anything to judge"])


@pytest.mark.parametrize(
    ("share", "grade"),
    [(0.0, "A"), (0.1, "A"), (0.5, "B"), (1.0, "D")],
    ids=["all pass", "a tenth of one fails", "one fails", "one is dead"],
)
def test_grades_follow_the_score(share: float, grade: str) -> None:
    rows = [aircraft(number, callsign="?" if number < share * 20 else "OK") for number in range(20)]
    report = assess(written(rows))
    assert report.score == pytest.approx(1 - share / 16)
    assert report.grade == grade


def test_two_failed_checks_allow_no_b() -> None:
    rows = [
        aircraft(number, **({"callsign": "?", "origin_country": "?"} if number < 5 else {})) for number in range(20)
    ]
    report = assess(written(rows))
    assert (report.verdict, report.failed, report.grade) == ("passed", 2, "C")
    assert report.score is not None
    assert report.score > 0.95


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"longitude": 0.0, "latitude": 0.0}, "coordinate_validity 0.000 is below 0.9"),
        ({"last_contact": T - 7200, "time_position": T - 7200}, "timeliness 0.000 is below 0.7"),
        ({"icao24": "abcdef"}, "uniqueness 0.050 is below 0.8"),
        ({"vertical_rate": 1500.0}, "validity 0.833 is below 0.9"),
        ({"on_ground": True}, "consistency 0.000 is below 0.7"),
    ],
)
def test_a_dead_check_fails_the_snapshot_whatever_the_others_say(change: Row, reason: str) -> None:
    report = assess(written([aircraft(number, **change) for number in range(20)]))
    assert report.verdict == "failed"
    assert reason in report.reasons
    relaxed = Thresholds.from_mapping({"floors": {reason.split()[0]: 0}, "min_validity_part": 0})
    assert reason not in assess(written([aircraft(n, **change) for n in range(20)]), thresholds=relaxed).reasons


def test_a_field_whose_values_are_mostly_impossible_is_named() -> None:
    rows = [aircraft(number, **({"vertical_rate": 1500.0} if number < 5 else {})) for number in range(20)]
    report = assess(written(rows))
    assert report.reasons == ["5 of 20 values of vertical_rate are impossible"]


def test_a_snapshot_that_lacks_a_region_lacks_rows() -> None:
    rows = [
        aircraft(n, longitude=n / 8, latitude=50.0333, velocity=200 + n / 10, baro_altitude=1e4 + n) for n in range(300)
    ]
    assert assess(written(rows), usual_rows=400).verdict == "passed"
    report = assess(written(rows), usual_rows=401)
    assert report.reasons == ["share_of_usual_rows is 0.7481; expected at least 0.75"]
    assert assess(written(rows[:20]), usual_rows=100).verdict == "passed", "few rows vary by themselves"


def test_a_grade_begins_at_its_mark() -> None:
    assert assess(written(faultless()), thresholds=Thresholds.from_mapping({"grades": {"A": 1.0}})).grade == "A"


def test_thresholds_move_the_verdict() -> None:
    rows = [aircraft(number, callsign="?") for number in range(20)]
    assert assess(written(rows), thresholds=Thresholds(min_score=0.99)).verdict == "failed"
    assert assess(written(rows), thresholds=Thresholds.from_mapping({"pass_marks": {"callsign_format": 0}})).failed == 0


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all", b"PAR1" + bytes(64) + b"PAR1"])
def test_what_is_no_parquet_is_invalid_input(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="parquet: cannot be read"):
        assess(content)


@pytest.mark.parametrize("damage", [lambda whole: whole[:-20], lambda whole: whole[20:], lambda whole: whole[:200]])
def test_a_truncated_file_is_invalid_input(damage: object) -> None:
    whole = written(faultless(500))
    with pytest.raises(InvalidInput, match="parquet"):
        assess(damage(whole))  # type: ignore[operator]


def test_pages_that_were_overwritten_are_invalid_input() -> None:
    whole = bytearray(written(faultless(500), compression="zstd"))
    whole[4:1500] = bytes(1496)
    with pytest.raises(InvalidInput, match="parquet"):
        assess(whole)


def test_a_storage_timeout_is_not_taken_for_a_bad_file() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise TimeoutError("storage")

    with pytest.raises(TimeoutError, match="storage"):
        assess(Slow(written(faultless())))


@pytest.mark.parametrize(
    ("name", "type_", "expected"),
    [
        ("longitude", pa.string(), "numbers"),
        ("icao24", pa.int64(), "text"),
        ("on_ground", pa.int64(), "booleans"),
        ("snapshot_time", pa.int64(), "timestamps"),
        ("last_contact", pa.float64(), "whole numbers"),
    ],
)
def test_a_column_of_a_foreign_type_is_named(name: str, type_: pa.DataType, expected: str) -> None:
    table = pa.table({name: pa.array([1, 2]).cast(type_)})
    output = io.BytesIO()
    pq.write_table(table, output)
    with pytest.raises(InvalidInput, match=rf"{name}: has the type {type_}; expected a column of {expected}"):
        assess(output.getvalue())


def test_a_column_that_is_there_twice_is_named() -> None:
    output = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0])], ["velocity", "velocity"]), output)
    with pytest.raises(InvalidInput, match="velocity: is there 2 times"):
        assess(output.getvalue())


def test_columns_without_a_type_are_all_missing_values() -> None:
    output = io.BytesIO()
    pq.write_table(pa.table({name: pa.nulls(3) for name in aircraft()}), output)
    report = assess(output.getvalue())
    assert {name for name, verdict in verdicts(report).items() if verdict != "unknown"} == {
        "completeness",
        "consistency",
        "accuracy",
        "country_code",
    }


def test_the_callers_file_stays_open_and_any_kind_of_source_will_do() -> None:
    whole = written(faultless())
    stream = io.BytesIO(whole)
    once = io.BufferedReader(Once(whole))
    reports = [assess(source) for source in (whole, bytearray(whole), memoryview(whole), stream, once)]
    assert not stream.closed
    assert {report.to_json() for report in reports} == {reports[0].to_json()}


class Once(io.RawIOBase):
    """A stream that cannot be rewound, like an HTTP body."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def test_no_thread_outlives_the_judgement() -> None:
    before = threading.active_count()
    assess(written(faultless(100), row_group_size=5))
    assert threading.active_count() == before


def test_a_negative_number_of_rejected_rows_is_refused() -> None:
    with pytest.raises(InvalidInput, match="rejected: is -1"):
        assess(written(faultless()), rejected=-1)
