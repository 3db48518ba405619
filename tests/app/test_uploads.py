"""The uploads routes, sockets and functions through Chalice."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from chalice.app import WebsocketEvent
from chalice.test import Client

import app as application
from chalicelib.errors import RateLimited, UpstreamUnavailable
from chalicelib.uploads.site import PAGES, Site
from chalicelib.uploads.status import Status
from chalicelib.wiring import Services
from tests.events import s3_event, s3_test_event, socket_event, sqs_event
from tests.unit.uploads.house import HTML, House

UNKNOWN = "1b671a64-40d5-491e-99b0-da01ff1f3341"


@pytest.fixture
def house(services: Services) -> House:
    house = House()
    services.uploads.sessions = house.sessions
    services.uploads.completion = house.completion
    services.uploads.notices = house.notices
    services.uploads.presence = house.presence
    services.uploads.site = Site(storage_origins=house.storage.origins, socket_url="wss://sockets.test/api")
    services.shared.connections = house.sockets  # type: ignore[assignment]
    return house


@pytest.fixture
def opened(house: House, api: Any) -> dict[str, Any]:
    answer = api("POST", "/sessions")
    assert answer.status == 201
    body: dict[str, Any] = answer.body
    return body


def owner(opened: dict[str, Any]) -> dict[str, str]:
    return {"X-Owner-Token": opened["ownerToken"]}


def upload(opened: dict[str, Any]) -> dict[str, str]:
    return {"X-Upload-Token": opened["uploadToken"]}


def invoke(client: Client, function: str, event: Any) -> Any:
    return client.lambda_.invoke(function, event).payload


def arrival(key: str, version: str = "v1", sequencer: str = "01") -> dict[str, Any]:
    event = s3_event(key, bucket="uploads")
    event["Records"][0]["s3"]["object"] |= {"versionId": version, "sequencer": sequencer}
    return event


def connect(opened: dict[str, Any], socket_id: str = "socket-1", **query: str) -> dict[str, Any]:
    given = {"sessionId": opened["sessionId"], "ownerToken": opened["ownerToken"], **query}
    answer: dict[str, Any] = application.connect(socket_event("$connect", connection_id=socket_id, query=given), None)
    return answer


def say(text: str, socket_id: str = "socket-1") -> None:
    application.message(socket_event("$default", connection_id=socket_id, body=text), None)


class TestContract:
    """What existing clients rely on."""

    def test_open_permit_upload_and_look(self, house: House, client: Client, api: Any, opened: dict[str, Any]) -> None:
        assert {"sessionId", "expiresAt", "ownerToken", "uploadToken"} <= set(opened)
        assert opened["expiresAt"] == opened["createdAt"] + 1800
        assert connect(opened) == {"statusCode": 200}
        house.sockets.open.add("socket-1")
        permission = api("GET", f"/upload-url?sessionId={opened['sessionId']}", headers=upload(opened)).body
        assert set(permission) == {"uploadUrl", "uploadKey", "expiresIn", "maxBytes", "form"}
        assert permission["expiresIn"] == 300
        house.uploaded(permission["uploadKey"])
        invoke(client, "upload_completed", arrival(permission["uploadKey"]))
        ((_, said),) = house.sockets.sent
        assert said["action"] == "UPLOAD_COMPLETED"
        assert {"sessionId", "uploadKey", "timestamp"} <= set(said)
        state = api("GET", f"/sessions/{opened['sessionId']}", headers=owner(opened)).body
        assert state["status"] == "COMPLETED"
        assert state["imageUrl"].startswith("https://bucket.test/")

    def test_a_client_that_cannot_send_headers_puts_tokens_into_the_query(
        self, house: House, api: Any, opened: dict[str, Any]
    ) -> None:
        session, secret = opened["sessionId"], opened["uploadToken"]
        assert api("GET", f"/upload-url?sessionId={session}&uploadToken={secret}").status == 200
        assert api("GET", f"/sessions/{session}?uploadToken={secret}").body["status"] == "UPLOAD_REQUESTED"
        assert api("GET", f"/sessions/{session}?ownerToken={opened['ownerToken']}").status == 200

    def test_content_type_and_length_reach_the_signature(self, house: House, api: Any, opened: dict[str, Any]) -> None:
        query = f"sessionId={opened['sessionId']}&contentType={quote('image/png', safe='')}&contentLength=99"
        permission = api("GET", f"/upload-url?{query}", headers=upload(opened)).body
        assert "type=image/png&length=99" in permission["uploadUrl"]


class TestRequests:
    @pytest.mark.parametrize(
        ("path", "status", "code"),
        [
            ("/upload-url", 400, "invalid_input"),
            ("/upload-url?sessionId=", 400, "invalid_input"),
            ("/upload-url?sessionId=5", 400, "invalid_input"),
            (f"/upload-url?sessionId={UNKNOWN.upper()}", 400, "invalid_input"),
            (f"/upload-url?sessionId={UNKNOWN}%0A", 400, "invalid_input"),
            (f"/upload-url?sessionId={UNKNOWN}&sessionId={UNKNOWN}", 400, "invalid_input"),
            (f"/upload-url?sessionId={UNKNOWN}&contentLength=0", 400, "invalid_input"),
            (f"/upload-url?sessionId={UNKNOWN}&contentLength=-1", 400, "invalid_input"),
            (f"/upload-url?sessionId={UNKNOWN}&contentLength=many", 400, "invalid_input"),
            (f"/upload-url?sessionId={UNKNOWN}&contentLength=1001", 413, "too_large"),
            (f"/upload-url?sessionId={UNKNOWN}&contentType=text/html", 422, "unprocessable"),
            (f"/upload-url?sessionId={UNKNOWN}&surprise=1", 400, "invalid_input"),
            (f"/upload-url?sessionId={UNKNOWN}", 404, "not_found"),
            (f"/sessions/{UNKNOWN}", 404, "not_found"),
            ("/sessions/nonsense", 400, "invalid_input"),
            ("/sessions/..%2F..%2Fetc", 400, "invalid_input"),
            ("/sessions/%C3%BC", 400, "invalid_input"),
            ("/sessions/%FF", 400, "invalid_input"),
        ],
    )
    def test_what_is_wrong_is_named(self, house: House, api: Any, path: str, status: int, code: str) -> None:
        answer = api("GET", path, headers={"X-Upload-Token": "x"})
        assert (answer.status, answer.body["error"]["code"]) == (status, code)

    def test_tokens_missing_wrong_and_swapped(self, house: House, api: Any, opened: dict[str, Any]) -> None:
        session = f"/sessions/{opened['sessionId']}"
        permit = f"/upload-url?sessionId={opened['sessionId']}"
        other = api("POST", "/sessions").body
        assert api("GET", session).status == 401
        assert api("GET", permit).status == 401
        assert api("DELETE", session).status == 401
        for wrong in ("wrong", opened["uploadToken"], other["ownerToken"], "é" * 300):
            assert api("GET", session, headers={"X-Owner-Token": wrong}).status == 403
            assert api("DELETE", session, headers={"X-Owner-Token": wrong}).status == 403
        for wrong in ("wrong", opened["ownerToken"], other["uploadToken"]):
            assert api("GET", permit, headers={"X-Upload-Token": wrong}).status == 403
        assert house.store.sessions[opened["sessionId"]].status is Status.AWAITING_SCAN

    def test_too_many_sessions(self, house: House, api: Any) -> None:
        answers = [api("POST", "/sessions") for _ in range(4)]
        assert [answer.status for answer in answers] == [201, 201, 201, 429]
        assert answers[-1].headers["retry-after"] == "600"

    def test_gone_conflict_and_deleted(self, house: House, api: Any, opened: dict[str, Any]) -> None:
        permit = f"/upload-url?sessionId={opened['sessionId']}"
        key = api("GET", permit, headers=upload(opened)).body["uploadKey"]
        house.uploaded(key)
        house.arrives(key)
        assert api("GET", permit, headers=upload(opened)).status == 409
        late = api("POST", "/sessions").body
        house.clock.advance(minutes=30)
        assert api("GET", f"/upload-url?sessionId={late['sessionId']}", headers=upload(late)).status == 410
        assert api("GET", f"/sessions/{late['sessionId']}", headers=owner(late)).body["status"] == "EXPIRED"
        assert api("DELETE", f"/sessions/{opened['sessionId']}", headers=owner(opened)).status == 204
        assert api("GET", f"/sessions/{opened['sessionId']}", headers=owner(opened)).status == 404

    @pytest.mark.parametrize("page", ["javascript:alert(1)/", "https://a.test/?q=", "https://a.test", "https:///\n/"])
    def test_the_code_leads_only_to_web_pages(self, house: House, api: Any, page: str) -> None:
        assert api("POST", f"/sessions?phonePage={quote(page, safe='')}").status == 400

    def test_the_code_leads_where_the_caller_says(self, house: House, api: Any) -> None:
        answer = api("POST", "/sessions?phonePage=https%3A%2F%2Fphotos.test%2Fu")
        assert answer.body["phoneUrl"].startswith("https://photos.test/u#")

    def test_browsers_of_allowed_origins_may_send_the_tokens(self, house: House, api: Any) -> None:
        answer = api("OPTIONS", "/upload-url", headers={"Origin": "https://app.example.com"})
        assert "X-Upload-Token" in answer.headers["access-control-allow-headers"]

    def test_a_page_of_another_site_does_not_use_up_its_visitors_sessions(self, house: House, api: Any) -> None:
        for origin in ("https://evil.example", "null"):
            assert api("POST", "/sessions", headers={"Origin": origin}).status == 403
        assert not house.counters.counts
        assert api("POST", "/sessions", headers={"Origin": "https://app.example.com"}).status == 201

    def test_no_token_is_logged(
        self, house: House, api: Any, opened: dict[str, Any], capsys: pytest.CaptureFixture[str]
    ) -> None:
        api("GET", f"/upload-url?sessionId={opened['sessionId']}&uploadToken={opened['uploadToken']}")
        api("GET", f"/sessions/{opened['sessionId']}", headers=owner(opened))
        assert opened["uploadToken"] in opened["phoneUrl"].partition("#")[2]  # which browsers send to nobody
        api("GET", "/u")
        connect(opened)
        logged = capsys.readouterr().out
        assert opened["uploadToken"] not in logged
        assert opened["ownerToken"] not in logged


class TestPages:
    @pytest.mark.parametrize("path", ["/upload", "/u"])
    def test_pages_run_nothing_but_their_own(self, house: House, api: Any, path: str) -> None:
        answer = api("GET", path)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["connect-src"] == "'self' https://bucket.test wss://sockets.test"
        assert policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"

    def test_every_asset_that_a_page_or_module_names_is_there(self, house: House, api: Any) -> None:
        names = {path.name for path in PAGES.iterdir() if path.suffix in (".js", ".css")}
        sources = "".join(path.read_text() for path in PAGES.iterdir())
        for name in names:
            answer = api("GET", f"/upload/assets/{name}")
            assert answer.status == 200
            assert answer.headers["content-type"].split(";")[0] in ("text/javascript", "text/css")
            assert name in sources, f"{name} is used by no page"

    @pytest.mark.parametrize("name", ["nothing.js", "..%2Fsite.py", "%2Fetc%2Fpasswd", "desktop.html", "__init__.py"])
    def test_nothing_else_is_served(self, house: House, api: Any, name: str) -> None:
        assert api("GET", f"/upload/assets/{name}").status == 404

    def test_pages_hold_no_inline_script_or_style(self) -> None:
        for path in PAGES.glob("*.html"):
            text = path.read_text()
            assert "style=" not in text
            assert "onclick" not in text
            assert text.count("<script") == text.count('<script type="module" src=')


class TestSockets:
    def test_refused_handshakes(self, house: House, opened: dict[str, Any]) -> None:
        for query, status in (
            ({"ownerToken": "wrong"}, 403),
            ({"ownerToken": opened["uploadToken"]}, 403),
            ({"ownerToken": ""}, 401),
            ({"sessionId": "5"}, 400),
            ({"sessionId": UNKNOWN}, 404),
        ):
            assert connect(opened, **query)["statusCode"] == status
        assert application.connect(socket_event("$connect", query=None), None)["statusCode"] == 400
        house.clock.advance(minutes=30)
        assert connect(opened)["statusCode"] == 410

    def test_sync_ping_and_disconnect(self, house: House, opened: dict[str, Any]) -> None:
        connect(opened)
        house.sockets.open.add("socket-1")
        say('{"action": "sync"}')
        say(json.dumps({"action": "sync", "sessionId": opened["sessionId"]}))
        say('{"action": "ping"}')
        assert house.sockets.actions("socket-1") == ["SESSION_STATE", "SESSION_STATE", "PONG"]
        application.disconnect(socket_event("$disconnect", connection_id="socket-1"), None)
        assert house.store.sessions[opened["sessionId"]].socket is None

    def test_what_is_wrong_is_answered(self, house: House, opened: dict[str, Any]) -> None:
        connect(opened)
        house.sockets.open |= {"socket-1", "stranger"}
        say('{"action": "dance"}')
        say("not json")
        say(json.dumps({"action": "sync", "sessionId": opened["sessionId"]}), "stranger")
        assert [message["error"]["code"] for _, message in house.sockets.sent] == [
            "invalid_input",
            "invalid_input",
            "forbidden",
        ]

    def test_an_answer_to_a_socket_that_closed_meanwhile_is_let_go(self, house: House, opened: dict[str, Any]) -> None:
        connect(opened)
        say('{"action": "sync"}')
        assert house.sockets.sent == []


class TestFunctions:
    def test_all_records_count_and_each_fails_alone(
        self, house: House, client: Client, api: Any, opened: dict[str, Any]
    ) -> None:
        key = api("GET", f"/upload-url?sessionId={opened['sessionId']}", headers=upload(opened)).body["uploadKey"]
        house.uploaded(key)
        event = arrival("session-uploads/../a b+c/ü")
        event["Records"] += arrival(key)["Records"]
        invoke(client, "upload_completed", event)
        assert house.store.sessions[opened["sessionId"]].status is Status.COMPLETED

    def test_the_test_event_and_none_at_all(self, house: House, client: Client) -> None:
        invoke(client, "upload_completed", s3_test_event("uploads"))
        invoke(client, "upload_completed", {"Records": []})

    def test_a_throttled_store_makes_the_event_come_again(
        self, house: House, client: Client, api: Any, opened: dict[str, Any]
    ) -> None:
        key = api("GET", f"/upload-url?sessionId={opened['sessionId']}", headers=upload(opened)).body["uploadKey"]
        house.uploaded(key, HTML)
        house.store.failures = [RateLimited("throttled")]
        with pytest.raises(RateLimited):
            invoke(client, "upload_completed", arrival(key))
        invoke(client, "upload_completed", arrival(key))
        assert house.store.sessions[opened["sessionId"]].status is Status.REJECTED

    def test_the_outbox_gives_back_only_what_may_pass(
        self, house: House, client: Client, api: Any, opened: dict[str, Any]
    ) -> None:
        connect(opened)
        house.sockets.open.add("socket-1")
        key = api("GET", f"/upload-url?sessionId={opened['sessionId']}", headers=upload(opened)).body["uploadKey"]
        house.uploaded(key)
        house.sockets.failures = [UpstreamUnavailable("503"), RateLimited("429")]
        invoke(client, "upload_completed", arrival(key))
        due = json.dumps({"sessionId": opened["sessionId"]})
        event = sqs_event(due, "nonsense", json.dumps({"sessionId": UNKNOWN}), '{"sessionId": 5}')
        answer = invoke(client, "notify_uploads", event)
        assert answer == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
        assert invoke(client, "notify_uploads", event) == {"batchItemFailures": []}
        assert house.sockets.actions("socket-1") == ["UPLOAD_COMPLETED"]


def test_socket_events_are_as_the_gateway_sends_them() -> None:
    event = WebsocketEvent(socket_event("$connect", query={"a": "b"}), None)
    assert event.connection_id == "connection-1"
