"""Operators' figures, and text that looks like SQL in people's and operators' input."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.spendsense.oversight import PostgresAudit, PostgresOversight, PostgresReviews
from chalicelib.adapters.spendsense.records import PostgresExplanations, PostgresRecords
from chalicelib.errors import Unprocessable
from chalicelib.spendsense.models import ConsentRecord, Feedback, ReviewQuery, TransactionsQuery, UsersQuery
from chalicelib.spendsense.orders import JobOrder
from chalicelib.spendsense.values import Deed
from tests.contract.spendsense_database import Target, fresh_database
from tests.contract.spendsense_people import JOBS, NOW, TODAY, World, account, subject, transaction
from tests.contract.spendsense_people import seasoned as rows
from tests.contract.test_spendsense_ledger import ATTACKS
from tests.patience import PATIENCE_MS


@pytest.fixture
def world() -> Iterator[World]:
    with fresh_database() as url, closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as database:
        yield World(database)


PLAIN = rows([account()], [transaction(2 * number, 10.0 + number) for number in range(12)])
INDEBTED = rows([account(), account("credit card", 900.0, limit=1000.0)], [transaction(1, 10.0)])


def test_nobody_has_no_shares(world: World) -> None:
    metrics = PostgresOversight(world.database).metrics()
    assert (metrics.users, metrics.consented, metrics.with_data) == (0, 0, 0)
    assert (metrics.persona_coverage, metrics.rationale_coverage, metrics.largest_gap) == (None, None, None)
    assert (metrics.personas, metrics.fairness, metrics.runs) == ({}, {}, [])


def test_coverage_counts_people_who_consented_and_have_data(world: World) -> None:
    world.add("ann", PLAIN)
    world.add("private", PLAIN, consent=False)
    world.add("empty", rows())
    oversight = PostgresOversight(world.database)
    before = oversight.metrics()
    assert (before.users, before.consented, before.with_data, before.persona_coverage) == (3, 2, 1, 0.0)
    world.run(run_id="night")
    after = oversight.metrics()
    assert (after.persona_coverage, after.behaviour_coverage) == (1.0, 1.0)
    assert (after.rationale_coverage, after.trace_coverage) == (1.0, 1.0)
    assert after.personas == {"general_wellness": 1, "insufficient_data": 1}
    assert {run.job: run.users for run in after.runs} == {
        "compute_features": 2,
        "assign_persona": 2,
        "generate_recommendations": 2,
    }


def test_the_runs_that_operators_see_are_those_for_everybody(world: World) -> None:
    """An import makes three more each time: the night would be out of sight by the morning."""
    ann = world.add("ann", PLAIN)
    world.run(run_id="night")
    for number in range(10):
        for job in JOBS:
            world.pipeline.begin(job, JobOrder(f"import {number}", TODAY, subject=ann), NOW + timedelta(hours=1))
    runs = PostgresOversight(world.database).metrics().runs
    assert [run.run_id for run in runs] == ["night"] * 3


def test_a_survey_is_kept_until_the_next(world: World) -> None:
    world.add("ann", PLAIN)
    world.run(run_id="first")
    oversight = PostgresOversight(world.database)
    assert oversight.metrics().measured_at is None
    found = oversight.survey(TODAY)
    assert (found.users, found.persona_coverage, found.measured_at is not None) == (1, 1.0, True)
    world.add("bob", INDEBTED)
    world.run(run_id="second")
    later = oversight.metrics()
    assert (later.users, later.personas, later.measured_at) == (1, {"general_wellness": 1}, found.measured_at)
    assert {run.run_id for run in later.runs} == {"first", "second"}
    assert oversight.survey(TODAY).personas == {"general_wellness": 1, "high_utilization": 1}
    assert oversight.metrics().users == 2


def test_surveys_of_past_days_stay(world: World) -> None:
    world.add("ann", PLAIN)
    world.run()
    oversight = PostgresOversight(world.database)
    for day in (TODAY - timedelta(days=1), TODAY, TODAY):
        oversight.survey(day)
    found = oversight.past_surveys(10)
    assert [point.as_of for point in found] == [TODAY, TODAY - timedelta(days=1)]
    assert found[0].figures["personas"] == {"general_wellness": 1}
    assert len(oversight.past_surveys(1)) == 1


def test_an_export_holds_every_table_of_the_person_and_nobody_elses(world: World) -> None:
    world.add("ann", INDEBTED)
    world.add("bob", INDEBTED)
    world.run()
    records = PostgresRecords(world.database)
    kept = records.kept(subject("ann"))
    assert kept is not None
    assert "bob" not in str(kept)
    tables = world.all(
        "SELECT DISTINCT table_name FROM information_schema.columns "
        "WHERE table_schema = 'spendsense' AND column_name = 'user_id'"
    )
    exported = {"profiles", "consent_records", "accounts", "liabilities", "liability_payments", "liability_statements"}
    exported |= {
        "merchants",
        "computed_features",
        "persona_assignments",
        "recommendations",
        "decision_traces",
        "feedback",
    }
    assert {row.table_name for row in tables} - exported == {"transactions", "standings", "listeners"}
    assert {"profile", "consents", "accounts", "signals", "personas", "recommendations", "traces"} <= set(kept)


def test_a_recommendation_without_its_trace_shows(world: World) -> None:
    world.add("ann", PLAIN)
    world.run()
    world.all("DELETE FROM spendsense.decision_traces WHERE item_id = 'monthly-review' RETURNING 1")
    coverage = PostgresOversight(world.database).metrics().trace_coverage
    assert coverage is not None
    assert coverage < 1


def test_the_largest_gap_is_between_cohorts_that_are_large_enough(world: World) -> None:
    for number in range(64):
        cohort = "small" if number >= 60 else "one" if number < 30 else "two"
        # a third of cohort one, two thirds of cohort two, all of the small one
        indebted = number % 3 == 0 if cohort == "one" else number % 3 != 0 if cohort == "two" else True
        person = world.add(f"p{number}", INDEBTED if indebted else PLAIN)
        world.all("UPDATE spendsense.profiles SET cohort = %s WHERE subject = %s RETURNING 1", cohort, person)
    world.run()
    metrics = PostgresOversight(world.database).metrics()
    assert metrics.fairness["one"]["high_utilization"] == pytest.approx(1 / 3)
    assert metrics.fairness["two"]["high_utilization"] == pytest.approx(2 / 3)
    assert metrics.fairness["small"] == {"high_utilization": 1.0}
    assert metrics.largest_gap == pytest.approx(1 / 3)


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_people_and_operators_write_is_text(world: World, attack: str) -> None:
    ann = world.add("ann", INDEBTED)
    world.run()
    found = PostgresRecords(world.database).recommended(ann, 30)
    assert found
    wanted = found[0].recommendation_id
    feedback = Feedback(recommendation_id=wanted, helpful=False, comment=attack, given_at=NOW)
    assert PostgresExplanations(world.database).keep_feedback(ann, feedback) is True
    assert world.one("SELECT comment FROM spendsense.feedback").comment == attack
    deed = Deed(subject("olga"), attack, None, wanted, attack, attack, NOW)
    assert PostgresReviews(world.database).judge(wanted, "flagged", deed) is True
    audit = PostgresAudit(world.database)
    assert (audit.actions_on(ann)[0].action, audit.actions_on(ann)[0].reason) == (attack, attack)
    audit.denied(ann, attack, attack, attack, NOW)
    assert world.one("SELECT resource FROM spendsense.access_denials").resource == attack
    assert PostgresOversight(world.database).users(UsersQuery(persona=attack[:50]), None) == []
    assert PostgresRecords(world.database).transactions(ann, TransactionsQuery(account_id=attack), None) is None
    assert PostgresReviews(world.database).waiting(ReviewQuery(status=attack), None) == []  # type: ignore[arg-type]
    record = ConsentRecord(granted=False, policy_version=attack[:50], recorded_at=NOW)
    assert world.consents.record(ann, record) is True
    assert world.one("SELECT count(*) FROM spendsense.profiles").count == 1


def test_a_resource_that_cannot_be_stored_is_stored_as_far_as_it_can(world: World) -> None:
    PostgresAudit(world.database).denied(None, "a\x00b" + "x" * 400, "no such user", "", NOW)
    resource = world.one("SELECT resource FROM spendsense.access_denials").resource
    assert resource.startswith("a�bx")
    assert len(resource) == 300


def test_a_cursor_of_another_list(world: World) -> None:
    ann = world.add("ann", PLAIN)
    with pytest.raises(Unprocessable) as of_reviews:
        PostgresReviews(world.database).waiting(ReviewQuery(), ("2026-11-21", 5))
    with pytest.raises(Unprocessable) as of_transactions:
        PostgresRecords(world.database).transactions(ann, TransactionsQuery(), (str(ann), 0))
    assert {raised.value.problems[0].field for raised in (of_reviews, of_transactions)} == {"cursor"}
