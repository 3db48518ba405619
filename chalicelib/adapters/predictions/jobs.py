"""Prediction jobs in DynamoDB: a job and its finished parts share a key; the index `by_time` lists only jobs.

Models' floors are here too, because writers of the model bucket cannot reach this table.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.adapters.aws import dependency
from chalicelib.adapters.dynamodb import condition_failed, from_item, one_of, setting, to_item
from chalicelib.errors import Conflict, Unprocessable
from chalicelib.predictions.places import ObjectUri
from chalicelib.predictions.ports import JobWatcher

WHAT = "the table of prediction jobs"
KIND = "job"
KEPT_DAYS = 120
"""Longer than Step Functions keeps the name of a run, 90 days from its end: a token used again gets a new run then."""
PART_KEPT_DAYS = 30
"""Longer than a job can be resumed, but over before its id is free again, so no new job finds finished parts."""
WATCHERS = "watchers"
FLOOR = "floor"
SOCKET_S = 2 * 3600
"""The time that API Gateway keeps a socket open."""
_INTERNAL = ("part", "kind", "expires_at")


class DynamoJobs:
    """`ports.JobStore` and `ports.ModelFloors` on DynamoDB; `now` counts seconds since 1970."""

    def __init__(self, client: Any, table: str, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._now = now

    def add(self, job_id: str, document: Mapping[str, Any]) -> bool:
        """Store a new job; False if the id is taken."""
        expires = int(datetime.fromisoformat(document["created_at"]).timestamp()) + KEPT_DAYS * 86_400
        own = {"part": KIND, "kind": KIND, "expires_at": expires, "job_id": job_id}
        return self._put({"rows_done": 0, "parts_done": 0, **document, **own})

    def get(self, job_id: str) -> Mapping[str, Any] | None:
        """The job as it is now."""
        with dependency(WHAT):
            answer = self._client.get_item(TableName=self._table, Key=_key(job_id, KIND), ConsistentRead=True)
        return _document(answer["Item"]) if "Item" in answer else None

    def update(self, job_id: str, changes: Mapping[str, Any], *, states: Sequence[str]) -> bool:
        """Change a job that is in one of `states`, None taking a field away; False if it is in another."""
        condition, given = one_of("state", states)
        update = setting(changes, conditions=[condition], given=given)
        with dependency(WHAT):
            try:
                self._client.update_item(TableName=self._table, Key=_key(job_id, KIND), **update)
            except ClientError as error:
                if condition_failed(error):
                    return False
                raise
        return True

    def add_part(self, job_id: str, number: int, rows: int) -> bool:
        """Count a finished part, once; the counters are for watching, the part's own item is what counts.

        No transaction does both: parts end side by side, and their transactions on the one job would collide.
        """
        expires = int(self._now()) + PART_KEPT_DAYS * 86_400
        if not self._put({"job_id": job_id, "part": _part(number), "rows": rows, "expires_at": expires}):
            return False
        with dependency(WHAT):
            self._client.update_item(
                TableName=self._table,
                Key=_key(job_id, KIND),
                **setting({}, adding={"parts_done": 1, "rows_done": rows}),
            )
        return True

    def part_rows(self, job_id: str, number: int) -> int | None:
        """The rows of a finished part; None if it is not finished."""
        with dependency(WHAT):
            answer = self._client.get_item(TableName=self._table, Key=_key(job_id, _part(number)), ConsistentRead=True)
        return int(from_item(answer["Item"])["rows"]) if "Item" in answer else None

    def recent(
        self, limit: int, after: str | None, state: str | None = None
    ) -> tuple[list[Mapping[str, Any]], str | None]:
        """A page of jobs, newest first; Unprocessable for an `after` that no page gave."""
        found: list[Mapping[str, Any]] = []
        start = _index_key(after) if after else None
        while True:
            items, start = self._newest(limit, start, state)
            found += items
            if start is None or len(found) >= limit:
                break
        page = found[:limit]
        if len(found) > limit:
            start = _index_key(f"{page[-1]['created_at']}~{page[-1]['job_id']}")
        return page, _cursor(start) if start else None

    def _newest(self, limit: int, start: Any, state: str | None) -> tuple[list[Mapping[str, Any]], Any]:
        values = {":kind": {"S": KIND}}
        more: dict[str, Any] = {"ExclusiveStartKey": start} if start else {}
        if state is not None:
            more |= {"FilterExpression": "#state = :state", "ExpressionAttributeNames": {"#state": "state"}}
            values[":state"] = {"S": state}
        with dependency(WHAT):
            answer = self._client.query(
                TableName=self._table,
                IndexName="by_time",
                KeyConditionExpression="kind = :kind",
                ExpressionAttributeValues=values,
                ScanIndexForward=False,
                Limit=limit,
                **more,
            )
        return [_document(item) for item in answer["Items"]], answer.get("LastEvaluatedKey")

    def remember(self, fingerprint: str, job_id: str) -> None:
        """Store which job was last asked for a piece of work."""
        expires = int(self._now()) + KEPT_DAYS * 86_400
        self._replace({"job_id": f"same#{fingerprint}", "part": "same", "same_as": job_id, "expires_at": expires})

    def remembered(self, fingerprint: str) -> str | None:
        """The job that was last asked for a piece of work; None if it is not known."""
        with dependency(WHAT):
            answer = self._client.get_item(TableName=self._table, Key=_key(f"same#{fingerprint}", "same"))
        return str(from_item(answer["Item"])["same_as"]) if "Item" in answer else None

    def watch(self, watcher: JobWatcher) -> None:
        """Store a socket; it lives for at most two hours."""
        expires = int(self._now()) + SOCKET_S
        key = {"job_id": WATCHERS, "part": watcher.id}
        self._replace({**key, "endpoint": watcher.endpoint, "expires_at": expires})

    def watchers(self) -> list[JobWatcher]:
        """The sockets that want to know of jobs."""
        with dependency(WHAT):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="job_id = :watchers",
                ExpressionAttributeValues={":watchers": {"S": WATCHERS}},
            )
        return [JobWatcher(it["part"], it["endpoint"]) for it in map(from_item, answer["Items"])]

    def unwatch(self, watcher_id: str) -> None:
        """Forget a socket."""
        with dependency(WHAT):
            self._client.delete_item(TableName=self._table, Key=_key(WATCHERS, watcher_id))

    def floor(self, uri: ObjectUri) -> int | None:
        """The lowest serial that a model at this place may have; None if it may have any, or none."""
        with dependency(WHAT):
            answer = self._client.get_item(
                TableName=self._table, Key=_key(f"{FLOOR}#{uri}", FLOOR), ConsistentRead=True
            )
        return int(from_item(answer["Item"])["serial"]) if "Item" in answer else None

    def raise_floor(self, uri: ObjectUri, serial: int) -> None:
        """Raise the floor of a place; Conflict ("floor_is_higher") if it is above `serial`."""
        condition = "(attribute_not_exists(serial) OR serial <= :serial)"
        with dependency(WHAT):
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key=_key(f"{FLOOR}#{uri}", FLOOR),
                    **setting({"serial": serial}, conditions=[condition]),
                )
            except ClientError as error:
                if not condition_failed(error):
                    raise
                raise Conflict(f"A newer model was published at {uri}.", code="floor_is_higher") from None

    def _replace(self, values: Mapping[str, Any]) -> None:
        with dependency(WHAT):
            self._client.put_item(TableName=self._table, Item=to_item(values))

    def _put(self, values: Mapping[str, Any]) -> bool:
        with dependency(WHAT):
            try:
                self._client.put_item(
                    TableName=self._table, Item=to_item(values), ConditionExpression="attribute_not_exists(job_id)"
                )
            except ClientError as error:
                if condition_failed(error):
                    return False
                raise
        return True


def _key(job_id: str, part: str) -> dict[str, Any]:
    return {"job_id": {"S": job_id}, "part": {"S": part}}


def _part(number: int) -> str:
    return f"part#{number:05d}"


def _document(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in from_item(item).items() if name not in _INTERNAL}


def _cursor(key: Mapping[str, Any]) -> str:
    return f"{key['created_at']['S']}~{key['job_id']['S']}"


def _index_key(cursor: str) -> dict[str, Any]:
    created_at, _, job_id = cursor.partition("~")
    try:
        datetime.fromisoformat(created_at)
    except ValueError:
        job_id = ""
    if not job_id:
        raise Unprocessable.of("after", "is not from a page of jobs", "the `next` of the page before")
    return {"kind": {"S": KIND}, "created_at": {"S": created_at}, **_key(job_id, KIND)}
