"""The local OpenSky over a real socket: what a client sees on the wire, faults included."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.opensky.clock import ReplayClock
from local.opensky.recording import load_recording
from local.opensky.server import START, OpenSkyServer
from local.opensky.service import Account, OpenSky
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
RECORDING = load_recording()


@pytest.fixture
def server() -> Iterator[OpenSkyServer]:
    tokens = (f"token-{n}" for n in itertools.count(1))
    opensky = OpenSky(
        RECORDING,
        ReplayClock(time.time, START),
        Account("me", "secret"),
        wall=time.time,
        new_token=lambda: next(tokens),
    )
    with OpenSkyServer(opensky) as running:
        yield running


@pytest.fixture
def client(server: OpenSkyServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE_S) as client:
        yield client


def control(client: httpx.Client, **message: Any) -> dict[str, Any]:
    answer = client.post("/_control", json=message)
    assert answer.status_code == 200, answer.text
    condition: dict[str, Any] = answer.json()
    return condition


def token(client: httpx.Client, server: OpenSkyServer) -> str:
    form = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "secret"}
    answer = client.post(server.token_url, data=form).raise_for_status().json()
    assert answer["expires_in"] == 1800
    return f"{answer['token_type']} {answer['access_token']}"


def test_an_account_polls_the_traffic_of_the_moment(client: httpx.Client, server: OpenSkyServer) -> None:
    headers = {"Authorization": token(client, server)}
    before = time.time()

    answer = client.get("/api/states/all", params={"extended": "1"}, headers=headers)

    body = answer.json()
    assert answer.headers["X-Rate-Limit-Remaining"] == "3996"
    assert before - 12 < body["time"] <= time.time()
    assert len(body["states"]) > 10
    assert {len(row) for row in body["states"]} == {18}


def test_answers_are_packed_for_those_who_ask(client: httpx.Client) -> None:
    control(client, clock={"rate": 0})

    packed = client.get("/api/states/all", headers={"Accept-Encoding": "gzip"})
    plain = client.get("/api/states/all", headers={"Accept-Encoding": "identity"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 2


def test_a_bad_token_is_a_401(client: httpx.Client) -> None:
    answer = client.get("/api/states/all", headers={"Authorization": "Bearer nobody"})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_addresses_may_be_repeated_and_a_box_bounds(client: httpx.Client) -> None:
    flying = [row for row in client.get("/api/states/all").json()["states"] if row[5] is not None]
    control(client, clock={"rate": 0})
    (first, second), box = (row[0] for row in flying[:2]), {"lamin": 48.5, "lomin": 2, "lamax": 49.2, "lomax": 3}

    found = client.get("/api/states/all", params=[("icao24", first), ("icao24", second)]).json()["states"]
    boxed = client.get("/api/states/all", params=box).json()["states"]

    assert {row[0] for row in found} == {first, second}
    assert boxed
    assert all(48.5 <= row[6] <= 49.2 and 2 <= row[5] <= 3 for row in boxed)


@pytest.mark.parametrize(("status", "header"), [(500, None), (403, None), (401, "WWW-Authenticate")])
def test_a_status_fault_lasts_as_many_calls_as_said(client: httpx.Client, status: int, header: str | None) -> None:
    control(client, faults=[{"kind": "status", "status": status, "calls": 2}])

    answers = [client.get("/api/states/all") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert header is None or header in answers[0].headers


def test_a_throttled_call_says_when_to_come_back(client: httpx.Client) -> None:
    control(client, faults=[{"kind": "status", "status": 429, "retry_after": 61200}])

    answer = client.get("/api/states/all")

    assert answer.status_code == 429
    assert answer.headers["X-Rate-Limit-Retry-After-Seconds"] == "61200"


def test_a_malformed_body_is_no_json(client: httpx.Client) -> None:
    control(client, faults=[{"kind": "malformed"}])

    answer = client.get("/api/states/all")

    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_truncated_body_ends_before_its_length(client: httpx.Client, encoding: str) -> None:
    control(client, faults=[{"kind": "truncated"}])

    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        client.get("/api/states/all", headers={"Accept-Encoding": encoding})


def test_a_cut_connection_gives_no_answer_at_all(client: httpx.Client) -> None:
    control(client, faults=[{"kind": "cut"}])

    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.get("/api/states/all")
    assert client.get("/api/states/all").status_code == 200


def test_a_slow_answer_outlasts_a_deadline(client: httpx.Client) -> None:
    control(client, faults=[{"kind": "slow", "seconds": 600}])

    with pytest.raises(httpx.ReadTimeout):
        client.get("/api/states/all", timeout=0.2)
    assert client.get("/api/states/all").status_code == 200


def test_an_empty_sky_is_null(client: httpx.Client) -> None:
    control(client, faults=[{"kind": "empty"}])

    assert client.get("/api/states/all").json()["states"] is None


def test_a_token_call_may_fail_too(client: httpx.Client, server: OpenSkyServer) -> None:
    control(client, faults=[{"kind": "status", "status": 503, "endpoint": "token"}])

    assert client.get("/api/states/all").status_code == 200
    assert client.post(server.token_url, data={"grant_type": "client_credentials"}).status_code == 503


def test_dirt_is_labelled(client: httpx.Client) -> None:
    control(client, dirt=[{"kind": "not_a_number", "rows": 2}])

    answer = client.get("/api/states/all")

    assert answer.headers["X-Injected"] == "not_a_number=2"
    assert answer.text.count("NaN") == 2


def test_the_control_endpoint_counts_and_forgets(client: httpx.Client) -> None:
    control(client, faults=[{"kind": "status", "status": 500}])
    client.get("/api/states/all")
    client.get("/api/states/all")

    counts = client.get("/_control").json()["counts"]

    assert counts == {"fault.status": 1, "states.200": 1, "states.500": 1, "states.calls": 2}
    assert control(client, reset=True)["counts"] == {}


def test_a_bad_control_message_names_its_mistake(client: httpx.Client) -> None:
    answer = client.post("/_control", json={"dirt": [{"kind": "mud"}]})

    assert answer.status_code == 400
    assert "swapped_coordinates" in answer.json()["error"]


def test_oversized_bodies_and_unknown_paths_are_refused(client: httpx.Client) -> None:
    assert client.get("/api/flights/all").status_code == 404
    assert client.post("/nowhere").status_code == 404
    with closing(HTTPConnection(client.base_url.host, client.base_url.port)) as announced:
        announced.putrequest("POST", "/_control")
        announced.putheader("Content-Length", str(10**9))
        announced.endheaders()
        assert announced.getresponse().status == 413


def test_stopping_does_not_wait_for_slow_answers() -> None:
    opensky = OpenSky(RECORDING, ReplayClock(time.time), Account("me", "s"), wall=time.time, new_token=str)
    with OpenSkyServer(opensky) as server, httpx.Client(base_url=server.url) as client:
        control(client, faults=[{"kind": "slow", "seconds": 600}])
        with pytest.raises(httpx.ReadTimeout):
            client.get("/api/states/all", timeout=0.1)
        before = time.monotonic()
    assert time.monotonic() - before < PATIENCE_S


def test_the_command_announces_itself_and_ends_when_told(tmp_path: Path) -> None:
    ready = tmp_path / "opensky.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "local.opensky.server", "--quiet", "--ready-file", str(ready), "--token-seconds", "7"],
        cwd=ROOT,
        env={**os.environ, "OPENSKY_CLIENT_ID": "someone", "OPENSKY_CLIENT_SECRET": "something"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        announced = json.loads(ready.read_text())
        form = {"grant_type": "client_credentials", "client_id": "someone", "client_secret": "something"}
        answer = httpx.post(announced["token_url"], data=form)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_S) == 0
        process.stdout.close()

    assert announced["url"] == url
    assert announced["pid"] == process.pid
    assert answer.json()["expires_in"] == 7
