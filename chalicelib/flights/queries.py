"""The questions that `GET /flights/*` answers, without Arrow."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.errors import InvalidInput, NotFound
from chalicelib.flights import index
from chalicelib.flights.index import Aircraft
from chalicelib.flights.ports import Box, ObjectReader, RunBook, RunHistory
from chalicelib.flights.runs import Run, Status

Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]


class LatestQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A box in degrees (all four sides or none), a flight phase, how many aircraft."""

    lamin: Latitude | None = None
    lomin: Longitude | None = None
    lamax: Latitude | None = None
    lomax: Longitude | None = None
    phase: Literal["GROUND", "CLIMB", "DESCENT", "CRUISE", "LEVEL"] | None = None
    limit: Annotated[int, Meta(ge=1, le=5000)] = 500


class Latest(Struct, frozen=True, kw_only=True):
    """The newest snapshot that passed: its time, how many aircraft match, and the first of them by address."""

    tracking_id: str
    time: int
    matching: int
    aircraft: list[Aircraft]


class QualityQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many days back, and how many runs at most."""

    days: Annotated[int, Meta(ge=1, le=31)] = 1
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class Judged(Struct, frozen=True, kw_only=True):
    """One run's verdict; score 0..1."""

    tracking_id: str
    snapshot_time: int
    status: Status
    score: float | None
    grade: str | None
    failed_checks: list[str]


class WorstCheck(Struct, frozen=True, kw_only=True):
    """How many of the runs failed a check."""

    check: str
    failures: int


class QualityHistory(Struct, frozen=True, kw_only=True):
    """The latest verdicts, newest first, their mean score, and the checks that fail most."""

    runs: list[Judged]
    mean_score: float | None
    worst_checks: list[WorstCheck]


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
        """Aircraft of the newest validated snapshot; NotFound before the first."""
        box = _box(query)
        newest = self._history.of_status(Status.VALIDATED, 1)
        if not newest or newest[0].index_key is None:
            raise NotFound("no snapshot has passed validation yet")
        with self._bucket.open(newest[0].index_key) as stream:
            snapshot = index.read(stream)
        matching, aircraft = index.select(snapshot, box=box, phase=query.phase, limit=query.limit)
        return Latest(tracking_id=newest[0].tracking_id, time=snapshot.time, matching=matching, aircraft=aircraft)

    def quality(self, query: QualityQuery) -> QualityHistory:
        """The verdicts of the last days."""
        today = self._clock().astimezone(UTC).date()
        runs: list[Run] = []
        for back in range(query.days):
            if len(runs) < query.limit:
                day = (today - timedelta(days=back)).isoformat()
                runs += self._history.of_day(day, query.limit - len(runs))
        judged = [run for run in runs if run.grade is not None]
        scores = [run.score for run in judged if run.score is not None]
        failures = Counter(name for run in judged for name in run.failed_checks or [])
        return QualityHistory(
            runs=[_judged(run) for run in judged],
            mean_score=round(sum(scores) / len(scores), 4) if scores else None,
            worst_checks=[WorstCheck(check=name, failures=number) for name, number in failures.most_common()],
        )

    def run(self, tracking_id: str) -> Run:
        """One run; NotFound if there is none."""
        run = self._runs.find(tracking_id)
        if run is None:
            raise NotFound(f"there is no run {tracking_id!r}")
        return run


def _box(query: LatestQuery) -> Box | None:
    sides = {name: getattr(query, name) for name in ("lamin", "lomin", "lamax", "lomax")}
    given = [name for name, value in sides.items() if value is not None]
    if not given:
        return None
    if missing := [name for name in sides if name not in given]:
        raise InvalidInput.of(missing[0], "is missing", "all four of lamin, lomin, lamax, lomax, or none")
    south, west, north, east = sides.values()
    if south >= north:
        raise InvalidInput.of("lamax", f"is {north:g}", f"more than lamin, {south:g}")
    if west >= east:
        raise InvalidInput.of("lomax", f"is {east:g}", f"more than lomin, {west:g}")
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
