"""Redshift's Data API: run statements asynchronously, wait within a budget, and convert the records."""

import logging
import random
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from datetime import time as clock_time
from decimal import Decimal
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError

from chalicelib.adapters.aws import dependency, error_code, failure
from chalicelib.deadline import current, grace, left, within
from chalicelib.errors import UpstreamError, UpstreamRejected, UpstreamTimeout, UpstreamUnavailable

Value = str | int | float | bool | Decimal | date | datetime | clock_time | None
Row = dict[str, Value]
Parameter = str | int | float | Decimal | date | datetime

WAREHOUSE = "the warehouse"
SERVICE = "redshift-data"
CANCEL_S = 1.0
LONGEST_WAIT_S = 20
"""The limit of one long poll: the service allows 30 s, and the HTTP client must wait longer than this."""
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 2.0
RETRY_AFTER_S = 5
CACHED_ANSWERS = 128
ENDED = frozenset({"FINISHED", "FAILED", "ABORTED"})

BUSY = frozenset(
    {"ActiveStatementsExceededException", "ActiveSessionsExceededException", "ActiveWaitingRequestsExceededException"}
)

_log = logging.getLogger(__name__)


def _timestamp(text: str) -> datetime:
    return datetime.fromisoformat(text)


CONVERSIONS: Mapping[str, Callable[[str], Value]] = {
    "numeric": Decimal,
    "decimal": Decimal,
    "date": date.fromisoformat,
    "time": clock_time.fromisoformat,
    "timestamp": _timestamp,
    "timestamptz": _timestamp,
}
"""Column type -> the conversion of its texts; other types come converted, or stay texts."""


