"""People of known personas: `generate(100, seed=7, today=...)`; person n does not depend on the count.

    python -m local.people --count 100 --seed 7 --out people.json

Each persona's bank is built to match its rule at every window, and no earlier rule; the tests compare this with the
rules' results.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from local.people.ledger import Bank

SHARES = (
    ("high_utilization", 25),
    ("variable_income_budgeter", 15),
    ("subscription_heavy", 20),
    ("savings_builder", 20),
    ("general_wellness", 15),
    ("insufficient_data", 5),
)
COHORTS = ("amber", "birch")
FIRST = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gia", "Hugo", "Ida", "Jon", "Kim", "Leo", "Mia", "Noa", "Omar")
LAST = ("Abbott", "Brook", "Castle", "Dunn", "Ellis", "Frost", "Grant", "Hill", "Irwin", "Jones", "Kerr", "Lane")
SERVICES = ("Netflix", "Spotify", "Cloud Drive", "News Daily", "Fit Club", "Meal Box", "Chess Plus", "Audio Books")


@dataclass(frozen=True)
class Person:
    """A person, the persona that the bank was built for, and the bank's data in Plaid's format.

    Import `documents` in order: the earlier ones contain card payments that the last one no longer contains.
    """

    subject: UUID
    name: str
    cohort: str
    persona: str
    consented: bool
    documents: tuple[dict[str, Any], ...]


def generate(count: int, *, seed: int, today: date) -> list[Person]:
    """The first `count` people of a seed, as of `today`."""
    return [_person(number, seed, today) for number in range(count)]


def _person(number: int, seed: int, today: date) -> Person:
    draw = random.Random(f"{seed}/{number}")
    persona = _persona(number, seed)
    bank = Bank(f"s{seed}p{number}", today, draw)
    BUILDERS[persona](bank)
    return Person(
        subject=uuid5(NAMESPACE_URL, f"https://spendsense.example/{seed}/{number}"),
        name=f"{draw.choice(FIRST)} {draw.choice(LAST)}",
        cohort=_cohort(number, seed),
        persona=persona,
        consented=number % 20 != 19,
        documents=tuple(_documents(bank)),
    )


def _persona(number: int, seed: int) -> str:
    """Exact shares in every hundred people, in an order that depends on the seed."""
    return _hundred(number // 100, seed)[number % 100]


@cache
def _hundred(number: int, seed: int) -> list[str]:
    personas = [persona for persona, share in SHARES for _ in range(share)]
    random.Random(f"{seed}/order {number}").shuffle(personas)
    return personas


def _cohort(number: int, seed: int) -> str:
    """The cohorts alternate within each persona: with fair rules, their shares are equal."""
    persona = _persona(number, seed)
    before = [other for other in range(number - number % 100, number) if _persona(other, seed) == persona]
    return COHORTS[len(before) % len(COHORTS)]


def _documents(bank: Bank) -> list[dict[str, Any]]:
    whole = {
        "accounts": bank.accounts,
        "transactions": bank.transactions,
        "liabilities": {"credit": bank.credit, "mortgage": [], "student": []},
    }
    earlier = [row for row in bank.earlier_credit if row not in bank.credit]
    accounts = {"accounts": bank.accounts}
    return [{**accounts, "liabilities": {"credit": [row]}} for row in earlier] + [whole]


def _regular(bank: Bank, checking: float, income: float = 2100.0) -> str:
    """Checking with pay every two weeks, and rent."""
    account = bank.open("checking", "depository", "checking", checking, available=round(checking - 40, 2))
    bank.pay(account, income, range(bank.draw.randrange(1, 13), 180, 14))
    for day in range(bank.draw.randrange(1, 28), 180, 30):
        bank.add(account, day, 1150.0, "RENT_AND_UTILITIES_RENT", "Landlord LLC", channel="other")
    return account


def _card(bank: Bank, share: float, limit: float = 5000.0) -> str:
    return bank.open("card", "credit", "credit card", limit * share, limit=limit, label="Visa")


def _high_utilization(bank: Bank) -> None:
    checking = _regular(bank, bank.draw.uniform(300, 2500))
    card = _card(bank, bank.draw.uniform(0.52, 0.97))
    bank.live(card, 1.0)
    style = bank.draw.randrange(3)
    payments = [(65, 150.0), (35, 150.0), (6, 150.0)]
    if style == 0:
        payments = [(65, 25.0), (35, 27.0), (6, 25.0)]
    for day in (8, 38, 68):
        bank.add(card, day, bank.draw.uniform(18, 90), "BANK_FEES_INTEREST_CHARGE", channel="other")
    for day, paid in payments:
        bank.add(checking, day, paid, "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT", channel="other")
        bank.add(card, day, -paid, "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT", channel="other")
    bank.owe(card, 25.0, payments, overdue=style == 1)
    bank.subscribe(checking, SERVICES[0], 15.49, 4)


def _variable_income_budgeter(bank: Bank) -> None:
    checking = bank.open("checking", "depository", "checking", bank.draw.uniform(20, 300))
    gap = bank.draw.randrange(47, 58)
    for day in range(bank.draw.randrange(5, 30), 180, gap):
        bank.pay(checking, bank.draw.uniform(2500, 5500), [day], "INCOME_GIG_ECONOMY")
    bank.live(checking, 1.0)
    bank.subscribe(checking, SERVICES[1], 10.99, 9)


def _subscription_heavy(bank: Bank) -> None:
    checking = _regular(bank, bank.draw.uniform(1500, 4000))
    bank.live(checking, 0.8)
    for number, service in enumerate(SERVICES[: bank.draw.randrange(4, 8)]):
        bank.subscribe(checking, service, 14.0 + 3 * number, 2 + 3 * number)
    bank.subscribe(checking, "Yoga House", 12.0, 3, every=7)


def _savings_builder(bank: Bank) -> None:
    checking = _regular(bank, bank.draw.uniform(2500, 6000), 2600.0)
    saved = bank.draw.choice((250.0, 400.0, 650.0))
    savings = bank.open("savings", "depository", "savings", bank.draw.uniform(3000, 16000), label="Savings")
    for day in range(bank.draw.randrange(3, 25), 180, 30):
        bank.add(checking, day, saved, "TRANSFER_OUT_SAVINGS", channel="other")
        bank.add(savings, day, -saved, "TRANSFER_IN_SAVINGS", channel="other")
    card = _card(bank, bank.draw.uniform(0.02, 0.25))
    bank.live(card, 0.8)
    bank.owe(card, 30.0, [(12, 600.0)], overdue=False)


def _general_wellness(bank: Bank) -> None:
    checking = _regular(bank, bank.draw.uniform(2500, 8000), 2300.0)
    bank.live(checking, 1.0)
    card = _card(bank, bank.draw.uniform(0.31, 0.45), limit=2000.0)
    bank.owe(card, 25.0, [(9, 400.0)], overdue=False)
    bank.subscribe(checking, SERVICES[2], 9.99, 6)
    business = bank.open("business", "credit", "credit card", 900.0, limit=1000.0, holder="business", label="Business")
    bank.add(business, 4, 350.0, "GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE", "Office Depot")
    abroad = bank.open("euro", "depository", "checking", 640.0, currency="EUR", label="Euro account")
    bank.add(abroad, 11, 80.0, "FOOD_AND_DRINK_GROCERIES", "Marché Bleu", currency="EUR")


def _insufficient_data(bank: Bank) -> None:
    checking = bank.open("checking", "depository", "checking", 900.0)
    for day in (1, 4, 6):
        bank.add(checking, day, bank.draw.uniform(5, 60), "FOOD_AND_DRINK_GROCERIES", "Fresh Field")


BUILDERS: dict[str, Callable[[Bank], None]] = {
    "high_utilization": _high_utilization,
    "variable_income_budgeter": _variable_income_budgeter,
    "subscription_heavy": _subscription_heavy,
    "savings_builder": _savings_builder,
    "general_wellness": _general_wellness,
    "insufficient_data": _insufficient_data,
}


def intended(people: Sequence[Person]) -> dict[str, int]:
    """Number of people by persona."""
    counts = {persona: 0 for persona, _ in SHARES}
    for person in people:
        counts[person.persona] += 1
    return counts
