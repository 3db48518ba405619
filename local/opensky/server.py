"""The local OpenSky on the wire.

    python -m local.opensky.server --port 0 --ready-file .local/opensky.json

    POST /auth/realms/opensky-network/protocol/openid-connect/token   client credentials -> bearer token
    GET  /api/states/all                                              the traffic of the replayed recording
    GET  /_control                                                    counters, clock, credits (ours)
    POST /_control                                                    faults, dirt, clock, credits (ours)

The client is OPENSKY_CLIENT_ID and OPENSKY_CLIENT_SECRET of the environment, "omnibus" and "omnibus" by default.
The ready file appears once the server answers, with its address and process id.
"""

import argparse
import gzip
import os
import secrets
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlsplit

import msgspec

from local.opensky.clock import ReplayClock
from local.opensky.control import Control, Fault
from local.opensky.credits import DAILY
from local.opensky.recording import RECORDING, load_recording
from local.opensky.service import (
    CONTROL_PATH,
    STATES_PATH,
    TOKEN_PATH,
    Account,
    Answer,
    OpenSky,
    as_json,
    forbidden,
    too_many,
    unauthorized,
)
from local.processes import serve, told_to_stop

HOST: Final = "127.0.0.1"
LARGEST_BODY: Final = 16 * 1024 * 1024
START: Final = 4500
"""Default start of the replay in seconds into the recording: 13:15 UTC, before the busiest part."""


class OpenSkyServer:
    """Serves OpenSky on a port of the loopback address; a context manager that starts and stops it."""

    def __init__(self, opensky: OpenSky, port: int = 0, *, verbose: bool = False) -> None:
        self.opensky = opensky
        self.verbose = verbose
        self.stopping = threading.Event()
        self.counts: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._http = ThreadingHTTPServer((HOST, port), type("Handler", (_Handler,), {"owner": self}))
        self._http.daemon_threads = True
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, name="opensky", daemon=True
        )

    @property
    def url(self) -> str:
        """The server's root URL; OpenSky's API is at `/api`."""
        return f"http://{HOST}:{self._http.server_address[1]}"

    @property
    def token_url(self) -> str:
        """The token URL."""
        return self.url + TOKEN_PATH

    def __enter__(self) -> "OpenSkyServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def count(self, *names: str) -> None:
        """Add one to each counter."""
        with self._counting:
            self.counts.update(names)

    def forget_counts(self) -> None:
        """Reset all counters."""
        with self._counting:
            self.counts.clear()

    def condition(self) -> dict[str, Any]:
        """The counters and the state of the OpenSky behind."""
        with self._counting:
            counts = dict(sorted(self.counts.items()))
        return {"counts": counts, **self.opensky.condition()}


