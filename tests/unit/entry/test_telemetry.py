"""Telemetry: one line for each invocation, request ids, EMF; never headers, tokens or bodies."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.entry import telemetry
from tests.unit.entry.test_web import make_app


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = telemetry.logger.handlers[0]
    before = handler.stream  # type: ignore[attr-defined]
    handler.setStream(stream)  # type: ignore[attr-defined]
    yield stream
    handler.setStream(before)  # type: ignore[attr-defined]


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


class Context:
    aws_request_id = "invocation-1"
    function_name = "omnibus-dev-api_handler"


def request(path: str, body: str | None = None) -> dict[str, Any]:
    return {
        "requestContext": {"resourcePath": path, "httpMethod": "POST" if body else "GET", "requestId": "gateway-1"},
        "pathParameters": {"name": "x", "kind": "bug"},
        "multiValueQueryStringParameters": None,
        "headers": {"authorization": "Bearer very-secret-token", "content-type": "application/json"},
        "stageVariables": None,
        "body": body,
    }


def test_an_invocation_logs_its_ids_route_status_and_time(log: io.StringIO) -> None:
    make_app()(request("/things/{name}"), Context())
    (line,) = lines(log)
    assert line["message"] == "invocation done"
    assert (line["request_id"], line["function_request_id"]) == ("gateway-1", "invocation-1")
    assert (line["route"], line["status"]) == ("GET /things/{name}", 200)
    assert line["ms"] >= 0
    assert line["function_name"] == "omnibus-dev-api_handler"


def test_a_bug_logs_its_traceback_with_the_request_id(log: io.StringIO) -> None:
    make_app()(request("/raise/{kind}"), Context())
    line = next(line for line in lines(log) if line["level"] == "ERROR")
    assert "KeyError" in line["exception"]
    assert line["request_id"] == "gateway-1"


def test_neither_headers_nor_bodies_are_logged(log: io.StringIO) -> None:
    make_app()(request("/orders", '{"item": "my-private-body", "oops": 1}'), Context())
    make_app()(request("/raise/{kind}"), Context())
    assert "very-secret-token" not in log.getvalue()
    assert "my-private-body" not in log.getvalue()


def test_the_context_of_one_invocation_does_not_leak_into_the_next(log: io.StringIO) -> None:
    make_app()(request("/things/{name}"), Context())
    telemetry.logger.info("between")
    assert "request_id" not in lines(log)[-1]


def test_metrics_are_one_emf_line_with_units(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.emit("Omnibus/Test", {"Rows": (3, "Count"), "Time": (1.5, "Milliseconds")}, workload="flights")
    (line,) = capsys.readouterr().out.splitlines()
    emf = json.loads(line)
    directive = emf["_aws"]["CloudWatchMetrics"][0]
    assert directive["Namespace"] == "Omnibus/Test"
    assert {(metric["Name"], metric["Unit"]) for metric in directive["Metrics"]} == {
        ("Rows", "Count"),
        ("Time", "Milliseconds"),
    }
    assert emf["workload"] == "flights"
    assert emf["Rows"] in (3, [3])
