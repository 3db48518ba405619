"""The names of uploaded objects: session-uploads/{session id}/image-{milliseconds since 1970}."""

import re
import uuid
from datetime import datetime

from msgspec import Struct

from chalicelib.errors import InvalidInput

PREFIX = "session-uploads/"
SESSION_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
"""A version 4 UUID in lower case, as a regular expression."""

_KEY = rf"{PREFIX}(?P<session>{SESSION_ID})/image-(?P<stamp>[0-9]{{13}})"


class UploadKey(Struct, frozen=True):
    """The parts of an object's name; `stamp` is in milliseconds since 1970."""

    session_id: str
    stamp: int

    def __str__(self) -> str:
        return f"{PREFIX}{self.session_id}/image-{self.stamp:013d}"


def next_key(session_id: str, now: datetime, previous: str | None) -> UploadKey:
    """The key of an upload permitted at `now`; later than the session's `previous` one, even within a millisecond."""
    stamp = round(now.timestamp() * 1000)
    if previous is not None:
        stamp = max(stamp, parse_key(previous).stamp + 1)
    return UploadKey(session_id, stamp)


def parse_key(key: str) -> UploadKey:
    """The parts of a decoded object key; InvalidInput if `next_key` could not have made it."""
    match = re.fullmatch(_KEY, key, re.ASCII)
    if match is None:
        raise InvalidInput.of("key", f"is {key[:200]!r}", f"{PREFIX}<session id>/image-<milliseconds>")
    return UploadKey(match["session"], int(match["stamp"]))


def new_session_id() -> str:
    """A random session id."""
    return str(uuid.uuid4())
