"""Chat sessions in DynamoDB: one item each, which the table's TTL removes."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.aws import dependency, failure
from chalicelib.adapters.dynamodb import condition_failed
from chalicelib.concerts.values import ChatSession, Exchange
from chalicelib.errors import Conflict

STORE = "the chat's memory"


class ChatSessions:
    """Answers Sessions; the exchanges are kept as one JSON text, since nothing queries inside them."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def find(self, session_id: str) -> ChatSession | None:
        """The session, read consistently; None where there is none."""
        with dependency(STORE):
            item = self._client.get_item(
                TableName=self._table, Key={"session_id": {"S": session_id}}, ConsistentRead=True
            ).get("Item")
        if item is None:
            return None
        return ChatSession(
            session_id=session_id,
            owner=item["owner"]["S"],
            expires_at=datetime.fromtimestamp(int(item["expires_at"]["N"]), UTC),
            version=int(item["version"]["N"]),
            exchanges=msgspec.json.decode(item["exchanges"]["S"], type=tuple[Exchange, ...]),
        )

    def save(self, session: ChatSession) -> None:
        """Keep this version; Conflict unless it follows the one that is there."""
        item = {
            "session_id": {"S": session.session_id},
            "owner": {"S": session.owner},
            "expires_at": {"N": str(int(session.expires_at.timestamp()))},
            "version": {"N": str(session.version)},
            "exchanges": {"S": msgspec.json.encode(session.exchanges).decode()},
        }
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(session_id)"}
        if session.version > 1:
            condition = {
                "ConditionExpression": "#version = :before",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": {":before": {"N": str(session.version - 1)}},
            }
        try:
            self._client.put_item(TableName=self._table, Item=item, **condition)
        except ClientError as error:
            if condition_failed(error):
                raise Conflict("The session was changed meanwhile.") from error
            raise failure(error, STORE) from error
        except BotoCoreError as error:
            raise failure(error, STORE) from error
