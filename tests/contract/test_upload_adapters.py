"""One suite for each uploads port, on the fake and on the real adapter against moto's AWS."""

import base64
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import msgspec
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st
from moto import mock_aws

from chalicelib.adapters.connections import Connections
from chalicelib.adapters.counters import CountersTable
from chalicelib.adapters.uploads.outbox import NoticeOutbox
from chalicelib.adapters.uploads.sessions import UploadSessionsTable, item_of, session_of_item
from chalicelib.adapters.uploads.storage import UploadStorage
from chalicelib.errors import Conflict, Gone, RateLimited, TooLarge, UpstreamRejected, UpstreamUnavailable
from chalicelib.settings import Settings
from chalicelib.uploads.keys import new_session_id
from chalicelib.uploads.machine import (
    LIFETIME,
    Connected,
    Denial,
    Event,
    Lapsed,
    NoticeClaimed,
    NoticeSent,
    Permitted,
    Refused,
    Session,
    Socket,
    Upload,
    Verified,
    step,
)
from chalicelib.uploads.models import NoticeDue
from chalicelib.uploads.ports import Stored
from chalicelib.uploads.status import Reason
from chalicelib.wiring import Services
from tests.environment import ENVIRONMENT
from tests.fakes.uploads import FakeCounters, FakeSessions, FakeSockets, FakeStorage
from tests.infra.template import table_definition
from tests.properties import examples
from tests.unit.uploads.histories import CREATED, KEYS, events, new_session

ANOTHER_ID = "2c671a64-40d5-491e-99b0-da01ff1f3341"
KEY = KEYS[0]
PERMITTED = Permitted(KEY, CREATED)
CONNECTED = Connected(Socket("s1", "https://sockets.test/api"), CREATED)


def verified(version: str, sequencer: str) -> Verified:
    return Verified(Upload(KEY, version, sequencer), CREATED, 1, "image/png")


def refused(version: str, sequencer: str) -> Refused:
    return Refused(Upload(KEY, version, sequencer), CREATED, 1, Reason.NOT_AN_IMAGE)


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        with mock_aws():
            yield


@pytest.fixture(scope="module")
def table(aws: None) -> UploadSessionsTable:
    client = boto3.client("dynamodb")
    client.create_table(**{**table_definition("uploads", "UploadSessionsTable"), "TableName": "upload-sessions"})
    return UploadSessionsTable(client, "upload-sessions")


@pytest.fixture(params=["fake", "moto"])
def store(request: pytest.FixtureRequest, table: UploadSessionsTable) -> Any:
    return FakeSessions() if request.param == "fake" else table


@pytest.fixture
def session(store: Any) -> Session:
    fresh = new_session(new_session_id())
    store.add(fresh)
    return fresh


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", "photos.s3.us-east-1.amazonaws.com"),
        ("eu-west-1", "photos.s3.eu-west-1.amazonaws.com"),
        ("ap-east-1", "photos.s3.ap-east-1.amazonaws.com"),
        ("me-central-1", "photos.s3.me-central-1.amazonaws.com"),
        ("cn-north-1", "photos.s3.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "photos.s3.us-gov-west-1.amazonaws.com"),
    ],
)
def test_browsers_are_sent_to_the_bucket_in_its_own_region(region: str, host: str) -> None:
    """The global name redirects for a day (docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html)."""
    services = Services(
        Settings.from_environ({**ENVIRONMENT, "AWS_DEFAULT_REGION": region, "OMNIBUS_UPLOADS_BUCKET": "photos"})
    )
    storage = services.uploads.storage
    assert storage.origins() == {f"https://{host}"}
    urls = [storage.put_url("k", "image/jpeg", None, 60), storage.link("k", "v", "image/jpeg", 60)]
    assert {urlsplit(url).netloc for url in (*urls, storage.post_form("k", 1, 60).url)} == {host}
    policy = services.uploads.site.phone().headers["Content-Security-Policy"]
    assert f"https://{host}" in policy


def test_the_local_cloud_is_asked_by_path() -> None:
    local = {**ENVIRONMENT, "AWS_ENDPOINT_URL": "http://localhost:4566", "OMNIBUS_UPLOADS_BUCKET": "photos"}
    storage = Services(Settings.from_environ(local)).uploads.storage
    assert storage.origins() == {"http://localhost:4566"}


