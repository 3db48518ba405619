"""A person's stored data as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from chalicelib.spendsense.models import Transaction

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""The first characters of formulas in spreadsheets, as OWASP lists them; the last are full-width."""


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows with the columns of the first; the empty text for none. Lists and objects are written as JSON."""
    if not rows:
        return ""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), extrasaction="ignore")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def exported_transaction(row: Transaction) -> dict[str, Any]:
    """A transaction under the names of Plaid's fields: the file can be imported again."""
    return {
        "transaction_id": row.transaction_id,
        "account_id": row.account_id,
        "date": row.posted_on.isoformat(),
        "amount": Decimal(row.amount_cents).scaleb(-2),
        "iso_currency_code": row.currency,
        "name": row.name,
        "merchant_name": row.merchant,
        "personal_finance_category.detailed": row.category,
        "payment_channel": row.channel,
        "pending": str(row.pending).lower(),
    }


def _cell(value: Any) -> Any:
    """A value as a cell; a text that a spreadsheet would take for a formula begins with an apostrophe."""
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode()
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
