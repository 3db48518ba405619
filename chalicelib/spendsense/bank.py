"""A bank's rows in Plaid's shapes: accounts, transactions, liabilities. Amounts are integer hundredths ("cents").

Shapes: https://plaid.com/docs/api/accounts/, /products/transactions/, /products/liabilities/. Each wrong
field of a row is reported; a row with a problem is rejected, and the others are imported.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from chalicelib.spendsense import fields
from chalicelib.spendsense.models import Readings, RejectedField
from chalicelib.spendsense.taxonomy import Category, packaged_taxonomy

ACCOUNT_TYPES = ("depository", "credit", "loan", "investment", "other")
NO_CURRENCY = "XXX"
"""ISO 4217's code for none."""
LONGEST_NAME = 200
CHANNELS = ("online", "in store", "other")
HOLDERS = ("business", "personal", "unrecognized")
LIABILITIES = ("credit", "mortgage", "student")

BankRow = Mapping[str, Any]

MERCHANT_KEY_LENGTH = 200

_STORE = re.compile(
    r"""\s* (?:
        [#*] \s* [\w-]* \d [\w-]*               # "#1234", "*2T4RT6"
      | \b (?:store|shop|unit|no|nr|loc|ste) [.:]? \s* \#? \d+   # "store 12"
      | \b [a-z]? (?: 0\d{2,} | \d{4,} ) [\d-]*   # a bare number of four digits or more: "Microsoft 365" is a name
    ) (?= \s | $ )""",
    re.VERBOSE,
)
_NOISE = re.compile(r"[^\w&+.' -]+")
_SPACES = re.compile(r"\s+")


class BankAccount(Struct, frozen=True, gc=False):
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


class BankTransaction(Struct, frozen=True, gc=False):
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


class BankLiability(Struct, frozen=True, gc=False):
    """The debt on one account, and its last payment."""

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
    """The content of a file, row by row; the last of several rows with one id counts."""

    accounts: tuple[BankAccount, ...] = ()
    transactions: tuple[BankTransaction, ...] = ()
    liabilities: tuple[BankLiability, ...] = ()
    removed: tuple[str, ...] = ()
    rejections: tuple[RejectedField, ...] = ()
    readings: Readings = field(default_factory=lambda: Readings(format="rows"))
    new_account: BankAccount | None = None


class RowReading:
    """Reads the fields of one row and collects their problems."""

    __slots__ = ("_row", "_section", "line", "rejections", "told")

    def __init__(self, row: BankRow, section: str, line: int) -> None:
        self._row = row
        self._section = section
        self.line = line
        self.rejections: list[RejectedField] = []
        self.told: list[str] = []

    def has(self, name: str) -> bool:
        """Whether the row has a value of that name."""
        return self._row.get(name) not in (None, "")

    def take(self, read: Callable[[Any], Any], field: str) -> Any:
        """The field of that name, dotted where JSON nests; None if it is wrong, which is recorded."""
        value = self._row.get(field)
        if value is None and "." in field:
            outer, _, inner = field.partition(".")
            value = found.get(inner) if isinstance(found := self._row.get(outer), dict) else None
        try:
            return read(value)
        except ValueError as error:
            self.reject(field, _shown(value), str(error))
            return None

    def text(self, name: str) -> str:
        """A text on one line, cut at 200 characters; changes are reported. "" if the field is wrong."""
        text, told = self.take(_one_line, name) or ("", ())
        self.told += told
        return text

    def reject(self, field: str, problem: str, expected: str) -> None:
        """Record a problem of the row."""
        self.rejections.append(
            RejectedField(section=self._section, line=self.line, field=field, problem=problem, expected=expected)
        )


def read_account(row: RowReading) -> BankAccount:
    """An account of Plaid's /accounts/get."""
    return BankAccount(
        line=row.line,
        external_id=row.take(fields.identifier, "account_id"),
        name=row.text("name"),
        mask=row.take(lambda value: fields.printable(value, 10), "mask"),
        type=row.take(fields.choice_of(*ACCOUNT_TYPES), "type"),
        subtype=(row.take(lambda value: fields.printable(value, 50), "subtype") or "").lower(),
        available_cents=row.take(fields.nullable(fields.cents), "balances.available"),
        current_cents=row.take(fields.nullable(fields.cents), "balances.current"),
        limit_cents=row.take(fields.nullable(fields.cents), "balances.limit"),
        currency=_currency_of(row, "balances.") or row.take(fields.currency, "balances.iso_currency_code"),
        holder_category=row.take(fields.nullable(fields.choice_of(*HOLDERS)), "holder_category"),
    )