class _Handler(BaseHTTPRequestHandler):
    owner: OpenSkyServer
    protocol_version = "HTTP/1.1"
    server_version = "OpenSky-replay"
    sys_version = ""
    timeout = 60
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        path, query = self._target()
        if path == STATES_PATH:
            self._answer_with_faults("states", query)
        elif path == CONTROL_PATH:
            self._send(as_json(200, self.owner.condition()))
        else:
            self._send(as_json(404, {"status": 404, "error": "Not Found", "path": path}))

    def do_POST(self) -> None:
        path, _ = self._target()
        body = self._body()
        if body is None:
            self.close_connection = True
            self._send(as_json(413, {"status": 413, "error": "Payload Too Large", "path": path}))
        elif path == TOKEN_PATH:
            self._answer_with_faults("token", dict(parse_qsl(body.decode("utf-8", "replace"))))
        elif path == CONTROL_PATH:
            self._send(self._control(body))
        else:
            self._send(as_json(404, {"status": 404, "error": "Not Found", "path": path}))

    def _target(self) -> tuple[str, dict[str, list[str]]]:
        parts = urlsplit(self.path)
        return parts.path, parse_qs(parts.query, keep_blank_values=True)

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            return None
        return self.rfile.read(int(length))

    def _control(self, body: bytes) -> Answer:
        try:
            message = msgspec.json.decode(body, type=Control)
            self.owner.opensky.control(message)
        except (msgspec.MsgspecError, LookupError) as error:
            return as_json(400, {"error": str(error.args[0])})
        if message.reset:
            self.owner.forget_counts()
        return as_json(200, self.owner.condition())

    def _answer_with_faults(self, endpoint: str, parameters: Mapping[str, Any]) -> None:
        """Answer a call to OpenSky, with the planned fault if there is one."""
        fault = self.owner.opensky.plan.take_fault(endpoint)
        self.owner.count(f"{endpoint}.calls")
        if fault is not None:
            self.owner.count(f"fault.{fault.kind}")
        if fault is not None and fault.kind == "cut":
            self._cut_off()
            return
        if fault is not None and fault.kind == "slow":
            self.owner.stopping.wait(fault.seconds)
        if fault is not None and fault.kind == "status":
            answer = _refusal(fault)
        elif endpoint == "token":
            answer = self.owner.opensky.token(parameters)
        else:
            empty = fault is not None and fault.kind == "empty"
            answer = self.owner.opensky.states(parameters, self.headers.get("Authorization"), empty=empty)
        self.owner.count(f"{endpoint}.{answer.status}")
        if fault is not None and fault.kind == "malformed":
            answer = Answer(answer.status, answer.body[: len(answer.body) // 2] + b"}]", answer.headers)
        self._send(answer, truncated=fault is not None and fault.kind == "truncated")

    def _send(self, answer: Answer, *, truncated: bool = False) -> None:
        body = answer.body
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if body and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, compresslevel=6, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if truncated:
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)
        self.wfile.flush()

    def _cut_off(self) -> None:
        """Reset the connection without an answer, like a failing router."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        if self.owner.verbose:
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            print(moment, format % args, file=sys.stderr, flush=True)


def _refusal(fault: Fault) -> Answer:
    if fault.status == 401:
        return unauthorized()
    if fault.status == 403:
        return forbidden()
    if fault.status == 429:
        return too_many(fault.retry_after or 60)
    return as_json(fault.status, {"status": fault.status, "error": "injected fault"})


def replay(account: Account, *, start: int = START, token_seconds: int = 1800, recording: Path = RECORDING) -> OpenSky:
    """An OpenSky over the recording, on the wall clock, with random tokens."""
    return OpenSky(
        load_recording(recording),
        ReplayClock(time.time, start),
        account,
        wall=time.time,
        new_token=lambda: secrets.token_urlsafe(48),
        token_seconds=token_seconds,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Replay recorded air traffic as OpenSky does.")
    parser.add_argument("--port", type=int, default=0, help="0 selects a free port")
    parser.add_argument("--ready-file", type=Path, help="file for url, token_url and pid, written once it answers")
    parser.add_argument("--kind", choices=[kind for kind in DAILY if kind != "anonymous"], default="account")
    parser.add_argument("--token-seconds", type=int, default=1800)
    parser.add_argument("--start", type=int, default=START, help="seconds into the recording")
    parser.add_argument("--recording", type=Path, default=RECORDING)
    parser.add_argument("--quiet", action="store_true", help="no line per request on stderr")
    options = parser.parse_args()
    account = Account(
        os.environ.get("OPENSKY_CLIENT_ID", "omnibus"), os.environ.get("OPENSKY_CLIENT_SECRET", "omnibus"), options.kind
    )
    opensky = replay(account, start=options.start, token_seconds=options.token_seconds, recording=options.recording)
    stop = told_to_stop()
    with OpenSkyServer(opensky, options.port, verbose=not options.quiet) as server:
        serve(server.url, stop, options.ready_file, token_url=server.token_url)


if __name__ == "__main__":
    main()
