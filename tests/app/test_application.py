"""Properties of the application as a whole."""

import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.entry import telemetry
from chalicelib.entry.health import Health
from chalicelib.entry.operations import Watch
from chalicelib.errors import UpstreamUnavailable
from chalicelib.wiring import Services
from tests.environment import OPERATOR_TOKEN
from tests.patience import PATIENCE_S

OPERATOR = {"X-Operator-Token": OPERATOR_TOKEN}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged meanwhile."""
    stream = io.StringIO()
    handler: Any = telemetry.logger.handlers[0]
    before = handler.setStream(stream)
    yield stream
    handler.setStream(before)


def test_health_answers(api: Any) -> None:
    answer = api("GET", "/health")
    assert (answer.status, answer.body) == (200, {"status": "ok", "dependencies": {}})


def test_the_deep_report_is_for_operators(api: Any) -> None:
    assert api("GET", "/health?deep=1").status == 403
    assert api("GET", "/health?deep=1", headers={"X-Operator-Token": "wrong"}).status == 403
    assert api("GET", "/health?deep=maybe", headers=OPERATOR).status == 400


@pytest.mark.slow
def test_the_deep_report_has_a_deadline_for_each_dependency(api: Any, services: Services, log: io.StringIO) -> None:
    released = threading.Event()

    def hang() -> None:
        released.wait(PATIENCE_S)

    def down() -> None:
        raise UpstreamUnavailable("the warehouse cannot be reached")

    def bug() -> None:
        raise KeyError("internal")

    def slow() -> None:
        raise TimeoutError("in its own words")

    checks = {"down": down, "hangs": hang, "bug": bug, "slow": slow, "fine": lambda: None}
    services.health = Health(checks, deadline_s=2.0)
    answer = api("GET", "/health?deep=1", headers=OPERATOR)
    released.set()
    assert answer.status == 200
    assert answer.body["status"] == "degraded"
    found = {name: each.get("problem", "") for name, each in answer.body["dependencies"].items()}
    assert found == {
        "down": "the warehouse cannot be reached",
        "hangs": "no answer within 2 s",
        "bug": "failed",
        "slow": "failed",
        "fine": "",
    }
    took = {name: each["ms"] for name, each in answer.body["dependencies"].items()}
    assert took["hangs"] >= 2000
    assert took["fine"] < 2000, "it did not wait for the one that hangs"
    assert "the check of bug failed" in log.getvalue()


def test_openapi_describes_every_route_of_the_application(api: Any) -> None:
    import app

    described = api("GET", "/openapi.json").body
    routed = {
        (path, method.lower())
        for path, methods in app.app.routes.items()
        for method in methods
        if method not in {"OPTIONS", "HEAD"}
    }
    assert {(path, method) for path, methods in described["paths"].items() for method in methods} == routed
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (path, method)
            assert "default" in operation["responses"], (path, method)
    names = [operation["operationId"] for methods in described["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names))


def test_the_root_leads_on(api: Any) -> None:
    answer = api("GET", "/")
    assert (answer.status, answer.body["service"]) == (200, "omnibus")
    assert answer.body["openapi"].endswith("/openapi.json")
    assert answer.body["console"] is None, "without API Gateway's stage nobody knows one"


def test_the_operations_are_for_operators(api: Any) -> None:
    assert api("GET", "/operations").status == 403


def test_the_operations_tell_what_is_known_and_why_the_rest_is_not(api: Any, services: Services) -> None:
    def refused() -> list[Any]:
        raise UpstreamUnavailable("SQS cannot be reached")

    alarm = {"name": "a", "state": "ALARM", "reason": "r", "since": None}
    services.watch = Watch(stage="test", alarms=lambda: [alarm], dead_letters=refused)
    answer = api("GET", "/operations", headers=OPERATOR)
    assert answer.status == 200
    assert answer.body == {
        "stage": "test",
        "alarms": [alarm],
        "dead_letters": None,
        "runs": None,
        "jobs": None,
        "credits": None,
        "problems": {"dead_letters": "SQS cannot be reached"},
    }


def test_the_operations_tell_of_the_day(api: Any, services: Services) -> None:
    runs = {"day": "2026-11-21", "runs": 9, "validated": 6, "quarantined": 2, "failed": 1}
    jobs = {"active": 1, "begun": 2, "succeeded": 0, "failed": 1}
    left = {"credits_left": 3990, "daily_credits": 4000, "polls_left": 997}
    services.watch = Watch(
        stage="test",
        alarms=list,
        dead_letters=list,
        runs=lambda: runs,
        jobs=lambda: jobs,
        credits=lambda: {**left, "breaker": {"state": "CLOSED"}},
    )
    answer = api("GET", "/operations", headers=OPERATOR).body
    assert (answer["runs"], answer["jobs"], answer["credits"]) == (runs, jobs, left)


def test_a_defect_in_one_question_hides_no_other(api: Any, services: Services, log: io.StringIO) -> None:
    def defect() -> list[Any]:
        raise KeyError("internal")

    queue = {"queue": "a-dead", "function": "a", "messages": 2}
    services.watch = Watch(stage="test", alarms=defect, dead_letters=lambda: [queue])
    answer = api("GET", "/operations", headers=OPERATOR).body
    assert (answer["alarms"], answer["dead_letters"]) == (None, [queue])
    assert answer["problems"] == {"alarms": "could not be read"}
    assert "KeyError" in log.getvalue()
