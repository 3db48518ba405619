"""Upload sessions over HTTP: open, view, permit an upload, end."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from msgspec import Struct

from chalicelib.errors import Conflict, Gone, InvalidInput, NotFound, OmnibusError, RateLimited, TooLarge, Unprocessable
from chalicelib.uploads import tokens
from chalicelib.uploads.content import DECLARED_TYPES
from chalicelib.uploads.keys import SESSION_ID, next_key
from chalicelib.uploads.machine import LIFETIME, PERMISSION_LIFETIME, Denial, Permitted, Session
from chalicelib.uploads.models import (
    EXAMPLE_ID,
    Form,
    NewSession,
    SessionView,
    UploadPermission,
    UploadUrlQuery,
)
from chalicelib.uploads.ports import Counters, Objects, Permits, SessionStore, Sockets
from chalicelib.uploads.status import Status
from chalicelib.uploads.views import view_of

WINDOW = timedelta(minutes=10)
LINK_LIFETIME = timedelta(minutes=5)
_SESSION_ID = re.compile(SESSION_ID, re.ASCII)


class Limits(Struct, frozen=True):
    """The limits of one client: sessions in ten minutes, and bytes in an upload."""

    sessions_per_client: int = 60
    max_bytes: int = 20 * 1024 * 1024


class UploadSessions:
    """Upload sessions for the desktop and the phone, which hold their tokens."""

    def __init__(
        self,
        *,
        store: SessionStore,
        counters: Counters,
        permits: Permits,
        objects: Objects,
        sockets: Sockets,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        new_token: Callable[[], str],
        socket_url: str | None,
        limits: Limits,
    ) -> None:
        self._store = store
        self._counters = counters
        self._permits = permits
        self._objects = objects
        self._sockets = sockets
        self._clock = clock
        self._new_id = new_id
        self._new_token = new_token
        self._socket_url = socket_url
        self._limits = limits

    def open(self, client: str, phone_page: str) -> NewSession:
        """Open a session for `client`, the caller's address; RateLimited if it recently opened too many.

        The QR code opens `phone_page` with the phone's token as the fragment. Browsers send the fragment to no server,
        so no log or trace contains it.
        """
        now = self._clock()
        self._count_session(client, now)
        session_id, owner, upload = self._new_id(), self._new_token(), self._new_token()
        session = Session(
            id=session_id,
            owner_hash=tokens.hashed("owner", session_id, owner),
            upload_hash=tokens.hashed("upload", session_id, upload),
            created_at=now,
            expires_at=(now + LIFETIME).replace(microsecond=0),
        )
        self._store.add(session)
        phone_url = f"{phone_page}#{tokens.phone_token(session_id, upload)}"
        return NewSession(
            session_id=session_id,
            status=session.status,
            created_at=int(session.created_at.timestamp()),
            expires_at=int(session.expires_at.timestamp()),
            owner_token=owner,
            upload_token=upload,
            phone_url=phone_url,
            qr_code=qr_code(phone_url),
            socket_url=self._socket_url,
        )

    def view(self, session_id: str, owner_token: str | None, upload_token: str | None) -> SessionView:
        """A session's status for either side; the image only for its owner."""
        session = named_session(self._store, session_id)
        if owner_token:
            tokens.require("owner", session.id, owner_token, session.owner_hash)
        elif upload_token:
            tokens.require("upload", session.id, upload_token, session.upload_hash)
            if session.status is Status.AWAITING_SCAN:
                self._tell(session, "PHONE_CONNECTED")
        else:
            tokens.require("owner", session.id, None, session.owner_hash)
        return view_of(session, self._clock(), self._image_url(session) if owner_token else None)

    def permit(self, query: UploadUrlQuery, upload_token: str | None) -> UploadPermission:
        """Permit the phone to upload for five minutes, under a new key that supersedes those before it.

        Gone if the session has expired, Conflict if it has completed, RateLimited after twenty permissions.
        """
        content_type = _accepted(query.content_type)
        if query.content_length is not None and query.content_length > self._limits.max_bytes:
            raise TooLarge.of(
                "contentLength", f"is {query.content_length}", f"at most {self._limits.max_bytes} (bytes)"
            )
        session = named_session(self._store, query.session_id)
        tokens.require("upload", session.id, upload_token or query.upload_token, session.upload_hash)
        now = self._clock()
        key = str(next_key(session.id, now, session.key))
        after = self._store.change(session.id, Permitted(key, now))
        if not isinstance(after, Session):
            _deny(after, session)
        self._tell(after, "UPLOAD_REQUESTED", uploadKey=after.key)
        seconds = int(PERMISSION_LIFETIME.total_seconds())
        form = self._permits.post_form(key, self._limits.max_bytes, seconds)
        return UploadPermission(
            upload_url=self._permits.put_url(key, content_type, query.content_length, seconds),
            upload_key=key,
            expires_in=seconds,
            max_bytes=self._limits.max_bytes,
            form=Form(url=form.url, fields=dict(form.fields)),
        )

    def end(self, session_id: str, owner_token: str | None) -> None:
        """Delete a session and its image for its owner."""
        session = named_session(self._store, session_id)
        tokens.require("owner", session.id, owner_token, session.owner_hash)
        last = self._store.remove(session.id)
        if last is not None and last.outcome is not None:  # a photo may have arrived in the meantime
            self._objects.delete(last.outcome.upload.key, last.outcome.upload.version)

    def _count_session(self, client: str, now: datetime) -> None:
        window = int(WINDOW.total_seconds())
        index = int(now.timestamp()) // window
        ends_at = datetime.fromtimestamp((index + 1) * window, UTC)
        if self._counters.add(f"sessions:{client}:{index}", ends_at) > self._limits.sessions_per_client:
            wait = max(1, int((ends_at - now).total_seconds()))
            raise RateLimited(
                f"This client opened {self._limits.sessions_per_client} sessions within ten minutes, "
                f"the maximum; try again in {wait} s",
                retry_after=wait,
            )

    def _tell(self, session: Session, action: str, **more: object) -> None:
        """Tell the desktop about its phone's progress."""
        if session.socket is None:
            return
        with suppress(OmnibusError):  # optional: a failure must not keep the phone from uploading
            self._sockets.post(session.socket, {"action": action, "sessionId": session.id, **more})

    def _image_url(self, session: Session) -> str | None:
        outcome = session.outcome
        if session.status is not Status.COMPLETED or outcome is None or outcome.content_type is None:
            return None
        seconds = int(LINK_LIFETIME.total_seconds())
        return self._objects.link(outcome.upload.key, outcome.upload.version, outcome.content_type, seconds)


