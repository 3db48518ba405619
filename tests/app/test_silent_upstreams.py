"""The whole application while each upstream's process is stopped: it answers in time, in our error body or otherwise.

The contract tests measure each adapter by itself; here the budgets are the routes' own, made as short as they may be.
"""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import msgspec
import pytest
from chalice.test import Client

import app as application
from chalicelib.concerts.models import TicketQuery
from chalicelib.deadline import within
from chalicelib.settings import Settings
from chalicelib.wiring import Services
from tests.app.conftest import Answer, Api, KnownSecrets
from tests.app.spendsense.tokens import ANN, token
from tests.contract.test_deadlines import TOO_LONG_S, sent, stopped, unhurried  # noqa: F401
from tests.environment import ENVIRONMENT, OPERATOR_TOKEN
from tests.fakes.season import ConcertWorld
from tests.fakes.spendsense_aws import POOL

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*supported in local mode")]
REQUEST_S = 1.0
"""For a request whose upstream has no budget of its own."""
LONGER_S = 3.0
"""For one that goes on after the budget of its upstream."""
MACHINE = {"X-Operator-Token": OPERATOR_TOKEN}
BUDGETS = {
    "OMNIBUS_CONCERTS_QUERY_BUDGET_S": "1",
    "OMNIBUS_CONCERTS_SAGEMAKER_BUDGET_S": "1",
    "OMNIBUS_CONCERTS_SAGEMAKER_ENDPOINT": "tickets",
    "OMNIBUS_CONCERTS_CHAT_BUDGET_S": "1",
    "OMNIBUS_CONCERTS_MODEL_ID": "a.model-v1:0",
}


def services_at(endpoint: str, **more: str) -> Services:
    """The application's services, with AWS at an endpoint."""
    return Services(Settings.from_environ({**ENVIRONMENT, **BUDGETS, "AWS_ENDPOINT_URL": endpoint, **more}))


@pytest.fixture
def silent(stopped: str, monkeypatch: pytest.MonkeyPatch) -> Services:  # noqa: F811
    """Services whose every upstream is stopped."""
    made = services_at(stopped)
    monkeypatch.setattr(application, "services", lambda: made)
    return made


def asked(method: str, path: str, body: Any = None, headers: Any = None, *, request_s: float = REQUEST_S) -> Answer:
    """What the application answers, in less than an upstream's own limit."""
    started = time.monotonic()
    with Client(application.app, stage_name="dev") as client, within(request_s):
        answer = Api(client)(method, path, body, headers)
    assert time.monotonic() - started < TOO_LONG_S
    return answer


def know(services: Services, **more: Any) -> None:
    """Provide the secrets; the tests are about later calls."""
    spendsense = services.settings.spendsense
    known = {
        services.settings.operator_secret_arn: {"token": OPERATOR_TOKEN},
        spendsense.cognito_secret_arn: {"issuer": POOL.issuer, "client_ids": ["client"]},
        **{getattr(spendsense, name): secret for name, secret in more.items()},
    }
    services.shared.secrets = cast(Any, KnownSecrets(known))


@pytest.mark.parametrize(
    ("path", "body"),
    [("/venues/popularity", {}), ("/recommendations", {"genres": ["jazz"]}), ("/chat", {"message": "popular venues"})],
)
def test_a_silent_warehouse(silent: Services, path: str, body: Any) -> None:
    answer = asked("POST", path, body, request_s=LONGER_S)
    assert answer.status in {503, 504} or "warehouse" in str(answer.body), answer.body


@pytest.mark.parametrize(("method", "path"), [("GET", "/flights/runs"), ("POST", "/sessions")])
def test_a_silent_table(silent: Services, method: str, path: str) -> None:
    answer = asked(method, path)
    assert (answer.status, answer.body["error"]["code"]) == (504, "upstream_timeout")


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/operations", MACHINE), ("/api/v1/users/me/profile", token(ANN))],
    ids=["operator", "person"],
)
def test_a_silent_secrets_manager(silent: Services, path: str, headers: Any) -> None:
    answer = asked("GET", path, headers=headers)
    assert (answer.status, answer.body["error"]["code"]) == (504, "upstream_timeout")


def test_a_silent_database(silent: Services, stopped: str) -> None:  # noqa: F811
    know(silent, database_secret_arn={"url": stopped.replace("http://", "postgresql://user:password@")})
    answer = asked("GET", "/api/v1/users/me/profile", headers=token(ANN))
    assert (answer.status, answer.body["error"]["code"]) == (504, "upstream_timeout")


@pytest.mark.parametrize(("method", "path"), [("GET", "/predictions/models"), ("GET", "/predictions/none")])
def test_silent_storage(silent: Services, method: str, path: str) -> None:
    know(silent)
    answer = asked(method, path, headers=MACHINE)
    assert answer.status in {503, 504}
    assert answer.body["error"]["code"] in {"upstream_timeout", "upstream_unavailable"}


@pytest.fixture
def function() -> Iterator[str]:
    """The URL of a Lambda whose functions all answer with an estimate of one concert."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            content = msgspec.json.encode({"result": {"values": [1234.5], "source": "embedded", "version": "1"}})
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  # the base class names it so
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_embedded_model_answers_for_a_silent_endpoint(
    stopped: str,  # noqa: F811
    function: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = services_at(stopped, AWS_ENDPOINT_URL_LAMBDA=function)
    monkeypatch.setattr(application, "services", lambda: made)
    world = ConcertWorld()
    features = world.forecast.predict(TicketQuery(concert_id=world.concert().concert_id)).features
    given = {"features": msgspec.to_builtins(features)}
    answer = asked("POST", "/tickets/predict", given, request_s=TOO_LONG_S)  # the function may be slow to reach
    assert (answer.status, answer.body["source"]) == (200, "embedded"), answer.body
    assert "did not answer within" in answer.body["fallback"]


def test_the_router_answers_for_a_silent_assistant(silent: Services) -> None:
    """It needs no warehouse to say what it can do."""
    silent.concerts.lexicons = ConcertWorld().lexicons  # type: ignore[assignment]
    answer = asked("POST", "/chat", {"message": "what can you do?"}, request_s=LONGER_S)
    assert (answer.status, answer.body["source"]) == (200, "local"), answer.body
    assert answer.body["fallback"]["instead_of"] == "converse"
