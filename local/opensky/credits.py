"""OpenSky's daily credits: a call's cost, each caller's balance, and the wait of a caller without credits."""

from dataclasses import dataclass
from typing import Final, NamedTuple

DAY: Final = 86_400
DAILY: Final = {"anonymous": 400, "account": 4000, "feeder": 8000}
"""Credits a day by kind of caller."""


class Box(NamedTuple):
    """A bounding box in degrees, edges included."""

    lamin: float
    lomin: float
    lamax: float
    lomax: float

    @property
    def area(self) -> float:
        """Square degrees."""
        return (self.lamax - self.lamin) * (self.lomax - self.lomin)

    def holds(self, longitude: float | None, latitude: float | None) -> bool:
        """Whether a position is inside; an unknown position is in no box."""
        if longitude is None or latitude is None:
            return False
        return self.lamin <= latitude <= self.lamax and self.lomin <= longitude <= self.lomax


def cost(box: Box | None) -> int:
    """Credits for one call: 1 up to 25 square degrees, 2 up to 100, 3 up to 400, 4 beyond and for the whole world."""
    if box is None:
        return 4
    return next((price for limit, price in ((25, 1), (100, 2), (400, 3)) if box.area <= limit), 4)


@dataclass
class Allowance:
    """One caller's remaining credits of the UTC day."""

    daily: int
    day: int = -1
    remaining: int = 0

    def spend(self, amount: int, now: float) -> bool:
        """Take the credits if available; return whether they were."""
        self._begin_day(now)
        if amount > self.remaining:
            return False
        self.remaining -= amount
        return True

    def leave(self, amount: int, now: float) -> None:
        """Set the caller's credits for today."""
        self._begin_day(now)
        self.remaining = amount

    def _begin_day(self, now: float) -> None:
        if (today := int(now // DAY)) != self.day:
            self.day, self.remaining = today, self.daily


def seconds_to_refill(now: float) -> int:
    """Whole seconds to the next midnight UTC, at least 1."""
    return DAY - int(now % DAY)
