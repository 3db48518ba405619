"""The tracking table: key `tracking_id`, indexes `by_execution_date` and `by_status`, both sorted by snapshot time."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from chalicelib.adapters.aws import translated
from chalicelib.adapters.dynamodb import condition_failed, from_item, one_of, setting, to_item
from chalicelib.flights.ports import FOREVER
from chalicelib.flights.runs import Run
from chalicelib.flights.status import RunStatus

WHAT = "the table of runs"


class FlightRuns:
    """`RunBook` and `RunHistory` on DynamoDB."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def begin(self, run: Run) -> bool:
        """Record a new run; False if it is already known."""
        with translated(WHAT):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=to_item(msgspec.to_builtins(run)),
                    ConditionExpression="attribute_not_exists(tracking_id)",
                )
            except ClientError as error:
                if condition_failed(error):
                    return False
                raise
        return True

    def find(self, tracking_id: str) -> Run | None:
        """A run as it is now."""
        with translated(WHAT):
            answer = self._client.get_item(TableName=self._table, Key=_key(tracking_id), ConsistentRead=True)
        return _run(answer["Item"]) if "Item" in answer else None

    def advance(
        self, tracking_id: str, status: RunStatus, allowed_from: Sequence[RunStatus], facts: Mapping[str, Any]
    ) -> bool:
        """Move to `status` if the run is in one of `allowed_from`; False, and no change, if not."""
        condition, given = one_of("status", [allowed.value for allowed in allowed_from])
        update = setting({**facts, "status": status.value}, conditions=[condition], given=given)
        with translated(WHAT):
            try:
                self._client.update_item(TableName=self._table, Key=_key(tracking_id), **update)
            except ClientError as error:
                if condition_failed(error):
                    return False
                raise
        return True

    def note(self, tracking_id: str, facts: Mapping[str, Any]) -> None:
        """Add facts to a known run; an unknown one is not made up."""
        with translated(WHAT):
            self._client.update_item(
                TableName=self._table,
                Key=_key(tracking_id),
                **setting(facts, conditions=["attribute_exists(tracking_id)"]),
            )

    def of_status(self, status: RunStatus, limit: int, *, start: int = 0, end: int = FOREVER) -> list[Run]:
        """The newest runs of a period in `status`."""
        return self._query("by_status", "status", status.value, limit, start, end)

    def of_day(self, day: str, limit: int, *, start: int = 0, end: int = FOREVER) -> list[Run]:
        """The newest runs of a period of an execution date."""
        return self._query("by_execution_date", "execution_date", day, limit, start, end)

    def remember(self, replay_id: str, facts: Mapping[str, Any]) -> None:
        """Keep facts about a replay; the item has no status and no date, so no index of runs holds it."""
        with translated(WHAT):
            self._client.update_item(TableName=self._table, Key=_key(f"replay_{replay_id}"), **setting(facts))

    def recall(self, replay_id: str) -> Mapping[str, Any] | None:
        """The facts about a replay."""
        with translated(WHAT):
            answer = self._client.get_item(TableName=self._table, Key=_key(f"replay_{replay_id}"), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def _query(self, index: str, attribute: str, value: str, limit: int, start: int, end: int) -> list[Run]:
        found: list[Run] = []
        page: dict[str, Any] = {}
        while len(found) < limit:
            with translated(WHAT):
                answer = self._client.query(
                    TableName=self._table,
                    IndexName=index,
                    KeyConditionExpression="#key = :value AND snapshot_time BETWEEN :start AND :last",
                    ExpressionAttributeNames={"#key": attribute},
                    ExpressionAttributeValues={
                        ":value": {"S": value},
                        ":start": {"N": str(start)},
                        ":last": {"N": str(end - 1)},
                    },
                    ScanIndexForward=False,
                    Limit=limit - len(found),
                    **page,
                )
            found += map(_run, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                break
            page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return found


def _key(tracking_id: str) -> dict[str, Any]:
    return {"tracking_id": {"S": tracking_id}}


def _run(item: Mapping[str, Any]) -> Run:
    return msgspec.convert(from_item(item), Run)
