"""How often one address may do what costs us something, whichever function it reaches: counts in a table."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from chalicelib.entry import telemetry
from chalicelib.errors import OmnibusError, RateLimited

WINDOW = timedelta(minutes=10)
Kind = Literal["socket", "chat", "tool", "refusal"]
MOST: Mapping[Kind, int] = {"socket": 300, "chat": 120, "tool": 40, "refusal": 20}
"""Of each kind, what one address may do in ten minutes; an office of many people has one address, too.

Of tools, one call in TOOLS_COUNTED is counted: counting takes longer than many a tool.
"""
TOOLS_COUNTED = 8


class AddressCounters(Protocol):
    """Counts that forget themselves."""

    def add(self, name: str, ends_at: datetime) -> int:
        """Count one more under `name`, which is forgotten some time after `ends_at`; the count including it."""

    def count(self, name: str) -> int:
        """The count under `name`."""


class AddressLimits:
    """Counts what addresses do; where the counts cannot be kept, nobody is refused for that."""

    def __init__(
        self, counters: AddressCounters, clock: Callable[[], datetime], most: Mapping[Kind, int] = MOST
    ) -> None:
        self._counters = counters
        self._clock = clock
        self._most = most

    def spend(self, kind: Kind, address: str) -> None:
        """Count one more; RateLimited if that is more than the address may do."""
        name, ends_at = self._window(kind, address)
        self._refuse_beyond(kind, lambda: self._counters.add(name, ends_at), ends_at)

    def check(self, kind: Kind, address: str) -> None:
        """RateLimited if the address has done already as much as it may."""
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
            telemetry.logger.warning("the counts of addresses cannot be kept", exc_info=True)
            return
        if count > self._most[kind]:
            wait = max(1, int((ends_at - self._clock()).total_seconds()))
            raise RateLimited(f"This address may do this {self._most[kind]} times in ten minutes.", retry_after=wait)
