"""The application behind API Gateway's events, with replaced services."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, cast

import msgspec
import pytest
from chalice.test import Client

import app as application
from chalicelib.settings import Settings
from chalicelib.wiring import Services
from tests.environment import ENVIRONMENT, OPERATOR_TOKEN
from tests.fakes.uploads import FakeCounters


class KnownSecrets:
    """Secrets by their ARN."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known = known

    def read(self, arn: str) -> Any:
        return self._known[arn]

    def forget(self, arn: str) -> None:
        """Nothing is remembered."""


class Answer(NamedTuple):
    """What a route answered; header names in lower case, `body` parsed where it is JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Api:
    """Calls routes by `chalice.test.Client`."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def __call__(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        raw = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        sent = {"Content-Type": "application/json", **(headers or {})}
        answer = self.client.http.request(method, path, headers=sent, body=raw)
        lower = {name.lower(): value for name, value in answer.headers.items()}
        is_json = lower.get("content-type", "").startswith("application/json")
        return Answer(answer.status_code, lower, msgspec.json.decode(answer.body) if is_json else answer.body)


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Services:
    """The services of the application under test; set an attribute to replace one."""
    made = Services(Settings.from_environ(ENVIRONMENT))
    made.shared.counters = cast(Any, FakeCounters())
    made.shared.secrets = cast(Any, KnownSecrets({made.settings.operator_secret_arn: {"token": OPERATOR_TOKEN}}))
    monkeypatch.setattr(application, "services", lambda: made)
    return made


@pytest.fixture
def client(services: Services) -> Iterator[Client]:
    """Chalice's test client on app.py."""
    with Client(application.app, stage_name="dev") as client:
        yield client


@pytest.fixture
def api(client: Client) -> Callable[..., Answer]:
    """Call a route: `api("POST", "/path", {...})`."""
    return Api(client)