class RedshiftData:
    """Runs statements on one cluster or workgroup.

    `target` holds ClusterIdentifier with DbUser or SecretArn, or WorkgroupName, and Database. `budget_s` and the
    request's deadline bound each call, including waiting and paging; a statement that exceeds them is
    cancelled, and the request does not call the warehouse again. The client's read timeout must exceed LONGEST_WAIT_S.
    The clock is monotonic, in seconds.
    """

    def __init__(
        self,
        client: Any,
        target: Mapping[str, str],
        *,
        budget_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        new_token: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._client = client
        self._target = dict(target)
        self._budget_s = budget_s
        self._clock = clock
        self._sleep = sleep
        self._new_token = new_token
        self._cache = _Cache(clock)
        shape = client.meta.service_model.operation_model("DescribeStatement").input_shape
        self._long_polls = "WaitTimeSeconds" in shape.members

    def rows(
        self, sql: str, parameters: Mapping[str, Parameter] | None = None, *, fresh_for_s: float = 0
    ) -> Sequence[Row]:
        """The rows of one query; the same query within `fresh_for_s` returns the same rows.

        UpstreamTimeout over budget, UpstreamUnavailable if it is busy or down or aborted the statement,
        UpstreamRejected if the statement failed or has no result set.
        """
        bound = _bound(parameters or {})
        key = (sql, tuple(sorted(bound.items())))
        if fresh_for_s:
            cached = self._cache.find(key)
            if cached is not None:
                return cached
        with within(self._budget_s):
            deadline = self._clock() + left(self._budget_s)
            statement_id, has_result = self._run("execute_statement", {"Sql": sql}, bound, deadline)
            if not has_result:
                raise UpstreamRejected("The warehouse answered without a result.")
            found = self._fetch(statement_id, deadline)
        if fresh_for_s:
            self._cache.keep(key, found, fresh_for_s)
        return found

    def run(self, sqls: Sequence[str], parameters: Mapping[str, Parameter] | None = None) -> int:
        """Run statements as one transaction; return the rows that the last one affected. Raises like `rows`."""
        bound = _bound(parameters or {})
        with within(self._budget_s), dependency(WAREHOUSE):
            deadline = self._clock() + left(self._budget_s)
            statement_id, _ = self._run("batch_execute_statement", {"Sqls": list(sqls)}, bound, deadline)
            description = self._client.describe_statement(Id=statement_id)
        affected: int = description["SubStatements"][-1].get("ResultRows", 0)
        return affected

    def _run(
        self, operation: str, statement: Mapping[str, Any], bound: Mapping[str, str], deadline: float
    ) -> tuple[str, bool]:
        arguments: dict[str, Any] = {**self._target, **statement, "ClientToken": self._new_token()}
        if bound:
            arguments["Parameters"] = [{"name": name, "value": value} for name, value in bound.items()]
        arguments |= self._wait_for(deadline)
        try:
            answer = getattr(self._client, operation)(**arguments)
        except (ClientError, BotoCoreError) as error:
            raise _failure(error) from error
        statement_id = answer["Id"]
        if "Status" not in answer:
            answer = {"Status": "SUBMITTED"}
        try:
            answer = self._await(statement_id, answer, deadline)
        except UpstreamError as error:  # its result will not be read
            self._cancel(statement_id)
            if isinstance(error, UpstreamTimeout) and (request := current()):
                request.gave_up(SERVICE)
            raise
        if answer["Status"] == "FAILED":
            _log.error("statement %s failed: %s", statement_id, self._reason(statement_id, answer))
            raise UpstreamRejected("The warehouse could not run the query.")
        if answer["Status"] == "ABORTED":
            raise UpstreamUnavailable("The warehouse aborted the query; try again.", retry_after=RETRY_AFTER_S)
        return statement_id, bool(answer.get("HasResultSet"))

    def _await(self, statement_id: str, answer: Mapping[str, Any], deadline: float) -> Mapping[str, Any]:
        """The description of a finished statement; raises if it does not finish in time or cannot be described."""
        pause = FIRST_PAUSE_S
        wait = self._wait_for(deadline)
        while answer["Status"] not in ENDED:
            if self._clock() >= deadline:
                raise UpstreamTimeout(f"The warehouse did not answer within {self._budget_s:g} s.")
            if not wait:
                self._sleep(min(pause * random.uniform(0.5, 1.0), max(0.0, deadline - self._clock())))
                pause = min(pause * 2, LONGEST_PAUSE_S)
            try:
                answer = self._client.describe_statement(Id=statement_id, **wait)
                wait = self._wait_for(deadline)
            except ClientError as error:
                if error_code(error) != "ActiveWaitingRequestsExceededException" or not wait:
                    raise _failure(error) from error
                wait = {}
            except BotoCoreError as error:
                raise _failure(error) from error
        return answer

    def _reason(self, statement_id: str, answer: Mapping[str, Any]) -> str:
        """Why a statement failed, by its description: the answer of a waiting execution does not say."""
        if "Error" not in answer:
            try:
                answer = self._client.describe_statement(Id=statement_id)
            except (ClientError, BotoCoreError):
                answer = {}
        return str(answer.get("Error", "no reason given"))

    def _wait_for(self, deadline: float) -> dict[str, int]:
        seconds = int(min(LONGEST_WAIT_S, deadline - self._clock()))
        return {"WaitTimeSeconds": seconds} if self._long_polls and seconds >= 1 else {}

    def _fetch(self, statement_id: str, deadline: float) -> list[Row]:
        found: list[Row] = []
        token: dict[str, str] = {}
        while True:
            try:
                page = self._client.get_statement_result(Id=statement_id, **token)
            except ClientError as error:
                if error_code(error) == "ResourceNotFoundException":
                    raise UpstreamRejected("The warehouse answered without a result.") from error
                raise _failure(error) from error
            except BotoCoreError as error:
                raise _failure(error) from error
            found += records_of(page["ColumnMetadata"], page["Records"])
            if not page.get("NextToken"):
                return found
            if self._clock() >= deadline:
                raise UpstreamTimeout(f"The warehouse did not answer within {self._budget_s:g} s.")
            token = {"NextToken": page["NextToken"]}

    def _cancel(self, statement_id: str) -> None:
        try:
            with grace(CANCEL_S):
                self._client.cancel_statement(Id=statement_id)
        except (
            ClientError,
            BotoCoreError,
            UpstreamTimeout,
        ) as error:  # it may have ended by now; the caller gets an answer anyway
            _log.warning("could not cancel statement %s: %s", statement_id, error)


def records_of(columns: Sequence[Mapping[str, Any]], records: Sequence[Sequence[Mapping[str, Any]]]) -> list[Row]:
    """Records as rows: DECIMAL as Decimal, dates and timestamps as Python's, NULL as None."""
    names = [column.get("label") or column["name"] for column in columns]
    conversions = [CONVERSIONS.get(column["typeName"]) for column in columns]
    return [
        {name: _value(field, convert) for name, convert, field in zip(names, conversions, record, strict=True)}
        for record in records
    ]


def _value(field: Mapping[str, Any], convert: Callable[[str], Value] | None) -> Value:
    if field.get("isNull"):
        return None
    value: Value = next(iter(field.values()))
    if convert is not None and isinstance(value, str):
        return convert(value)
    return value


def _bound(parameters: Mapping[str, Parameter]) -> dict[str, str]:
    return {
        name: value.isoformat(" ") if isinstance(value, datetime) else str(value) for name, value in parameters.items()
    }


def _failure(error: Exception) -> UpstreamError:
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):  # a slow statement answers; a silent service is down
        return UpstreamUnavailable("The warehouse does not answer; try again later.", retry_after=RETRY_AFTER_S)
    if isinstance(error, ClientError) and error_code(error) in BUSY:
        return UpstreamUnavailable("The warehouse is busy; try again later.", retry_after=RETRY_AFTER_S)
    found = failure(error, WAREHOUSE)
    if found.retry_after is None and isinstance(found, UpstreamUnavailable):
        found.retry_after = RETRY_AFTER_S
    return found


class _Cache:
    """The latest answers, each kept until it is stale."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: OrderedDict[object, tuple[float, Sequence[Row]]] = OrderedDict()

    def find(self, key: object) -> Sequence[Row] | None:
        with self._lock:
            stale_at, rows = self._answers.get(key, (0.0, ()))
            if key not in self._answers or self._clock() >= stale_at:
                return None
            self._answers.move_to_end(key)
            return rows

    def keep(self, key: object, rows: Sequence[Row], seconds: float) -> None:
        with self._lock:
            self._answers[key] = (self._clock() + seconds, rows)
            self._answers.move_to_end(key)
            while len(self._answers) > CACHED_ANSWERS:
                self._answers.popitem(last=False)
