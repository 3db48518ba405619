"""The uploads workload, whole, on fakes: every service shares one store, one bucket, one clock."""

import itertools

from chalicelib.uploads.completion import Completion
from chalicelib.uploads.machine import Denial, Session, Socket
from chalicelib.uploads.models import NewSession, UploadUrlQuery
from chalicelib.uploads.notices import Notices
from chalicelib.uploads.presence import Presence
from chalicelib.uploads.sessions import Limits, UploadSessions
from tests.fakes.clock import Clock
from tests.fakes.uploads import FakeCounters, FakeOutbox, FakeSessions, FakeSockets, FakeStorage

JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(100)
HTML = b"<script>alert(1)</script>"
PHONE_PAGE = "https://photos.test/u"


class House:
    """What a test asks for and looks at."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.store = FakeSessions()
        self.counters = FakeCounters()
        self.storage = FakeStorage()
        self.sockets = FakeSockets()
        self.courtesies = FakeSockets()
        self.outbox = FakeOutbox()
        self.counted: list[str] = []
        self.limits = Limits(sessions_per_client=3, max_bytes=1000)
        self.notices = Notices(store=self.store, sockets=self.sockets, outbox=self.outbox, clock=self.clock)
        ids = itertools.count(1)
        self.sessions = UploadSessions(
            store=self.store,
            counters=self.counters,
            permits=self.storage,
            objects=self.storage,
            sockets=self.courtesies,
            clock=self.clock,
            new_id=lambda: f"00000000-0000-4000-8000-{next(ids):012d}",
            new_token=lambda: f"token-{next(ids)}",
            socket_url="wss://sockets.test/api",
            limits=self.limits,
        )
        self.completion = Completion(
            store=self.store,
            objects=self.storage,
            notices=self.notices,
            clock=self.clock,
            max_bytes=self.limits.max_bytes,
            count=self.counted.append,
        )
        self.presence = Presence(
            store=self.store, index=self.store, sockets=self.sockets, notices=self.notices, clock=self.clock
        )

    def opened(self, client: str = "192.0.2.1") -> NewSession:
        return self.sessions.open(client, PHONE_PAGE)

    def connect(self, session: NewSession, socket_id: str = "socket-1") -> Socket:
        socket = Socket(socket_id, "https://sockets.test/api")
        self.presence.admit(socket, {"sessionId": session.session_id, "ownerToken": session.owner_token})
        self.sockets.open.add(socket_id)
        return socket

    def permitted(self, session: NewSession) -> str:
        query = UploadUrlQuery(session_id=session.session_id)
        return self.sessions.permit(query, session.upload_token).upload_key

    def uploaded(self, key: str, content: bytes = JPEG, version: str = "v1") -> None:
        self.storage.objects[(key, version)] = content

    def arrives(self, key: str, version: str = "v1", sequencer: str = "01") -> Session | Denial | None:
        return self.completion.arrived(key, version, sequencer)

    def session(self, session: NewSession) -> Session:
        return self.store.sessions[session.session_id]
