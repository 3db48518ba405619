"""The pipeline for operators: runs, their reports and files, and the limits on polling."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from chalicelib.errors import NotFound
from chalicelib.flights import keys
from chalicelib.flights.boxes import Box
from chalicelib.flights.breaker import OPEN_FOR, BreakerState
from chalicelib.flights.ingest import poll_cost
from chalicelib.flights.models import (
    BreakerView,
    Download,
    GuardView,
    QualityHistory,
    QualityQuery,
    ReleaseRecord,
    RunDownloads,
    RunPage,
    RunsQuery,
    RunView,
)
from chalicelib.flights.ports import FOREVER, GuardReading, Links, ObjectReader, RunBook, RunHistory
from chalicelib.flights.queries import period
from chalicelib.flights.reports import QualityReport
from chalicelib.flights.runs import KEPT_FOR, Run
from chalicelib.flights.status import RunStatus
from chalicelib.flights.verdicts import quality_history

LINKS_LAST_S = 900
MOST_A_DAY = 2000
"""More runs than a day has polls: OpenSky's credits allow fewer."""


class FlightOperations:
    """Shows runs, verdicts and the guard; the public views leave out who released a snapshot and why."""

    def __init__(
        self,
        *,
        bucket: ObjectReader,
        links: Links,
        runs: RunBook,
        history: RunHistory,
        guard: GuardReading,
        box: Box | None,
        daily_credits: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._bucket = bucket
        self._links = links
        self._runs = runs
        self._history = history
        self._guard = guard
        self._box = box
        self._daily_credits = daily_credits
        self._clock = clock

    def page(self, query: RunsQuery) -> RunPage:
        """Runs of a period, the latest snapshot first; runs are kept for 90 days."""
        tomorrow = self._clock() + timedelta(days=1)  # OpenSky's clock may be ahead of ours
        end = query.end or tomorrow
        start, last = period(query.start or end - timedelta(days=2 if query.end is None else 1), end)
        start = max(start, int((tomorrow - KEPT_FOR - timedelta(days=2)).timestamp()))
        before = min(last, int(tomorrow.timestamp()), FOREVER if query.cursor is None else query.cursor)
        wanted = query.limit + 1
        if query.status is not None:
            found = self._history.of_status(query.status, wanted, start=start, end=before) if start < before else []
        else:
            found = []
            for day in keys.days_back(start, before):
                found += self._history.of_day(day, wanted - len(found), start=start, end=before)
                if len(found) >= wanted:
                    break
        shown = found[: query.limit]
        more = len(found) > len(shown)
        return RunPage(runs=[_view(run) for run in shown], cursor=shown[-1].snapshot_time if more else None)

    def run(self, tracking_id: str) -> RunView:
        """One run; NotFound if there is none."""
        return _view(self._find(tracking_id))

    def report(self, tracking_id: str) -> QualityReport:
        """The quality report of a run, with all checks; NotFound before there is one."""
        key = self._find(tracking_id).report_key
        if key is None:
            raise NotFound(f"{tracking_id} has no quality report yet")
        with self._bucket.open(key) as stored:
            return msgspec.json.decode(stored.read(), type=QualityReport)

    def downloads(self, tracking_id: str) -> RunDownloads:
        """Links to the run's raw answer, its Parquet and its report, as far as they are there."""
        run = self._find(tracking_id)
        return RunDownloads(
            raw=self._link(run.raw_key),
            parquet=self._link(run.quarantine_key) or self._link(run.processed_key),
            report=self._link(run.report_key),
            expires_in=LINKS_LAST_S,
        )

    def release(self, tracking_id: str) -> ReleaseRecord:
        """The release of the run's snapshot: by whom, and why."""
        run = self._find(tracking_id)
        return ReleaseRecord(
            tracking_id=run.tracking_id,
            released_at=run.released_at,
            released_by=run.released_by,
            reason=run.release_reason,
        )

    def quality(self, query: QualityQuery) -> QualityHistory:
        """The verdicts of the last days."""
        return quality_history(self._history, query, self._clock())

    def guard(self) -> GuardView:
        """The day's credits, the breaker and the throttle, as they are now."""
        return guard_view(self._guard, self._box, self._daily_credits, self._clock())

    def today(self) -> dict[str, str | int]:
        """The number of runs of the UTC day, and their states."""
        day = self._clock().astimezone(UTC).date().isoformat()
        found = [run.status for run in self._history.of_day(day, MOST_A_DAY)]
        return {
            "day": day,
            "runs": len(found),
            "validated": found.count(RunStatus.VALIDATED),
            "quarantined": found.count(RunStatus.QUARANTINED),
            "failed": found.count(RunStatus.FAILED),
        }

    def _find(self, tracking_id: str) -> Run:
        run = self._runs.find(tracking_id) if keys.is_tracking_id(tracking_id) else None
        if run is None:
            raise NotFound("there is no such run")
        return run

    def _link(self, key: str | None) -> Download | None:
        url = None if key is None else self._links.link(key, LINKS_LAST_S)
        return None if url is None or key is None else Download(url=url, key=key)


def guard_view(guard: GuardReading, box: Box | None, daily_credits: int, now: datetime) -> GuardView:
    """The day's credits, the breaker and the throttle, as they are now."""
    day = now.astimezone(UTC).date().isoformat()
    used, cost, breaker, until = guard.credits_used(day), poll_cost(box), guard.breaker(), guard.throttled_until()
    left = max(0, daily_credits - used)
    opened = breaker.opened_at if breaker.state is BreakerState.OPEN else None
    return GuardView(
        day=day,
        daily_credits=daily_credits,
        credits_used=used,
        credits_left=left,
        poll_cost=cost,
        polls_left=left // cost,
        throttled_until=until.isoformat() if until is not None and until > now else None,
        breaker=BreakerView(
            state=breaker.state,
            recent_failures=len(breaker.failures),
            opened_at=opened.isoformat() if opened else None,
            retry_at=(opened + OPEN_FOR).isoformat() if opened else None,
            successes=breaker.successes,
            failing_since=breaker.failing_since.isoformat() if breaker.failing_since else None,
        ),
    )


def _view(run: Run) -> RunView:
    return msgspec.convert(run, RunView, from_attributes=True)
