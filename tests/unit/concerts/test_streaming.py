"""A chat over a socket: deltas in order, then the whole reply."""

from collections.abc import Mapping
from typing import Any

from chalicelib.concerts.models import ChatRequest
from chalicelib.concerts.values import Delta
from chalicelib.errors import Gone, UpstreamUnavailable
from tests.fakes.concerts import FakeProvider
from tests.fakes.season import ConcertWorld


def test_deltas_then_done() -> None:
    sent: list[Mapping[str, Any]] = []
    ConcertWorld().conversation.answer_through(sent.append, ChatRequest(message="top 3 venues"), "socket-1")
    assert [message["sequence"] for message in sent] == list(range(len(sent)))
    assert sent[0]["action"] == "CHAT_STARTED", "a sign of life, before anything is asked"
    assert {message["action"] for message in sent[1:-1]} == {"CHAT_DELTA"}
    assert len(sent) > 3
    assert sent[-1]["action"] == "CHAT_DONE"
    assert sent[-1]["reply"]["message"] == "".join(message["text"] for message in sent[1:-1]).strip()


def test_a_restart_is_told() -> None:
    sent: list[Mapping[str, Any]] = []
    world = ConcertWorld(providers=(FakeProvider("agent", Delta("So "), fail=UpstreamUnavailable("cut off")),))
    world.conversation.answer_through(sent.append, ChatRequest(message="hello"), "socket-1")
    assert [message["action"] for message in sent[:3]] == ["CHAT_STARTED", "CHAT_DELTA", "CHAT_RESTART"]
    assert sent[2]["reason"] == "cut off"
    assert sent[-1]["reply"]["fallback"] == {"instead_of": "agent", "reason": "cut off"}


def test_nobody_talks_to_a_closed_socket() -> None:
    attempts: list[Mapping[str, Any]] = []

    def closed(message: Mapping[str, Any]) -> None:
        attempts.append(message)
        raise Gone("closed")

    ConcertWorld().conversation.answer_through(closed, ChatRequest(message="top 3 venues"), "socket-1")
    assert len(attempts) == 1


def test_an_answer_that_is_stopped_ends_and_is_not_remembered() -> None:
    sent: list[Mapping[str, Any]] = []
    world = ConcertWorld(providers=(FakeProvider("agent"),))

    def send(message: Mapping[str, Any]) -> None:
        sent.append(message)
        if message["action"] == "CHAT_DELTA":
            world.conversation.stop("socket-1")
            world.clock.advance(seconds=1)

    world.conversation.answer_through(send, ChatRequest(message="hello"), "socket-1")
    assert [message["action"] for message in sent] == ["CHAT_STARTED", "CHAT_DELTA", "CHAT_STOPPED"]
    assert world.sessions.kept == {}


def test_a_stop_of_an_earlier_answer_or_of_another_socket_changes_nothing() -> None:
    sent: list[Mapping[str, Any]] = []
    world = ConcertWorld(providers=(FakeProvider("agent"),))
    world.conversation.stop("socket-1")
    world.clock.advance(seconds=1)
    world.conversation.stop("socket-2")

    def send(message: Mapping[str, Any]) -> None:
        sent.append(message)
        world.clock.advance(seconds=1)

    world.conversation.answer_through(send, ChatRequest(message="hello"), "socket-1")
    assert sent[-1]["action"] == "CHAT_DONE"
