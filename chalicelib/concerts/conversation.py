"""Chat: the first provider that answers handles a turn, and its pieces are streamed.

A provider that fails before its first word is skipped. If one fails later, its words are withdrawn (`Restart`) and the
next starts over: a reply is always complete and from one source, which it names.
"""

import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain
from typing import Any

from msgspec import convert, structs, to_builtins

from chalicelib.concerts.models import (
    MAX_MESSAGE,
    SPOKEN,
    ChatExchange,
    ChatFeedback,
    ChatReply,
    ChatRequest,
    ChatSessionList,
    ChatSessionView,
    Fallback,
)
from chalicelib.concerts.ports import ChatProvider, ChatSessionStore
from chalicelib.concerts.values import (
    ANONYMOUS,
    SESSION_LIFETIME,
    ChatOutcome,
    ChatSession,
    Delta,
    Exchange,
    Piece,
    Restart,
    Turn,
)
from chalicelib.deadline import within
from chalicelib.errors import (
    Conflict,
    Forbidden,
    Gone,
    InvalidInput,
    NotFound,
    RateLimited,
    UpstreamError,
    UpstreamUnavailable,
)

SAVE_ATTEMPTS = 3
LISTED_SESSIONS = 50
CHAT_ANSWER_S = 8.0
"""For all providers together: if one fails, the next has the time that is left."""
STORE_S = 2.0
"""For reading a session, and again for remembering the answer."""
STOP_LOOKED_FOR_S = 0.5
STORE_FAILURES = (UpstreamError, RateLimited, Forbidden)

Send = Callable[[Mapping[str, Any]], object]
"""Sends one message to the client; Gone if it has left."""


def new_chat_session_id() -> str:
    """An unguessable id; an anonymous caller who knows it may continue the session."""
    import secrets  # loads OpenSSL, which only a new session needs

    return f"chat-{secrets.token_hex(16)}"


