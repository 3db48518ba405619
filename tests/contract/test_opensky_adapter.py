"""The OpenSky adapter against the local OpenSky: every outcome, over a real socket."""

import contextlib
import itertools
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from chalicelib.adapters.flights.opensky import OpenSky as Adapter
from chalicelib.flights.outcomes import Blocked, Fetched, Malformed, Throttled, Unauthorized, Unavailable
from local.opensky.clock import ReplayClock
from local.opensky.recording import load_recording
from local.opensky.server import START, OpenSkyServer
from local.opensky.service import Account, OpenSky
from tests.fakes.clock import Clock
from tests.patience import PATIENCE_S

RECORDING = load_recording()


class World:
    def __init__(self, server: OpenSkyServer) -> None:
        self.server = server
        self.clock = Clock()
        self.credentials: tuple[str, str] | None = ("me", "secret")
        self.adapter = self.make()

    def make(self, **options: Any) -> Adapter:
        given: dict[str, Any] = {
            "url": self.server.url,
            "token_url": self.server.token_url,
            "timeout_s": PATIENCE_S,
            "deadline_s": PATIENCE_S,
            **options,
        }
        return Adapter(credentials=lambda: self.credentials, clock=self.clock, **given)

    def control(self, **message: Any) -> dict[str, Any]:
        answer = httpx.post(f"{self.server.url}/_control", json=message).raise_for_status()
        condition: dict[str, Any] = answer.json()
        return condition

    def calls(self, endpoint: str) -> int:
        """How many calls an endpoint has had."""
        return self.server.counts[f"{endpoint}.calls"]

    def fault(self, **fault: Any) -> None:
        self.control(faults=[fault])


@pytest.fixture
def world() -> Iterator[World]:
    tokens = (f"token-{n}" for n in itertools.count(1))
    opensky = OpenSky(
        RECORDING,
        ReplayClock(time.time, START),
        Account("me", "secret"),
        wall=time.time,
        new_token=lambda: next(tokens),
    )
    with OpenSkyServer(opensky) as server:
        yield World(server)


@contextlib.contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that does with its one connection what OpenSky's would not."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(timeout=PATIENCE_S)


def test_a_poll_brings_the_exact_bytes_their_time_and_the_credits_left(world: World) -> None:
    outcome = world.adapter.fetch(None)
    assert isinstance(outcome, Fetched)
    assert json.loads(outcome.body)["time"] == outcome.time
    assert len(json.loads(outcome.body)["states"][0]) == 18, "categories come with extended=1"
    assert (outcome.empty, outcome.credits_left) == (False, 3996)


def test_a_box_bounds_the_poll_and_its_price(world: World) -> None:
    outcome = world.adapter.fetch((48.5, 2.0, 49.2, 3.0))
    assert isinstance(outcome, Fetched)
    assert all(48.5 <= row[6] <= 49.2 for row in json.loads(outcome.body)["states"])
    assert outcome.credits_left == 3999


def test_null_states_are_a_normal_empty_answer(world: World) -> None:
    outcome = world.adapter.fetch((-80.0, 0.0, -79.0, 1.0))
    assert isinstance(outcome, Fetched)
    assert outcome.empty
    assert json.loads(outcome.body)["states"] is None


def test_a_token_serves_many_polls(world: World) -> None:
    for _ in range(3):
        assert isinstance(world.adapter.fetch(None), Fetched)
    assert world.calls("token") == 1


def test_a_revoked_token_is_renewed_once(world: World) -> None:
    world.adapter.fetch(None)
    world.control(expire_tokens=True)
    assert isinstance(world.adapter.fetch(None), Fetched)
    assert world.calls("token") == 2


def test_a_secret_that_was_rotated_is_read_anew(world: World) -> None:
    current = ("me", "secret")
    world.credentials = ("me", "the one before")

    def forget() -> None:
        world.credentials = current

    assert isinstance(world.make(forget_credentials=forget).fetch(None), Fetched)


def test_credentials_that_vanish_do_not_make_the_poll_anonymous(world: World) -> None:
    world.credentials = ("me", "wrong")

    def forget() -> None:
        world.credentials = None

    assert isinstance(world.make(forget_credentials=forget).fetch(None), Unauthorized)
    assert world.calls("states") == 0


def test_wrong_credentials_are_unauthorized_and_never_anonymous(world: World) -> None:
    world.credentials = ("me", "wrong")
    assert isinstance(world.adapter.fetch(None), Unauthorized)
    assert world.calls("states") == 0


