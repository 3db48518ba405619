"""Our Data API adapter on the local server: waiting, cancelling, paging, types, and errors in our terms."""

import logging
import socket
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from chalicelib.adapters.redshift import RedshiftData, records_of
from chalicelib.errors import UpstreamRejected, UpstreamTimeout, UpstreamUnavailable
from local.redshift.server import RedshiftServer
from tests.contract.warehouse import TARGET, adapter, sdk_client, served
from tests.patience import BUDGETS_S, PATIENCE_S


@pytest.fixture(scope="module")
def server() -> Iterator[RedshiftServer]:
    with served() as running:
        yield running


@pytest.fixture
def redshift(server: RedshiftServer) -> RedshiftData:
    return adapter(server.url)


class Watched:
    """A client that notes the operations it is asked for, and may change what comes back."""

    def __init__(self, client: Any, **answers: Any) -> None:
        self._client = client
        self._answers = answers
        self.meta = client.meta
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.calls.append((operation, arguments))
            if operation in self._answers:
                return self._answers[operation](self._client, arguments)
            return getattr(self._client, operation)(**arguments)

        return call

    def count(self, operation: str) -> int:
        return sum(name == operation for name, _ in self.calls)


def watching(server: RedshiftServer, *, budget_s: float = PATIENCE_S, **answers: Any) -> tuple[RedshiftData, Watched]:
    client = Watched(sdk_client(server.url), **answers)
    return RedshiftData(client, TARGET, budget_s=budget_s), client


class TestAnswers:
    def test_values_have_their_types(self, redshift: RedshiftData) -> None:
        row = redshift.rows(
            "SELECT CAST(12.30 AS DECIMAL(8, 2)) AS money, CAST(:day AS DATE) AS day, "
            "CAST(:moment AS TIMESTAMP) AS moment, "
            "CAST('2026-11-21 10:00:00+00' AS TIMESTAMPTZ) AS instant, 7 AS whole, "
            "CAST(0.5 AS DOUBLE PRECISION) AS half, 1 = 1 AS yes, CAST(NULL AS DECIMAL(8, 2)) AS nothing, "
            "CAST(:text AS VARCHAR(50)) AS text",
            {"day": date(2026, 11, 21), "moment": datetime(2026, 11, 21, 10, 0, 0, 500_000), "text": "O'Neill; --"},
        )[0]
        assert row == {
            "money": Decimal("12.30"),
            "day": date(2026, 11, 21),
            "moment": datetime(2026, 11, 21, 10, 0, 0, 500_000),
            "instant": datetime(2026, 11, 21, 10, tzinfo=UTC),
            "whole": 7,
            "half": 0.5,
            "yes": True,
            "nothing": None,
            "text": "O'Neill; --",
        }
        assert str(row["money"]) == "12.30", "a scale is part of an amount"

    def test_money_is_never_a_float(self) -> None:
        columns = [{"name": "amount", "typeName": "numeric"}]
        assert records_of(columns, [[{"stringValue": "0.10"}], [{"isNull": True}]]) == [
            {"amount": Decimal("0.10")},
            {"amount": None},
        ]

    def test_every_page_is_read(self) -> None:
        with served(page_bytes=400) as paged:
            redshift, client = watching(paged)
            rows = redshift.rows("SELECT n FROM generate_series(1, 60) AS n")
        assert [row["n"] for row in rows] == list(range(1, 61))
        assert client.count("get_statement_result") > 2

    def test_a_transaction_tells_how_many_rows_it_wrote(self, redshift: RedshiftData) -> None:
        redshift.run(["CREATE TABLE IF NOT EXISTS tally (n INTEGER)", "DELETE FROM tally"])
        assert redshift.run(["INSERT INTO tally VALUES (1), (2), (3)"]) == 3
        with pytest.raises(UpstreamRejected):
            redshift.run(["INSERT INTO tally VALUES (4)", "SELECT 1/0"])
        assert redshift.rows("SELECT COUNT(*) AS n FROM tally")[0]["n"] == 3


