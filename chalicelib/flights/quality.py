"""A processed snapshot's quality: 16 checks, one score, one grade, one verdict, and the report that says why."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import BinaryIO, Final, Protocol, TypeVar

import numpy as np

from chalicelib.errors import InvalidInput
from chalicelib.flights.checks.findings import MAX_SAMPLES, Tally
from chalicelib.flights.checks.gathering import NEEDED, Snapshot
from chalicelib.flights.checks.plausibility import plausibility
from chalicelib.flights.checks.reading import Batch, Buffer, StatesSource, opened
from chalicelib.flights.checks.registry import ROW_CHECKS, SNAPSHOT_CHECKS, Check, Scope
from chalicelib.flights.checks.thresholds import Thresholds
from chalicelib.flights.reports import Cell, CheckCounts, CheckResult, CheckVerdict, Plausibility, QualityReport
from chalicelib.parallel import in_order

__all__ = ["CheckResult", "CheckVerdict", "QualityReport", "Thresholds", "assess"]

IDENTITY: Final = ("icao24", "callsign")
"""The columns of every sample row, if the file has them."""
DEFAULTS: Final = Thresholds()
LOWEST_GRADE: Final = "F"
WORKERS: Final = 2
"""The number of row groups judged concurrently: Arrow and numpy release the interpreter while they work."""

_Judged = list[tuple[Batch, list[Tally]]]
_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


def assess(
    parquet: BinaryIO | Buffer,
    *,
    rejected: int = 0,
    thresholds: Thresholds = DEFAULTS,
    strict: bool = False,
    usual_rows: int | None = None,
    before: BinaryIO | Buffer | None = None,
) -> QualityReport:
    """Judge a processed snapshot (`columns.SCHEMA`; a missing column makes checks unknown) and say why.

    `rejected` is the number of received rows that the conversion refused; `usual_rows` how many rows the snapshots
    before had, if that is known; `before` the latest of them that passed; `strict` fails a snapshot on any failed
    check. A snapshot without rows is `empty`, unless rows were rejected. The caller's files stay open.
    Raises InvalidInput where the bytes are no whole Parquet file, or a column has a foreign type.
    """
    if rejected < 0:
        raise InvalidInput.of("rejected", f"is {rejected}", "a number of rows, 0 or more")
    with opened(parquet) as source, ExitStack() as stack:
        earlier: StatesSource | None = None
        if before is not None:
            with suppress(InvalidInput):  # its damage is not this snapshot's
                earlier = stack.enter_context(opened(before))
        found, snapshot = _examine(source, thresholds)
        checks = [found[name] for name in thresholds.pass_marks]
        plausible = plausibility(snapshot, thresholds, usual_rows, earlier) if source.rows else []
        return _report(source, rejected, checks, plausible, thresholds, strict=strict)


class SampleRows(Protocol):
    """The source of a sample's values."""

    def shown(self, row: int, names: tuple[str, ...]) -> dict[str, Cell]: ...


@dataclass(slots=True)
class _Findings:
    """One check's tallies, added up as the batches pass."""

    checked: int = 0
    failing: int = 0
    parts: dict[str, tuple[int, int]] = field(default_factory=dict)
    samples: list[dict[str, Cell]] = field(default_factory=list)

    def add(self, tally: Tally, rows: SampleRows, shown: tuple[str, ...]) -> None:
        self.checked += tally.checked
        self.failing += tally.failing
        for name, (checked, failing) in tally.parts.items():
            before = self.parts.get(name, (0, 0))
            self.parts[name] = (before[0] + checked, before[1] + failing)
        for row in tally.examples[: MAX_SAMPLES - len(self.samples)]:
            self.samples.append(rows.shown(int(row), shown))


def _examine(source: StatesSource, thresholds: Thresholds) -> tuple[dict[str, CheckResult], Snapshot]:
    by_row = [check for check in ROW_CHECKS if source.columns.issuperset(check.needs)]
    whole = [check for check in SNAPSHOT_CHECKS if source.columns.issuperset(check.needs)]
    shown = {check.name: _shown(check.columns, source) for check in by_row}
    shown |= {check.name: _shown(check.columns, source) for check in whole}
    findings = {name: _Findings() for name in shown}
    snapshot = Snapshot(source)
    wanted = frozenset(IDENTITY).union(*shown.values(), NEEDED)

    def judge(group: int) -> _Judged:
        judged: _Judged = []
        with np.errstate(invalid="ignore", over="ignore"):
            for batch in source.batches(group, wanted):
                snapshot.add(batch)
                judged.append((batch, [check.judge(batch, thresholds) for check in by_row]))
        return judged

    def judge_whole(check: Check[Snapshot]) -> Tally:
        with np.errstate(invalid="ignore", over="ignore"):
            return check.judge(snapshot, thresholds)

    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(WORKERS, "checks")) if source.groups > 1 else None
        for judged in _made(pool, judge, range(source.groups)):
            for batch, tallies in judged:
                for check, tally in zip(by_row, tallies, strict=True):
                    findings[check.name].add(tally, batch, shown[check.name])
        for over_all, tally in zip(whole, _made(pool, judge_whole, whole if source.rows else []), strict=False):
            findings[over_all.name].add(tally, snapshot, shown[over_all.name])
    marks = thresholds.pass_marks
    results = [_result(check, findings.get(check.name, _Findings()), marks[check.name]) for check in ROW_CHECKS]
    results += [_result(check, findings.get(check.name, _Findings()), marks[check.name]) for check in SNAPSHOT_CHECKS]
    return {result.name: result for result in results}, snapshot