class TestSessions:
    def test_a_session_is_found_as_it_was_added(self, store: Any, session: Session) -> None:
        assert store.find(session.id) == session
        assert store.find(ANOTHER_ID) is None
        with pytest.raises(Conflict):
            store.add(session)

    def test_a_change_makes_no_ghost(self, store: Any) -> None:
        assert store.change(ANOTHER_ID, Permitted(KEY, CREATED)) is None
        assert store.find(ANOTHER_ID) is None

    def test_a_removed_session_is_gone_and_may_be_removed_again(self, store: Any, session: Session) -> None:
        last = store.change(session.id, Permitted(KEY, CREATED))
        assert store.remove(session.id) == last
        assert store.remove(session.id) is None
        assert store.find(session.id) is None

    def test_a_socket_leads_to_its_session(self, store: Any, session: Session) -> None:
        socket = f"socket of {session.id}"
        store.change(session.id, Connected(Socket(socket, "https://sockets.test"), CREATED))
        assert store.session_of(socket) == session.id
        store.change(session.id, Connected(Socket("newer" + socket, "https://sockets.test"), CREATED))
        assert store.session_of(socket) is None

    @example(
        history=[PERMITTED, refused("v1", "0A"), verified("v2", "0A"), verified("v3", "0a0"), verified("v4", "0B")]
    )
    @example(history=[CONNECTED, PERMITTED, refused("v1", "0A"), NoticeClaimed("s1", KEY, CREATED), PERMITTED])
    @example(history=[CONNECTED, PERMITTED, refused("v1", "0A"), NoticeSent("s1", KEY, CREATED), verified("v2", "0B")])
    @example(history=[PERMITTED, verified("v1", "01"), Lapsed(Upload(KEY, "v2", "02"), CREATED + LIFETIME, 1)])
    @examples(25, HealthCheck.function_scoped_fixture)
    @given(history=st.lists(events(), min_size=1, max_size=25))
    def test_every_store_does_what_the_machine_says(self, store: Any, history: list[Event]) -> None:
        expected = new_session(new_session_id())
        store.add(expected)
        for event in history:
            after = step(expected, event)
            assert store.change(expected.id, event) == after
            expected = after if isinstance(after, Session) else expected
            assert store.find(expected.id) == expected

    def test_of_two_racing_completions_one_wins(self, store: Any, session: Session) -> None:
        store.change(session.id, Permitted(KEY, CREATED))
        results = [
            store.change(session.id, Verified(Upload(KEY, version, version), CREATED, 1, "image/png"))
            for version in ("01", "02")
        ]
        assert isinstance(results[0], Session)
        assert results[1] is Denial.FINISHED


