"""The deadline of the current request, which bounds every call that the request makes.

    with within(10):
        client.query(...)  # waits at most 10 s, or less if an outer block allows less

The deadline belongs to the context (`contextvars`), so no call can omit it; a thread gets it through
`contextvars.copy_context()`. Without a deadline, as in asynchronous functions, a call has its own limit.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from chalicelib.errors import UpstreamTimeout

Monotonic = Callable[[], float]


class Deadline:
    """The time when a request must be done, and the upstreams that have already timed out in it."""

    def __init__(self, at: float, silent: set[str], clock: Monotonic) -> None:
        self._at = at
        self._silent = silent
        self._clock = clock

    def left(self) -> float:
        """The remaining seconds, at least 0."""
        return max(0.0, self._at - self._clock())

    def ask(self, upstream: str) -> None:
        """Allow a call to `upstream`; UpstreamTimeout if no time is left or it has just timed out."""
        if upstream in self._silent or not self.left():
            raise UpstreamTimeout(f"{upstream} did not answer in time")

    def gave_up(self, upstream: str) -> None:
        """Record that `upstream` timed out, so this request does not call it again."""
        self._silent.add(upstream)

    def extended(self, seconds: float) -> "Deadline":
        """The deadline for cleanup, `seconds` from now."""
        return Deadline(self._clock() + seconds, self._silent, self._clock)

    def sooner(self, seconds: float) -> "Deadline":
        """The deadline for a part of this request that may take at most `seconds`."""
        return Deadline(min(self._at, self._clock() + seconds), self._silent, self._clock)


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def current() -> Deadline | None:
    """The deadline of the current request, if it has one."""
    return _current.get()


def left(most: float = math.inf) -> float:
    """The seconds that a call may take, at most `most`."""
    deadline = _current.get()
    return most if deadline is None else min(most, deadline.left())


@contextmanager
def within(seconds: float, clock: Monotonic = time.monotonic) -> Iterator[Deadline]:
    """Bound every call inside the block by `seconds` from now, or by the outer deadline if that is sooner."""
    outer = _current.get()
    inner = Deadline(clock() + seconds, set(), clock) if outer is None else outer.sooner(seconds)
    token = _current.set(inner)
    try:
        yield inner
    finally:
        _current.reset(token)


@contextmanager
def grace(seconds: float) -> Iterator[None]:
    """Allow the calls inside the block `seconds`, whatever time is left, for cleanup after a timeout."""
    outer = _current.get()
    token = _current.set(outer and outer.extended(seconds))
    try:
        yield
    finally:
        _current.reset(token)
