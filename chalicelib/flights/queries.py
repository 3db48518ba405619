"""The answers of `GET /flights/latest` and `/flights/snapshots`, from the index of processing; without Arrow."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

from chalicelib.errors import NotFound, Unprocessable
from chalicelib.flights import index, keys
from chalicelib.flights.boxes import Box
from chalicelib.flights.models import Latest, LatestQuery, Selection, SnapshotList, SnapshotsQuery, SnapshotSummary
from chalicelib.flights.ports import ObjectReader, RunBook, RunHistory
from chalicelib.flights.runs import KEPT_FOR, Run
from chalicelib.flights.status import RunStatus

RANGES = {
    "baro_altitude_ft": ("altitude_min_ft", "altitude_max_ft"),
    "velocity_kt": ("speed_min_kt", "speed_max_kt"),
}
"""Column -> the fields of a query that bound it."""


class Flights:
    """Reads the aircraft of snapshots that passed."""

    def __init__(
        self, *, bucket: ObjectReader, runs: RunBook, history: RunHistory, clock: Callable[[], datetime]
    ) -> None:
        self._bucket = bucket
        self._runs = runs
        self._history = history
        self._clock = clock

    def latest(self, query: LatestQuery) -> Latest:
        """Aircraft of the newest validated snapshot; NotFound before the first, and a week after the last."""
        wanted = selection(query)
        newest = self._history.of_status(RunStatus.VALIDATED, 1)
        if not newest:
            raise NotFound("no snapshot has passed validation yet")
        try:
            return self._select(newest[0], wanted, query.limit)
        except NotFound:
            raise NotFound(f"{newest[0].tracking_id} is too old to be shown: its index is kept for a week") from None

    def aircraft(self, tracking_id: str, query: LatestQuery) -> Latest | None:
        """Aircraft of a snapshot that passed, None if only the history has it still; NotFound if it did not pass."""
        wanted = selection(query)
        run = self._runs.find(tracking_id) if keys.is_tracking_id(tracking_id) else None
        if run is None and keys.is_tracking_id(tracking_id) and self._forgotten(keys.snapshot_time_of_id(tracking_id)):
            return None
        if run is None or run.status is not RunStatus.VALIDATED:
            raise NotFound("there is no such snapshot among those that passed validation")
        try:
            return self._select(run, wanted, query.limit)
        except NotFound:
            return None

    def snapshots(self, query: SnapshotsQuery) -> SnapshotList | None:
        """The snapshots of a period that passed, oldest first; None if only the history has the first of it still."""
        start, end = period(query.start, query.end)
        if self._forgotten(start):
            return None
        found = self._history.of_status(RunStatus.VALIDATED, query.limit + 1, start=start, end=end)
        shown = [
            SnapshotSummary(tracking_id=run.tracking_id, time=run.snapshot_time, rows=run.rows)
            for run in reversed(found[: query.limit])
        ]
        return SnapshotList(snapshots=shown, truncated=len(found) > query.limit)

    def _select(self, run: Run, wanted: Selection, limit: int) -> Latest:
        if run.index_key is None:
            raise NotFound("no snapshot has passed validation yet")
        with self._bucket.open(run.index_key) as stream:
            time, matching, aircraft = index.select(stream, wanted, limit)
        return Latest(tracking_id=run.tracking_id, time=time, matching=matching, aircraft=aircraft)

    def _forgotten(self, snapshot_time: int) -> bool:
        """Whether the run of a snapshot of that time has been removed from the table by now."""
        return snapshot_time < (self._clock() - KEPT_FOR).timestamp()


def period(start: datetime, end: datetime) -> tuple[int, int]:
    """A period as seconds since 1970 UTC, rounded up; Unprocessable if it is empty or reversed."""
    first, last = (max(0, math.ceil(moment.timestamp())) for moment in (start, end))
    if last <= first:
        raise Unprocessable.of("to", f"is {_shown(end)}", f"a time after from, {_shown(start)}")
    return first, last


def _shown(moment: datetime) -> str:
    try:
        return moment.astimezone(UTC).isoformat()
    except OverflowError:
        return moment.isoformat()


def selection(query: LatestQuery) -> Selection:
    """The filter of a query; Unprocessable if its bounds are reversed, or its box lacks a side."""
    ranges = []
    for column, (lowest, highest) in RANGES.items():
        low, high = getattr(query, lowest), getattr(query, highest)
        if low is not None and high is not None and low > high:
            raise Unprocessable.of(highest, f"is {high:g}", f"at least {lowest}, {low:g}")
        if low is not None or high is not None:
            ranges.append((column, -math.inf if low is None else low, math.inf if high is None else high))
    callsign = query.callsign.upper() if query.callsign else None
    return Selection(box=_box(query), phase=query.phase, callsign=callsign, ranges=tuple(ranges))


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
    if west == east:
        raise Unprocessable.of("lomax", f"is {east:g}", "another longitude than lomin; less crosses the date line")
    return south, west, north, east
