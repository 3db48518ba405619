"""Convert a bank's files to rows: a JSON document of Plaid's, or a CSV file of accounts, transactions or liabilities.

Nothing is silently misread: unknown sections, and known but unused ones, are named, and a file of which nothing is
understood is refused.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec

from chalicelib.errors import InvalidInput, TooLarge, Unprocessable
from chalicelib.spendsense import fields
from chalicelib.spendsense.bank import (
    LIABILITIES,
    BankAccount,
    BankStatement,
    RowReading,
    read_account,
    read_liability,
    read_transaction,
)
from chalicelib.spendsense.models import ImportQuery, Readings, RejectedField
from chalicelib.spendsense.tables import MAX_FILE_ROWS, rows_of_table

SECTIONS = ("accounts", "transactions", "liabilities", "removed")
ROWS = ("accounts", "transactions", "added", "modified", "removed", "liabilities", "override_accounts")
ABOUT = {
    "item", "request_id", "total_transactions", "next_cursor", "has_more", "transactions_update_status", "error",
    "is_investments_fallback_item", "seed", "override_identity", "version", "updated_datetime",
}  # fmt: skip
UNUSED_SECTIONS = {
    "inflow_streams": "recurring streams are worked out from the transactions",
    "outflow_streams": "recurring streams are worked out from the transactions",
    "holdings": "investments are not looked at",
    "securities": "investments are not looked at",
    "investment_transactions": "investments are not looked at",
}
NEW_ACCOUNTS = {
    "checking": ("depository", "checking"),
    "savings": ("depository", "savings"),
    "credit card": ("credit", "credit card"),
}

_decoder = msgspec.json.Decoder(float_hook=Decimal)


def from_json(raw: bytes, today: date, query: ImportQuery | None = None) -> BankStatement:
    """The rows of any of Plaid's answers, or of a sandbox's custom user."""
    try:
        document = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput.of("body", f"is not JSON ({error})", "a JSON object in UTF-8") from None
    readings = Readings(format="Plaid's JSON")
    document = _opened(document, readings)
    gathered = _Gathered(today, query or ImportQuery(), readings)
    for number, custom in enumerate(_list_of(document, "override_accounts"), start=1):
        _override(gathered, number, custom)
    for line, row in enumerate(_list_of(document, "accounts"), start=1):
        gathered.add("accounts", line, row)
    for name in ("transactions", "added", "modified"):
        for line, row in enumerate(_list_of(document, name), start=1):
            gathered.add("transactions", line, row, shown_as=name)
    for line, row in enumerate(_list_of(document, "removed"), start=1):
        gathered.add("removed", line, row)
    owed = {} if document.get("liabilities") is None else document["liabilities"]
    if not isinstance(owed, dict):
        raise InvalidInput.of("liabilities", "is not an object", "lists named credit, mortgage, student")
    readings.unknown += [f"liabilities.{name}" for name in owed if name not in LIABILITIES]
    for kind in LIABILITIES:
        for line, row in enumerate(_list_of(owed, kind), start=1):
            gathered.add("liabilities", line, row, kind=kind, shown_as=f"liabilities.{kind}")
    if document.get("has_more") is True:
        readings.notes.append(f"there is more: the next page of cursor {document.get('next_cursor')!r} is to come")
    return gathered.statement()


def from_csv(raw: bytes, query: ImportQuery, today: date) -> BankStatement:
    """A CSV file of what `query.section` names: Plaid's columns, or those of common exports."""
    rows, readings = rows_of_table(raw, query)
    gathered = _Gathered(today, query, readings)
    for line, row in rows:
        gathered.add(query.section, line, _csv_row(row, query.section))
    return gathered.statement()


def _opened(document: Any, readings: Readings) -> dict[str, Any]:
    """The object whose sections we know: the document, what its envelope holds, or its list as a section."""
    if isinstance(document, list) and document and all(isinstance(row, dict) for row in document):
        section = "accounts" if "balances" in document[0] else "transactions"
        readings.notes.append(f"the list is read as {section}")
        return {section: document}
    if not isinstance(document, dict):
        raise InvalidInput.of("body", "is not an object", "an object with accounts, transactions or liabilities")
    for name, inside in document.items():
        if not any(_section(key) for key in document) and isinstance(inside, dict) and any(map(_section, inside)):
            readings.notes.append(f"read from the envelope {name!r}")
            readings.unknown += [other for other in document if other != name and other not in ABOUT]
            document = inside
            break
    found: dict[str, Any] = {}
    for name, value in document.items():
        known = _section(name)
        if known is None and name in ABOUT:
            found[name] = value
        elif known is None:
            readings.unknown.append(name)
        elif name in UNUSED_SECTIONS:
            readings.notes.append(f"{name} is not used: {UNUSED_SECTIONS[name]}")
        else:
            if name != known:
                readings.notes.append(f"{name!r} is read as {known}")
            if known in found:
                raise Unprocessable.of(name, f"is there twice, as {known!r} too", "each section once")
            found[known] = value
    if not any(name in found for name in ROWS):
        named = ", ".join(map(repr, readings.unknown + readings.notes)) or "nothing"
        raise Unprocessable.of(
            "body", f"has {named}", "accounts, transactions, added, modified, removed or liabilities"
        )
    return found


