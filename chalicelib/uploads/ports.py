"""The outside interfaces of upload sessions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from chalicelib.uploads.machine import Denial, Event, Session


class PostForm(Struct, frozen=True):
    """A form that uploads by multipart POST: its `fields` first, the file last, as `file`."""

    url: str
    fields: Mapping[str, str]


class Stored(Struct, frozen=True):
    """A stored object: its size in bytes, and its first bytes."""

    size: int
    head: bytes


class SessionStore(Protocol):
    """The store of sessions; every call sees all earlier writes."""

    def add(self, session: Session) -> None:
        """Store a new session; Conflict if its id is taken."""

    def find(self, session_id: str) -> Session | None:
        """The session, or None."""

    def change(self, session_id: str, event: Event) -> Session | Denial | None:
        """Apply `machine.step` in one atomic write; return the new session, a denial, or None without one."""

    def remove(self, session_id: str) -> Session | None:
        """Delete a session; return its last state, or None if there is none."""


class SocketIndex(Protocol):
    """The index of sessions by socket; may lag behind the store by a moment."""

    def session_of(self, socket_id: str) -> str | None:
        """The id of the session bound to a socket, or None."""


class Counters(Protocol):
    """Counts that expire."""

    def add(self, name: str, ends_at: datetime) -> int:
        """Increment the count `name`, which expires some time after `ends_at`; return the new count."""


class Permits(Protocol):
    """Issues permissions to upload."""

    def put_url(self, key: str, content_type: str, content_length: int | None, seconds: int) -> str:
        """A URL that accepts one PUT of exactly this type, and length if given."""

    def post_form(self, key: str, max_bytes: int, seconds: int) -> PostForm:
        """A form that accepts a POST of any image type from 1 to `max_bytes` bytes."""

    def origins(self) -> frozenset[str]:
        """The origins that `put_url`, `post_form` and `link` lead to."""


class Objects(Protocol):
    """The uploaded objects by version, because the holder of a permission may write a key again."""

    def peek(self, key: str, version: str, length: int) -> Stored | None:
        """Its size and first `length` bytes, or None if there is no such object."""

    def delete(self, key: str, version: str) -> None:
        """Delete a version of an object, if it exists."""

    def link(self, key: str, version: str, content_type: str, seconds: int) -> str:
        """A URL that serves a version as `content_type`, whatever type the upload declared."""


class Peer(Protocol):
    """An open socket's id and the endpoint that posts to it."""

    @property
    def id(self) -> str: ...

    @property
    def endpoint(self) -> str: ...


class Sockets(Protocol):
    """The open sockets."""

    def post(self, connection: Peer, message: Mapping[str, Any]) -> None:
        """Send a message; Gone if the socket is closed, RateLimited or Upstream* if a retry may work."""


class Outbox(Protocol):
    """The queue of notices to retry."""

    def put(self, session_id: str, delay_s: int) -> None:
        """Retry the session's notice after `delay_s` seconds (at most 900)."""
