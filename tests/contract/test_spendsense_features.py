"""Golden people: what each feature is, worked out by hand, at and around every boundary."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from chalicelib.adapters.postgres import Postgres
from tests.contract.spendsense_database import Target, fresh_database
from tests.contract.spendsense_people import (
    World,
    account,
    liability,
    minimum_paid,
    pay,
    transaction,
)
from tests.contract.spendsense_people import (
    rows as unseasoned,
)
from tests.contract.spendsense_people import (
    seasoned as rows,
)
from tests.contract.test_spendsense_subscriptions import OTHERS, UNCOUNTED
from tests.patience import PATIENCE_MS


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with fresh_database() as url, closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as database:
        yield World(database)


CARD = {"limit": 1000.0}


# -- spending


def test_spending_is_net_of_refunds_without_transfers_card_payments_and_income(world: World) -> None:
    person = world.add(
        "spender",
        rows(
            [account(), account("savings", 500), account("credit card", 100, **CARD)],
            [
                transaction(1, 100.00),
                transaction(2, 60.00, account="credit card"),
                transaction(3, -20.00),  # a refund
                transaction(4, 300.00, "TRANSFER_OUT_ACCOUNT_TRANSFER"),
                transaction(4, -300.00, "TRANSFER_IN_ACCOUNT_TRANSFER", account="savings"),
                transaction(5, 60.00, "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT"),
                transaction(5, -60.00, "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT", account="credit card"),
                transaction(6, 800.00, "RENT_AND_UTILITIES_RENT"),
                transaction(7, 12.50, "BANK_FEES_INTEREST_CHARGE", account="credit card"),
                *pay(2000, 8),
                transaction(40, 90.00),
            ],
        ),
    )
    world.run()
    # 100 + 60 - 20 + 800 + 12.50; the window of 90 has 90 more
    assert world.features(person, 30).spend_cents == 95_250
    assert world.features(person, 90).spend_cents == 104_250
    assert world.features(person, 90).observed_days == 90
    assert [world.features(person, window).monthly_expenses_cents for window in (30, 90)] == [95_250, 104_250 // 3]
    assert world.features(person, 30).transactions == 10


def test_a_month_that_was_not_observed_is_not_made_up(world: World) -> None:
    for days, expected in ((29, None), (30, 9_000)):
        person = world.add(
            f"beginner of {days}", unseasoned([account()], [transaction(days - 1, 45.00), transaction(2, 45.00)])
        )
        world.run()
        row = world.features(person, 180)
        assert (row.observed_days, row.monthly_expenses_cents) == (days, expected)


def test_pending_future_and_business_rows_do_not_count(world: World) -> None:
    person = world.add(
        "careful",
        rows(
            [account(), account("credit card", 900, limit=1000.0, holder_category="business")],
            [
                transaction(1, 10.00),
                transaction(1, 20.00, pending=True),
                transaction(-3, 40.00),
                transaction(2, 80.00, account="credit card"),
                transaction(29, 160.00),
                transaction(30, 320.00),
            ],
        ),
    )
    world.run()
    assert world.features(person, 30).spend_cents == 17_000
    assert world.features(person, 90).spend_cents == 49_000
    assert world.features(person, 30).cards == 0


def test_other_currencies_are_left_out_and_counted(world: World) -> None:
    person = world.add(
        "traveller",
        rows(
            [account(), account("savings", 700, currency="EUR")],
            [
                transaction(1, 10.00),
                transaction(2, 50.00, currency="EUR"),
                transaction(3, 20.00, currency="USD"),
                transaction(4, -90.00, "TRANSFER_IN_SAVINGS", account="savings"),
            ],
        ),
    )
    world.run()
    row = world.features(person)
    assert (row.spend_cents, row.transactions, row.other_currency_transactions) == (3_000, 2, 2)
    assert (row.savings_accounts, row.savings_balance_cents, row.savings_inflow_cents) == (0, None, 0)


def test_refunds_beyond_spending_are_no_negative_spending(world: World) -> None:
    back = [
        transaction(3, -50.00),
        transaction(3, 20.00),
        transaction(4, -5.00, "BANK_FEES_INTEREST_CHARGE", account="credit card"),
    ]
    person = world.add("repaid", rows([account(), account("credit card", 10.0, **CARD)], back))
    world.run()
    row = world.features(person)
    assert (row.spend_cents, row.monthly_expenses_cents, row.interest_cents) == (0, 0, 0)
    assert (row.subscription_share, row.emergency_months, row.buffer_months) == (None, None, None)


# -- savings


def test_savings_growth_is_inflow_over_the_balance_before(world: World) -> None:
    person = world.add(
        "saver",
        rows(
            [account("checking", 600), account("savings", 1020), account("hsa", 500), account("cd", 9000)],
            [
                transaction(3, -20.00, "TRANSFER_IN_SAVINGS", account="savings"),
                transaction(4, 1520.00 / 4),
                transaction(5, 100.00, account="cd"),
            ],
        ),
    )
    world.run()
    row = world.features(person)
    assert (row.savings_accounts, row.savings_balance_cents, row.savings_inflow_cents) == (2, 152_000, 2_000)
    assert row.savings_growth == 2_000 / 150_000
    assert row.emergency_months == 102_000 / 48_000  # without the health savings
    assert row.emergency_band == "1 to 3"
    assert row.buffer_months == 60_000 / 48_000


def test_growth_from_nothing_is_undefined(world: World) -> None:
    person = world.add(
        "starter",
        rows([account("savings", 50)], [transaction(3, -50.00, "TRANSFER_IN_SAVINGS", account="savings")]),
    )
    world.run()
    row = world.features(person)
    assert (row.savings_growth, row.savings_inflow_cents) == (None, 5_000)
    assert (row.emergency_months, row.emergency_band, row.buffer_months) == (None, "unknown", None)


@pytest.mark.parametrize(
    ("balance", "band"),
    [(600, "6 or more"), (599.99, "3 to 6"), (300, "3 to 6"), (299.99, "1 to 3"), (100, "1 to 3"), (99.99, "below 1")],
)
def test_emergency_bands(world: World, balance: float, band: str) -> None:
    person = world.add(f"fund of {balance}", rows([account(), account("savings", balance)], [transaction(3, 100.00)]))
    world.run()
    assert world.features(person).emergency_band == band


def test_unknown_balances_stay_unknown(world: World) -> None:
    person = world.add(
        "silent bank",
        rows(
            [account("checking", None), account("savings", None, available_cents=7_000), account("hsa", None)],
            [transaction(3, 100.00)],
        ),
    )
    world.run()
    row = world.features(person)
    assert (row.checking_balance_cents, row.buffer_months) == (None, None)
    assert (row.savings_balance_cents, row.savings_accounts) == (7_000, 2)


# -- credit


@pytest.mark.parametrize(
    ("owed", "limit", "utilization", "flags"),
    [
        (299.99, 1000, 0.29999, (0, 0, 0)),
        (300, 1000, 0.3, (1, 0, 0)),
        (499.99, 1000, 0.49999, (1, 0, 0)),
        (500, 1000, 0.5, (1, 1, 0)),
        (800, 1000, 0.8, (1, 1, 1)),
        (1200, 1000, 1.2, (1, 1, 1)),
        (-50, 1000, 0.0, (0, 0, 0)),
        (500, 0, None, (0, 0, 0)),
        (500, -100, None, (0, 0, 0)),
        (500, None, None, (0, 0, 0)),
        (None, 1000, None, (0, 0, 0)),
    ],
)
def test_utilization_and_its_flags(
    world: World, owed: float | None, limit: float | None, utilization: float | None, flags: tuple[int, int, int]
) -> None:
    person = world.add(f"card {owed} of {limit}", rows([account("credit card", owed, limit=limit)]))
    world.run()
    row = world.features(person)
    assert row.max_utilization == utilization
    assert (row.cards_at_30, row.cards_at_50, row.cards_at_80) == flags
    assert row.cards_unmeasured == (1 if utilization is None else 0)


def test_no_claim_about_every_card_when_one_cannot_be_measured(world: World) -> None:
    measured = account("credit card", 10.0, limit=1000.0, external_id="a")
    both = [measured, account("credit card", 10.0, limit=None, external_id="b")]
    sure, unsure = world.add("sure", rows([measured])), world.add("unsure", rows(both))
    world.run()
    assert "keeps_cards_below_30" in world.persona(sure).behaviours
    assert "keeps_cards_below_30" not in world.persona(unsure).behaviours


def test_what_is_owed_follows_from_limit_and_available(world: World) -> None:
    person = world.add("derived", rows([account("credit card", None, limit=1000.0, available_cents=25_000)]))
    world.run()
    assert world.features(person).max_utilization == 0.75


def test_several_cards(world: World) -> None:
    cards = [
        account("credit card", 100, limit=1000.0, external_id="a", name="Visa", mask="1111"),
        account("credit card", 900, limit=1000.0, external_id="b", name="Amex", mask="2222"),
        account("credit card", 50, limit=None, external_id="c"),
    ]
    person = world.add("cards", rows(cards))
    world.run()
    row = world.features(person)
    assert (row.cards, row.cards_unmeasured, row.max_utilization, row.total_utilization) == (3, 1, 0.9, 0.5)
    assert row.top_card == "Amex ending 2222"


@pytest.mark.parametrize(
    ("payments", "found"),
    [
        (((25, 25), (25, 25)), 1),
        (((30, 25), (20, 25)), 1),
        (((30.01, 25), (25, 25)), 0),
        (((25, 25),), 0),
        (((0, 0), (0, 0)), 0),
    ],
)
def test_paying_the_minimum_twice_within_five_dollars(
    world: World, payments: tuple[tuple[float, float], ...], found: int
) -> None:
    name = f"minimum {payments}"
    person = world.add(name, rows([account("credit card", 100, **CARD)]))
    for number, (paid, minimum) in enumerate(payments):
        world.add(name, rows(liabilities=[minimum_paid(10 + 30 * number, paid, minimum)]))
    world.run()
    assert world.features(person).minimum_only_cards == found


@pytest.mark.parametrize(("day", "found"), [(179, 1), (180, 0), (0, 1), (-1, 0)])
def test_minimum_payments_are_of_the_last_180_days(world: World, day: int, found: int) -> None:
    name = f"paid {day} days ago"
    person = world.add(name, rows([account("credit card", 100, **CARD)]))
    for paid in (10, day):
        world.add(name, rows(liabilities=[minimum_paid(paid)]))
    world.run()
    assert world.features(person).minimum_only_cards == found


def test_interest_and_overdue(world: World) -> None:
    person = world.add(
        "late",
        rows(
            [account("credit card", 100, **CARD)],
            [transaction(45, 9.00, "BANK_FEES_INTEREST_CHARGE", account="credit card")],
            [liability(is_overdue=True)],
        ),
    )
    world.run()
    assert (world.features(person, 30).interest_cents, world.features(person, 90).interest_cents) == (0, 900)
    assert world.features(person, 30).overdue_cards == 1


def test_what_is_owed_on_another_kind_of_debt_is_no_overdue_card(world: World) -> None:
    loan = account("student", 9_000.0, type="loan", external_id="loan")
    debts = [liability("loan", kind="student", is_overdue=True), liability()]
    person = world.add("student", rows([account("credit card", 10.0, **CARD), loan], liabilities=debts))
    world.run()
    assert world.features(person).overdue_cards == 0


def test_cards_of_another_currency_are_none(world: World) -> None:
    person = world.add("abroad", rows([account("credit card", 990.0, currency="EUR", **CARD)]))
    world.run()
    assert (world.features(person).cards, world.features(person).max_utilization) == (0, None)


# -- income


def test_pay_is_looked_for_over_180_days_whatever_the_window(world: World) -> None:
    person = world.add("freelancer", rows([account()], [*pay(3000, 10, 56, 102), transaction(5, 100.00)]))
    world.run()
    for window in (30, 90, 180):
        row = world.features(person, window)
        assert (row.pay_dates, row.median_pay_gap_days, row.income_lookback_days) == (3, 46.0, 180)
        assert row.pay_variation == 0.0
        assert row.monthly_income_cents == 900_000 // 6


def test_the_median_of_uneven_gaps(world: World) -> None:
    person = world.add("contractor", rows([account()], [*pay(1000, 10, 20, 60), *pay(3000, 130)]))
    world.run()
    row = world.features(person)
    assert row.median_pay_gap_days == 40.0  # of 10, 40, 70
    assert row.pay_variation == pytest.approx(0.57735, abs=1e-5)  # deviation 866.03 over mean 1500


def test_other_income_is_pay_only_if_regular(world: World) -> None:
    regular = [transaction(day, -500.00, "INCOME_OTHER_INCOME", merchant="Client") for day in (5, 35, 65)]
    irregular = [transaction(day, -500.00, "INCOME_OTHER_INCOME", merchant="Friend") for day in (6, 8, 90)]
    interest = [transaction(day, -1.00, "INCOME_INTEREST_EARNED") for day in (1, 31, 61)]
    person = world.add("mixed", rows([account()], [*regular, *irregular, *interest]))
    world.run()
    assert (world.features(person).pay_dates, world.features(person).median_pay_gap_days) == (3, 30.0)


def test_one_payment_has_no_gap(world: World) -> None:
    person = world.add("once", rows([account()], pay(1000, 10)))
    world.run()
    row = world.features(person)
    assert (row.pay_dates, row.median_pay_gap_days, row.pay_variation) == (1, None, None)


def test_somebody_without_any_row(world: World) -> None:
    person = world.add("newcomer", rows())
    world.run()
    row = world.features(person)
    assert (row.transactions, row.spend_cents, row.cards, row.pay_dates) == (0, 0, 0, 0)
    assert (row.subscription_share, row.savings_growth, row.max_utilization) == (None, None, None)


@pytest.mark.parametrize("values", [*UNCOUNTED, {"account": "credit card"}], ids=str)
def test_pay_that_does_not_count_shortens_no_gap(world: World, values: dict[str, object]) -> None:
    person = world.add(
        f"paid {values}", rows([account(), *OTHERS], [*pay(2000, 10, 60, 110), *pay(500, 35, 85, **values)])
    )
    world.run()
    row = world.features(person)
    assert (row.pay_dates, row.median_pay_gap_days) == (3, 50.0)
