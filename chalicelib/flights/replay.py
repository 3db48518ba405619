"""Replay: the raw snapshots of a time range are processed again, each to where it already is."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.errors import InvalidInput
from chalicelib.flights import keys
from chalicelib.flights.ports import ObjectReader, Reprocessing

LONGEST = timedelta(hours=24)
REPLAY = "ObjectCreated:Replay"
"""The event name of a record that asks to process a snapshot again, done or not."""


NAMES = {"start": "from", "end": "to"}


class ReplayRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=NAMES):
    """A range of snapshot times, `from` inclusive, `to` exclusive, at most 24 hours."""

    start: Annotated[datetime, Meta(tz=True, examples=["2026-11-21T00:00:00Z"])]
    end: Annotated[datetime, Meta(tz=True, examples=["2026-11-21T01:00:00Z"])]


class Replay(Struct, frozen=True, kw_only=True):
    """What was asked for; `replay_id` is the same for the same range."""

    replay_id: str
    snapshots: int
    tracking_ids: list[str]


class Replays:
    """Asks for reprocessing; it happens asynchronously, and `GET /flights/runs/{tracking_id}` shows it."""

    def __init__(self, *, bucket: ObjectReader, reprocessing: Reprocessing) -> None:
        self._bucket = bucket
        self._reprocessing = reprocessing

    def start(self, request: ReplayRequest) -> Replay:
        """Request every raw snapshot in the range again; InvalidInput for an empty, reversed or too long range."""
        start, end = request.start.astimezone(UTC), request.end.astimezone(UTC)
        if end <= start:
            raise InvalidInput.of("to", f"is {end.isoformat()}", f"a time after from, {start.isoformat()}")
        if end - start > LONGEST:
            raise InvalidInput.of("to", f"is {end - start} after from", "at most 24 hours after it")
        found = [key for hour in _hours(start, end) for key in self._bucket.keys(keys.hour_prefix(keys.RAW, hour))]
        wanted = [key for key in found if start.timestamp() <= keys.snapshot_time_of(key) < end.timestamp()]
        self._reprocessing.request(wanted)
        return Replay(
            replay_id=hashlib.sha256(f"{start.isoformat()}/{end.isoformat()}".encode()).hexdigest()[:16],
            snapshots=len(wanted),
            tracking_ids=[keys.tracking_id(keys.snapshot_time_of(key)) for key in wanted],
        )


def _hours(start: datetime, end: datetime) -> list[datetime]:
    first = start.replace(minute=0, second=0, microsecond=0)
    count = -int((first - end) // timedelta(hours=1))
    return [first + timedelta(hours=hour) for hour in range(count)]
