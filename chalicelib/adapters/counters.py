"""Counts in DynamoDB that expire."""

from collections.abc import Callable
from datetime import datetime

from chalicelib.adapters.aws import translated
from chalicelib.adapters.dynamodb import setting
from chalicelib.adapters.tables import Tables

COUNTERS_TABLE = "The table of counts"


class CountersTable:
    """Counts in a table keyed by `name`, whose TTL attribute is `expiresAt`."""

    def __init__(self, client: Tables, table: str) -> None:
        self._db = client
        self._table = table

    def add(self, name: str, ends_at: datetime) -> int:
        """Increment the count `name`."""
        return self.begin_to_add(name, ends_at)()

    def begin_to_add(self, name: str, ends_at: datetime) -> Callable[[], int]:
        """Begin to increment the count `name`; the returned function waits for the new count."""
        counted = self._db.begin(
            "update_item",
            TableName=self._table,
            Key={"name": {"S": name}},
            **setting({"expiresAt": int(ends_at.timestamp())}, adding={"count": 1}),
            ReturnValues="UPDATED_NEW",
        )

        def wait() -> int:
            with translated(COUNTERS_TABLE):
                return int(counted()["Attributes"]["count"]["N"])

        return wait

    def count(self, name: str) -> int:
        """The count `name`; 0 if there is none."""
        with translated(COUNTERS_TABLE):
            found = self._db.get_item(TableName=self._table, Key={"name": {"S": name}}).get("Item", {})
        return int(found.get("count", {"N": "0"})["N"])