def _section(name: str) -> str | None:
    """The section of that name, in whatever case."""
    lower = name.lower()
    return lower if lower in ROWS or lower in UNUSED_SECTIONS else None


def _list_of(document: Mapping[str, Any], name: str) -> list[Any]:
    rows = document.get(name)
    if rows is None:
        return []
    if not isinstance(rows, list):
        raise InvalidInput.of(name, "is not a list", "a list of Plaid's objects")
    return rows


def _override(gathered: "_Gathered", number: int, custom: Any) -> None:
    """An account of a sandbox's custom user (`override_accounts`), and its transactions."""
    if not isinstance(custom, dict):
        gathered.add("accounts", number, custom, shown_as="override_accounts")
        return
    meta: dict[str, Any] = custom["meta"] if isinstance(custom.get("meta"), dict) else {}
    account_id = f"override-{number}"
    kind = custom.get("type")
    balances = {
        "current": custom.get("force_available_balance", custom.get("starting_balance")),
        "available": custom.get("force_available_balance"),
        "limit": meta.get("limit"),
        "iso_currency_code": custom.get("currency") or "USD",
    }
    account = {
        "account_id": account_id, "name": meta.get("name"), "mask": meta.get("mask"), "type": kind,
        "subtype": custom.get("subtype"), "balances": balances,
    }  # fmt: skip
    gathered.add("accounts", number, account, shown_as="override_accounts")
    for line, row in enumerate(_list_of(custom, "transactions"), start=1):
        taken = {
            "account_id": account_id, "date": row.get("date_posted") or row.get("date_transacted"),
            "amount": row.get("amount"), "name": row.get("description"), "iso_currency_code": row.get("currency"),
        } if isinstance(row, dict) else row  # fmt: skip
        gathered.add("transactions", line, taken, shown_as=f"override_accounts.{number}.transactions")
    if isinstance(custom.get("liability"), dict) and kind == "credit":
        owed = {**custom["liability"], "account_id": account_id}
        gathered.add("liabilities", number, owed, kind="credit", shown_as="override_accounts.liability")


class _Gathered:
    """Rows by id, as they come."""

    def __init__(self, today: date, query: ImportQuery, readings: Readings) -> None:
        self._found: dict[str, dict[Any, Any]] = {name: {} for name in SECTIONS}
        self._rejections: list[RejectedField] = []
        self._rows = 0
        self._today = today
        self._query = query
        self._readings = readings
        self._alike: Counter[Any] = Counter()
        self._told: Counter[str] = Counter()

    def add(self, section: str, line: int, row: Any, *, kind: str | None = None, shown_as: str = "") -> None:
        self._rows += 1
        if self._rows > MAX_FILE_ROWS:
            raise TooLarge.of("body", f"has more than {MAX_FILE_ROWS} rows", "fewer rows in one file")
        reading = RowReading(row if isinstance(row, dict) else {}, shown_as or section, line)
        if not isinstance(row, dict):
            reading.reject("", "is not an object", "an object of Plaid's fields")
        elif None in row:
            reading.reject("", "has more fields than the header", "as many fields as the header has")
        else:
            key, value = self._read(section, reading, kind)
            if not reading.rejections:
                self._found[section].pop(key, None)
                self._found[section][key] = value
                if reading.told:
                    self._told.update(reading.told)
        self._rejections += reading.rejections

    def _read(self, section: str, row: RowReading, kind: str | None) -> tuple[Any, Any]:
        if section == "accounts":
            account = read_account(row)
            return account.external_id, account
        if section == "transactions":
            transaction = read_transaction(row, self._today, self._query.account_id, self._own_id)
            return (transaction.account, transaction.external_id), transaction
        if section == "liabilities":
            liability = read_liability(row, kind)
            return liability.account, liability
        removed = row.take(fields.identifier, "transaction_id")
        return removed, removed

    def _own_id(self, *what: Any) -> str:
        """An id for a row without one: of what it says, and of how many before it say the same."""
        self._alike[what] += 1
        return "row-" + sha256(repr((what, self._alike[what])).encode()).hexdigest()[:32]

    def statement(self) -> BankStatement:
        found = {name: tuple(rows.values()) for name, rows in self._found.items()}
        self._readings.notes += [f"{what} ({times})" for what, times in sorted(self._told.items())]
        return BankStatement(
            **found,
            rejections=tuple(self._rejections),
            readings=self._readings,
            new_account=_new_account(self._query),
        )


def _new_account(query: ImportQuery) -> BankAccount | None:
    """The account that a file without accounts is for, should the person not have it yet."""
    if query.account_id is None:
        return None
    kind, subtype = NEW_ACCOUNTS[query.account_kind]
    return BankAccount(
        line=0, external_id=query.account_id, name=query.account_id, mask="", type=kind, subtype=subtype,
        available_cents=None, current_cents=None, limit_cents=None, currency="", holder_category=None,
    )  # fmt: skip


def _csv_row(row: dict[Any, Any], section: str) -> dict[Any, Any]:
    """A CSV row by the names of the JSON shape: balances may be written without their prefix."""
    if section == "accounts":
        for name in ("available", "current", "limit", "iso_currency_code"):
            if name in row:
                row.setdefault(f"balances.{name}", row.pop(name))
    return row
