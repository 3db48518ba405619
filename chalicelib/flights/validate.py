"""Validation: a processed snapshot is judged by the 16 checks, and goes to quarantine if it fails them."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.errors import NotFound, UpstreamUnavailable
from chalicelib.flights import keys
from chalicelib.flights.ports import Alerts, Bucket, Emit, Notices, RunBook
from chalicelib.flights.quality import Report, Thresholds, assess
from chalicelib.flights.runs import TO_QUARANTINED, TO_VALIDATED, Run, Status, begun

NAMESPACE = "FlightDataPipeline/Quality"
ALERT_PENDING, ALERT_SENT = "PENDING", "SENT"
CLAIM_LASTS = timedelta(seconds=45)


class Validation:
    """Judges snapshots, stores the report, moves the bad ones aside and tells an operator, once for each."""

    def __init__(
        self,
        *,
        bucket: Bucket,
        runs: RunBook,
        notices: Notices,
        alerts: Alerts,
        emit: Emit,
        thresholds: Thresholds,
        strict: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self._bucket = bucket
        self._runs = runs
        self._notices = notices
        self._alerts = alerts
        self._emit = emit
        self._thresholds = thresholds
        self._strict = strict
        self._clock = clock

    def validate(self, key: str) -> None:
        """Judge the Parquet at `key`; a snapshot that was released from quarantine stays released."""
        snapshot_time = keys.snapshot_time_of(key)
        tracking_id = keys.tracking_id(snapshot_time)
        run = self._runs.find(tracking_id)
        if run is None:
            run = begun(snapshot_time, self._clock())
            self._runs.begin(run)
        started = time.perf_counter()
        try:
            parquet = self._bucket.open(key)
        except NotFound:
            # A repeated event, after the snapshot was moved aside: only what was left undone then is done now.
            self._finish_quarantine(run)
            return
        with parquet:
            report = assess(parquet, rejected=run.rejected or 0, thresholds=self._thresholds, strict=self._strict)
        body = report.to_json()
        ms = round((time.perf_counter() - started) * 1000)
        facts: dict[str, Any] = {
            "score": report.score,
            "grade": report.grade,
            "failed_checks": [check.name for check in report.checks if check.verdict == "failed"],
            "validation_ms": ms,
            "updated_at": self._clock().isoformat(),
        }
        if report.verdict == "failed" and run.released_at is None:
            self._quarantine(run, body, facts)
        else:
            self._bucket.write(keys.report_key(snapshot_time), body, "application/json")
            facts["report_key"] = keys.report_key(snapshot_time)
            self._runs.advance(tracking_id, Status.VALIDATED, TO_VALIDATED, facts)
        self._measure(report, ms)

    def _quarantine(self, run: Run, report: bytes, facts: Mapping[str, Any]) -> None:
        """Report, then verdict, then move: killed anywhere in between, the repeated event finishes it."""
        report_key = keys.quarantine_report_key(run.snapshot_time)
        self._bucket.write(report_key, report, "application/json")
        facts = {**facts, "report_key": report_key, "quarantine_key": keys.quarantine_key(run.snapshot_time)}
        pending = {**facts, "alert": ALERT_PENDING}
        if not self._runs.advance(run.tracking_id, Status.QUARANTINED, TO_QUARANTINED, pending):
            self._runs.note(run.tracking_id, facts)
        self._bucket.move(keys.processed_key(run.snapshot_time), keys.quarantine_key(run.snapshot_time))
        judged = self._runs.find(run.tracking_id)
        if judged is not None:
            self._finish_quarantine(judged)

    def _finish_quarantine(self, run: Run) -> None:
        """Tell the operator, if nobody has: claimed first, so that two invocations at once do not both tell."""
        if run.status is not Status.QUARANTINED or run.alert != ALERT_PENDING:
            return
        if not self._notices.first(f"quarantine {run.tracking_id}", self._clock() + CLAIM_LASTS):
            raise UpstreamUnavailable(f"another invocation is telling of {run.tracking_id}")
        self._alerts.send(
            f"Flights: snapshot {run.tracking_id} is in quarantine",
            {
                "type": "DATA_QUALITY_ISSUE",
                "snapshot": run.tracking_id,
                "snapshot_time": run.snapshot_time,
                "score": run.score,
                "grade": run.grade,
                "failed_checks": run.failed_checks or [],
                "quarantine_key": run.quarantine_key,
                "report_key": run.report_key,
            },
        )
        self._runs.note(run.tracking_id, {"alert": ALERT_SENT})

    def _measure(self, report: Report, ms: int) -> None:
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
