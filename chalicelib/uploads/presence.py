"""The desktop's socket: admission, its session, and its messages."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from chalicelib.errors import Forbidden, Gone, NotFound, OmnibusError
from chalicelib.uploads import tokens
from chalicelib.uploads.machine import Connected, Denial, Disconnected, Session, Socket
from chalicelib.uploads.notices import Notices
from chalicelib.uploads.ports import Peer, SessionStore, SocketIndex, Sockets
from chalicelib.uploads.sessions import named_session
from chalicelib.uploads.views import view_of


class Presence:
    """Binds desktops' sockets to sessions."""

    def __init__(
        self,
        *,
        store: SessionStore,
        index: SocketIndex,
        sockets: Sockets,
        notices: Notices,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._index = index
        self._sockets = sockets
        self._notices = notices
        self._clock = clock

    def admit(self, socket: Peer, query: Mapping[str, str]) -> None:
        """Bind a new socket to the session that `query` names and proves to own; the newest socket wins.

        The socket opens only after this returns, so it gets no message here. The socket that it replaces gets one.
        """
        session = self._owned(query.get("sessionId"), query.get("ownerToken"))
        after = self._store.change(session.id, Connected(Socket(socket.id, socket.endpoint), self._clock()))
        if after is None:
            raise NotFound("sessionId: this session no longer exists")
        if isinstance(after, Denial):
            raise Gone("This session has expired; open a new one")
        if session.socket is not None and session.socket.id != socket.id:
            self._say_replaced(session.socket, session.id)

    def forget(self, socket_id: str) -> None:
        """Unbind a closed socket, unless its session has a newer one."""
        session_id = self._index.session_of(socket_id)
        if session_id is not None:
            self._store.change(session_id, Disconnected(socket_id))

    def sync(self, socket: Peer, message: Mapping[str, Any]) -> None:
        """Answer with the session's status, then with any undelivered notification for this socket.

        A page sends this when its socket opens, because the upload may already have finished.
        """
        session = self._of_socket(socket, message)
        state = msgspec.to_builtins(view_of(session, self._clock(), None))
        listening = session.socket is not None and session.socket.id == socket.id
        self._sockets.post(socket, {"action": "SESSION_STATE", **state, "listening": listening})
        if listening:
            self._notices.tell(session)

    def ping(self, socket: Peer, message: Mapping[str, Any]) -> None:
        """Answer a ping, which keeps the socket open: API Gateway closes idle sockets after ten minutes."""
        stamp = self._clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._sockets.post(socket, {"action": "PONG", "timestamp": stamp})

    def _of_socket(self, socket: Peer, message: Mapping[str, Any]) -> Session:
        """The session of a message: the one that it names and may use, otherwise the one bound to its socket."""
        named = message.get("sessionId")
        if named is None:
            named = self._index.session_of(socket.id)
            if named is None:
                raise NotFound("This socket has no session; send sessionId and ownerToken")
        session = named_session(self._store, named)
        if session.socket is not None and session.socket.id == socket.id:
            return session
        token = message.get("ownerToken")
        if not isinstance(token, str):
            raise Forbidden("This socket belongs to another session; send the ownerToken as well")
        tokens.require("owner", session.id, token, session.owner_hash)
        return self._bound_again(socket, session)

    def _bound_again(self, socket: Peer, session: Session) -> Session:
        """The session with an owner's socket bound to it, if no other is.

        A notification posted after `$connect` bound the socket, but before the socket opened, fails and unbinds the
        socket.
        """
        if session.socket is not None:
            return session
        after = self._store.change(session.id, Connected(Socket(socket.id, socket.endpoint), self._clock()))
        return after if isinstance(after, Session) else session

    def _owned(self, session_id: str | None, owner_token: str | None) -> Session:
        session = named_session(self._store, session_id)
        tokens.require("owner", session.id, owner_token, session.owner_hash)
        return session

    def _say_replaced(self, socket: Peer, session_id: str) -> None:
        try:
            self._sockets.post(socket, {"action": "REPLACED", "sessionId": session_id})
        except OmnibusError:
            return  # a courtesy: the replaced page finds out at its next sync
