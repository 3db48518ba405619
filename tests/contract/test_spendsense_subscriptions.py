"""Golden people: what is a subscription, worked out by hand, at and around every boundary."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from chalicelib.adapters.postgres import Postgres
from tests.contract.spendsense_database import Target, fresh_database
from tests.contract.spendsense_people import (
    World,
    account,
    charges,
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


CARD = {"limit": 1000.0}


def subscriptions(world: World, name: str, *transactions: object) -> tuple[int, int]:
    person = world.add(name, rows([account()], transactions))  # type: ignore[arg-type]
    world.run()
    row = world.features(person, 90)
    return row.recurring_merchants, row.recurring_spend_cents


@pytest.mark.parametrize(
    ("name", "days", "found"),
    [
        ("monthly", (5, 35, 65), 1),
        ("monthly at 27 and 33 days", (5, 32, 65), 1),
        ("a gap of 26 days", (5, 31, 61), 0),
        ("a gap of 34 days", (5, 39, 69), 0),
        ("weekly", (1, 8, 15), 1),
        ("weekly at 6 and 8 days", (1, 7, 15), 1),
        ("a gap of 5 days", (1, 6, 13), 0),
        ("a gap of 9 days", (1, 10, 17), 0),
        ("two only", (5, 35), 0),
        ("the third 90 days ago", (30, 60, 90), 1),
        ("the third 89 days ago", (29, 59, 89), 1),
        ("what is 90 days old disturbs nothing", (5, 35, 65, 90), 1),
        ("every two weeks", (1, 15, 29, 43), 1),
        ("a gap of 50 days", (5, 35, 85), 0),
        ("one month missed", (5, 35, 95), 1),
        ("two months missed", (5, 65, 125, 155), 0),
    ],
)
def test_a_subscription_keeps_a_weekly_or_monthly_cadence(
    world: World, name: str, days: tuple[int, ...], found: int
) -> None:
    assert subscriptions(world, name, *charges("Netflix", 15.49, *days))[0] == found


def test_amounts_may_differ_by_a_fifth(world: World) -> None:
    steady = [*charges("Power Co", 100.00, 5, 35), *charges("Power Co", 120.00, 65)]
    assert subscriptions(world, "a fifth", *steady) == (1, 32_000)
    one_change = [*charges("Power Co", 120.01, 5, 35), *charges("Power Co", 100.00, 65)]
    assert subscriptions(world, "a dearer price", *one_change) == (1, 34_002)
    two_changes = [*charges("Power Co", 100.00, 5, 65), *charges("Power Co", 120.01, 35)]
    assert subscriptions(world, "up and down", *two_changes) == (0, 0)


def test_merchants_are_one_whatever_their_case_and_store_number(world: World) -> None:
    spelled = [
        *charges("STARBUCKS #1234", 5.00, 1),
        *charges("Starbucks 00412", 5.00, 8),
        *charges("starbucks", 5.00, 15),
    ]
    assert subscriptions(world, "coffee", *spelled) == (1, 1_500)


def test_rent_loans_and_transfers_are_no_subscriptions(world: World) -> None:
    owed = [
        *charges("Landlord", 900.00, 1, 31, 61, category="RENT_AND_UTILITIES_RENT"),
        *charges("Bank", 300.00, 2, 32, 62, category="LOAN_PAYMENTS_CAR_PAYMENT"),
        *charges("Self", 300.00, 3, 33, 63, category="TRANSFER_OUT_SAVINGS"),
    ]
    assert subscriptions(world, "tenant", *owed) == (0, 0)


def test_two_charges_of_a_day_are_one(world: World) -> None:
    doubled = [*charges("Apple", 1.00, 5, 35, 65), *charges("Apple", 1.10, 5, 35, 65)]
    assert subscriptions(world, "doubled", *doubled) == (1, 630)


def test_recurring_spending_by_window(world: World) -> None:
    person = world.add(
        "viewer",
        rows(
            [account()], [*charges("Netflix", 15.00, 10, 40, 70, 100), transaction(3, 135.00), transaction(179, 1.00)]
        ),
    )
    world.run()
    month, quarter, half = (world.features(person, window) for window in (30, 90, 180))
    assert (month.recurring_spend_cents, month.monthly_recurring_cents, month.subscription_share) == (1500, 1500, 0.1)
    assert (quarter.recurring_spend_cents, quarter.monthly_recurring_cents) == (4500, 1500)
    assert (half.recurring_spend_cents, half.monthly_recurring_cents) == (6000, 1500)
    assert month.top_subscription == "Netflix"


OTHERS = [
    account("checking", 10.0, external_id="office", holder_category="business"),
    account("checking", 10.0, external_id="euros", currency="EUR"),
    account("savings", 10.0),
    account("credit card", 10.0, **CARD),
]
UNCOUNTED = [{"pending": True}, {"currency": "EUR"}, {"account": "office"}, {"account": "euros"}]


@pytest.mark.parametrize("values", UNCOUNTED, ids=str)
def test_a_charge_that_does_not_count_disturbs_no_subscription(world: World, values: dict[str, object]) -> None:
    regular = charges("Netflix", 15.00, 5, 35, 65)
    person = world.add(
        f"charged {values}", rows([account(), *OTHERS], [*regular, *charges("Netflix", 15.00, 20, **values)])
    )
    world.run()
    row = world.features(person, 90)
    assert (row.recurring_merchants, row.recurring_spend_cents) == (1, 4_500)


@pytest.mark.parametrize("values", UNCOUNTED, ids=str)
def test_a_charge_that_does_not_count_makes_no_yearly_subscription(world: World, values: dict[str, object]) -> None:
    found = [*charges("Museum", 80.00, 20), *charges("Museum", 80.00, 385, **values)]
    person = world.add(f"member {values}", rows([account(), *OTHERS], found))
    world.run()
    assert world.features(person, 180).recurring_merchants == 0


def test_a_merchant_of_two_charges_in_half_a_year_is_no_yearly_one(world: World) -> None:
    found = charges("Museum", 80.00, 20, 90, 385)
    person = world.add("often", rows([account()], found))
    world.run()
    assert world.features(person, 180).recurring_merchants == 0


def test_the_largest_subscription_and_the_fullest_card_are_named(world: World) -> None:
    cards = [
        account("credit card", 100.0, limit=200.0, external_id="a", name="Zebra", mask="1"),
        account("credit card", 900.0, limit=9000.0, external_id="b", name="Ant", mask="2"),
    ]
    found = [
        *charges("Small", 5.00, 5, 35, 65),
        *charges("Large", 50.00, 6, 36, 66),
        *charges("Middle", 9.00, 7, 37, 67),
    ]
    person = world.add("named", rows([account(), *cards], found))
    world.run()
    for window in (30, 90, 180):
        row = world.features(person, window)
        assert (row.top_subscription, row.top_card) == ("Large", "Zebra ending 1")


@pytest.mark.parametrize(("gap", "found"), [(350, 0), (351, 1), (365, 1), (379, 1), (380, 0)])
def test_yearly_subscriptions_show_at_180_days(world: World, gap: int, found: int) -> None:
    person = world.add(f"member {gap}", rows([account()], charges("Museum", 80.00, 20, 20 + gap)))
    world.run()
    assert world.features(person, 180).recurring_merchants == found
    assert world.features(person, 90).recurring_merchants == 0
    assert world.features(person, 180).recurring_spend_cents == 8000 * found


def test_a_merchants_quarterly_plan_shows_only_over_half_a_year_beside_its_monthly_plan(world: World) -> None:
    plans = [*charges("Client", 0.03, 18, 109, 291), *charges("Client", 9.99, 32, 59, 86, 113)]
    person = world.add("two plans", rows([account()], plans))
    world.run()
    quarter, half = world.features(person, 90), world.features(person, 180)
    assert (quarter.recurring_merchants, quarter.recurring_spend_cents, quarter.monthly_recurring_cents) == (
        1,
        2997,
        999,
    )
    assert (half.recurring_merchants, half.recurring_spend_cents, half.monthly_recurring_cents) == (1, 4002, 1000)
