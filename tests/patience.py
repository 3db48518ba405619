"""Waiting for what others do. It ends as soon as it is done, so the limit may be generous: no machine is that slow."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 300.0
"""How long a test waits for what must happen: a time-out of this length means that it never will."""
PATIENCE_MS = int(PATIENCE_S * 1000)
BUDGETS_S = (1.0, 4.0, 16.0, 64.0)
"""What a call that must time out is allowed, in turn, until the machine has at least begun it within one of them."""
POLL_S = 0.05
SLOWEST_POLL_S = 0.25


def until(look: Callable[[], T], *, every_s: float = POLL_S, pause: Callable[[float], None] = time.sleep) -> T:
    """What `look` returns once that is true; AssertionError after PATIENCE_S.

    The longer it waits, the less often it looks: looking takes the processor from what it waits for.
    """
    began = time.monotonic()
    while not (found := look()):
        waited = time.monotonic() - began
        assert waited < PATIENCE_S, f"not seen within {PATIENCE_S:g} s; last seen: {found!r}"
        pause(max(every_s, min(waited / 10, SLOWEST_POLL_S)))
    return found