def qr_code(text: str) -> str:
    """`text` as a QR code that survives 15 % damage: an SVG image in a data: URL, with its quiet zone."""
    import segno  # the socket functions import this module, but make no codes

    uri: str = segno.make(text, error="m", micro=False).svg_data_uri(scale=4, border=4, light="#fff", dark="#000")
    return uri


def _accepted(content_type: str | None) -> str:
    if not content_type:
        return "image/jpeg"
    if content_type.lower() not in DECLARED_TYPES:
        raise Unprocessable.of("contentType", f"is {content_type!r}", "one of " + ", ".join(DECLARED_TYPES))
    return content_type  # S3 requires exactly this text in the PUT


def _deny(denial: Denial | None, session: Session) -> NoReturn:
    match denial:
        case Denial.EXPIRED:
            raise Gone("This session has expired; open a new one on the desktop")
        case Denial.EXHAUSTED:
            raise RateLimited(
                f"This session gave {session.permissions} upload permissions, the maximum; open a new one",
                retry_after=int(LIFETIME.total_seconds()),
            )
        case None:
            raise NotFound("sessionId: this session no longer exists")
        case _:
            raise Conflict("This session is complete; open a new one on the desktop for another image")


def named_session(store: SessionStore, session_id: object) -> Session:
    """The session with that id; InvalidInput if the id is missing or malformed, NotFound if there is no session."""
    expected = f"a version 4 UUID such as {EXAMPLE_ID}"
    if session_id is None:
        raise InvalidInput.of("sessionId", "is missing", expected)
    if not isinstance(session_id, str) or _SESSION_ID.fullmatch(session_id) is None:
        raise InvalidInput.of("sessionId", f"is {str(session_id)[:60]!r}", expected)
    session = store.find(session_id)
    if session is None:
        raise NotFound("sessionId: there is no such session; it may have been deleted or have expired some time ago")
    return session
