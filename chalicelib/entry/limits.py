"""Limits on costly actions of one address across all functions: counts in a table."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
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


class AddressCounters(Protocol):
    """Counts that expire."""

    def add(self, name: str, ends_at: datetime) -> int:
        """Increment the count `name`, which expires some time after `ends_at`; return the new count."""

    def count(self, name: str) -> int:
        """The count `name`."""


class AddressLimits:
    """Counts the actions of addresses; if it cannot keep the counts, it refuses nobody."""

    def __init__(
        self, counters: AddressCounters, clock: Callable[[], datetime], most: Mapping[Kind, int] = MOST
    ) -> None:
        self._counters = counters
        self._clock = clock
        self._most = most

    def spend(self, kind: Kind, address: str) -> None:
        """Count one more; RateLimited if that exceeds the address's limit."""
        name, ends_at = self._window(kind, address)
        self._refuse_beyond(kind, lambda: self._counters.add(name, ends_at), ends_at)

    def check(self, kind: Kind, address: str) -> None:
        """Raise RateLimited if the address has reached its limit."""
        name, ends_at = self._window(kind, address)
        self._refuse_beyond(kind, lambda: self._counters.count(name) + 1, ends_at)

    def _window(self, kind: Kind, address: str) -> tuple[str, datetime]:
        seconds = int(WINDOW.total_seconds())
        index = int(self._clock().timestamp()) // seconds
        return f"{kind}:{address}:{index}", datetime.fromtimestamp((index + 1) * seconds, UTC)

    def _refuse_beyond(self, kind: Kind, counted: Callable[[], int], ends_at: datetime) -> None:
        try:
            count = counted()
        except OmnibusError:
            telemetry.logger.warning("cannot keep the counts of addresses", exc_info=True)
            return
        if count > self._most[kind]:
            wait = max(1, int((ends_at - self._clock()).total_seconds()))
            raise RateLimited(f"This address may do this {self._most[kind]} times in ten minutes.", retry_after=wait)
