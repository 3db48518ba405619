"""MiniStack behind a gate that admits only callers with the credentials of this cloud.

    python -m local.gate

MiniStack accepts an unsigned request, one signed as `test` and one signed as any account number as the account's root
user, does not verify root's signature, lets anybody reset it, and derives the functions' keys from their names. Any
account of this machine could run code as the account that started the cloud. Behind the gate, root has the random key
of the environment, the gate verifies its signatures, and only requests that AWS accepts unsigned pass without one.

Events and steps wait in the gate for a function at its limit, as in AWS; MiniStack would count them as failed.
"""

import hmac
import json
import re
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from os import environ
from secrets import token_hex
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

import ministack.app as emulator
from ministack.core import iam_evaluator, lambda_runtime
from ministack.core.iam_actions import unsigned_operations
from ministack.core.iam_evaluator import is_root_access_key
from ministack.core.router import detect_service, extract_access_key_id
from ministack.core.sigv4 import (
    decode_header_value,
    header_signature_failure,
    parse_header_signature,
    parse_query_signature,
)
from ministack.services import eventbridge, lambda_svc, stepfunctions, sts

from local.calls import CALLS_FILE, ISSUED, Calls
from local.worker import SHARING, Worker

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Served = Callable[[Scope, Receive, Send], Awaitable[None]]
Answer = TypeVar("Answer")

NAMES = {"127.0.0.1", "localhost"}
GATEWAY = "/_aws/execute-api/"
"""The deployed APIs, which have their own authorizers."""
CONNECTIONS = "/@connections/"
"""The path at which roles post to open sockets."""
HEALTH = "/_ministack/health"
POOL = re.compile(r"/[a-z0-9-]+_[A-Za-z0-9]+/\.well-known/(jwks|openid-configuration)(\.json)?")
STACK_ANSWER = re.compile(r"/_ministack/cfn-response/[0-9a-f-]{36}")
"""The path at which custom resources answer CloudFormation: like S3's, the URL contains a secret."""
SIGN_IN = "AWSCognitoIdentityProviderService."
FORM_KEY = re.compile(
    rb'name="(?:x-amz-credential|awsaccesskeyid)"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n([^/\r\n]*)', re.IGNORECASE
)
LARGEST_FORM = 64 * 1024 * 1024
ASK_AGAIN_S = 0.1

_waits: ContextVar[bool] = ContextVar("waits", default=False)
"""Does the invocation at hand wait for a function at its limit? Who invokes one by name gets 429 instead."""


@dataclass(frozen=True)
class Asked:
    """A request in MiniStack's own reading."""

    method: str
    path: str
    raw_path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]

    @classmethod
    def of(cls, scope: Scope) -> "Asked":
        """The request of an ASGI scope."""
        headers: dict[str, str] = {}
        for name, value in scope.get("headers", []):
            key, text = name.decode("latin-1").lower(), decode_header_value(value)
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        raw = scope.get("raw_path") or quote(scope["path"]).encode()
        query = parse_qs(scope.get("query_string", b"").decode("utf-8"), keep_blank_values=True)
        return cls(scope.get("method", "GET"), scope["path"], raw.decode("latin-1"), query, headers)


class Gate:
    """An ASGI application in front of `served`; `key` and `secret` are the root user's."""

    def __init__(self, served: Served, key: str, secret: str) -> None:
        self._served = served
        self._key = key
        self._secret = secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on permitted requests, and refuse the rest with 403."""
        if scope["type"] not in {"http", "websocket"}:
            await self._served(scope, receive, send)
            return
        asked = Asked.of(scope)
        if urlsplit(f"//{asked.headers.get('host', '')}").hostname not in NAMES:
            # A page of a site whose name resolves to this machine would have the same origin as the APIs.
            refusal = "the Host header names another machine"
        elif scope["type"] == "websocket":
            refusal = "" if asked.path.startswith(GATEWAY) else "there are no other sockets"
        else:
            refusal, receive = await self._judge(asked, receive)
        if not refusal:
            await self._served(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _refuse(send, refusal)

    async def _judge(self, asked: Asked, receive: Receive) -> tuple[str, Receive]:
        """Why a request may not pass, or ""; and the `receive` for its body."""
        if open_to_all(asked):
            return "", receive
        key = extract_access_key_id(asked.headers, asked.query)
        if not key and asked.method == "POST" and "multipart/form-data" in asked.headers.get("content-type", ""):
            body, again = await _read(receive)
            found = FORM_KEY.findall(body)
            signed = bool(found) and not any(is_root_access_key(each.decode("latin-1").strip()) for each in found)
            return "" if signed else "the form is not signed by a role of this cloud", again
        if key != self._key and not is_root_access_key(key):
            return "", receive  # MiniStack verifies the keys that it has issued
        if key != self._key:
            return (
                "the request is not signed with the credentials of this cloud: see `credentials` in cloud.json",
                receive,
            )
        presigned = not asked.headers.get("authorization")
        body, again = b"", receive
        if not presigned and not asked.headers.get("x-amz-content-sha256", "").isalnum():
            body, again = await _read(receive)
        signature = parse_query_signature(asked.query) if presigned else parse_header_signature(asked.headers)
        if isinstance(signature, tuple):
            return signature[1], again
        failure = header_signature_failure(
            signature, self._secret, asked.method, asked.raw_path, asked.query, asked.headers, body, presigned=presigned
        )
        return failure[1] if failure else "", again


def open_to_all(asked: Asked) -> bool:
    """Does AWS serve this request without a signature?

    The deployed APIs, preflights, sign-in and its public keys, and answers to CloudFormation at its random URLs.
    """
    if asked.method == "PUT" and STACK_ANSWER.fullmatch(asked.path):
        return True
    if asked.path.startswith(GATEWAY) and CONNECTIONS not in asked.path:
        return True
    if asked.path == HEALTH or asked.method == "OPTIONS":
        return True
    if asked.method == "GET":
        return POOL.fullmatch(asked.path) is not None and not asked.query
    target = asked.headers.get("x-amz-target", "")
    return (
        asked.path == "/"
        and not asked.query
        and "authorization" not in asked.headers
        and target.removeprefix(SIGN_IN) in unsigned_operations("cognito-idp")
        and target.startswith(SIGN_IN)
        and detect_service(asked.method, asked.path, asked.headers, asked.query) == "cognito-idp"
    )


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """A request's body, and a `receive` that returns it again."""
    pieces: list[bytes] = []
    size, more = 0, True
    while more and size <= LARGEST_FORM:
        message = await receive()
        if message["type"] != "http.request":
            break
        pieces.append(message.get("body", b""))
        size, more = size + len(pieces[-1]), message.get("more_body", False)
    waiting = [{"type": "http.request", "body": b"".join(pieces), "more_body": more}]

    async def again() -> MutableMapping[str, Any]:
        return waiting.pop() if waiting else await receive()

    return b"".join(pieces), again


