"""Sockets: connections, actions, and errors for the sender."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from chalice.app import WebsocketEvent

from chalicelib.entry.limits import AddressLimits, Kind
from chalicelib.entry.sockets import Connection, Doorman, accept, connection_of, dispatch, release
from chalicelib.errors import Forbidden, Gone, RateLimited
from tests.events import socket_event
from tests.fakes.clock import Clock
from tests.fakes.uploads import FakeCounters


class Posts:
    def __init__(self) -> None:
        self.posted: list[tuple[str, Mapping[str, Any]]] = []

    def __call__(self, connection: Connection, message: Mapping[str, Any]) -> None:
        self.posted.append((connection.id, message))


def message(body: str | None) -> WebsocketEvent:
    return WebsocketEvent(socket_event("$default", body=body), None)


def test_a_connection_knows_its_endpoint_and_query() -> None:
    event = WebsocketEvent(socket_event("$connect", connection_id="c", query={"sessionId": "s"}), None)
    connection = connection_of(event)
    assert (connection.id, connection.query) == ("c", {"sessionId": "s"})
    assert connection.endpoint == "https://socketapi1.execute-api.eu-west-1.amazonaws.com/api"
    assert connection.source_ip == "192.0.2.1"


def test_a_refused_connect_answers_the_status_of_its_error() -> None:
    def refuse(connection: Connection) -> None:
        raise Forbidden("not yours")

    event = WebsocketEvent(socket_event("$connect"), None)
    answer = accept(event, refuse)
    assert answer["statusCode"] == 403
    assert json.loads(answer["body"])["error"]["message"] == "not yours"
    assert accept(event, lambda connection: None) == {"statusCode": 200}
    assert release(event, lambda connection: None) == {"statusCode": 200}


def test_an_action_gets_its_message() -> None:
    seen = []
    posts = Posts()
    actions = {"sync": lambda connection, message: seen.append((connection.id, message["x"]))}
    assert dispatch(message('{"action": "sync", "x": 1}'), actions, posts) == {"statusCode": 200}
    assert seen == [("connection-1", 1)]
    assert posts.posted == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"action": "dance"}', "action"),
        ('{"action": 1}', "action"),
        ("{}", "action"),
        ("[]", "message"),
        ("not JSON", "message"),
        ("[" * 20_000, "message"),
        (None, "message"),
        ('{"action": "' + "x" * 40_000 + '"}', "message"),
    ],
)
def test_what_is_wrong_with_a_message_is_posted_to_its_sender(body: str | None, field: str) -> None:
    posts = Posts()
    dispatch(message(body), {"sync": lambda connection, message: None}, posts)
    ((_, answer),) = posts.posted
    assert answer["action"] == "ERROR"
    assert answer["error"]["details"][0]["field"] == field
    assert answer["error"]["request_id"]


def test_an_action_that_is_unknown_is_not_sent_back_whole() -> None:
    posts = Posts()
    dispatch(message('{"action": "' + "x" * 30_000 + '"}'), {"sync": lambda connection, message: None}, posts)
    ((_, answer),) = posts.posted
    assert len(json.dumps(answer)) < 1000


@pytest.mark.parametrize(("error", "code"), [(Gone("expired"), "gone"), (KeyError("secret"), "internal_error")])
def test_errors_of_an_action_are_posted_without_internals(error: Exception, code: str) -> None:
    posts = Posts()

    def fail(connection: Connection, message: Mapping[str, Any]) -> None:
        raise error

    dispatch(message('{"action": "sync"}'), {"sync": fail}, posts)
    ((_, answer),) = posts.posted
    assert answer["error"]["code"] == code
    assert "secret" not in json.dumps(answer)


def connecting(origin: str | None = None, address: str = "192.0.2.1", **query: str) -> Connection:
    return Connection("c", "https://x/api", query, address, origin)


def doorman(*origins: str, needs_key: bool = False) -> Doorman:
    most: Mapping[Kind, int] = {"socket": 3, "chat": 2, "refusal": 1}
    return Doorman(frozenset(origins), AddressLimits(FakeCounters(), Clock(), most), chat_needs_key=needs_key)


def test_a_page_of_another_site_may_not_connect() -> None:
    door = doorman("https://app.example.com")
    door.connect(connecting("https://app.example.com"))
    door.connect(connecting())  # no browser
    for origin in ("https://evil.example", "null", "", "https://app.example.com.evil.example"):
        with pytest.raises(Forbidden):
            door.connect(connecting(origin))
    doorman("*").connect(connecting("https://evil.example"))


def test_a_foreign_page_does_not_use_up_what_its_visitor_may_do() -> None:
    door = doorman("https://app.example.com")
    for _ in range(10):
        with pytest.raises(Forbidden):
            door.connect(connecting("https://evil.example"))
    door.connect(connecting("https://app.example.com"))


def test_an_address_has_so_many_sockets_and_chats() -> None:
    door = doorman()
    for _ in range(3):
        door.connect(connecting())
    with pytest.raises(RateLimited):
        door.connect(connecting())
    door.connect(connecting(address="192.0.2.2"))
    door.chat(connecting())
    door.chat(connecting())
    with pytest.raises(RateLimited):
        door.chat(connecting())


def test_where_chats_need_a_key_a_socket_does_not_chat() -> None:
    door = doorman(needs_key=True)
    door.connect(connecting(sessionId="an upload's"))
    with pytest.raises(Forbidden, match="POST /chat"):
        door.connect(connecting(channel="chat"))
    with pytest.raises(Forbidden, match="POST /chat"):
        door.chat(connecting())
