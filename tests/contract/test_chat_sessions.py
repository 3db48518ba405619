"""The store of chats: the fake and DynamoDB behave alike."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.adapters.concerts.sessions import ChatSessions
from chalicelib.concerts.ports import ChatSessionStore
from chalicelib.concerts.values import ANONYMOUS, MAX_EXCHANGES, ChatSession, Exchange
from chalicelib.errors import Conflict, UpstreamUnavailable
from tests.fakes.concerts import FakeSessions

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def table() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        client.create_table(
            TableName="chat-sessions",
            KeySchema=[{"AttributeName": "session_id", "KeyType": "HASH"}],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("session_id", "listed_owner", "updated_at")
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by_owner",
                    "KeySchema": [
                        {"AttributeName": "listed_owner", "KeyType": "HASH"},
                        {"AttributeName": "updated_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["summary"]},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


@pytest.fixture(params=["fake", "dynamodb"])
def sessions(request: pytest.FixtureRequest, table: Any) -> ChatSessionStore:
    return FakeSessions() if request.param == "fake" else ChatSessions(table, "chat-sessions")


def begun() -> ChatSession:
    return ChatSession(session_id="chat-1", owner="alice", expires_at=NOW + timedelta(hours=1))


def said(text: str) -> Exchange:
    return Exchange(message=text, reply=f"about {text}", intent="general_query", at=NOW, concert_id="con-000001")


def test_what_is_saved_is_found(sessions: ChatSessionStore) -> None:
    session = begun().with_exchange(said("jazz in São Paulo ☂"))
    sessions.save(session)
    assert sessions.find("chat-1") == session


def test_of_the_longest_messages_the_latest_fit(sessions: ChatSessionStore) -> None:
    session = begun()
    longest = Exchange(message="🎸" * 4000, reply='"ü\n' * 3000, intent="general_query", at=NOW)
    for _ in range(MAX_EXCHANGES):
        session = session.with_exchange(longest)
        sessions.save(session)
    found = sessions.find("chat-1")
    assert found == session
    assert 5 <= len(session.exchanges) < MAX_EXCHANGES


def test_what_is_not_there_is_not_found(sessions: ChatSessionStore) -> None:
    assert sessions.find("chat-2") is None


def test_versions_follow_each_other(sessions: ChatSessionStore) -> None:
    first = begun().with_exchange(said("one"))
    sessions.save(first)
    second = first.with_exchange(said("two"))
    sessions.save(second)
    for late in (begun().with_exchange(said("again")), first.with_exchange(said("late"))):
        with pytest.raises(Conflict):
            sessions.save(late)
    assert sessions.find("chat-1") == second


def test_a_session_that_was_never_saved_cannot_go_on(sessions: ChatSessionStore) -> None:
    with pytest.raises(Conflict):
        sessions.save(begun().with_exchange(said("one")).with_exchange(said("two")))


def test_the_largest_session_fits(sessions: ChatSessionStore) -> None:
    session = begun()
    for number in range(MAX_EXCHANGES):
        exchange = Exchange(message="ü" * 4000, reply="x" * 8000, intent="general_query", at=NOW)
        session = session.with_exchange(exchange)
        sessions.save(session)
        assert session.version == number + 1
    found = sessions.find("chat-1")
    assert found is not None
    assert len(found.exchanges) == MAX_EXCHANGES


def test_the_tables_ttl_is_in_whole_seconds(table: Any) -> None:
    ChatSessions(table, "chat-sessions").save(begun().with_exchange(said("one")))
    item = table.get_item(TableName="chat-sessions", Key={"session_id": {"S": "chat-1"}})["Item"]
    assert int(item["expires_at"]["N"]) == int((NOW + timedelta(hours=24)).timestamp())


class Throttled:
    def get_item(self, **arguments: Any) -> None:
        raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "GetItem")

    put_item = get_item


def test_throttling_is_the_stores_failure_not_the_callers() -> None:
    sessions = ChatSessions(Throttled(), "chat-sessions")
    with pytest.raises(UpstreamUnavailable):
        sessions.find("chat-1")
    with pytest.raises(UpstreamUnavailable):
        sessions.save(begun().with_exchange(said("one")))


def test_an_owners_sessions_are_listed_the_latest_first(sessions: ChatSessionStore) -> None:
    for number, owner in enumerate(["alice", "bob", "alice", ANONYMOUS]):
        session = ChatSession(session_id=f"chat-{number}", owner=owner, expires_at=NOW)
        later = Exchange(message=f"m{number}", reply="r", intent="unknown", at=NOW + timedelta(minutes=number))
        sessions.save(session.with_exchange(later))
    assert [one.session_id for one in sessions.of_owner("alice", 10)] == ["chat-2", "chat-0"]
    assert [one.first_message for one in sessions.of_owner("alice", 1)] == ["m2"]
    assert sessions.of_owner("nobody", 10) == []


def test_what_is_forgotten_is_gone_and_twice_is_as_good_as_once(sessions: ChatSessionStore) -> None:
    sessions.save(begun().with_exchange(said("one")))
    sessions.forget("chat-1")
    sessions.forget("chat-1")
    assert sessions.find("chat-1") is None


def test_a_wish_to_stop_is_of_one_answer_and_of_its_time(sessions: ChatSessionStore) -> None:
    sessions.ask_to_stop("socket-1", NOW)
    assert sessions.asked_to_stop("socket-1", NOW - timedelta(seconds=1))
    assert not sessions.asked_to_stop("socket-1", NOW + timedelta(seconds=1))
    assert not sessions.asked_to_stop("socket-2", NOW - timedelta(seconds=1))
    assert sessions.find("stop/socket-1") is None, "it is no session"
