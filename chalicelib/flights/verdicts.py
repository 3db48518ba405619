"""The history of quality: every verdict of a period, by day and by check, and a page of the runs themselves."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from chalicelib.flights import keys
from chalicelib.flights.models import (
    CheckHistory,
    JudgedRun,
    QualityDay,
    QualityHistory,
    QualityQuery,
    WorstCheck,
)
from chalicelib.flights.ports import RunHistory
from chalicelib.flights.runs import Run
from chalicelib.flights.status import RunStatus

RUNS_A_DAY = 1440
"""One every minute: more than a day has, whatever the schedule."""


def quality_history(history: RunHistory, query: QualityQuery, now: datetime) -> QualityHistory:
    """The verdicts of the last days, each of 24 hours; runs without a verdict do not count."""
    start, end = int((now - timedelta(days=query.days)).timestamp()), int(now.timestamp()) + 86_400
    found = (history.of_day(day, RUNS_A_DAY, start=start) for day in keys.days_back(start, end))
    days = [[run for run in runs if run.grade is not None] for runs in found]
    judged = [run for day in days for run in day]
    following = [run for run in judged if query.cursor is None or run.snapshot_time < query.cursor]
    page = following[: query.limit]
    failures = Counter(name for run in judged for name in run.failed_checks or ())
    return QualityHistory(
        total=len(judged),
        truncated=len(page) < len(judged),
        cursor=page[-1].snapshot_time if len(page) < len(following) else None,
        runs=[_judged(run) for run in page],
        mean_score=_mean(run.score for run in judged),
        worst_checks=[WorstCheck(check=name, failures=number) for name, number in failures.most_common()],
        days=[_day(runs) for runs in days if runs],
        checks=_checks(judged, failures),
    )


def _day(runs: Sequence[Run]) -> QualityDay:
    scores = [run.score for run in runs if run.score is not None]
    return QualityDay(
        day=runs[0].execution_date,
        runs=len(runs),
        quarantined=sum(run.status is RunStatus.QUARANTINED for run in runs),
        mean_score=_mean(scores),
        lowest_score=min(scores, default=None),
        grades=dict(sorted(Counter(run.grade for run in runs if run.grade).items())),
        failures=dict(Counter(name for run in runs for name in run.failed_checks or ()).most_common()),
    )


def _checks(runs: Sequence[Run], failures: Counter[str]) -> list[CheckHistory]:
    scores: dict[str, list[float]] = {name: [] for name in failures}
    for run in runs:
        for name, score in (run.check_scores or {}).items():
            scores.setdefault(name, []).append(score)
    return [
        CheckHistory(check=name, judged=len(found), failures=failures[name], mean_score=_mean(found))
        for name, found in sorted(scores.items())
    ]


def _mean(scores: Iterable[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return round(sum(known) / len(known), 4) if known else None


def _judged(run: Run) -> JudgedRun:
    return JudgedRun(
        tracking_id=run.tracking_id,
        snapshot_time=run.snapshot_time,
        status=run.status,
        score=run.score,
        grade=run.grade,
        failed_checks=run.failed_checks or [],
        check_scores=run.check_scores or {},
    )
