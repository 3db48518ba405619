"""The official SDK's client against the application, over HTTP."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, TypeVar

from chalice.test import Client as ChaliceClient

if TYPE_CHECKING:
    from mcp import Client

MODES = ("2026-07-28", "auto", "legacy")
"""How the client connects: pinned to the stateless revision, by discovery, and by the handshake."""

Answer = TypeVar("Answer")


@contextmanager
def served(client: ChaliceClient) -> Iterator[str]:
    """The URL at which the application's routes answer, one request at a time."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found = client.http.request(self.command, self.path, headers=dict(self.headers.items()), body=body)
            self.send_response(found.status_code)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body)

        do_GET = answer  # noqa: N815  # the base class names them so
        do_POST = answer  # noqa: N815
        do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  # the base class names it so
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def with_client(
    url: str, mode: str, use: Callable[["Client"], Awaitable[Answer]], headers: Mapping[str, str] | None = None
) -> Answer:
    """What `use` returns, given a connected client."""
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    async def connected() -> Answer:
        async with httpx2.AsyncClient(headers=dict(headers or {}), timeout=60, trust_env=False) as http:
            transport = streamable_http_client(url, http_client=http)
            async with Client(transport, mode=mode) as client:
                return await use(client)

    return asyncio.run(connected())
