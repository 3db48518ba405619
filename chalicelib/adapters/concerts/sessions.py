"""Chat sessions in DynamoDB: one item each, which the table's TTL removes. The index `by_owner` lists named owners'."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.aws import dependency, failure
from chalicelib.adapters.dynamodb import condition_failed, from_item, to_item
from chalicelib.concerts.models import ChatSessionSummary
from chalicelib.concerts.values import ANONYMOUS, ChatSession, Exchange, summary_of
from chalicelib.errors import Conflict

STORE = "the chat's memory"
STOP_KEPT = timedelta(minutes=5)


class ChatSessions:
    """Answers ChatSessionStore; the exchanges are kept as one JSON text, since nothing queries inside them."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def find(self, session_id: str) -> ChatSession | None:
        """The session, read consistently; None if there is none."""
        item = self._get(session_id)
        if item is None or "exchanges" not in item:
            return None
        return ChatSession(
            session_id=session_id,
            owner=item["owner"],
            expires_at=datetime.fromtimestamp(item["expires_at"], UTC),
            version=item["version"],
            exchanges=msgspec.json.decode(item["exchanges"], type=tuple[Exchange, ...]),
        )

    def save(self, session: ChatSession) -> None:
        """Keep this version; Conflict unless it follows the one that is there."""
        item: dict[str, Any] = {
            "session_id": session.session_id,
            "owner": session.owner,
            "expires_at": int(session.expires_at.timestamp()),
            "version": session.version,
            "exchanges": msgspec.json.encode(session.exchanges).decode(),
        }
        if session.owner != ANONYMOUS and session.exchanges:
            summary = msgspec.to_builtins(summary_of(session))
            item |= {"listed_owner": session.owner, "updated_at": summary["updated_at"], "summary": summary}
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(session_id)"}
        if session.version > 1:
            condition = {
                "ConditionExpression": "#version = :before",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": to_item({":before": session.version - 1}),
            }
        try:
            self._client.put_item(TableName=self._table, Item=to_item(item), **condition)
        except ClientError as error:
            if condition_failed(error):
                raise Conflict("The session was changed meanwhile.") from error
            raise failure(error, STORE) from error
        except BotoCoreError as error:
            raise failure(error, STORE) from error

    def of_owner(self, owner: str, limit: int) -> list[ChatSessionSummary]:
        """The owner's sessions, the latest first; one that was just saved may not be among them yet."""
        with dependency(STORE):
            items = self._client.query(
                TableName=self._table,
                IndexName="by_owner",
                KeyConditionExpression="listed_owner = :owner",
                ExpressionAttributeValues=to_item({":owner": owner}),
                ScanIndexForward=False,
                Limit=limit,
            )["Items"]
        return [msgspec.convert(from_item(item)["summary"], ChatSessionSummary) for item in items]

    def forget(self, session_id: str) -> None:
        """Delete the session; one that is not there is as good as deleted."""
        with dependency(STORE):
            self._client.delete_item(TableName=self._table, Key=to_item({"session_id": session_id}))

    def ask_to_stop(self, answer: str, now: datetime) -> None:
        """Request that the function streaming `answer` stop."""
        item = {"session_id": _stop(answer), "expires_at": int((now + STOP_KEPT).timestamp()), "at": now.isoformat()}
        with dependency(STORE):
            self._client.put_item(TableName=self._table, Item=to_item(item))

    def asked_to_stop(self, answer: str, since: datetime) -> bool:
        """Has a stop been requested since then?"""
        item = self._get(_stop(answer))
        return item is not None and datetime.fromisoformat(item["at"]) >= since

    def _get(self, session_id: str) -> dict[str, Any] | None:
        with dependency(STORE):
            found = self._client.get_item(
                TableName=self._table, Key=to_item({"session_id": session_id}), ConsistentRead=True
            ).get("Item")
        return None if found is None else from_item(found)


def _stop(answer: str) -> str:
    """The key of a wish to stop; no session has it, since a session's id has no slash."""
    return f"stop/{answer}"