def _made(pool: Executor | None, work: Callable[[_Item], _Made], items: Iterable[_Item]) -> Iterator[_Made]:
    """The result for each item. Small snapshots have no pool: they are judged before a second thread has started."""
    return map(work, items) if pool is None else (made for _, made in in_order(pool, work, items, WORKERS + 1))


def _shown(columns: Sequence[str], source: StatesSource) -> tuple[str, ...]:
    names = dict.fromkeys((*IDENTITY, *columns))
    return tuple(name for name in names if name in source.columns and name != "snapshot_time")


def _result(check: Check[Scope], found: _Findings, pass_mark: float) -> CheckResult:
    score = check.score(found.checked, found.failing, found.parts)
    verdict = CheckVerdict.UNKNOWN
    if score is not None:
        verdict = CheckVerdict.PASSED if score >= pass_mark else CheckVerdict.FAILED
    return CheckResult(
        name=check.name,
        verdict=verdict,
        score=score,
        pass_mark=pass_mark,
        checked=found.checked,
        failing=found.failing,
        parts={name: CheckCounts(*counts) for name, counts in found.parts.items()},
        samples=found.samples,
    )


def _report(
    source: StatesSource,
    rejected: int,
    checks: Sequence[CheckResult],
    plausible: Sequence[Plausibility],
    thresholds: Thresholds,
    *,
    strict: bool,
) -> QualityReport:
    scores = [check.score for check in checks if check.score is not None]
    score = float(sum(map(Fraction, scores)) / len(scores)) if scores else None
    reasons = [
        *_reasons(source.rows, rejected, score, thresholds),
        *_failures(checks, thresholds, strict=strict),
        *_implausible(plausible),
    ]
    empty = not source.rows and not rejected
    verdicts = [check.verdict for check in checks]
    failed = verdicts.count(CheckVerdict.FAILED)
    return QualityReport(
        snapshot_time=source.time,
        rows=source.rows,
        rejected=rejected,
        score=score,
        grade=None if score is None else _grade(score, failed, thresholds.grades, passes=not reasons),
        verdict=CheckVerdict.EMPTY if empty else CheckVerdict.FAILED if reasons else CheckVerdict.PASSED,
        reasons=reasons,
        passed=verdicts.count(CheckVerdict.PASSED),
        failed=failed,
        unknown=verdicts.count(CheckVerdict.UNKNOWN),
        checks=list(checks),
        plausibility=list(plausible),
    )


def _grade(score: float, failed: int, grades: Mapping[str, float], *, passes: bool) -> str:
    """The grade of a score; a failed check allows no A, two no B, and a failed snapshot only the last of the grades."""
    earned = [grade for grade, mark in grades.items() if score >= mark]
    allowed = list(grades)[min(failed, 2) :] if passes else list(grades)[-1:]
    return next((grade for grade in allowed if grade in earned), LOWEST_GRADE)


def _reasons(rows: int, rejected: int, score: float | None, thresholds: Thresholds) -> Iterator[str]:
    received = rows + rejected
    if received and rejected / received > thresholds.max_rejected:
        yield f"{rejected} of {received} received rows were rejected, more than {thresholds.max_rejected:.0%}"
    if rows and score is None:
        yield "no check found anything to judge"
    if score is not None and score < thresholds.min_score:
        yield f"score {score:.3f} is below {thresholds.min_score}"


def _failures(checks: Sequence[CheckResult], thresholds: Thresholds, *, strict: bool) -> Iterator[str]:
    for check in checks:
        floor = thresholds.floors.get(check.name, 0.0)
        if check.score is not None and check.score < floor:
            yield f"{check.name} {check.score:.3f} is below {floor}"
        if check.name == "validity":
            for name, part in check.parts.items():
                if part.failing > (1 - thresholds.min_validity_part) * part.checked:
                    yield f"{part.failing} of {part.checked} values of {name} are impossible"
        if strict and check.verdict is CheckVerdict.FAILED:
            yield f"{check.name} failed ({check.score:.3f}, pass mark {check.pass_mark}) in strict mode"


def _implausible(plausible: Sequence[Plausibility]) -> Iterator[str]:
    for found in plausible:
        if found.verdict is CheckVerdict.FAILED:
            limits = (("at least", found.lowest), ("at most", found.highest))
            expected = " and ".join(f"{word} {limit:g}" for word, limit in limits if limit is not None)
            yield f"{found.name} is {found.value:g}; expected {expected}"
