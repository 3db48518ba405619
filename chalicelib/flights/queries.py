"""The questions that `GET /flights/*` answers, without Arrow."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from chalicelib.errors import NotFound, Unprocessable
from chalicelib.flights import index, keys
from chalicelib.flights.models import Judged, Latest, LatestQuery, QualityHistory, QualityQuery, WorstCheck
from chalicelib.flights.ports import Box, ObjectReader, RunBook, RunHistory
from chalicelib.flights.runs import Run, RunStatus

RUNS_A_DAY = 1440
"""One every minute: more than a day has, whatever the schedule."""


class Flights:
    """Reads what the pipeline left."""

    def __init__(
        self, *, bucket: ObjectReader, runs: RunBook, history: RunHistory, clock: Callable[[], datetime]
    ) -> None:
        self._bucket = bucket
        self._runs = runs
        self._history = history
        self._clock = clock

    def latest(self, query: LatestQuery) -> Latest:
        """Aircraft of the newest validated snapshot; NotFound before the first, and a week after the last."""
        box = _box(query)
        newest = self._history.of_status(RunStatus.VALIDATED, 1)
        if not newest or newest[0].index_key is None:
            raise NotFound("no snapshot has passed validation yet")
        try:
            stream = self._bucket.open(newest[0].index_key)
        except NotFound:
            raise NotFound(f"the last snapshot that passed, {newest[0].tracking_id}, is too old to be shown") from None
        with stream:
            time, matching, aircraft = index.select(stream, box=box, phase=query.phase, limit=query.limit)
        return Latest(tracking_id=newest[0].tracking_id, time=time, matching=matching, aircraft=aircraft)

    def quality(self, query: QualityQuery) -> QualityHistory:
        """The verdicts of the last days, each of 24 hours."""
        now = self._clock().astimezone(UTC)
        since = (now - timedelta(days=query.days)).timestamp()
        judged: list[Run] = []
        for back in range(query.days + 1):
            if len(judged) < query.limit:
                day = (now - timedelta(days=back)).date().isoformat()
                runs = self._history.of_day(day, RUNS_A_DAY)
                judged += [run for run in runs if run.grade is not None and run.snapshot_time >= since]
        judged = judged[: query.limit]
        scores = [run.score for run in judged if run.score is not None]
        failures = Counter(name for run in judged for name in run.failed_checks or [])
        return QualityHistory(
            runs=[_judged(run) for run in judged],
            mean_score=round(sum(scores) / len(scores), 4) if scores else None,
            worst_checks=[WorstCheck(check=name, failures=number) for name, number in failures.most_common()],
        )

    def run(self, tracking_id: str) -> Run:
        """One run; NotFound if there is none."""
        run = self._runs.find(tracking_id) if keys.is_tracking_id(tracking_id) else None
        if run is None:
            raise NotFound("there is no such run")
        return run


def _box(query: LatestQuery) -> Box | None:
    sides = {name: getattr(query, name) for name in ("lamin", "lomin", "lamax", "lomax")}
    given = [name for name, value in sides.items() if value is not None]
    if not given:
        return None
    if missing := [name for name in sides if name not in given]:
        raise Unprocessable.of(missing[0], "is missing", "all four of lamin, lomin, lamax, lomax, or none")
    south, west, north, east = sides.values()
    if south >= north:
        raise Unprocessable.of("lamax", f"is {north:g}", f"more than lamin, {south:g}")
    if west >= east:
        raise Unprocessable.of("lomax", f"is {east:g}", f"more than lomin, {west:g}")
    return south, west, north, east


def _judged(run: Run) -> Judged:
    return Judged(
        tracking_id=run.tracking_id,
        snapshot_time=run.snapshot_time,
        status=run.status,
        score=run.score,
        grade=run.grade,
        failed_checks=run.failed_checks or [],
    )
