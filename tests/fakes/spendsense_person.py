"""One person in memory: what the bank says, and what the jobs derive from it by the plain formulas."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from msgspec import structs

from chalicelib.spendsense import models
from chalicelib.spendsense.bank import BankAccount, BankLiability, BankStatement, BankTransaction
from chalicelib.spendsense.catalogue import AdviceCatalogue, AdviceItem
from chalicelib.spendsense.orders import JobOrder
from chalicelib.spendsense.values import Recommended
from tests.fakes import spendsense_reference as reference


@dataclass
class Kept:
    """One recommendation as it is stored."""

    shown: Recommended
    window: int
    status: str = "active"


@dataclass
class Person:
    """Everything about one person."""

    profile: models.Profile
    consents: list[models.ConsentRecord] = field(default_factory=list)
    accounts: dict[str, BankAccount] = field(default_factory=dict)
    transactions: dict[tuple[str, str], BankTransaction] = field(default_factory=dict)
    liabilities: dict[str, BankLiability] = field(default_factory=dict)
    payments: dict[tuple[str, date], int] = field(default_factory=dict)
    statements: dict[tuple[str, date], tuple[int, int]] = field(default_factory=dict)
    due: set[str] = field(default_factory=set)
    as_of: date | None = None
    features: dict[int, reference.Signals] = field(default_factory=dict)
    personas: dict[int, tuple[str, list[str]]] = field(default_factory=dict)
    recommendations: dict[UUID, Kept] = field(default_factory=dict)
    traces: dict[UUID, models.Trace] = field(default_factory=dict)
    feedback: dict[UUID, models.Feedback] = field(default_factory=dict)


class Intake:
    """One import for one person; `refused` are the accounts that are not the person's."""

    def __init__(self, person: Person, given: BankStatement) -> None:
        self._person = person
        self._saved = dict.fromkeys(("accounts", "transactions", "removed", "liabilities"), 0)
        self._unchanged = dict.fromkeys(("accounts", "transactions", "liabilities"), 0)
        self._rejections = [
            models.RejectedField(
                section=row.section, line=row.line, field=row.field, problem=row.problem, expected=row.expected
            )
            for row in given.rejections
        ]
        self.refused: list[str] = []
        self._readings = given.readings
        if (new := given.new_account) and new.external_id not in person.accounts:
            person.accounts[new.external_id] = structs.replace(new, currency=person.profile.currency)
            self._saved["accounts"] += 1
        self._take_accounts(given)
        self._take_transactions(given)
        self._take_liabilities(given)

    @property
    def imported(self) -> models.Imported:
        """What became of the rows."""
        return models.Imported(
            saved=self._saved,
            unchanged=self._unchanged,
            rejected=len({(row.section, row.line) for row in self._rejections}),
            rejections=self._rejections,
            readings=self._readings,
        )

    def _take_accounts(self, given: BankStatement) -> None:
        for account in given.accounts:
            self._keep("accounts", self._person.accounts, account.external_id, account)

    def _take_transactions(self, given: BankStatement) -> None:
        own = [row for row in given.transactions if row.account in self._person.accounts]
        for row in given.transactions:
            if row.account not in self._person.accounts:
                self._refuse("transactions", row.line, row.account)
        posted = {row.replaces for row in self._person.transactions.values() if row.replaces}
        again = {row.external_id for row in own if row.pending and row.external_id in posted}
        gone = {*given.removed, *(row.replaces for row in own), *again}
        for row in own:
            if row.external_id in gone:
                self._unchanged["transactions"] += 1
            else:
                self._keep("transactions", self._person.transactions, (row.account, row.external_id), row)
        for key in [key for key in self._person.transactions if key[1] in gone]:
            del self._person.transactions[key]
            self._saved["removed"] += 1

    def _take_liabilities(self, given: BankStatement) -> None:
        for debt in given.liabilities:
            if debt.account not in self._person.accounts:
                self._refuse("liabilities", debt.line, debt.account)
                continue
            self._keep("liabilities", self._person.liabilities, debt.account, debt)
            if debt.kind == "credit":
                paid, stated = payment_of(debt), statement_of(debt)
                self._person.payments |= {paid[:2]: paid[2]} if paid else {}
                self._person.statements |= {stated[:2]: stated[2:]} if stated else {}

    def _keep(self, section: str, place: dict[Any, Any], key: Any, row: Any) -> None:
        same = key in place and structs.replace(place[key], line=0) == structs.replace(row, line=0)
        (self._unchanged if same else self._saved)[section] += 1
        place[key] = row

    def _refuse(self, section: str, line: int, account: str) -> None:
        self._rejections.append(
            models.RejectedField(
                section=section,
                line=line,
                field="account_id",
                problem=f"is {account[:60]!r}",
                expected="an account of this user",
            )
        )
        self.refused.append(account)


