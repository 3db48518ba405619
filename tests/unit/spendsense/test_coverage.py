"""Meters: one EMF line with the figures, and nothing where nothing can be counted."""

import json
from datetime import date
from typing import Any

import pytest

from chalicelib.entry.telemetry import emit
from chalicelib.errors import UpstreamTimeout
from chalicelib.spendsense.coverage import CoverageMeter
from chalicelib.spendsense.models import Metrics

TODAY = date(2026, 11, 21)


class Office:
    """`Survey` with one answer."""

    def __init__(self, answer: Metrics | Exception) -> None:
        self.answer = answer

    def survey(self, today: date) -> Metrics:
        assert today == TODAY
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def metrics(persona_coverage: float | None) -> Metrics:
    return Metrics(
        measured_at=None,
        users=200,
        consented=150,
        with_data=100,
        persona_coverage=persona_coverage,
        behaviour_coverage=0.5,
        rationale_coverage=1.0,
        trace_coverage=1.0,
        personas={},
        recommendations={},
        feedback={},
        fairness={},
        largest_gap=None,
        runs=[],
    )


def surveyed(office: Any, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    CoverageMeter(office, emit).survey(TODAY)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return {name: value for line in lines for name, value in line.items() if name[0].isupper()}


def test_coverage_is_emitted_in_percent(capsys: pytest.CaptureFixture[str]) -> None:
    assert surveyed(Office(metrics(0.985)), capsys) == {
        "RunsForEverybody": [1.0],
        "People": [200.0],
        "PersonaCoverage": [98.5],
        "BehaviourCoverage": [50.0],
        "TraceCoverage": [100.0],
    }


def test_the_share_of_nobody_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert "PersonaCoverage" not in surveyed(Office(metrics(None)), capsys)


def test_a_run_is_over_even_if_its_coverage_cannot_be_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert surveyed(Office(UpstreamTimeout("too long")), capsys) == {"RunsForEverybody": [1.0]}
