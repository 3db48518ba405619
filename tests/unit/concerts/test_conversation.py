"""Conversations: the answering provider, the stored session, and its owner."""

import math
from collections.abc import Iterator
from datetime import timedelta

import pytest
from msgspec import structs

from chalicelib import deadline
from chalicelib.concerts.conversation import CHAT_ANSWER_S, STORE_S, new_chat_session_id
from chalicelib.concerts.models import ChatFeedback, ChatReply, ChatRequest
from chalicelib.concerts.values import (
    MAX_EXCHANGES,
    SESSION_LIFETIME,
    ChatOutcome,
    ChatSession,
    Delta,
    Piece,
    Restart,
    Turn,
)
from chalicelib.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    OmnibusError,
    RateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from tests.fakes.concerts import FakeProvider
from tests.fakes.season import ConcertWorld


def ask(message: str = "hello", **more: str) -> ChatRequest:
    return ChatRequest(message=message, **more)


class TestProviders:
    def test_the_preferred_one_answers(self) -> None:
        agent = FakeProvider("agent")
        reply = ConcertWorld(providers=(agent,)).conversation.reply(ask())
        assert (reply.message, reply.source, reply.fallback) == ("Hello there.", "agent", None)

    def test_one_that_fails_before_its_first_word_is_passed_over(self) -> None:
        agent = FakeProvider("agent", ChatOutcome("unknown", 0, {}), fail=UpstreamUnavailable("throttled"))
        events = list(ConcertWorld(providers=(agent,)).conversation.stream(ask("Which venues are most popular?")))
        assert not any(isinstance(event, Restart) for event in events)
        reply = events[-1]
        assert isinstance(reply, ChatReply)
        assert reply.source == "local"
        assert reply.fallback is not None
        assert (reply.fallback.instead_of, reply.fallback.reason) == ("agent", "throttled")

    def test_words_of_one_that_fails_in_mid_stream_are_withdrawn(self) -> None:
        agent = FakeProvider("agent", Delta("The best "), fail=UpstreamTimeout("too slow"))
        events = list(ConcertWorld(providers=(agent,)).conversation.stream(ask("Which venues are most popular?")))
        assert events[:2] == [Delta("The best "), Restart("too slow")]
        reply = events[-1]
        assert isinstance(reply, ChatReply)
        assert "The best " not in reply.message.split("popular venues")[0]
        words = "".join(event.text for event in events[2:-1] if isinstance(event, Delta))
        assert reply.message == words.strip()

    @pytest.mark.parametrize("pieces", [(Delta("words without an end"),), (Delta("  "), ChatOutcome("unknown", 0, {}))])
    def test_an_answer_without_words_or_end_is_a_failure(self, pieces: tuple[Delta | ChatOutcome, ...]) -> None:
        reply = ConcertWorld(providers=(FakeProvider("converse", *pieces),)).conversation.reply(ask())
        assert reply.source == "local"

    def test_the_first_reason_is_the_one_that_is_told(self) -> None:
        first = FakeProvider("agent", Delta(""), fail=UpstreamUnavailable("first"))
        second = FakeProvider("converse", Delta(""), fail=UpstreamUnavailable("second"))
        reply = ConcertWorld(providers=(first, second)).conversation.reply(ask())
        assert reply.fallback is not None
        assert (reply.fallback.instead_of, reply.fallback.reason) == ("agent", "first")


