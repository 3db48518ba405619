"""Sockets: who is connected, which action runs, and how errors reach the sender."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from chalice.app import WebsocketEvent

from chalicelib.entry.sockets import Connection, accept, connection_of, dispatch, release
from chalicelib.errors import Forbidden, Gone
from tests.events import socket_event


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
