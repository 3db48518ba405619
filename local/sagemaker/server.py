"""The local SageMaker Runtime on the wire.

    python -m local.sagemaker.server --port 0 --ready-file .local/sagemaker.json

    POST /endpoints/{name}/invocations   the ticket model that the project trained
    POST /_control                       faults to come (ours): {"faults": [{"error": "ModelError", "times": 2}]}
    GET  /_control                       how often it was invoked (ours)

Requests must be signed, but the signature is not verified. If OMNIBUS_LOCAL_PATH is set, callers must know that path.
The ready file appears when the server answers, with its address and process id.
"""

import argparse
import json
import os
import re
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from local.calls import CALLS_FILE, Calls
from local.processes import SECRET_PATH, below, serve, told_to_stop
from local.sagemaker.service import MAX_BODY_BYTES, Answer, Fault, Runtime, failed, model_error

HOST: Final = "127.0.0.1"
POLL_S: Final = 0.02
INVOCATIONS: Final = re.compile(r"/endpoints/([^/]+)/invocations")
CONTROL: Final = "/_control"
LARGEST_BODY: Final = MAX_BODY_BYTES + 1024 * 1024


class SageMakerServer:
    """Serves a Runtime on a port of the loopback address; a context manager that starts and stops it."""

    def __init__(self, runtime: Runtime, port: int = 0, secret: str = "", calls: Calls | None = None) -> None:  # nosec B107
        self.secret = secret
        self.calls = calls or Calls("")
        self.runtime = runtime
        self.stopping = threading.Event()
        self._http = ThreadingHTTPServer((HOST, port), type("Handler", (_Handler,), {"owner": self}))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(POLL_S,), name="sagemaker", daemon=True)

    @property
    def url(self) -> str:
        """The endpoint, for AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME."""
        return f"http://{HOST}:{self._http.server_address[1]}"

    def __enter__(self) -> "SageMakerServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: SageMakerServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if below(self.owner.secret, self.path) == CONTROL:
            self._send(Answer(200, {"invocations": self.owner.runtime.invocations}))
        else:
            self._send(failed("ValidationError", f"There is nothing at {self.path}."))

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            self._send(failed("ValidationError", f"Body size exceeded: the limit is {MAX_BODY_BYTES} bytes."))
            return
        body = self.rfile.read(length)
        if below(self.owner.secret, self.path) == CONTROL:
            self.owner.runtime.faults[:] = [Fault(**fault) for fault in json.loads(body)["faults"]]
            self._send(Answer(200, {}))
            return
        self._send(self._answer(body))

    def _answer(self, body: bytes) -> Answer:
        match = INVOCATIONS.fullmatch(unquote(urlsplit(below(self.owner.secret, self.path) or "").path))
        if match is None:
            return failed("ValidationError", f"There is nothing at {self.path}.")
        if not self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 Credential="):
            return Answer(403, {"Message": "Missing Authentication Token"}, "MissingAuthenticationTokenException")
        self.owner.calls.note_signed(self.headers["Authorization"], "sagemaker:InvokeEndpoint")
        fault = self.owner.runtime.next_fault()
        if fault is None:
            return self.owner.runtime.invoke(match[1], self.headers.get("Content-Type", ""), body)
        self.owner.stopping.wait(fault.delay_s)
        if fault.error == "ModelError":
            return model_error(500, "the model failed, as it was told to")
        if fault.error:
            return failed(fault.error, f"{fault.error}, as it was told to")
        return Answer(200, fault.body.encode(), headers={"Content-Type": "text/csv"})

    def _send(self, answer: Answer) -> None:
        payload = answer.content if isinstance(answer.content, bytes) else json.dumps(answer.content).encode()
        self.send_response(answer.status)
        headers = {"Content-Type": "application/json", **answer.headers, "Content-Length": str(len(payload))}
        if answer.error:
            headers["x-amzn-ErrorType"] = answer.error
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.end_headers()
        try:
            self.wfile.write(payload)
        except (BrokenPipeError, ConnectionResetError):  # the client's timeout was shorter than the fault's delay
            self.close_connection = True

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  # the base class names it so
        """Log nothing: the control address counts invocations."""


def ticket_runtime(endpoint: str) -> Runtime:
    """A runtime over the model that the project trained, loaded before the first request."""
    from chalicelib.adapters.concerts.ticket_artifact import ArtifactTicketModel
    from chalicelib.concerts.models import TICKET_FEATURES

    model = ArtifactTicketModel()
    model.estimate([[1.0] * len(TICKET_FEATURES)])
    return Runtime(
        endpoint, lambda rows: model.estimate(rows).values, features=len(TICKET_FEATURES), variant=f"v-{model.version}"
    )


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="SageMaker Runtime over the ticket model")
    parser.add_argument("--endpoint", default="ticket-sales")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ready-file", type=Path)
    options = parser.parse_args()

    stop = told_to_stop()
    secret, calls = os.environ.get(SECRET_PATH, ""), Calls(os.environ.get(CALLS_FILE, ""))
    with SageMakerServer(ticket_runtime(options.endpoint), options.port, secret, calls) as server:
        serve(server.url, stop, options.ready_file)


if __name__ == "__main__":
    main()
