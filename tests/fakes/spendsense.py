"""SpendSense's ports in memory."""

from collections.abc import Mapping
from typing import Any


class FakeAnnouncements:
    """Remembers what was announced; raises `fail` while it is set."""

    def __init__(self) -> None:
        self.made: list[tuple[str, dict[str, Any]]] = []
        self.fail: Exception | None = None

    def announce(self, kind: str, detail: Mapping[str, Any]) -> None:
        if self.fail is not None:
            raise self.fail
        self.made.append((kind, dict(detail)))