def payment_of(debt: BankLiability) -> tuple[str, date, int] | None:
    """What was last paid on a card: account, day, cents."""
    if debt.last_payment_on is None or debt.last_payment_cents is None:
        return None
    return debt.account, debt.last_payment_on, debt.last_payment_cents


def statement_of(debt: BankLiability) -> tuple[str, date, int, int] | None:
    """A card's last statement: account, day of issue, balance, minimum; due after 25 days where it does not say."""
    issued = debt.last_statement_on or (debt.next_payment_due_on and debt.next_payment_due_on - timedelta(days=25))
    if issued is None or debt.last_statement_cents is None or debt.minimum_payment_cents is None:
        return None
    return debt.account, issued, debt.last_statement_cents, debt.minimum_payment_cents


def compute(person: Person, order: JobOrder) -> None:
    """Features, and with a change of them a persona due."""
    computed = reference.features(
        person.profile.currency,
        order.as_of,
        person.accounts.values(),
        person.transactions.values(),
        person.liabilities.values(),
        [(*key, paid) for key, paid in person.payments.items()],
        [(*key, *stated) for key, stated in person.statements.items()],
    )
    if computed != person.features or person.as_of != order.as_of:
        person.due.add("persona")
    person.features, person.as_of = computed, order.as_of


def assign(person: Person, catalogue: AdviceCatalogue) -> None:
    """A persona for each window, and recommendations due."""
    person.personas = {window: reference.persona(catalogue, signals) for window, signals in person.features.items()}
    person.due.add("recommendations")


def recommend(
    person: Person, catalogue: AdviceCatalogue, verdicts: Mapping[UUID, str], order: JobOrder, now: datetime
) -> None:
    """Recommendations with their traces; `verdicts` are the states that operators left recommendations in."""
    person.recommendations, person.traces = {}, {}
    for window, (persona, _) in person.personas.items():
        signals = person.features[window]
        chosen = {item.item_id for item in reference.recommended(catalogue, signals, persona)}
        for item in catalogue.items:
            if persona not in item.personas:
                continue
            key = uuid5(person.profile.user_id, f"{window}/{item.item_id}")
            recommended = item.item_id in chosen
            person.traces[key] = _trace(key, window, item, signals, recommended, order, now)
            if recommended:
                because = "".join(
                    str(signals[piece]) if number % 2 else piece for number, piece in enumerate(item.because.pieces)
                )
                shown = Recommended(key, item.kind, item.item_id, persona, because, now)
                person.recommendations[key] = Kept(shown, window, verdicts.get(key, "active"))


def _trace(
    key: UUID,
    window: int,
    item: AdviceItem,
    signals: reference.Signals,
    recommended: bool,
    order: JobOrder,
    now: datetime,
) -> models.Trace:
    return models.Trace(
        recommendation_id=key,
        window_days=window,
        item_id=item.item_id,
        template_id=item.template_id,
        outcome="recommended" if recommended else "withheld",
        reasons=[] if recommended else ["not eligible"],
        signals_used=[
            models.Evidence(signal=name, value=signals[name], threshold=None)
            for name in sorted(reference.used_signals(item))
        ],
        guardrails={"consent": True},
        run_id=order.run_id,
        created_at=now,
    )
