"""Recommendations and their reasons, each guardrail separately, and a trace for every decision."""

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

import pytest

from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.spendsense.pipeline import PostgresPipeline
from chalicelib.adapters.spendsense.records import PostgresExplanations, PostgresRecords
from chalicelib.spendsense.catalogue import AdviceCatalogue, assemble, packaged_catalogue
from chalicelib.spendsense.guardrails import DISCLOSURE
from chalicelib.spendsense.models import ConsentRecord, Feedback
from tests.contract.spendsense_database import Target, fresh_database
from tests.contract.spendsense_people import (
    NOW,
    World,
    account,
    charges,
    liability,
    pay,
    transaction,
)
from tests.contract.spendsense_people import (
    seasoned as rows,
)
from tests.patience import PATIENCE_MS
from tests.unit.spendsense.declarations import DECLARED


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with fresh_database() as url, closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as database:
        yield World(database)


def groceries(count: int = 12) -> list[Any]:
    return [transaction(2 * number, 30.0 + number * 7) for number in range(count)]


def card(owed: float, **values: Any) -> Any:
    return account("credit card", owed, **{"limit": 1000.0, "name": "Visa", "mask": "4523", **values})


def items(world: World, person: UUID, window: int = 30) -> dict[str, Any]:
    found = world.all(
        "SELECT r.* FROM spendsense.recommendations r JOIN spendsense.profiles USING (user_id) "
        "WHERE subject = %s AND window_days = %s ORDER BY kind, position",
        person,
        window,
    )
    return {row.item_id: row for row in found}


def traces(world: World, person: UUID, window: int = 30) -> dict[str, Any]:
    found = world.all(
        "SELECT t.* FROM spendsense.decision_traces t JOIN spendsense.profiles USING (user_id) "
        "WHERE subject = %s AND window_days = %s",
        person,
        window,
    )
    return {row.item_id: row for row in found}


# -- the person's own numbers


def test_the_reason_cites_the_persons_own_numbers(world: World) -> None:
    person = world.add("Visa at 68", rows([account(), card(680.00)], groceries()))
    world.run()
    because = items(world, person)["utilization-basics"].rationale
    assert because.startswith("Your Visa ending 4523 is at 68% of its limit")


def test_numbers_are_cut_not_rounded(world: World) -> None:
    person = world.add("just below", rows([account(), card(799.96)], groceries()))
    world.run()
    assert "79.9%" in items(world, person)["utilization-basics"].rationale


@pytest.mark.parametrize(("currency", "shown"), [("USD", "$1,234.50"), ("EUR", "€1,234.50"), ("CHF", "CHF 1,234.50")])
def test_money_is_written_in_the_home_currency(world: World, currency: str, shown: str) -> None:
    accounts = [account(currency=currency), card(900.0, currency=currency)]
    person = world.add(f"spends {currency}", rows(accounts, [transaction(1, 1234.50)]), currency=currency)
    world.run()
    assert shown in items(world, person)["room-in-the-budget"].rationale


PEOPLE: dict[str, tuple[Any, ...]] = {
    "high_utilization": ([account(), card(900.0)], groceries()),
    "variable_income_budgeter": ([account("checking", 10.0)], [*groceries(), *pay(2000, 10, 60, 110)]),
    "subscription_heavy": (
        [account()],
        [*groceries(), *[row for name in ("A", "B", "C") for row in charges(name, 30.0, 5, 35, 65)]],
    ),
    "savings_builder": (
        [account(), account("savings", 9000.0)],
        [*groceries(), transaction(4, -500.0, "TRANSFER_IN_SAVINGS", account="savings")],
    ),
    "general_wellness": ([account()], groceries()),
}


@pytest.mark.parametrize("persona", PEOPLE)
@pytest.mark.parametrize("window", [30, 90, 180])
def test_each_persona_gets_3_to_5_items_and_1_to_3_offers_each_with_a_reason_and_a_trace(
    world: World, persona: str, window: int
) -> None:
    person = world.add(persona, rows(*PEOPLE[persona]))
    world.run()
    assert world.persona(person, window).persona == persona
    found = items(world, person, window)
    kinds = [row.kind for row in found.values()]
    assert 3 <= kinds.count("education") <= 5
    assert 1 <= kinds.count("offer") <= 3
    traced = traces(world, person, window)
    for name, row in found.items():
        assert re.search(r"\d", row.rationale), row.rationale
        assert row.persona == persona
        assert traced[name].outcome == "recommended"
        assert traced[name].recommendation_id == row.recommendation_id
        assert traced[name].template_id.startswith(name)
        assert {"signal", "value", "threshold"} == set(traced[name].signals_used[0])
        assert all(traced[name].guardrails.values())
        assert set(traced[name].guardrails) == {"consent", "eligibility", "tone", "no_shaming", "no_predatory"}


