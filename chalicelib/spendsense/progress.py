"""The socket channel `me`: the jobs' progress for the signed-in person, as it changes."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from chalicelib.errors import Gone, NotFound, OmnibusError, RateLimited
from chalicelib.spendsense.people import NO_PROFILE
from chalicelib.spendsense.ports import Listeners
from chalicelib.spendsense.values import Listener

MOST_LISTENERS = 10
"""Sockets of one person at a time."""
LISTENS_FOR = timedelta(hours=2, minutes=10)
"""API Gateway closes a socket after two hours."""

_log = logging.getLogger(__name__)


class PostToListener(Protocol):
    def __call__(self, connection: Listener, message: Mapping[str, Any], /) -> None:
        """Send a message; Gone if the socket is closed."""


class ProgressFeed:
    """Stores people's sockets, and sends each its person's progress; failures block nothing."""

    def __init__(self, listeners: Listeners, post: PostToListener, clock: Callable[[], datetime]) -> None:
        self._listeners = listeners
        self._post = post
        self._clock = clock

    def listen(self, subject: UUID, connection_id: str, endpoint: str) -> None:
        """Let a socket hear of its person from now on; NotFound without a profile, RateLimited for too many."""
        now = self._clock()
        listener = Listener(subject, connection_id, endpoint)
        kept = self._listeners.keep(listener, now, now + LISTENS_FOR, MOST_LISTENERS)
        if kept is None:
            raise NotFound(NO_PROFILE)
        if not kept:
            raise RateLimited(f"You have {MOST_LISTENERS} sockets open; close one first.", retry_after=60)
        self.tell(subject)

    def tell(self, subject: UUID | None = None) -> None:
        """Tell the sockets of one person, or of everybody, what has changed since they were told; never fails."""
        try:
            for listener, progress in self._listeners.news(subject, self._clock()):
                try:
                    self._post(listener, {"action": "PROGRESS", "progress": progress})
                except Gone:
                    self._listeners.forget(listener)
        except OmnibusError as error:
            _log.warning("progress was not told to all sockets: %s", error.message)
