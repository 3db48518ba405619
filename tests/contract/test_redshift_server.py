"""The local Redshift Data API against AWS's own description of it, and against its documented behaviour."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from local.redshift.api import MODEL, DataApi, Fault, violations
from local.redshift.dialect import Refused, copy_of, for_postgres
from local.redshift.server import RedshiftServer
from local.redshift.statements import ENDED
from tests.contract.warehouse import TARGET, sdk_client, served
from tests.patience import PATIENCE_S, until

CLUSTER = {"ClusterIdentifier": "omnibus", "DbUser": "app", "Database": "omnibus"}


@pytest.fixture(scope="module")
def server() -> Iterator[RedshiftServer]:
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def client(server: RedshiftServer) -> Any:
    return sdk_client(server.url)


def finished(client: Any, sql: str, **arguments: Any) -> str:
    answer = client.execute_statement(Sql=sql, WaitTimeSeconds=20, **{**TARGET, **arguments})
    assert answer["Status"] == "FINISHED", client.describe_statement(Id=answer["Id"]).get("Error")
    return str(answer["Id"])


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def raw(api: DataApi, operation: str, **request: Any) -> dict[str, Any]:
    """An operation's answer as it goes over the wire, checked against the service model's output shape."""
    answer = api.call(operation, request)
    check_shape(MODEL.operation_model(operation).output_shape, answer)
    return answer


def check_shape(shape: Any, value: Any, where: str = "") -> None:
    kind = shape.type_name
    if kind == "structure":
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{where}: {unknown} are not in the model"
        for name in shape.required_members:
            assert name in value, f"{where}.{name} is required"
        for name, part in value.items():
            check_shape(shape.members[name], part, f"{where}.{name}")
    elif kind == "list":
        for part in value:
            check_shape(shape.member, part, where)
    elif kind == "timestamp":
        assert isinstance(value, float)
    else:
        expected = {"string": str, "boolean": bool, "integer": int, "long": int, "double": float}[kind]
        assert type(value) is expected, f"{where} is {value!r}, the model says {kind}"
        if getattr(shape, "enum", None):
            assert value in shape.enum, f"{where}: {value}"


class TestModel:
    def test_every_answer_has_the_shape_of_the_service_model(self, server: RedshiftServer) -> None:
        api = server.api
        answer = raw(api, "ExecuteStatement", Sql="SELECT 1 AS one, NULL AS none", WaitTimeSeconds=10, **TARGET)
        raw(api, "DescribeStatement", Id=answer["Id"])
        raw(api, "GetStatementResult", Id=answer["Id"])
        batch = raw(api, "BatchExecuteStatement", Sqls=["SELECT 1", "SELECT 2"], WaitTimeSeconds=10, **TARGET)
        described = raw(api, "DescribeStatement", Id=batch["Id"])
        assert [step["Status"] for step in described["SubStatements"]] == ["FINISHED", "FINISHED"]
        raw(api, "DescribeStatement", Id=f"{batch['Id']}:2")
        assert raw(api, "GetStatementResult", Id=f"{batch['Id']}:2")["Records"] == [[{"longValue": 2}]]
        raw(api, "ListStatements", Status="ALL")

    def test_every_error_that_it_raises_is_declared_by_the_operation(self, server: RedshiftServer) -> None:
        failing: list[tuple[str, dict[str, Any]]] = [
            ("ExecuteStatement", {"Sql": "SELECT 1"}),
            ("ExecuteStatement", {"Sql": "SELECT :missing", **TARGET}),
            ("DescribeStatement", {"Id": "00000000-0000-0000-0000-000000000000"}),
            ("GetStatementResult", {"Id": "00000000-0000-0000-0000-000000000000"}),
            ("CancelStatement", {"Id": "nonsense"}),
            ("ListStatements", {"Status": "DONE"}),
        ]
        for operation, request in failing:
            with pytest.raises(Fault) as caught:
                server.api.call(operation, request)
            shapes = {shape.name: shape for shape in MODEL.operation_model(operation).error_shapes}
            assert caught.value.code in shapes, f"{operation} raised {caught.value.code}"
            assert set(caught.value.content) <= set(shapes[caught.value.code].members)
            assert set(shapes[caught.value.code].required_members) <= set(caught.value.content)

    @pytest.mark.parametrize(
        "request_",
        [
            {},
            {"Sql": 5},
            {"Sql": "SELECT 1", "WaitTimeSeconds": 0},
            {"Sql": "SELECT 1", "WaitTimeSeconds": 31},
            {"Sql": "SELECT 1", "ClientToken": "x" * 65},
            {"Sql": "SELECT 1", "Parameters": []},
            {"Sql": "SELECT :a", "Parameters": [{"name": "a", "value": ""}]},
        ],
    )
    def test_input_is_refused_where_the_model_refuses_it(self, request_: dict[str, Any]) -> None:
        shape = MODEL.operation_model("ExecuteStatement").input_shape
        by_botocore = ParamValidator().validate(request_, shape).has_errors()
        assert violations(shape, request_)
        limited = {"WaitTimeSeconds": 31, "ClientToken": "x" * 65}  # botocore checks minimums, not maximums
        assert by_botocore or any(request_.get(name) == value for name, value in limited.items())

    def test_a_request_that_is_not_signed_is_refused(self, server: RedshiftServer) -> None:
        from botocore import UNSIGNED

        unsigned = sdk_client(server.url, signature_version=UNSIGNED)
        with pytest.raises(ClientError) as caught:
            unsigned.list_statements()
        assert code_of(caught) == "MissingAuthenticationTokenException"

    def test_operations_that_it_lacks_say_so(self, client: Any) -> None:
        with pytest.raises(ClientError) as caught:
            client.list_databases(**TARGET)
        assert code_of(caught) == "UnknownOperationException"


class TestLife:
    def test_a_statement_goes_through_every_status(self, server: RedshiftServer, client: Any) -> None:
        identity = finished(client, "SELECT 1")
        found = server.api.statements.find(identity)
        assert found is not None
        assert found[0].history == ["SUBMITTED", "PICKED", "STARTED", "FINISHED"]

    def test_it_is_asynchronous(self) -> None:
        with served(slots=1) as busy:
            sdk = sdk_client(busy.url)
            slow = sdk.execute_statement(Sql="SELECT pg_sleep(600)", **TARGET)["Id"]
            until(lambda: sdk.describe_statement(Id=slow)["Status"] == "STARTED")
            queued = sdk.execute_statement(Sql="SELECT 2", **TARGET)
            assert queued["Status"] == "SUBMITTED"
            assert sdk.describe_statement(Id=queued["Id"], WaitTimeSeconds=1)["Status"] == "SUBMITTED"
            assert sdk.cancel_statement(Id=queued["Id"])["Status"] is True
            assert sdk.cancel_statement(Id=slow)["Status"] is True
            assert sdk.describe_statement(Id=slow, WaitTimeSeconds=10)["Status"] == "ABORTED"
            assert sdk.describe_statement(Id=queued["Id"])["Status"] == "ABORTED"
            again = sdk.execute_statement(Sql="SELECT 3", WaitTimeSeconds=10, **TARGET)
            assert again["Status"] == "FINISHED", "the slot is free again"

    def test_a_failure_tells_the_engines_reason(self, client: Any) -> None:
        answer = client.execute_statement(Sql="SELECT * FROM no_such_table", WaitTimeSeconds=10, **TARGET)
        described = client.describe_statement(Id=answer["Id"])
        assert described["Status"] == "FAILED"
        assert described["Error"] == 'ERROR: relation "no_such_table" does not exist'
        with pytest.raises(ClientError) as caught:
            client.get_statement_result(Id=answer["Id"])
        assert code_of(caught) == "ResourceNotFoundException"

    def test_a_finished_statement_cannot_be_cancelled(self, client: Any) -> None:
        identity = finished(client, "SELECT 1")
        with pytest.raises(ClientError) as caught:
            client.cancel_statement(Id=identity)
        assert code_of(caught) == "ValidationException"
        assert "FINISHED state" in str(caught.value)

    def test_long_polls_end_when_the_statement_does(self, client: Any) -> None:
        started = time.monotonic()
        answer = client.execute_statement(Sql="SELECT pg_sleep(0.2)", WaitTimeSeconds=20, **TARGET)
        assert answer["Status"] == "FINISHED"
        assert time.monotonic() - started < 20

    def test_a_batch_is_one_transaction(self, client: Any) -> None:
        finished(client, "CREATE TABLE IF NOT EXISTS notes (note VARCHAR(10)) DISTSTYLE ALL SORTKEY (note)")
        finished(client, "DELETE FROM notes")
        answer = client.batch_execute_statement(
            Sqls=["INSERT INTO notes VALUES ('kept?')", "SELECT 1/0"], WaitTimeSeconds=10, **TARGET
        )
        described = client.describe_statement(Id=answer["Id"])
        assert described["Status"] == "FAILED"
        assert described["Error"] == "ERROR: division by zero"
        assert count_of(client, "notes") == 0
        client.batch_execute_statement(
            Sqls=["INSERT INTO notes VALUES ('kept')", "SELECT 1/0"],
            ExecutionMode="AUTO_COMMIT",
            WaitTimeSeconds=10,
            **TARGET,
        )
        assert count_of(client, "notes") == 1

    def test_statements_are_listed(self, client: Any) -> None:
        named = finished(client, "SELECT 77", StatementName="monthly-report")
        listed = client.list_statements(StatementName="monthly", Status="FINISHED")["Statements"]
        assert named in [statement["Id"] for statement in listed]
        first = client.list_statements(Status="ALL", MaxResults=1)
        assert len(first["Statements"]) == 1
        second = client.list_statements(Status="ALL", MaxResults=1, NextToken=first["NextToken"])
        assert second["Statements"][0]["Id"] != first["Statements"][0]["Id"]


class TestRequests:
    def test_the_same_client_token_is_the_same_statement(self, client: Any) -> None:
        first = client.execute_statement(Sql="SELECT 1", ClientToken="t-1", **TARGET)["Id"]
        again = client.execute_statement(Sql="SELECT 1", ClientToken="t-1", **TARGET)["Id"]
        assert first == again
        with pytest.raises(ClientError) as caught:
            client.execute_statement(Sql="SELECT 2", ClientToken="t-1", **TARGET)
        assert code_of(caught) == "ValidationException"

    @pytest.mark.parametrize(
        "target",
        [
            {"Database": "omnibus"},
            {**CLUSTER, "WorkgroupName": "omnibus"},
            {"ClusterIdentifier": "omnibus", "Database": "omnibus"},
            {"WorkgroupName": "another", "Database": "omnibus"},
            {"WorkgroupName": "omnibus", "Database": "another"},
        ],
    )
    def test_the_target_must_exist_and_be_named_once(self, client: Any, target: dict[str, str]) -> None:
        with pytest.raises(ClientError) as caught:
            client.execute_statement(Sql="SELECT 1", **target)
        assert code_of(caught) == "ValidationException"

    def test_a_cluster_is_a_target_too(self, client: Any) -> None:
        answer = client.execute_statement(Sql="SELECT 1", WaitTimeSeconds=10, **CLUSTER)
        assert answer["ClusterIdentifier"] == "omnibus"
        assert answer["Status"] == "FINISHED"

    def test_parameters_are_bound_as_values(self, client: Any) -> None:
        hostile = "'; DROP TABLE notes; --"
        identity = finished(
            client,
            "SELECT ':literal' AS a, :text AS b, CAST(:number AS INTEGER) + 1 AS c, '5'::INTEGER % 3 AS d -- :comment",
            Parameters=[{"name": "text", "value": hostile}, {"name": "number", "value": "41"}],
        )
        assert client.get_statement_result(Id=identity)["Records"] == [
            [{"stringValue": ":literal"}, {"stringValue": hostile}, {"longValue": 42}, {"longValue": 2}]
        ]

    @pytest.mark.parametrize(
        ("sql", "parameters", "reason"),
        [
            ("SELECT :a", [{"name": "b", "value": "1"}], "missing values for: [a]"),
            ("SELECT :a", [{"name": "a", "value": "1"}, {"name": "b", "value": "1"}], "unused parameters"),
            ("SELECT :a", [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}], "duplicate"),
            ("SELECT 1; SELECT 2", None, "Multi-statement"),
            (f"SELECT '{'x' * 102_400}'", None, "100 KB"),
        ],
    )
    def test_what_the_service_refuses(self, client: Any, sql: str, parameters: Any, reason: str) -> None:
        arguments = {"Parameters": parameters} if parameters else {}
        with pytest.raises(ClientError) as caught:
            client.execute_statement(Sql=sql, **arguments, **TARGET)
        assert code_of(caught) == "ValidationException"
        assert reason in str(caught.value)

    def test_active_statements_are_limited(self) -> None:
        with served(slots=1, max_active=2) as busy:
            sdk = sdk_client(busy.url)
            for _ in range(2):
                sdk.execute_statement(Sql="SELECT pg_sleep(600)", **TARGET)
            with pytest.raises(ClientError) as caught:
                sdk.execute_statement(Sql="SELECT 1", **TARGET)
            assert code_of(caught) == "ActiveStatementsExceededException"

    def test_long_polls_of_one_statement_are_limited(self) -> None:
        with served(slots=1, max_waiting=1) as busy:
            sdk = sdk_client(busy.url)
            slow = sdk.execute_statement(Sql="SELECT pg_sleep(600)", **TARGET)["Id"]
            statement = busy.api.statements.find(slow)
            assert statement is not None
            waiting = threading.Thread(target=sdk.describe_statement, kwargs={"Id": slow, "WaitTimeSeconds": 20})
            waiting.start()
            until(lambda: statement[0].waiting == 1)
            with pytest.raises(ClientError) as caught:
                sdk.describe_statement(Id=slow, WaitTimeSeconds=20)
            sdk.cancel_statement(Id=slow)
            waiting.join(timeout=PATIENCE_S)
            assert code_of(caught) == "ActiveWaitingRequestsExceededException"
            assert statement[0].status in ENDED


class TestResults:
    def test_types(self, client: Any) -> None:
        identity = finished(
            client,
            "SELECT CAST(12.30 AS DECIMAL(8, 2)) AS money, CAST('2026-11-21' AS DATE) AS day, "
            "CAST('2026-11-21 10:00:00.5' AS TIMESTAMP) AS moment, 7 AS whole, CAST(0.5 AS DOUBLE PRECISION) AS half, "
            "1 = 1 AS yes, CAST(NULL AS INTEGER) AS nothing, CAST('é' AS VARCHAR(5)) AS text",
        )
        result = client.get_statement_result(Id=identity)
        types = {column["label"]: column["typeName"] for column in result["ColumnMetadata"]}
        assert types == {
            "money": "numeric", "day": "date", "moment": "timestamp", "whole": "int4", "half": "float8", "yes": "bool",
            "nothing": "int4", "text": "varchar",
        }  # fmt: skip
        assert result["Records"] == [
            [
                {"stringValue": "12.30"}, {"stringValue": "2026-11-21"}, {"stringValue": "2026-11-21 10:00:00.5"},
                {"longValue": 7}, {"doubleValue": 0.5}, {"booleanValue": True}, {"isNull": True}, {"stringValue": "é"},
            ]
        ]  # fmt: skip

    def test_pages(self) -> None:
        with served(page_bytes=500) as paged:
            sdk = sdk_client(paged.url)
            identity = finished(sdk, "SELECT n FROM generate_series(1, 100) AS n")
            pages = list(sdk.get_paginator("get_statement_result").paginate(Id=identity))
            assert len(pages) > 2
            assert [record[0]["longValue"] for page in pages for record in page["Records"]] == list(range(1, 101))
            assert pages[0]["TotalNumRows"] == 100
            with pytest.raises(ClientError) as caught:
                sdk.get_statement_result(Id=identity, NextToken="page-9999")
            assert code_of(caught) == "ValidationException"

    def test_a_statement_without_a_result_set_says_so(self, client: Any) -> None:
        identity = finished(client, "CREATE TABLE IF NOT EXISTS empty_one (n INTEGER)")
        assert client.describe_statement(Id=identity)["HasResultSet"] is False
        with pytest.raises(ClientError) as caught:
            client.get_statement_result(Id=identity)
        assert code_of(caught) == "ResourceNotFoundException"

    def test_a_row_over_64_kb_fails_the_statement(self, client: Any) -> None:
        answer = client.execute_statement(Sql="SELECT repeat('x', 70000)", WaitTimeSeconds=10, **TARGET)
        described = client.describe_statement(Id=answer["Id"])
        assert described["Status"] == "FAILED"
        assert "Row size exceeded" in described["Error"]

    def test_copy_loads_csv_objects(self) -> None:
        import gzip

        stored = {"season/a.csv.gz": gzip.compress(b"1,one\n2,two\n"), "season/b.csv.gz": gzip.compress(b"3,three\n")}

        def objects(bucket: str, prefix: str) -> Iterator[bytes]:
            assert bucket == "lake"
            return (content for key, content in sorted(stored.items()) if key.startswith(prefix))

        with served(objects=objects) as loading:
            sdk = sdk_client(loading.url)
            finished(sdk, "CREATE TABLE IF NOT EXISTS copied (n INTEGER, word VARCHAR(10))")
            finished(sdk, "DELETE FROM copied")
            copy = "COPY copied (n, word) FROM 's3://lake/{}' IAM_ROLE default FORMAT AS CSV GZIP"
            identity = finished(sdk, copy.format("season/"))
            assert sdk.describe_statement(Id=identity)["ResultRows"] >= 0
            assert count_of(sdk, "copied") == 3
            answer = sdk.execute_statement(Sql=copy.format("nowhere/"), WaitTimeSeconds=10, **TARGET)
            assert answer["Status"] == "FAILED"

    def test_a_copy_that_cannot_be_read_fails_and_the_next_statement_runs(self) -> None:
        import gzip

        def objects(bucket: str, prefix: str) -> Iterator[bytes]:
            if bucket == "nowhere":
                raise ClientError({"Error": {"Code": "NoSuchBucket"}}, "ListObjectsV2")
            yield gzip.compress(b"1,one\n" * 1000)[:-20]

        with served(slots=1, objects=objects) as loading:
            sdk = sdk_client(loading.url)
            finished(sdk, "CREATE TABLE IF NOT EXISTS copied (n INTEGER, word VARCHAR(10))")
            for bucket in ("nowhere", "cut"):
                copy = f"COPY copied (n, word) FROM 's3://{bucket}/a' IAM_ROLE default FORMAT AS CSV GZIP"
                answer = sdk.execute_statement(Sql=copy, WaitTimeSeconds=5, **TARGET)
                assert answer["Status"] == "FAILED", bucket
                assert sdk.describe_statement(Id=answer["Id"])["Error"].startswith("ERROR: ")
            finished(sdk, "SELECT 1")


class TestDialect:
    def test_table_attributes_are_dropped_outside_literals(self) -> None:
        sql = "CREATE TABLE t (a VARCHAR(9) DEFAULT 'SORTKEY (a)' ENCODE zstd) DISTSTYLE KEY DISTKEY (a) SORTKEY (a)"
        translated = " ".join(for_postgres(sql, {}).split())
        assert translated == "CREATE TABLE t (a VARCHAR(9) DEFAULT 'SORTKEY (a)' )"

    def test_copy_needs_a_role_and_csv(self) -> None:
        with pytest.raises(Refused, match="IAM_ROLE"):
            copy_of("COPY t FROM 's3://b/k' FORMAT AS CSV")
        with pytest.raises(Refused, match="CSV"):
            copy_of("COPY t FROM 's3://b/k' IAM_ROLE default FORMAT AS PARQUET")
        assert copy_of("SELECT 'COPY t FROM'") is None


def count_of(client: Any, table: str) -> int:
    identity = finished(client, f"SELECT COUNT(*) FROM {table}")
    return int(client.get_statement_result(Id=identity)["Records"][0][0]["longValue"])
