"""Athena: statements run asynchronously in one work group, and their rows come back as text."""

from typing import Any

from botocore.exceptions import ClientError

from chalicelib.adapters.aws import dependency, error_code
from chalicelib.errors import NotFound, UpstreamUnavailable
from chalicelib.flights.ports import QueryState
from chalicelib.flights.statements import Statement

WHAT = "the history"
ROWS_A_PAGE = 1000
"""Maximum of one GetQueryResults page; the first page begins with the columns' names."""
RETRY_AFTER_S = 5
MINUTE_S = 60


class AthenaHistory:
    """`HistoryEngine` on Athena.

    `binds` says whether the engine accepts values as parameters; if not, as in the local cloud, the same literals are
    inserted into the statement.
    """

    def __init__(self, client: Any, *, workgroup: str, database: str, binds: bool) -> None:
        self._client = client
        self._workgroup = workgroup
        self._database = database
        self._binds = binds

    def start(self, statement: Statement, *, reuse_s: int) -> str:
        """Start a statement and return its id; an answer that is at most `reuse_s` old will do."""
        asked: dict[str, Any] = {"QueryString": statement.text, "ExecutionParameters": list(statement.literals)}
        if not self._binds or not statement.literals:
            asked = {"QueryString": statement.spelled_out()}
        if reuse_s >= MINUTE_S:
            age = {"Enabled": True, "MaxAgeInMinutes": reuse_s // MINUTE_S}
            asked["ResultReuseConfiguration"] = {"ResultReuseByAgeConfiguration": age}
        answer = self._call(
            "start_query_execution",
            WorkGroup=self._workgroup,
            QueryExecutionContext={"Database": self._database},
            **asked,
        )
        return str(answer["QueryExecutionId"])

    def state(self, query_id: str) -> QueryState:
        """The state of a query; NotFound for an unknown one, or one of another work group."""
        found = self._call("get_query_execution", QueryExecutionId=query_id)["QueryExecution"]
        if found.get("WorkGroup") != self._workgroup:
            raise NotFound("there is no such query")
        return QueryState(
            status=found["Status"]["State"],
            asked=(found["Query"], tuple(found.get("ExecutionParameters") or ())),
            submitted=found["Status"]["SubmissionDateTime"],
            bytes_scanned=int(found.get("Statistics", {}).get("DataScannedInBytes", 0)),
            reason=found["Status"].get("StateChangeReason", ""),
        )

    def answers(self, state: QueryState, statement: Statement) -> bool:
        """Whether the query ran this statement."""
        bound = (statement.text, statement.literals)
        return state.asked == (bound if self._binds and statement.literals else (statement.spelled_out(), ()))

    def rows(self, query_id: str, limit: int) -> list[list[str | None]]:
        """The first rows of a query that has succeeded, each value as text."""
        found: list[list[str | None]] = []
        page: dict[str, Any] = {}
        header = 1
        while True:
            most = min(ROWS_A_PAGE, limit - len(found) + header)
            answer = self._call("get_query_results", QueryExecutionId=query_id, MaxResults=most, **page)
            rows = answer["ResultSet"]["Rows"][header:]
            found += [[value.get("VarCharValue") for value in row.get("Data", ())] for row in rows]
            header = 0
            if "NextToken" not in answer or len(found) >= limit:
                return found[:limit]
            page = {"NextToken": answer["NextToken"]}

    def cancel(self, query_id: str) -> None:
        """Stop a query; one that has ended stays as it is."""
        self._call("stop_query_execution", QueryExecutionId=query_id)

    def _call(self, operation: str, **arguments: Any) -> Any:
        with dependency(WHAT):
            try:
                return getattr(self._client, operation)(**arguments)
            except ClientError as error:
                if error_code(error) == "TooManyRequestsException":  # too many queries at once, or calls
                    raise UpstreamUnavailable(
                        "the history is busy; try again later", retry_after=RETRY_AFTER_S
                    ) from error
                if operation == "get_query_execution" and error_code(error) == "InvalidRequestException":
                    raise NotFound("there is no such query") from error
                raise
