"""Every upstream, its process stopped: only its kernel answers, so a call would wait for as long as it may."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from urllib3.exceptions import HTTPError

from chalicelib.adapters import postgres
from chalicelib.adapters.aws import Clients, timely
from chalicelib.adapters.concerts.sagemaker import SageMakerTicketModel
from chalicelib.adapters.concerts.warehouse import ConcertWarehouse
from chalicelib.adapters.flights import opensky
from chalicelib.adapters.flights.opensky import OpenSky
from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.redshift import RedshiftData
from chalicelib.adapters.secrets import Secrets
from chalicelib.concerts.conversation import CHAT_ANSWER_S, Conversation
from chalicelib.concerts.lexicon import Lexicons
from chalicelib.concerts.models import ChatRequest
from chalicelib.concerts.popularity import VenuePopularity
from chalicelib.concerts.router import LocalRouter
from chalicelib.concerts.tools import Toolbox
from chalicelib.deadline import grace, left, within
from chalicelib.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable
from chalicelib.flights.outcomes import Unavailable
from chalicelib.settings import AwsSettings
from tests.contract.eventstreams import SILENCE, bedrock, event
from tests.contract.spendsense_database import Target, fresh_database
from tests.fakes.season import ConcertWorld
from tests.patience import BUDGETS_S

BUDGET_S = BUDGETS_S[0]
OWN_LIMIT_S = 200.0
"""What each client may take by its own limits here, so that a deadline is told from them on a slow machine, too."""
TOO_LONG_S = 100.0

LISTENER = """
import socket, time
server = socket.create_server(("127.0.0.1", 0), backlog=64)
print(server.getsockname()[1], flush=True)
time.sleep(3600)
"""


@pytest.fixture
def sent() -> list[str]:
    """The calls that clients really sent."""
    return []


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch, sent: list[str]) -> None:
    """Clients whose own limits are far away, and that note what they send."""
    original = Clients._new

    def new(self: Clients, service: str, given: Mapping[str, Any]) -> Any:
        client = original(self, service, {**given, "read_timeout": OWN_LIMIT_S})
        client.meta.events.register_last("before-send", lambda event_name, **_: sent.append(event_name))
        return client

    monkeypatch.setattr(Clients, "_new", new)
    monkeypatch.setattr(opensky, "TIMEOUT_S", OWN_LIMIT_S)
    monkeypatch.setattr(postgres, "CONNECT_TIMEOUT_S", OWN_LIMIT_S)
    monkeypatch.setattr(postgres, "SILENCE_S", OWN_LIMIT_S)


@pytest.fixture(scope="module")
def stopped() -> Iterator[str]:
    """The URL of a server whose process is stopped."""
    server = subprocess.Popen([sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port = int(server.stdout.readline())
    server.send_signal(signal.SIGSTOP)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


@pytest.fixture
def client(stopped: str) -> Clients:
    keys = {"access_key_id": "nobody", "secret_access_key": "nothing", "session_token": ""}
    return Clients(AwsSettings(region="eu-west-1", endpoint=stopped, endpoints={}, **keys))


TARGET = {"Database": "x", "WorkgroupName": "omnibus"}
TIMED_OUT = (UpstreamTimeout, ReadTimeoutError, ConnectTimeoutError)


def calls(client: Clients) -> dict[str, Callable[[], object]]:
    warehouse = client("redshift-data", max_attempts=2)
    sagemaker = client("sagemaker-runtime", max_attempts=1)
    said = [{"role": "user", "content": [{"text": "hello"}]}]
    return {
        "redshift": lambda: RedshiftData(warehouse, TARGET, budget_s=OWN_LIMIT_S).rows("SELECT 1"),
        "sagemaker": lambda: SageMakerTicketModel(sagemaker, "tickets", budget_s=OWN_LIMIT_S).ping(),
        "bedrock": lambda: client("bedrock-runtime", max_attempts=1).converse_stream(modelId="m", messages=said),
        "bedrock agent": lambda: client("bedrock-agent-runtime").invoke_agent(
            agentId="A234567890", agentAliasId="A234567890", sessionId="session", inputText="hello"
        ),
        "secrets": lambda: Secrets(client("secretsmanager")).read("arn"),
        "dynamodb": lambda: client("dynamodb").get_item(TableName="table", Key={"id": {"S": "1"}}),
        "s3": lambda: client("s3").get_object(Bucket="bucket", Key="key"),
        "lambda": lambda: client("lambda").invoke(FunctionName="function", Payload=b"{}"),
        "events": lambda: client("events").put_events(Entries=[{"Source": "x", "DetailType": "y", "Detail": "{}"}]),
    }


UPSTREAMS = ("redshift", "sagemaker", "bedrock", "bedrock agent", "secrets", "dynamodb", "s3", "lambda", "events")


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_a_stopped_upstream_is_given_up_at_the_requests_deadline_and_not_asked_again(
    client: Clients, sent: list[str], upstream: str
) -> None:
    call = calls(client)[upstream]
    started = time.monotonic()
    for budget_s in BUDGETS_S:
        with within(budget_s):
            with pytest.raises((UpstreamUnavailable, *TIMED_OUT)) as given_up:
                call()
            if not sent:  # to prepare the call took the whole budget
                continue
            # A silent warehouse is a 503 that says when to try again.
            assert isinstance(given_up.value, UpstreamUnavailable if upstream == "redshift" else TIMED_OUT)
            with grace(30), pytest.raises(UpstreamTimeout):
                call()  # it has time now, and is refused without a word to the server
            break
    assert len(sent) == 1
    assert time.monotonic() - started < TOO_LONG_S


def test_a_stream_that_falls_silent_is_given_up_at_the_deadline() -> None:
    word = event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "word"}})
    with bedrock([word, SILENCE]) as server:
        model = server.client("bedrock-runtime")
        said = [{"role": "user", "content": [{"text": "hello"}]}]
        stream = model.converse_stream(modelId="m", messages=said)["stream"]
        heard = timely(stream, lambda: math.inf)
        assert next(heard)["contentBlockDelta"]["delta"]["text"] == "word"
        started = time.monotonic()
        with within(BUDGET_S), pytest.raises(HTTPError):
            next(heard)
        assert time.monotonic() - started < TOO_LONG_S


def test_a_chat_with_a_silent_warehouse_gives_a_sign_of_life_first_and_says_what_is_missing(client: Clients) -> None:
    warehouse = client("redshift-data", max_attempts=2)
    concerts = ConcertWarehouse(RedshiftData(warehouse, TARGET, budget_s=OWN_LIMIT_S), fresh_for_s=0)
    world = ConcertWorld()
    lexicons = Lexicons(concerts)
    toolbox = Toolbox(
        VenuePopularity(concerts, lexicons, world.clock, "USD"),
        world.forecast,
        world.recommender,
        world.totals,
        world.guide,
    )
    router = LocalRouter(toolbox, lexicons, world.clock)
    conversation = Conversation((router,), world.sessions, world.clock, lambda: "chat-1")
    said: list[tuple[float, Mapping[str, Any]]] = []
    started = time.monotonic()
    conversation.answer_through(
        lambda message: said.append((time.monotonic() - started, message)),
        ChatRequest(message="Which venues are the most popular?"),
        "answer",
    )
    actions = [message["action"] for _, message in said]
    assert (actions[0], actions[-1]) == ("CHAT_STARTED", "CHAT_DONE")
    assert said[0][0] < said[1][0] / 2, "the sign of life does not wait for the warehouse"
    assert "The concert warehouse cannot answer right now" in said[-1][1]["reply"]["message"]
    assert said[-1][0] < CHAT_ANSWER_S + TOO_LONG_S / 2


def test_a_budget_of_the_warehouse_holds_without_a_deadline_around_it(client: Clients) -> None:
    warehouse = RedshiftData(
        client("redshift-data", max_attempts=2),
        TARGET,
        budget_s=BUDGET_S,
    )
    started = time.monotonic()
    with pytest.raises((UpstreamUnavailable, UpstreamTimeout), match="not answer"):
        warehouse.rows("SELECT 1")
    assert time.monotonic() - started < TOO_LONG_S


def test_opensky_is_given_up_at_its_deadline(stopped: str) -> None:
    source = OpenSky(
        url=stopped, token_url=stopped, credentials=lambda: None, clock=lambda: datetime.now(UTC), deadline_s=BUDGET_S
    )
    started = time.monotonic()
    assert isinstance(source.fetch(None), Unavailable)
    assert time.monotonic() - started < TOO_LONG_S


def test_a_database_that_does_not_take_a_connection_is_given_up_at_the_deadline(stopped: str) -> None:
    database = Postgres(
        Target(stopped.replace("http://", "postgresql://user:password@")), statement_timeout_ms=int(OWN_LIMIT_S * 1000)
    )
    started = time.monotonic()
    with within(BUDGET_S), pytest.raises(UpstreamTimeout):
        database.check()
    assert time.monotonic() - started < TOO_LONG_S


@pytest.fixture
def connected() -> Iterator[tuple[Postgres, int]]:
    """A connected database, and the process that serves it."""
    with fresh_database() as url:
        database = Postgres(Target(url), statement_timeout_ms=int(OWN_LIMIT_S * 1000))
        served_by = database.run(lambda cursor: cursor.execute("SELECT pg_backend_pid()").fetchone()[0])  # type: ignore[index]
        yield database, served_by
        database.close()


def test_a_database_that_falls_silent_is_given_up_at_the_deadline(connected: tuple[Postgres, int]) -> None:
    database, served_by = connected
    os.kill(served_by, signal.SIGSTOP)
    try:
        started = time.monotonic()
        with within(BUDGET_S):
            with pytest.raises(UpstreamTimeout):
                database.check()
            with grace(30), pytest.raises(UpstreamError):
                database.check()
        assert time.monotonic() - started < TOO_LONG_S
    finally:
        os.kill(served_by, signal.SIGCONT)
    database.check()  # over a new connection


def test_without_a_deadline_a_call_has_its_own_limit() -> None:
    assert left(12.5) == 12.5
    with within(1000), within(2000):
        assert left(12.5) == 12.5
        assert left() <= 1000
