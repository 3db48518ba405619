"""Overrides of the checks' limits, as settings hand them over."""

import dataclasses
import subprocess
import sys

import pytest

from chalicelib.errors import InvalidInput
from chalicelib.flights.checks.thresholds import PASS_MARKS, Thresholds


def test_no_overrides_are_the_defaults() -> None:
    assert Thresholds.from_mapping({}) == Thresholds()


def test_overrides_replace_and_the_rest_stays() -> None:
    made = Thresholds.from_mapping(
        {"fresh_s": 600, "anomaly_z": 4.5, "pass_marks": {"validity": 1}, "grades": {"A": 0.99}, "slow_categories": [8]}
    )
    assert (made.fresh_s, made.anomaly_z, made.slow_categories) == (600, 4.5, (8,))
    assert made.pass_marks == {**PASS_MARKS, "validity": 1}
    assert list(made.pass_marks) == list(PASS_MARKS)
    assert made.grades == {"A": 0.99, "B": 0.90, "C": 0.80, "D": 0.70}
    assert made.oldest_s == Thresholds().oldest_s


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"fresh_seconds": 1}, "fresh_seconds"),
        ({"fresh_s": "300"}, "fresh_s"),
        ({"fresh_s": 300.5}, "fresh_s"),
        ({"fresh_s": -1}, "fresh_s"),
        ({"fresh_s": True}, "fresh_s"),
        ({"fresh_s": None}, "fresh_s"),
        ({"min_score": 1.1}, "min_score"),
        ({"min_score": float("nan")}, "min_score"),
        ({"anomaly_z": float("inf")}, "anomaly_z"),
        ({"decimals_mlat": 8}, "decimals_mlat"),
        ({"pass_marks": 0.5}, "pass_marks"),
        ({"pass_marks": {"validty": 0.5}}, "pass_marks.validty"),
        ({"pass_marks": {"validity": 2}}, "pass_marks.validity"),
        ({"grades": {"E": 0.6}}, "grades.E"),
        ({"grades": {"B": 0.2}}, "grades"),
        ({"floors": {"validty": 0.5}}, "floors.validty"),
        ({"floors": {"anomaly_detection": 2}}, "floors.anomaly_detection"),
        ({"slow_categories": 8}, "slow_categories"),
        ({"slow_categories": [8, "9"]}, "slow_categories"),
        ({"altitude_floor_ft": 60_000}, "altitude_floor_ft"),
    ],
    ids=str,
)
def test_a_wrong_override_is_named(overrides: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        Thresholds.from_mapping(overrides)
    assert [problem.field for problem in raised.value.problems] == [field]
    assert field in raised.value.message


def test_one_error_names_every_wrong_override() -> None:
    with pytest.raises(InvalidInput) as raised:
        Thresholds.from_mapping({"nonsense": 1, "fresh_s": -1, "pass_marks": {"validity": "high", "nothing": 0}})
    assert [problem.field for problem in raised.value.problems] == [
        "nonsense",
        "fresh_s",
        "pass_marks.validity",
        "pass_marks.nothing",
    ]
    assert "fresh_s is -1, expected a whole number from 0 to 1000000000" in raised.value.message


def test_thresholds_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Thresholds().fresh_s = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        Thresholds().pass_marks["validity"] = 0  # type: ignore[index]


def test_thresholds_load_no_heavy_library() -> None:
    """Settings may build them where no Arrow is."""
    code = "import sys, chalicelib.flights.checks.thresholds; print({'numpy', 'pyarrow'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
