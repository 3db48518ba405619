"""The flights pipeline's ports in memory."""

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Any, BinaryIO

import msgspec

from chalicelib.adapters.buckets import Listed
from chalicelib.errors import NotFound, OmnibusError, RateLimited
from chalicelib.flights.boxes import Box
from chalicelib.flights.breaker import Breaker
from chalicelib.flights.outcomes import PollOutcome
from chalicelib.flights.ports import FOREVER, Watcher
from chalicelib.flights.runs import Run
from chalicelib.flights.status import RunStatus


class FakeSource:
    """`StateSource`: gives the outcomes that it was loaded with, in order, the last one for ever."""

    def __init__(self, *outcomes: PollOutcome) -> None:
        self.outcomes = list(outcomes)
        self.polls = 0

    def fetch(self, box: Box | None) -> PollOutcome:
        self.polls += 1
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]


class FakeBucket:
    """`Bucket`; `fail_next` makes the next operation raise, as a service may at any time."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.clock = clock
        self.objects: dict[str, bytes] = {}
        self.modified: dict[str, datetime] = {}
        self.writes: list[str] = []
        self.failures: dict[str, OmnibusError] = {}

    def fail_next(self, operation: str, error: OmnibusError) -> None:
        self.failures[operation] = error

    def _fail(self, operation: str) -> None:
        if operation in self.failures:
            raise self.failures.pop(operation)

    def open(self, key: str) -> BinaryIO:
        self._fail("open")
        if key not in self.objects:
            raise NotFound(f"{key} does not exist")
        return io.BytesIO(self.objects[key])

    def keys(self, prefix: str) -> Iterator[str]:
        return iter(sorted(key for key in self.objects if key.startswith(prefix)))

    def write(self, key: str, body: IO[bytes] | bytes, content_type: str) -> None:
        self._fail("write")
        self.objects[key] = body if isinstance(body, bytes) else body.read()
        self.writes.append(key)

    def write_new(self, key: str, body: bytes, content_type: str) -> bool:
        self._fail("write_new")
        if key in self.objects:
            return False
        self.write(key, body, content_type)
        return True

    def listed(self, prefix: str) -> Iterator[Listed]:
        return iter([Listed(key, self._etag(key), self.modified.get(key, self.clock())) for key in self.keys(prefix)])

    def read(self, key: str) -> tuple[bytes, str] | None:
        self._fail("read")
        return (self.objects[key], self._etag(key)) if key in self.objects else None

    def write_over(self, key: str, body: bytes, content_type: str, etag: str | None) -> bool:
        self._fail("write_over")
        if (self._etag(key) if key in self.objects else None) != etag:
            return False
        self.write(key, body, content_type)
        self.modified[key] = self.clock()
        return True

    def remove(self, key: str, etag: str) -> bool:
        self._fail("remove")
        if key not in self.objects or self._etag(key) != etag:
            return False
        del self.objects[key]
        return True

    def _etag(self, key: str) -> str:
        return f'"{hashlib.md5(self.objects[key], usedforsecurity=False).hexdigest()}"'

    def link(self, key: str, seconds: int) -> str | None:
        return f"https://bucket.example/{key}?expires={seconds}" if key in self.objects else None

    def move(self, source: str, target: str) -> bool:
        self._fail("move")
        if source not in self.objects:
            return False
        self.objects[target] = self.objects.pop(source)
        return True


class FakeRuns:
    """`RunBook` and `RunHistory`."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.replays: dict[str, Mapping[str, Any]] = {}
        self.failures: dict[str, OmnibusError] = {}

    def fail_next(self, operation: str, error: OmnibusError) -> None:
        self.failures[operation] = error

    def _fail(self, operation: str) -> None:
        if operation in self.failures:
            raise self.failures.pop(operation)

    def begin(self, run: Run) -> bool:
        self._fail("begin")
        if run.tracking_id in self.runs:
            return False
        self.runs[run.tracking_id] = run
        return True

    def find(self, tracking_id: str) -> Run | None:
        return self.runs.get(tracking_id)

    def advance(
        self, tracking_id: str, status: RunStatus, allowed_from: Sequence[RunStatus], facts: Mapping[str, Any]
    ) -> bool:
        self._fail("advance")
        run = self.runs.get(tracking_id)
        if run is None or run.status not in allowed_from:
            return False
        self._set(run, {**facts, "status": status})
        return True

    def note(self, tracking_id: str, facts: Mapping[str, Any]) -> None:
        self._fail("note")
        self._set(self.runs[tracking_id], facts)

    def of_status(self, status: RunStatus, limit: int, *, start: int = 0, end: int = FOREVER) -> list[Run]:
        return self._newest(lambda run: run.status is status and start <= run.snapshot_time < end, limit)

    def of_day(self, day: str, limit: int, *, start: int = 0, end: int = FOREVER) -> list[Run]:
        return self._newest(lambda run: run.execution_date == day and start <= run.snapshot_time < end, limit)

    def remember(self, replay_id: str, facts: Mapping[str, Any]) -> None:
        self.replays[replay_id] = facts

    def recall(self, replay_id: str) -> Mapping[str, Any] | None:
        return self.replays.get(replay_id)

    def _newest(self, wanted: Callable[[Run], bool], limit: int) -> list[Run]:
        found = [run for run in self.runs.values() if wanted(run)]
        return sorted(found, key=lambda run: -run.snapshot_time)[:limit]

    def _set(self, run: Run, facts: Mapping[str, Any]) -> None:
        self.runs[run.tracking_id] = msgspec.convert({**msgspec.to_builtins(run), **facts}, Run)