class TestSessionsTable:
    @given(history=st.lists(events(), max_size=15))
    def test_an_item_holds_all_of_a_session_and_no_null(self, history: list[Event]) -> None:
        session = new_session()
        for event in history:
            after = step(session, event)
            session = after if isinstance(after, Session) else session
        item = item_of(session)
        assert session_of_item(item) == session
        assert not any("NULL" in value for value in item.values())
        assert item["expiresAt"]["N"].rstrip("0").rstrip(".") == str(int((CREATED + LIFETIME).timestamp()))

    @pytest.mark.parametrize(
        ("code", "error"),
        [
            ("ProvisionedThroughputExceededException", RateLimited),
            ("ThrottlingException", RateLimited),
            ("InternalServerError", UpstreamUnavailable),
            ("ValidationException", UpstreamRejected),
        ],
    )
    def test_its_failures_are_told_in_our_words(self, code: str, error: type[Exception]) -> None:
        class Failing:
            def __getattr__(self, operation: str) -> Any:
                def fail(**_arguments: Any) -> None:
                    status = 500 if code.startswith("Internal") else 400
                    raise ClientError(
                        {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
                        operation,
                    )

                return fail

        store = UploadSessionsTable(Failing(), "t")
        for call in (
            lambda: store.find("x"),
            lambda: store.add(new_session()),
            lambda: store.change("x", Permitted(KEY, CREATED)),
            lambda: store.remove("x"),
            lambda: store.session_of("x"),
            lambda: CountersTable(Failing(), "t").add("x", CREATED),
        ):
            with pytest.raises(error):
                call()


@pytest.fixture(params=["fake", "moto"])
def counters(request: pytest.FixtureRequest, aws: None) -> Any:
    if request.param == "fake":
        return FakeCounters()
    client = boto3.client("dynamodb")
    name = f"counters-{new_session_id()}"
    client.create_table(**{**table_definition("uploads", "UploadCountersTable"), "TableName": name})
    return CountersTable(client, name)


def test_counters_count_each_name_for_itself(counters: Any) -> None:
    assert [counters.add("a", CREATED) for _ in range(3)] == [1, 2, 3]
    assert counters.add("b", CREATED) == 1
    assert [counters.count(name) for name in "abc"] == [3, 1, 0]


@dataclass
class Bucket:
    """A storage and a way to write to it as a phone would."""

    storage: Any
    put: Any


@pytest.fixture(params=["fake", "moto"])
def bucket(request: pytest.FixtureRequest, aws: None) -> Bucket:
    if request.param == "fake":
        fake = FakeStorage()

        def put_fake(key: str, content: bytes) -> str:
            version = f"v{len(fake.objects)}"
            fake.objects[(key, version)] = content
            return version

        return Bucket(fake, put_fake)
    client = boto3.client("s3", config=Config(signature_version="s3v4"))
    name = f"uploads-{new_session_id()}"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})

    def put(key: str, content: bytes) -> str:
        return str(client.put_object(Bucket=name, Key=key, Body=content)["VersionId"])

    return Bucket(UploadStorage(client, name), put)


class TestStorage:
    def test_peeks_at_size_and_first_bytes_of_a_version(self, bucket: Bucket) -> None:
        first, second = bucket.put(KEY, b"0123456789"), bucket.put(KEY, b"abc")
        assert bucket.storage.peek(KEY, first, 4) == Stored(10, b"0123")
        assert bucket.storage.peek(KEY, second, 4) == Stored(3, b"abc")

    def test_an_empty_object_has_no_bytes(self, bucket: Bucket) -> None:
        assert bucket.storage.peek(KEY, bucket.put(KEY, b""), 4) == Stored(0, b"")

    def test_what_is_gone_is_none(self, bucket: Bucket) -> None:
        version = bucket.put(KEY, b"abc")
        bucket.storage.delete(KEY, version)
        bucket.storage.delete(KEY, version)
        assert bucket.storage.peek(KEY, version, 4) is None
        assert bucket.storage.peek("session-uploads/never/there", version, 4) is None

    def test_deleting_a_version_leaves_the_others(self, bucket: Bucket) -> None:
        first, second = bucket.put(KEY, b"1"), bucket.put(KEY, b"2")
        bucket.storage.delete(KEY, second)
        assert bucket.storage.peek(KEY, first, 4) == Stored(1, b"1")

    def test_says_where_it_leads(self, bucket: Bucket) -> None:
        (origin,) = bucket.storage.origins()
        assert origin.startswith("https://")
        assert bucket.storage.put_url(KEY, "image/png", None, 60).startswith(origin)
        assert bucket.storage.post_form(KEY, 10, 60).url.startswith(origin)
        assert bucket.storage.link(KEY, "v", "image/png", 60).startswith(origin)


