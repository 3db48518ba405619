"""Golden people as a finance analyst sees them: histories worked out by hand, each against a plausible mistake."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from chalicelib.adapters.postgres import Postgres
from chalicelib.spendsense.bank import BankStatement, BankTransaction
from chalicelib.spendsense.catalogue import packaged_catalogue
from tests.contract.spendsense_database import Target, fresh_database
from tests.contract.spendsense_people import (
    World,
    account,
    charges,
    days_ago,
    liability,
    minimum_paid,
    rows,
    seasoned,
    transaction,
)
from tests.patience import PATIENCE_MS

FIRSTS = (20, 51, 81, 112, 143, 173)
"""The first of each month from November back to June, in days before 2026-11-21."""
FIFTEENTHS = (6, 37, 67, 98, 129, 159)
BIWEEKLY = tuple(range(3, 180, 14))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with fresh_database() as url, closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as database:
        yield World(database)


def paid(
    amount: float, *days: int, by: str = "Acme", category: str = "INCOME_WAGES", **values: Any
) -> list[BankTransaction]:
    return [transaction(day, -amount, category, merchant=by, **values) for day in days]


def spent(
    amount: float, *days: int, category: str = "FOOD_AND_DRINK_RESTAURANT", **values: Any
) -> list[BankTransaction]:
    return [transaction(day, amount, category, **values) for day in days]


def known(*transactions: BankTransaction, accounts: Any = None) -> BankStatement:
    """Somebody whom the bank has known for half a year."""
    return seasoned(accounts or [account()], transactions)


INTEREST = paid(3.20, *FIFTEENTHS, by="Acme Bank", category="INCOME_INTEREST_EARNED")

# Name -> what the bank says, the window, and what follows from it.
GOLDEN: dict[str, tuple[BankStatement, int, dict[str, Any]]] = {
    # -- income
    "interest is no pay": (
        known(*paid(5000, *FIRSTS), *INTEREST),
        30,
        {"pay_dates": 6, "median_pay_gap_days": 31.0, "pay_variation": 0.0, "monthly_income_cents": 500_000},
    ),
    "dividends and tax refunds are no pay": (
        known(
            *paid(90, *FIRSTS, by="Fund", category="INCOME_DIVIDENDS"),
            *paid(2400, 100, by="IRS", category="INCOME_TAX_REFUND"),
        ),
        30,
        {"pay_dates": 0, "median_pay_gap_days": None, "monthly_income_cents": 0},
    ),
    "two employers, one day apart": (
        known(*paid(2000, *BIWEEKLY), *paid(1500, *(day + 1 for day in BIWEEKLY), by="Bistro")),
        30,
        {"median_pay_gap_days": 14.0, "pay_variation": 0.0, "pay_dates": 26, "monthly_income_cents": 433_333 + 325_000},
    ),
    "a bonus makes no month dearer": (
        known(*paid(2000, *BIWEEKLY), *paid(20_000, 40)),
        180,
        {"median_pay_gap_days": 14.0, "pay_variation": 0.0, "monthly_income_cents": 433_333},
    ),
    "a bonus on a pay day": (
        known(*paid(2000, *BIWEEKLY), *paid(9000, 45)),
        30,
        {"pay_dates": 13, "pay_variation": 0.0, "monthly_income_cents": 433_333},
    ),
    "weekly pay": (
        known(*paid(700, *range(2, 180, 7))),
        30,
        {"median_pay_gap_days": 7.0, "monthly_income_cents": 303_333},
    ),
    "semi-monthly pay, on the 1st and the 15th": (
        known(*paid(2500, *FIRSTS, *FIFTEENTHS)),
        30,
        {"pay_dates": 12, "median_pay_gap_days": 14.0, "monthly_income_cents": 500_000},
    ),
    "six monthly pensions": (
        known(*paid(1800, *FIRSTS, by="State Pension", category="INCOME_RETIREMENT_PENSION")),
        30,
        {"pay_dates": 6, "median_pay_gap_days": 31.0, "pay_variation": 0.0, "monthly_income_cents": 180_000},
    ),
    "a pension beside wages": (
        known(*paid(1000, *BIWEEKLY), *paid(600, *FIRSTS, by="Pension", category="INCOME_RETIREMENT_PENSION")),
        30,
        {"median_pay_gap_days": 14.0, "pay_variation": 0.0, "monthly_income_cents": 216_666 + 60_000},
    ),
    "a freelancer of 4,000 every 60 days": (
        known(*paid(4000, 20, 80, 140, by="Studio", category="INCOME_OTHER_INCOME"), *spent(900, 5, 35, 65)),
        30,
        {"pay_dates": 3, "median_pay_gap_days": 60.0, "monthly_income_cents": 200_000},
    ),
    "a freelancer of two clients is paid in between": (
        known(
            *paid(3000, 20, 80, 140, by="Studio", category="INCOME_GIG_ECONOMY"),
            *paid(3000, 50, 110, 170, by="Agency", category="INCOME_GIG_ECONOMY"),
        ),
        30,
        {"pay_dates": 6, "median_pay_gap_days": 30.0, "monthly_income_cents": 300_000},
    ),
    "daily payouts of a gig": (
        known(*paid(60, *range(0, 180, 2), by="Rides", category="INCOME_GIG_ECONOMY")),
        30,
        {"median_pay_gap_days": 2.0, "pay_variation": 0.0, "monthly_income_cents": 90_000},  # 90 payouts in half a year
    ),
    "a friend who pays back is no payer": (
        known(*paid(40, 6, 8, 90, by="Friend", category="INCOME_OTHER_INCOME")),
        30,
        {"pay_dates": 0, "monthly_income_cents": 0},
    ),
    "a payroll reversal takes its pay back": (
        known(*paid(2000, 3, 17, 31, 32), transaction(32, 2000.0, "INCOME_WAGES", merchant="Acme")),
        30,
        {"pay_dates": 3, "median_pay_gap_days": 14.0, "monthly_income_cents": 433_333},
    ),
    "a job that ended brings nothing a month": (
        known(*paid(2000, *range(80, 180, 14))),
        30,
        {"median_pay_gap_days": 14.0, "monthly_income_cents": 0},
    ),
    "wages that vary": (
        known(*paid(1000, 3, 31, 59), *paid(3000, 17, 45, 73)),
        30,
        {"median_pay_gap_days": 14.0, "pay_variation": 0.5},
    ),
    # -- what is no subscription
    "power, insurance, cash, coffee and groceries": (
        known(
            *charges("City Power", 90.0, *FIRSTS, category="RENT_AND_UTILITIES_GAS_AND_ELECTRICITY"),
            *charges("Safe Insurance", 120.0, *FIRSTS, category="GENERAL_SERVICES_INSURANCE"),
            *charges("ATM 1st Street", 100.0, *range(1, 60, 7), category="TRANSFER_OUT_WITHDRAWAL"),
            *charges("Blue Cup", 4.5, *range(2, 90, 7), category="FOOD_AND_DRINK_COFFEE"),
            *charges("Fresh Field", 200.0, *FIRSTS, category="FOOD_AND_DRINK_GROCERIES"),
        ),
        90,
        {"recurring_merchants": 0, "monthly_recurring_cents": 0, "top_subscription": None},
    ),
    "rent is an expense and no subscription": (
        known(*charges("Landlord", 900.0, *FIRSTS, category="RENT_AND_UTILITIES_RENT")),
        90,
        {"recurring_merchants": 0, "monthly_expenses_cents": 90_000},
    ),
    # -- cadences
    "weekly": (known(*charges("Yoga", 12.0, 1, 8, 15, 22)), 90, {"monthly_recurring_cents": 5_200}),
    "biweekly": (known(*charges("Box", 24.0, *BIWEEKLY)), 90, {"monthly_recurring_cents": 5_200}),
    "monthly, by the calendar": (
        known(*charges("Netflix", 15.49, *FIRSTS)),
        90,
        {"recurring_merchants": 1, "monthly_recurring_cents": 1_549, "recurring_spend_cents": 3 * 1_549},
    ),
    "quarterly, seen three times": (
        known(*charges("Filter Club", 60.0, 10, 101, 192)),
        180,
        {"recurring_merchants": 1, "monthly_recurring_cents": 2_000, "recurring_spend_cents": 12_000},
    ),
    "quarterly is too long for 90 days": (
        known(*charges("Filter Club", 60.0, 10, 101, 192)),
        90,
        {"recurring_merchants": 0},
    ),
    "yearly, seen twice": (
        known(*charges("Museum", 120.0, 20, 385)),
        180,
        {"recurring_merchants": 1, "monthly_recurring_cents": 1_000, "recurring_spend_cents": 12_000},
    ),
    "three gym fees": (
        known(*charges("Iron Gym", 30.0, 5, 35, 65, category="PERSONAL_CARE_GYMS_AND_FITNESS_CENTERS")),
        90,
        {"recurring_merchants": 1, "monthly_recurring_cents": 3_000},
    ),
    "a price that rose from 17.99 to 24.99": (
        known(*charges("Netflix", 24.99, 5, 35), *charges("Netflix", 17.99, 65, 95, 125)),
        90,
        {"recurring_merchants": 1, "monthly_recurring_cents": 2_499, "recurring_spend_cents": 2 * 2_499 + 1_799},
    ),
    "a month that was skipped": (
        known(*charges("Meal Box", 40.0, 5, 35, 96, 126)),
        90,
        {"recurring_merchants": 1, "monthly_recurring_cents": 4_000},
    ),
    "two plans of one merchant": (
        known(*charges("Apple", 9.99, 3, 33, 63, 93), *charges("Apple", 2.99, 15, 45, 75)),
        90,
        {"recurring_merchants": 1, "monthly_recurring_cents": 1_298, "top_subscription": "Apple"},
    ),
    "a plan among purchases": (
        known(*charges("Amazon", 14.99, 4, 34, 64, 94), *charges("Amazon", 31.20, 9), *charges("Amazon", 8.45, 50)),
        90,
        {"recurring_merchants": 1, "monthly_recurring_cents": 1_499},
    ),
    "cancelled 60 days ago": (known(*charges("Netflix", 15.49, 60, 90, 120, 150)), 180, {"recurring_merchants": 0}),
    "a charge that is a few days late is not cancelled": (
        known(*charges("Netflix", 15.49, 47, 77, 107)),
        90,
        {"recurring_merchants": 1},
    ),
    "two charges are too few": (known(*charges("Netflix", 15.49, 5, 35)), 90, {"recurring_merchants": 0}),
    "amounts without a pattern": (
        known(*charges("Shop", 10.0, 5, 65), *charges("Shop", 45.0, 35, 95)),
        90,
        {"recurring_merchants": 0},
    ),
    # -- spending, whatever account it comes from
    "rent paid from savings": (
        known(
            *charges("Landlord", 1500.0, *FIRSTS, category="RENT_AND_UTILITIES_RENT", account="savings"),
            *spent(671.0, *FIFTEENTHS),
            accounts=[account(), account("savings", 10_000)],
        ),
        180,
        {"monthly_expenses_cents": 217_100, "emergency_months": 1_000_000 / 217_100, "savings_inflow_cents": -900_000},
    ),
    "a cash management account that one lives from": (
        known(
            *paid(4000, *FIRSTS, account="cash management"),
            *spent(1000.0, *FIFTEENTHS, account="cash management"),
            accounts=[account("cash management", 6000)],
        ),
        30,
        {
            "spend_cents": 100_000, "savings_accounts": 0, "savings_inflow_cents": 0, "checking_balance_cents": 600_000,
            "buffer_months": 6.0,
        },
    ),
    "a cash management account that one saves in": (
        known(
            *[transaction(day, -500.0, "TRANSFER_IN_SAVINGS", account="cash management") for day in FIRSTS],
            accounts=[account(), account("cash management", 6000)],
        ),
        30,
        {"savings_accounts": 1, "monthly_savings_inflow_cents": 50_000, "high_yield_accounts": 1},
    ),
    "rent by Zelle": (
        known(*spent(1500.0, *FIRSTS, category="TRANSFER_OUT_TRANSFER_OUT_FROM_APPS", merchant="Zelle to J Smith")),
        90,
        {"spend_cents": 450_000, "monthly_expenses_cents": 150_000, "recurring_merchants": 0},
    ),
    "a transfer to one's own account is no expense": (
        known(*spent(800.0, *FIRSTS, category="TRANSFER_OUT_ACCOUNT_TRANSFER"), *spent(90.0, *FIFTEENTHS)),
        90,
        {"monthly_expenses_cents": 9_000},
    ),
    "health savings are no emergency fund": (
        known(*spent(1000.0, *FIRSTS), accounts=[account(), account("hsa", 6000), account("savings", 1500)]),
        180,
        {"savings_balance_cents": 750_000, "emergency_fund_cents": 150_000, "emergency_months": 1.5},
    ),
    "500 a month is 500 a month": (
        rows([account()], spent(500.0, *FIRSTS[:5], 169)),  # observed for 170 days
        180,
        {"observed_days": 170, "monthly_expenses_cents": 50_000},
    ),
    "500 on the 15th over half a year": (known(*spent(500.0, *FIFTEENTHS)), 180, {"monthly_expenses_cents": 50_000}),
    "uncategorised money in lowers no spending": (
        known(*spent(300.0, 3), transaction(4, -250.0, "OTHER_MONEY_IN")),
        30,
        {"spend_cents": 30_000},
    ),
    "a refund lowers spending": (known(*spent(300.0, 3), *spent(-50.0, 4)), 30, {"spend_cents": 25_000}),
    # -- little data
    "five days of 12 x 50": (
        rows([account()], spent(50.0, *(n % 5 for n in range(12)))),
        30,
        {"observed_days": 5, "monthly_expenses_cents": None, "emergency_months": None, "monthly_income_cents": None},
    ),
    "30 days are a month": (
        rows([account()], spent(50.0, *range(0, 30, 3), 29)),
        30,
        {"monthly_expenses_cents": 55_000},
    ),
    # -- credit
    "interest on an overdraft is no card's": (
        known(*spent(40.0, 5, 35, category="BANK_FEES_INTEREST_CHARGE")),
        90,
        {"interest_cents": 0, "spend_cents": 8_000, "cards": 0},
    ),
    "interest on a card": (
        known(
            *spent(40.0, 5, category="BANK_FEES_INTEREST_CHARGE", account="credit card"),
            accounts=[account(), account("credit card", 100.0, limit=1000.0)],
        ),
        30,
        {"interest_cents": 4_000, "cards": 1},
    ),
    "a card without a limit that owes nothing": (
        known(*spent(40.0, 5), accounts=[account(), account("credit card", 0.0, limit=None)]),
        30,
        {"cards": 1, "cards_unmeasured": 0, "max_utilization": None},
    ),
    "a card without a limit that owes 9,000": (
        known(*spent(40.0, 5), accounts=[account(), account("credit card", 9000.0, limit=None)]),
        30,
        {"cards": 1, "cards_unmeasured": 1, "max_utilization": None},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_a_history_worked_out_by_hand(world: World, name: str) -> None:
    statement, window, expected = GOLDEN[name]
    person = world.add(name, statement)
    world.run()
    row = world.features(person, window)
    assert {signal: getattr(row, signal) for signal in expected} == expected


# -- cards and their statements


@pytest.mark.parametrize(
    ("name", "statements", "found"),
    [
        ("paid in full", [minimum_paid(5, 25, 25, statement=25), minimum_paid(35, 25, 25, statement=25)], 0),
        ("the minimum of more", [minimum_paid(5), minimum_paid(35)], 1),
        ("a little over the minimum", [minimum_paid(5, 29), minimum_paid(35, 30)], 1),
        ("more than the minimum", [minimum_paid(5, 31), minimum_paid(35, 31)], 0),
        ("once is not twice", [minimum_paid(5)], 0),
        ("the statement is not known", [
            liability(last_payment_cents=2500, last_payment_on=days_ago(day), minimum_payment_cents=2500)
            for day in (5, 35)
        ], 0),
    ],
)  # fmt: skip
def test_who_pays_the_minimum_only(world: World, name: str, statements: list[Any], found: int) -> None:
    person = world.add(name, rows([account("credit card", 100, limit=1000.0)]))
    for statement in statements:
        world.add(name, rows(liabilities=[statement]))
    world.run()
    assert world.features(person).minimum_only_cards == found


def test_plaids_minimum_is_that_of_the_next_cycle(world: World) -> None:
    """Each payment of 25 answered a statement whose minimum was 60; the 25 of today is still to be paid."""
    person = world.add("next cycle", rows([account("credit card", 100, limit=1000.0)]))
    for day, minimum in ((65, 60), (35, 60), (5, 25)):
        open_statement = liability(
            last_payment_cents=2500, last_payment_on=days_ago(day), minimum_payment_cents=minimum * 100,
            last_statement_cents=90_000, last_statement_on=days_ago(day - 3),
        )  # fmt: skip
        world.add("next cycle", rows(liabilities=[open_statement]))
    world.run()
    assert world.features(person).minimum_only_cards == 0


# -- personas and offers


@pytest.mark.parametrize(
    ("name", "statement", "persona"),
    [
        (
            "half a dollar of interest, 170 days ago",
            known(
                *spent(20.0, *range(1, 60, 4)),
                *spent(0.50, 170, category="BANK_FEES_INTEREST_CHARGE", account="credit card"),
                accounts=[account(), account("credit card", 50.0, limit=1000.0)],
            ),
            "general_wellness",
        ),
        (
            "overdraft interest without a card",
            known(*spent(20.0, *range(1, 60, 4)), *spent(40.0, 5, category="BANK_FEES_INTEREST_CHARGE")),
            "general_wellness",
        ),
        (
            "an unmeasured card that owes 9,000 beside savings",
            known(
                *spent(20.0, *range(1, 60, 4)),
                *[transaction(day, -500.0, "TRANSFER_IN_SAVINGS", account="savings") for day in FIRSTS],
                accounts=[account(), account("savings", 5000), account("credit card", 9000.0, limit=None)],
            ),
            "general_wellness",
        ),
        ("five days of 12 x 50", rows([account()], spent(50.0, *(n % 5 for n in range(12)))), "insufficient_data"),
        (
            "a freelancer with little in hand",
            known(
                *paid(4000, 20, 80, 140, by="Studio", category="INCOME_OTHER_INCOME"),
                *spent(900, *range(1, 180, 12)),
                accounts=[account("checking", 300)],
            ),
            "variable_income_budgeter",
        ),
        ("power bills", known(
            *charges("City Power", 90.0, *FIRSTS, category="RENT_AND_UTILITIES_GAS_AND_ELECTRICITY"),
            *charges("Safe Insurance", 120.0, *FIRSTS, category="GENERAL_SERVICES_INSURANCE"),
            *charges("City Water", 40.0, *FIRSTS, category="RENT_AND_UTILITIES_WATER"),
        ), "general_wellness"),
    ],
)  # fmt: skip
def test_a_persona_that_follows(world: World, name: str, statement: BankStatement, persona: str) -> None:
    person = world.add(f"persona of {name}", statement)
    world.run()
    assert world.persona(person, 180).persona == persona


def test_no_sentence_claims_what_is_not_so() -> None:
    for item in packaged_catalogue().items:
        text = f"{item.title} {item.summary} {' '.join(item.because.texts)}".lower()
        assert "credit score" not in text, item.item_id
        assert "savings grew" not in text, item.item_id


ESTIMATED = {"monthly_", "emergency_months", "buffer_months", "pay_variation", "subscription_share", "median_pay_gap"}


def test_an_estimate_is_said_to_be_about_so_much() -> None:
    for item in packaged_catalogue().items:
        pieces = item.because.pieces
        for number in range(1, len(pieces), 2):
            if any(pieces[number].startswith(name) for name in ESTIMATED):
                assert pieces[number - 1].endswith("about "), item.item_id
