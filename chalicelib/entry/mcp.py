"""The Model Context Protocol over HTTP: one JSON-RPC message in, one answer out, and no state between them.

It speaks 2026-07-28, where each request carries its version and needs no handshake, and the handshake of 2025-11-25
and 2025-06-18 without sessions. The tool's model validates arguments, and clients get its schema; a tool's error is a
result with `isError`, which a model can read. docs/adr/0070 says why this is not a library.
"""

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import count
from typing import Any, Literal

import msgspec
from msgspec import Struct

from chalicelib.entry import telemetry
from chalicelib.entry.limits import TOOLS_COUNTED
from chalicelib.entry.models import error_content
from chalicelib.errors import InvalidInput, OmnibusError

STATELESS = "2026-07-28"
HANDSHAKES = ("2025-11-25", "2025-06-18")
META = "io.modelcontextprotocol/"
FRESH_MS = 300_000
"""How long a client may cache the list of tools."""

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022
NAME_PARAMETERS = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


class McpMessage(Struct):
    """One JSON-RPC request, or a notification without an `id`, as `accepts` describes it."""

    jsonrpc: Literal["2.0"]
    method: str
    id: str | int | msgspec.UnsetType = msgspec.UNSET
    params: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class McpCaller(Struct, frozen=True):
    """The caller, unverified: the Authorization header, the operators' token, the address, the request's id."""

    authorization: str | None
    operator_token: str | None
    address: str
    request_id: str


class McpTool(Struct, frozen=True, kw_only=True):
    """One tool: its name, the models of its arguments and answer, and its action for a caller."""

    name: str
    title: str
    description: str
    takes: type[Struct]
    gives: tuple[type[Struct], ...]
    run: Callable[[Any, McpCaller], Struct]
    access: Literal["everybody", "signed-in users", "operators"] = "everybody"

    def described(self) -> dict[str, Any]:
        """The tool as clients see it."""
        told = self.description if self.access == "everybody" else f"{self.description} For {self.access}."
        return {
            "name": self.name,
            "title": self.title,
            "description": told,
            "inputSchema": _object_schema((self.takes,)),
            "outputSchema": _object_schema(self.gives),
            "annotations": {"title": self.title, "readOnlyHint": True, "idempotentHint": True, "openWorldHint": False},
        }


class McpAnswer(Struct, frozen=True):
    """An HTTP answer: its status, and a JSON-RPC message or nothing."""

    status: int
    message: dict[str, Any] | None = None


