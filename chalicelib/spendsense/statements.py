"""A bank's files to rows: one JSON document, or a CSV file of accounts, transactions or liabilities."""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import msgspec

from chalicelib.errors import InvalidInput, TooLarge, Unprocessable
from chalicelib.spendsense import fields
from chalicelib.spendsense.bank import (
    LIABILITIES,
    BankStatement,
    RowReading,
    read_account,
    read_liability,
    read_transaction,
)
from chalicelib.spendsense.models import RejectedField

MAX_FILE_ROWS = 250_000
SECTIONS = ("accounts", "transactions", "liabilities", "removed")


def from_json(raw: bytes, today: date) -> BankStatement:
    """A document with any of Plaid's `accounts`, `transactions` (or `added`, `modified`), `removed`, `liabilities`."""
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput.of("body", f"is not JSON ({error})", "a JSON object in UTF-8") from None
    if not isinstance(document, dict):
        raise InvalidInput.of("body", "is not an object", "an object with accounts, transactions or liabilities")
    gathered = _Gathered(today)
    for row, line in _rows_of(document, "accounts"):
        gathered.add("accounts", line, row)
    for name in ("transactions", "added", "modified"):
        for row, line in _rows_of(document, name):
            gathered.add("transactions", line, row, shown_as=name)
    for row, line in _rows_of(document, "removed"):
        gathered.add("removed", line, row)
    owed = {} if document.get("liabilities") is None else document["liabilities"]
    if not isinstance(owed, dict):
        raise InvalidInput.of("liabilities", "is not an object", "lists named credit, mortgage, student")
    for kind in LIABILITIES:
        for row, line in _rows_of(owed, kind):
            gathered.add("liabilities", line, row, kind=kind, shown_as=f"liabilities.{kind}")
    return gathered.statement()


def from_csv(raw: bytes, section: str, today: date) -> BankStatement:
    """A CSV file with a header of Plaid's field names, nested ones dotted, e.g. `balances.current`."""
    if section not in SECTIONS[:3]:
        raise InvalidInput.of("section", f"is {section!r}", "accounts, transactions or liabilities")
    try:
        content = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unprocessable.of("body", f"is not UTF-8 at byte {error.start}", "CSV in UTF-8") from None
    reader = csv.DictReader(io.StringIO(content, newline=""), strict=True)
    gathered = _Gathered(today)
    try:
        columns = reader.fieldnames
        if not columns or "account_id" not in columns:
            raise Unprocessable.of("line 1", "has no account_id", "a header of Plaid's field names")
        for row in reader:
            gathered.add(section, reader.line_num, _csv_row(row, section))
    except csv.Error as error:
        raise Unprocessable.of(f"line {reader.line_num}", f"is not CSV ({error})", "CSV as in RFC 4180") from None
    return gathered.statement()


class _Gathered:
    """Rows by id, as they come."""

    def __init__(self, today: date) -> None:
        self._found: dict[str, dict[Any, Any]] = {name: {} for name in SECTIONS}
        self._rejections: list[RejectedField] = []
        self._rows = 0
        self._today = today

    def add(self, section: str, line: int, row: Any, *, kind: str | None = None, shown_as: str = "") -> None:
        self._rows += 1
        if self._rows > MAX_FILE_ROWS:
            raise TooLarge.of("body", f"has more than {MAX_FILE_ROWS} rows", "fewer rows in one file")
        reading = RowReading(row if isinstance(row, Mapping) else {}, shown_as or section, line)
        if not isinstance(row, Mapping):
            reading.reject("", "is not an object", "an object of Plaid's fields")
        elif None in row:
            reading.reject("", "has more fields than the header", "as many fields as the header has")
        else:
            key, value = self._read(section, reading, kind)
            if not reading.rejections:
                self._found[section].pop(key, None)
                self._found[section][key] = value
        self._rejections += reading.rejections

    def _read(self, section: str, row: RowReading, kind: str | None) -> tuple[Any, Any]:
        if section == "accounts":
            account = read_account(row)
            return account.external_id, account
        if section == "transactions":
            transaction = read_transaction(row, self._today)
            return (transaction.account, transaction.external_id), transaction
        if section == "liabilities":
            liability = read_liability(row, kind)
            return liability.account, liability
        removed = row.take(fields.identifier, "transaction_id")
        return removed, removed

    def statement(self) -> BankStatement:
        found = {name: tuple(rows.values()) for name, rows in self._found.items()}
        return BankStatement(**found, rejections=tuple(self._rejections))


def _rows_of(document: Mapping[str, Any], name: str) -> Iterator[tuple[Any, int]]:
    rows = document.get(name)
    if rows is None:
        return
    if not isinstance(rows, list):
        raise InvalidInput.of(name, "is not a list", "a list of Plaid's objects")
    for line, row in enumerate(rows, start=1):
        yield row, line


def _csv_row(row: dict[Any, Any], section: str) -> dict[Any, Any]:
    """A CSV row by the names of the JSON shape: empty is null, balances may be written without their prefix."""
    found = {name: value or None for name, value in row.items()}
    if section == "accounts":
        for name in ("available", "current", "limit", "iso_currency_code"):
            if name in found:
                found.setdefault(f"balances.{name}", found.pop(name))
    return found
