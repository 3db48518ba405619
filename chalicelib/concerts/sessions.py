"""A conversation: who owns it, what was said, how long it is kept."""

from datetime import datetime, timedelta

from msgspec import Struct, structs
from msgspec.json import encode

MAX_EXCHANGES = 20
MAX_BYTES = 380_000
"""Of the exchanges as JSON: an item of DynamoDB holds 400 KB, and one that is refused would be refused ever after."""
LIFETIME = timedelta(hours=24)


def new_session_id() -> str:
    """An id that nobody can guess; knowing it is what lets an anonymous caller continue the session."""
    import secrets  # loads OpenSSL, which only a new session needs

    return f"chat-{secrets.token_hex(16)}"


class Exchange(Struct, frozen=True, kw_only=True):
    """One question and its answer; `concert_id` is the concert that it came to, for a later "it"."""

    message: str
    reply: str
    intent: str
    at: datetime
    concert_id: str | None = None


class Session(Struct, frozen=True, kw_only=True):
    """The latest exchanges of one owner; `version` counts how often it was saved."""

    session_id: str
    owner: str
    expires_at: datetime
    version: int = 0
    exchanges: tuple[Exchange, ...] = ()

    def with_exchange(self, exchange: Exchange) -> "Session":
        """This session with one more exchange, the oldest dropped over the caps, and its life begun anew."""
        exchanges = (*self.exchanges, exchange)[-MAX_EXCHANGES:]
        while len(exchanges) > 1 and len(encode(exchanges)) > MAX_BYTES:
            exchanges = exchanges[1:]
        return structs.replace(
            self,
            exchanges=exchanges,
            version=self.version + 1,
            expires_at=exchange.at + LIFETIME,
        )