def test_a_refusal_that_stays_is_unauthorized(world: World) -> None:
    world.fault(kind="status", status=401, calls=2)
    assert isinstance(world.adapter.fetch(None), Unauthorized)


def test_without_credentials_the_poll_is_anonymous(world: World) -> None:
    world.credentials = None
    outcome = world.adapter.fetch(None)
    assert isinstance(outcome, Fetched)
    assert outcome.credits_left == 396


def test_a_429_says_until_when(world: World) -> None:
    world.fault(kind="status", status=429, retry_after=61_200)
    assert world.adapter.fetch(None) == Throttled(world.clock() + timedelta(hours=17))


@pytest.mark.parametrize(("asked", "seconds"), [("9" * 30, 7 * 86_400), ("\xb2", 3600), ("-5", 3600)])
def test_a_429_with_nonsense_is_waited_for_within_reason(asked: str, seconds: int) -> None:
    head = f"HTTP/1.1 429 Too Many\r\nX-Rate-Limit-Retry-After-Seconds: {asked}\r\nContent-Length: 0\r\n\r\n"
    with answering(lambda connection: connection.sendall(head.encode("latin-1"))) as url:
        clock = Clock()
        outcome = Adapter(url=url, token_url=url, credentials=lambda: None, clock=clock).fetch(None)
    assert outcome == Throttled(clock() + timedelta(seconds=seconds))


def test_a_403_is_blocked(world: World) -> None:
    world.fault(kind="status", status=403)
    assert isinstance(world.adapter.fetch(None), Blocked)


@pytest.mark.parametrize("endpoint", ["states", "token"])
def test_a_500_is_unavailable(world: World, endpoint: str) -> None:
    world.fault(kind="status", status=500, endpoint=endpoint)
    assert isinstance(world.adapter.fetch(None), Unavailable)


@pytest.mark.parametrize("kind", ["truncated", "cut"])
def test_a_connection_that_breaks_is_unavailable(world: World, kind: str) -> None:
    world.fault(kind=kind)
    assert isinstance(world.adapter.fetch(None), Unavailable)


def test_a_slow_answer_is_unavailable(world: World) -> None:
    world.credentials = None  # so that the poll is the one call
    world.fault(kind="slow", seconds=600)
    outcome = world.make(timeout_s=0.2).fetch(None)
    assert outcome == Unavailable("no answer in time")


def test_an_answer_that_trickles_ends_at_the_deadline() -> None:
    """Each read is quick, so that no time-out of a read ends it; Lambda would, and nobody would learn of it."""

    def trickle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b" ")
                time.sleep(0.02)

    with answering(trickle) as url:
        adapter = Adapter(
            url=url, token_url=url, credentials=lambda: None, clock=Clock(), timeout_s=PATIENCE_S, deadline_s=0.3
        )
        began = time.monotonic()
        assert adapter.fetch(None) == Unavailable("no answer in time")
        assert time.monotonic() - began < PATIENCE_S


def test_slow_tokens_and_polls_share_one_deadline(world: World) -> None:
    world.control(faults=[{"kind": "slow", "seconds": 0.3}, {"kind": "slow", "seconds": 0.3, "endpoint": "token"}])
    assert world.make(timeout_s=0.5, deadline_s=0.5).fetch(None) == Unavailable("no answer in time")


def test_a_broken_tls_record_is_unavailable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC]")

    monkeypatch.setattr("http.client.HTTPResponse.read1", broken)
    assert world.adapter.fetch(None) == Unavailable("the connection failed (SSLError)")


def test_an_answer_that_is_no_json_is_malformed_and_kept(world: World) -> None:
    world.fault(kind="malformed")
    outcome = world.adapter.fetch(None)
    assert isinstance(outcome, Malformed)
    assert outcome.body


def test_nobody_there_is_unavailable(world: World) -> None:
    nowhere = world.make(url="http://127.0.0.1:9", token_url="http://127.0.0.1:9/token")
    assert isinstance(nowhere.fetch(None), Unavailable)


def test_half_a_surrogate_pair_in_one_row_costs_no_poll() -> None:
    """The conversion refuses that row; the bytes are kept as they came."""
    body = b'{"time":1763726400,"states":[["3c6444","\\ud83d"],["3c6445","DLH1"]]}'

    def once(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with answering(once) as url:
        adapter = Adapter(url=url, token_url=url, credentials=lambda: None, clock=Clock(), timeout_s=PATIENCE_S)
        outcome = adapter.fetch(None)
    assert isinstance(outcome, Fetched)
    assert (outcome.body, outcome.time, outcome.empty) == (body, 1_763_726_400, False)
