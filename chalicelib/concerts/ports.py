"""The concert domain's ports, in its own terms. Each may raise Upstream* errors."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Protocol

from chalicelib.concerts.models import ChatSessionSummary, GenreTotals, OrderBy, VenueMonth, VenueStanding
from chalicelib.concerts.values import (
    ArtistRow,
    ChatSession,
    ConcertOutlook,
    ConcertRow,
    Criteria,
    Estimates,
    GenreRow,
    Piece,
    ProgrammeItem,
    Turn,
    VenueRow,
    Vocabulary,
)


class VenueRanking(Protocol):
    """Venues ranked by the completed concerts of the days that `criteria` names."""

    def popular_venues(
        self, criteria: Criteria, *, min_events: int, top_n: int, order_by: OrderBy, least_first: bool
    ) -> list[VenueStanding]: ...

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

    def upcoming(self, criteria: Criteria, today: date, top_n: int, *, by_date: bool = False) -> list[ProgrammeItem]:
        """The best-scored first, ties by date; or by date alone."""
        ...


class Listings(Protocol):
    """Concerts, artists and venues as they are."""

    def concerts(
        self, criteria: Criteria, statuses: Sequence[str], after: tuple[date, str], limit: int
    ) -> list[ConcertRow]:
        """Concerts after the day and id of `after`, by day and id."""
        ...

    def artists(self, artist_ids: Sequence[str], since: date, today: date) -> list[ArtistRow]:
        """The artists that exist, by name, with their completed concerts from `since` to `today`."""
        ...

    def venues(self, venue_ids: Sequence[str], today: date) -> list[VenueRow]:
        """The venues that exist, by name."""
        ...

    def venue_history(self, venue_id: str, since: date, until: date) -> list[VenueMonth]: ...


class ConcertCatalogue(Protocol):
    """The possible subjects of a question."""

    def vocabulary(self) -> Vocabulary:
        """The names; the same object for as long as they are the same."""
        ...

    def totals(self, criteria: Criteria) -> list[GenreTotals]: ...

    def genres(self, today: date) -> list[GenreRow]: ...


class TicketModel(Protocol):
    """A model that turns feature vectors into sales revenue."""

    def estimate(self, rows: Sequence[Sequence[float | None]]) -> Estimates:
        """One finite number for each row, in order; NaN or None in a row is unknown."""
        ...


class ChatProvider(Protocol):
    """Something that answers a turn of a conversation, piece by piece, ending with a ChatOutcome."""

    @property
    def source(self) -> str: ...

    def answer(self, turn: Turn) -> Iterator[Piece]: ...


class ChatSessionStore(Protocol):
    """Conversations, kept for a while."""

    def find(self, session_id: str) -> ChatSession | None: ...

    def save(self, session: ChatSession) -> None:
        """Keep it as version `session.version`; Conflict if that version was saved by another meanwhile."""
        ...

    def of_owner(self, owner: str, limit: int) -> list[ChatSessionSummary]:
        """The owner's sessions, the latest first."""
        ...

    def forget(self, session_id: str) -> None:
        """Delete it; one that is not there is as good as deleted."""
        ...

    def ask_to_stop(self, answer: str, now: datetime) -> None:
        """Request that the function streaming `answer` stop."""
        ...

    def asked_to_stop(self, answer: str, since: datetime) -> bool:
        """Has a stop been requested since then?"""
        ...
