"""The bank's rows in PostgreSQL: each import one transaction of set-wise upserts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import structs

from chalicelib.adapters.postgres import Cursor, Postgres, only
from chalicelib.adapters.spendsense.roles import for_person
from chalicelib.errors import NotFound
from chalicelib.spendsense import sql
from chalicelib.spendsense.bank import BankLiability, BankStatement, BankTransaction, canonical
from chalicelib.spendsense.models import Imported, Operator, RejectedField
from chalicelib.spendsense.people import NO_PROFILE

CHUNK = 20_000
SHOWN_REJECTIONS = 1_000
IMPORT_SETTINGS = {"statement_timeout": "25000"}

ACCOUNT_COLUMNS = (
    "external_id",
    "name",
    "mask",
    "type",
    "subtype",
    "available_cents",
    "current_cents",
    "limit_cents",
    "currency",
    "holder_category",
)
TRANSACTION_COLUMNS = ("external_id", "posted_on", "amount_cents", "name", "channel", "pending", "replaces")
LIABILITY_COLUMNS = (
    "kind",
    "apr_percent",
    "interest_rate_percent",
    "minimum_payment_cents",
    "last_payment_cents",
    "last_payment_on",
    "last_statement_cents",
    "last_statement_on",
    "next_payment_due_on",
    "is_overdue",
)

R = TypeVar("R", BankTransaction, BankLiability)


@dataclass(frozen=True)
class OwnAccount:
    """One of the person's accounts: its key and its currency."""

    account_id: int
    currency: str


class PostgresLedger:
    """Keeps rows; the same rows again change nothing."""

    def __init__(self, database: Postgres) -> None:
        self._database = database

    def save(
        self, subject: UUID, given: BankStatement, now: datetime, by: Operator | None = None, *, keep: bool = True
    ) -> Imported:
        """Keep a person's rows, or tell what it would; NotFound without a profile."""

        def work(cursor: Cursor) -> Imported:
            if keep:
                return _Import(cursor, subject, now, by).save(given)
            cursor.execute("SAVEPOINT before")
            imported = _Import(cursor, subject, now, by).save(given)
            cursor.execute("ROLLBACK TO SAVEPOINT before")
            return imported

        imported = for_person(self._database, subject, work, IMPORT_SETTINGS)
        return structs.replace(imported, dry_run=not keep)