async def _refuse(send: Send, why: str) -> None:
    body = f"<Error><Code>AccessDenied</Code><Message>{why}</Message></Error>".encode()
    headers = [(b"content-type", b"application/xml"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def salted(credentials: Callable[[Any], dict[str, str]], calls: Calls) -> Callable[[Any], dict[str, str]]:
    """`credentials` of a function's role, with a secret and a token that do not derive from its name.

    A session is registered once: MiniStack registers the derived secret first, and in that moment every request of the
    function's other workers would fail.
    """
    salt, known, lock = token_hex(32).encode(), dict[str, dict[str, str]](), Lock()

    def registered(config: Any) -> dict[str, str]:
        made = credentials(config)
        key = made["AWS_ACCESS_KEY_ID"]
        secret, token = (hmac.new(salt, f"{part}:{key}".encode(), "sha256").hexdigest() for part in ("secret", "token"))
        sts.register_session(key, {**sts._sessions[key], "SecretAccessKey": secret, "SessionToken": token})
        calls.note(key, ISSUED, config["FunctionName"])
        return {**made, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}

    def issued(config: Any) -> dict[str, str]:
        with lock:
            who = f"{config['FunctionArn']} {config['Role']}"
            if who not in known or known[who]["AWS_ACCESS_KEY_ID"] not in sts._sessions:
                known[who] = registered(config)
            return dict(known[who])

    return issued


def recorded(enforce: Callable[..., Any], calls: Calls) -> Callable[..., Any]:
    """`enforce`, which returns None for what a policy allows, with those calls written down."""

    def judged(
        access_key_id: str, iam_action: str, service: str, region: str, resource_arn: str = "*", **more: Any
    ) -> Any:
        refusal = enforce(access_key_id, iam_action, service, region, resource_arn, **more)
        if refusal is None and access_key_id in sts._sessions:
            calls.note(access_key_id, iam_action, resource_arn)
        return refusal

    return judged


def parsed_once(parse: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    """`parse` that takes each text apart once: MiniStack reads a role's policies twice for each call of a function."""
    known = cache(parse)
    return lambda document: (known if isinstance(document, str) else parse)(document)


def waiting(call: Callable[..., Answer]) -> Callable[..., Answer]:
    """`call` with invocations that wait for a function at its limit.

    Lambda keeps a throttled event and retries it for hours; a state machine retries a throttled step.
    """

    def called(*arguments: Any) -> Answer:
        token = _waits.set(True)
        try:
            return call(*arguments)
        finally:
            _waits.reset(token)

    return called


def patient(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """`execute` with retries of a throttled invocation that waits."""

    def executed(function: Any, event: Any) -> dict[str, Any]:
        while (answer := execute(function, event)).get("throttle") and _waits.get():
            time.sleep(ASK_AGAIN_S)
        return answer

    return executed


def invoke_by_rule(target: str, event: str) -> None:
    """Invoke a rule's function as AWS does, with retries and dead letters; MiniStack tries once."""
    function, config, _name = lambda_svc._get_func_record_for_ref(target)
    if function and config:
        record = lambda_svc._execution_record_for_config(function, config)
        lambda_svc.invoke_async_with_retry(record, json.loads(event))


def main() -> None:
    """Serve MiniStack behind the gate."""
    calls = Calls(environ.get(CALLS_FILE, ""))
    lambda_runtime.Worker, lambda_runtime.zipfile = Worker, SHARING
    lambda_runtime.execution_credentials = salted(lambda_runtime.execution_credentials, calls)
    iam_evaluator.enforce = recorded(iam_evaluator.enforce, calls)
    iam_evaluator.parse_policy_document = parsed_once(iam_evaluator.parse_policy_document)
    lambda_svc._execute_function = patient(lambda_svc._execute_function)
    lambda_svc.invoke_async_with_retry = waiting(lambda_svc.invoke_async_with_retry)
    stepfunctions._call_lambda = waiting(stepfunctions._call_lambda)
    eventbridge._dispatch_to_lambda = invoke_by_rule
    emulator.app = Gate(emulator.app, environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"])
    sys.argv = ["ministack"]
    emulator.main()


if __name__ == "__main__":
    main()
