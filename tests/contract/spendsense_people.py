"""People for tests, written by hand: rows of a bank with everything defaulted that a test does not care about."""

import itertools
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import psycopg
from msgspec import structs
from psycopg.rows import namedtuple_row

from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.spendsense.ledger import PostgresLedger
from chalicelib.adapters.spendsense.people import PostgresConsents, PostgresPeople
from chalicelib.adapters.spendsense.pipeline import PostgresPipeline
from chalicelib.spendsense.bank import BankAccount, BankLiability, BankStatement, BankTransaction, canonical
from chalicelib.spendsense.catalogue import packaged_catalogue
from chalicelib.spendsense.models import ConsentRecord, ProfileChange
from chalicelib.spendsense.orders import JobName, JobOrder
from chalicelib.spendsense.taxonomy import packaged_taxonomy
from tests.contract.spendsense_database import seen_by_all

TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
JOBS: tuple[JobName, ...] = ("compute_features", "assign_persona", "generate_recommendations")

_numbers = itertools.count(1)


def subject(name: str) -> UUID:
    """The id of the person of that name."""
    return uuid5(UUID(int=0), name)


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def account(kind: str = "checking", current: float | None = 1000.0, **values: Any) -> BankAccount:
    """An account; `kind` is its subtype, or "credit card"; amounts are in dollars."""
    given: dict[str, Any] = {
        "line": 1,
        "external_id": kind,
        "name": kind.title(),
        "mask": "0001",
        "type": "credit" if kind == "credit card" else "depository",
        "subtype": kind,
        "available_cents": None,
        "current_cents": None if current is None else round(current * 100),
        "limit_cents": None,
        "currency": "USD",
        "holder_category": "personal",
        **values,
    }
    if "limit" in given:
        limit = given.pop("limit")
        given["limit_cents"] = None if limit is None else round(limit * 100)
    return BankAccount(**given)


def transaction(days: int, amount: float, category: str = "FOOD_AND_DRINK_COFFEE", **values: Any) -> BankTransaction:
    """A transaction `days` before TODAY; positive is money out."""
    merchant = values.pop("merchant", "")
    given: dict[str, Any] = {
        "line": 1,
        "external_id": f"t{next(_numbers)}",
        "account": "checking",
        "posted_on": days_ago(days),
        "amount_cents": round(amount * 100),
        "currency": None,
        "name": merchant,
        "merchant": merchant,
        "merchant_key": canonical(merchant),
        "category": packaged_taxonomy().categories[category],
        "channel": "online",
        "pending": False,
        "replaces": None,
        **values,
    }
    return BankTransaction(**given)


def charges(merchant: str, amount: float, *days: int, **values: Any) -> list[BankTransaction]:
    """One merchant's charges of one amount."""
    category = values.pop("category", "ENTERTAINMENT_TV_AND_MOVIES")
    return [transaction(day, amount, category, merchant=merchant, **values) for day in days]


def pay(amount: float, *days: int, **values: Any) -> list[BankTransaction]:
    """Pay that came in."""
    return [transaction(day, -amount, "INCOME_WAGES", merchant="Employer", **values) for day in days]


def liability(account: str = "credit card", **values: Any) -> BankLiability:
    given: dict[str, Any] = {
        "line": 1,
        "account": account,
        "kind": "credit",
        "apr_percent": Decimal("21.9"),
        "interest_rate_percent": None,
        "minimum_payment_cents": None,
        "last_payment_cents": None,
        "last_payment_on": None,
        "last_statement_cents": None,
        "last_statement_on": None,
        "next_payment_due_on": None,
        "is_overdue": False,
        **values,
    }
    return BankLiability(**given)


def seasoned(
    accounts: Iterable[BankAccount] = (),
    transactions: Iterable[BankTransaction] = (),
    liabilities: Iterable[BankLiability] = (),
) -> BankStatement:
    """The same for somebody whom the bank has known for half a year: an empty row of then, outside every window."""
    held, found = tuple(accounts), tuple(transactions)
    if held and found:
        since = transaction(182, 0.0, "TRANSFER_IN", account=held[0].external_id, external_id="since")
        found = (*found, since)
    return rows(held, found, liabilities)


def minimum_paid(days: int, paid: float = 25.0, minimum: float = 25.0, statement: float = 900.0) -> BankLiability:
    """A card whose statement of 20 days before was answered by a payment."""
    return liability(
        last_payment_cents=round(paid * 100),
        last_payment_on=days_ago(days),
        minimum_payment_cents=round(minimum * 100),
        last_statement_cents=round(statement * 100),
        last_statement_on=days_ago(days + 20),
    )


def rows(
    accounts: Iterable[BankAccount] = (),
    transactions: Iterable[BankTransaction] = (),
    liabilities: Iterable[BankLiability] = (),
) -> BankStatement:
    return BankStatement(accounts=tuple(accounts), transactions=tuple(transactions), liabilities=tuple(liabilities))


class World:
    """The real adapters over one database."""

    def __init__(self, database: Postgres) -> None:
        self.database = database
        self.people = PostgresPeople(database)
        self.consents = PostgresConsents(database)
        self.ledger = PostgresLedger(database)
        self.pipeline = PostgresPipeline(database, packaged_catalogue())

    def add(self, name: str, statement: BankStatement, *, consent: bool = True, currency: str = "USD") -> UUID:
        """A person who joined, consented, and linked accounts."""
        person = subject(name)
        self.people.register(person, ProfileChange(display_name=name, currency=currency), NOW)
        if consent:
            self.consents.record(person, ConsentRecord(granted=True, policy_version="1", recorded_at=NOW))
        # Accounts' ids are the bank's, so they are made the person's own here.
        self.ledger.save(person, owned(name, statement), NOW)
        return person

    def run(self, *jobs: JobName, run_id: str = "run", size: int = 1000, as_of: date = TODAY) -> int:
        """Run jobs (all by default) until nothing is due; how many people were worked on."""
        order = JobOrder(run_id, as_of)
        users = 0
        for job in jobs or JOBS:
            self.pipeline.begin(job, order, NOW)
            while done := self.pipeline.advance(job, order, size, NOW):
                users += done
            self.pipeline.finish(job, order, NOW)
        return users

    def features(self, person: UUID, window: int = 30) -> Any:
        """The computed row."""
        return self.one(
            "SELECT f.* FROM spendsense.computed_features f JOIN spendsense.profiles USING (user_id) "
            "WHERE subject = %s AND window_days = %s",
            person,
            window,
        )

    def persona(self, person: UUID, window: int = 30) -> Any:
        return self.one(
            "SELECT a.* FROM spendsense.persona_assignments a JOIN spendsense.profiles USING (user_id) "
            "WHERE subject = %s AND window_days = %s",
            person,
            window,
        )

    def all(self, text: str, *parameters: Any) -> list[Any]:
        """Rows as they are, whoever may see them; what the statement changes is kept."""
        url = seen_by_all(self.database._target.read())
        with psycopg.connect(url, row_factory=namedtuple_row) as connection:
            cursor = connection.execute(text.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def one(self, text: str, *parameters: Any) -> Any:
        found = self.all(text, *parameters)
        assert len(found) == 1, found
        return found[0]


def owned(name: str, given: BankStatement) -> BankStatement:
    """The same rows under account ids of the person's own."""
    return replace(
        given,
        accounts=tuple(structs.replace(row, external_id=f"{name}:{row.external_id}") for row in given.accounts),
        transactions=tuple(structs.replace(row, account=f"{name}:{row.account}") for row in given.transactions),
        liabilities=tuple(structs.replace(row, account=f"{name}:{row.account}") for row in given.liabilities),
    )