def read_transaction(
    row: RowReading, today: date, account: str | None = None, own_id: Callable[..., str] | None = None
) -> BankTransaction:
    """A transaction of Plaid's /transactions/sync or /transactions/get, or of an export under the same names.

    `account` is for rows that name none; `own_id` makes an id for rows without one.
    """
    memo = row.text("original_description")
    name = row.text("name") or memo
    cents = row.take(fields.cents, "amount")
    posted_on = row.take(fields.posting_day(today), "date")
    merchant, key = _merchant(row, name)
    primary = row.take(_category, "personal_finance_category.primary") or ""
    detailed = row.take(_category, "personal_finance_category.detailed") or row.take(_label, "category") or ""
    sign = (cents or 0) > 0 or -((cents or 0) < 0)
    category, understood = _categorised(primary, detailed, f"{name} {merchant}", sign)
    if memo and category.primary == "OTHER":  # a bank that has a column for the payer says what for in another
        category, understood = _categorised(primary, detailed, f"{name} {merchant} {memo}", sign)
    if not understood:
        row.told.append(f"category {detailed or primary!r} is not known")
    account_id = row.take(fields.identifier, "account_id") if row.has("account_id") or not account else account
    if row.has("transaction_id") or own_id is None:
        external_id = row.take(fields.identifier, "transaction_id")
    else:
        external_id = own_id(account_id, posted_on, cents, name)
    return BankTransaction(
        line=row.line,
        external_id=external_id,
        account=account_id,
        posted_on=posted_on,
        amount_cents=cents,
        currency=_currency_of(row),
        name=name,
        merchant=merchant,
        merchant_key=key,
        category=category,
        channel=row.take(fields.choice_of(*CHANNELS), "payment_channel") if row.has("payment_channel") else "other",
        pending=row.take(fields.flag, "pending") if row.has("pending") else False,
        replaces=row.take(fields.nullable(fields.identifier), "pending_transaction_id"),
    )


@fields.remembered
def _categorised(primary: str, detailed: str, texts: str, sign: int) -> tuple[Category, bool]:
    return packaged_taxonomy().categorise(primary, detailed, texts, sign)


def _merchant(row: RowReading, name: str) -> tuple[str, str]:
    """A row's counterparty, and its grouping key: entity, merchant, counterparty, name, in this order."""
    entity = row.take(fields.printable, "merchant_entity_id")
    called = row.text("merchant_name") or row.take(_counterparty, "counterparties") or name
    return called or entity or "", f"entity {entity}".lower() if entity else canonical(called)


def _counterparty(value: Any) -> str:
    """The name of the first counterparty that has one."""
    named = [one.get("name") for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
    return next((fields.printable(name) for name in named if isinstance(name, str) and name), "")


def _one_line(value: Any) -> tuple[str, tuple[str, ...]]:
    """A text on one line, cut at 200 characters, and the changes to report."""
    return _tidied(value) if isinstance(value, str) else (fields.printable(value), ())


@fields.remembered
def _tidied(text: str) -> tuple[str, tuple[str, ...]]:
    line = _SPACES.sub(" ", text).strip()
    told = ("a name was put on one line",) if line != text.strip() else ()
    if len(line) > LONGEST_NAME:
        told = (*told, f"a name was cut at {LONGEST_NAME} characters")
    return fields.printable(line[:LONGEST_NAME]), told


def _currency_of(row: RowReading, prefix: str = "") -> str | None:
    """The currency of a row or an account; NO_CURRENCY for one that is not known, which is foreign to everybody."""
    code: str | None = row.take(fields.nullable(fields.currency), f"{prefix}iso_currency_code")
    other = row.take(fields.nullable(fields.printable), f"{prefix}unofficial_currency_code")
    if code is None and other:
        row.told.append(f"currency {other!r} is not known, and counted as foreign")
        return NO_CURRENCY
    return code


def read_liability(row: RowReading, kind: Any = None) -> BankLiability:
    """A liability of Plaid's /liabilities/get; in CSV its `kind` is a column."""
    rate = "interest_rate_percentage" if row.has("interest_rate_percentage") else "interest_rate"
    return BankLiability(
        line=row.line,
        account=row.take(fields.identifier, "account_id"),
        kind=kind or row.take(fields.choice_of(*LIABILITIES), "kind"),
        apr_percent=row.take(_purchase_apr, "aprs"),
        interest_rate_percent=row.take(_rate, rate),
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


def _label(value: Any) -> str:
    """A category as exports write it: a text, or Plaid's former list, of which the last says most."""
    if isinstance(value, list):
        value = next((part for part in reversed(value) if isinstance(part, str)), None)
    return fields.printable(value, 100)


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


@fields.remembered
def canonical(name: str) -> str:
    """The key that a merchant is grouped by: lower case, without store numbers and stray punctuation.

    "STARBUCKS #1234" and "Starbucks 00412" become "starbucks"; "7-Eleven" and "Studio 54" keep their numbers. A name
    of nothing but numbers stays as it is.
    """
    folded = _SPACES.sub(" ", unicodedata.normalize("NFKC", name).casefold()).strip()
    bare = _SPACES.sub(" ", _NOISE.sub(" ", _STORE.sub(" ", folded))).strip(" -.'&+")
    return (bare or folded)[:MERCHANT_KEY_LENGTH]
