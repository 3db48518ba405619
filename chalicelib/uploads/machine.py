"""The life of an upload session, as pure functions over frozen values.

                    Permitted                      Verified
    AWAITING_SCAN ─────────────▶ UPLOAD_REQUESTED ──────────▶ COMPLETED
                                  │ ▲ ▲      │ │                  ▲
                        Permitted └─┘ │      │ │ Lapsed           │ Verified,
                                      │      │ └────▶ EXPIRED     │ a later object
                            Permitted │      │ Refused   ▲        │
                                      │      ▼           │ Lapsed │
                                      └─── REJECTED ─────┴────────┘
                                            │    ▲
                                            └────┘ Refused, a later object

`Lapsed` happens only after the session's time has ended; every other transition above only before. A session whose
time is over counts as EXPIRED whether or not that is stored, unless it has completed (`status_at`).
COMPLETED and EXPIRED are final. Each permission names a new key, and only the newest key counts: objects of older
keys are `SUPERSEDED`. S3's sequencer orders two objects of one key.

In any state, a session also remembers the one socket to notify (`Connected`: the newest wins; `Disconnected`: only
if it is still that socket), and the notice of its outcome to that socket:

    owed ── NoticeClaimed ──▶ claimed until t ── NoticeSent ──▶ sent
     ▲                            │
     └── NoticeReleased, or t ────┘

A new socket or a new outcome requires a new notice. A socket therefore gets each outcome once, or once more if the
sender died after it posted the notice and before it recorded that.

`step` decides. The DynamoDB adapter mirrors it with a condition for each transition, and `SOURCES` as its
states; a test with random histories compares the two.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.uploads.status import Reason, Status

LIFETIME = timedelta(minutes=30)
PERMISSION_LIFETIME = timedelta(minutes=5)
NOTICE_LEASE = timedelta(seconds=20)
MAX_PERMISSIONS = 20


class Denial(StrEnum):
    """Why an event changes nothing."""

    EXPIRED = "expired"
    FINISHED = "finished"
    SUPERSEDED = "superseded"
    EXHAUSTED = "exhausted"
    NOT_THE_SOCKET = "not_the_socket"
    NOT_EXPIRED = "not_expired"
    NO_OUTCOME = "no_outcome"
    ALREADY_TOLD = "already_told"
    BEING_TOLD = "being_told"


class Upload(Struct, frozen=True):
    """One version of one uploaded object; sequencers order the objects of one key."""

    key: str
    version: str
    sequencer: str


class Outcome(Struct, frozen=True):
    """The outcome of an upload: an image of `content_type`, or the `reason` of its rejection; `size` in bytes."""

    upload: Upload
    at: datetime
    size: int
    content_type: str | None = None
    reason: Reason | None = None


class Socket(Struct, frozen=True):
    """An open WebSocket connection and the endpoint that posts to it."""

    id: str
    endpoint: str


class Notice(Struct, frozen=True):
    """The notification of an outcome to a socket: claimed until a time, then sent."""

    socket_id: str
    claimed_until: datetime
    sent_at: datetime | None = None


class Session(Struct, frozen=True):
    """An upload session; it keeps only hashes of its two sides' tokens."""

    id: str
    owner_hash: str
    upload_hash: str
    created_at: datetime
    expires_at: datetime
    status: Status = Status.AWAITING_SCAN
    permissions: int = 0
    key: str | None = None
    outcome: Outcome | None = None
    socket: Socket | None = None
    notice: Notice | None = None


class Permitted(Struct, frozen=True):
    """The phone was permitted to upload to `key`."""

    key: str
    at: datetime


class Verified(Struct, frozen=True):
    """The uploaded object is an image."""

    upload: Upload
    at: datetime
    size: int
    content_type: str


class Refused(Struct, frozen=True):
    """The uploaded object is not acceptable."""

    upload: Upload
    at: datetime
    size: int
    reason: Reason


class Lapsed(Struct, frozen=True):
    """An object arrived after the session's time."""

    upload: Upload
    at: datetime
    size: int


class Connected(Struct, frozen=True):
    """The desktop opened a socket."""

    socket: Socket
    at: datetime


class Disconnected(Struct, frozen=True):
    """A socket has closed."""

    socket_id: str


class NoticeClaimed(Struct, frozen=True):
    """A function is about to notify the socket of the outcome for `key`."""

    socket_id: str
    key: str
    at: datetime


class NoticeSent(Struct, frozen=True):
    """The socket was notified of the outcome for `key`."""

    socket_id: str
    key: str
    at: datetime


class NoticeReleased(Struct, frozen=True):
    """The notification failed; another function may retry before the claim ends at `claimed_until`, its name."""

    socket_id: str
    key: str
    claimed_until: datetime


Event: TypeAlias = (
    Permitted | Verified | Refused | Lapsed | Connected | Disconnected | NoticeClaimed | NoticeSent | NoticeReleased
)

