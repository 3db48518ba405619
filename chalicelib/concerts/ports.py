"""What the concert domain needs from the outside, in its own words. Each may raise Upstream* errors."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Protocol

from chalicelib.concerts.models import VenueStanding
from chalicelib.concerts.values import (
    ArtistMatch,
    ChatSession,
    ConcertOutlook,
    Criteria,
    Estimates,
    GenreTotals,
    Piece,
    ProgrammeItem,
    Turn,
    Vocabulary,
)


class VenueRanking(Protocol):
    """Venues ranked by the concerts of the days `since` to `until` (exclusive)."""

    def popular_venues(self, since: date, until: date, *, min_events: int, top_n: int) -> list[VenueStanding]: ...

    def store_popularity(self, since: date, until: date, min_events: int, calculated_at: datetime) -> int:
        """Keep the ranking as the only stored one; how many venues it has."""
        ...


class Outlooks(Protocol):
    """Concerts as they were known on a day."""

    def outlooks(self, concert_ids: Sequence[str], as_of: date) -> list[ConcertOutlook]:
        """One for each concert that exists, in no particular order."""
        ...


class Programme(Protocol):
    """Concerts to come."""

    def upcoming(self, criteria: Criteria, today: date, top_n: int) -> list[ProgrammeItem]:
        """The best-scored first, ties by date."""
        ...


class ConcertCatalogue(Protocol):
    """What a question may be about."""

    def artists_mentioned(self, text: str, today: date, top_n: int) -> list[ArtistMatch]: ...

    def vocabulary(self) -> Vocabulary: ...

    def totals(self, since: date, until: date) -> list[GenreTotals]: ...


class TicketModel(Protocol):
    """A model that turns feature vectors into sales revenue."""

    def estimate(self, rows: Sequence[Sequence[float]]) -> Estimates:
        """One finite number for each row, in order."""
        ...


class ChatProvider(Protocol):
    """Something that answers a turn of a conversation, piece by piece, ending with an ChatOutcome."""

    @property
    def source(self) -> str: ...

    def answer(self, turn: Turn) -> Iterator[Piece]: ...


class ChatSessionStore(Protocol):
    """Conversations, kept for a while."""

    def find(self, session_id: str) -> ChatSession | None: ...

    def save(self, session: ChatSession) -> None:
        """Keep it as version `session.version`; Conflict if that version was saved by another meanwhile."""
        ...
