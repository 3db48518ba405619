"""Notifications of a session's outcome to the desktop: store the state first, then notify; retry failures.

The session records whether a notification is due (`machine`), so any of these may send it: the function that stored
the outcome, the outbox's consumer, or a late socket's `sync`.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import msgspec

from chalicelib.errors import Gone, InvalidInput, OmnibusError, RateLimited, UpstreamTimeout, UpstreamUnavailable
from chalicelib.uploads.machine import (
    NOTICE_LEASE,
    Denial,
    Disconnected,
    NoticeClaimed,
    NoticeReleased,
    NoticeSent,
    Session,
)
from chalicelib.uploads.models import NoticeDue
from chalicelib.uploads.ports import Outbox, SessionStore, Sockets
from chalicelib.uploads.views import outcome_message

FIRST_RETRY_S = 2


class Telling(StrEnum):
    """The result of an attempt to notify the desktop."""

    TOLD = "told"
    NOTHING_OWED = "nothing_owed"
    NOBODY_THERE = "nobody_there"
    BEING_TOLD = "being_told"


class Notices:
    """Notifies desktops."""

    def __init__(self, *, store: SessionStore, sockets: Sockets, outbox: Outbox, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._sockets = sockets
        self._outbox = outbox
        self._clock = clock

    def tell(self, session: Session) -> None:
        """Notify the desktop; if that fails now, queue a retry in the outbox."""
        try:
            telling = self._attempt(session)
        except (RateLimited, UpstreamUnavailable, UpstreamTimeout):
            self._outbox.put(session.id, FIRST_RETRY_S)
            return
        if telling is Telling.BEING_TOLD:
            self._outbox.put(session.id, int(NOTICE_LEASE.total_seconds()) + 1)

    def retry(self, session_id: str) -> Telling:
        """Notify the desktop from the outbox; raises errors that may pass, and while another function notifies it."""
        session = self._store.find(session_id)
        if session is None:
            return Telling.NOBODY_THERE
        telling = self._attempt(session)
        if telling is Telling.BEING_TOLD:
            raise RateLimited("Another function is notifying the desktop; retry after its claim")
        return telling

    def retry_message(self, body: bytes) -> Telling:
        """`retry` for a message of the outbox; InvalidInput if it is not one."""
        try:
            due = msgspec.json.decode(body, type=NoticeDue)
        except msgspec.MsgspecError:
            raise InvalidInput.of("body", "is not a notice", '{"sessionId": "..."}') from None
        return self.retry(due.session_id)

    def _attempt(self, session: Session) -> Telling:
        """Claim the notice, post it, record that it was sent."""
        socket, key = session.socket, session.key
        if key is None or session.outcome is None:
            return Telling.NOTHING_OWED
        if socket is None:
            return Telling.NOBODY_THERE
        claimed = self._store.change(session.id, NoticeClaimed(socket.id, key, self._clock()))
        if not isinstance(claimed, Session):
            return _TELLING.get(claimed, Telling.NOTHING_OWED) if claimed else Telling.NOBODY_THERE
        try:
            self._sockets.post(socket, outcome_message(claimed))
        except OmnibusError as error:
            if claimed.notice is not None:
                self._store.change(session.id, NoticeReleased(socket.id, key, claimed.notice.claimed_until))
            if not isinstance(error, Gone):
                raise
            self._store.change(session.id, Disconnected(socket.id))
            return Telling.NOBODY_THERE
        self._store.change(session.id, NoticeSent(socket.id, key, self._clock()))
        return Telling.TOLD


_TELLING = {
    Denial.BEING_TOLD: Telling.BEING_TOLD,
    Denial.NOT_THE_SOCKET: Telling.NOBODY_THERE,
}