class Conversation:
    """Answers messages through `providers`, the preferred one first, and remembers them in `sessions`."""

    def __init__(
        self,
        providers: Sequence[ChatProvider],
        sessions: ChatSessionStore,
        clock: Callable[[], datetime],
        new_chat_session_id: Callable[[], str],
    ) -> None:
        self._providers = providers
        self._sessions = sessions
        self._clock = clock
        self._new_session_id = new_chat_session_id

    def reply(self, request: ChatRequest) -> ChatReply:
        """Return the whole answer; NotFound if the session is unknown, expired or someone else's."""
        for event in self.stream(request):
            if isinstance(event, ChatReply):
                return event
        raise UpstreamUnavailable("The chat has no answer now; try again later.", retry_after=5)

    def stream(self, request: ChatRequest) -> "Generator[Delta | Restart | ChatReply, None, None]":
        """Yield the answer as it arises: words, perhaps restarts, and the whole reply last."""
        message = _checked(request.message)
        session, remembered = self._session(request)
        ends = time.monotonic() + CHAT_ANSWER_S
        turn = Turn(session.session_id, message, session.exchanges)
        fallback: Fallback | None = None
        for provider in self._providers:
            words: list[str] = []
            outcome: ChatOutcome | None = None
            try:
                for piece in _until(ends, provider.answer(turn)):
                    if isinstance(piece, ChatOutcome):
                        outcome = piece
                    else:
                        words.append(piece.text)
                        yield piece
                if outcome is None or not "".join(words).strip():
                    raise UpstreamUnavailable(f"the {provider.source} provider ended without an answer")
            except UpstreamError as error:
                fallback = fallback or Fallback(instead_of=provider.source, reason=error.message)
                if words:
                    yield Restart(error.message)
                continue
            answered = self._reply(session, "".join(words).strip(), outcome, provider.source)
            kept = remembered and self._remember(session, _exchange(answered, message, outcome))
            session_id = session.session_id if remembered else request.session_id or session.session_id
            yield structs.replace(answered, session_id=session_id, remembered=kept, fallback=fallback)
            return
        raise UpstreamUnavailable("No chat provider can answer now; try again later.", retry_after=5)

    def answer_through(self, send: Send, request: ChatRequest, answer: str) -> None:
        """Stream the answer: CHAT_STARTED immediately, CHAT_DELTA for words, CHAT_DONE or CHAT_STOPPED last.

        CHAT_RESTART means that a provider failed and its words are void. Each message has its `sequence`, from 0.
        `answer` identifies it for `stop`. Ends when the client has left; raises as `stream` does.
        """
        begun = self._clock()
        events = self.stream(request)
        messages: Iterator[dict[str, Any]] = chain([{"action": "CHAT_STARTED"}], map(_as_message, events))
        try:
            self._send(send, messages, answer, begun)
        except Gone:
            return
        finally:
            events.close()

    def _send(self, send: Send, messages: Iterator[dict[str, Any]], answer: str, begun: datetime) -> None:
        looked = begun
        for sequence, message in enumerate(messages):
            if (self._clock() - looked).total_seconds() >= STOP_LOOKED_FOR_S:
                looked = self._clock()
                if self._stopped(answer, begun):
                    send({"action": "CHAT_STOPPED", "sequence": sequence})
                    return
            send({**message, "sequence": sequence})

    def stop(self, answer: str) -> None:
        """Stop an answer that is being given; it ends within a second, and is not remembered."""
        self._sessions.ask_to_stop(answer, self._clock())

    def _stopped(self, answer: str, since: datetime) -> bool:
        try:
            return self._sessions.asked_to_stop(answer, since)
        except STORE_FAILURES:
            return False

    def sessions_of(self, owner: str | None) -> ChatSessionList:
        """The owner's sessions; an anonymous one is in no list, since its id alone opens it."""
        return ChatSessionList(sessions=self._sessions.of_owner(owner, LISTED_SESSIONS) if owner else [])

    def session(self, session_id: str, owner: str | None) -> ChatSessionView:
        """Return the owner's session; NotFound if it is unknown, expired or someone else's."""
        session = self._own(session_id, owner)
        exchanges = [convert(one, ChatExchange, from_attributes=True) for one in session.exchanges]
        return ChatSessionView(session_id=session_id, expires_at=session.expires_at, exchanges=exchanges)

    def forget(self, session_id: str, owner: str | None) -> None:
        """Delete the owner's session; NotFound as `session` does."""
        self._own(session_id, owner)
        self._sessions.forget(session_id)

    def judge(self, session_id: str, feedback: ChatFeedback) -> ChatExchange:
        """Save whether an answer helped; NotFound if the answer is no longer kept."""
        for _ in range(SAVE_ATTEMPTS):
            session = self._own(session_id, feedback.user_id)
            judged = next((one for one in session.exchanges if one.at == feedback.at), None)
            if judged is None:
                raise NotFound("at: the session has no answer of that time", code="answer_not_found")
            better = structs.replace(judged, helpful=feedback.helpful)
            exchanges = tuple(better if one is judged else one for one in session.exchanges)
            try:
                self._sessions.save(structs.replace(session, exchanges=exchanges, version=session.version + 1))
            except Conflict:
                continue
            return convert(better, ChatExchange, from_attributes=True)
        raise Conflict("The session is being written to; try again.")

    def _own(self, session_id: str, owner: str | None) -> ChatSession:
        session = self._sessions.find(session_id)
        if session is None or session.owner != (owner or ANONYMOUS) or session.expires_at <= self._clock():
            raise NotFound("session_id: there is no such session; leave it out to begin one", code="session_not_found")
        return session

    def _reply(self, session: ChatSession, words: str, outcome: ChatOutcome, source: str) -> ChatReply:
        return ChatReply(
            message=words,
            session_id=session.session_id,
            intent=outcome.intent,
            confidence=round(outcome.confidence, 2),
            data=dict(outcome.data),
            suggestions=list(outcome.suggestions),
            timestamp=self._clock(),
            source=source,
            understood=outcome.understood,
            question=dict(outcome.question),
        )

    def _session(self, request: ChatRequest) -> tuple[ChatSession, bool]:
        """The session to continue, and whether it can be kept.

        If the store fails, ownership cannot be checked: the session is not read, and providers get a new id.
        """
        fresh = ChatSession(
            session_id=self._new_session_id(),
            owner=request.user_id or ANONYMOUS,
            expires_at=self._clock() + SESSION_LIFETIME,
        )
        if request.session_id is None:
            return fresh, True
        try:
            with within(STORE_S):
                return self._own(request.session_id, request.user_id), True
        except STORE_FAILURES:
            return fresh, False

    def _remember(self, session: ChatSession, exchange: Exchange) -> bool:
        latest: ChatSession | None = session
        with suppress(*STORE_FAILURES), within(STORE_S):
            for _ in range(SAVE_ATTEMPTS):
                if latest is None:
                    return False
                try:
                    self._sessions.save(latest.with_exchange(exchange))
                except Conflict:
                    latest = self._sessions.find(session.session_id)
                else:
                    return True
        return False


def _until(ends: float, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces, each of which may take until `ends`, a monotonic time; work between them may take longer."""
    while True:
        with within(max(0.0, ends - time.monotonic())):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _as_message(event: "Delta | Restart | ChatReply") -> dict[str, Any]:
    if isinstance(event, Delta):
        return {"action": "CHAT_DELTA", "text": event.text}
    if isinstance(event, ChatReply):
        return {"action": "CHAT_DONE", "reply": to_builtins(event)}
    return {"action": "CHAT_RESTART", "reason": event.reason}


def _exchange(reply: ChatReply, message: str, outcome: ChatOutcome) -> Exchange:
    return Exchange(
        message=message, reply=reply.message, intent=reply.intent, at=reply.timestamp, listed=tuple(outcome.listed)
    )


def _checked(message: str) -> str:
    """Return the message without surrounding space; InvalidInput unless it matches SPOKEN."""
    if not re.fullmatch(SPOKEN, message):
        raise InvalidInput.of(
            "message",
            "is blank or has control characters",
            f"1 to {MAX_MESSAGE} characters of text, line breaks and tabs",
        )
    return message.strip()
