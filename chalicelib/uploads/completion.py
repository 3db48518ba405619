"""Completion of sessions: examine an uploaded object, decide, store the outcome, then notify the desktop.

S3 reports an object at least once, in any order. A second report changes nothing: the state machine accepts an
outcome once, and the second report only makes sure that the notification was sent.
"""

from collections.abc import Callable
from datetime import datetime

from chalicelib.errors import InvalidInput
from chalicelib.uploads.content import SNIFF_BYTES, Image, examine
from chalicelib.uploads.keys import parse_key
from chalicelib.uploads.machine import Denial, Lapsed, Refused, Session, Upload, Verified
from chalicelib.uploads.notices import Notices
from chalicelib.uploads.ports import Objects, SessionStore, Stored
from chalicelib.uploads.status import Status


class Completion:
    """Decides sessions by their uploaded objects."""

    def __init__(
        self,
        *,
        store: SessionStore,
        objects: Objects,
        notices: Notices,
        clock: Callable[[], datetime],
        max_bytes: int,
        count: Callable[[str], object],
    ) -> None:
        self._store = store
        self._objects = objects
        self._notices = notices
        self._clock = clock
        self._max_bytes = max_bytes
        self._count = count

    def arrived(self, key: str, version: str, sequencer: str) -> Session | Denial | None:
        """Handle an uploaded object; return the session that it decided, or why it decided none.

        Deletes objects that decide nothing and rejected objects. InvalidInput if the key is not one of ours.
        """
        upload = Upload(key, version, sequencer)
        session_id = parse_key(key).session_id
        if not version:
            raise InvalidInput.of("version", "is missing", "a bucket with versioning, which prevents overwriting")
        session = self._store.find(session_id)
        if session is None:
            self._objects.delete(key, version)
            return None
        if session.outcome is not None and session.outcome.upload == upload:
            return self._again(session)
        if session.key != key:
            self._objects.delete(key, version)
            return Denial.SUPERSEDED
        stored = self._objects.peek(key, version, SNIFF_BYTES)
        if stored is None:
            return Denial.SUPERSEDED
        return self._decide(session_id, upload, stored)

    def _decide(self, session_id: str, upload: Upload, stored: Stored) -> Session | Denial | None:
        now = self._clock()
        verdict = examine(stored.head, stored.size, self._max_bytes)
        decision: Verified | Refused
        if isinstance(verdict, Image):
            decision = Verified(upload, now, verdict.size, verdict.content_type)
        else:
            decision = Refused(upload, now, stored.size, verdict)
        after = self._store.change(session_id, decision)
        if after is Denial.EXPIRED:
            after = self._store.change(session_id, Lapsed(upload, now, stored.size))
        if not isinstance(after, Session):
            return self._lost(upload, after)
        if after.status is not Status.COMPLETED:
            self._objects.delete(upload.key, upload.version)
        self._count("UploadsCompleted" if after.status is Status.COMPLETED else "UploadsRejected")
        self._notices.tell(after)
        return after

    def _lost(self, upload: Upload, denial: Denial | None) -> Denial | None:
        """Delete an object that decided nothing, unless it had already decided the session.

        In that case a concurrent report was faster, or our write succeeded and only its answer was lost.
        Either way, the desktop must be notified.
        """
        session = self._store.find(parse_key(upload.key).session_id)
        if session is not None and session.outcome is not None and session.outcome.upload == upload:
            return self._again(session)
        self._objects.delete(upload.key, upload.version)
        return denial

    def _again(self, session: Session) -> Denial:
        """Finish steps that an earlier report of the same object may have left undone."""
        if session.outcome is not None and session.status is not Status.COMPLETED:
            self._objects.delete(session.outcome.upload.key, session.outcome.upload.version)
        self._notices.tell(session)
        return Denial.FINISHED