class FakeGuard:
    """`Guard`, `Throttle` and `Notices`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.state = Breaker()
        self.sockets: dict[str, str] = {}
        self.used: dict[str, int] = {}
        self.until: datetime | None = None
        self.notices: dict[str, datetime] = {}

    def change_breaker(self, change: Callable[[Breaker], Breaker]) -> Breaker:
        self.state = change(self.state)
        return self.state

    def breaker(self) -> Breaker:
        return self.state

    def reserve_credits(self, day: str, cost: int, limit: int) -> int | None:
        if self.used.get(day, 0) + cost > limit:
            return None
        self.used[day] = self.used.get(day, 0) + cost
        return self.used[day]

    def settle_credits(self, day: str, used: int, *, reserved: int) -> None:
        if self.used[day] == reserved or self.used[day] < used:
            self.used[day] = used

    def refund_credits(self, day: str, cost: int) -> None:
        self.used[day] -= cost

    def credits_used(self, day: str) -> int:
        return self.used.get(day, 0)

    def watch(self, connection_id: str, endpoint: str, most: int) -> None:
        if len(self.sockets) >= most:
            raise RateLimited("too many sockets listen already")
        self.sockets[connection_id] = endpoint

    def unwatch(self, connection_id: str) -> None:
        self.sockets.pop(connection_id, None)

    def watchers(self) -> list[Watcher]:
        return [Watcher(socket, endpoint) for socket, endpoint in sorted(self.sockets.items())]

    def throttled_until(self) -> datetime | None:
        return self.until

    def throttle(self, until: datetime) -> None:
        self.until = until

    def first(self, subject: str, until: datetime) -> bool:
        told = self.notices.get(subject)
        if told is not None and told > self._clock():
            return False
        self.notices[subject] = until
        return True

    def hold(self, subject: str, until: datetime) -> None:
        self.notices[subject] = until

    def forget(self, subjects: Sequence[str]) -> None:
        for subject in subjects:
            self.notices.pop(subject, None)


class FakeAlerts:
    """`Alerts`: stores sent alerts."""

    def __init__(self) -> None:
        self.sent: list[Mapping[str, Any]] = []
        self.failures: list[BaseException] = []

    def send(self, subject: str, message: Mapping[str, Any]) -> None:
        if self.failures:
            raise self.failures.pop()
        self.sent.append(message)


class FakeEmit:
    """`Emit`: keeps the metrics by name."""

    def __init__(self) -> None:
        self.metrics: dict[str, list[tuple[float, str]]] = {}

    def __call__(self, namespace: str, metrics: Mapping[str, tuple[float, str]]) -> None:
        for name, value in metrics.items():
            self.metrics.setdefault(f"{namespace}/{name}", []).append(value)


class FakeReprocessing:
    """`Reprocessing`: stores requests."""

    def __init__(self) -> None:
        self.requested: list[str] = []

    def request(self, keys: Sequence[str]) -> None:
        self.requested.extend(keys)
