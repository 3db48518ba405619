"""Chat: a turn goes to the first provider that answers, its pieces come back as they arise.

A provider that fails before its first word is passed over. One that fails later has its words withdrawn (`Restart`)
and the next begins anew, so a reply is always whole and always by one source, which it names.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import structs, to_builtins

from chalicelib.concerts.models import MAX_MESSAGE, SPOKEN, ChatReply, ChatRequest, Fallback
from chalicelib.concerts.ports import ChatProvider, ChatSessionStore
from chalicelib.concerts.values import SESSION_LIFETIME, ChatOutcome, ChatSession, Delta, Exchange, Restart, Turn
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

ANONYMOUS = "anonymous"
SAVE_ATTEMPTS = 3
STORE_FAILURES = (UpstreamError, RateLimited, Forbidden)

Send = Callable[[Mapping[str, Any]], object]
"""Puts one message to the client; Gone where it has left."""


def new_chat_session_id() -> str:
    """An id that nobody can guess; knowing it is what lets an anonymous caller continue the session."""
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
        """The whole answer; NotFound for a session that is not there, over, or another's."""
        for event in self.stream(request):
            if isinstance(event, ChatReply):
                return event
        raise UpstreamUnavailable("The chat has no answer now; try again later.", retry_after=5)

    def stream(self, request: ChatRequest) -> "Iterator[Delta | Restart | ChatReply]":
        """The answer as it arises: words, perhaps restarts, and the whole reply last."""
        message = _checked(request.message)
        session, remembered = self._session(request)
        turn = Turn(session.session_id, message, session.exchanges)
        fallback: Fallback | None = None
        for provider in self._providers:
            words: list[str] = []
            outcome: ChatOutcome | None = None
            try:
                for piece in provider.answer(turn):
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

    def answer_through(self, send: Send, request: ChatRequest) -> None:
        """Send the answer as it arises: CHAT_DELTA for words, CHAT_RESTART where a provider failed, CHAT_DONE last.

        Each message carries its `sequence`, the first is 0. Stops when the client has left; raises as `stream` does.
        """
        for sequence, event in enumerate(self.stream(request)):
            if isinstance(event, Delta):
                message: dict[str, Any] = {"action": "CHAT_DELTA", "text": event.text}
            elif isinstance(event, ChatReply):
                message = {"action": "CHAT_DONE", "reply": to_builtins(event)}
            else:
                message = {"action": "CHAT_RESTART", "reason": event.reason}
            try:
                send({**message, "sequence": sequence})
            except Gone:
                return

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
        )

    def _session(self, request: ChatRequest) -> tuple[ChatSession, bool]:
        """The session to continue, and whether it can be kept.

        Where the store fails, ownership cannot be checked: nothing of the session is read, and providers get a new id.
        """
        now = self._clock()
        owner = request.user_id or ANONYMOUS
        fresh = ChatSession(session_id=self._new_session_id(), owner=owner, expires_at=now + SESSION_LIFETIME)
        if request.session_id is None:
            return fresh, True
        try:
            session = self._sessions.find(request.session_id)
        except STORE_FAILURES:
            return fresh, False
        if session is None or session.owner != owner or session.expires_at <= now:
            raise NotFound("session_id: there is no such session; leave it out to begin one", code="session_not_found")
        return session, True

    def _remember(self, session: ChatSession, exchange: Exchange) -> bool:
        latest: ChatSession | None = session
        try:
            for _ in range(SAVE_ATTEMPTS):
                if latest is None:
                    return False
                try:
                    self._sessions.save(latest.with_exchange(exchange))
                except Conflict:
                    latest = self._sessions.find(session.session_id)
                else:
                    return True
        except STORE_FAILURES:
            return False
        return False


def _exchange(reply: ChatReply, message: str, outcome: ChatOutcome) -> Exchange:
    return Exchange(
        message=message, reply=reply.message, intent=reply.intent, at=reply.timestamp, concert_id=outcome.concert_id
    )


def _checked(message: str) -> str:
    """The message without surrounding space; InvalidInput unless it is SPOKEN text."""
    if not re.fullmatch(SPOKEN, message):
        raise InvalidInput.of(
            "message",
            "is blank or has control characters",
            f"1 to {MAX_MESSAGE} characters of text, line breaks and tabs",
        )
    return message.strip()
