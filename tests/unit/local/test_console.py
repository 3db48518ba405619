"""The console's server: the build's files under the template's headers, and the API behind the same address."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.package import read_fragment
from local.console.access import address
from local.console.server import ConsoleServer, security_headers

FRAGMENT = Path(__file__).parents[3] / "infra" / "template" / "fragments" / "console.yaml"
POLICY = read_fragment(FRAGMENT)["Resources"]["ConsoleHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]


class Api(BaseHTTPRequestHandler):
    """A REST API that returns the requests it received."""

    protocol_version = "HTTP/1.1"
    heard: list[str]

    def do_POST(self) -> None:
        self.heard.append(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        told = {"path": self.path, "method": self.command, "body": body, "proof": self.headers.get("Authorization")}
        content = json.dumps(told).encode()
        self.send_response(422 if "wrong" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Retry-After", "7")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_DELETE = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def heard() -> list[str]:
    """The paths that the API was asked for."""
    return []


@pytest.fixture
def rest(heard: list[str]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Heard", (Api,), {"heard": heard}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/_aws/execute-api/abc/api"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def home(tmp_path: Path, rest: str) -> Path:
    cloud = {
        "rest_url": rest,
        "websocket_url": "ws://127.0.0.1:1/socket",
        "aws_endpoint_url": "http://127.0.0.1:1",
        "fingerprint": "0123456789abcdef",
        "users": {"alice": {"username": "alice@example.com", "password": "secret", "client_id": "client-1"}},
    }
    (tmp_path / "cloud.json").write_text(json.dumps(cloud))
    (tmp_path / "package").mkdir()
    template = {"Resources": {"ConsoleHeaders": {"Properties": {"ResponseHeadersPolicyConfig": POLICY}}}}
    (tmp_path / "package" / "sam.json").write_text(json.dumps(template))
    site = tmp_path / "site"
    (site / "assets").mkdir(parents=True)
    (site / "index.html").write_text("<title>Omnibus</title>")
    (site / "assets" / "main-1.js").write_text("1")
    (site / "assets" / "main-1.js.gz").write_bytes(b"packed")
    return tmp_path


@pytest.fixture
def console(home: Path) -> Iterator[httpx.Client]:
    with ConsoleServer(home, site=home / "site") as server, httpx.Client(base_url=server.url) as client:
        yield client


def test_the_page_has_the_headers_of_the_templates_policy(console: httpx.Client) -> None:
    answer = console.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert (answer.status_code, answer.text) == (200, "<title>Omnibus</title>")
    assert "script-src 'self';" in policy
    assert "connect-src 'self' ws://127.0.0.1:1 http://127.0.0.1:1" in policy
    assert "${" not in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Permissions-Policy"] == "camera=(), geolocation=(), microphone=()"
    assert answer.headers["Cache-Control"] == "no-cache"


def test_every_address_of_the_policy_must_be_given() -> None:
    with pytest.raises(KeyError):
        security_headers(POLICY, {})


def test_assets_are_kept_and_compressed_for_who_takes_it(console: httpx.Client) -> None:
    answer = console.get("/assets/main-1.js", headers={"Accept-Encoding": "identity"})
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.text == "1"
    with console.stream("GET", "/assets/main-1.js", headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert b"".join(packed.iter_raw()) == b"packed"


@pytest.mark.parametrize("path", ["/cloud.json", "/../cloud.json", "/%2e%2e/cloud.json", "/nothing", "/assets"])
def test_nothing_but_the_build_is_served(console: httpx.Client, path: str) -> None:
    assert console.get(path).status_code == 404


def test_the_configuration_names_the_api_and_the_sign_in(console: httpx.Client) -> None:
    found = console.get("/config.json").json()
    assert found["api"] == "/api"
    assert found["client"] == "client-1"
    assert found["signIn"] == {"kind": "password", "endpoint": "http://127.0.0.1:1"}
    assert "secret" not in str(found)


def test_the_passwords_are_for_who_holds_the_key_of_the_address(console: httpx.Client, home: Path) -> None:
    users = json.loads((home / "cloud.json").read_text())["users"]
    url, key = address("http://127.0.0.1:1", users).split("/#/?key=")
    assert (url, len(key)) == ("http://127.0.0.1:1", 32)
    answer = console.get("/people.json", headers={"X-Console-Key": key})
    assert answer.json() == {"alice": ["alice@example.com", "secret"]}
    assert answer.headers["Cache-Control"] == "no-store"
    for wrong in ({}, {"X-Console-Key": ""}, {"X-Console-Key": key[:-1]}, {"X-Console-Key": "ü".encode()}):
        refused = console.get("/people.json", headers=wrong)
        assert (refused.status_code, refused.json()) == (403, {})
    assert "secret" not in console.get(f"/config.json?key={key}").text
    other = {"alice": {**users["alice"], "password": "another"}}
    assert address(url, other) != address(url, users)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_calls_are_passed_on_whole(console: httpx.Client, method: str) -> None:
    content = "ü" if method == "POST" else ""
    asked = console.request(method, "/api/a/b?c=d%20e", content=content, headers={"Authorization": "Bearer x"})
    told: Any = asked.json()
    assert told == {
        "path": "/_aws/execute-api/abc/api/a/b?c=d%20e",
        "method": method,
        "body": content,
        "proof": "Bearer x",
    }
    assert asked.headers["Retry-After"] == "7"


def test_a_call_that_is_cut_in_its_body_is_not_passed_on(console: httpx.Client, heard: list[str]) -> None:
    with socket.create_connection((console.base_url.host, console.base_url.port or 0)) as line:
        line.sendall(b"POST /api/imports HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf a file")
        line.shutdown(socket.SHUT_WR)
        assert line.recv(1) == b"", "nobody is there any more who could read an answer"
    assert heard == []


def test_an_error_of_the_api_stays_one(console: httpx.Client) -> None:
    assert console.get("/api/wrong").status_code == 422


def test_an_api_that_is_down_is_a_gateway_error_in_our_words(console: httpx.Client, home: Path) -> None:
    cloud = json.loads((home / "cloud.json").read_text())
    (home / "cloud.json").write_text(json.dumps({**cloud, "rest_url": "http://127.0.0.1:1/api"}))
    answer = console.get("/api/health")
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "bad_gateway"


def test_without_a_build_it_says_what_to_run(console: httpx.Client, home: Path) -> None:
    (home / "site" / "index.html").unlink()
    answer = console.get("/")
    assert (answer.status_code, "make web" in answer.text) == (503, True)


def test_before_the_first_deployment_it_asks_for_patience(console: httpx.Client, home: Path) -> None:
    (home / "cloud.json").unlink()
    assert (console.get("/").status_code, console.get("/").headers["Retry-After"]) == (503, "2")
    assert console.post("/elsewhere").status_code == 405


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
@pytest.mark.parametrize("path", ["/people.json", "/config.json", "/", "/api/health"])
def test_no_page_of_another_site_reads_the_passwords_by_its_own_name(
    console: httpx.Client, host: str, path: str
) -> None:
    assert console.get(path, headers={"Host": host}).status_code == 403