class _Import:
    """One import, inside its transaction."""

    def __init__(self, cursor: Cursor, subject: UUID, now: datetime, by: Operator | None) -> None:
        standing = cursor.execute(sql.text("lock_standing"), {"subject": subject}).fetchone()
        if standing is None:
            raise NotFound(NO_PROFILE)
        self._cursor = cursor
        self._subject = subject
        self._now = now
        self._by = by
        self._person = {"user_id": standing.user_id, "now": now}
        self._currency = standing.currency
        self._rejections: list[RejectedField] = []

    def save(self, given: BankStatement) -> Imported:
        accounts = given.accounts
        saved = {"accounts": self._saved("save_accounts", _columns(accounts, ACCOUNT_COLUMNS)) if accounts else 0}
        own = self._own_accounts()
        if (new := given.new_account) and new.external_id not in own:
            columns = _columns([structs.replace(new, currency=self._currency)], ACCOUNT_COLUMNS)
            saved["accounts"] += self._saved("save_accounts", columns)
            accounts = (*accounts, new)
            own = self._own_accounts()
        transactions = self._of(own, given.transactions, "transactions")
        gone = {*given.removed, *(row.replaces for row in transactions if row.replaces), *self._posted(transactions)}
        # Rows that the same file removes are not stored first: otherwise, each import of the file would count as news.
        saved["transactions"] = self._save_transactions(
            [row for row in transactions if row.external_id not in gone], own
        )
        saved["removed"] = self._remove(sorted(gone), own) if gone else 0
        liabilities = self._of(own, given.liabilities, "liabilities")
        saved["liabilities"] = self._save_liabilities(liabilities, own) if liabilities else 0
        if any(saved.values()):
            self._cursor.execute(sql.text("mark_features_due"), self._person)
        kept = {"accounts": len(accounts), "transactions": len(transactions), "liabilities": len(liabilities)}
        rejections = [*given.rejections, *self._rejections]
        given.readings.notes[:] = dict.fromkeys(given.readings.notes)
        return Imported(
            saved=saved,
            unchanged={name: count - saved[name] for name, count in kept.items()},
            rejected=len({(row.section, row.line) for row in rejections}),
            rejections=rejections[:SHOWN_REJECTIONS],
            readings=given.readings,
        )

    def _own_accounts(self) -> dict[str, OwnAccount]:
        rows = self._cursor.execute(sql.text("own_accounts"), self._person)
        return {row.external_id: OwnAccount(row.account_id, row.currency) for row in rows}

    def _posted(self, rows: Sequence[BankTransaction]) -> list[str]:
        """Pending rows of the file whose posted ones have come before."""
        columns = {**self._person, "external_ids": [row.external_id for row in rows if row.pending]}
        if not columns["external_ids"]:
            return []
        return [row.replaces for row in self._cursor.execute(sql.text("posted_pending"), columns)]

    def _of(self, own: dict[str, OwnAccount], rows: Iterable[R], section: str) -> list[R]:
        kept: list[R] = []
        refused: set[str] = set()
        for row in rows:
            if row.account in own:
                kept.append(row)
            else:
                self._refuse(row.account, section, row.line, again=row.account in refused)
                refused.add(row.account)
        return kept

    def _refuse(self, account: str, section: str, line: int, *, again: bool = False) -> None:
        """Reject a row for its account; on record, since it may be somebody's attempt on another's."""
        self._rejections.append(
            RejectedField(
                section=section,
                line=line,
                field="account_id",
                problem=f"is {account[:60]!r}",
                expected="an account of this user",
            )
        )
        if not again:
            denial = {
                "caller": self._by.operator if self._by else None,
                "resource": f"account {account}",
                "reason": f"not an account of user {self._subject}",
                "request_id": self._by.request_id if self._by else "",
                "denied_at": self._now,
            }
            self._cursor.execute(sql.text("note_denial"), denial)

    def _save_transactions(self, rows: Sequence[BankTransaction], own: dict[str, OwnAccount]) -> int:
        merchants = self._merchants(rows)
        categories = self._categories(rows)
        saved = 0
        for chunk in _chunks(rows):
            accounts = [own[row.account] for row in chunk]
            columns: dict[str, list[Any]] = {
                "account_id": [account.account_id for account in accounts],
                "foreign_currency": [
                    row.currency if row.currency not in (None, account.currency) else None
                    for row, account in zip(chunk, accounts, strict=True)
                ],
                "merchant_id": [merchants.get(row.merchant_key) for row in chunk],
                "category_id": [categories[row.category.detailed] for row in chunk],
                **_columns(chunk, TRANSACTION_COLUMNS),
            }
            saved += self._saved("save_transactions", columns)
        return saved

    def _merchants(self, rows: Sequence[BankTransaction]) -> dict[str, int]:
        """The person's merchant of each key; a known name identifies the merchant, regardless of other keys."""
        known, by_name = self._known_merchants()
        new: dict[str, str] = {}
        for row in rows:
            name = canonical(row.merchant)
            if row.merchant_key and row.merchant_key not in known and name not in by_name:
                new.setdefault(row.merchant_key, row.merchant)
                by_name[name] = -1
        if new:
            columns = {**self._person, "key": list(new), "name": list(new.values())}
            self._cursor.execute(sql.text("save_merchants"), columns)
            known, by_name = self._known_merchants()
        return {
            row.merchant_key: known.get(row.merchant_key) or by_name[canonical(row.merchant)]
            for row in rows
            if row.merchant_key
        }

    def _known_merchants(self) -> tuple[dict[str, int], dict[str, int]]:
        rows = self._cursor.execute(sql.text("known_merchants"), self._person).fetchall()
        return {row.key: row.merchant_id for row in rows}, {canonical(row.name): row.merchant_id for row in rows[::-1]}

    def _categories(self, rows: Sequence[BankTransaction]) -> dict[str, int]:
        columns = {"detailed_name": sorted({row.category.detailed for row in rows})}
        known = self._cursor.execute(sql.text("known_categories"), columns)
        return {row.detailed_name: row.category_id for row in known}

    def _remove(self, ids: list[str], own: dict[str, OwnAccount]) -> int:
        accounts = [account.account_id for account in own.values()]
        return self._saved("remove_transactions", {"account_ids": accounts, "external_ids": ids})

    def _save_liabilities(self, rows: Sequence[BankLiability], own: dict[str, OwnAccount]) -> int:
        accounts = [own[row.account].account_id for row in rows]
        return self._saved("save_liabilities", {"account_id": accounts, **_columns(rows, LIABILITY_COLUMNS)})

    def _saved(self, name: str, columns: dict[str, list[Any]]) -> int:
        arrays = {column: _array(values) for column, values in columns.items()}
        row = only(self._cursor.execute(sql.text(name), {**self._person, **arrays}))
        return int(row.saved)


def _array(values: list[Any]) -> str:
    """A column as PostgreSQL writes an array, many times as fast as psycopg does it.

    JSON's elements are an array's, unless a text has control characters, and no text of a bank's row has.
    """
    return f"{{{msgspec.json.encode(values).decode()[1:-1]}}}"


def _columns(rows: Sequence[Any], names: Iterable[str]) -> dict[str, list[Any]]:
    return {name: [getattr(row, name) for row in rows] for name in names}


def _chunks(rows: Sequence[R]) -> Iterator[Sequence[R]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
