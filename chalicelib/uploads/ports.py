"""What upload sessions need from the world."""

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
    """An object that lies in the bucket: its size in bytes, and its first bytes."""

    size: int
    head: bytes


class SessionStore(Protocol):
    """Where sessions are kept; every call sees what was written before it."""

    def add(self, session: Session) -> None:
        """Keep a new session; Conflict if its id is taken."""

    def find(self, session_id: str) -> Session | None:
        """The session, or None."""

    def change(self, session_id: str, event: Event) -> Session | Denial | None:
        """Apply `machine.step` in one atomic write: the session after it, why not, or None if there is none."""

    def remove(self, session_id: str) -> Session | None:
        """Forget a session; as it was last, or None if it was gone already."""


class SocketIndex(Protocol):
    """Which session a socket belongs to; may lag behind the store by a moment."""

    def session_of(self, socket_id: str) -> str | None:
        """The id of the session that is bound to a socket, or None."""


class Counters(Protocol):
    """Counts that forget themselves."""

    def add(self, name: str, ends_at: datetime) -> int:
        """Count one more under `name`, which is forgotten some time after `ends_at`; the count including it."""


class Permits(Protocol):
    """Permission for others to upload."""

    def put_url(self, key: str, content_type: str, content_length: int | None, seconds: int) -> str:
        """A URL that accepts one PUT of exactly this type, and length if given."""

    def post_form(self, key: str, max_bytes: int, seconds: int) -> PostForm:
        """A form that accepts a POST of any image type from 1 to `max_bytes` bytes."""

    def origins(self) -> frozenset[str]:
        """The origins that `put_url`, `post_form` and `link` lead to."""


class Objects(Protocol):
    """The uploaded objects themselves, by version: whoever holds a permission may write a key again."""

    def peek(self, key: str, version: str, length: int) -> Stored | None:
        """Its size and first `length` bytes, or None if there is no such object."""

    def delete(self, key: str, version: str) -> None:
        """Remove a version of an object, if it is there."""

    def link(self, key: str, version: str, content_type: str, seconds: int) -> str:
        """A URL that shows a version as `content_type`, whatever type it was uploaded as."""


class Peer(Protocol):
    """Whatever names an open socket and the endpoint that posts to it."""

    @property
    def id(self) -> str: ...

    @property
    def endpoint(self) -> str: ...


class Sockets(Protocol):
    """The open sockets."""

    def post(self, connection: Peer, message: Mapping[str, Any]) -> None:
        """Send a message; Gone if the socket is closed, RateLimited or Upstream* if it may work later."""


class Outbox(Protocol):
    """Notices that are to be tried again."""

    def put(self, session_id: str, delay_s: int) -> None:
        """Try the session's notice again after `delay_s` seconds (at most 900)."""
