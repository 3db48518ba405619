"""Upload sessions in DynamoDB: one conditional write for each transition of `uploads.machine`.

The conditions repeat those of `machine.step`, so two writers never both win. If DynamoDB refuses a write, `step` on the
refusing item gives the reason. A sparse, keys-only index finds the session of a socket.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.adapters import aws
from chalicelib.adapters.dynamodb import NO_VALUES, condition_failed, from_item, one_of, setting, to_item
from chalicelib.errors import Conflict, UpstreamUnavailable
from chalicelib.uploads.machine import (
    MAX_PERMISSIONS,
    NOTICE_LEASE,
    SOURCES,
    Connected,
    Denial,
    Disconnected,
    Event,
    Lapsed,
    Notice,
    NoticeClaimed,
    NoticeReleased,
    NoticeSent,
    Outcome,
    Permitted,
    Refused,
    Session,
    Socket,
    Upload,
    Verified,
    sequence_of,
    step,
)
from chalicelib.uploads.status import Reason, Status

WHAT = "The upload sessions table"
SOCKET_INDEX = "socket"


class UploadSessionsTable:
    """The sessions in one table, keyed by `sessionId`, with its socket index."""

    def __init__(self, client: Any, table: str) -> None:
        self._db = client
        self._table = table

    def add(self, session: Session) -> None:
        """Store a new session; Conflict if its id is taken."""
        try:
            self._db.put_item(
                TableName=self._table, Item=item_of(session), ConditionExpression="attribute_not_exists(sessionId)"
            )
        except ClientError as error:
            if condition_failed(error):
                raise Conflict("There is already a session with this id") from error
            raise aws.translate(error, WHAT) from error

    def find(self, session_id: str) -> Session | None:
        """The session as last written, or None."""
        with aws.translated(WHAT):
            answer = self._db.get_item(TableName=self._table, Key={"sessionId": {"S": session_id}}, ConsistentRead=True)
        return session_of_item(answer["Item"]) if "Item" in answer else None

    def change(self, session_id: str, event: Event) -> Session | Denial | None:
        """One conditional update; None if there is no such session, because an update would create it."""
        try:
            answer = self._db.update_item(
                TableName=self._table,
                Key={"sessionId": {"S": session_id}},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **_update(event),
            )
        except ClientError as error:
            if not condition_failed(error):
                raise aws.translate(error, WHAT) from error
            return self._denial(error.response.get("Item"), event)
        return session_of_item(answer["Attributes"])

    def remove(self, session_id: str) -> Session | None:
        """Delete a session; return its last state, or None if there is none."""
        with aws.translated(WHAT):
            answer = self._db.delete_item(
                TableName=self._table, Key={"sessionId": {"S": session_id}}, ReturnValues="ALL_OLD"
            )
        return session_of_item(answer["Attributes"]) if "Attributes" in answer else None

    def session_of(self, socket_id: str) -> str | None:
        """The session of a socket by the index, which may lag behind the table by a moment."""
        with aws.translated(WHAT):
            answer = self._db.query(
                TableName=self._table,
                IndexName=SOCKET_INDEX,
                KeyConditionExpression="wsConnectionId = :id",
                ExpressionAttributeValues={":id": {"S": socket_id}},
                Limit=1,
            )
        return str(answer["Items"][0]["sessionId"]["S"]) if answer["Items"] else None

    @staticmethod
    def _denial(item: Any, event: Event) -> Denial | None:
        if not item:
            return None
        denial = step(session_of_item(item), event)
        if isinstance(denial, Denial):
            return denial
        raise UpstreamUnavailable(f"{WHAT} refused a write that the session's state allows; try again", retry_after=1)


def item_of(session: Session) -> dict[str, Any]:
    """A session as a DynamoDB item; omits missing values, because an index refuses NULL."""
    values: dict[str, Any] = {
        "sessionId": session.id,
        "ownerHash": session.owner_hash,
        "uploadHash": session.upload_hash,
        "createdAt": session.created_at.timestamp(),
        "expiresAt": session.expires_at.timestamp(),
        "status": str(session.status),
        "permits": session.permissions,
        "uploadKey": session.key,
    }
    if session.outcome is not None:
        values |= _outcome(session.outcome)
    if session.socket is not None:
        values |= _socket(session.socket)
    if session.notice is not None:
        values |= _notice(session.notice)
    return to_item(values)


def session_of_item(item: Mapping[str, Any]) -> Session:
    """The session that `item_of` and the updates wrote."""
    values = from_item(item)
    key = values.get("uploadKey")
    return Session(
        id=values["sessionId"],
        owner_hash=values["ownerHash"],
        upload_hash=values["uploadHash"],
        created_at=_moment(values["createdAt"]),
        expires_at=_moment(values["expiresAt"]),
        status=Status(values["status"]),
        permissions=values["permits"],
        key=key,
        outcome=_read_outcome(values, key) if key is not None and "completedAt" in values else None,
        socket=Socket(values["wsConnectionId"], values["wsEndpoint"]) if "wsConnectionId" in values else None,
        notice=Notice(
            values["noticeSocket"],
            _moment(values["noticeUntil"]),
            _moment(values["noticeSentAt"]) if "noticeSentAt" in values else None,
        )
        if "noticeSocket" in values
        else None,
    )


def _update(event: Event) -> dict[str, Any]:
    """The conditional update of a transition, on a session that exists and is in one of the event's source states."""
    states, given = one_of("status", sorted(SOURCES[type(event)]))
    exists = ["attribute_exists(sessionId)", states]

    def update(
        values: Mapping[str, Any], *conditions: str, adding: Mapping[str, int] = NO_VALUES, **more: Any
    ) -> dict[str, Any]:
        return setting(values, adding=adding, conditions=[*exists, *conditions], given={**given, **more})

    match event:
        case Permitted():
            values = {**GONE, "status": str(Status.UPLOAD_REQUESTED), "uploadKey": event.key}
            room = ("expiresAt > :at", "permits < :most")
            return update(values, *room, adding={"permits": 1}, at=event.at.timestamp(), most=MAX_PERMISSIONS)
        case Verified() | Refused() | Lapsed():
            status, outcome = _finished(event)
            return update(
                {**GONE, **_outcome(outcome), "status": str(status)},
                "uploadKey = :key",
                "expiresAt <= :at" if status is Status.EXPIRED else "expiresAt > :at",
                "(attribute_not_exists(sequencerOrder) OR sequencerOrder < :order)",
                key=event.upload.key,
                at=event.at.timestamp(),
                order=sequence_of(event.upload.sequencer),
            )
        case Connected():
            return update(_socket(event.socket), "expiresAt > :at", at=event.at.timestamp())
        case Disconnected():
            return update(_socket(None), "wsConnectionId = :socket", socket=event.socket_id)
        case NoticeClaimed() | NoticeSent() | NoticeReleased():
            notice, condition, more = _notified(event)
            conditions = ("uploadKey = :key", "wsConnectionId = :socket", condition)
            return update(_notice(notice), *conditions, key=event.key, socket=event.socket_id, **more)


