"""The short way to DynamoDB: signed as botocore signs, over connections that are kept, and botocore for the rest."""

import json
import select
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, ReadTimeoutError, SSLError
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters import tables as module
from chalicelib.adapters.aws import Clients
from chalicelib.adapters.counters import CountersTable
from chalicelib.adapters.tables import Tables
from chalicelib.deadline import within
from chalicelib.errors import UpstreamTimeout, UpstreamUnavailable
from chalicelib.settings import AwsSettings
from tests.contract.test_postgres_tls import Authority
from tests.patience import PATIENCE_S
from tests.properties import examples

ITEM = {"Item": {"name": {"S": "Zoë"}, "count": {"N": "3"}}}
GOOD = (200, ITEM)
FAILED_CONDITION = (400, {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"})
BROKEN = (500, {"__type": "InternalServerError"})
NOTHING = (0, {})
"""In the place of an answer: the server closes the connection."""
KEY = {"name": {"S": "x"}}
BOTO_KEYS = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret"}


class Service(ThreadingHTTPServer):
    """DynamoDB's side: `script` holds the answers, the last for ever; the rest notes what came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[tuple[int, Any]] = [GOOD]
        self.requests: list[tuple[dict[str, str], Any]] = []
        self.connections = 0
        self.keeps = True
        self.before: Callable[[], object] = lambda: None
        self.scheme = "http"
        self.made: list[Tables] = []

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that refuse the certificate."""

    @property
    def short(self) -> int:
        """The requests that did not come from botocore, which names itself."""
        return sum("User-Agent" not in headers for headers, _ in self.requests)

    def tables(self, **account: Any) -> Tables:
        keys = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret", "session_token": "token", **account}
        url = f"{self.scheme}://localhost:{self.server_port}"
        clients = Clients(AwsSettings(region="eu-west-1", endpoint=url, endpoints={}, **keys))
        self.made.append(Tables(clients("dynamodb", max_attempts=2), clients.credentials()))
        return self.made[-1]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((dict(self.headers), json.loads(body)))
        self.server.before()
        status, content = self.server.script[0] if len(self.server.script) == 1 else self.server.script.pop(0)
        self.close_connection = not self.server.keeps or not status
        if not status:
            return
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
        for connection in (each for tables in server.made for each in tables._idle):
            connection.close()


def test_a_call_takes_the_short_way_with_botos_arguments_and_answer(service: Service) -> None:
    assert service.tables().get_item(TableName="t", Key=KEY) == ITEM
    ((headers, asked),) = service.requests
    assert asked == {"TableName": "t", "Key": KEY}
    assert headers["x-amz-target"] == "DynamoDB_20120810.GetItem"
    assert service.short == 1


def test_calls_after_another_share_a_connection(service: Service) -> None:
    tables = service.tables()
    for _ in range(5):
        tables.put_item(TableName="t", Item=KEY)
    assert (service.short, service.connections) == (5, 1)


def test_a_connection_that_the_service_has_closed_is_replaced(service: Service) -> None:
    tables = service.tables()
    service.keeps = False
    for _ in range(3):
        assert tables.get_item(TableName="t", Key=KEY) == ITEM
        select.select(list(tables._idle), [], [], PATIENCE_S)  # until the service has closed it
    assert (service.short, service.connections) == (3, 3)


def test_two_calls_are_under_way_at_once(service: Service) -> None:
    both = threading.Barrier(2)
    service.before = lambda: both.wait(PATIENCE_S)
    tables = service.tables()
    first = tables.begin("get_item", TableName="t", Key=KEY)
    assert tables.get_item(TableName="t", Key=KEY) == first() == ITEM


@pytest.mark.parametrize("first", [BROKEN, NOTHING, (200, "no object")])
def test_botocore_repeats_a_call_that_did_not_succeed(service: Service, first: Any) -> None:
    service.script = [first, GOOD]
    assert service.tables().get_item(TableName="t", Key=KEY)["Item"] == ITEM["Item"]
    assert (service.short, len(service.requests)) == (1, 2)


def test_botocore_names_the_error(service: Service) -> None:
    service.script = [FAILED_CONDITION]
    with pytest.raises(ClientError, match="ConditionalCheckFailedException"):
        service.tables().update_item(TableName="t", Key=KEY)


def test_a_service_that_cannot_be_reached_is_an_error_where_the_answer_is_awaited(service: Service) -> None:
    tables = service.tables()
    service.shutdown()
    service.server_close()
    counted = CountersTable(tables, "counts").begin_to_add("x", datetime.now(UTC))
    with pytest.raises(UpstreamUnavailable):
        counted()


def test_other_calls_and_calls_without_credentials_are_botocores(service: Service) -> None:
    service.tables().describe_table(TableName="t")
    assert Tables(service.tables()._client).get_item(TableName="t", Key=KEY)["Item"] == ITEM["Item"]
    assert (service.short, len(service.requests)) == (0, 2)


def test_a_silent_service_is_given_up_at_the_deadline_and_not_asked_again(service: Service) -> None:
    silence = threading.Event()
    service.before = lambda: silence.wait(PATIENCE_S)
    tables = service.tables()
    for budget_s in (1, 4, 16):  # a busy machine may take the whole of the first to send
        with within(budget_s):
            with pytest.raises((ReadTimeoutError, UpstreamTimeout)):
                tables.get_item(TableName="t", Key=KEY)
            if service.requests:
                with pytest.raises(UpstreamTimeout):
                    tables.get_item(TableName="t", Key=KEY)
                break
    silence.set()
    assert len(service.requests) == 1


@pytest.mark.parametrize(("without", "short"), [("", False), ("localhost", True)])
def test_only_botocore_takes_a_proxy(
    service: Service, monkeypatch: pytest.MonkeyPatch, without: str, short: bool
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{service.server_port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, without)
    sdk: Any = boto3
    url = f"http://localhost:{service.server_port}"
    client = sdk.client("dynamodb", region_name="eu-west-1", endpoint_url=url, **BOTO_KEYS)
    service.made.append(Tables(client, Credentials("AKIDEXAMPLE", "secret")))
    assert service.made[0].get_item(TableName="t", Key=KEY)["Item"] == ITEM["Item"]
    assert service.short == short


def test_a_certificate_is_verified(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path, "authority")
    service.socket = authority.context("localhost").wrap_socket(service.socket, server_side=True)
    service.scheme = "https"
    module._trusted.cache_clear()
    with pytest.raises(SSLError):
        service.tables().get_item(TableName="t", Key=KEY)
    assert not service.requests
    monkeypatch.setattr(module, "get_cert_path", lambda _verify: str(authority.path))
    module._trusted.cache_clear()
    try:
        assert service.tables().get_item(TableName="t", Key=KEY) == ITEM
    finally:
        module._trusted.cache_clear()
    assert service.short == 1


@examples(50)
@given(
    secret=st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1),
    token=st.sampled_from(["", "IQoJb3JpZ2luX2VjEA=="]),
    body=st.binary(max_size=200),
    endpoint=st.sampled_from(["https://dynamodb.eu-west-1.amazonaws.com", "http://127.0.0.1:4566"]),
)
def test_a_request_is_signed_as_botocore_signs_it(secret: str, token: str, body: bytes, endpoint: str) -> None:
    about = SimpleNamespace(config=Config(proxies={}), endpoint_url=endpoint, region_name="eu-west-1")
    credentials = Credentials("AKIDEXAMPLE", secret, token)
    head = Tables(SimpleNamespace(meta=about), credentials)._head("GetItem", body).decode()
    headers = dict(line.split(":", 1) for line in head.split("\r\n")[1:] if line)
    signed = {name: headers[name] for name in ("content-type", "x-amz-target")}
    theirs = AWSRequest("POST", f"{endpoint}/", {**signed, "X-Amz-Date": headers["x-amz-date"]}, body)
    theirs.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(credentials, "dynamodb", "eu-west-1")
    if token:
        theirs.headers["X-Amz-Security-Token"] = token
    text = signer.string_to_sign(theirs, signer.canonical_request(theirs))
    assert headers["authorization"].endswith(f"Signature={signer.signature(text, theirs)}")
    assert head.startswith("POST / HTTP/1.1\r\n")
    assert head.endswith("\r\n\r\n")
    assert headers["content-length"] == str(len(body))
