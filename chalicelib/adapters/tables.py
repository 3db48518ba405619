"""DynamoDB's calls of items without botocore's way to them, which takes longer than DynamoDB's answer.

botocore resolves an endpoint, validates, runs a dozen handlers and parses, for 1 ms of a fast processor and for several
of a small function's. A call of an item needs a signature and one request, whose answer the caller may wait for later.
Whatever does not succeed at once goes to botocore, which retries it and names the error.
"""

import hmac
import select
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache, partial
from hashlib import sha256
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import msgspec
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from chalicelib import deadline
from chalicelib.adapters.aws import SHORTEST_S
from chalicelib.errors import UpstreamTimeout

SERVICE = "dynamodb"
DIRECT = {
    "get_item": "GetItem",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
    "query": "Query",
}
"""boto3's names of the calls that need nothing but their arguments as JSON; the values are DynamoDB's names."""

Answer = dict[str, Any]


class Tables:
    """boto3's client of DynamoDB, `client`, with a short way for the calls of DIRECT.

    Without credentials, or through a proxy, all calls are botocore's. Items may not contain bytes, which JSON does not
    tell from text.
    """

    def __init__(self, client: Any, credentials: Any = None) -> None:
        self._client = client
        self._credentials = credentials
        self._idle: deque[socket.socket] = deque()
        if credentials is None:
            return
        endpoint, proxies = urlsplit(client.meta.endpoint_url), client.meta.config.proxies
        proxies = get_environ_proxies(client.meta.endpoint_url) if proxies is None else proxies
        if endpoint.scheme in proxies:
            self._credentials = None
        self._secure = endpoint.scheme == "https"
        self._address = (endpoint.hostname or "", endpoint.port or (443 if self._secure else 80))
        self._host = endpoint.netloc

    def __getattr__(self, name: str) -> Any:  # for what is not found: the client's own
        found = partial(self._call, name) if name in DIRECT else getattr(self._client, name)
        setattr(self, name, found)
        return found

    def begin(self, name: str, **asked: Any) -> Callable[[], Answer]:
        """Send the call `name`; return the function that waits for its answer, and must be called."""
        again = partial(getattr(self._client, name), **asked)
        if self._credentials is None:
            return again
        body = msgspec.json.encode(asked)
        try:
            if request := deadline.current():
                request.ask(SERVICE)
            connection = self._connection()
        except (OSError, UpstreamTimeout):
            return again
        try:
            connection.sendall(self._head(DIRECT[name], body) + body)
        except OSError:
            connection.close()
            return again
        return partial(self._answer, connection, again)

    def _call(self, name: str, **asked: Any) -> Answer:
        return self.begin(name, **asked)()

    def _answer(self, connection: socket.socket, again: Callable[[], Answer]) -> Answer:
        connection.settimeout(max(SHORTEST_S, deadline.left(self._client.meta.config.read_timeout)))
        try:
            with HTTPResponse(connection, method="POST") as response:
                response.begin()
                text = response.read()
        except TimeoutError as error:
            connection.close()
            if request := deadline.current():
                request.gave_up(SERVICE)
                raise ReadTimeoutError(endpoint_url=self._client.meta.endpoint_url) from error
            return again()
        except (OSError, HTTPException):
            connection.close()
            return again()
        if response.will_close:
            connection.close()
        else:
            self._idle.append(connection)
        if response.status == 200:
            with suppress(msgspec.DecodeError):
                return msgspec.json.decode(text, type=Answer)
        return again()

    def _connection(self) -> socket.socket:
        """An idle connection that the service has not closed, or a new one."""
        with suppress(IndexError):
            while True:
                idle = self._idle.pop()
                if not select.select([idle], [], [], 0)[0]:
                    idle.settimeout(self._client.meta.config.connect_timeout)
                    return idle
                idle.close()
        fresh = socket.create_connection(self._address, timeout=deadline.left(self._client.meta.config.connect_timeout))
        fresh.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _trusted().wrap_socket(fresh, server_hostname=self._address[0]) if self._secure else fresh

    def _head(self, operation: str, body: bytes) -> bytes:
        """The head of a request with an AWS signature, version 4."""
        keys, region = self._credentials.get_frozen_credentials(), self._client.meta.region_name
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        headers = {"content-type": "application/x-amz-json-1.0", "host": self._host, "x-amz-date": now}
        if keys.token:
            headers["x-amz-security-token"] = keys.token
        headers["x-amz-target"] = f"DynamoDB_20120810.{operation}"
        names, scope = ";".join(headers), f"{now[:8]}/{region}/{SERVICE}/aws4_request"
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        canonical = f"POST\n/\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(_key(keys.secret_key, scope), text.encode(), "sha256").hex()
        lines += (
            f"authorization:AWS4-HMAC-SHA256 Credential={keys.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}\ncontent-length:{len(body)}\n"
        )
        return f"POST / HTTP/1.1\n{lines}\n".replace("\n", "\r\n").encode()


@lru_cache(maxsize=2)
def _key(secret: str, scope: str) -> bytes:
    """The key that signs requests of a day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


@lru_cache(maxsize=1)
def _trusted() -> Any:
    """The TLS settings, with botocore's certificates."""
    import ssl  # plain HTTP, as in the local cloud, does without

    return ssl.create_default_context(cafile=get_cert_path(True))
