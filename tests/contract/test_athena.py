"""The history's engine: Athena's answers, validated by botocore, in every state of a query."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import ANY, Stubber

from chalicelib.adapters.flights.athena import AthenaHistory
from chalicelib.errors import NotFound, UpstreamError, UpstreamRejected, UpstreamUnavailable
from chalicelib.flights.statements import statement

QUERY = "0" * 36
ASKED = statement("SELECT ? FROM states WHERE icao24 = ?", 5, "3950d0")
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(boto3.client("athena")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def adapter(stub: Stubber, *, binds: bool = True) -> AthenaHistory:
    return AthenaHistory(stub.client, workgroup="flights", database="db", binds=binds)


def execution(status: str, **changes: Any) -> dict[str, Any]:
    return {
        "QueryExecution": {
            "Query": ASKED.text,
            "ExecutionParameters": list(ASKED.literals),
            "WorkGroup": "flights",
            "Status": {"State": status, "SubmissionDateTime": NOW},
            "Statistics": {"DataScannedInBytes": 4096},
            **changes,
        }
    }


def test_values_are_bound_as_literals_and_answers_are_reused(stub: Stubber) -> None:
    expected = {
        "QueryString": ASKED.text,
        "ExecutionParameters": ["5", "'3950d0'"],
        "WorkGroup": "flights",
        "QueryExecutionContext": {"Database": "db"},
        "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}},
    }
    stub.add_response("start_query_execution", {"QueryExecutionId": QUERY}, expected)
    assert adapter(stub).start(ASKED, reuse_s=3600) == QUERY


def test_an_engine_that_binds_nothing_gets_the_same_literals_spelled_out(stub: Stubber) -> None:
    expected = {
        "QueryString": "SELECT 5 FROM states WHERE icao24 = '3950d0'",
        "WorkGroup": "flights",
        "QueryExecutionContext": ANY,
    }
    stub.add_response("start_query_execution", {"QueryExecutionId": QUERY}, expected)
    assert adapter(stub, binds=False).start(ASKED, reuse_s=0) == QUERY


@pytest.mark.parametrize("status", ["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"])
def test_every_state_is_told(stub: Stubber, status: str) -> None:
    stub.add_response("get_query_execution", execution(status))
    engine = adapter(stub)
    state = engine.state(QUERY)
    assert (state.status, state.bytes_scanned, state.submitted, state.reason) == (status, 4096, NOW, "")
    assert engine.answers(state, ASKED)
    assert not engine.answers(state, statement("SELECT ? FROM states WHERE icao24 = ?", 6, "3950d0"))


def test_a_query_of_another_work_group_is_none_of_ours(stub: Stubber) -> None:
    stub.add_response("get_query_execution", execution("SUCCEEDED", WorkGroup="finance"))
    with pytest.raises(NotFound):
        adapter(stub).state(QUERY)
    stub.add_client_error("get_query_execution", "InvalidRequestException", http_status_code=400)
    with pytest.raises(NotFound):
        adapter(stub).state(QUERY)


def page(rows: list[list[str | None]], token: str | None = None) -> dict[str, Any]:
    data = [{"Data": [{} if value is None else {"VarCharValue": value} for value in row]} for row in rows]
    return {"ResultSet": {"Rows": data}, **({"NextToken": token} if token else {})}


def test_rows_come_in_pages_after_the_names_with_nulls(stub: Stubber) -> None:
    wanted = {"QueryExecutionId": QUERY, "MaxResults": 1000}
    first = [["a", "b"], *([str(n), None] for n in range(999))]
    stub.add_response("get_query_results", page(first, "t1"), wanted)
    second = [[str(n), "x"] for n in range(999, 1999)]
    stub.add_response("get_query_results", page(second, "t2"), wanted | {"NextToken": "t1"})
    stub.add_response("get_query_results", page([["1999", "x"]]), wanted | {"NextToken": "t2"})
    rows = adapter(stub).rows(QUERY, 5000)
    assert [row[0] for row in rows] == [str(n) for n in range(2000)]
    assert rows[0][1] is None


def test_no_more_rows_are_fetched_than_are_wanted(stub: Stubber) -> None:
    wanted = {"QueryExecutionId": QUERY, "MaxResults": 3}
    stub.add_response("get_query_results", page([["a"], ["1"], ["2"]], "more"), wanted)
    assert adapter(stub).rows(QUERY, 2) == [["1"], ["2"]]
    stub.add_response("get_query_results", page([["a"]]), {"QueryExecutionId": QUERY, "MaxResults": 1000})
    assert adapter(stub).rows(QUERY, 2000) == []


def test_a_query_is_cancelled(stub: Stubber) -> None:
    stub.add_response("stop_query_execution", {}, {"QueryExecutionId": QUERY})
    adapter(stub).cancel(QUERY)


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("TooManyRequestsException", 400, UpstreamUnavailable),
        ("ThrottlingException", 400, UpstreamUnavailable),
        ("InternalServerException", 500, UpstreamUnavailable),
        ("InvalidRequestException", 400, UpstreamRejected),  # the work group is missing, or disabled
        ("AccessDeniedException", 400, UpstreamRejected),
    ],
)
def test_a_query_that_cannot_be_started_is_an_upstream_error(
    stub: Stubber, code: str, status: int, expected: type[UpstreamError]
) -> None:
    stub.add_client_error("start_query_execution", code, http_status_code=status)
    with pytest.raises(expected) as caught:
        adapter(stub).start(ASKED, reuse_s=0)
    if expected is UpstreamUnavailable:
        assert caught.value.retry_after


def test_nobody_there_is_unavailable() -> None:
    class Client:
        def start_query_execution(self, **_: Any) -> None:
            raise EndpointConnectionError(endpoint_url="https://athena.example")

    with pytest.raises(UpstreamUnavailable):
        AthenaHistory(Client(), workgroup="flights", database="db", binds=True).start(ASKED, reuse_s=0)
