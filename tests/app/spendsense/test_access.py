"""Access to SpendSense's routes, and another person's id in a path, a query or a body."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from chalice.test import Client

from chalicelib.entry.signin import read_token
from chalicelib.spendsense.progress import ProgressFeed
from chalicelib.wiring import Services
from tests.app.conftest import Answer
from tests.app.spendsense.tokens import ANN, BOB, ME, token
from tests.contract.spendsense_people import NOW
from tests.events import socket_event
from tests.fakes.connections import FakeConnections
from tests.fakes.spendsense import FakeListeners, FakePeople

pytestmark = pytest.mark.filterwarnings("ignore:.*supported in local mode")


# -- who may call


def test_health_needs_nobody(api: Callable[..., Answer]) -> None:
    assert api("GET", "/api/v1/health").body == {"status": "ok"}


PATHS = [
    ("GET", f"{ME}/profile"),
    ("PUT", f"{ME}/profile"),
    ("DELETE", f"{ME}/profile"),
    ("GET", f"{ME}/accounts"),
    ("GET", f"{ME}/transactions"),
    ("POST", f"{ME}/imports"),
    ("GET", f"{ME}/insights"),
    ("GET", f"{ME}/recommendations"),
    ("GET", f"{ME}/recommendations/x"),
    ("GET", f"{ME}/consent"),
    ("PUT", f"{ME}/consent"),
    ("POST", "/api/v1/feedback"),
    ("GET", "/api/v1/operator/users"),
    ("GET", "/api/v1/operator/users/x"),
    ("DELETE", "/api/v1/operator/users/x"),
    ("GET", "/api/v1/operator/users/x/signals"),
    ("GET", "/api/v1/operator/users/x/traces/y"),
    ("POST", "/api/v1/operator/users/x/imports"),
    ("GET", "/api/v1/operator/review"),
    ("POST", "/api/v1/operator/review"),
    ("GET", "/api/v1/operator/metrics"),
    ("GET", f"{ME}/spending"),
    ("GET", f"{ME}/progress"),
    ("GET", f"{ME}/export"),
    ("GET", f"{ME}/export/csv"),
    ("GET", "/api/v1/catalogue"),
    ("GET", "/api/v1/operator/users/x/recommendations"),
    ("POST", "/api/v1/operator/review/bulk"),
    ("GET", "/api/v1/operator/metrics/history"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://cognito-idp.eu-west-1.amazonaws.com/another"},
        {"aud": "another client"},
        {"token_use": "access"},
        {"sub": "not an id"},
        {"sub": ""},
    ],
)
def test_a_token_that_is_not_ours_opens_nothing(
    api: Callable[..., Answer], method: str, path: str, claims: dict[str, str]
) -> None:
    answer = api(method, path, {}, token(ANN, "operators", **claims))
    assert (answer.status, answer.body["error"]["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_without_a_token_nothing_opens(api: Callable[..., Answer], method: str, path: str) -> None:
    assert api(method, path, {}).status == 401


@pytest.mark.parametrize(("method", "path"), [pair for pair in PATHS if "/operator/" in pair[1]])
@pytest.mark.parametrize("groups", [(), ("customers",), ("operators-of-something-else",)])
def test_operators_routes_need_the_group_and_refusals_are_on_record(
    api: Callable[..., Answer], joined: FakePeople, method: str, path: str, groups: tuple[str, ...]
) -> None:
    answer = api(method, path.replace("/x", f"/{ANN}"), {}, token(BOB, *groups))
    assert (answer.status, answer.body["error"]["code"]) == (403, "forbidden")
    ((caller, resource, reason),) = joined.denials
    assert (caller, reason) == (BOB, "not an operator")
    assert resource.startswith(f"{method} /api/v1/operator/")


def test_every_route_but_health_has_the_authorizer(client: Client) -> None:
    import app as application

    routes = {
        (method, path): entry.authorizer
        for path, methods in application.app.routes.items()
        for method, entry in methods.items()
        if path.startswith("/api/v1/") and method not in {"OPTIONS", "HEAD"}
    }
    assert {key for key, authorizer in routes.items() if authorizer is None} == {("GET", "/api/v1/health")}
    assert len(routes) == len(PATHS) + 1


# -- another's id


def others_recommendation(joined: FakePeople) -> str:
    found = joined.recommended(BOB, 30)
    assert found
    return str(found[0].recommendation_id)


def test_anothers_recommendation_in_a_path(call: Callable[..., Answer], joined: FakePeople) -> None:
    wanted = others_recommendation(joined)
    theirs = call(ANN, "GET", f"{ME}/recommendations/{wanted}")
    unknown = call(ANN, "GET", f"{ME}/recommendations/{uuid4()}")
    assert theirs.status == unknown.status == 404
    assert theirs.body["error"]["message"].replace(wanted, "") == unknown.body["error"]["message"][:-37] + "."
    assert joined.denials[0] == (ANN, f"recommendation {wanted}", "not the caller's")


def test_anothers_recommendation_in_a_body(call: Callable[..., Answer], joined: FakePeople) -> None:
    wanted = others_recommendation(joined)
    answer = call(ANN, "POST", "/api/v1/feedback", {"recommendation_id": wanted, "helpful": True})
    assert answer.status == 404
    assert joined.denials == [(ANN, f"recommendation {wanted}", "not the caller's")]
    assert joined.people[BOB].feedback == {}


def test_anothers_account_in_a_query(call: Callable[..., Answer], joined: FakePeople) -> None:
    assert call(ANN, "GET", f"{ME}/transactions?account_id=bob:checking").status == 404
    assert joined.denials == [(ANN, "account bob:checking", "not the caller's")]
    assert call(ANN, "GET", f"{ME}/transactions?account_id=ann:checking").status == 200


@pytest.mark.parametrize("wanted", ["x", "%00", "..%2F..", "' OR 1=1 --", "%F0%9F%92%A9", "0" * 400])
def test_an_id_that_is_none(call: Callable[..., Answer], joined: FakePeople, wanted: str) -> None:
    assert call(ANN, "GET", f"{ME}/recommendations/{wanted.replace(' ', '%20')}").status == 404


def test_feedback(call: Callable[..., Answer], joined: FakePeople) -> None:
    wanted = joined.recommended(ANN, 30)[0].recommendation_id  # type: ignore[index]
    given = {"recommendation_id": str(wanted), "helpful": True, "comment": "thanks"}
    assert call(ANN, "POST", "/api/v1/feedback", given).status == 201
    call(ANN, "POST", "/api/v1/feedback", {**given, "helpful": False})
    assert [said.helpful for said in joined.people[ANN].feedback.values()] == [False]


# -- the socket channel `me`


@pytest.fixture
def signed_in(services: Services, joined: FakePeople) -> FakeListeners:
    """A sign-in that believes tokens as API Gateway does once it has verified them."""
    listeners = FakeListeners(joined)
    services.spendsense.progress = ProgressFeed(listeners, lambda listener, message: None, lambda: NOW)
    services.signin = SimpleNamespace(claims=lambda text: read_token(text).claims)  # type: ignore[assignment]
    return listeners


def asked(client: Client, **message: Any) -> None:
    body = msgspec.json.encode({"action": "watch_me", **message}).decode()
    client.lambda_.invoke("message", socket_event("$default", body=body))


def test_a_socket_hears_of_whoever_its_token_says(client: Client, signed_in: FakeListeners) -> None:
    answer = client.lambda_.invoke("connect", socket_event("$connect", query={"channel": "me"}))
    assert answer.payload["statusCode"] == 200
    assert signed_in.open == {}
    asked(client, authorization=token(ANN)["Authorization"])
    assert [listener.subject for listener in signed_in.open] == [ANN]


@pytest.mark.parametrize(
    "proof",
    [
        {},
        {"authorization": ""},
        {"authorization": "guessed"},
        {"authorization": token(ANN, aud="another")["Authorization"]},
        {"authorization": token(ANN, token_use="access")["Authorization"]},
        {"authorization": token(ANN)["Authorization"], "subject": str(BOB)},
    ],
)
def test_a_socket_without_a_persons_token_hears_of_nobody(
    client: Client, services: Services, signed_in: FakeListeners, proof: dict[str, str]
) -> None:
    services.shared.connections = connections = FakeConnections()  # type: ignore[assignment]
    asked(client, **proof)
    assert signed_in.open == {}
    assert [message["action"] for _, message in connections.sent] == ["ERROR"]