class TestPresigning:
    @pytest.fixture
    def storage(self, aws: None) -> UploadStorage:
        return UploadStorage(boto3.client("s3", config=Config(signature_version="s3v4")), "photos")

    def test_a_put_is_signed_for_its_type_and_length(self, storage: UploadStorage) -> None:
        signed = parse_qs(urlsplit(storage.put_url(KEY, "image/png", 12, 300)).query)
        assert signed["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]
        assert signed["X-Amz-Expires"] == ["300"]
        without = parse_qs(urlsplit(storage.put_url(KEY, "image/png", None, 300)).query)
        assert without["X-Amz-SignedHeaders"] == ["content-type;host"]

    def test_a_form_is_limited_in_key_size_and_type(self, storage: UploadStorage) -> None:
        form = storage.post_form(KEY, 1000, 300)
        policy = msgspec.json.decode(base64.b64decode(form.fields["policy"]))
        assert form.fields["key"] == KEY
        for condition in (
            {"bucket": "photos"},
            {"key": KEY},
            ["content-length-range", 1, 1000],
            ["starts-with", "$Content-Type", "image/"],
        ):
            assert condition in policy["conditions"]

    def test_a_link_pins_the_version_and_overrules_the_declared_type(self, storage: UploadStorage) -> None:
        signed = parse_qs(urlsplit(storage.link(KEY, "v7", "image/png", 300)).query)
        assert signed["versionId"] == ["v7"]
        assert signed["response-content-type"] == ["image/png"]
        assert signed["response-content-disposition"] == ["inline"]


def test_the_outbox_queues_what_its_consumer_reads(aws: None) -> None:
    client = boto3.client("sqs")
    url = client.create_queue(QueueName="notices")["QueueUrl"]
    NoticeOutbox(client, url).put(ANOTHER_ID, 0)
    (message,) = client.receive_message(QueueUrl=url)["Messages"]
    assert msgspec.json.decode(message["Body"], type=NoticeDue) == NoticeDue(session_id=ANOTHER_ID)
    NoticeOutbox(client, url).put(ANOTHER_ID, 5000)  # more than SQS allows is cut to what it allows
    assert (
        client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"][
            "ApproximateNumberOfMessagesDelayed"
        ]
        == "1"
    )


@dataclass
class Gateway:
    """API Gateway's management API on the wire: answers as it does, and keeps what was posted."""

    url: str = ""
    closed: set[str] = field(default_factory=set)
    status: dict[str, int] = field(default_factory=dict)
    posted: list[tuple[str, bytes]] = field(default_factory=list)


ERRORS = {
    410: "GoneException",
    403: "ForbiddenException",
    413: "PayloadTooLargeException",
    429: "LimitExceededException",
    500: "InternalServerError",
}


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    state = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            socket = self.path.removeprefix("/api/@connections/")
            status = 410 if socket in state.closed else state.status.get(socket, 200)
            if status == 200:
                state.posted.append((socket, body))
            self.send_response(status)
            if status in ERRORS:
                self.send_header("x-amzn-ErrorType", ERRORS[status])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/api"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def management_client(url: str) -> Any:
    return boto3.client("apigatewaymanagementapi", endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))


class TestConnections:
    def test_posts_json_to_the_connections_own_endpoint(self, gateway: Gateway) -> None:
        Connections(management_client).post(Socket("a", gateway.url), {"action": "PONG"})
        assert gateway.posted == [("a", b'{"action":"PONG"}')]

    def test_a_configured_endpoint_goes_first(self, gateway: Gateway) -> None:
        Connections(management_client, gateway.url).post(Socket("a", "https://nowhere.invalid"), {"n": 1})
        assert gateway.posted == [("a", b'{"n":1}')]

    def test_a_closed_socket_is_gone_as_in_the_fake(self, gateway: Gateway) -> None:
        gateway.closed.add("a")
        for sockets in (Connections(management_client), FakeSockets()):
            with pytest.raises(Gone):
                sockets.post(Socket("a", gateway.url), {})

    @pytest.mark.parametrize(
        ("status", "error"), [(429, RateLimited), (500, UpstreamUnavailable), (403, UpstreamRejected)]
    )
    def test_other_failures(self, gateway: Gateway, status: int, error: type[Exception]) -> None:
        gateway.status["a"] = status
        with pytest.raises(error):
            Connections(management_client).post(Socket("a", gateway.url), {})

    def test_nobody_there(self) -> None:
        with pytest.raises(UpstreamUnavailable):
            Connections(management_client).post(Socket("a", "http://127.0.0.1:9/api"), {})

    def test_more_than_a_socket_takes_is_not_sent(self, gateway: Gateway) -> None:
        with pytest.raises(TooLarge):
            Connections(management_client).post(Socket("a", gateway.url), {"text": "x" * 128 * 1024})
        assert gateway.posted == []


def test_histories_are_in_utc() -> None:
    assert datetime(2026, 11, 21, 12, tzinfo=UTC) == CREATED
