"""The flights pipeline's ports, in its own terms."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import IO, Any, BinaryIO, Literal, NamedTuple, Protocol

from chalicelib.flights.boxes import Box
from chalicelib.flights.breaker import Breaker
from chalicelib.flights.outcomes import PollOutcome
from chalicelib.flights.runs import Run
from chalicelib.flights.statements import Statement
from chalicelib.flights.status import RunStatus


class StateSource(Protocol):
    def fetch(self, box: Box | None) -> PollOutcome:
        """One poll of all state vectors in `box` (None: the world); every outcome is a value."""


FOREVER = 10**11
"""Later than any snapshot's time."""


class ObjectReader(Protocol):
    def open(self, key: str) -> BinaryIO:
        """The object's bytes as a stream; NotFound if there is none."""

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys under `prefix`, in order."""


class ObjectWriter(Protocol):
    def write(self, key: str, body: IO[bytes] | bytes, content_type: str) -> None: ...

    def write_new(self, key: str, body: bytes, content_type: str) -> bool:
        """Write unless the key exists; False if it did."""

    def move(self, source: str, target: str) -> bool:
        """Copy, then delete the source; False if there is no source."""


class Bucket(ObjectReader, ObjectWriter, Protocol):
    """Both sides of the flights bucket."""


class StoredObject(Protocol):
    """An object as a listing shows it; its entity tag changes with its bytes."""

    @property
    def key(self) -> str: ...

    @property
    def etag(self) -> str: ...

    @property
    def modified(self) -> datetime: ...


class Archive(Protocol):
    """Objects that are replaced and removed only as they were seen."""

    def listed(self, prefix: str) -> Iterator[StoredObject]:
        """The objects under `prefix`, in the order of their keys."""

    def read(self, key: str) -> tuple[bytes, str] | None:
        """An object's bytes and entity tag; None if there is none."""

    def write_over(self, key: str, body: bytes, content_type: str, etag: str | None) -> bool:
        """Write where the object still has `etag`, or where None is there; False, and no change, if not."""

    def remove(self, key: str, etag: str) -> bool:
        """Delete the object if it still has `etag`; False, and no change, if not."""


class QueryState(NamedTuple):
    """The state of a history query; `asked` is its text and its literals."""

    status: Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]
    asked: tuple[str, tuple[str, ...]]
    submitted: datetime
    bytes_scanned: int
    reason: str


class HistoryEngine(Protocol):
    """The engine that reads the whole history with SQL."""

    def start(self, statement: Statement, *, reuse_s: int) -> str:
        """Start a statement and return its id; an answer that is at most `reuse_s` old will do."""

    def state(self, query_id: str) -> QueryState:
        """The state of a query; NotFound for an unknown one."""

    def answers(self, state: QueryState, statement: Statement) -> bool:
        """Whether the query ran this statement."""

    def rows(self, query_id: str, limit: int) -> list[list[str | None]]:
        """The first rows of a query that has succeeded, each value as text."""

    def cancel(self, query_id: str) -> None: ...


class RunBook(Protocol):
    """The tracking table; every change is conditional, so late duplicates cannot move a run back."""

    def begin(self, run: Run) -> bool:
        """Record a new run; False if it is already known."""

    def find(self, tracking_id: str) -> Run | None: ...

    def advance(
        self, tracking_id: str, status: RunStatus, allowed_from: Sequence[RunStatus], facts: Mapping[str, Any]
    ) -> bool:
        """Move to `status` if the run is in one of `allowed_from`, with `facts`; False, and no change, if not.

        A fact that is None is forgotten.
        """

    def note(self, tracking_id: str, facts: Mapping[str, Any]) -> None:
        """Add facts to a run, whatever its status; one that is None is forgotten."""


class RunHistory(Protocol):
    """Runs of a period of snapshot times, `start` inclusive and `end` exclusive, the latest snapshot first."""

    def of_status(self, status: RunStatus, limit: int, *, start: int = 0, end: int = FOREVER) -> list[Run]:
        """At most `limit` runs in `status`."""

    def of_day(self, day: str, limit: int, *, start: int = 0, end: int = FOREVER) -> list[Run]:
        """At most `limit` runs of an execution date (YYYY-MM-DD)."""


class ReplayBook(Protocol):
    """The record of replays, for their progress."""

    def remember(self, replay_id: str, facts: Mapping[str, Any]) -> None:
        """Store facts about a replay, replacing an earlier request for the same range."""

    def recall(self, replay_id: str) -> Mapping[str, Any] | None: ...


class Links(Protocol):
    def link(self, key: str, seconds: int) -> str | None:
        """A URL that fetches the object for so long, without credentials; None if there is no object."""


class Guard(Protocol):
    """The state that outlives a function's memory: the breaker and the day's credits."""

    def change_breaker(self, change: Callable[[Breaker], Breaker]) -> Breaker:
        """Apply a pure change to the stored breaker, again if another wrote in between; return the new one."""

    def reserve_credits(self, day: str, cost: int, limit: int) -> int | None:
        """Take `cost` from the day's `limit`; the use that makes, or None, with nothing taken, if it is not there."""

    def settle_credits(self, day: str, used: int, *, reserved: int) -> None:
        """Set the day's use to what the server says; no lower where others took credits after the use `reserved`."""

    def refund_credits(self, day: str, cost: int) -> None:
        """Return the credits of a call that cost nothing."""


class GuardReading(Protocol):
    def breaker(self) -> Breaker: ...

    def credits_used(self, day: str) -> int:
        """The credits used on `day` (YYYY-MM-DD), from the ledger."""

    def throttled_until(self) -> datetime | None: ...


class Throttle(Protocol):
    """OpenSky's request to pause polling."""

    def throttled_until(self) -> datetime | None: ...

    def throttle(self, until: datetime) -> None: ...


class TroubleNotices(Protocol):
    """Keeps alerts from repeating: one for a subject, not one every five minutes."""

    def first(self, subject: str, until: datetime) -> bool:
        """True for the first to ask about `subject` until then."""

    def hold(self, subject: str, until: datetime) -> None:
        """Let nobody be the first to ask about `subject` until then."""

    def forget(self, subjects: Sequence[str]) -> None:
        """Let the next occurrence of each subject be told again."""


class Watcher(NamedTuple):
    """An open socket, and the endpoint that posts to it."""

    id: str
    endpoint: str


class RunWatchers(Protocol):
    def watch(self, connection_id: str, endpoint: str, most: int) -> None:
        """Remember a socket; RateLimited where `most` are remembered already."""

    def unwatch(self, connection_id: str) -> None: ...

    def watchers(self) -> list[Watcher]: ...


class PostToWatcher(Protocol):
    def __call__(self, connection: Watcher, message: Mapping[str, Any], /) -> None:
        """Send a message; Gone if the socket is closed."""


class Feed(Protocol):
    def publish(self, run: Run) -> None:
        """Send a run's verdict to all listeners; never fails."""


class Alerts(Protocol):
    def send(self, subject: str, message: Mapping[str, Any]) -> None: ...


class Reprocessing(Protocol):
    def request(self, keys: Sequence[str]) -> None:
        """Have these raw snapshots processed again, soon and elsewhere."""


class EmitMetrics(Protocol):
    def __call__(self, namespace: str, metrics: Mapping[str, tuple[float, str]]) -> None:
        """Publish metrics: name -> value and CloudWatch unit."""
