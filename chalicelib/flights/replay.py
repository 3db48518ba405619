"""Replay: the raw snapshots of a time range are processed again, each to where it already is."""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from chalicelib.errors import InvalidInput, NotFound, Unprocessable
from chalicelib.flights import keys
from chalicelib.flights.models import Replay, ReplayProgress, ReplayRequest
from chalicelib.flights.ports import ObjectReader, ReplayBook, Reprocessing, RunHistory
from chalicelib.flights.runs import Run
from chalicelib.flights.status import RunStatus
from chalicelib.flights.verdicts import RUNS_A_DAY

LONGEST = timedelta(hours=24)
REMEMBERED_FOR = timedelta(days=7)
_REPLAY_ID = re.compile(r"[0-9a-f]{16}")


class Replays:
    """Requests reprocessing, which is asynchronous, and reports its progress."""

    def __init__(
        self,
        *,
        bucket: ObjectReader,
        reprocessing: Reprocessing,
        book: ReplayBook,
        history: RunHistory,
        clock: Callable[[], datetime],
    ) -> None:
        self._bucket = bucket
        self._reprocessing = reprocessing
        self._book = book
        self._history = history
        self._clock = clock

    def start(self, request: ReplayRequest) -> Replay:
        """Request every raw snapshot in the range again; Unprocessable for an empty, reversed or too long range."""
        start, end = _utc("from", request.start), _utc("to", request.end)
        if end <= start:
            raise Unprocessable.of("to", f"is {end.isoformat()}", f"a time after from, {start.isoformat()}")
        if end - start > LONGEST:
            raise Unprocessable.of("to", f"is {end - start} after from", "at most 24 hours after it")
        found = [key for hour in _hours(start, end) for key in self._bucket.keys(keys.hour_prefix(keys.RAW, hour))]
        times = [time for time in map(_snapshot_time, found) if time is not None]
        wanted = [time for time in times if start.timestamp() <= time < end.timestamp()]
        replay_id = hashlib.sha256(f"{start.isoformat()}/{end.isoformat()}".encode()).hexdigest()[:16]
        now = self._clock()
        facts = {"start": start.isoformat(), "end": end.isoformat(), "requested_at": now.isoformat()}
        expires_at = int((now + REMEMBERED_FOR).timestamp())
        self._book.remember(replay_id, {**facts, "snapshots": len(wanted), "expires_at": expires_at})
        self._reprocessing.request([keys.raw_key(time) for time in wanted])
        return Replay(
            replay_id=replay_id,
            snapshots=len(wanted),
            tracking_ids=[keys.tracking_id(time) for time in wanted],
        )

    def progress(self, replay_id: str) -> ReplayProgress:
        """The progress of a replay; NotFound for an unknown one, or a week after its request."""
        facts = self._book.recall(replay_id) if _REPLAY_ID.fullmatch(replay_id) else None
        if facts is None:
            raise NotFound("there is no such replay")
        start, end = (int(datetime.fromisoformat(facts[name]).timestamp()) for name in ("start", "end"))
        requested = datetime.fromisoformat(facts["requested_at"])
        days = (self._history.of_day(day, RUNS_A_DAY, start=start, end=end) for day in keys.days_back(start, end))
        done = [run.status for runs in days for run in runs if _ended_since(run, requested)]
        return ReplayProgress(
            replay_id=replay_id,
            start=facts["start"],
            end=facts["end"],
            requested_at=facts["requested_at"],
            snapshots=facts["snapshots"],
            done=len(done),
            validated=done.count(RunStatus.VALIDATED),
            quarantined=done.count(RunStatus.QUARANTINED),
            failed=done.count(RunStatus.FAILED),
            finished=len(done) >= facts["snapshots"],
        )


def _ended_since(run: Run, moment: datetime) -> bool:
    ended = run.updated_at if run.status is RunStatus.FAILED else run.judged_at
    return ended is not None and datetime.fromisoformat(ended) >= moment


def _utc(field: str, moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Unprocessable.of(field, f"is {moment.isoformat()}", "a time of the years 1 to 9999 in UTC") from None


def _snapshot_time(key: str) -> int | None:
    """The time of the raw snapshot at `key`; None for other keys, such as the console's folders."""
    try:
        time = keys.snapshot_time_of(key)
    except InvalidInput:
        return None
    return time if key == keys.raw_key(time) else None


def _hours(start: datetime, end: datetime) -> list[datetime]:
    first = start.replace(minute=0, second=0, microsecond=0)
    count = -int((first - end) // timedelta(hours=1))
    return [first + timedelta(hours=hour) for hour in range(count)]
