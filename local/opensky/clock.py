"""The clock of the replay: what time OpenSky says it is, and which moment of the recording that shows."""

from collections.abc import Callable
from typing import Final, NamedTuple

GRID: Final = 10
"""OpenSky dates its answers to whole 10 seconds; the recording has the same grid."""


class _Setting(NamedTuple):
    wall: float
    now: float
    rate: float
    beginning: int


class ReplayClock:
    """Starts at the wall clock's time and `start` seconds into the recording; can be set, advanced and sped up."""

    def __init__(self, wall: Callable[[], float], start: int = 0) -> None:
        self._wall = wall
        self._start = start
        self.reset()

    def reset(self) -> None:
        """Back to the wall clock's time, its pace, and the starting moment of the recording."""
        wall = self._wall()
        self._setting = _Setting(wall, wall, 1.0, _on_grid(wall - self._start))

    def now(self) -> float:
        """What time it is for OpenSky, Unix seconds."""
        setting = self._setting
        return setting.now + (self._wall() - setting.wall) * setting.rate

    def position(self, at: float) -> float:
        """Seconds from the recording's beginning to what is shown at the time `at`."""
        return at - self._setting.beginning

    def set(self, now: float) -> None:
        """Sets the time; the traffic jumps with it."""
        self._setting = self._setting._replace(now=now, wall=self._wall())

    def advance(self, seconds: float) -> None:
        """Lets `seconds` pass at once."""
        self.set(self.now() + seconds)

    def seek(self, position: float) -> None:
        """Shows that moment of the recording now; the time stays."""
        self._setting = self._setting._replace(beginning=_on_grid(self.now() - position))

    def run(self, rate: float) -> None:
        """From now on `rate` seconds pass in each second; 0 stops the clock."""
        self._setting = _Setting(self._wall(), self.now(), rate, self._setting.beginning)


def _on_grid(time: float) -> int:
    return int(time // GRID) * GRID
