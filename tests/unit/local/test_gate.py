"""The gate in front of MiniStack: what passes without the credentials of the cloud, and what does not."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local import gate
from local.calls import ISSUED, Calls, read_calls
from local.gate import Gate
from local.servers import Keys

KEYS = Keys(
    "AKIAOFTHETESTOFTHEGATE", "the-secret-of-the-test", "the-token-of-the-test-of-the-gate", "path"
)  # fixed: it names tests
HOST = "127.0.0.1:4566"
TARGET = "AWSCognitoIdentityProviderService."


def ask(
    method: str = "GET",
    path: str = "/",
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    kind: str = "http",
) -> tuple[int, bytes]:
    """The status that the gate answers, 200 where it lets the request pass, and the body that is then served."""
    served: list[bytes] = []
    answered: list[int] = []

    async def application(_scope: Any, receive: Any, _send: Any) -> None:
        more = kind == "http"
        content = b""
        while more:
            message = await receive()
            content, more = content + message["body"], message["more_body"]
        served.append(content)

    pieces = [body[:5], body[5:]]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        answered.append(message.get("status", message.get("code", 0)))

    given = {"host": HOST} | {name.lower(): value for name, value in (headers or {}).items()}
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    asyncio.run(Gate(application, KEYS.access_key_id, KEYS.secret_access_key)(scope, receive, send))
    return (200, served[0]) if served else (answered[0], b"")


def signed(
    service: str,
    path: str = "/",
    body: bytes = b"",
    key: str = KEYS.access_key_id,
    secret: str = KEYS.secret_access_key,
) -> dict[str, str]:
    """The headers of a POST as botocore signs it."""
    request = AWSRequest("POST", f"http://{HOST}{path}", headers={"Host": HOST}, data=body)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(Credentials(key, secret), service, "us-east-1").add_auth(request)
    return dict(request.headers.items())


@pytest.mark.parametrize("service", ["lambda", "sqs", "s3", "dynamodb"])
def test_the_root_user_passes_with_its_body(service: str) -> None:
    assert ask("POST", "/xy", headers=signed(service, "/xy", b"{'a': 1}"), body=b"{'a': 1}") == (200, b"{'a': 1}")


@pytest.mark.parametrize("service", ["lambda", "sqs", "s3", "dynamodb"])
@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("test", "test"),
        ("000000000000", "test"),
        ("123456789012", "x"),
        (KEYS.access_key_id, "test"),
        ("test", KEYS.secret_access_key),
    ],
)
def test_nobody_else_is_the_root_user(service: str, key: str, secret: str) -> None:
    assert ask("POST", "/xy", headers=signed(service, "/xy", key=key, secret=secret))[0] == 403


def test_another_body_than_the_one_that_was_signed_does_not_pass() -> None:
    assert ask("POST", "/xy", headers=signed("lambda", "/xy", b"this"), body=b"that")[0] == 403


@pytest.mark.parametrize(
    ("method", "path", "query", "headers"),
    [
        ("POST", "/_ministack/reset", "", {}),
        ("POST", "/_ministack/config", "", {}),
        ("POST", "/_ministack/cfn-response/a-secret", "", {}),
        ("PUT", "/_ministack/cfn-signal/a-secret", "", {}),
        ("GET", "/_ministack/sqs/messages", "", {}),
        ("PUT", "/_ministack/cfn-response/guessed", "", {}),
        ("POST", "/_ministack/cfn-response/00000000-0000-4000-8000-000000000001", "", {}),
        ("GET", "/2015-03-31/functions/", "", {}),
        ("POST", "/2015-03-31/functions/", "", {"X-Amz-Target": f"{TARGET}InitiateAuth"}),
        ("POST", "/", "Action=CreateUser&Version=2010-05-08", {}),
        ("POST", "/", "Action=CreateUser", {"X-Amz-Target": f"{TARGET}InitiateAuth"}),
        ("POST", "/", "", {"X-Amz-Target": f"{TARGET}AdminSetUserPassword"}),
        ("POST", "/", "", {"X-Amz-Target": "DynamoDB_20120810.Scan"}),
        (
            "POST",
            "/",
            "",
            {"X-Amz-Target": f"{TARGET}InitiateAuth", "Authorization": "AWS4-HMAC-SHA256 Credential=test/"},
        ),
        ("GET", "/bucket/key", "", {}),
        ("GET", "/bucket/key", "AWSAccessKeyId=test&Signature=x&Expires=9999999999", {}),
        ("GET", "/bucket/key", "X-Amz-Credential=test/20260101/us-east-1/s3/aws4_request&X-Amz-Signature=x", {}),
        ("GET", "/", "", {"Authorization": "AWS test:signature"}),
        ("GET", "/us-east-1_pool/.well-known/jwks.json", "Action=ListUsers", {}),
        ("GET", "/bucket/.well-known/jwks.json", "", {}),
    ],
)
def test_what_is_unsigned_or_signed_as_anybody_is_refused(
    method: str, path: str, query: str, headers: Mapping[str, str]
) -> None:
    assert ask(method, path, query=query, headers=headers)[0] == 403


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/_aws/execute-api/abc/api/sessions", {}),
        ("GET", "/_ministack/health", {}),
        ("PUT", "/_ministack/cfn-response/00000000-0000-4000-8000-000000000001", {}),
        ("OPTIONS", "/bucket/key", {"Origin": "http://localhost:3000"}),
        ("GET", "/us-east-1_AbC123/.well-known/jwks.json", {}),
        ("POST", "/", {"X-Amz-Target": f"{TARGET}InitiateAuth"}),
        ("GET", "/", {"Authorization": "AWS4-HMAC-SHA256 Credential=ASIA0/20260101/us-east-1/s3/aws4_request, x"}),
    ],
)
def test_what_needs_no_signature_of_ours_passes(method: str, path: str, headers: Mapping[str, str]) -> None:
    """The last is signed by a key that MiniStack has issued, or not: it looks."""
    assert ask(method, path, headers=headers)[0] == 200


@pytest.mark.parametrize(("secret", "status"), [(KEYS.secret_access_key, 200), ("test", 403)])
def test_an_address_that_the_root_user_signed(secret: str, status: int) -> None:
    request = AWSRequest("GET", f"http://{HOST}/bucket/key", headers={"Host": HOST})
    S3SigV4QueryAuth(Credentials(KEYS.access_key_id, secret), "s3", "us-east-1", expires=60).add_auth(request)
    assert ask("GET", "/bucket/key", query=request.url.partition("?")[2])[0] == status


@pytest.mark.parametrize(
    ("keys", "status"),
    [(["ASIA0"], 200), (["test"], 403), (["ASIA0", "test"], 403), ([], 403), (["000000000000"], 403)],
)
def test_a_form_is_signed_by_a_role(keys: list[str], status: int) -> None:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="X-Amz-Credential"\r\n\r\n{key}/20260101\r\n' for key in keys
    ]
    body = "".join([*parts, '--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--']).encode()
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert ask("POST", "/bucket", headers=headers, body=body) == (status, body if status == 200 else b"")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:4566", "", "127.0.0.1.evil.example", "169.254.169.254"])
def test_no_name_of_another_site_leads_here(host: str) -> None:
    assert ask("GET", "/_aws/execute-api/abc/api/health", headers={"host": host})[0] == 403


@pytest.mark.parametrize(("key", "status"), [("ASIAROLE", 200), ("test", 403), ("000000000000", 403), ("", 403)])
def test_roles_alone_post_to_sockets(key: str, status: int) -> None:
    path = "/_aws/execute-api/abc/api/@connections/known"
    assert ask("POST", path, headers=signed("execute-api", path, key=key) if key else {})[0] == status


def test_sockets_lead_to_the_deployed_apis_alone() -> None:
    assert ask(path="/_aws/execute-api/abc/api", kind="websocket")[0] == 200
    assert ask(path="/other", kind="websocket")[0] == 1008


class Lambda:
    """A function that is at its limit for the first two invocations."""

    def __init__(self) -> None:
        self.throttled = 2

    def __call__(self, _function: object, _event: object) -> dict[str, Any]:
        self.throttled -= 1
        return {"throttle": True, "error": True} if self.throttled >= 0 else {"body": "done"}


def test_an_event_waits_for_a_function_at_its_limit_and_a_caller_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "ASK_AGAIN_S", 0.0)
    execute = gate.patient(Lambda())
    assert execute("function", {}) == {"throttle": True, "error": True}
    assert gate.waiting(execute)("function", {}) == {"body": "done"}
    assert gate.patient(Lambda())("function", {})["throttle"], "the next caller waits no more"


def test_calls_are_written_down_by_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "calls.jsonl"
    calls = Calls(str(path))
    monkeypatch.setattr(gate.sts, "_sessions", {"ASIA1": {}})
    calls.note("ASIA1", ISSUED, "omnibus-local-work")
    refused = {"s3:PutObject"}
    enforce = gate.recorded(lambda _key, action, *_: "no" if action in refused else None, calls)
    for key, action in (("ASIA1", "s3:GetObject"), ("ASIA1", "s3:PutObject"), ("AKIAROOT", "s3:DeleteObject")):
        enforce(key, action, "s3", "us-east-1", resource_arn="arn:aws:s3:::bucket/key")
    calls.note_signed("AWS4-HMAC-SHA256 Credential=ASIA1/20260101/us-east-1/x", "redshift-data:ExecuteStatement")
    calls.note_signed("Bearer ASIA1", "redshift-data:ListTables")
    assert read_calls(path) == {
        ("omnibus-local-work", "s3:GetObject", "arn:aws:s3:::bucket/key"),
        ("omnibus-local-work", "redshift-data:ExecuteStatement", "*"),
    }


def test_a_policy_is_taken_apart_once() -> None:
    taken: list[Any] = []
    parsed = gate.parsed_once(lambda document: taken.append(document) or [len(document)])
    assert parsed("text") == parsed("text") == [4]
    assert parsed({"Statement": []}) == [1]
    assert taken == ["text", {"Statement": []}]
