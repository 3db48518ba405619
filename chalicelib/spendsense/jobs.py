"""The three jobs: compute features, assign personas, generate recommendations; each announces the next.

Each person's row says which stage is due, and a job requests batches until none is left: an interrupted run continues
where it stopped, a run that is delivered twice finds nothing to do, and the next night makes up for a lost event.
People without consent are never due.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from chalicelib.errors import UpstreamTimeout, UpstreamUnavailable
from chalicelib.spendsense.models import FeaturesOrder, JobRunOutcome, StageDone
from chalicelib.spendsense.orders import JobName, JobOrder, order_after, order_of
from chalicelib.spendsense.ports import Announcements, Pipeline

BATCH: dict[JobName, int] = {"compute_features": 2_000, "assign_persona": 20_000, "generate_recommendations": 5_000}
RESERVE_S = 60.0
"""A run stops this long before its function does: a batch must not be cut off halfway."""
REFRESH_DAYS = 7
"""Windows move on even where no row is new: features this old are due again."""

RETENTION_DAYS = 365
"""The retention of runs and refused accesses."""
FORGOTTEN_AT_ONCE = 10_000

ANNOUNCED: dict[JobName, str] = {
    "compute_features": "Features Computed",
    "assign_persona": "Persona Assigned",
    "generate_recommendations": "Recommendations Generated",
}


class InsightJobs:
    """Runs the jobs; the last stage of a run for everybody ends with a `survey`, and old records are deleted.

    After each step, `tell` tells the sockets of the order's person, or of everybody, how far the jobs are.
    """

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        announcements: Announcements,
        clock: Callable[[], datetime],
        count: Callable[[str, int], Any],
        survey: Callable[[date], Any] | None = None,
        tell: Callable[[UUID | None], object] = lambda subject: None,
        batch: dict[JobName, int] | None = None,
        reserve_s: float = RESERVE_S,
        retention_days: int = RETENTION_DAYS,
    ) -> None:
        self._pipeline = pipeline
        self._announcements = announcements
        self._clock = clock
        self._count = count
        self._survey = survey
        self._tell = tell
        self._batch = batch or BATCH
        self._reserve_s = reserve_s
        self._retention = timedelta(days=retention_days)

    def compute(
        self, event_id: str, wanted: FeaturesOrder, remaining_s: Callable[[], float], *, nightly: bool
    ) -> JobRunOutcome:
        """The features that an event wants, as of today unless it says otherwise; errors as of `run`."""
        order = order_of(event_id, self._clock().date(), wanted, nightly=nightly)
        return self.run("compute_features", order, remaining_s)

    def follow(self, job: JobName, done: StageDone, remaining_s: Callable[[], float]) -> JobRunOutcome:
        """The stage that follows one that was announced, in the same run; errors as of `run`."""
        return self.run(job, order_after(done, self._clock().date()), remaining_s)

    def run(self, job: JobName, order: JobOrder, remaining_s: Callable[[], float]) -> JobRunOutcome:
        """Do what is due, then announce it.

        UpstreamUnavailable if the time is up with work left, UpstreamTimeout if even one person takes too long;
        finished work is kept, and the next delivery of the same order continues from there.
        """
        progress = self._pipeline.begin(job, order, self._clock())
        if progress.finished:
            return JobRunOutcome(run_id=order.run_id, job=job, as_of=order.as_of, already_done=True)
        self._tell(order.subject)
        self._work(job, order, remaining_s)
        detail: dict[str, Any] = {"run_id": order.run_id, "as_of": order.as_of.isoformat()}
        if order.subject is not None:
            detail["subject"] = str(order.subject)
        self._announcements.announce(ANNOUNCED[job], detail)
        last = job == "generate_recommendations" and order.subject is None
        if last and self._survey is not None:
            self._survey(order.as_of)  # before the end: whoever sees a run that is over sees what it came to
        progress = self._pipeline.finish(job, order, self._clock())
        self._count(f"{job}.users", progress.users)
        if last:
            self._forget(remaining_s)
        return JobRunOutcome(
            run_id=order.run_id, job=job, as_of=order.as_of, batches=progress.batches, users=progress.users
        )

    def _forget(self, remaining_s: Callable[[], float]) -> None:
        """Delete old records as far as the time allows; the next night goes on."""
        before = self._clock() - self._retention
        while remaining_s() >= self._reserve_s and self._pipeline.forget(before, FORGOTTEN_AT_ONCE):
            pass

    def _work(self, job: JobName, order: JobOrder, remaining_s: Callable[[], float]) -> None:
        size = self._batch[job]
        while True:
            if remaining_s() < self._reserve_s:
                raise UpstreamUnavailable(f"{job} has run out of time; the next delivery of {order.run_id} goes on")
            try:
                if not self._pipeline.advance(job, order, size, self._clock()):
                    return
                self._tell(order.subject)
            except UpstreamTimeout:
                if size == 1:
                    raise
                size = max(1, size // 4)