class TestWaiting:
    def test_it_long_polls_instead_of_asking_again_and_again(self, server: RedshiftServer) -> None:
        redshift, client = watching(server)
        redshift.rows("SELECT pg_sleep(0.3)")
        assert client.count("describe_statement") == 0, "the execution itself waited"
        assert client.calls[0][1]["WaitTimeSeconds"] == 20

    def test_an_sdk_without_long_polls_asks_with_pauses_that_grow(self, server: RedshiftServer) -> None:
        client = Watched(sdk_client(server.url))
        pauses: list[float] = []

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            time.sleep(seconds)

        redshift = RedshiftData(client, TARGET, budget_s=PATIENCE_S, sleep=sleep)
        redshift._long_polls = False  # what an older SDK's service model makes of it
        redshift.rows("SELECT pg_sleep(0.5)")
        assert all("WaitTimeSeconds" not in arguments for _, arguments in client.calls)
        assert client.count("describe_statement") == len(pauses) >= 3
        assert max(pauses) > min(pauses)

    def test_where_too_many_wait_it_asks_instead(self) -> None:
        with served(max_waiting=0) as crowded:
            client = Watched(sdk_client(crowded.url))
            client._answers["execute_statement"] = lambda real, arguments: real.execute_statement(
                **{name: value for name, value in arguments.items() if name != "WaitTimeSeconds"}
            )
            redshift = RedshiftData(client, TARGET, budget_s=PATIENCE_S)
            assert redshift.rows("SELECT pg_sleep(0.1), 5 AS n")[0]["n"] == 5

    def test_over_budget_it_cancels_and_says_timeout(self, server: RedshiftServer) -> None:
        for budget_s in (1.2, *BUDGETS_S[1:]):
            redshift, client = watching(server, budget_s=budget_s)
            started = time.monotonic()
            with pytest.raises(UpstreamTimeout):
                redshift.rows("SELECT pg_sleep(600)")
            assert time.monotonic() - started < PATIENCE_S
            if client.count("execute_statement"):  # else to prepare it took the whole budget
                break
        assert client.count("cancel_statement") == 1
        statement = server.api.statements.recent()[0]
        server.api.statements.wait(statement, PATIENCE_S)
        assert statement.status == "ABORTED"

    def test_what_it_cannot_ask_after_any_more_it_cancels(self, server: RedshiftServer) -> None:
        def not_waited_for(real: Any, arguments: dict[str, Any]) -> Any:
            return real.execute_statement(**{name: arguments[name] for name in arguments if name != "WaitTimeSeconds"})

        def throttled(_real: Any, _arguments: dict[str, Any]) -> Any:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "DescribeStatement")

        redshift, client = watching(server, execute_statement=not_waited_for, describe_statement=throttled)
        with pytest.raises(UpstreamUnavailable):
            redshift.rows("SELECT pg_sleep(600)")
        assert client.count("cancel_statement") == 1
        statement = server.api.statements.recent()[0]
        server.api.statements.wait(statement, PATIENCE_S)
        assert statement.status == "ABORTED", "it would go on, and cost, for nobody"


