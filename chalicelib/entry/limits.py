"""Limits on costly actions of one address across all functions: counts in a table."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Literal, Protocol

from chalicelib.entry import telemetry
from chalicelib.errors import OmnibusError, RateLimited

WINDOW = timedelta(minutes=10)
Kind = Literal["socket", "chat", "tool", "refusal"]
MOST: Mapping[Kind, int] = {"socket": 300, "chat": 120, "tool": 40, "refusal": 20}
"""The actions of each kind that one address may do in ten minutes; a whole office may share one address.

Of tool calls, only one in TOOLS_COUNTED is counted, because counting takes longer than many tools.
"""
TOOLS_COUNTED = 8
ONE_IN: Mapping[Kind, int] = {"chat": 4}
"""Of the actions of these kinds, each process counts one in so many, for as many: counting is a call of its own."""


class AddressCounters(Protocol):
    """Counts that expire."""

    def add(self, name: str, ends_at: datetime) -> int:
        """Increment the count `name`, which expires some time after `ends_at`; return the new count."""

    def count(self, name: str) -> int:
        """The count `name`."""


class AddressLimits:
    """Counts the actions of addresses; if it cannot keep the counts, it refuses nobody."""

    def __init__(
        self,
        counters: AddressCounters,
        clock: Callable[[], datetime],
        most: Mapping[Kind, int] = MOST,
        one_in: Mapping[Kind, int] | None = None,
    ) -> None:
        self._counters = counters
        self._clock = clock
        self._most = most
        self._one_in = one_in or {}
        self._spent: dict[Kind, Iterator[int]] = defaultdict(count)
        self._refused: set[str] = set()
        """Windows of this period in which an address was refused; every further action of theirs is counted."""

    def spend(self, kind: Kind, address: str) -> None:
        """Count one more; RateLimited if that exceeds the address's limit."""
        name, ends_at = self._window(kind, address)
        size = self._one_in.get(kind, 1)
        if next(self._spent[kind]) % size == 0 or name in self._refused:
            self._refuse_beyond(kind, lambda: size * self._counters.add(name, ends_at) - size + 1, ends_at, name)

    def check(self, kind: Kind, address: str) -> None:
        """Raise RateLimited if the address has reached its limit."""
        name, ends_at = self._window(kind, address)
        self._refuse_beyond(kind, lambda: self._counters.count(name) + 1, ends_at, name)

    def _window(self, kind: Kind, address: str) -> tuple[str, datetime]:
        seconds = int(WINDOW.total_seconds())
        index = int(self._clock().timestamp()) // seconds
        return f"{kind}:{address}:{index}", datetime.fromtimestamp((index + 1) * seconds, UTC)

    def _refuse_beyond(self, kind: Kind, counted: Callable[[], int], ends_at: datetime, name: str) -> None:
        try:
            number = counted()
        except OmnibusError:
            telemetry.logger.warning("cannot keep the counts of addresses", exc_info=True)
            return
        if number > self._most[kind]:
            self._refused = {one for one in self._refused if one.endswith(name[name.rindex(":") :])} | {name}
            wait = max(1, int((ends_at - self._clock()).total_seconds()))
            raise RateLimited(f"This address may do this {self._most[kind]} times in ten minutes.", retry_after=wait)
