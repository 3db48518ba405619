"""Replay: the raw snapshots of a time range are processed again, each to where it already is."""

import hashlib
from datetime import UTC, datetime, timedelta

from chalicelib.errors import InvalidInput, Unprocessable
from chalicelib.flights import keys
from chalicelib.flights.models import Replay, ReplayRequest
from chalicelib.flights.ports import ObjectReader, Reprocessing

LONGEST = timedelta(hours=24)


class Replays:
    """Asks for reprocessing; it happens asynchronously, and `GET /flights/runs/{tracking_id}` shows it."""

    def __init__(self, *, bucket: ObjectReader, reprocessing: Reprocessing) -> None:
        self._bucket = bucket
        self._reprocessing = reprocessing

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
        self._reprocessing.request([keys.raw_key(time) for time in wanted])
        return Replay(
            replay_id=hashlib.sha256(f"{start.isoformat()}/{end.isoformat()}".encode()).hexdigest()[:16],
            snapshots=len(wanted),
            tracking_ids=[keys.tracking_id(time) for time in wanted],
        )


def _utc(field: str, moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Unprocessable.of(field, f"is {moment.isoformat()}", "a time of the years 1 to 9999 in UTC") from None


def _snapshot_time(key: str) -> int | None:
    """The time of the raw snapshot at `key`; None for what is none, such as the console's folders."""
    try:
        time = keys.snapshot_time_of(key)
    except InvalidInput:
        return None
    return time if key == keys.raw_key(time) else None


def _hours(start: datetime, end: datetime) -> list[datetime]:
    first = start.replace(minute=0, second=0, microsecond=0)
    count = -int((first - end) // timedelta(hours=1))
    return [first + timedelta(hours=hour) for hour in range(count)]
