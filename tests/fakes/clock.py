"""A clock that only tests move."""

from datetime import UTC, datetime, timedelta


class Clock:
    """A callable that tells the same time until `advance` is called."""

    def __init__(self, now: datetime = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **parts: float) -> None:
        """Move by the given days, hours, minutes, seconds."""
        self.now += timedelta(**parts)