def _finished(event: Verified | Refused | Lapsed) -> tuple[Status, Outcome]:
    """The status and the outcome of an upload."""
    match event:
        case Verified():
            return Status.COMPLETED, Outcome(event.upload, event.at, event.size, content_type=event.content_type)
        case Refused():
            return Status.REJECTED, Outcome(event.upload, event.at, event.size, reason=event.reason)
        case Lapsed():
            return Status.EXPIRED, Outcome(event.upload, event.at, event.size)


def _notified(event: NoticeClaimed | NoticeSent | NoticeReleased) -> tuple[Notice | None, str, dict[str, Any]]:
    """The resulting notice, its condition, and the condition's values."""
    unclaimed = "attribute_not_exists(noticeSocket) OR noticeSocket <> :socket"
    unsent = "attribute_not_exists(noticeSentAt)"
    match event:
        case NoticeClaimed():
            notice = Notice(event.socket_id, event.at + NOTICE_LEASE, None)
            return notice, f"({unclaimed} OR ({unsent} AND noticeUntil <= :at))", {"at": event.at.timestamp()}
        case NoticeSent():
            return Notice(event.socket_id, event.at, event.at), f"({unclaimed} OR {unsent})", {}
        case NoticeReleased():
            condition = f"noticeSocket = :socket AND noticeUntil = :until AND {unsent}"
            return None, condition, {"until": event.claimed_until.timestamp()}


def _socket(socket: Socket | None) -> dict[str, Any]:
    return {"wsConnectionId": socket and socket.id, "wsEndpoint": socket and socket.endpoint}


def _notice(notice: Notice | None) -> dict[str, Any]:
    return {
        "noticeSocket": notice and notice.socket_id,
        "noticeUntil": notice and notice.claimed_until.timestamp(),
        "noticeSentAt": notice.sent_at.timestamp() if notice and notice.sent_at else None,
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "version": outcome.upload.version,
        "sequencer": outcome.upload.sequencer,
        "sequencerOrder": sequence_of(outcome.upload.sequencer),
        "completedAt": outcome.at.timestamp(),
        "size": outcome.size,
        "contentType": outcome.content_type,
        "reason": None if outcome.reason is None else str(outcome.reason),
    }


GONE: Mapping[str, None] = dict.fromkeys(
    ("version", "sequencer", "sequencerOrder", "completedAt", "size", "contentType", "reason", *_notice(None))
)
"""The attributes that a new permission or another outcome removes."""


def _read_outcome(values: Mapping[str, Any], key: str) -> Outcome:
    return Outcome(
        upload=Upload(key, values["version"], values["sequencer"]),
        at=_moment(values["completedAt"]),
        size=values["size"],
        content_type=values.get("contentType"),
        reason=Reason(values["reason"]) if "reason" in values else None,
    )


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
