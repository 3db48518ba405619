"""A bank's rows in Plaid's shapes: accounts, transactions, liabilities. Amounts are integer hundredths ("cents").

Shapes: https://plaid.com/docs/api/accounts/, /products/transactions/, /products/liabilities/. What is wrong with a row
is told for each of its fields; a row with a problem is left out, and the others are taken.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from chalicelib.spendsense import fields
from chalicelib.spendsense.models import RejectedField
from chalicelib.spendsense.taxonomy import Category, packaged_taxonomy

ACCOUNT_TYPES = ("depository", "credit", "loan", "investment", "other")
CHANNELS = ("online", "in store", "other")
HOLDERS = ("business", "personal", "unrecognized")
LIABILITIES = ("credit", "mortgage", "student")

BankRow = Mapping[str, Any]

MERCHANT_KEY_LENGTH = 200

_STORE = re.compile(
    r"""\s* (?:
        [#*] \s* [\w-]* \d [\w-]*               # "#1234", "*2T4RT6"
      | \b (?:store|shop|unit|no|nr|loc|ste) [.:]? \s* \#? \d+   # "store 12"
      | \b [a-z]? \d{3,} [\d-]*                 # a bare number of three digits or more
    ) (?= \s | $ )""",
    re.VERBOSE,
)
_NOISE = re.compile(r"[^\w&+.' -]+")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class BankAccount:
    """One account; `current_cents` is what is in it, or for a card what is owed."""

    line: int
    external_id: str
    name: str
    mask: str
    type: str
    subtype: str
    available_cents: int | None
    current_cents: int | None
    limit_cents: int | None
    currency: str
    holder_category: str | None


@dataclass(frozen=True)
class BankTransaction:
    """One row of a statement; a positive amount is money out."""

    line: int
    external_id: str
    account: str
    posted_on: date
    amount_cents: int
    currency: str | None
    name: str
    merchant: str
    merchant_key: str
    category: Category
    channel: str
    pending: bool
    replaces: str | None


@dataclass(frozen=True)
class BankLiability:
    """What is owed on one account, and when it was last paid."""

    line: int
    account: str
    kind: Literal["credit", "mortgage", "student"]
    apr_percent: Decimal | None
    interest_rate_percent: Decimal | None
    minimum_payment_cents: int | None
    last_payment_cents: int | None
    last_payment_on: date | None
    last_statement_cents: int | None
    last_statement_on: date | None
    next_payment_due_on: date | None
    is_overdue: bool | None


@dataclass(frozen=True)
class BankStatement:
    """What a file says, row by row; the last of several rows with one id counts."""

    accounts: tuple[BankAccount, ...] = ()
    transactions: tuple[BankTransaction, ...] = ()
    liabilities: tuple[BankLiability, ...] = ()
    removed: tuple[str, ...] = ()
    rejections: tuple[RejectedField, ...] = ()


class RowReading:
    """Takes fields out of one row and gathers what is wrong with them."""

    def __init__(self, row: BankRow, section: str, line: int) -> None:
        self._row = row
        self._section = section
        self.line = line
        self.rejections: list[RejectedField] = []

    def take(self, read: Callable[[Any], Any], *path: str) -> Any:
        """The field at `path` (nested in JSON, dotted in CSV); None if it is wrong, which is noted."""
        value: Any = self._row
        if ".".join(path) in self._row:
            value = self._row[".".join(path)]
        else:
            for name in path:
                value = value.get(name) if isinstance(value, Mapping) else None
        try:
            return read(value)
        except ValueError as error:
            self.reject(".".join(path), _shown(value), str(error))
            return None

    def reject(self, field: str, problem: str, expected: str) -> None:
        """Note a problem of the row."""
        self.rejections.append(
            RejectedField(section=self._section, line=self.line, field=field, problem=problem, expected=expected)
        )


def read_account(row: RowReading) -> BankAccount:
    """An account of Plaid's /accounts/get."""
    return BankAccount(
        line=row.line,
        external_id=row.take(fields.identifier, "account_id"),
        name=row.take(fields.printable, "name"),
        mask=row.take(lambda value: fields.printable(value, 10), "mask"),
        type=row.take(fields.choice_of(*ACCOUNT_TYPES), "type"),
        subtype=(row.take(lambda value: fields.printable(value, 50), "subtype") or "").lower(),
        available_cents=row.take(fields.nullable(fields.cents), "balances", "available"),
        current_cents=row.take(fields.nullable(fields.cents), "balances", "current"),
        limit_cents=row.take(fields.nullable(fields.cents), "balances", "limit"),
        currency=row.take(fields.currency, "balances", "iso_currency_code"),
        holder_category=row.take(fields.nullable(fields.choice_of(*HOLDERS)), "holder_category"),
    )


def read_transaction(row: RowReading, today: date) -> BankTransaction:
    """A transaction of Plaid's /transactions/sync or /transactions/get."""
    name = row.take(fields.printable, "name") or ""
    merchant = row.take(fields.printable, "merchant_name") or row.take(fields.printable, "merchant_entity_id") or name
    cents = row.take(fields.cents, "amount")
    primary = row.take(_category, "personal_finance_category", "primary")
    detailed = row.take(_category, "personal_finance_category", "detailed")
    category, _ = packaged_taxonomy().categorise(primary or "", detailed or "", name, cents or 0)
    return BankTransaction(
        line=row.line,
        external_id=row.take(fields.identifier, "transaction_id"),
        account=row.take(fields.identifier, "account_id"),
        posted_on=row.take(fields.posting_day(today), "date"),
        amount_cents=cents,
        currency=row.take(fields.nullable(fields.currency), "iso_currency_code"),
        name=name,
        merchant=merchant,
        merchant_key=canonical(merchant),
        category=category,
        channel=row.take(fields.choice_of(*CHANNELS), "payment_channel"),
        pending=row.take(fields.flag, "pending"),
        replaces=row.take(fields.nullable(fields.identifier), "pending_transaction_id"),
    )


def read_liability(row: RowReading, kind: Any = None) -> BankLiability:
    """A liability of Plaid's /liabilities/get; in CSV its `kind` is a column."""
    return BankLiability(
        line=row.line,
        account=row.take(fields.identifier, "account_id"),
        kind=kind or row.take(fields.choice_of(*LIABILITIES), "kind"),
        apr_percent=row.take(_purchase_apr, "aprs"),
        interest_rate_percent=row.take(_rate, "interest_rate"),
        minimum_payment_cents=row.take(fields.nullable(fields.cents), "minimum_payment_amount"),
        last_payment_cents=row.take(fields.nullable(fields.cents), "last_payment_amount"),
        last_payment_on=row.take(fields.nullable(fields.day), "last_payment_date"),
        last_statement_cents=row.take(fields.nullable(fields.cents), "last_statement_balance"),
        last_statement_on=row.take(fields.nullable(fields.day), "last_statement_issue_date"),
        next_payment_due_on=row.take(fields.nullable(fields.day), "next_payment_due_date"),
        is_overdue=row.take(fields.nullable(fields.flag), "is_overdue"),
    )


def _category(value: Any) -> str:
    found = fields.printable(value, 100)
    if found and not all(part.isalnum() for part in found.split("_")):
        raise ValueError("a category such as FOOD_AND_DRINK")
    return found


def _purchase_apr(value: Any) -> Decimal | None:
    """The purchase APR of Plaid's list of APRs, or the one of a CSV column."""
    if isinstance(value, list):
        found = [apr for apr in value if isinstance(apr, Mapping) and apr.get("apr_type") == "purchase_apr"]
        return fields.percent(found[0].get("apr_percentage")) if found else None
    return fields.percent(value) if value not in (None, "") else None


def _rate(value: Any) -> Decimal | None:
    """A mortgage's `{"percentage": 5.1, "type": "fixed"}`, or a student loan's bare number."""
    if isinstance(value, Mapping):
        value = value.get("percentage")
    return fields.percent(value) if value not in (None, "") else None


def _shown(value: Any) -> str:
    return "is missing" if value is None else f"is {str(value)[:60]!r}"


def canonical(name: str) -> str:
    """The key that a merchant is grouped by: lower case, without store numbers and stray punctuation.

    "STARBUCKS #1234" and "Starbucks 00412" become "starbucks"; "7-Eleven" and "Studio 54" keep their numbers. A name
    of nothing but numbers stays as it is.
    """
    folded = _SPACES.sub(" ", unicodedata.normalize("NFKC", name).casefold()).strip()
    bare = _SPACES.sub(" ", _NOISE.sub(" ", _STORE.sub(" ", folded))).strip(" -.'&+")
    return (bare or folded)[:MERCHANT_KEY_LENGTH]
