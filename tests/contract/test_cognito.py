"""The user pool's keys, from a server of the test's own."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from chalicelib.adapters.cognito import RENEWAL_S, PoolKeys, RsaKey
from chalicelib.errors import UpstreamUnavailable

ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_pool"
KEYS = {"keys": [{"kid": "a", "kty": "RSA", "n": "AQAB", "e": "Aw"}, {"kid": "b", "kty": "EC"}]}


class Server(HTTPServer):
    """Answers with `content`, and counts."""

    content = json.dumps(KEYS).encode()
    asked: list[str]


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: Any = self.server
        server.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(server.content)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Answer)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_keys_are_read_once_and_again_for_an_unknown_one(server: Server) -> None:
    now = [0.0]
    keys = PoolKeys(f"http://127.0.0.1:{server.server_port}", lambda: now[0])
    assert keys.find(ISSUER, "a") == RsaKey(65537, 3)
    assert keys.find(ISSUER, "a") is not None
    assert keys.find(ISSUER, "b") is None, "not RSA"
    assert server.asked == ["/eu-west-1_pool/.well-known/jwks.json"]
    now[0] = RENEWAL_S
    assert keys.find(ISSUER, "c") is None
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"keys": [{}]}', b'{"keys": [{"kty": "RSA", "kid": "a", "n": 1}]}']
)
def test_keys_that_cannot_be_read(server: Server, content: bytes) -> None:
    server.content = content
    with pytest.raises(UpstreamUnavailable):
        PoolKeys(f"http://127.0.0.1:{server.server_port}").find(ISSUER, "a")


def test_nobody_answers(server: Server) -> None:
    with pytest.raises(UpstreamUnavailable):
        PoolKeys("http://127.0.0.1:1").find(ISSUER, "a")
