"""How long the request at hand may still take: every call that it makes is bounded by what is left.

    with within(10):
        client.query(...)  # waits at most 10 s, and at most as long as the blocks around allow

The deadline belongs to the context (`contextvars`), so that no call can be made without it; a thread gets it through
`contextvars.copy_context()`. Without a deadline, as in a function that nobody waits for, a call has its own limit.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from chalicelib.errors import UpstreamTimeout

Monotonic = Callable[[], float]


class Deadline:
    """A moment to be done by, and the upstreams that have already let this request wait in vain."""

    def __init__(self, at: float, silent: set[str], clock: Monotonic) -> None:
        self._at = at
        self._silent = silent
        self._clock = clock

    def left(self) -> float:
        """The seconds that are left, at least 0."""
        return max(0.0, self._at - self._clock())

    def ask(self, upstream: str) -> None:
        """Return if a call to `upstream` is worth making; UpstreamTimeout if no time is left or it just timed out."""
        if upstream in self._silent or not self.left():
            raise UpstreamTimeout(f"{upstream} did not answer in time")

    def gave_up(self, upstream: str) -> None:
        """Do not ask `upstream` again in this request: it did not answer in time."""
        self._silent.add(upstream)

    def extended(self, seconds: float) -> "Deadline":
        """The deadline of what must still be tidied up, `seconds` from now."""
        return Deadline(self._clock() + seconds, self._silent, self._clock)

    def sooner(self, seconds: float) -> "Deadline":
        """The deadline of a part of this request, which may take at most `seconds`."""
        return Deadline(min(self._at, self._clock() + seconds), self._silent, self._clock)


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def current() -> Deadline | None:
    """The deadline of the request at hand, if it has one."""
    return _current.get()


def left(most: float = math.inf) -> float:
    """The seconds that a call may take which would be given `most` of them."""
    deadline = _current.get()
    return most if deadline is None else min(most, deadline.left())


@contextmanager
def within(seconds: float, clock: Monotonic = time.monotonic) -> Iterator[Deadline]:
    """Bound every call inside the block by `seconds` from now, or by the deadline around it if that is sooner."""
    outer = _current.get()
    inner = Deadline(clock() + seconds, set(), clock) if outer is None else outer.sooner(seconds)
    token = _current.set(inner)
    try:
        yield inner
    finally:
        _current.reset(token)


@contextmanager
def grace(seconds: float) -> Iterator[None]:
    """Allow the calls inside the block `seconds`, whatever is left: they cancel what nobody waits for any more."""
    outer = _current.get()
    token = _current.set(outer and outer.extended(seconds))
    try:
        yield
    finally:
        _current.reset(token)
