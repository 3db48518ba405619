"""Chat: a turn goes to the first provider that answers, its pieces come back as they arise.

A provider that fails before its first word is passed over. One that fails later has its words withdrawn (`Restart`)
and the next begins anew, so a reply is always whole and always by one source, which it names.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, structs

from chalicelib.concerts.ports import ChatProvider, Sessions
from chalicelib.concerts.recommendations import UserId
from chalicelib.concerts.sessions import LIFETIME, Exchange, Session
from chalicelib.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    UpstreamError,
    UpstreamUnavailable,
)

Intent = Literal[
    "artist_lookup",
    "venue_search",
    "concert_recommendation",
    "ticket_prediction",
    "data_analysis",
    "general_query",
    "unknown",
]
ANONYMOUS = "anonymous"
MAX_MESSAGE = 4000
SPOKEN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*[^\x00-\x20\x7f\s][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
"""What `_checked` accepts, as a regular expression: no control characters, and not only spaces."""
SAVE_ATTEMPTS = 3
STORE_FAILURES = (UpstreamError, RateLimited, Forbidden)


SessionId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z._:-]{2,100}$(?!\n)")]


class ChatRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message, and the session that it continues; a session belongs to the user who began it."""

    message: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_MESSAGE,
            examples=["Which rock concerts are on in Austin?"],
            extra_json_schema={"pattern": SPOKEN},
        ),
    ]
    session_id: Annotated[SessionId | None, Meta(description="Of an earlier reply; without it a session begins.")] = (
        None
    )
    user_id: UserId | None = None


class Fallback(Struct, frozen=True, kw_only=True):
    """The provider that should have answered, and why it did not."""

    instead_of: str
    reason: str


class ChatReply(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole answer to one message."""

    message: str
    session_id: str
    intent: Intent
    confidence: Annotated[float, Meta(ge=0, le=1)]
    data: dict[str, Any]
    suggestions: list[str]
    timestamp: datetime
    source: Annotated[str, Meta(description='"agent", "converse" or "local".')]
    remembered: Annotated[bool, Meta(description="False where the session could not be kept.")] = True
    fallback: Fallback | None = None


class Turn(Struct, frozen=True):
    """What a provider gets: the message and what was said before, oldest first."""

    session_id: str
    message: str
    history: tuple[Exchange, ...] = ()


class Delta(Struct, frozen=True):
    """Some more words of the answer."""

    text: str


class Outcome(Struct, frozen=True):
    """The end of an answer: what the question was about, how sure that is, and the data behind the words."""

    intent: Intent
    confidence: float
    data: Mapping[str, Any]
    suggestions: Sequence[str] = ()
    concert_id: str | None = None


class Restart(Struct, frozen=True):
    """Forget the words so far: another provider begins anew."""

    reason: str


Piece = Delta | Outcome


class Conversation:
    """Answers messages through `providers`, the preferred one first, and remembers them in `sessions`."""

    def __init__(
        self,
        providers: Sequence[ChatProvider],
        sessions: Sessions,
        clock: Callable[[], datetime],
        new_session_id: Callable[[], str],
    ) -> None:
        self._providers = providers
        self._sessions = sessions
        self._clock = clock
        self._new_session_id = new_session_id

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
            outcome: Outcome | None = None
            try:
                for piece in provider.answer(turn):
                    if isinstance(piece, Outcome):
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

    def _reply(self, session: Session, words: str, outcome: Outcome, source: str) -> ChatReply:
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

    def _session(self, request: ChatRequest) -> tuple[Session, bool]:
        """The session to continue, and whether it can be kept.

        Where the store fails, ownership cannot be checked: nothing of the session is read, and providers get a new id.
        """
        now = self._clock()
        owner = request.user_id or ANONYMOUS
        fresh = Session(session_id=self._new_session_id(), owner=owner, expires_at=now + LIFETIME)
        if request.session_id is None:
            return fresh, True
        try:
            session = self._sessions.find(request.session_id)
        except STORE_FAILURES:
            return fresh, False
        if session is None or session.owner != owner or session.expires_at <= now:
            raise NotFound("session_id: there is no such session; leave it out to begin one", code="session_not_found")
        return session, True

    def _remember(self, session: Session, exchange: Exchange) -> bool:
        latest: Session | None = session
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


def _exchange(reply: ChatReply, message: str, outcome: Outcome) -> Exchange:
    return Exchange(
        message=message, reply=reply.message, intent=reply.intent, at=reply.timestamp, concert_id=outcome.concert_id
    )


def _checked(message: str) -> str:
    """The message without surrounding space; InvalidInput for a blank one or for control characters."""
    if any((ord(char) < 32 and char not in "\t\n\r") or ord(char) == 127 for char in message):
        raise InvalidInput.of("message", "has control characters", "text, line breaks and tabs")
    if not message.strip():
        raise InvalidInput.of("message", "is blank", f"1 to {MAX_MESSAGE} characters")
    return message.strip()
