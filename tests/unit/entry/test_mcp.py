"""The Model Context Protocol: which messages are answered, how, and what is refused."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from msgspec import Struct
from msgspec.json import encode

from chalicelib.entry.mcp import FRESH_MS, HANDSHAKES, META, STATELESS, McpAnswer, McpCaller, McpServer, McpTool
from chalicelib.errors import NotFound, RateLimited

CALLER = McpCaller(None, None, "192.0.2.1", "request-1")


class Wanted(Struct, forbid_unknown_fields=True):
    number: int
    word: str = ""


class Given(Struct):
    doubled: int


def double(asked: Wanted, caller: McpCaller) -> Given:
    if asked.word == "missing":
        raise NotFound("There is no such number.", code="number_not_found")
    if asked.word == "broken":
        raise ZeroDivisionError
    return Given(asked.number * 2)


def server(spend: Callable[[str], object] = lambda _: None) -> McpServer:
    tool = McpTool(name="double", title="Double", description="Doubles.", takes=Wanted, gives=(Given,), run=double)
    return McpServer([tool], origins=frozenset({"https://app.example.com"}), spend=spend, instructions="Use them.")


def post(message: Any, *, spend: Callable[[str], object] = lambda _: None, **headers: str) -> McpAnswer:
    sent = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    body = message if isinstance(message, bytes) else encode(message)
    answer = server(spend).answer(body, lambda name: sent.get(name.lower()), CALLER)
    return McpAnswer(answer.status, msgspec.json.decode(encode(answer.message)))


def stateless(method: str, params: dict[str, Any] | None = None, **headers: str) -> McpAnswer:
    meta = {f"{META}protocolVersion": STATELESS, f"{META}clientCapabilities": {}}
    named = {"Mcp_Name": params["name"]} if params and "name" in params else {}
    sent = {"MCP_Protocol_Version": STATELESS, "Mcp_Method": method, **named, **headers}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**(params or {}), "_meta": meta}}
    return post(message, **sent)


def handshake(method: str, params: Any = None, version: str | None = HANDSHAKES[0]) -> McpAnswer:
    message = {"jsonrpc": "2.0", "id": "a", "method": method, **({} if params is None else {"params": params})}
    return post(message, **({} if version is None else {"MCP_Protocol_Version": version}))


def result(answer: McpAnswer) -> dict[str, Any]:
    assert answer.message is not None
    found: dict[str, Any] = answer.message["result"]
    return found


def code(answer: McpAnswer) -> int:
    assert answer.message is not None
    found: int = answer.message["error"]["code"]
    return found


class TestStateless:
    def test_discovery_names_the_versions_and_may_be_kept(self) -> None:
        found = result(stateless("server/discover"))
        assert found["supportedVersions"] == [STATELESS, *HANDSHAKES]
        assert (found["resultType"], found["ttlMs"], found["cacheScope"]) == ("complete", FRESH_MS, "public")
        assert found["capabilities"] == {"tools": {}}
        assert found["_meta"][f"{META}serverInfo"]["name"] == "omnibus"

    def test_a_call(self) -> None:
        found = result(stateless("tools/call", {"name": "double", "arguments": {"number": 4}}))
        assert found["structuredContent"] == {"doubled": 8}
        assert msgspec.json.decode(found["content"][0]["text"]) == {"doubled": 8}
        assert (found["isError"], found["resultType"]) == (False, "complete")

    def test_what_was_in_a_handshake_is_no_method(self) -> None:
        for method in ("ping", "resources/list", "nonsense"):
            answer = stateless(method)
            assert (answer.status, code(answer)) == (404, -32601)

    @pytest.mark.parametrize(
        ("headers", "wanted"),
        [
            ({"MCP_Protocol_Version": "2099-01-01"}, -32020),
            ({"Mcp_Method": "tools/call"}, -32020),
        ],
    )
    def test_headers_say_what_the_body_says(self, headers: dict[str, str], wanted: int) -> None:
        answer = stateless("tools/list", **headers)
        assert (answer.status, code(answer)) == (400, wanted)

    def test_a_name_that_is_not_ascii_comes_in_base64(self) -> None:
        answer = stateless("tools/call", {"name": "double", "arguments": {"number": 1}}, Mcp_Name="=?base64?ZG91Ymxl?=")
        assert result(answer)["structuredContent"] == {"doubled": 2}
        for wrong in ("triple", "=?base64?!!?=", "=?base64?/w==?="):
            assert code(stateless("tools/call", {"name": "double", "arguments": {}}, Mcp_Name=wrong)) == -32020

    @pytest.mark.parametrize("meta", [None, {}, {f"{META}protocolVersion": STATELESS}, "text", []])
    def test_without_its_meta(self, meta: Any) -> None:
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} if meta is None else {"_meta": meta}}
        answer = post(message, MCP_Protocol_Version=STATELESS, Mcp_Method="tools/list")
        assert (answer.status, code(answer)) == (400, -32602)

    @pytest.mark.parametrize("version", ["2099-01-01", "zzz", "", "2024-11-05"])
    def test_unknown_revisions_are_told_the_known_ones(self, version: str) -> None:
        answer = handshake("tools/list", {}, version)
        assert (answer.status, code(answer)) == (400, -32022)
        assert answer.message is not None
        assert answer.message["error"]["data"]["supported"] == [STATELESS, *HANDSHAKES]


class TestHandshake:
    @pytest.mark.parametrize(
        ("asked", "given"), [*((one, one) for one in HANDSHAKES), ("2024-11-05", HANDSHAKES[0]), (None, HANDSHAKES[0])]
    )
    def test_it_agrees_on_a_revision(self, asked: str | None, given: str) -> None:
        found = result(handshake("initialize", {"protocolVersion": asked}, None))
        assert found["protocolVersion"] == given
        assert found["serverInfo"]["name"] == "omnibus"
        assert "resultType" not in found

    @pytest.mark.parametrize("version", [*HANDSHAKES, None])
    def test_after_it_the_tools_are_there(self, version: str | None) -> None:
        assert [tool["name"] for tool in result(handshake("tools/list", None, version))["tools"]] == ["double"]
        assert result(handshake("ping", None, version)) == {}
        found = result(handshake("tools/call", {"name": "double", "arguments": {"number": 2}}, version))
        assert found["structuredContent"] == {"doubled": 4}

    def test_an_unknown_method_is_an_error_and_no_missing_page(self) -> None:
        answer = handshake("prompts/list")
        assert (answer.status, code(answer)) == (200, -32601)


class TestMessages:
    @pytest.mark.parametrize("method", ["notifications/initialized", "notifications/cancelled", "anything"])
    def test_notifications_are_accepted_without_a_word(self, method: str) -> None:
        answer = post({"jsonrpc": "2.0", "method": method, "params": {"requestId": 1}})
        assert (answer.status, answer.message) == (202, None)

    @pytest.mark.parametrize(
        ("body", "wanted"),
        [
            (b"", -32700),
            (b"{", -32700),
            (b"\xff", -32700),
            (b"[" * 5000, -32700),
            (b"[]", -32600),
            (encode([{"jsonrpc": "2.0", "id": 1, "method": "ping"}]), -32600),
            (b'"text"', -32600),
            (b"{}", -32600),
            (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32600),
            (b'{"jsonrpc": "2.0", "id": 1, "method": 7}', -32600),
            (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600),
            (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}', -32600),
            (b'{"jsonrpc": "2.0", "id": {}, "method": "ping"}', -32600),
            (b'{"jsonrpc": "2.0", "id": 1, "result": {}}', -32600),
            (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": []}', -32602),
            (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {}}', -32602),
            (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "triple"}}', -32602),
            (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": 5}}', -32602),
            (
                b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "double", "arguments": []}}',
                -32602,
            ),
        ],
    )
    def test_what_is_no_request(self, body: bytes, wanted: int) -> None:
        answer = post(body)
        assert (answer.status, code(answer)) == (400, wanted)

    def test_other_origins_may_not_call(self) -> None:
        ask = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        assert post(ask, Origin="https://app.example.com").status == 200
        refused = post(ask, Origin="https://evil.example.com")
        assert (refused.status, code(refused)) == (403, -32600)


class TestTools:
    def test_each_is_described_with_both_schemas(self) -> None:
        (tool,) = result(stateless("tools/list"))["tools"]
        for name in ("inputSchema", "outputSchema"):
            Draft202012Validator.check_schema(tool[name])
            assert tool[name]["type"] == "object"
        assert tool["inputSchema"]["required"] == ["number"]
        assert tool["annotations"]["readOnlyHint"] is True

    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            ({}, "number"),
            ({"number": "4"}, "int"),
            ({"number": True}, "int"),
            ({"number": 1, "other": 2}, "other"),
            ({"number": 1, "word": "missing"}, "number_not_found"),
            ({"number": 1, "word": "broken"}, "internal_error"),
        ],
    )
    def test_what_goes_wrong_is_a_result_that_a_model_can_read(self, arguments: dict[str, Any], word: str) -> None:
        answer = stateless("tools/call", {"name": "double", "arguments": arguments})
        found = result(answer)
        assert (answer.status, found["isError"]) == (200, True)
        assert word in found["content"][0]["text"]
        assert "structuredContent" not in found
        assert "Traceback" not in found["content"][0]["text"]

    def test_an_address_that_calls_too_often_is_told_to_wait(self) -> None:
        def spend(address: str) -> None:
            raise RateLimited(f"{address} called too often.", retry_after=60)

        ask = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "double", "arguments": {"number": 1}},
        }
        found = result(post(ask, spend=spend))
        assert found["isError"] is True
        assert "rate_limited" in found["content"][0]["text"]
