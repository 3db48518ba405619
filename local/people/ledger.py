"""One made-up person's bank: accounts, and half a year of rows in Plaid's format."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

GROCERS = ("Fresh Field", "Corner Market", "Green Basket")
CAFES = ("STARBUCKS #{0}", "Starbucks {0}", "Blue Cup")
SHOPS = ("Bookhouse", "Garden & Home", "Shoe Barn", "Toy Attic", "Hardware Hill", "Cinema Nine", "City Pharmacy")

Row = dict[str, Any]


@dataclass
class Bank:
    """Collects a person's rows; purchases are charged to `spending_account`."""

    key: str
    today: date
    draw: random.Random
    accounts: list[Row] = field(default_factory=list)
    transactions: list[Row] = field(default_factory=list)
    credit: list[Row] = field(default_factory=list)
    earlier_credit: list[Row] = field(default_factory=list)

    def open(self, name: str, kind: str, subtype: str, current: float, **values: Any) -> str:
        """An account; returns its id."""
        account_id = f"{self.key}-{name}"
        balances = {
            "available": values.pop("available", None),
            "current": round(current, 2),
            "limit": values.pop("limit", None),
            "iso_currency_code": values.pop("currency", "USD"),
        }
        self.accounts.append(
            {
                "account_id": account_id,
                "name": values.pop("label", subtype.title()),
                "mask": f"{self.draw.randrange(10_000):04d}",
                "type": kind,
                "subtype": subtype,
                "balances": balances,
                "holder_category": values.pop("holder", "personal"),
            }
        )
        return account_id

    def add(self, account: str, days: int, amount: float, category: str, merchant: str = "", **values: Any) -> None:
        """A row `days` ago; positive is money out."""
        primary = values.pop("primary", None) or _primary(category)
        self.transactions.append(
            {
                "transaction_id": f"{self.key}-t{len(self.transactions)}",
                "account_id": account,
                "date": (self.today - timedelta(days=days)).isoformat(),
                "amount": round(amount, 2),
                "iso_currency_code": values.pop("currency", "USD"),
                "merchant_name": merchant or None,
                "name": merchant or category.replace("_", " ").title(),
                "payment_channel": values.pop("channel", self.draw.choice(("online", "in store", "other"))),
                "personal_finance_category": {"primary": primary, "detailed": category},
                "pending": values.pop("pending", False),
            }
        )

    def pay(self, account: str, amount: float, days: Iterable[int], category: str = "INCOME_WAGES") -> None:
        """Incoming pay."""
        for day in days:
            self.add(account, day, -amount, category, "Employer Inc", channel="other")

    def subscribe(self, account: str, merchant: str, amount: float, first: int, every: int = 30) -> None:
        """A merchant's charges of the last 180 days."""
        for day in range(first, 180, every):
            self.add(account, day, amount, "ENTERTAINMENT_TV_AND_MOVIES", merchant, channel="online")

    def live(self, account: str, scale: float) -> None:
        """Half a year of ordinary purchases, varied enough to form no subscription."""
        for day in range(180):
            if self.draw.random() < 0.30:
                self.add(account, day, self.draw.uniform(12, 95) * scale, "FOOD_AND_DRINK_GROCERIES", GROCERS[day % 3])
            if self.draw.random() < 0.35:
                cafe = CAFES[day % 3].format(self.draw.randrange(100, 9999))
                self.add(account, day, self.draw.uniform(3, 9), "FOOD_AND_DRINK_COFFEE", cafe, channel="in store")
            if self.draw.random() < 0.10:
                amount = self.draw.uniform(8, 180) * scale
                self.add(account, day, amount, "GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE", self.draw.choice(SHOPS))
        self.add(account, 0, 18.0 * scale, "FOOD_AND_DRINK_GROCERIES", GROCERS[0], pending=True)
        self.add(account, self.draw.randrange(3, 25), -24.0, "GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE", SHOPS[0])

    def owe(self, account: str, minimum: float, payments: Iterable[tuple[int, float]], *, overdue: bool) -> None:
        """A card's debt, with its payments as (days ago, amount), the latest last."""
        for days, paid in payments:
            row = {
                "account_id": account,
                "aprs": [{"apr_type": "purchase_apr", "apr_percentage": 21.99}],
                "minimum_payment_amount": round(minimum, 2),
                "last_payment_amount": round(paid, 2),
                "last_payment_date": (self.today - timedelta(days=days)).isoformat(),
                "last_statement_balance": round(max(20 * minimum, 2 * paid), 2),
                "last_statement_issue_date": (self.today - timedelta(days=days + 20)).isoformat(),
                "next_payment_due_date": (self.today + timedelta(days=12)).isoformat(),
                "is_overdue": overdue,
            }
            self.credit = [known for known in self.credit if known["account_id"] != account]
            self.credit.append(row)
            self.earlier_credit.append(row)


def _primary(detailed: str) -> str:
    known = (
        "INCOME", "TRANSFER_IN", "TRANSFER_OUT", "LOAN_PAYMENTS", "BANK_FEES", "FOOD_AND_DRINK", "ENTERTAINMENT",
        "RENT_AND_UTILITIES", "GENERAL_MERCHANDISE",
    )  # fmt: skip
    return next(name for name in known if detailed.startswith(name))
