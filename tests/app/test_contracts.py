"""Every route of the application uses the models that it declares."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

import app as application
from tests.app.spendsense.conftest import announcements, people, wired  # noqa: F401
from tests.app.spendsense.tokens import ANN, token
from tests.environment import OPERATOR_TOKEN

pytestmark = pytest.mark.filterwarnings("ignore:.*supported in local mode")
CONTRACTS = {
    f"{method} {contract.path}": contract for contract in application.app.contracts for method in contract.methods
}
OPERATOR = {"X-Operator-Token": OPERATOR_TOKEN}


def called(name: str) -> tuple[str, str]:
    method, path = name.split(" ")
    return method, re.sub(r"{\w+}", "x", path)


def named(**wanted: Any) -> list[str]:
    return [
        name for name, it in CONTRACTS.items() if all(getattr(it, field) == value for field, value in wanted.items())
    ]


def test_there_are_routes_of_every_kind() -> None:
    assert named(proof="operator")
    assert named(proof="cognito")
    assert named(proof="")


@pytest.mark.parametrize("name", named(proof="operator"))
def test_what_is_for_operators_refuses_everybody_else(api: Any, name: str) -> None:
    for headers in ({}, {"X-Operator-Token": "guessed"}, {"X-Operator-Token": ""}):
        answer = api(*called(name), None, headers)
        assert (answer.status, answer.body["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize("name", named(proof="cognito"))
def test_what_is_for_signed_in_people_refuses_everybody_else(api: Any, name: str) -> None:
    assert api(*called(name)).status == 401
    assert api(*called(name), None, OPERATOR).status == 401


@pytest.mark.parametrize("name", [name for name in named(proof="cognito") if "/operator/" in name])
def test_what_is_for_signed_in_operators_refuses_other_people(api: Any, name: str) -> None:
    assert api(*called(name), None, token(ANN)).status == 403


@pytest.mark.parametrize("name", [name for name, contract in CONTRACTS.items() if contract.proof != "cognito"])
def test_no_body_is_taken_beyond_the_limit(api: Any, name: str) -> None:
    body = b'"' + b"x" * CONTRACTS[name].max_body_bytes + b'"'
    kind = next(iter(CONTRACTS[name].accepts), "application/json")
    answer = api(*called(name), body, {**OPERATOR, "Content-Type": kind})
    assert answer.status in {400, 413}, "a query that a route cannot do without is asked for first"


@pytest.mark.parametrize("name", [name for name, contract in CONTRACTS.items() if contract.body is not None])
def test_a_body_that_does_not_fit_its_model_is_refused(api: Any, name: str) -> None:
    headers = {**OPERATOR, **token(ANN, "operators")}
    for body in (b"", b"[]", b'"text"', b'{"no field is called so": 1}', b"\xff"):
        assert api(*called(name), body, headers).status == 400


@pytest.mark.parametrize("path", sorted({contract.path for contract in CONTRACTS.values()}))
def test_preflights_allow_what_the_routes_of_a_path_read(api: Any, path: str) -> None:
    if "OPTIONS" not in application.app.routes[path]:
        return
    answer = api("OPTIONS", re.sub(r"{\w+}", "x", path))
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    for contract in CONTRACTS.values():
        if contract.path == path:
            assert {name.lower() for name in contract.headers} <= allowed
            assert contract.proof == "" or "authorization" in allowed
            assert contract.proof != "operator" or "x-operator-token" in allowed


def patterns_in(schema: Any) -> Iterator[str]:
    """Every pattern of a schema."""
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        for part in schema.values():
            yield from patterns_in(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from patterns_in(part)


def test_no_pattern_lets_a_line_break_follow(api: Any) -> None:
    """Python's `$` also matches before a line break at the end."""
    found = set(patterns_in(api("GET", "/openapi.json").body))
    assert len(found) > 10
    assert not [pattern for pattern in found if pattern.endswith("$")]


@pytest.mark.parametrize("name", [name for name, contract in CONTRACTS.items() if contract.where])
@pytest.mark.parametrize("text", ["a%00b", "%0a", "a" * 3000, "%27%20OR%201%3D1"])
def test_what_a_path_names_fits_its_type(api: Any, name: str, text: str) -> None:
    method, path = name.split(" ")
    answer = api(method, re.sub(r"{\w+}", text, path), None if method == "GET" else {})
    assert (answer.status, answer.body["error"]["code"]) == (400, "invalid_input")
