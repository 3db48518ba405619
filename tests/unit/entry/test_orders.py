"""CloudFormation's resource requests to a function: it fulfils them, and always responds."""

from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.entry.events import invoked
from chalicelib.entry.invocations import ordered
from chalicelib.errors import UpstreamUnavailable
from chalicelib.spendsense.models import MigrateOrder

URL = "https://stack.test/answer"


def order(kind: str = "Update", wanted: int = 7, there: int = 6) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResponseURL": URL,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "SchemaMigration",
        "ResourceType": "Custom::SchemaMigration",
        "ResourceProperties": {"Version": str(wanted), "ServiceToken": "arn"},
        **({"OldResourceProperties": {"Version": str(there)}} if kind == "Update" else {}),
    }


class Stack:
    def __init__(self, error: Exception | None = None) -> None:
        self.told: list[tuple[str, Mapping[str, Any]]] = []
        self.done = 0
        self._error = error

    def tell(self, url: str, answer: Mapping[str, Any]) -> None:
        self.told.append((url, answer))

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        return invoked(MigrateOrder, event, self._migrate)

    def _migrate(self, _order: MigrateOrder) -> dict[str, int]:
        self.done += 1
        if self._error:
            raise self._error
        return {"version": 5}


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_an_order_is_done_and_told_of(kind: str) -> None:
    stack = Stack()
    assert ordered(order(kind), stack.handle, stack.tell) == {"result": {"version": 5}}
    ((url, answer),) = stack.told
    assert url == URL
    assert answer["Status"] == "SUCCESS"
    echoed = {name: answer[name] for name in ("StackId", "RequestId", "LogicalResourceId", "PhysicalResourceId")}
    assert list(echoed.values()) == ["stack", "request", "SchemaMigration", "SchemaMigration"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [(UpstreamUnavailable("the database is down"), "the database is down"), (ValueError("x"), "Value")],
)
def test_whatever_goes_wrong_the_stack_is_told(error: Exception, reason: str) -> None:
    stack = Stack(error)
    ordered(order(), stack.handle, stack.tell)
    ((_, answer),) = stack.told
    assert answer["Status"] == "FAILED"
    assert reason in answer["Reason"]


def test_nothing_is_done_for_a_deletion_nor_where_a_change_is_taken_back() -> None:
    stack = Stack(ValueError("must not be called"))
    ordered(order("Delete"), stack.handle, stack.tell)
    ordered(order(wanted=6, there=7), stack.handle, stack.tell)
    assert stack.done == 0
    assert [answer["Status"] for _, answer in stack.told] == ["SUCCESS", "SUCCESS"]


def test_who_invokes_it_directly_gets_the_answer_and_no_stack_is_told() -> None:
    stack = Stack()
    assert ordered({}, stack.handle, stack.tell) == {"result": {"version": 5}}
    assert ordered({"more": 1}, stack.handle, stack.tell)["error"]["code"] == "invalid_input"
    assert stack.told == []
