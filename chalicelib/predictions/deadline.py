"""The deadline of an invocation: work that would not finish in time stops while it can still be undone."""

from collections.abc import Callable

from chalicelib.errors import OmnibusError

MARGIN_S = 60.0
"""Seconds to keep after the next turn: for a resumed read, the end of an upload, and the answer."""


class OutOfTime(OmnibusError):
    """The invocation's deadline is too near to finish; nothing has been written."""

    status = 500
    code = "out_of_time"


class ScoringDeadline:
    """Watches `seconds_left`, the time that an invocation has, over the turns of a loop."""

    def __init__(self, seconds_left: Callable[[], float]) -> None:
        self._seconds_left = seconds_left
        self._before = seconds_left()
        self._longest = 0.0

    def check(self, turns: int = 2) -> None:
        """Raise OutOfTime unless there is time for that many turns, each as long as the longest so far."""
        now = self._seconds_left()
        self._longest = max(self._longest, self._before - now)
        self._before = now
        if now < MARGIN_S + turns * self._longest:
            raise OutOfTime("There is not enough time left to finish; nothing was written.")
