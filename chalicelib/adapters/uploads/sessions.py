"""Upload sessions in DynamoDB: one conditional write for each transition of `uploads.machine`.

The conditions repeat what `machine.step` asks, so that two writers never both win; why a write was refused is what
`step` says of the item that refused it. A sparse, keys-only index finds the session of a socket.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.adapters import aws
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
    Reason,
    Refused,
    Session,
    Socket,
    Status,
    Upload,
    Verified,
    ordered,
    step,
)

WHAT = "The upload sessions table"
SOCKET_INDEX = "socket"
OUTCOME = ("version", "sequencer", "sequencerOrder", "completedAt", "size", "contentType", "reason")
NOTICE = ("noticeSocket", "noticeUntil", "noticeSentAt")
SOCKET = ("wsConnectionId", "wsEndpoint")

Item = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Write:
    """A conditional update: attributes to set, to add to and to remove, and conditions with their values."""

    conditions: tuple[str, ...]
    values: Mapping[str, str | int | datetime]
    sets: Mapping[str, str | int | datetime] = field(default_factory=dict)
    removes: Iterable[str] = ()
    adds: Mapping[str, int] = field(default_factory=dict)


class UploadSessionsTable:
    """The sessions in one table, keyed by `sessionId`, with its socket index."""

    def __init__(self, client: Any, table: str) -> None:
        self._db = client
        self._table = table

    def add(self, session: Session) -> None:
        """Keep a new session; Conflict if its id is taken."""
        try:
            self._db.put_item(
                TableName=self._table, Item=to_item(session), ConditionExpression="attribute_not_exists(sessionId)"
            )
        except ClientError as error:
            if aws.error_code(error) == "ConditionalCheckFailedException":
                raise Conflict("There is a session of this id already") from error
            raise aws.translate(error, WHAT) from error

    def find(self, session_id: str) -> Session | None:
        """The session as last written, or None."""
        with aws.translated(WHAT):
            answer = self._db.get_item(TableName=self._table, Key={"sessionId": {"S": session_id}}, ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def change(self, session_id: str, event: Event) -> Session | Denial | None:
        """One conditional update; None if there is no such session, for an update would create it."""
        try:
            answer = self._db.update_item(
                TableName=self._table,
                Key={"sessionId": {"S": session_id}},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **_expressions(_write(event), SOURCES[type(event)]),
            )
        except ClientError as error:
            if aws.error_code(error) != "ConditionalCheckFailedException":
                raise aws.translate(error, WHAT) from error
            return self._denial(error.response.get("Item"), event)
        return from_item(answer["Attributes"])

    def remove(self, session_id: str) -> Session | None:
        """Forget a session; as it was last, or None if it was gone already."""
        with aws.translated(WHAT):
            answer = self._db.delete_item(
                TableName=self._table, Key={"sessionId": {"S": session_id}}, ReturnValues="ALL_OLD"
            )
        return from_item(answer["Attributes"]) if "Attributes" in answer else None

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
        denial = step(from_item(item), event)
        if isinstance(denial, Denial):
            return denial
        raise UpstreamUnavailable(f"{WHAT} refused a write that its state allows; try again", retry_after=1)


class CountersTable:
    """Counts in a table keyed by `name`, whose TTL attribute is `expiresAt`."""

    def __init__(self, client: Any, table: str) -> None:
        self._db = client
        self._table = table

    def add(self, name: str, ends_at: datetime) -> int:
        """Count one more under `name`."""
        with aws.translated("The upload counters table"):
            answer = self._db.update_item(
                TableName=self._table,
                Key={"name": {"S": name}},
                UpdateExpression="ADD #count :one SET expiresAt = :ends",
                ExpressionAttributeNames={"#count": "count"},
                ExpressionAttributeValues={":one": {"N": "1"}, ":ends": {"N": str(int(ends_at.timestamp()))}},
                ReturnValues="UPDATED_NEW",
            )
        return int(answer["Attributes"]["count"]["N"])


def to_item(session: Session) -> dict[str, dict[str, str]]:
    """A session as a DynamoDB item; what it does not have is left out, for an index refuses NULL."""
    values: dict[str, Any] = {
        "sessionId": session.id,
        "ownerHash": session.owner_hash,
        "uploadHash": session.upload_hash,
        "createdAt": session.created_at,
        "expiresAt": session.expires_at,
        "status": str(session.status),
        "permits": session.permissions,
        "uploadKey": session.key,
    }
    if session.outcome is not None:
        values |= _outcome(session.outcome)
    if session.socket is not None:
        values |= {"wsConnectionId": session.socket.id, "wsEndpoint": session.socket.endpoint}
    if session.notice is not None:
        values |= {
            "noticeSocket": session.notice.socket_id,
            "noticeUntil": session.notice.claimed_until,
            "noticeSentAt": session.notice.sent_at,
        }
    return {name: _typed(value) for name, value in values.items() if value is not None}


def from_item(item: Item) -> Session:
    """The session that `to_item` and the updates wrote."""
    key = _text(item, "uploadKey")
    return Session(
        id=item["sessionId"]["S"],
        owner_hash=item["ownerHash"]["S"],
        upload_hash=item["uploadHash"]["S"],
        created_at=_time(item, "createdAt"),
        expires_at=_time(item, "expiresAt"),
        status=Status(item["status"]["S"]),
        permissions=int(item["permits"]["N"]),
        key=key,
        outcome=_read_outcome(item, key) if key is not None and "completedAt" in item else None,
        socket=Socket(item["wsConnectionId"]["S"], item["wsEndpoint"]["S"]) if "wsConnectionId" in item else None,
        notice=Notice(
            item["noticeSocket"]["S"],
            _time(item, "noticeUntil"),
            _time(item, "noticeSentAt") if "noticeSentAt" in item else None,
        )
        if "noticeSocket" in item
        else None,
    )


def _write(event: Event) -> Write:
    match event:
        case Permitted():
            return Write(
                conditions=("expiresAt > :at", "permits < :most"),
                values={":at": event.at, ":most": MAX_PERMISSIONS},
                sets={"status": Status.UPLOAD_REQUESTED, "uploadKey": event.key},
                adds={"permits": 1},
                removes=OUTCOME + NOTICE,
            )
        case Verified():
            outcome = Outcome(event.upload, event.at, event.size, content_type=event.content_type)
            return _finishing(outcome, Status.COMPLETED, "expiresAt > :at")
        case Refused():
            outcome = Outcome(event.upload, event.at, event.size, reason=event.reason)
            return _finishing(outcome, Status.REJECTED, "expiresAt > :at")
        case Lapsed():
            return _finishing(Outcome(event.upload, event.at, event.size), Status.EXPIRED, "expiresAt <= :at")
        case Connected():
            return Write(
                conditions=("expiresAt > :at",),
                values={":at": event.at},
                sets={"wsConnectionId": event.socket.id, "wsEndpoint": event.socket.endpoint},
            )
        case Disconnected():
            return Write(("wsConnectionId = :socket",), {":socket": event.socket_id}, removes=SOCKET)
        case _:
            return _telling(event)


def _finishing(outcome: Outcome, status: Status, time_condition: str) -> Write:
    attributes = _outcome(outcome)
    return Write(
        conditions=(
            "uploadKey = :key",
            time_condition,
            "(attribute_not_exists(sequencerOrder) OR sequencerOrder < :order)",
        ),
        values={":key": outcome.upload.key, ":at": outcome.at, ":order": ordered(outcome.upload.sequencer)},
        sets={"status": status, **attributes},
        removes=[name for name in OUTCOME + NOTICE if name not in attributes],
    )


def _telling(event: NoticeClaimed | NoticeSent | NoticeReleased) -> Write:
    conditions = ("uploadKey = :key", "wsConnectionId = :socket")
    values: dict[str, str | int | datetime] = {":key": event.key, ":socket": event.socket_id}
    unclaimed = "attribute_not_exists(noticeSocket) OR noticeSocket <> :socket"
    match event:
        case NoticeClaimed():
            return Write(
                conditions=(
                    *conditions,
                    f"({unclaimed} OR (attribute_not_exists(noticeSentAt) AND noticeUntil <= :at))",
                ),
                values={**values, ":at": event.at},
                sets={"noticeSocket": event.socket_id, "noticeUntil": event.at + NOTICE_LEASE},
                removes=("noticeSentAt",),
            )
        case NoticeSent():
            return Write(
                conditions=(*conditions, f"({unclaimed} OR attribute_not_exists(noticeSentAt))"),
                values=values,
                sets={"noticeSocket": event.socket_id, "noticeUntil": event.at, "noticeSentAt": event.at},
            )
        case NoticeReleased():
            return Write(
                conditions=(
                    *conditions,
                    "noticeSocket = :socket",
                    "noticeUntil = :until",
                    "attribute_not_exists(noticeSentAt)",
                ),
                values={**values, ":until": event.claimed_until},
                removes=NOTICE,
            )


def _expressions(write: Write, sources: frozenset[Status]) -> dict[str, Any]:
    """A `Write` as update_item's arguments, with the condition that the session exists and is in a source state."""
    states = {f":from{index}": str(status) for index, status in enumerate(sorted(sources))}
    changes = {f":to{index}": value for index, value in enumerate(write.sets.values())}
    amounts = {f":by{index}": value for index, value in enumerate(write.adds.values())}
    names = {"#status": "status", **{f"#set{index}": name for index, name in enumerate(write.sets)}}
    clauses = []
    if write.sets:
        clauses.append("SET " + ", ".join(f"#set{index} = :to{index}" for index in range(len(write.sets))))
    if write.adds:
        clauses.append("ADD " + ", ".join(f"{name} :by{index}" for index, name in enumerate(write.adds)))
    removes = list(write.removes)
    if removes:
        names |= {f"#gone{index}": name for index, name in enumerate(removes)}
        clauses.append("REMOVE " + ", ".join(f"#gone{index}" for index in range(len(removes))))
    exists = ("attribute_exists(sessionId)", f"#status IN ({', '.join(states)})")
    return {
        "UpdateExpression": " ".join(clauses),
        "ConditionExpression": " AND ".join(exists + write.conditions),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {
            name: _typed(value) for name, value in {**states, **changes, **amounts, **write.values}.items()
        },
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    values: dict[str, Any] = {
        "version": outcome.upload.version,
        "sequencer": outcome.upload.sequencer,
        "sequencerOrder": ordered(outcome.upload.sequencer),
        "completedAt": outcome.at,
        "size": outcome.size,
        "contentType": outcome.content_type,
        "reason": None if outcome.reason is None else str(outcome.reason),
    }
    return {name: value for name, value in values.items() if value is not None}


def _read_outcome(item: Item, key: str) -> Outcome:
    reason = _text(item, "reason")
    return Outcome(
        upload=Upload(key, item["version"]["S"], item["sequencer"]["S"]),
        at=_time(item, "completedAt"),
        size=int(item["size"]["N"]),
        content_type=_text(item, "contentType"),
        reason=None if reason is None else Reason(reason),
    )


def _typed(value: str | int | datetime) -> dict[str, str]:
    if isinstance(value, datetime):
        return {"N": f"{value.timestamp():.6f}"}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def _text(item: Item, name: str) -> str | None:
    return item[name]["S"] if name in item else None


def _time(item: Item, name: str) -> datetime:
    return datetime.fromtimestamp(float(item[name]["N"]), UTC)
