"""Golden people: which persona, at and around every boundary, and which of several first."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from chalicelib.adapters.postgres import Postgres
from chalicelib.spendsense.bank import BankTransaction
from tests.contract.spendsense_database import Target, fresh_database
from tests.contract.spendsense_people import (
    World,
    account,
    charges,
    liability,
    minimum_paid,
    pay,
    transaction,
)
from tests.contract.spendsense_people import (
    seasoned as rows,
)
from tests.patience import PATIENCE_MS


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with fresh_database() as url, closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as database:
        yield World(database)


def groceries(count: int = 12, amount: float = 30.0) -> list[BankTransaction]:
    """Ordinary rows that make no pattern."""
    return [transaction(2 * number, amount + number * 7) for number in range(count)]


def card(owed: float, limit: float | None = 1000.0) -> object:
    return account("credit card", owed, limit=limit)


def persona(world: World, name: str, *parts: object, window: int = 30) -> tuple[str, list[str]]:
    person = world.add(name, rows(*parts))  # type: ignore[arg-type]
    world.run()
    assigned = world.persona(person, window)
    return assigned.persona, assigned.matched


# -- 1, high utilization


@pytest.mark.parametrize(("owed", "expected"), [(499.99, "general_wellness"), (500.00, "high_utilization")])
def test_a_card_at_exactly_half_its_limit(world: World, owed: float, expected: str) -> None:
    assert persona(world, f"half {owed}", [account(), card(owed)], groceries())[0] == expected


def test_one_card_is_enough(world: World) -> None:
    cards = [account("credit card", 10, limit=5000.0, external_id="a"), account("credit card", 900, limit=1000.0)]
    assert persona(world, "one of two", [account(), *cards], groceries())[0] == "high_utilization"


def test_interest_of_five_dollars(world: World) -> None:
    for cents, expected in ((499, "general_wellness"), (500, "high_utilization")):
        interest = transaction(3, cents / 100, "BANK_FEES_INTEREST_CHARGE", account="credit card")
        assert persona(world, f"interest {cents}", [account(), card(1)], [*groceries(), interest])[0] == expected


def test_interest_of_another_window_does_not_count(world: World) -> None:
    rows_of = [*groceries(), transaction(31, 5.00, "BANK_FEES_INTEREST_CHARGE", account="credit card")]
    assert persona(world, "old interest", [account(), card(1)], rows_of)[0] == "general_wellness"
    assert world.persona(world.add("old interest", rows()), 90).persona == "high_utilization"


def test_overdue(world: World) -> None:
    parts = ([account(), card(1)], groceries(), [liability(is_overdue=True)])
    assert persona(world, "overdue", *parts)[0] == "high_utilization"


def test_minimum_payments_only(world: World) -> None:
    name = "minimum"
    world.add(name, rows([account(), card(1)], groceries()))
    for days in (5, 35):
        paid = minimum_paid(days)
        world.add(name, rows(liabilities=[paid]))
    assert persona(world, name)[0] == "high_utilization"


# -- 2, variable income


@pytest.mark.parametrize(
    ("gap", "checking", "expected"),
    [
        (45, 100.00, "general_wellness"),
        (46, 100.00, "variable_income_budgeter"),
        (46, 822.00, "general_wellness"),  # spends 12 * 30 + 7 * 66 = 822 in a month: a buffer of exactly one
        (46, 821.99, "variable_income_budgeter"),
    ],
)
def test_a_gap_over_45_days_and_a_buffer_under_a_month(world: World, gap: int, checking: float, expected: str) -> None:
    rows_of = [*groceries(), *pay(2000, 10, 10 + gap, 10 + 2 * gap)]
    assert persona(world, f"gap {gap} with {checking}", [account("checking", checking)], rows_of)[0] == expected


def test_a_window_of_30_days_still_sees_a_gap_of_50(world: World) -> None:
    parts = ([account("checking", 1.0)], [*groceries(), *pay(2000, 40, 90, 140)])
    for window in (30, 90, 180):
        assert persona(world, "long gaps", *parts, window=window)[0] == "variable_income_budgeter"


# -- 3, subscription-heavy


def three(amount: float) -> list[BankTransaction]:
    return [row for name in ("Netflix", "Gym", "Cloud") for row in charges(name, amount, 5, 35, 65)]


@pytest.mark.parametrize(
    ("amount", "other", "expected"),
    [
        (16.67, 5000.00, "subscription_heavy"),  # 3 * 16.67 = 50.01
        (16.66, 5000.00, "general_wellness"),  # 49.98, and 1 % of spending
        (1.00, 27.00, "subscription_heavy"),  # 3 of 30 a month: exactly 10 %
        (1.00, 27.01, "general_wellness"),
    ],
)
def test_three_merchants_and_50_dollars_or_a_tenth(world: World, amount: float, other: float, expected: str) -> None:
    spent = [transaction(day, other / 10) for day in range(1, 10)]
    spent.append(transaction(10, round(other - 9 * round(other / 10, 2), 2)))
    assert persona(world, f"three {amount} {other}", [account()], [*three(amount), *spent])[0] == expected


def test_exactly_50_dollars(world: World) -> None:
    spent = [*charges("A", 20.00, 5, 35, 65), *charges("B", 20.00, 6, 36, 66), *charges("C", 10.00, 7, 37, 67)]
    assert persona(world, "fifty", [account()], [*spent, transaction(1, 5000.00)])[0] == "subscription_heavy"


def test_two_merchants_are_too_few(world: World) -> None:
    two = [*charges("A", 90.00, 5, 35, 65), *charges("B", 90.00, 6, 36, 66)]
    assert persona(world, "two", [account()], [*two, *groceries()])[0] == "general_wellness"


# -- 4, savings builder


def saved(amount: float, days: int = 4) -> BankTransaction:
    return transaction(days, -amount, "TRANSFER_IN_SAVINGS", account="savings")


@pytest.mark.parametrize(
    ("balance", "inflow", "expected"),
    [
        (5100.00, 100.00, "savings_builder"),  # 100 over 5000: exactly 2 %
        (5099.99, 99.99, "general_wellness"),
        (50_000.00, 200.00, "savings_builder"),
        (50_000.00, 199.99, "general_wellness"),
    ],
)
def test_growth_of_2_percent_or_200_dollars_a_month(world: World, balance: float, inflow: float, expected: str) -> None:
    accounts = [account(), account("savings", balance)]
    assert persona(world, f"saves {inflow}", accounts, [*groceries(), saved(inflow)])[0] == expected


@pytest.mark.parametrize(("owed", "expected"), [(299.99, "savings_builder"), (300.00, "general_wellness")])
def test_a_builder_keeps_every_card_below_30_percent(world: World, owed: float, expected: str) -> None:
    accounts = [account(), account("savings", 1000.00), card(owed)]
    assert persona(world, f"builder at {owed}", accounts, [*groceries(), saved(500)])[0] == expected


def test_saving_from_nothing_counts_by_its_amount(world: World) -> None:
    accounts = [account(), account("savings", 200.00)]
    assert persona(world, "first savings", accounts, [*groceries(), saved(200)])[0] == "savings_builder"


# -- 5, the rest


@pytest.mark.parametrize(("count", "expected"), [(9, "insufficient_data"), (10, "general_wellness")])
def test_ten_transactions_are_enough(world: World, count: int, expected: str) -> None:
    assert persona(world, f"{count} rows", [account()], groceries(count)) == (expected, [])


def test_two_rows_say_nothing_unless_a_card_does(world: World) -> None:
    assert persona(world, "two rows", [account()], groceries(2))[0] == "insufficient_data"
    assert persona(world, "two rows and a card", [account(), card(900)], groceries(2))[0] == "high_utilization"


# -- several


def test_the_first_match_wins_and_all_are_recorded(world: World) -> None:
    accounts = [account("checking", 5.00), account("savings", 1000.00), card(200.00)]
    spent = [*groceries(), *pay(2000, 10, 60, 110), *three(20.00), saved(500)]
    found = persona(world, "everything", accounts, spent)
    assert found == ("variable_income_budgeter", ["variable_income_budgeter", "subscription_heavy", "savings_builder"])
    with_a_card = persona(world, "everything at 90 %", [*accounts[:2], card(900.00)], spent)
    assert with_a_card == (
        "high_utilization",
        ["high_utilization", "variable_income_budgeter", "subscription_heavy"],
    )


def test_the_evidence_names_signal_value_and_threshold(world: World) -> None:
    person = world.add("evident", rows([account(), card(680.00)], groceries()))
    world.run()
    only = {"persona": "high_utilization", "signal": "cards_at_50", "value": 1, "threshold": ">= 1"}
    assert world.persona(person).evidence == [only]


@pytest.mark.parametrize(
    ("name", "accounts"),
    [
        ("plain", [account("checking", None)]),
        ("silent", [account("checking", None), account("savings", None), card(5.00, limit=None)]),
    ],
)
def test_everybody_with_data_shows_three_behaviours(world: World, name: str, accounts: list[object]) -> None:
    person = world.add(f"three of {name}", rows(accounts, [transaction(1, 5.00)]))  # type: ignore[arg-type]
    world.run()
    assert len(world.persona(person).behaviours) >= 3
