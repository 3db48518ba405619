"""The Data API's operations over statements, with AWS's names, limits, answers and errors."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import botocore.session

from local.redshift.dialect import Refused, copy_of, for_postgres, names_in, require_all
from local.redshift.statements import ENDED, Statement, Statements, Step, TooManyActive, Unfinished

MAX_SQL_BYTES = 100 * 1024
MAX_WAITING = 10
PAGE_OF_STATEMENTS = 100

MODEL = botocore.session.get_session().get_service_model("redshift-data")


class Fault(Exception):
    """An error of the service: its AWS name, its message, and further members of its shape."""

    def __init__(self, code: str, message: str, **members: str) -> None:
        super().__init__(message)
        self.code = code
        self.content = {"Message": message, **members}
        self.status = 500 if code == "InternalServerException" else 400


class DataApi:
    """Answers the operations; `target` names the cluster or workgroup and the database that exist here.

    `max_waiting` is the limit of long polls on one statement.
    """

    def __init__(
        self,
        statements: Statements,
        *,
        cluster: str = "omnibus",
        workgroup: str = "omnibus",
        database: str = "omnibus",
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.statements = statements
        self.max_waiting = max_waiting
        self._cluster = cluster
        self._workgroup = workgroup
        self._database = database
        self._operations: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "ExecuteStatement": self._execute,
            "BatchExecuteStatement": self._execute_batch,
            "DescribeStatement": self._describe,
            "GetStatementResult": self._result,
            "CancelStatement": self._cancel,
            "ListStatements": self._list,
        }

    def call(self, operation: str, request: Any) -> dict[str, Any]:
        """The answer of `operation`; Fault carries AWS's error."""
        handler = self._operations.get(operation)
        if handler is None:
            raise Fault("UnknownOperationException", f"Operation {operation} is not served here.")
        if not isinstance(request, dict):
            raise Fault("SerializationException", "The request is not a JSON object.")
        shape = MODEL.operation_model(operation).input_shape
        if problems := violations(shape, request):
            raise Fault("ValidationException", "; ".join(problems))
        return handler(request)

    def _execute(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._submit(request, [request["Sql"]], batch=False)

    def _execute_batch(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._submit(request, request["Sqls"], batch=True)

    def _submit(self, request: dict[str, Any], sqls: list[str], *, batch: bool) -> dict[str, Any]:
        target = self._target(request)
        if request.get("SessionId") or request.get("SessionKeepAliveSeconds"):
            raise Fault("ValidationException", "This server keeps no sessions.")
        if request.get("ResultFormat", "JSON") != "JSON":
            raise Fault("ValidationException", "This server answers in the JSON result format only.")
        if any(len(sql.encode()) > MAX_SQL_BYTES for sql in sqls):
            raise Fault("ValidationException", "Query statement size exceeded: the limit is 100 KB.")
        parameters = _parameters(request.get("Parameters") or [])
        try:
            _check(sqls, parameters)
            statement = self.statements.submit(
                sqls,
                parameters,
                target,
                name=request.get("StatementName", ""),
                batch=batch,
                atomic=request.get("ExecutionMode", "TRANSACTION") == "TRANSACTION",
                token=request.get("ClientToken"),
            )
        except (Refused, ValueError) as error:
            raise Fault("ValidationException", str(error)) from None
        except TooManyActive:
            raise Fault(
                "ActiveStatementsExceededException",
                f"Active statements exceeded the allowed quota ({self.statements.max_active}).",
            ) from None
        self._wait(statement, request)
        return {
            "Id": statement.id,
            "CreatedAt": statement.created_at,
            "Status": statement.status,
            "HasResultSet": statement.last.result is not None,
            **target,
        }

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        statement, step = self._find(request["Id"])
        self._wait(statement, request)
        one_step = ":" in request["Id"]
        answer: dict[str, Any] = {
            "Id": request["Id"],
            "Status": step.status if one_step else statement.status,
            "CreatedAt": statement.created_at,
            "UpdatedAt": step.updated_at if one_step else statement.updated_at,
            "Duration": step.duration_ns if one_step else statement.duration_ns,
            "HasResultSet": step.result is not None,
            "QueryString": step.sql,
            "RedshiftPid": statement.pid,
            "RedshiftQueryId": -1 if statement.status not in ENDED else 0,
            "ResultFormat": "JSON",
            "ResultRows": _rows(step),
            "ResultSize": step.result.size if step.result else 0,
            **statement.target,
        }
        if error := step.error if one_step else statement.error:
            answer["Error"] = error
        if statement.parameters:
            answer["QueryParameters"] = [{"name": k, "value": v} for k, v in statement.parameters.items()]
        if statement.batch and not one_step:
            answer.pop("QueryString")
            answer["SubStatements"] = [_sub_statement(step) for step in statement.steps]
        return answer

    def _result(self, request: dict[str, Any]) -> dict[str, Any]:
        statement, step = self._find(request["Id"])
        self._wait(statement, request)
        if step.result is None or statement.status != "FINISHED":
            raise Fault(
                "ResourceNotFoundException",
                "Query does not have result. Please check query status with DescribeStatement.",
                ResourceId=request["Id"],
            )
        page = _page_number(request.get("NextToken"), len(step.result.pages))
        answer: dict[str, Any] = {
            "Records": step.result.pages[page],
            "ColumnMetadata": step.result.columns,
            "TotalNumRows": step.result.rows,
        }
        if page + 1 < len(step.result.pages):
            answer["NextToken"] = f"page-{page + 1}"
        return answer

    def _cancel(self, request: dict[str, Any]) -> dict[str, Any]:
        statement, _ = self._find(request["Id"])
        try:
            self.statements.cancel(statement)
        except Unfinished as error:
            raise Fault(
                "ValidationException",
                f"Could not cancel a query that is already in {error} state with ID: {statement.id}",
            ) from None
        return {"Status": True}

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("Status", "FINISHED")
        found = [
            statement
            for statement in self.statements.recent()
            if (wanted in {"ALL", statement.status})
            and statement.name.startswith(request.get("StatementName", ""))
            and all(
                statement.target.get(key) == request[key]
                for key in ("ClusterIdentifier", "WorkgroupName", "Database")
                if key in request
            )
        ]
        size = request.get("MaxResults") or PAGE_OF_STATEMENTS
        page = _page_number(request.get("NextToken"), max(1, -(-len(found) // size)))
        answer: dict[str, Any] = {"Statements": [_listed(item) for item in found[page * size : (page + 1) * size]]}
        if (page + 1) * size < len(found):
            answer["NextToken"] = f"page-{page + 1}"
        return answer

    def _target(self, request: dict[str, Any]) -> dict[str, str]:
        cluster, workgroup = request.get("ClusterIdentifier"), request.get("WorkgroupName")
        if (cluster is None) == (workgroup is None):
            raise Fault("ValidationException", "Specify either ClusterIdentifier or WorkgroupName.")
        if cluster is not None and not (request.get("DbUser") or request.get("SecretArn")):
            raise Fault("ValidationException", "Specify DbUser or SecretArn for a provisioned cluster.")
        if cluster not in {None, self._cluster} or workgroup not in {None, self._workgroup}:
            raise Fault("ValidationException", "Redshift endpoint doesn't exist in this region.")
        if request.get("Database") != self._database:
            raise Fault("ValidationException", f"Database {request.get('Database')} does not exist.")
        keys = ("ClusterIdentifier", "WorkgroupName", "Database", "DbUser", "SecretArn")
        return {key: request[key] for key in keys if key in request}

    def _find(self, identity: str) -> tuple[Statement, Step]:
        found = self.statements.find(identity)
        if found is None:
            raise Fault("ResourceNotFoundException", "Query does not exist.", ResourceId=identity)
        return found

    def _wait(self, statement: Statement, request: dict[str, Any]) -> None:
        seconds = request.get("WaitTimeSeconds")
        if not seconds:
            return
        if statement.waiting >= self.max_waiting:
            raise Fault(
                "ActiveWaitingRequestsExceededException",
                "The number of active requests with WaitTimeSeconds for the statement exceeds the limit.",
            )
        statement.waiting += 1
        try:
            self.statements.wait(statement, seconds)
        finally:
            statement.waiting -= 1


def violations(shape: Any, value: Any, where: str = "") -> list[str]:
    """Where `value` violates `shape` of the service model: types, required members, enumerations, lengths, patterns."""
    kind = shape.type_name
    accepts = {"structure": dict, "list": list, "string": str, "boolean": bool, "integer": int, "long": int}.get(kind)
    wrong = accepts is not None and (not isinstance(value, accepts) or (accepts is int and isinstance(value, bool)))
    if wrong:
        return [f"Value at '{where}' failed to satisfy constraint: Member must be a {kind}"]
    if kind == "structure":
        found = [
            f"Value null at '{_join(where, name)}' failed to satisfy constraint: Member must not be null"
            for name in shape.required_members
            if value.get(name) is None
        ]
        for name, member in shape.members.items():
            if value.get(name) is not None:
                found += violations(member, value[name], _join(where, name))
        return found
    found = _limits(shape, value, where)
    if kind == "list":
        for number, item in enumerate(value, 1):
            found += violations(shape.member, item, f"{where}.{number}.member")
    return found


def _limits(shape: Any, value: Any, where: str) -> list[str]:
    limits = shape.metadata
    measured = value if isinstance(value, int) else len(value)
    noun = "value" if isinstance(value, int) else "length"
    broken = []
    if "min" in limits and measured < limits["min"]:
        broken.append(f"Member must have {noun} greater than or equal to {limits['min']}")
    if "max" in limits and measured > limits["max"]:
        broken.append(f"Member must have {noun} less than or equal to {limits['max']}")
    if "pattern" in limits and isinstance(value, str) and not re.fullmatch(limits["pattern"], value):
        broken.append(f"Member must satisfy regular expression pattern: {limits['pattern']}")
    if getattr(shape, "enum", None) and value not in shape.enum:
        broken.append(f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    return [f"Value at '{where}' failed to satisfy constraint: {text}" for text in broken]


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _check(sqls: list[str], parameters: Mapping[str, str]) -> None:
    used: set[str] = set()
    for sql in sqls:
        names = names_in(sql)
        used |= names
        copy_of(sql)
        for_postgres(sql, {name: value for name, value in parameters.items() if name in names})
    require_all(used, parameters)
    if unused := sorted(set(parameters) - used):
        raise Refused(f"Parameters list contains unused parameters. Unused parameters: [{', '.join(unused)}]")


def _parameters(given: list[dict[str, str]]) -> dict[str, str]:
    parameters = {item["name"]: item["value"] for item in given}
    if len(parameters) != len(given):
        raise Fault("ValidationException", "Parameters list contains duplicate names.")
    return parameters


def _page_number(token: str | None, pages: int) -> int:
    if token is None:
        return 0
    number = token.removeprefix("page-")
    if not number.isdigit() or int(number) >= pages:
        raise Fault("ValidationException", "Invalid NextToken.")
    return int(number)


def _rows(step: Step) -> int:
    return step.result.rows if step.result else step.affected


def _sub_statement(step: Step) -> dict[str, Any]:
    return {
        "Id": step.id,
        "Status": step.status,
        "CreatedAt": step.created_at,
        "UpdatedAt": step.updated_at,
        "Duration": step.duration_ns,
        "HasResultSet": step.result is not None,
        "QueryString": step.sql,
        "ResultRows": _rows(step),
        "ResultSize": step.result.size if step.result else 0,
        "RedshiftQueryId": 0,
        **({"Error": step.error} if step.error else {}),
    }


def _listed(statement: Statement) -> dict[str, Any]:
    shown = (
        {"QueryStrings": [step.sql for step in statement.steps]}
        if statement.batch
        else {"QueryString": statement.last.sql}
    )
    return {
        "Id": statement.id,
        "Status": statement.status,
        "StatementName": statement.name,
        "CreatedAt": statement.created_at,
        "UpdatedAt": statement.updated_at,
        "IsBatchStatement": statement.batch,
        "ResultFormat": "JSON",
        **shown,
    }