def test_a_person_refunded_in_full_still_gets_an_offer(world: World) -> None:
    """A refund as large as all spending leaves no expenses to speak of, and subscriptions all the same."""
    subscribed = [row for name in ("A", "B", "C") for row in charges(name, 30.0, 5, 35, 65)]
    refund = transaction(1, -270.0, "GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE")
    person = world.add("refunded", rows([account()], [*subscribed, refund]))
    world.run()
    for window in (30, 90, 180):
        assert world.persona(person, window).persona == "subscription_heavy"
        assert "budgeting-app" in items(world, person, window)


def test_every_item_considered_has_a_trace(world: World) -> None:
    person = world.add("traced", rows(*PEOPLE["high_utilization"]))
    world.run()
    considered = {item.item_id for item in packaged_catalogue().items if "high_utilization" in item.personas}
    traced = traces(world, person)
    assert set(traced) == considered
    recommended = {name for name, row in traced.items() if row.outcome == "recommended"}
    assert recommended == set(items(world, person))
    withheld = [row for row in traced.values() if row.outcome == "withheld"]
    assert withheld
    assert all(row.reasons for row in withheld)


# -- eligibility


@pytest.mark.parametrize(
    ("owed", "overdue", "interest", "offered"),
    [(500.0, False, 9.0, False), (500.01, False, 9.0, True), (500.01, True, 9.0, False), (580.0, False, 4.99, False)],
)
def test_a_balance_transfer_needs_over_half_interest_and_no_late_payment(
    world: World, owed: float, overdue: bool, interest: float, offered: bool
) -> None:
    spent = [*groceries(), transaction(9, interest, "BANK_FEES_INTEREST_CHARGE", account="credit card")]
    person = world.add(
        f"transfer {owed} {overdue} {interest}", rows([account(), card(owed)], spent, [liability(is_overdue=overdue)])
    )
    world.run()
    assert ("balance-transfer-card" in items(world, person)) is offered
    trace = traces(world, person)["balance-transfer-card"]
    assert trace.guardrails["eligibility"] is offered
    assert trace.reasons == ([] if offered else ["not eligible"])
    assert {used["signal"]: used["threshold"] for used in trace.signals_used}["max_utilization"] == "> 0.5"


@pytest.mark.parametrize(
    ("name", "subtype", "offered"),
    [("Savings", "savings", True), ("High-Yield", "savings", False), ("Fund", "money market", False)],
)
def test_high_yield_savings_is_for_builders_who_hold_none(world: World, name: str, subtype: str, offered: bool) -> None:
    saving = transaction(4, -500.0, "TRANSFER_IN_SAVINGS", account="s")
    accounts = [account(), account(subtype, 9000.0, external_id="s", name=name)]
    person = world.add(f"yield {name}", rows(accounts, [*groceries(), saving]))
    world.run()
    assert ("high-yield-savings" in items(world, person)) is offered


@pytest.mark.parametrize(("count", "offered"), [(4, False), (5, True)])
def test_a_subscription_manager_needs_five(world: World, count: int, offered: bool) -> None:
    charged = [row for number in range(count) for row in charges(f"Merchant {'abcdef'[number]}", 30.0, 5, 35, 65)]
    person = world.add(f"manager {count}", rows([account()], [*groceries(), *charged]))
    world.run()
    assert ("subscription-manager" in items(world, person)) is offered


@pytest.mark.parametrize("persona", ["variable_income_budgeter", "subscription_heavy"])
def test_a_budgeting_app_is_for_uneven_income_and_subscriptions(world: World, persona: str) -> None:
    person = world.add(f"app {persona}", rows(*PEOPLE[persona]))
    world.run()
    assert "budgeting-app" in items(world, person)


def test_an_item_whose_number_is_unknown_is_withheld(world: World) -> None:
    person = world.add("unknown", rows([account("checking", None)], groceries()))
    world.run()
    trace = traces(world, person)["cash-buffer"]
    assert (trace.outcome, trace.reasons) == ("withheld", ["a cited number is unknown"])


def test_too_little_data_is_never_a_guess(world: World) -> None:
    person = world.add("newcomer", rows([account()], groceries(2)))
    world.run()
    assert items(world, person) == {}
    (trace,) = traces(world, person).values()
    assert (trace.outcome, trace.reasons) == ("withheld", ["insufficient data"])
    world.all("UPDATE spendsense.standings SET recommendations_due = true RETURNING 1")
    world.run("generate_recommendations", run_id="again")
    assert list(traces(world, person).values()) == [trace]


# -- tone, shaming, predatory


