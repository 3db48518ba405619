"""SpendSense's tools: a person's own figures, and reviews, to whom their tokens let in."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.json import decode

from chalicelib.entry.signin import read_token
from chalicelib.errors import Unauthenticated
from chalicelib.wiring import Services
from tests.app.conftest import Answer
from tests.app.spendsense.tokens import ANN, OPERATOR, token
from tests.fakes.spendsense import FakePeople


class FakeSignIn:
    """Takes any token for valid, as the real one does after it has verified the signature."""

    def claims(self, authorization: str | None) -> Any:
        if authorization is None:
            raise Unauthenticated("Sign in and send an ID token.")
        return read_token(authorization).claims


@pytest.fixture
def use(api: Callable[..., Answer], services: Services, joined: FakePeople) -> Callable[..., Any]:
    services.signin = FakeSignIn()  # type: ignore[assignment]

    def call(name: str, arguments: dict[str, Any], headers: dict[str, str]) -> Any:
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        return api("POST", "/mcp", message, headers).body["result"]

    return call


def test_a_persons_own_insights_need_their_token(use: Callable[..., Any]) -> None:
    found = use("my_money_insights", {}, token(ANN))
    assert found["structuredContent"]["persona"] is not None or "signals" in found["structuredContent"]
    assert not use("my_recommendations", {}, token(ANN))["isError"]
    assert decode(use("my_money_insights", {}, {})["content"][0]["text"])["error"]["code"] == "unauthenticated"


def test_reviews_are_for_operators(use: Callable[..., Any]) -> None:
    assert "structuredContent" in use("recommendations_to_review", {}, OPERATOR)
    refused = use("recommendations_to_review", {}, token(ANN))
    assert decode(refused["content"][0]["text"])["error"]["code"] == "forbidden"