class TestMessages:
    @pytest.mark.parametrize("message", [" ", "\n\t", "a\x00b", "\x1b[31m", "bell\x07", "\x7f"])
    def test_blank_ones_and_control_characters_are_refused(self, message: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            ConcertWorld().conversation.reply(ask(message))
        assert caught.value.problems[0].field == "message"

    def test_line_breaks_are_welcome(self) -> None:
        assert ConcertWorld().conversation.reply(ask("hello\nthere\tyou")).message


class TestSessions:
    def test_what_was_said_is_there_the_next_time(self) -> None:
        agent = FakeProvider("agent")
        world = ConcertWorld(providers=(agent,))
        first = world.conversation.reply(ask("one"))
        world.conversation.reply(ask("two", session_id=first.session_id))
        assert [exchange.message for exchange in agent.turns[1].history] == ["one"]
        assert agent.turns[1].history[0].reply == "Hello there."

    @pytest.mark.parametrize("claim", [{}, {"user_id": "mallory"}])
    def test_another_owner_finds_nothing(self, claim: dict[str, str]) -> None:
        agent = FakeProvider("agent")
        world = ConcertWorld(providers=(agent,))
        session_id = world.conversation.reply(ask("my secret", user_id="alice")).session_id
        with pytest.raises(NotFound) as caught:
            world.conversation.reply(ask("what did I say?", session_id=session_id, **claim))
        assert "secret" not in caught.value.message
        assert len(agent.turns) == 1

    @pytest.mark.parametrize("forged", ["chat-999", "../../etc", "chat-1 ", "ab"])
    def test_a_forged_id_is_as_good_as_none(self, forged: str) -> None:
        with pytest.raises(NotFound):
            ConcertWorld().conversation.reply(ask(session_id=forged))

    def test_it_ends_with_its_life(self) -> None:
        world = ConcertWorld()
        session_id = world.conversation.reply(ask()).session_id
        world.clock.advance(seconds=SESSION_LIFETIME.total_seconds() - 1)
        world.conversation.reply(ask(session_id=session_id))
        world.clock.advance(seconds=SESSION_LIFETIME.total_seconds())
        with pytest.raises(NotFound):
            world.conversation.reply(ask(session_id=session_id))

    def test_only_the_latest_exchanges_are_kept(self) -> None:
        world = ConcertWorld(providers=(FakeProvider("agent"),))
        session_id = world.conversation.reply(ask("0")).session_id
        for number in range(1, MAX_EXCHANGES + 5):
            world.conversation.reply(ask(str(number), session_id=session_id))
        kept = world.sessions.kept[session_id].exchanges
        assert [exchange.message for exchange in kept] == [str(n) for n in range(5, MAX_EXCHANGES + 5)]

    def test_two_messages_at_once_are_both_kept(self) -> None:
        world = ConcertWorld(providers=(FakeProvider("agent"),))
        session_id = world.conversation.reply(ask("0")).session_id
        world.sessions.interfere = lambda: world.conversation.reply(ask("1", session_id=session_id)) and None
        assert world.conversation.reply(ask("2", session_id=session_id)).remembered
        assert [exchange.message for exchange in world.sessions.kept[session_id].exchanges] == ["0", "1", "2"]

    @pytest.mark.parametrize("failure", [UpstreamUnavailable("down"), RateLimited("slow down"), Forbidden("no")])
    def test_without_the_store_it_answers_and_says_that_it_forgets(self, failure: OmnibusError) -> None:
        agent = FakeProvider("agent")
        world = ConcertWorld(providers=(agent,))
        session_id = world.conversation.reply(ask("my secret", user_id="alice")).session_id
        world.sessions.fail = failure
        reply = world.conversation.reply(ask("go on", session_id=session_id, user_id="mallory"))
        assert reply.remembered is False
        assert agent.turns[1].history == (), "ownership could not be checked"
        assert agent.turns[1].session_id != session_id, "an agent must not continue another's session"
        assert reply.session_id == session_id

    def test_a_new_session_without_the_store_answers_too(self) -> None:
        world = ConcertWorld()
        world.sessions.fail = UpstreamUnavailable("down")
        assert world.conversation.reply(ask()).remembered is False

    def test_a_session_counts_its_versions(self) -> None:
        world = ConcertWorld()
        session = ChatSession(session_id="s", owner="o", expires_at=world.clock())
        world.conversation.reply(ask())
        exchange = next(iter(world.sessions.kept.values())).exchanges[0]
        after = session.with_exchange(exchange)
        assert (after.version, after.expires_at) == (1, exchange.at + timedelta(hours=24))
        assert structs.replace(after, version=0, exchanges=(), expires_at=session.expires_at) == session

    def test_ids_cannot_be_guessed(self) -> None:
        ids = {new_chat_session_id() for _ in range(100)}
        assert len(ids) == 100
        assert all(len(one) >= 32 for one in ids)


class TestOwnSessions:
    def test_they_are_listed_read_and_forgotten_by_their_owner(self) -> None:
        world = ConcertWorld()
        first = world.conversation.reply(ask("Recommend rock", user_id="alice"))
        world.clock.advance(seconds=60)
        world.conversation.reply(ask("hello", user_id="alice"))
        world.conversation.reply(ask("hello", user_id="bob"))
        world.conversation.reply(ask("hello"))
        listed = world.conversation.sessions_of("alice").sessions
        assert [one.first_message for one in listed] == ["hello", "Recommend rock"]
        assert world.conversation.sessions_of(None).sessions == [], "anonymous sessions are in no list"
        view = world.conversation.session(first.session_id, "alice")
        assert [one.message for one in view.exchanges] == ["Recommend rock"]
        for stranger in ("bob", None):
            with pytest.raises(NotFound):
                world.conversation.session(first.session_id, stranger)
            with pytest.raises(NotFound):
                world.conversation.forget(first.session_id, stranger)
        world.conversation.forget(first.session_id, "alice")
        with pytest.raises(NotFound):
            world.conversation.session(first.session_id, "alice")

    def test_an_answer_is_judged_by_its_owner_and_the_last_word_counts(self) -> None:
        world = ConcertWorld()
        reply = world.conversation.reply(ask("hello", user_id="alice"))
        for helpful in (True, False):
            said = ChatFeedback(at=reply.timestamp, helpful=helpful, user_id="alice")
            assert world.conversation.judge(reply.session_id, said).helpful is helpful
        assert world.conversation.session(reply.session_id, "alice").exchanges[0].helpful is False
        with pytest.raises(NotFound):
            world.conversation.judge(reply.session_id, ChatFeedback(at=reply.timestamp, helpful=True))
        late = ChatFeedback(at=reply.timestamp + timedelta(seconds=1), helpful=True, user_id="alice")
        with pytest.raises(NotFound, match="no answer of that time"):
            world.conversation.judge(reply.session_id, late)


class TestTime:
    def test_providers_share_one_deadline_and_what_is_sent_has_its_own(self) -> None:
        left: list[float] = []

        class Slow(FakeProvider):
            def answer(self, turn: Turn) -> Iterator[Piece]:
                left.append(deadline.left())
                yield from super().answer(turn)

        providers = (Slow("agent", Delta("So "), fail=UpstreamTimeout("too slow")), Slow("converse"))
        sent: list[float] = []
        ConcertWorld(providers=providers).conversation.answer_through(
            lambda _: sent.append(deadline.left()), ask(), "socket-1"
        )
        assert all(seconds <= CHAT_ANSWER_S for seconds in left)
        assert left[1] < left[0], "the second has what the first has left"
        assert all(math.isinf(seconds) for seconds in sent), "a late answer can still be sent"

    def test_the_memory_has_its_own_seconds(self) -> None:
        world = ConcertWorld()
        seen: list[float] = []
        world.sessions.interfere = lambda: seen.append(deadline.left())
        world.conversation.reply(ask())
        assert 0 < seen[0] <= STORE_S
