"""Outcomes of an OpenSky poll: values, because each is normal at three in the morning."""

from datetime import datetime

from msgspec import Struct


class Fetched(Struct, frozen=True):
    """A snapshot: the exact bytes of the answer, its own time (s since 1970 UTC), and what the server says is left.

    `empty` where its states are null or none, which is a normal answer.
    """

    body: bytes
    time: int
    empty: bool
    credits_left: int | None = None


class Throttled(Struct, frozen=True):
    """429: no credits until `until`."""

    until: datetime


class Unauthorized(Struct, frozen=True):
    """401, even with a fresh token: the credentials are wrong."""

    reason: str


class Blocked(Struct, frozen=True):
    """403: OpenSky refuses this network or account."""

    reason: str


class Malformed(Struct, frozen=True):
    """An answer that is no snapshot; its bytes are kept for inspection."""

    reason: str
    body: bytes


class Unavailable(Struct, frozen=True):
    """No answer: refused, timed out, cut off, or a 5xx."""

    reason: str


PollOutcome = Fetched | Throttled | Unauthorized | Blocked | Malformed | Unavailable