class _Refused(Exception):
    """A message whose answer is a protocol error."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, **({} if data is None else {"data": data})}


class McpServer:
    """Answers messages with `tools`; `origins` may call from browsers, `spend` counts a call against its address."""

    def __init__(
        self,
        tools: Sequence[McpTool],
        *,
        origins: frozenset[str],
        spend: Callable[[str], object],
        instructions: str,
        version: str = "1",
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._origins = origins
        self._spend = spend
        self._calls = count()
        self._instructions = instructions
        self._info = {"name": "omnibus", "title": "Omnibus", "version": version}

    def answer(self, body: bytes, header: Callable[[str], str | None], caller: McpCaller) -> McpAnswer:
        """The answer to one POST; RateLimited if the address called too often."""
        origin = header("Origin")
        if origin is not None and "*" not in self._origins and origin not in self._origins:
            return _refusal(403, None, INVALID_REQUEST, "This origin may not call.")
        try:
            message = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _refusal(400, None, PARSE_ERROR, "The body is not JSON.")
        if (
            not isinstance(message, dict)
            or message.get("jsonrpc") != "2.0"
            or not isinstance(message.get("method"), str)
        ):
            return _refusal(400, None, INVALID_REQUEST, "The body must be one JSON-RPC 2.0 request or notification.")
        if "id" not in message:
            return McpAnswer(202)
        request_id = message["id"]
        if isinstance(request_id, bool) or not isinstance(request_id, str | int):
            return _refusal(400, None, INVALID_REQUEST, "id must be a text or an integer.")
        stateless = False
        try:
            stateless = self._is_stateless(message, header)
            result = self._result(message["method"], _params(message), stateless, caller)
        except _Refused as error:
            status = {METHOD_NOT_FOUND: 404 if stateless else 200}.get(error.error["code"], 400)
            return McpAnswer(status, {"jsonrpc": "2.0", "id": request_id, "error": error.error})
        if stateless:
            result = {"resultType": "complete", **result, "_meta": {f"{META}serverInfo": self._info}}
        return McpAnswer(200, {"jsonrpc": "2.0", "id": request_id, "result": result})

    def _is_stateless(self, message: Mapping[str, Any], header: Callable[[str], str | None]) -> bool:
        """Does a request carry its own version? Refuses a wrong version, or headers that contradict the body."""
        params = message.get("params")
        meta = params.get("_meta") if isinstance(params, dict) else None
        said = header("MCP-Protocol-Version")
        own = meta.get(f"{META}protocolVersion") if isinstance(meta, dict) else None
        if message["method"] == "initialize" or (own is None and said in (None, *HANDSHAKES)):
            return False
        if not isinstance(meta, dict) or own is None or f"{META}clientCapabilities" not in meta:
            if said is not None and said != STATELESS:
                raise _unsupported(said)
            raise _Refused(
                INVALID_PARAMS, f"params._meta must have {META}protocolVersion and {META}clientCapabilities."
            )
        if said != own or header("Mcp-Method") != message["method"]:
            raise _Refused(HEADER_MISMATCH, "MCP-Protocol-Version and Mcp-Method must match the body.")
        named = params.get(NAME_PARAMETERS.get(message["method"], "")) if isinstance(params, dict) else None
        if named is not None and _plain_header(header("Mcp-Name")) != named:
            raise _Refused(HEADER_MISMATCH, "Mcp-Name must match the body.")
        if own != STATELESS:
            raise _unsupported(own)
        return True

    def _result(self, method: str, params: Mapping[str, Any], stateless: bool, caller: McpCaller) -> dict[str, Any]:
        if method == "initialize" and not stateless:
            asked = params.get("protocolVersion")
            return {
                "protocolVersion": asked if asked in HANDSHAKES else HANDSHAKES[0],
                "capabilities": {"tools": {}},
                "serverInfo": self._info,
                "instructions": self._instructions,
            }
        if method == "ping" and not stateless:
            return {}
        kept = {"ttlMs": FRESH_MS, "cacheScope": "public"} if stateless else {}
        if method == "server/discover" and stateless:
            return {
                "supportedVersions": [STATELESS, *HANDSHAKES],
                "capabilities": {"tools": {}},
                "instructions": self._instructions,
                **kept,
            }
        if method == "tools/list":
            return {"tools": self._described, **kept}
        if method == "tools/call":
            return self._called(params, caller)
        raise _Refused(METHOD_NOT_FOUND, f"There is no method {method[:80]}.")

    def _called(self, params: Mapping[str, Any], caller: McpCaller) -> dict[str, Any]:
        name, arguments = params.get("name"), params.get("arguments", {})
        tool = self._tools.get(name) if isinstance(name, str) else None
        if tool is None:
            raise _Refused(INVALID_PARAMS, f"There is no tool {str(name)[:80]!r}; tools/list lists them.")
        if not isinstance(arguments, dict):
            raise _Refused(INVALID_PARAMS, "arguments must be an object.")
        try:
            if next(self._calls) % TOOLS_COUNTED == 0:
                self._spend(caller.address)
            answer = tool.run(_converted(arguments, tool.takes), caller)
        except OmnibusError as error:
            return _failed(error)
        except Exception:  # noqa: BLE001  # the edge: the caller gets an opaque error
            telemetry.logger.exception("unhandled error in the tool %s", tool.name)
            return _failed(OmnibusError("An internal error occurred."))
        text = msgspec.json.encode(answer)
        return {
            "content": [{"type": "text", "text": text.decode()}],
            "structuredContent": msgspec.Raw(text),
            "isError": False,
        }

    @cached_property
    def _described(self) -> list[dict[str, Any]]:
        return [tool.described() for tool in self._tools.values()]


def _params(message: Mapping[str, Any]) -> Mapping[str, Any]:
    params = message.get("params", {})
    if not isinstance(params, dict):
        raise _Refused(INVALID_PARAMS, "params must be an object.")
    return params


def _converted(arguments: Mapping[str, Any], model: type[Struct]) -> Struct:
    try:
        return msgspec.convert(arguments, model)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"The arguments are invalid: {error}.") from None


def _failed(error: OmnibusError) -> dict[str, Any]:
    text = msgspec.json.encode({"error": error_content(error)}).decode()
    return {"content": [{"type": "text", "text": text}], "isError": True}


def _refusal(status: int, request_id: str | int | None, code: int, message: str) -> McpAnswer:
    return McpAnswer(status, {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}})


def _unsupported(asked: Any) -> _Refused:
    data = {"supported": [STATELESS, *HANDSHAKES], "requested": str(asked)[:40]}
    return _Refused(UNSUPPORTED_VERSION, "Unsupported protocol version", data)


def _plain_header(value: str | None) -> str | None:
    """A header's text; clients send names outside ASCII as `=?base64?...?=`."""
    if value is None or not (value.startswith("=?base64?") and value.endswith("?=")):
        return value
    try:
        return b64decode(value[9:-2], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _object_schema(models: Sequence[type[Struct]]) -> dict[str, Any]:
    """The JSON Schema of any of `models`, with an object at the top, as clients expect it."""
    schemas, components = msgspec.json.schema_components(models, ref_template="#/$defs/{name}")
    if len(schemas) > 1:
        return {"type": "object", "anyOf": list(schemas), "$defs": components}
    top = {"type": "object", **components.pop(schemas[0]["$ref"].rpartition("/")[2])}
    return {**top, "$defs": components} if components else top
