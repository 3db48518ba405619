"""SpendSense's ports in memory, over one set of people; what is derived comes from the plain formulas."""

from copy import deepcopy
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from msgspec import structs

from chalicelib.errors import NotFound
from chalicelib.spendsense import models
from chalicelib.spendsense.bank import BankStatement, BankTransaction, canonical
from chalicelib.spendsense.catalogue import AdviceCatalogue, packaged_catalogue
from chalicelib.spendsense.desk import STATUS_AFTER
from chalicelib.spendsense.jobs import REFRESH_DAYS
from chalicelib.spendsense.orders import JobName, JobOrder
from chalicelib.spendsense.paging import Position
from chalicelib.spendsense.people import NO_PROFILE
from chalicelib.spendsense.values import Deed, Insight, JobProgress, Listener, Recommended
from tests.fakes import spendsense_reference as reference
from tests.fakes.spendsense_person import Intake, Kept, Person, assign, compute, recommend

DUE: dict[JobName, str] = {
    "compute_features": "features",
    "assign_persona": "persona",
    "generate_recommendations": "recommendations",
}


class FakePeople:
    """Profiles, consents, rows, jobs, reads and the audit: every port but the announcements."""

    def __init__(self, catalogue: AdviceCatalogue | None = None) -> None:
        self.people: dict[UUID, Person] = {}
        self.deeds: list[Deed] = []
        self.denials: list[tuple[UUID | None, str, str]] = []
        self.denied_at: list[datetime] = []
        self.runs: dict[tuple[str, JobName], list[int]] = {}
        self.started: dict[tuple[str, JobName], datetime] = {}
        self.finished: set[tuple[str, JobName]] = set()
        self._catalogue = catalogue or packaged_catalogue()

    # -- People

    def find(self, subject: UUID) -> models.Profile | None:
        person = self.people.get(subject)
        return person and person.profile

    def register(self, subject: UUID, change: models.ProfileChange, now: datetime) -> tuple[models.Profile, bool]:
        known = self.people.get(subject)
        if known is not None and known.profile.consented and known.profile.currency != change.currency:
            known.due.add("features")
        profile = models.Profile(
            user_id=subject,
            display_name=change.display_name,
            currency=change.currency,
            consented=known.profile.consented if known else False,
            created_at=known.profile.created_at if known else now,
            updated_at=now,
        )
        if known is None:
            self.people[subject] = Person(profile)
        else:
            known.profile = profile
        return profile, known is None

    def erase(self, subject: UUID) -> bool:
        self.deeds = [replace(deed, reason="") if deed.subject == subject else deed for deed in self.deeds]
        return self.people.pop(subject, None) is not None

    # -- Consents

    def history(self, subject: UUID) -> list[models.ConsentRecord] | None:
        person = self.people.get(subject)
        return None if person is None else person.consents[::-1]

    def record(self, subject: UUID, record: models.ConsentRecord) -> bool:
        person = self.people.get(subject)
        if person is None:
            return False
        person.consents.append(record)
        old = person.profile
        person.profile = models.Profile(
            user_id=old.user_id,
            display_name=old.display_name,
            currency=old.currency,
            consented=record.granted,
            created_at=old.created_at,
            updated_at=old.updated_at,
        )
        person.due = set(DUE.values()) if record.granted else set()
        if not record.granted:
            person.features, person.personas, person.as_of = {}, {}, None
            person.recommendations, person.traces, person.feedback = {}, {}, {}
        return True

    # -- Ledger

    def save(
        self,
        subject: UUID,
        given: BankStatement,
        now: datetime,
        by: models.Operator | None = None,
        *,
        keep: bool = True,
    ) -> models.Imported:
        person = self.people.get(subject)
        if person is not None and not keep:
            return structs.replace(Intake(deepcopy(person), given).imported, dry_run=True)
        if person is None:
            raise NotFound(NO_PROFILE)
        intake = Intake(person, given)
        for account in dict.fromkeys(intake.refused):
            caller, request_id = (by.operator, by.request_id) if by else (None, "")
            self.denied(caller, f"account {account}", f"not an account of user {subject}", request_id, now)
        imported = intake.imported
        if any(imported.saved.values()) and person.profile.consented:
            person.due.add("features")
        return imported

    # -- Pipeline

    def begin(self, job: JobName, order: JobOrder, now: datetime) -> JobProgress:
        key = (order.run_id, job)
        if key not in self.runs and job == "compute_features":
            for person in self.people.values():
                stale = person.as_of is not None and (order.as_of - person.as_of).days >= REFRESH_DAYS
                if person.profile.consented and order.everyone:
                    person.due = set(DUE.values())
                elif person.profile.consented and order.nightly and stale:
                    person.due.add("features")
        batches = self.runs.setdefault(key, [])
        self.started.setdefault(key, now)
        return JobProgress(len(batches), sum(batches), key in self.finished)

    def advance(self, job: JobName, order: JobOrder, size: int, now: datetime) -> int:
        due = [
            person
            for subject, person in self.people.items()
            if DUE[job] in person.due and order.subject in (None, subject)
        ][:size]
        for person in due:
            person.due.discard(DUE[job])
            self._do(job, person, order, now)
        if due:
            self.runs[order.run_id, job].append(len(due))
        return len(due)

    def finish(self, job: JobName, order: JobOrder, now: datetime) -> JobProgress:
        self.finished.add((order.run_id, job))
        batches = self.runs[order.run_id, job]
        return JobProgress(len(batches), sum(batches), True)

    def forget(self, before: datetime, size: int) -> int:
        old = [key for key, started in self.started.items() if started < before][:size]
        for key in old:
            del self.runs[key], self.started[key]
            self.finished.discard(key)
        late = [number for number, denied in enumerate(self.denied_at) if denied < before][:size]
        self.denials = [row for number, row in enumerate(self.denials) if number not in late]
        self.denied_at = [at for number, at in enumerate(self.denied_at) if number not in late]
        return len(old) + len(late)

    def _do(self, job: JobName, person: Person, order: JobOrder, now: datetime) -> None:
        if job == "compute_features":
            compute(person, order)
        elif job == "assign_persona":
            assign(person, self._catalogue)
        else:
            judged = [deed for deed in self.deeds if deed.action in STATUS_AFTER and deed.recommendation_id]
            verdicts = {deed.recommendation_id: STATUS_AFTER[deed.action] for deed in judged if deed.recommendation_id}
            recommend(person, self._catalogue, verdicts, order, now)

    # -- Records, Explanations

    def accounts(self, subject: UUID) -> list[models.Account] | None:
        person = self.people.get(subject)
        if person is None:
            return None
        return [
            models.Account(
                account_id=row.external_id,
                name=row.name,
                mask=row.mask,
                type=row.type,
                subtype=row.subtype,
                available_cents=row.available_cents,
                current_cents=row.current_cents,
                limit_cents=row.limit_cents,
                currency=row.currency,
                holder_category=row.holder_category,
                updated_at=person.profile.updated_at,
            )
            for row in person.accounts.values()
        ]

    def transactions(
        self, subject: UUID, query: models.TransactionsQuery, after: Position | None
    ) -> list[tuple[Position, models.Transaction]] | None:
        person = self.people.get(subject)
        if person is None or (query.account_id is not None and query.account_id not in person.accounts):
            return None
        numbered = [
            ((row.posted_on.isoformat(), number), row) for number, row in enumerate(person.transactions.values())
        ]
        found = [
            (position, self._shown(person, row))
            for position, row in sorted(numbered, key=lambda pair: pair[0], reverse=True)
            if query.account_id in (None, row.account)
            and (query.since is None or row.posted_on >= query.since)
            and (query.until is None or row.posted_on <= query.until)
            and (after is None or position < after)
            and self._fits(person, row, query)
        ]
        return found[: query.limit + 1]

    def _fits(self, person: Person, row: BankTransaction, query: models.TransactionsQuery) -> bool:
        said = f"{row.name} {row.merchant}".lower()
        return (
            query.category in (None, row.category.primary, row.category.detailed)
            and (query.merchant is None or canonical(query.merchant) == row.merchant_key)
            and (query.text is None or query.text.lower() in said)
            and (query.at_least_cents is None or row.amount_cents >= query.at_least_cents)
            and (query.at_most_cents is None or row.amount_cents <= query.at_most_cents)
            and (not query.spending or self._spends(person, row))
        )

    def _spends(self, person: Person, row: BankTransaction) -> bool:
        account = person.accounts[row.account]
        return (
            not row.pending
            and account.currency == person.profile.currency == (row.currency or account.currency)
            and account.holder_category != "business"
            and account.type in ("credit", "depository")
            and row.category.flow in reference.SPENDING
        )

    def spending(self, subject: UUID, since: date, until: date) -> list[tuple[date, models.CategorySpending]] | None:
        person = self.people.get(subject)
        if person is None:
            return None
        found: dict[tuple[date, str], list[int]] = {}
        for row in person.transactions.values():
            if since <= row.posted_on <= until and self._spends(person, row):
                found.setdefault((row.posted_on.replace(day=1), row.category.primary), []).append(row.amount_cents)
        ordered = sorted(found.items(), key=lambda pair: (-pair[0][0].toordinal(), -sum(pair[1]), pair[0][1]))
        return [
            (month, models.CategorySpending(category=name, spend_cents=sum(cents), transactions=len(cents)))
            for (month, name), cents in ordered
        ]

    def progress(self, subject: UUID) -> models.OwnProgress | None:
        person = self.people.get(subject)
        if person is None:
            return None
        due = {f"{stage}_due": stage in person.due for stage in DUE.values()}
        current = person.profile.consented and not person.due
        return models.OwnProgress(consented=person.profile.consented, **due, as_of=person.as_of, is_current=current)

    def kept(self, subject: UUID) -> dict[str, Any] | None:
        person = self.people.get(subject)
        if person is None:
            return None
        return {
            "profile": {"subject": str(subject), "currency": person.profile.currency},
            "accounts": [{"external_id": name} for name in person.accounts],
        }

    def insights(self, subject: UUID, window: int) -> Insight | None:
        person = self.people.get(subject)
        if person is None:
            return None
        persona, matched = person.personas.get(window, (None, []))
        signals = person.features.get(window, {})
        noticed = reference.behaviours(self._catalogue, signals) if signals else []
        return Insight(person.profile.currency, person.as_of, signals, persona, tuple(matched), (), tuple(noticed))

    def recommended(self, subject: UUID, window: int) -> list[Recommended] | None:
        person = self.people.get(subject)
        if person is None:
            return None
        return [kept.shown for kept in person.recommendations.values() if kept.window == window and _visible(kept)]

    def recommendation(self, subject: UUID, recommendation_id: UUID) -> Recommended | None:
        kept = self._kept(subject, recommendation_id)
        return kept.shown if kept and _visible(kept) else None

    def trace(self, subject: UUID, recommendation_id: UUID) -> models.Trace | None:
        person = self.people.get(subject)
        return person.traces.get(recommendation_id) if person else None

    def keep_feedback(self, subject: UUID, feedback: models.Feedback) -> bool:
        kept = self._kept(subject, feedback.recommendation_id)
        if kept is None or not _visible(kept):
            return False
        self.people[subject].feedback[feedback.recommendation_id] = feedback
        return True

    # -- Oversight, Reviews

    def users(self, query: models.UsersQuery, after: Position | None) -> list[tuple[Position, models.UserSummary]]:
        found = []
        for number, person in enumerate(self.people.values(), start=1):
            persona = person.personas.get(query.window, (None, []))[0]
            found_by_name = query.search is None or query.search.lower() in person.profile.display_name.lower()
            found_by_id = query.search is not None and str(person.profile.user_id).startswith(query.search.lower())
            wanted = query.persona in (None, persona) and (found_by_name or found_by_id)
            if (after is None or number > after[1]) and wanted:
                summary = models.UserSummary(
                    user_id=person.profile.user_id,
                    display_name=person.profile.display_name,
                    consented=person.profile.consented,
                    persona=persona,
                    recommendations=len([1 for kept in person.recommendations.values() if kept.window == query.window]),
                )
                found.append((("", number), summary))
        return found[: query.limit + 1]

    def personas(self, subject: UUID) -> list[models.AssignedPersona]:
        person = self.people.get(subject)
        if person is None or person.as_of is None:
            return []
        return [
            models.AssignedPersona(
                window_days=window,  # type: ignore[arg-type]  # the reference's windows are these
                persona=persona,
                matched=matched,
                evidence=[],
                behaviours=reference.behaviours(self._catalogue, person.features[window]),
                as_of=person.as_of,
            )
            for window, (persona, matched) in person.personas.items()
        ]

    def signals(self, subject: UUID) -> list[dict[str, Any]]:
        person = self.people.get(subject)
        if person is None:
            return []
        return [{"window_days": window, **signals} for window, signals in person.features.items()]

    def metrics(self) -> models.Metrics:
        raise NotImplementedError("the figures are the database's alone")

    def recommendations(self, subject: UUID, window: int) -> list[models.ReviewItem]:
        person = self.people[subject]
        found = [self._item(person, key, kept) for key, kept in person.recommendations.items() if kept.window == window]
        return sorted(found, key=lambda item: item.recommendation_id)

    def past_surveys(self, limit: int) -> list[models.MetricsPoint]:
        raise NotImplementedError("the figures are the database's alone")

    def _item(self, person: Person, key: UUID, kept: Kept) -> models.ReviewItem:
        return models.ReviewItem(
            recommendation_id=key,
            user_id=person.profile.user_id,
            display_name=person.profile.display_name,
            window_days=kept.window,
            kind=kept.shown.kind,
            item_id=kept.shown.item_id,
            persona=kept.shown.persona,
            because=kept.shown.rationale,
            status=kept.status,
        )

    def waiting(self, query: models.ReviewQuery, after: Position | None) -> list[tuple[Position, models.ReviewItem]]:
        found = [
            ((str(key), 0), self._item(person, key, kept))
            for person in self.people.values()
            for key, kept in person.recommendations.items()
            if kept.status == query.status
            and query.persona in (None, kept.shown.persona)
            and (after is None or str(key) > after[0])
        ]
        return sorted(found, key=lambda pair: pair[0])[: query.limit + 1]

    def judge(self, recommendation_id: UUID, status: str, deed: Deed) -> bool:
        for subject, person in self.people.items():
            if recommendation_id in person.recommendations:
                person.recommendations[recommendation_id].status = status
                self.deeds.append(replace(deed, subject=subject))
                return True
        return False

    # -- Audit

    def acted(self, deed: Deed) -> None:
        self.deeds.append(deed)

    def denied(self, caller: UUID | None, resource: str, reason: str, request_id: str, now: datetime) -> None:
        self.denials.append((caller, resource, reason))
        self.denied_at.append(now)

    def actions_on(self, subject: UUID) -> list[models.OperatorAction]:
        return [
            models.OperatorAction(
                operator=deed.operator,
                action=deed.action,
                recommendation_id=deed.recommendation_id,
                reason=deed.reason,
                acted_at=deed.acted_at,
            )
            for deed in reversed(self.deeds)
            if deed.subject == subject
        ][:100]

    def _kept(self, subject: UUID, recommendation_id: UUID) -> Kept | None:
        person = self.people.get(subject)
        return person.recommendations.get(recommendation_id) if person else None

    def _shown(self, person: Person, row: BankTransaction) -> models.Transaction:
        return models.Transaction(
            transaction_id=row.external_id,
            account_id=row.account,
            posted_on=row.posted_on,
            amount_cents=row.amount_cents,
            currency=row.currency or person.accounts[row.account].currency,
            name=row.name,
            merchant=row.merchant or None,
            category=row.category.detailed,
            channel=row.channel,
            pending=row.pending,
        )


def _visible(kept: Kept) -> bool:
    return kept.status in {"active", "approved"}


class FakeListeners:
    """Open sockets of people in memory."""

    def __init__(self, people: FakePeople) -> None:
        self._people = people
        self.open: dict[Listener, tuple[datetime, models.OwnProgress | None]] = {}

    def keep(self, listener: Listener, now: datetime, until: datetime, most: int) -> bool | None:
        if self._people.find(listener.subject) is None:
            return None
        others = [each for each, (end, _) in self.open.items() if each.subject == listener.subject and end > now]
        if len(others) >= most:
            return False
        self.open[listener] = (until, None)
        return True

    def news(self, subject: UUID | None, now: datetime) -> list[tuple[Listener, models.OwnProgress]]:
        found = []
        for listener, (until, told) in self.open.items():
            progress = self._people.progress(listener.subject)
            if subject in (None, listener.subject) and until > now and progress is not None and progress != told:
                self.open[listener] = (until, progress)
                found.append((listener, progress))
        return found

    def forget(self, listener: Listener) -> None:
        self.open.pop(listener, None)
