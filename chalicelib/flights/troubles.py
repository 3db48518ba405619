"""Alerts about runs: a write records the pending alert, and one invocation sends it, once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from chalicelib.errors import UpstreamUnavailable
from chalicelib.flights.ports import Alerts, RunBook, TroubleNotices
from chalicelib.flights.runs import TO_FAILED, Run
from chalicelib.flights.status import RunStatus

PENDING, SENT = "PENDING", "SENT"
CLAIM_LASTS = timedelta(seconds=45)


class Troubles:
    """Records runs that failed or went to quarantine, and sends operators one alert for each."""

    def __init__(
        self, *, runs: RunBook, notices: TroubleNotices, alerts: Alerts, clock: Callable[[], datetime]
    ) -> None:
        self._runs = runs
        self._notices = notices
        self._alerts = alerts
        self._clock = clock

    def record(
        self, tracking_id: str, status: RunStatus, allowed_from: Sequence[RunStatus], facts: Mapping[str, Any]
    ) -> bool:
        """Move the run to `status`, and owe an alert for it, in one write; False, and no change, if it may not move."""
        return self._runs.advance(tracking_id, status, allowed_from, {**facts, "alert": PENDING})

    def fail(self, tracking_id: str, reason: str) -> None:
        """Record the run as FAILED and tell of it; a run that has a verdict keeps it."""
        facts = {"failure": reason, "updated_at": self._clock().isoformat()}
        self.record(tracking_id, RunStatus.FAILED, TO_FAILED, facts)
        self.tell(tracking_id)

    def tell(self, tracking_id: str) -> None:
        """Send the run's pending alert, if there is one; a claim keeps two invocations from both sending it.

        Raises UpstreamUnavailable while another invocation sends it; a retry then sends it if that one dies.
        """
        run = self._runs.find(tracking_id)
        if run is None or run.alert != PENDING or run.status not in _ALERTS:
            return
        if not self._notices.first(f"alert {tracking_id} {run.status}", self._clock() + CLAIM_LASTS):
            raise UpstreamUnavailable(f"another invocation is telling of {tracking_id}")
        subject, message = _ALERTS[run.status]
        self._alerts.send(subject.format(tracking_id), message(run))
        self._runs.note(tracking_id, {"alert": SENT})


def _unreadable(run: Run) -> dict[str, Any]:
    return {"type": "SNAPSHOT_UNREADABLE", "snapshot": run.tracking_id, "key": run.raw_key, "reason": run.failure}


def _of_bad_quality(run: Run) -> dict[str, Any]:
    return {
        "type": "DATA_QUALITY_ISSUE",
        "snapshot": run.tracking_id,
        "snapshot_time": run.snapshot_time,
        "score": run.score,
        "grade": run.grade,
        "failed_checks": run.failed_checks or [],
        "quarantine_key": run.quarantine_key,
        "report_key": run.report_key,
    }


_ALERTS: dict[RunStatus, tuple[str, Callable[[Run], dict[str, Any]]]] = {
    RunStatus.FAILED: ("Flights: snapshot {} is unreadable", _unreadable),
    RunStatus.QUARANTINED: ("Flights: snapshot {} is in quarantine", _of_bad_quality),
}
"""The statuses that an operator hears of: the subject and the message."""
