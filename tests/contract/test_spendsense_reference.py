"""The set-based SQL compared with the plain formulas, on random people."""

import math
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from chalicelib.adapters.postgres import Postgres
from chalicelib.spendsense.bank import BankStatement
from chalicelib.spendsense.catalogue import packaged_catalogue
from chalicelib.spendsense.signals import WINDOWS
from tests.contract.spendsense_database import Target, fresh_database
from tests.contract.spendsense_people import TODAY, World, account, charges, liability, rows, transaction
from tests.fakes import spendsense_reference as reference
from tests.fakes.spendsense_person import payment_of, statement_of
from tests.patience import PATIENCE_MS
from tests.properties import examples

_names = count(1)
MERCHANTS = ("Netflix", "NETFLIX #22", "Gym", "Power Co", "Employer", "Client", "")
CATEGORIES = (
    "FOOD_AND_DRINK_COFFEE",
    "ENTERTAINMENT_TV_AND_MOVIES",
    "RENT_AND_UTILITIES_RENT",
    "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT",
    "LOAN_PAYMENTS_CAR_PAYMENT",
    "BANK_FEES_INTEREST_CHARGE",
    "TRANSFER_IN_SAVINGS",
    "TRANSFER_OUT_WITHDRAWAL",
    "INCOME_WAGES",
    "INCOME_OTHER_INCOME",
    "INCOME_GIG_ECONOMY",
    "INCOME_RETIREMENT_PENSION",
    "INCOME_INTEREST_EARNED",
    "PERSONAL_CARE_GYMS_AND_FITNESS_CENTERS",
    "OTHER_OTHER",
    "TRANSFER_OUT_TRANSFER_OUT_FROM_APPS",
)
SUBTYPES = ("checking", "savings", "credit card", "money market", "cd", "cash management", "hsa")

amounts = st.integers(-300_000, 300_000).map(lambda cents: cents / 100)
balances = st.none() | st.integers(-50_000, 900_000).map(lambda cents: cents / 100)


@st.composite
def people(draw: st.DrawFn) -> BankStatement:
    """A person whose accounts, rows and debts are odd in every way that the shapes allow."""
    accounts = draw(
        st.lists(
            st.builds(
                account,
                st.sampled_from(SUBTYPES),
                balances,
                available_cents=st.none() | st.integers(-1000, 500_000),
                limit=st.none() | st.integers(-1, 5_000).map(float),
                currency=st.sampled_from(("USD", "USD", "USD", "EUR")),
                holder_category=st.sampled_from((None, "personal", "business", "unrecognized")),
                name=st.sampled_from(("Plain", "High-Yield Saver", "")),
            ),
            min_size=1,
            max_size=4,
            unique_by=lambda row: row.external_id,
        )
    )
    names = st.sampled_from([row.external_id for row in accounts])
    single = st.builds(
        transaction,
        st.integers(-5, 400),
        amounts,
        st.sampled_from(CATEGORIES),
        merchant=st.sampled_from(MERCHANTS),
        account=names,
        pending=st.sampled_from((False, False, False, True)),
        currency=st.sampled_from((None, None, "USD", "EUR")),
    ).map(lambda row: [row])
    gaps = st.sampled_from((5, 6, 7, 8, 14, 15, 26, 27, 30, 31, 33, 34, 46, 60, 91, 351, 365))
    series = st.builds(
        lambda start, gap, times, amount, change, merchant, category, name: [
            *charges(merchant, amount, *(start + gap * n for n in range(times)), category=category, account=name),
            *charges(merchant, amount * change, start + gap * times, category=category, account=name),
        ],
        st.integers(0, 40),
        gaps,
        st.integers(2, 6),
        amounts,
        st.sampled_from((1, 1, 1.19, 1.5, 5, -1)),
        st.sampled_from(MERCHANTS),
        st.sampled_from(CATEGORIES),
        names,
    )
    found = draw(st.lists(single | series, max_size=14))
    cards = [row.external_id for row in accounts if row.type == "credit"]
    debts = [
        liability(
            name,
            is_overdue=draw(st.sampled_from((None, False, True))),
            minimum_payment_cents=2500,
            last_statement_cents=draw(st.sampled_from((None, 2500, 90_000))),
            next_payment_due_on=TODAY - timedelta(days=draw(st.integers(-20, 170))),
            last_payment_cents=draw(st.sampled_from((2500, 3000, 3001))),
            last_payment_on=TODAY - timedelta(days=draw(st.integers(-1, 200))),
        )
        for name in cards
    ]
    return rows(accounts, [row for part in found for row in part], debts)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with fresh_database() as url, closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as database:
        yield World(database)


def expected(given: BankStatement, as_of: date) -> dict[int, reference.Signals]:
    return reference.features(
        "USD",
        as_of,
        given.accounts,
        given.transactions,
        given.liabilities,
        [paid for row in given.liabilities if (paid := payment_of(row))],
        [stated for row in given.liabilities if (stated := statement_of(row))],
    )


@examples(12, HealthCheck.function_scoped_fixture)
@given(st.lists(people(), min_size=1, max_size=12))
def test_sql_agrees_with_the_plain_formulas(world: World, given: list[BankStatement]) -> None:
    catalogue = packaged_catalogue()
    joined = [(world.add(f"p{next(_names)}", statement), statement) for statement in given]
    world.run(run_id=f"run {next(_names)}")
    for person, statement in joined:
        for window, signals in expected(statement, TODAY).items():
            row = world.features(person, window)
            for name in reference.COMPARED:
                assert alike(getattr(row, name), signals[name]), (name, window, getattr(row, name), signals[name])
            assigned = world.persona(person, window)
            assert (assigned.persona, assigned.matched) == reference.persona(catalogue, signals)
            assert assigned.behaviours == reference.behaviours(catalogue, signals)
            items = world.all(
                "SELECT item_id FROM spendsense.recommendations JOIN spendsense.profiles USING (user_id) "
                "WHERE subject = %s AND window_days = %s ORDER BY kind, position",
                person,
                window,
            )
            wanted = reference.recommended(catalogue, signals, assigned.persona)
            assert [item.item_id for item in items] == [item.item_id for item in wanted]
            if assigned.persona != "insufficient_data":
                kinds = [item.kind for item in wanted]
                assert 3 <= kinds.count("education") <= 5
                assert 1 <= kinds.count("offer") <= 3


def alike(one: float | None, other: float | None) -> bool:
    return one == other if one is None or other is None else math.isclose(one, other, rel_tol=1e-12)


def test_every_window_is_compared() -> None:
    assert set(expected(rows([account()]), TODAY)) == set(WINDOWS)
