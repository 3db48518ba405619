"""SpendSense's event bus and user pool, in memory."""

from collections.abc import Mapping
from typing import Any

from chalicelib.spendsense.identity import Pool

POOL = Pool("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_pool", frozenset({"client"}))


class FakePools:
    """A pool, and its settings after the next read."""

    def __init__(self, known: Pool = POOL, rotated: Pool | None = None) -> None:
        self._known = known
        self._rotated = rotated or known
        self.renewals = 0

    def pool(self) -> Pool:
        return self._known

    def renewed(self) -> Pool:
        self.renewals += 1
        self._known = self._rotated
        return self._known


class FakeAnnouncements:
    """Stores announcements; raises `fail` while it is set."""

    def __init__(self) -> None:
        self.made: list[tuple[str, dict[str, Any]]] = []
        self.fail: Exception | None = None

    def announce(self, kind: str, detail: Mapping[str, Any]) -> None:
        if self.fail is not None:
            raise self.fail
        self.made.append((kind, dict(detail)))
