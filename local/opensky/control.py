"""Messages of `POST /_control`, and the pending faults for the next calls.

The endpoint is ours, not OpenSky's: tests and the demo use it to make the replay fail or jump in time.
"""

from collections import deque
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Annotated, Any, Literal

import msgspec

from local.opensky.dirt import KINDS

Calls = Annotated[int, msgspec.Meta(ge=1, le=1000, description="for how many calls it lasts")]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The next `calls` calls to `endpoint` fail as `kind` says."""

    kind: Literal["slow", "status", "malformed", "truncated", "cut", "empty"]
    endpoint: Literal["states", "token"] = "states"
    calls: Calls = 1
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 500
    seconds: Annotated[float, msgspec.Meta(ge=0, le=600)] = 0.0
    retry_after: Annotated[int, msgspec.Meta(ge=1)] | None = None


class Dirt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The next `calls` snapshots have `rows` corrupted rows of `kind` (`local.opensky.dirt.KINDS`)."""

    kind: str
    rows: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    calls: Calls = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r}: expected one of {', '.join(KINDS)}")


class ExtraRows(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The next `calls` snapshots end with these rows, which are not checked."""

    rows: list[Any]
    calls: Calls = 1


class ClockChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Applied in this order; times in seconds."""

    now: float | None = None
    advance: float | None = None
    position: Annotated[float, msgspec.Meta(ge=0)] | None = None
    rate: Annotated[float, msgspec.Meta(ge=0, le=10_000)] | None = None


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One control message; `reset` comes first, then the rest."""

    reset: bool = False
    faults: list[Fault] = []
    dirt: list[Dirt] = []
    extra: ExtraRows | None = None
    clock: ClockChange | None = None
    credits: dict[str, Annotated[int, msgspec.Meta(ge=0)]] = {}
    expire_tokens: bool = False


Planned = Fault | Dirt | ExtraRows


class Plan:
    """Pending faults, used up call by call; thread-safe."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Planned, int]] = deque()
        self._lock = Lock()

    def add(self, planned: Iterable[Planned]) -> None:
        """Add to the end of the queue."""
        with self._lock:
            self._waiting.extend((item, item.calls) for item in planned)

    def clear(self) -> None:
        """Remove all pending faults."""
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> int:
        """Number of calls that will still fail."""
        with self._lock:
            return sum(calls for _, calls in self._waiting)

    def take_fault(self, endpoint: str) -> Fault | None:
        """The fault of this call: the first that waits for the endpoint, used once."""
        taken = self._take(lambda item: isinstance(item, Fault) and item.endpoint == endpoint, only_first=True)
        return taken[0] if taken and isinstance(taken[0], Fault) else None

    def take_dirt(self) -> list[Dirt | ExtraRows]:
        """All corruptions of this snapshot, each used once."""
        taken = self._take(lambda item: not isinstance(item, Fault), only_first=False)
        return [item for item in taken if not isinstance(item, Fault)]

    def _take(self, wanted: Callable[[Planned], bool], *, only_first: bool) -> list[Planned]:
        taken: list[Planned] = []
        kept: deque[tuple[Planned, int]] = deque()
        with self._lock:
            for item, calls in self._waiting:
                if not wanted(item) or (only_first and taken):
                    kept.append((item, calls))
                    continue
                taken.append(item)
                if calls > 1:
                    kept.append((item, calls - 1))
            self._waiting = kept
        return taken
