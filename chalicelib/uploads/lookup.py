"""Finding a session that somebody names, with errors for those who name it wrongly."""

import re

from chalicelib.errors import InvalidInput, NotFound
from chalicelib.uploads.keys import SESSION_ID
from chalicelib.uploads.machine import Session
from chalicelib.uploads.models import EXAMPLE_ID
from chalicelib.uploads.ports import SessionStore

_SESSION_ID = re.compile(SESSION_ID, re.ASCII)


def named_session(store: SessionStore, session_id: object) -> Session:
    """The session of that id; InvalidInput if it is missing or malformed, NotFound if there is none."""
    expected = f"a version 4 UUID such as {EXAMPLE_ID}"
    if session_id is None:
        raise InvalidInput.of("sessionId", "is missing", expected)
    if not isinstance(session_id, str) or _SESSION_ID.fullmatch(session_id) is None:
        raise InvalidInput.of("sessionId", f"is {str(session_id)[:60]!r}", expected)
    session = store.find(session_id)
    if session is None:
        raise NotFound("sessionId: there is no such session; it may have been deleted, or expired some time ago")
    return session
