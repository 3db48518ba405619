"""The replay's clock: OpenSky's time, and the corresponding moment of the recording."""

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
        """Reset to the wall clock's time and pace, and to the recording's starting moment."""
        wall = self._wall()
        self._setting = _Setting(wall, wall, 1.0, _on_grid(wall - self._start))

    def now(self) -> float:
        """OpenSky's time in Unix seconds."""
        setting = self._setting
        return setting.now + (self._wall() - setting.wall) * setting.rate

    def position(self, at: float) -> float:
        """Seconds from the recording's beginning to the moment shown at time `at`."""
        return at - self._setting.beginning

    def set(self, now: float) -> None:
        """Set the time; the traffic jumps with it."""
        self._setting = self._setting._replace(now=now, wall=self._wall())

    def advance(self, seconds: float) -> None:
        """Advance by `seconds` immediately."""
        self.set(self.now() + seconds)

    def seek(self, position: float) -> None:
        """Show that moment of the recording now; the time does not change."""
        self._setting = self._setting._replace(beginning=_on_grid(self.now() - position))

    def run(self, rate: float) -> None:
        """From now on, `rate` seconds pass in each second; 0 stops the clock."""
        self._setting = _Setting(self._wall(), self.now(), rate, self._setting.beginning)


def _on_grid(time: float) -> int:
    return int(time // GRID) * GRID