class TestFailures:
    def test_a_failed_statement_is_a_502_without_its_sql(
        self, redshift: RedshiftData, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.ERROR), pytest.raises(UpstreamRejected) as caught:
            redshift.rows("SELECT secret_column FROM no_such_table")
        assert "no_such_table" not in caught.value.message
        assert "no_such_table" in caplog.text, "the log has the reason"

    def test_an_aborted_one_may_be_tried_again(self, server: RedshiftServer) -> None:
        def cancelled(real: Any, arguments: dict[str, Any]) -> Any:
            arguments.pop("WaitTimeSeconds")
            answer = real.execute_statement(**arguments)
            real.cancel_statement(Id=answer["Id"])
            return answer

        redshift, _ = watching(server, execute_statement=cancelled)
        with pytest.raises(UpstreamUnavailable) as caught:
            redshift.rows("SELECT pg_sleep(600)")
        assert caught.value.retry_after

    def test_a_statement_without_a_result_set(self, redshift: RedshiftData) -> None:
        with pytest.raises(UpstreamRejected, match="without a result"):
            redshift.rows("CREATE TABLE IF NOT EXISTS nothing_to_see (n INTEGER)")

    def test_a_result_that_is_gone(self, server: RedshiftServer) -> None:
        def gone(real: Any, arguments: dict[str, Any]) -> Any:
            return real.get_statement_result(Id="00000000-0000-0000-0000-000000000000")

        redshift, _ = watching(server, get_statement_result=gone)
        with pytest.raises(UpstreamRejected, match="without a result"):
            redshift.rows("SELECT 1")

    def test_throttling_is_a_503_that_says_when(self) -> None:
        with served(slots=1, max_active=0) as full, pytest.raises(UpstreamUnavailable) as caught:
            adapter(full.url).rows("SELECT 1")
        assert caught.value.retry_after

    def test_a_warehouse_that_cannot_be_reached(self) -> None:
        with pytest.raises(UpstreamUnavailable) as caught:
            adapter("http://127.0.0.1:9").rows("SELECT 1")
        assert caught.value.retry_after

    def test_another_workgroup_is_a_502(self, server: RedshiftServer) -> None:
        redshift = RedshiftData(sdk_client(server.url), {**TARGET, "WorkgroupName": "another"}, budget_s=PATIENCE_S)
        with pytest.raises(UpstreamRejected):
            redshift.rows("SELECT 1")

    def test_each_request_has_a_token_so_that_a_lost_answer_runs_nothing_twice(self, server: RedshiftServer) -> None:
        lost: list[str] = []

        def answer_lost_once(real: Any, arguments: dict[str, Any]) -> Any:
            answer = real.batch_execute_statement(**arguments)
            if not lost:
                lost.append(arguments["ClientToken"])
                again = real.batch_execute_statement(**arguments)  # what botocore does after a lost answer
                assert again["Id"] == answer["Id"]
            return answer

        redshift, client = watching(server, batch_execute_statement=answer_lost_once)
        redshift.run(["CREATE TABLE IF NOT EXISTS once (n INTEGER)", "DELETE FROM once"])
        redshift.run(["INSERT INTO once VALUES (1)"])
        assert redshift.rows("SELECT COUNT(*) AS n FROM once")[0]["n"] == 1
        tokens = [arguments["ClientToken"] for _, arguments in client.calls if "ClientToken" in arguments]
        assert len(set(tokens)) == len(tokens)

    def test_a_closed_connection_is_a_503(self, server: RedshiftServer) -> None:
        def closed(real: Any, arguments: dict[str, Any]) -> Any:
            raise ConnectionClosedError(endpoint_url="https://redshift-data")

        redshift, _ = watching(server, describe_statement=closed, execute_statement=closed)
        with pytest.raises(UpstreamUnavailable):
            redshift.rows("SELECT 1")


class TestCache:
    def test_the_same_question_is_answered_from_memory_while_it_is_fresh(self, server: RedshiftServer) -> None:
        now = [0.0]
        client = Watched(sdk_client(server.url))
        redshift = RedshiftData(client, TARGET, budget_s=30, clock=lambda: now[0])
        ask = "SELECT CAST(:n AS INTEGER) AS n"
        for _ in range(3):
            assert redshift.rows(ask, {"n": 1}, fresh_for_s=60)[0]["n"] == 1
        assert client.count("execute_statement") == 1
        assert redshift.rows(ask, {"n": 2}, fresh_for_s=60)[0]["n"] == 2
        now[0] = 61.0
        redshift.rows(ask, {"n": 1}, fresh_for_s=60)
        assert client.count("execute_statement") == 3

    def test_failures_are_not_remembered(self, server: RedshiftServer) -> None:
        redshift, client = watching(server)
        for _ in range(2):
            with pytest.raises(UpstreamRejected):
                redshift.rows("SELECT 1/0", fresh_for_s=60)
        assert client.count("execute_statement") == 2

    def test_memory_is_bounded(self, redshift: RedshiftData) -> None:
        for number in range(140):
            redshift._cache.keep(number, [], 60)
        assert redshift._cache.find(0) is None
        assert redshift._cache.find(139) == []


def test_a_warehouse_that_does_not_answer_is_away_for_a_while() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        client = boto3.client(
            "redshift-data",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=0.2),
        )
        with pytest.raises(UpstreamUnavailable) as caught:
            RedshiftData(client, TARGET, budget_s=5).rows("SELECT 1")
    assert caught.value.retry_after
