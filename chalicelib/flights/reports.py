"""The quality report of a snapshot as values: what the checks write and `GET /flights/runs/{id}/report` answers."""

from enum import StrEnum

from msgspec import Struct
from msgspec.json import encode

Cell = str | int | float | bool | None
"""One value of a sample row."""


class CheckVerdict(StrEnum):
    """`unknown` is a check's alone, `empty` a snapshot's alone: nothing was there to judge."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EMPTY = "empty"


class CheckCounts(Struct, frozen=True):
    """A check's counts for one field, rule, source or phase."""

    checked: int
    failing: int


class CheckResult(Struct, frozen=True, kw_only=True):
    """One check's line in the report."""

    name: str
    verdict: CheckVerdict
    score: float | None
    pass_mark: float
    checked: int
    failing: int
    parts: dict[str, CheckCounts] = {}
    samples: list[dict[str, Cell]] = []


class Plausibility(Struct, frozen=True, kw_only=True):
    """A figure of the snapshot as a whole, and its plausible range; null is no limit."""

    name: str
    value: float
    lowest: float | None
    highest: float | None
    verdict: CheckVerdict


class QualityReport(Struct, frozen=True, kw_only=True):
    """The verdict on one snapshot; `reasons` say why it failed."""

    snapshot_time: int | None
    """The snapshot's own time, s since 1970 UTC."""
    rows: int
    rejected: int
    score: float | None
    grade: str | None
    verdict: CheckVerdict
    reasons: list[str]
    passed: int
    failed: int
    unknown: int
    checks: list[CheckResult]
    plausibility: list[Plausibility] = []

    def to_json(self) -> bytes:
        return encode(self)
