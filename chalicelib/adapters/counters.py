"""Counts in DynamoDB that expire."""

from datetime import datetime
from typing import Any

from chalicelib.adapters.aws import translated
from chalicelib.adapters.dynamodb import setting

COUNTERS_TABLE = "The table of counts"


class CountersTable:
    """Counts in a table keyed by `name`, whose TTL attribute is `expiresAt`."""

    def __init__(self, client: Any, table: str) -> None:
        self._db = client
        self._table = table

    def add(self, name: str, ends_at: datetime) -> int:
        """Increment the count `name`."""
        with translated(COUNTERS_TABLE):
            answer = self._db.update_item(
                TableName=self._table,
                Key={"name": {"S": name}},
                **setting({"expiresAt": int(ends_at.timestamp())}, adding={"count": 1}),
                ReturnValues="UPDATED_NEW",
            )
        return int(answer["Attributes"]["count"]["N"])

    def count(self, name: str) -> int:
        """The count `name`; 0 if there is none."""
        with translated(COUNTERS_TABLE):
            found = self._db.get_item(TableName=self._table, Key={"name": {"S": name}}).get("Item", {})
        return int(found.get("count", {"N": "0"})["N"])
