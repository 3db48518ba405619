"""The answer to CloudFormation, as a server receives it: one PUT without a type, which the URL is signed without."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from chalicelib.adapters.cloudformation import tell_stack


def test_the_answer_is_put_at_the_url() -> None:
    received: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, self.headers["Content-Type"], json.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        running = threading.Thread(target=server.handle_request)
        running.start()
        tell_stack(f"http://127.0.0.1:{server.server_port}/answer?Signature=x", {"Status": "SUCCESS"})
        running.join()
    assert received == [("/answer?Signature=x", "", {"Status": "SUCCESS"})]
