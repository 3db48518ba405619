"""SpendSense's ports, in its own terms. Each may raise Upstream* errors.

A `subject` is a person's id in the identity provider; the only id that leaves. What is read for a person is filtered
by it in the query itself.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from chalicelib.spendsense import models
from chalicelib.spendsense.bank import BankStatement
from chalicelib.spendsense.orders import JobName, JobOrder
from chalicelib.spendsense.paging import Position
from chalicelib.spendsense.values import Deed, Insight, JobProgress, Listener, Recommended


class Pipeline(Protocol):
    """The three jobs' work, and its records, which are kept with the data."""

    def begin(self, job: JobName, order: JobOrder, now: datetime) -> JobProgress:
        """The run's progress so far; the first call marks the people as due whom the order and the calendar include."""
        ...

    def advance(self, job: JobName, order: JobOrder, size: int, now: datetime) -> int:
        """Process at most `size` people in one transaction; return how many, 0 when nobody is due."""
        ...

    def finish(self, job: JobName, order: JobOrder, now: datetime) -> JobProgress:
        """Record that the run has ended."""
        ...

    def forget(self, before: datetime, size: int) -> int:
        """Delete records of runs and refusals from before then, at most `size` of each; return how many."""
        ...


class Listeners(Protocol):
    """People's open sockets."""

    def keep(self, listener: Listener, now: datetime, until: datetime, most: int) -> bool | None:
        """Remember a socket, unless its person has `most`; None without a profile."""
        ...

    def news(self, subject: UUID | None, now: datetime) -> list[tuple[Listener, models.OwnProgress]]:
        """The sockets, of one person or of everybody, that were not sent the current progress; marks it as sent."""
        ...

    def forget(self, listener: Listener) -> None: ...


class Announcements(Protocol):
    """Events for all listeners."""

    def announce(self, kind: str, detail: Mapping[str, Any]) -> None: ...


class Ledger(Protocol):
    """The bank's rows of all people."""

    def save(
        self,
        subject: UUID,
        statement: BankStatement,
        now: datetime,
        by: models.Operator | None = None,
        *,
        keep: bool = True,
    ) -> models.Imported:
        """Store a person's rows in one transaction; without `keep`, only report. NotFound without a profile.

        Rows of accounts that are not the person's are rejected, and recorded as an attempt of `by`.
        """
        ...


class People(Protocol):
    """Profiles, and everything that belongs to one."""

    def find(self, subject: UUID) -> models.Profile | None: ...

    def register(self, subject: UUID, change: models.ProfileChange, now: datetime) -> tuple[models.Profile, bool]:
        """The profile as it is then, and whether it is new."""
        ...

    def erase(self, subject: UUID) -> bool:
        """Delete the person and everything about them; False if there is nobody."""
        ...


class Consents(Protocol):
    """People's consents."""

    def history(self, subject: UUID) -> list[models.ConsentRecord] | None:
        """The latest first; None without a profile."""
        ...

    def record(self, subject: UUID, record: models.ConsentRecord) -> bool:
        """Store a record; revoking also erases derived data, in the same transaction. False without a profile."""
        ...


class Records(Protocol):
    """One person's own records; None if the person, or the person's item, does not exist."""

    def accounts(self, subject: UUID) -> list[models.Account] | None: ...

    def transactions(
        self, subject: UUID, query: models.TransactionsQuery, after: Position | None
    ) -> list[tuple[Position, models.Transaction]] | None:
        """The latest first; one more than the limit, if there is more."""
        ...

    def spending(self, subject: UUID, since: date, until: date) -> list[tuple[date, models.CategorySpending]] | None:
        """Spending by month (its first day) and primary category, the latest month and the largest first."""
        ...

    def progress(self, subject: UUID) -> models.OwnProgress | None:
        """The stages of the jobs that are still due for the person."""
        ...

    def kept(self, subject: UUID) -> dict[str, Any] | None:
        """Everything stored about the person, except transactions."""
        ...

    def insights(self, subject: UUID, window: int) -> Insight | None: ...

    def recommended(self, subject: UUID, window: int) -> list[Recommended] | None:
        """By position, without what operators withheld."""
        ...


class Explanations(Protocol):
    """One person's single recommendations."""

    def recommendation(self, subject: UUID, recommendation_id: UUID) -> Recommended | None: ...

    def trace(self, subject: UUID, recommendation_id: UUID) -> models.Trace | None: ...

    def keep_feedback(self, subject: UUID, feedback: models.Feedback) -> bool:
        """Store it in place of earlier feedback; False if the recommendation is not the person's."""
        ...


class Oversight(Protocol):
    """Operators' reads, of everybody."""

    def users(self, query: models.UsersQuery, after: Position | None) -> list[tuple[Position, models.UserSummary]]: ...

    def recommendations(self, subject: UUID, window: int) -> list[models.ReviewItem]:
        """A person's recommendations in a window, whatever their status; without titles."""
        ...

    def past_surveys(self, limit: int) -> list[models.MetricsPoint]:
        """Past surveys, the latest first."""
        ...

    def personas(self, subject: UUID) -> list[models.AssignedPersona]: ...

    def signals(self, subject: UUID) -> list[dict[str, Any]]: ...

    def metrics(self) -> models.Metrics:
        """The figures of the last survey, or of one made now if there was none; and the last runs."""
        ...


class Survey(Protocol):
    """Figures about everybody, which take too long to measure for each request."""

    def survey(self, as_of: date) -> models.Metrics:
        """Measure them and keep them for `Oversight.metrics`."""
        ...


class Reviews(Protocol):
    """Recommendations as operators judge them."""

    def waiting(
        self, query: models.ReviewQuery, after: Position | None
    ) -> list[tuple[Position, models.ReviewItem]]: ...

    def judge(self, recommendation_id: UUID, status: str, action: Deed) -> bool:
        """Set the status and keep the deed, together; False if there is no such recommendation."""
        ...


class Audit(Protocol):
    """The record of actions and refusals."""

    def acted(self, deed: Deed) -> None: ...

    def denied(self, caller: UUID | None, resource: str, reason: str, request_id: str, now: datetime) -> None: ...

    def actions_on(self, subject: UUID) -> list[models.OperatorAction]: ...