SOURCES: dict[type, frozenset[Status]] = {
    Permitted: frozenset({Status.AWAITING_SCAN, Status.UPLOAD_REQUESTED, Status.REJECTED}),
    Verified: frozenset({Status.UPLOAD_REQUESTED, Status.REJECTED}),
    Refused: frozenset({Status.UPLOAD_REQUESTED, Status.REJECTED}),
    Lapsed: frozenset({Status.UPLOAD_REQUESTED, Status.REJECTED}),
    NoticeClaimed: frozenset({Status.COMPLETED, Status.REJECTED}),
    NoticeSent: frozenset({Status.COMPLETED, Status.REJECTED}),
    NoticeReleased: frozenset({Status.COMPLETED, Status.REJECTED}),
    Connected: frozenset(Status) - {Status.EXPIRED},
    Disconnected: frozenset(Status),
}
"""The states in which each event may be accepted."""


def status_at(session: Session, now: datetime) -> Status:
    """The session's status at `now`: EXPIRED after its time unless it has completed, whatever is stored."""
    if session.status is not Status.COMPLETED and now >= session.expires_at:
        return Status.EXPIRED
    return session.status


def step(session: Session, event: Event) -> Session | Denial:
    """The session after `event`, or why it stays as it is."""
    match event:
        case Permitted():
            return _permit(session, event)
        case Verified():
            outcome = Outcome(event.upload, event.at, event.size, content_type=event.content_type)
            return _finish(session, outcome, Status.COMPLETED)
        case Refused():
            outcome = Outcome(event.upload, event.at, event.size, reason=event.reason)
            return _finish(session, outcome, Status.REJECTED)
        case Lapsed():
            return _lapse(session, event)
        case Connected():
            if session.status is Status.EXPIRED or event.at >= session.expires_at:
                return Denial.EXPIRED
            return replace(session, socket=event.socket)
        case Disconnected():
            if session.socket is None or session.socket.id != event.socket_id:
                return Denial.NOT_THE_SOCKET
            return replace(session, socket=None)
        case NoticeClaimed() | NoticeSent() | NoticeReleased():
            return _tell(session, event)


def sequence_of(sequencer: str) -> str:
    """A sequencer padded as S3 documents it: comparing these texts orders the events of one key."""
    return sequencer.ljust(32, "0").upper()


def _permit(session: Session, event: Permitted) -> Session | Denial:
    if session.status is Status.EXPIRED or (session.status is not Status.COMPLETED and event.at >= session.expires_at):
        return Denial.EXPIRED
    if session.status not in SOURCES[Permitted]:
        return Denial.FINISHED
    if session.permissions >= MAX_PERMISSIONS:
        return Denial.EXHAUSTED
    return replace(
        session,
        status=Status.UPLOAD_REQUESTED,
        permissions=session.permissions + 1,
        key=event.key,
        outcome=None,
        notice=None,
    )


def _finish(session: Session, outcome: Outcome, status: Status) -> Session | Denial:
    denial = _finished_with(session, outcome.upload)
    if denial is not None:
        return denial
    if outcome.at >= session.expires_at:
        return Denial.EXPIRED
    return replace(session, status=status, outcome=outcome, notice=None)


def _lapse(session: Session, event: Lapsed) -> Session | Denial:
    denial = _finished_with(session, event.upload)
    if denial is not None:
        return denial
    if event.at < session.expires_at:
        return Denial.NOT_EXPIRED
    outcome = Outcome(event.upload, event.at, event.size)
    return replace(session, status=Status.EXPIRED, outcome=outcome, notice=None)


def _finished_with(session: Session, upload: Upload) -> Denial | None:
    """Why an object may no longer decide the session, time aside."""
    if session.key != upload.key:
        return Denial.SUPERSEDED
    if session.status not in SOURCES[Verified]:
        return Denial.FINISHED
    known = session.outcome
    if known is not None and sequence_of(upload.sequencer) <= sequence_of(known.upload.sequencer):
        return Denial.SUPERSEDED
    return None


def _tell(session: Session, event: NoticeClaimed | NoticeSent | NoticeReleased) -> Session | Denial:
    if session.status not in SOURCES[NoticeClaimed] or session.key != event.key:
        return Denial.NO_OUTCOME
    if session.socket is None or session.socket.id != event.socket_id:
        return Denial.NOT_THE_SOCKET
    notice = session.notice if session.notice and session.notice.socket_id == event.socket_id else None
    if notice is not None and notice.sent_at is not None:
        return Denial.ALREADY_TOLD
    match event:
        case NoticeClaimed():
            if notice is not None and event.at < notice.claimed_until:
                return Denial.BEING_TOLD
            return replace(session, notice=Notice(event.socket_id, event.at + NOTICE_LEASE))
        case NoticeSent():
            return replace(session, notice=Notice(event.socket_id, event.at, event.at))
        case NoticeReleased():
            if notice is None or notice.claimed_until != event.claimed_until:
                return Denial.BEING_TOLD
            return replace(session, notice=None)