@pytest.mark.parametrize(
    ("merchant", "reason", "guardrail"),
    [
        ("Lazy Dog Cafe", "shaming", "no_shaming"),
        ("Act  Now Marketing", "tone", "tone"),
        ("QUICK PAYDAY", "predatory", "no_predatory"),
    ],
)
def test_a_finished_sentence_is_judged_too(world: World, merchant: str, reason: str, guardrail: str) -> None:
    """A merchant's name ends up in a sentence, and nobody has reviewed that."""
    charged = [row for name in (merchant, "B", "C") for row in charges(name, 30.0, 5, 35, 65)]
    charged += charges(merchant, 1.0, 5, 35, 65)  # the most of them, so that it is named
    person = world.add(f"customer of {merchant}", rows([account()], [*groceries(), *charged]))
    world.run()
    assert "negotiate-bills" not in items(world, person, 180)
    trace = traces(world, person, 180)["negotiate-bills"]
    assert (trace.reasons, trace.guardrails[guardrail]) == ([reason], False)


# -- consent


def test_without_consent_nothing_is_derived_and_one_trace_says_so(world: World) -> None:
    person = world.add("private", rows(*PEOPLE["high_utilization"]), consent=False)
    world.run(run_id="private")
    counted = world.one(
        "SELECT (SELECT count(*) FROM spendsense.computed_features f WHERE f.user_id = p.user_id) AS features, "
        "(SELECT count(*) FROM spendsense.persona_assignments a WHERE a.user_id = p.user_id) AS personas "
        "FROM spendsense.profiles p WHERE subject = %s",
        person,
    )
    assert (counted.features, counted.personas, items(world, person)) == (0, 0, {})
    trace = world.one(
        "SELECT t.* FROM spendsense.decision_traces t JOIN spendsense.profiles USING (user_id) WHERE subject = %s",
        person,
    )
    assert (trace.outcome, trace.reasons, trace.guardrails) == ("withheld", ["no consent"], {"consent": False})
    world.consents.record(person, ConsentRecord(granted=True, policy_version="1", recorded_at=NOW))
    world.run(run_id="granted")
    assert items(world, person)
    assert all(row.guardrails["consent"] for row in traces(world, person).values())


def test_stored_recommendations_are_not_shown_without_consent(world: World) -> None:
    """Should it ever be there without consent, it is not believed."""
    person = world.add("undecided", rows(*PEOPLE["high_utilization"]))
    world.run()
    records, explanations = PostgresRecords(world.database), PostgresExplanations(world.database)
    (first, *_) = records.recommended(person, 30) or []
    feedback = Feedback(recommendation_id=first.recommendation_id, helpful=True, comment="", given_at=NOW)
    world.all(
        "UPDATE spendsense.standings s SET consented = false FROM spendsense.profiles p "
        "WHERE p.user_id = s.user_id AND subject = %s RETURNING 1",
        person,
    )
    assert records.recommended(person, 30) == []
    assert explanations.recommendation(person, first.recommendation_id) is None
    assert explanations.keep_feedback(person, feedback) is False


def test_the_disclosure_is_verbatim() -> None:
    assert DISCLOSURE == (
        "This is educational content, not financial advice. Consult a licensed advisor for personalized guidance."
    )


# -- a changed catalogue, and operators


def with_item(**changes: Any) -> AdviceCatalogue:
    education = [{**DECLARED["education"][0], "eligibility": {"all": []}, **changes}]
    return assemble({**DECLARED, "education": education, "offers": []})


def test_an_item_that_left_the_catalogue_leaves_the_person(world: World) -> None:
    person = world.add("catalogue", rows(*PEOPLE["general_wellness"]))
    world.run(run_id="old catalogue")
    before = set(items(world, person))
    only = with_item(item_id="new", personas=["general_wellness"], because="You spent {spend_cents}.")
    world.pipeline, kept = PostgresPipeline(world.database, only), world.pipeline
    world.all("UPDATE spendsense.standings SET recommendations_due = true RETURNING 1")
    world.run("generate_recommendations", run_id="new catalogue")
    world.pipeline = kept
    assert before
    assert set(items(world, person)) == {"new"}
    assert set(traces(world, person)) == {"new"}


def test_percent_signs_and_quotes_in_the_catalogue_are_only_text(world: World) -> None:
    text = "It's 100% yours; {spend_cents} -- '); DROP TABLE spendsense.profiles; --"
    only = with_item(item_id="quoted", personas=["general_wellness"], because=text)
    person = world.add("quoted", rows(*PEOPLE["general_wellness"]))
    world.run("compute_features", "assign_persona", run_id="quoted")
    world.pipeline, kept = PostgresPipeline(world.database, only), world.pipeline
    world.run("generate_recommendations", run_id="quoted")
    world.pipeline = kept
    assert items(world, person)["quoted"].rationale.startswith("It's 100% yours; $")
