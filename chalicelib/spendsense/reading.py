"""A person's own records: accounts, transactions, insights, and recommendations with their reasons."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from msgspec import structs

from chalicelib.errors import NotFound, Unprocessable
from chalicelib.spendsense.catalogue import AdviceCatalogue
from chalicelib.spendsense.exports import as_csv, exported_transaction
from chalicelib.spendsense.guardrails import DISCLOSURE
from chalicelib.spendsense.models import (
    Accounts,
    BehaviourView,
    ExplainedRecommendation,
    Export,
    ExportQuery,
    Feedback,
    FeedbackGiven,
    Insights,
    MonthOfSpending,
    OwnProgress,
    PersonaView,
    RecommendationSet,
    RecommendationView,
    Spending,
    SpendingQuery,
    Transactions,
    TransactionsQuery,
    WindowQuery,
)
from chalicelib.spendsense.paging import page_of, parsed_id, position_of
from chalicelib.spendsense.people import NO_PROFILE
from chalicelib.spendsense.ports import Audit, Explanations, People, Records
from chalicelib.spendsense.values import Insight, Recommended, evidence_of

T = TypeVar("T")

EXPORTED_AT_ONCE = 5_000
"""A page of an export: about 1.5 MB of JSON, of the 6 MB that Lambda answers at most."""


class OwnRecords:
    """Answers a person about that person alone."""

    def __init__(
        self,
        *,
        records: Records,
        people: People,
        explanations: Explanations,
        audit: Audit,
        catalogue: AdviceCatalogue,
        clock: Callable[[], datetime],
    ) -> None:
        self._records = records
        self._people = people
        self._explanations = explanations
        self._audit = audit
        self._catalogue = catalogue
        self._clock = clock

    def accounts(self, subject: UUID) -> Accounts:
        """The caller's accounts."""
        return Accounts(accounts=_found(self._records.accounts(subject), NO_PROFILE))

    def transactions(self, subject: UUID, query: TransactionsQuery, request_id: str) -> Transactions:
        """A page of the caller's transactions; NotFound for an account that is not the caller's."""
        if query.since and query.until and query.since > query.until:
            raise Unprocessable.of("since", f"is {query.since}, after until", "a day not after until")
        rows = self._records.transactions(subject, query, position_of(query.cursor))
        if rows is None:
            if query.account_id is not None:
                self._deny(subject, f"account {query.account_id}", request_id)
                raise NotFound(f"There is no account {query.account_id}.")
            raise NotFound(NO_PROFILE)
        page, cursor = page_of(rows, query.limit)
        return Transactions(transactions=page, next_cursor=cursor)

    def spending(self, subject: UUID, query: SpendingQuery) -> Spending:
        """The caller's spending by calendar month and category, this month included."""
        profile = _found(self._people.find(subject), NO_PROFILE)
        today = self._clock().date()
        months = [_month_back(today, back) for back in range(query.months)]
        rows = _found(self._records.spending(subject, months[-1], today), NO_PROFILE)
        return Spending(
            currency=profile.currency,
            months=[
                MonthOfSpending(
                    since=since,
                    until=min(today, _month_back(since, -1) - timedelta(days=1)),
                    spend_cents=sum(found.spend_cents for month, found in rows if month == since),
                    categories=[found for month, found in rows if month == since],
                )
                for since in months
            ],
        )

    def progress(self, subject: UUID) -> OwnProgress:
        """The work that the jobs still have to do for the caller."""
        return _found(self._records.progress(subject), NO_PROFILE)

    def export(self, subject: UUID, query: ExportQuery) -> Export:
        """Everything that is kept about the caller; with a cursor, the next transactions alone."""
        kept = _found(self._records.kept(subject), NO_PROFILE)
        wanted = structs.replace(TransactionsQuery(), limit=EXPORTED_AT_ONCE)
        rows = _found(self._records.transactions(subject, wanted, position_of(query.cursor)), NO_PROFILE)
        page, cursor = page_of(rows, EXPORTED_AT_ONCE)
        whole = kept if query.cursor is None else {"profile": kept["profile"]}
        return Export(**whole, transactions=page, next_cursor=cursor)

    def export_csv(self, subject: UUID, query: ExportQuery) -> str:
        """One part of the export as CSV; of the transactions one page, as they can be imported again."""
        export = self.export(subject, query)
        if query.part == "transactions":
            return as_csv([exported_transaction(row) for row in export.transactions])
        return as_csv(getattr(export, query.part))

    def insights(self, subject: UUID, query: WindowQuery) -> Insights:
        """The caller's signals, persona and behaviours in a window."""
        found = _found(self._records.insights(subject, query.window), NO_PROFILE)
        return Insights(
            window_days=query.window,
            as_of=found.as_of,
            currency=found.currency,
            signals=found.signals,
            persona=self._persona(found),
            behaviours=[
                BehaviourView(behaviour=known.behaviour, text=known.text)
                for known in self._catalogue.behaviours
                if known.behaviour in found.behaviours
            ],
            disclosure=DISCLOSURE,
        )

    def recommendations(self, subject: UUID, query: WindowQuery) -> RecommendationSet:
        """The caller's recommendations in a window; none without consent."""
        found = _found(self._records.recommended(subject, query.window), NO_PROFILE)
        return RecommendationSet(
            window_days=query.window,
            persona=found[0].persona if found else None,
            recommendations=[self._shown(row) for row in found],
            disclosure=DISCLOSURE,
        )

    def recommendation(self, subject: UUID, recommendation_id: str, request_id: str) -> ExplainedRecommendation:
        """One of the caller's recommendations with its trace; NotFound, on record, for another's."""
        wanted = parsed_id(recommendation_id)
        found = self._explanations.recommendation(subject, wanted) if wanted else None
        trace = self._explanations.trace(subject, wanted) if wanted else None
        if found is None or trace is None:
            self._deny(subject, f"recommendation {recommendation_id}", request_id)
            raise NotFound(f"There is no recommendation {recommendation_id}.")
        return ExplainedRecommendation(recommendation=self._shown(found), trace=trace, disclosure=DISCLOSURE)

    def give_feedback(self, subject: UUID, given: FeedbackGiven, request_id: str) -> Feedback:
        """Keep what the caller says of a recommendation; NotFound, on record, for another's."""
        feedback = Feedback(
            recommendation_id=given.recommendation_id,
            helpful=given.helpful,
            comment=given.comment,
            given_at=self._clock(),
        )
        if not self._explanations.keep_feedback(subject, feedback):
            self._deny(subject, f"recommendation {given.recommendation_id}", request_id)
            raise NotFound(f"There is no recommendation {given.recommendation_id}.")
        return feedback

    def _deny(self, subject: UUID, resource: str, request_id: str) -> None:
        self._audit.denied(subject, resource, "not the caller's", request_id, self._clock())

    def _persona(self, found: Insight) -> PersonaView | None:
        if found.persona is None:
            return None
        known = self._catalogue.persona(found.persona)
        return PersonaView(
            persona=known.persona,
            name=known.name,
            focus=known.focus,
            also_matched=[other for other in found.matched if other != found.persona],
            because=[evidence_of(row) for row in found.evidence if row.get("persona") == found.persona],
        )

    def _shown(self, row: Recommended) -> RecommendationView:
        item = self._catalogue.item(row.item_id)
        return RecommendationView(
            recommendation_id=row.recommendation_id,
            kind=row.kind,
            item_id=row.item_id,
            title=item.title if item else row.item_id,
            summary=item.summary if item else "",
            because=row.rationale,
            created_at=row.created_at,
        )


def _month_back(day: date, months: int) -> date:
    """The first day of the month so many months before."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, 1)


def _found(value: T | None, message: str) -> T:
    if value is None:
        raise NotFound(message)
    return value
