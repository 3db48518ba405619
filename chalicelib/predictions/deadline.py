"""The end of an invocation's time: work that would not fit any more stops while it can still be undone."""

from collections.abc import Callable

from chalicelib.errors import OmnibusError

MARGIN_S = 60.0
"""What must be left after another turn: a read that has to be taken up again, the end of an upload, the answer."""


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
        """OutOfTime unless so many turns as long as the longest so far would fit: the next, and one begun meanwhile."""
        now = self._seconds_left()
        self._longest = max(self._longest, self._before - now)
        self._before = now
        if now < MARGIN_S + turns * self._longest:
            raise OutOfTime("There is not enough time left to finish; nothing was written.")
