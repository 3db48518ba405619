"""Validation: a processed snapshot is judged by the 16 checks, and goes to quarantine if it fails them."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any, BinaryIO

from chalicelib.errors import InvalidInput, NotFound
from chalicelib.flights import keys
from chalicelib.flights.ports import Bucket, EmitMetrics, Feed, RunBook, RunHistory
from chalicelib.flights.quality import Thresholds, assess
from chalicelib.flights.reports import QualityReport
from chalicelib.flights.runs import TO_QUARANTINED, TO_VALIDATED, Run, begun
from chalicelib.flights.status import RunStatus
from chalicelib.flights.troubles import Troubles

USUAL_WITHIN_S = 3600
LEAST_USUAL, MOST_USUAL = 3, 12
"""Snapshots from which a usual number of rows is taken."""
NAMESPACE = "FlightDataPipeline/Quality"
JUDGED = (RunStatus.VALIDATED, RunStatus.QUARANTINED)


class Validation:
    """Judges snapshots, stores the report, quarantines failed ones and sends operators one alert for each."""

    def __init__(
        self,
        *,
        bucket: Bucket,
        runs: RunBook,
        history: RunHistory,
        troubles: Troubles,
        feed: Feed,
        emit: EmitMetrics,
        thresholds: Thresholds,
        strict: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self._bucket = bucket
        self._runs = runs
        self._history = history
        self._troubles = troubles
        self._feed = feed
        self._emit = emit
        self._thresholds = thresholds
        self._strict = strict
        self._clock = clock

    def validate(self, key: str) -> None:
        """Judge the Parquet at `key`; a snapshot that was released from quarantine stays released.

        Raises InvalidInput where it is no Parquet, or gone without a verdict, after recording the run as FAILED and
        telling of it.
        """
        snapshot_time = keys.snapshot_time_of(key)
        run = self._runs.find(keys.tracking_id(snapshot_time))
        if run is None:
            run = begun(snapshot_time, self._clock())
            self._runs.begin(run)
        try:
            self._judge(key, run)
        except InvalidInput as error:
            self._troubles.fail(run.tracking_id, error.message)
            raise

    def _judge(self, key: str, run: Run) -> None:
        started = time.perf_counter()
        try:
            parquet = self._bucket.open(key)
        except NotFound:
            self._finish(key, run.tracking_id)
            return
        earlier = self._earlier(run.snapshot_time)
        with parquet, self._latest_valid(run.snapshot_time, earlier) as before:
            report = assess(
                parquet,
                rejected=run.rejected or 0,
                thresholds=self._thresholds,
                strict=self._strict,
                usual_rows=_usual_rows(earlier),
                before=before,
            )
        self._conclude(run, report, round((time.perf_counter() - started) * 1000))

    def _earlier(self, snapshot_time: int) -> list[Run]:
        """The runs of the hour before, the latest first."""
        start = snapshot_time - USUAL_WITHIN_S
        days = keys.days_back(start, snapshot_time)
        runs = [run for day in days for run in self._history.of_day(day, MOST_USUAL, start=start, end=snapshot_time)]
        return runs[:MOST_USUAL]

    def _latest_valid(self, snapshot_time: int, earlier: list[Run]) -> AbstractContextManager[BinaryIO | None]:
        """The latest of the earlier snapshots that passed, if it is recent enough to compare with."""
        for run in earlier:
            close = snapshot_time - run.snapshot_time <= self._thresholds.compared_within_s
            if close and run.status is RunStatus.VALIDATED:
                try:
                    return self._bucket.open(keys.processed_key(run.snapshot_time))
                except NotFound:  # compacted: a replay of an old snapshot
                    continue
        return nullcontext()

    def _finish(self, key: str, tracking_id: str) -> None:
        """Finish an earlier invocation's work, if the event repeats after the snapshot was moved."""
        run = self._runs.find(tracking_id)
        if run is None or run.status not in JUDGED:
            raise InvalidInput(f"{key} was deleted before it was judged", code="processed_snapshot_missing")
        self._troubles.tell(tracking_id)

    def _conclude(self, run: Run, report: QualityReport, ms: int) -> None:
        """Report, then verdict, then move: killed anywhere in between, the repeated event finishes it."""
        bad = report.verdict == "failed" and run.released_at is None
        report_key = (keys.quarantine_report_key if bad else keys.report_key)(run.snapshot_time)
        self._bucket.write(report_key, report.to_json(), "application/json")
        facts: dict[str, Any] = {
            "score": report.score,
            "grade": report.grade,
            "failed_checks": [check.name for check in report.checks if check.verdict == "failed"],
            "check_scores": {check.name: check.score for check in report.checks if check.score is not None},
            "report_key": report_key,
            "validation_ms": ms,
            "judged_at": self._clock().isoformat(),
            "updated_at": self._clock().isoformat(),
        }
        if bad:
            facts["quarantine_key"] = keys.quarantine_key(run.snapshot_time)
            new = self._troubles.record(run.tracking_id, RunStatus.QUARANTINED, TO_QUARANTINED, facts)
        else:
            new = self._runs.advance(run.tracking_id, RunStatus.VALIDATED, TO_VALIDATED, facts)
        if new:
            self._measure(report, ms)
            self._tell(run.tracking_id)
        else:
            self._runs.note(run.tracking_id, facts)
        if bad:
            self._bucket.move(keys.processed_key(run.snapshot_time), keys.quarantine_key(run.snapshot_time))
            self._troubles.tell(run.tracking_id)

    def _tell(self, tracking_id: str) -> None:
        judged = self._runs.find(tracking_id)
        if judged is not None:
            self._feed.publish(judged)

    def _measure(self, report: QualityReport, ms: int) -> None:
        metrics: dict[str, tuple[float, str]] = {
            "ValidationTime": (ms, "Milliseconds"),
            "PassedChecks": (report.passed, "Count"),
            "FailedChecks": (report.failed, "Count"),
            "UnknownChecks": (report.unknown, "Count"),
            "RecordsValidated": (report.rows, "Count"),
        }
        if report.score is not None:
            metrics["OverallQualityScore"] = (round(100 * report.score, 2), "Percent")
        self._emit(NAMESPACE, metrics)


def _usual_rows(earlier: list[Run]) -> int | None:
    """The median number of rows of the earlier snapshots, whatever their verdict; None if too few are known.

    Their verdict does not count, so that a smaller box is the usual one after half an hour.
    """
    rows = sorted(run.rows for run in earlier if run.rows is not None)
    return rows[len(rows) // 2] if len(rows) >= LEAST_USUAL else None
