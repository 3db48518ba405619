"""Open WebSocket connections, through API Gateway's management API."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters import aws
from chalicelib.errors import Gone, TooLarge

MAX_MESSAGE_BYTES = 128 * 1024
WHAT = "The WebSocket connection"


class Addressed(Protocol):
    """A connection's id and the endpoint that posts to it."""

    @property
    def id(self) -> str: ...

    @property
    def endpoint(self) -> str: ...


class Connections:
    """Posts messages with the client that `client_at` makes for an endpoint.

    `endpoint`, if given, replaces the connection's own endpoint: behind a custom domain, events do not contain the
    endpoint that posts to their connection.
    """

    def __init__(self, client_at: Callable[[str], Any], endpoint: str | None = None) -> None:
        self._client_at = client_at
        self._endpoint = endpoint

    def post(self, connection: Addressed, message: Mapping[str, Any]) -> None:
        """Send `message` as JSON text.

        Gone if the connection is closed, RateLimited or Upstream* if the service did not accept it, TooLarge beyond
        128 KB.
        """
        data = msgspec.json.encode(message)
        if len(data) > MAX_MESSAGE_BYTES:
            raise TooLarge.of("message", f"has {len(data)} bytes", f"at most {MAX_MESSAGE_BYTES} bytes")
        client = self._client_at(self._endpoint or connection.endpoint)
        try:
            client.post_to_connection(ConnectionId=connection.id, Data=data)
        except ClientError as error:
            if aws.error_code(error) in ("GoneException", "410"):
                raise Gone("The WebSocket connection is closed") from error
            raise aws.translate(error, WHAT) from error
        except BotoCoreError as error:
            raise aws.translate(error, WHAT) from error
