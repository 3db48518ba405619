"""Operators' actions, all audited: read everybody, judge recommendations, import rows, delete people."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from msgspec import structs

from chalicelib.errors import InvalidInput, NotFound
from chalicelib.spendsense.catalogue import AdviceCatalogue
from chalicelib.spendsense.imports import Imports
from chalicelib.spendsense.models import (
    BulkReviewed,
    BulkVerdict,
    Imported,
    ImportQuery,
    Metrics,
    MetricsHistory,
    MetricsHistoryQuery,
    Operator,
    Reviewed,
    ReviewItem,
    ReviewItems,
    ReviewPage,
    ReviewQuery,
    ReviewVerdict,
    Signals,
    Trace,
    UserDetail,
    Users,
    UsersQuery,
    WindowQuery,
)
from chalicelib.spendsense.paging import page_of, parsed_id, position_of
from chalicelib.spendsense.ports import Audit, Explanations, Oversight, People, Reviews
from chalicelib.spendsense.values import Deed

STATUS_AFTER = {"approve": "approved", "override": "overridden", "flag": "flagged"}


class OperatorDesk:
    """Answers operators."""

    def __init__(
        self,
        *,
        oversight: Oversight,
        people: People,
        explanations: Explanations,
        reviews: Reviews,
        imports: Imports,
        catalogue: AdviceCatalogue,
        audit: Audit,
        clock: Callable[[], datetime],
    ) -> None:
        self._oversight = oversight
        self._people = people
        self._explanations = explanations
        self._reviews = reviews
        self._imports = imports
        self._catalogue = catalogue
        self._audit = audit
        self._clock = clock

    def users(self, operator: Operator, query: UsersQuery) -> Users:
        """A page of people, all or of one persona."""
        page, cursor = page_of(self._oversight.users(query, position_of(query.cursor)), query.limit)
        self._note(operator, "list users")
        return Users(users=page, next_cursor=cursor)

    def user(self, operator: Operator, user_id: str) -> UserDetail:
        """One person: profile, personas by window, what operators did."""
        subject = self._subject(operator, user_id)
        profile = self._people.find(subject)
        if profile is None:
            raise self._missing(operator, f"user {user_id}")
        self._note(operator, "read user", subject)
        return UserDetail(
            profile=profile, personas=self._oversight.personas(subject), actions=self._audit.actions_on(subject)
        )

    def signals(self, operator: Operator, user_id: str) -> Signals:
        """One person's signals in every window."""
        subject = self._subject(operator, user_id)
        if self._people.find(subject) is None:
            raise self._missing(operator, f"user {user_id}")
        self._note(operator, "read signals", subject)
        return Signals(user_id=subject, windows=self._oversight.signals(subject))

    def recommendations(self, operator: Operator, user_id: str, query: WindowQuery) -> ReviewItems:
        """One person's recommendations in a window, with their titles, whatever their status."""
        subject = self._subject(operator, user_id)
        if self._people.find(subject) is None:
            raise self._missing(operator, f"user {user_id}")
        self._note(operator, "read recommendations", subject)
        items = self._oversight.recommendations(subject, query.window)
        return ReviewItems(items=[self._titled(item) for item in items])

    def trace(self, operator: Operator, user_id: str, recommendation_id: str) -> Trace:
        """Why an item was recommended to a person, or withheld."""
        subject = self._subject(operator, user_id)
        wanted = parsed_id(recommendation_id)
        found = self._explanations.trace(subject, wanted) if wanted else None
        if found is None:
            raise self._missing(operator, f"trace {recommendation_id} of user {user_id}")
        self._note(operator, "read trace", subject, found.recommendation_id)
        return found

    def take(self, operator: Operator, user_id: str, raw: bytes, content_type: str, query: ImportQuery) -> Imported:
        """Take in a bank file for a person."""
        subject = self._subject(operator, user_id)
        if self._people.find(subject) is None:
            raise self._missing(operator, f"user {user_id}")
        self._note(operator, "import", subject)  # first: what is not on record is not done
        return self._imports.take(subject, raw, content_type, query, operator)

    def erase(self, operator: Operator, user_id: str) -> None:
        """Delete a person and everything about them."""
        subject = self._subject(operator, user_id)
        if self._people.find(subject) is None:
            raise self._missing(operator, f"user {user_id}")
        self._note(operator, "erase", subject)
        self._people.erase(subject)

    def waiting(self, operator: Operator, query: ReviewQuery) -> ReviewPage:
        """A page of recommendations in a state of review."""
        page, cursor = page_of(self._reviews.waiting(query, position_of(query.cursor)), query.limit)
        self._note(operator, "list review")
        return ReviewPage(items=[self._titled(item) for item in page], next_cursor=cursor)

    def judge(self, operator: Operator, verdict: ReviewVerdict) -> Reviewed:
        """Approve, override or flag a recommendation; the last two hide it from the person.

        An override needs a reason.
        """
        if verdict.action == "override" and not verdict.reason:
            raise InvalidInput.of("reason", "is missing", "why the recommendation is overridden")
        status = STATUS_AFTER[verdict.action]
        deed = self._deed(operator, verdict.action, None, verdict.recommendation_id, verdict.reason or "")
        if not self._reviews.judge(verdict.recommendation_id, status, deed):
            raise self._missing(operator, f"recommendation {verdict.recommendation_id}")
        return Reviewed(recommendation_id=verdict.recommendation_id, status=status)

    def judge_all(self, operator: Operator, verdict: BulkVerdict) -> BulkReviewed:
        """The same verdict on several recommendations, each by itself; an override needs a reason."""
        reviewed, missing = [], []
        for wanted in dict.fromkeys(verdict.recommendation_ids):
            one = ReviewVerdict(recommendation_id=wanted, action=verdict.action, reason=verdict.reason)
            try:
                reviewed.append(self.judge(operator, one))
            except NotFound:
                missing.append(wanted)
        return BulkReviewed(reviewed=reviewed, missing=missing)

    def history(self, operator: Operator, query: MetricsHistoryQuery) -> MetricsHistory:
        """The surveys of past days."""
        self._note(operator, "read metrics")
        return MetricsHistory(points=self._oversight.past_surveys(query.limit))

    def metrics(self, operator: Operator) -> Metrics:
        """Coverage, explainability, fairness and feedback after the last run for everybody; and the last runs."""
        self._note(operator, "read metrics")
        return self._oversight.metrics()

    def _titled(self, item: ReviewItem) -> ReviewItem:
        known = self._catalogue.item(item.item_id)
        return structs.replace(item, title=known.title, summary=known.summary) if known else item

    def _subject(self, operator: Operator, user_id: str) -> UUID:
        subject = parsed_id(user_id)
        if subject is None:
            raise self._missing(operator, f"user {user_id}")
        return subject

    def _missing(self, operator: Operator, resource: str) -> NotFound:
        """The error for what does not exist; the attempt goes on record."""
        self._audit.denied(operator.operator, resource, "does not exist", operator.request_id, self._clock())
        return NotFound(f"There is no {resource}.")

    def _note(
        self, operator: Operator, action: str, subject: UUID | None = None, recommendation_id: UUID | None = None
    ) -> None:
        self._audit.acted(self._deed(operator, action, subject, recommendation_id, ""))

    def _deed(
        self, operator: Operator, action: str, subject: UUID | None, recommendation_id: UUID | None, reason: str
    ) -> Deed:
        return Deed(
            operator=operator.operator,
            action=action,
            subject=subject,
            recommendation_id=recommendation_id,
            reason=reason,
            request_id=operator.request_id,
            acted_at=self._clock(),
        )
