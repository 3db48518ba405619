"""What the concert domain needs from the outside, in its own words. Each may raise Upstream* errors."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chalicelib.concerts.catalogue import ArtistMatch, GenreTotals, Vocabulary
    from chalicelib.concerts.conversation import Piece, Turn
    from chalicelib.concerts.features import ConcertOutlook
    from chalicelib.concerts.popularity import VenueStanding
    from chalicelib.concerts.recommendations import Criteria, ProgrammeItem
    from chalicelib.concerts.sessions import Session
    from chalicelib.concerts.tickets import Estimates


class VenueRanking(Protocol):
    """Venues ranked by the concerts of the days `since` to `until` (exclusive)."""

    def popular_venues(self, since: date, until: date, *, min_events: int, top_n: int) -> "list[VenueStanding]": ...

    def store_popularity(self, since: date, until: date, min_events: int, calculated_at: datetime) -> int:
        """Keep the ranking as the only stored one; how many venues it has."""
        ...


class Outlooks(Protocol):
    """Concerts as they were known on a day."""

    def outlooks(self, concert_ids: Sequence[str], as_of: date) -> "list[ConcertOutlook]":
        """One for each concert that exists, in no particular order."""
        ...


class Programme(Protocol):
    """Concerts to come."""

    def upcoming(self, criteria: "Criteria", today: date, top_n: int) -> "list[ProgrammeItem]":
        """The best-scored first, ties by date."""
        ...


class Catalogue(Protocol):
    """What a question may be about."""

    def artists_mentioned(self, text: str, today: date, top_n: int) -> "list[ArtistMatch]": ...

    def vocabulary(self) -> "Vocabulary": ...

    def totals(self, since: date, until: date) -> "list[GenreTotals]": ...


class TicketModel(Protocol):
    """A model that turns feature vectors into sales revenue."""

    def estimate(self, rows: Sequence[Sequence[float]]) -> "Estimates":
        """One finite number for each row, in order."""
        ...


class ChatProvider(Protocol):
    """Something that answers a turn of a conversation, piece by piece, ending with an Outcome."""

    @property
    def source(self) -> str: ...

    def answer(self, turn: "Turn") -> "Iterator[Piece]": ...


class Sessions(Protocol):
    """Conversations, kept for a while."""

    def find(self, session_id: str) -> "Session | None": ...

    def save(self, session: "Session") -> None:
        """Keep it as version `session.version`; Conflict if that version was saved by another meanwhile."""
        ...
