"""In-memory stand-ins for the ports of `chalicelib.uploads`, held to the contracts of the real ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.errors import Conflict, Gone, OmnibusError
from chalicelib.uploads.machine import Denial, Event, Session, step
from chalicelib.uploads.ports import Peer, PostForm, Stored

OWNER_TOKEN = "the-desktops-secret"
UPLOAD_TOKEN = "the-phones-secret"


class FakeSessions:
    """Sessions in a dictionary; `failures` are raised by the next changes, one each."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.failures: list[OmnibusError | None] = []

    def add(self, session: Session) -> None:
        if session.id in self.sessions:
            raise Conflict("There is already a session with this id")
        self.sessions[session.id] = session

    def find(self, session_id: str) -> Session | None:
        return self.sessions.get(session_id)

    def change(self, session_id: str, event: Event) -> Session | Denial | None:
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        session = self.sessions.get(session_id)
        if session is None:
            return None
        after = step(session, event)
        if isinstance(after, Session):
            self.sessions[session_id] = after
        return after

    def remove(self, session_id: str) -> Session | None:
        return self.sessions.pop(session_id, None)

    def session_of(self, socket_id: str) -> str | None:
        bound = (item.id for item in self.sessions.values() if item.socket and item.socket.id == socket_id)
        return next(bound, None)


class FakeCounters:
    """Counts in a dictionary."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def add(self, name: str, ends_at: datetime) -> int:
        self.counts[name] = self.counts.get(name, 0) + 1
        return self.counts[name]

    def count(self, name: str) -> int:
        return self.counts.get(name, 0)


@dataclass
class FakeStorage:
    """A versioned bucket in a dictionary; URLs name what they permit."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def put_url(self, key: str, content_type: str, content_length: int | None, seconds: int) -> str:
        return f"https://bucket.test/{key}?type={content_type}&length={content_length}&expires={seconds}"

    def post_form(self, key: str, max_bytes: int, seconds: int) -> PostForm:
        return PostForm("https://bucket.test/", {"key": key, "max": str(max_bytes), "expires": str(seconds)})

    def link(self, key: str, version: str, content_type: str, seconds: int) -> str:
        return f"https://bucket.test/{key}?version={version}&as={content_type}&expires={seconds}"

    def origins(self) -> frozenset[str]:
        return frozenset({"https://bucket.test"})

    def peek(self, key: str, version: str, length: int) -> Stored | None:
        content = self.objects.get((key, version))
        return None if content is None else Stored(len(content), content[:length])

    def delete(self, key: str, version: str) -> None:
        self.objects.pop((key, version), None)


class FakeSockets:
    """Sockets that keep what they are sent; `failures` are raised by the next posts, one each."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.sent: list[tuple[str, Mapping[str, Any]]] = []
        self.failures: list[OmnibusError | None] = []

    def post(self, connection: Peer, message: Mapping[str, Any]) -> None:
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        if connection.id not in self.open:
            raise Gone("The WebSocket connection is closed")
        self.sent.append((connection.id, message))

    def actions(self, socket_id: str) -> list[str]:
        return [message["action"] for to, message in self.sent if to == socket_id]


class FakeOutbox:
    """A queue as a list."""

    def __init__(self) -> None:
        self.due: list[tuple[str, int]] = []

    def put(self, session_id: str, delay_s: int) -> None:
        self.due.append((session_id, delay_s))
