"""A server that answers Bedrock's calls with event streams as they go over the wire, recorded or made byte by byte."""

import base64
import json
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
from botocore.config import Config

from tests.patience import PATIENCE_S


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message of application/vnd.amazon.eventstream: prelude, headers, payload, and both checksums."""
    encoded = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + len(value.encode()).to_bytes(2, "big") + value.encode()
        for name, value in headers.items()
    )
    prelude = (16 + len(encoded) + len(payload)).to_bytes(4, "big") + len(encoded).to_bytes(4, "big")
    head = prelude + zlib.crc32(prelude).to_bytes(4, "big") + encoded + payload
    return head + zlib.crc32(head).to_bytes(4, "big")


def event(name: str, content: Mapping[str, Any]) -> bytes:
    """An event of a stream."""
    headers = {":message-type": "event", ":event-type": name, ":content-type": "application/json"}
    return message(headers, json.dumps(content).encode())


def chunk(content: bytes, **more: Any) -> bytes:
    """An agent's chunk, whose bytes go as base64."""
    return event("chunk", {"bytes": base64.b64encode(content).decode(), **more})


def exception(name: str, text: str = "as it was told to") -> bytes:
    """An exception in mid-stream."""
    headers = {":message-type": "exception", ":exception-type": name, ":content-type": "application/json"}
    return message(headers, json.dumps({"message": text}).encode())


SILENCE = b"silence"
"""In the place of a message: nothing more comes, and the connection stays open."""

Answer = Sequence[bytes] | tuple[int, str]
"""The messages of a stream, or the status and the code of an error before it."""


class Bedrock:
    """The scripted answers, in order, and the requests that they answered."""

    def __init__(self, url: str, answers: list[Answer]) -> None:
        self.url = url
        self.answers = answers
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []

    def client(self, service: str, **config: Any) -> Any:
        """boto3's client of `service` here."""
        sdk: Any = boto3  # its stubs know services by name only
        return sdk.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, **{"read_timeout": PATIENCE_S, **config}),
        )


@contextmanager
def bedrock(*answers: Answer) -> Iterator[Bedrock]:
    """A server that gives `answers` one after the other."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            script.requests.append(json.loads(body))
            script.paths.append(self.path)
            answer = script.answers.pop(0)
            if isinstance(answer, tuple):
                self._send(answer[0], {"x-amzn-ErrorType": answer[1]}, [b'{"message": "no"}'])
            else:
                self._send(200, {"Content-Type": "application/vnd.amazon.eventstream"}, answer)

        def _send(self, status: int, headers: Mapping[str, str], parts: Sequence[bytes]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Transfer-Encoding": "chunked"}.items():
                self.send_header(name, value)
            self.send_header("x-amzn-bedrock-agent-content-type", "application/json")
            self.send_header("x-amz-bedrock-agent-session-id", "chat-1")
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):  # the client has heard enough
                self._stream(parts)

        def _stream(self, parts: Sequence[bytes]) -> None:
            for part in parts:
                if part == SILENCE:
                    self.connection.recv(1)  # until the client hangs up
                    return
                if part == b"":  # the connection breaks here
                    self.close_connection = True
                    return
                self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  # the base class names it so
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    script = Bedrock(f"http://127.0.0.1:{server.server_address[1]}", list(answers))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
