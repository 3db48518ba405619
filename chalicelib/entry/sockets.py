"""The WebSocket edge: connections, the actions of messages, and errors for clients.

Chalice's own `app.websocket_api` works only inside socket handlers and builds its endpoint from the API id, so we
send messages through `adapters.connections` instead, to the endpoint that the event names.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from chalice.app import WebsocketEvent
from msgspec import Struct

from chalicelib.entry import telemetry
from chalicelib.entry.limits import AddressLimits
from chalicelib.entry.models import error_content
from chalicelib.errors import Forbidden, Gone, InvalidInput, OmnibusError, TooLarge

MAX_MESSAGE_BYTES = 32 * 1024
"""API Gateway's limit for one frame; a message may have 128 KB in several frames."""


class Connection(Struct, frozen=True):
    """One open socket: its id, the endpoint that posts to it, and its query string, address and origin."""

    id: str
    endpoint: str
    query: Mapping[str, str] = {}
    source_ip: str = "unknown"
    origin: str | None = None


Post = Callable[[Connection, Mapping[str, Any]], object]
Action = Callable[[Connection, Mapping[str, Any]], object]


def connection_of(event: WebsocketEvent) -> Connection:
    """The socket that an event is about."""
    raw = event.to_dict()
    context = raw["requestContext"]
    return Connection(
        id=context["connectionId"],
        endpoint=f"https://{context['domainName']}/{context['stage']}",
        query=raw.get("queryStringParameters") or {},
        source_ip=(context.get("identity") or {}).get("sourceIp") or "unknown",
        origin=next((text for name, text in (raw.get("headers") or {}).items() if name.lower() == "origin"), None),
    )


class Doorman:
    """Admits sockets and chats by the same rules as REST.

    Browsers ask no permission before they open a socket to another site, so the Origin that they send must be one of
    `origins`. API Gateway checks no API key on sockets: if chats need a key, sockets cannot chat.
    """

    def __init__(self, origins: frozenset[str], limits: AddressLimits, *, chat_needs_key: bool) -> None:
        self._origins = origins
        self._limits = limits
        self._chat_needs_key = chat_needs_key

    def connect(self, connection: Connection) -> None:
        """Return if a socket may connect; Forbidden for a page of another site, RateLimited for too many."""
        if connection.origin is not None and not self._origins & {"*", connection.origin}:
            raise Forbidden("Pages of this origin may not connect.")
        self._limits.spend("socket", connection.source_ip)
        if connection.query.get("channel") == "chat":
            self._refuse_without_key()

    def chat(self, connection: Connection) -> None:
        """Return if a socket may chat once more; RateLimited for too many."""
        self._refuse_without_key()
        self._limits.spend("chat", connection.source_ip)

    def _refuse_without_key(self) -> None:
        if self._chat_needs_key:
            raise Forbidden("Chat needs an API key, which a socket cannot prove: send POST /chat with x-api-key.")


def accept(event: WebsocketEvent, admit: Callable[[Connection], object]) -> dict[str, Any]:
    """Answer `$connect`: 200 if `admit` returns, else the status of its error, which refuses the handshake."""
    try:
        admit(connection_of(event))
    except OmnibusError as error:
        return {"statusCode": error.status, "body": _encoded(_error_message(error, event))}
    return {"statusCode": 200}


def release(event: WebsocketEvent, forget: Callable[[Connection], object]) -> dict[str, Any]:
    """Answer `$disconnect`, whose reply nobody reads."""
    forget(connection_of(event))
    return {"statusCode": 200}


def dispatch(event: WebsocketEvent, actions: Mapping[str, Action], post: Post) -> dict[str, Any]:
    """Run the action that a message names; post its errors back to the sender."""
    connection = connection_of(event)
    try:
        message = _message(event)
        name = message.get("action")
        if not isinstance(name, str) or name not in actions:
            raise InvalidInput.of("action", f"is {str(name)[:80]!r}", "one of " + ", ".join(sorted(actions)))
        actions[name](connection, message)
    except OmnibusError as error:
        _answer(post, connection, _error_message(error, event))
    except Exception:  # noqa: BLE001  # the edge: the client gets an opaque error, and the log gets the traceback
        telemetry.logger.exception("unhandled error in a socket action")
        _answer(post, connection, _error_message(OmnibusError("An internal error occurred."), event))
    return {"statusCode": 200}


def _answer(post: Post, connection: Connection, message: Mapping[str, Any]) -> None:
    """Post an error to its sender, who may have hung up."""
    with suppress(Gone):
        post(connection, message)


def _message(event: WebsocketEvent) -> Mapping[str, Any]:
    if len(event.body.encode()) > MAX_MESSAGE_BYTES:
        raise TooLarge.of("message", f"has {len(event.body.encode())} bytes", f"at most {MAX_MESSAGE_BYTES} bytes")
    try:
        message = msgspec.json.decode(event.body)
    except (msgspec.DecodeError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise InvalidInput.of("message", "is not a JSON object", 'a JSON object with an "action"')
    return message


def _error_message(error: OmnibusError, event: WebsocketEvent) -> dict[str, Any]:
    request_id = event.to_dict()["requestContext"].get("requestId", "")
    return {"action": "ERROR", "error": error_content(error, request_id)}


def _encoded(content: Mapping[str, Any]) -> str:
    return msgspec.json.encode(content).decode()
