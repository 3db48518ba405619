"""What a poll of OpenSky can come to: values, since each is normal at three in the morning."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Fetched:
    """A snapshot: the exact bytes of the answer, its own time (s since 1970 UTC), and what the server says is left.

    `empty` where its states are null or none, which is a normal answer.
    """

    body: bytes
    time: int
    empty: bool
    credits_left: int | None = None


@dataclass(frozen=True)
class Throttled:
    """429: no credits until `until`."""

    until: datetime


@dataclass(frozen=True)
class Unauthorized:
    """401, even with a fresh token: the credentials are wrong."""

    reason: str


@dataclass(frozen=True)
class Blocked:
    """403: OpenSky refuses this network or account."""

    reason: str


@dataclass(frozen=True)
class Malformed:
    """An answer that is no snapshot; its bytes are kept for inspection."""

    reason: str
    body: bytes


@dataclass(frozen=True)
class Unavailable:
    """No answer: refused, timed out, cut off, or a 5xx."""

    reason: str


Outcome = Fetched | Throttled | Unauthorized | Blocked | Malformed | Unavailable
