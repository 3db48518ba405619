"""The services of the upload sessions."""

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.adapters.uploads.sessions import UploadSessionsTable
from chalicelib.adapters.uploads.storage import UploadStorage
from chalicelib.entry.telemetry import count
from chalicelib.uploads.notices import Notices
from chalicelib.wiring.shared import Shared, now

if TYPE_CHECKING:
    from chalicelib.uploads.completion import Completion
    from chalicelib.uploads.presence import Presence
    from chalicelib.uploads.sessions import UploadSessions
    from chalicelib.uploads.site import Site


class UploadServices:
    """The sessions, their sockets and photos, and the two pages; each is built on first use."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._client = shared.client
        self._settings = shared.settings.uploads

    @cached_property
    def sessions(self) -> "UploadSessions":
        from chalicelib.uploads.keys import new_session_id
        from chalicelib.uploads.sessions import Limits, UploadSessions
        from chalicelib.uploads.tokens import new_token

        return UploadSessions(
            store=self.store,
            counters=self._shared.counters,
            permits=self.storage,
            objects=self.storage,
            sockets=self._shared.connections,
            clock=now,
            new_id=new_session_id,
            new_token=new_token,
            socket_url=self._shared.socket_url,
            limits=Limits(self._settings.sessions_per_client, self._settings.max_bytes),
        )

    @cached_property
    def completion(self) -> "Completion":
        from chalicelib.uploads.completion import Completion

        return Completion(
            store=self.store,
            objects=self.storage,
            notices=self.notices,
            clock=now,
            max_bytes=self._settings.max_bytes,
            count=count,
        )

    @cached_property
    def notices(self) -> Notices:
        from chalicelib.adapters.uploads.outbox import NoticeOutbox

        outbox = NoticeOutbox(self._client("sqs"), self._settings.outbox_url)
        return Notices(store=self.store, sockets=self._shared.connections, outbox=outbox, clock=now)

    @cached_property
    def presence(self) -> "Presence":
        from chalicelib.uploads.presence import Presence

        return Presence(
            store=self.store, index=self.store, sockets=self._shared.connections, notices=self.notices, clock=now
        )

    @cached_property
    def site(self) -> "Site":
        from chalicelib.uploads.site import Site

        return Site(storage_origins=self.storage.origins, socket_url=self._shared.socket_url)

    @cached_property
    def store(self) -> UploadSessionsTable:
        return UploadSessionsTable(self._client("dynamodb"), self._settings.sessions_table)

    @cached_property
    def storage(self) -> UploadStorage:
        return UploadStorage(self._client("s3", signature_version="s3v4"), self._settings.bucket)
