"""The chat provider on Bedrock Agent Runtime: an agent that streams its answer and returns control for our tools."""

import codecs
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import msgspec
from msgspec.structs import replace

from chalicelib.adapters.aws import timely
from chalicelib.adapters.concerts.bedrock import MAX_ROUNDS, assistant
from chalicelib.concerts.outcomes import outcome_of
from chalicelib.concerts.tools import ToolAnswer, Toolbox
from chalicelib.concerts.values import ChatOutcome, Delta, Piece, Turn
from chalicelib.errors import UpstreamRejected, UpstreamTimeout

Call = Mapping[str, Any]
"""One entry of a returnControl event's invocationInputs."""


class BedrockAgent:
    """Answers ChatProvider through one agent's alias; its action groups return control, the tools run here.

    The agent keeps the conversation itself, under our session id. `budget_s` bounds an answer; the clock is monotonic.
    """

    source = "agent"

    def __init__(
        self,
        client: Any,
        agent_id: str,
        alias_id: str,
        toolbox: Toolbox,
        *,
        budget_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._agent = {"agentId": agent_id, "agentAliasId": alias_id}
        self._toolbox = toolbox
        self._budget_s = budget_s
        self._clock = clock

    def answer(self, turn: Turn) -> Iterator[Piece]:
        """The agent's words as they arrive, then what it used; Upstream* before or in mid-stream."""
        deadline = self._clock() + self._budget_s
        answers: list[ToolAnswer] = []
        citations: list[str] = []
        request: dict[str, Any] = {"inputText": turn.message}
        for _ in range(MAX_ROUNDS):
            control: Mapping[str, Any] | None = None
            for event in self._events(turn.session_id, request, deadline):
                if isinstance(event, Delta):
                    yield event
                elif "returnControl" in event:
                    control = event["returnControl"]
                else:
                    citations += _citations(event)
            if control is None:
                yield _with_citations(outcome_of(answers), citations)
                return
            done = [(call, self._run(call)) for call in control.get("invocationInputs", [])]
            answers += [answer for _, answer in done]
            request = {
                "sessionState": {
                    "invocationId": control["invocationId"],
                    "returnControlInvocationResults": [_result(call, answer) for call, answer in done],
                }
            }
        raise UpstreamRejected("the assistant kept asking for tools instead of answering")

    def _events(self, session_id: str, request: Mapping[str, Any], deadline: float) -> "Iterator[Delta | Call]":
        """One response's words, and its other events as they are; bytes are decoded across chunks."""
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        with assistant():
            response = self._client.invoke_agent(
                **self._agent,
                sessionId=session_id,
                streamingConfigurations={"streamFinalResponse": True},
                **request,
            )
            with closing(response["completion"]) as stream:
                for event in timely(stream, lambda: deadline - self._clock()):
                    if self._clock() >= deadline:
                        raise UpstreamTimeout(f"the assistant did not finish within {self._budget_s:g} s")
                    if "chunk" in event:
                        if text := decoder.decode(event["chunk"].get("bytes", b"")):
                            yield Delta(text)
                        if "attribution" in event["chunk"]:
                            yield event["chunk"]
                    elif "returnControl" in event:
                        yield event
        if text := decoder.decode(b"", final=True):
            yield Delta(text)

    def _run(self, call: Call) -> ToolAnswer:
        if function := call.get("functionInvocationInput"):
            return self._toolbox.run(function.get("function", ""), _arguments(function.get("parameters", [])))
        api = call.get("apiInvocationInput") or {}
        parameters = list(api.get("parameters", []))
        for content in (api.get("requestBody") or {}).get("content", {}).values():
            parameters += content.get("properties", [])
        return self._toolbox.run(str(api.get("apiPath", "")).strip("/"), _arguments(parameters))


def _arguments(parameters: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """An agent's parameters, which are texts with a type, as values; a text that is not of its type stays a text."""
    return {parameter["name"]: _value(parameter) for parameter in parameters}


def _value(parameter: Mapping[str, str]) -> Any:
    text = parameter.get("value", "")
    if parameter.get("type") in {"integer", "number", "boolean", "array", "object"}:
        try:
            return json.loads(text)
        except ValueError:
            listed = [part.strip() for part in text.strip("[]").split(",") if part.strip()]
            return listed if parameter["type"] == "array" else text
    return text


def _result(call: Call, answer: ToolAnswer) -> dict[str, Any]:
    body = {"body": msgspec.json.encode(answer.content).decode()}
    state = {} if answer.error is None else {"responseState": "REPROMPT"}
    if function := call.get("functionInvocationInput"):
        named = {"actionGroup": function["actionGroup"], "function": function["function"]}
        return {"functionResult": {**named, "responseBody": {"TEXT": body}, **state}}
    api = call["apiInvocationInput"]
    named = {key: api[key] for key in ("actionGroup", "apiPath", "httpMethod") if key in api}
    status = 200 if answer.error is None else answer.error.status
    return {"apiResult": {**named, "httpStatusCode": status, "responseBody": {"application/json": body}, **state}}


def _citations(chunk: Mapping[str, Any]) -> list[str]:
    found = []
    for citation in chunk.get("attribution", {}).get("citations", []):
        for reference in citation.get("retrievedReferences", []):
            if uri := (reference.get("location", {}).get("s3Location") or {}).get("uri"):
                found.append(str(uri))
    return found


def _with_citations(outcome: ChatOutcome, citations: Sequence[str]) -> ChatOutcome:
    if not citations:
        return outcome
    return replace(outcome, data={**outcome.data, "citations": list(dict.fromkeys(citations))})
