"""Jobs with concurrent changes: consent revoked, new rows, people who leave, other runs."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import psycopg
import pytest

from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.spendsense.people import PostgresConsents, PostgresPeople
from chalicelib.adapters.spendsense.pipeline import PostgresPipeline
from chalicelib.spendsense.catalogue import packaged_catalogue
from chalicelib.spendsense.models import ConsentRecord
from chalicelib.spendsense.orders import JobOrder
from tests.contract.spendsense_crowd import DERIVED, Aside, counts, crowd, waiting
from tests.contract.spendsense_database import Target, fresh_database, seen_by_all
from tests.contract.spendsense_people import JOBS, NOW, TODAY, World, account, rows, subject, transaction
from tests.patience import PATIENCE_MS

REVOKED = ConsentRecord(granted=False, policy_version="1", recorded_at=NOW)


@pytest.fixture
def url() -> Iterator[str]:
    with fresh_database() as url:
        yield url


@pytest.fixture
def world(url: str) -> Iterator[World]:
    with closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS, pause=lambda _: None)) as database:
        yield World(database)


@pytest.fixture
def another(url: str) -> Iterator[Callable[[], Postgres]]:
    """More connections to the same database, as more containers have."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)))


@pytest.mark.parametrize("job", JOBS)
def test_consent_revoked_while_a_job_runs(world: World, url: str, another: Callable[[], Postgres], job: Any) -> None:
    (person,) = crowd(world, 1)
    for earlier in JOBS[: JOBS.index(job)]:
        world.run(earlier, run_id="night")
    with psycopg.connect(seen_by_all(url)) as blocker:
        # The job claims the person, then waits here: its rows refer to the profile.
        blocker.execute("SELECT 1 FROM spendsense.profiles FOR UPDATE")
        pipeline, consents = PostgresPipeline(another(), packaged_catalogue()), PostgresConsents(another())
        batch = Aside(lambda: pipeline.advance(job, JobOrder("night", TODAY), 100, NOW))
        waiting(url, 1)
        revoked = Aside(lambda: consents.record(person, REVOKED))
        waiting(url, 2)
        blocker.rollback()
        assert (batch.result(), revoked.result()) == (1, True)
    assert counts(world) == dict.fromkeys(DERIVED, 0)
    world.run(run_id="after")
    assert counts(world) == {**dict.fromkeys(DERIVED, 0), "decision_traces": 1}


def test_a_job_that_comes_while_consent_is_being_revoked_leaves_the_person_out(
    world: World, url: str, another: Callable[[], Postgres]
) -> None:
    crowd(world, 1)
    with psycopg.connect(seen_by_all(url)) as revoking:
        revoking.execute("SELECT 1 FROM spendsense.standings FOR UPDATE")
        pipeline = PostgresPipeline(another(), packaged_catalogue())
        batch = Aside(lambda: pipeline.advance("compute_features", JobOrder("night", TODAY), 100, NOW))
        waiting(url, 1)
        revoking.execute("UPDATE spendsense.standings SET consented = false")
    assert batch.result() == 0
    assert counts(world) == dict.fromkeys(DERIVED, 0)


def test_a_person_locked_by_another_stage_is_waited_for(
    world: World, url: str, another: Callable[[], Postgres]
) -> None:
    """Else an event's run finds the person locked, does nothing, and nobody does it until the next night."""
    people = crowd(world, 1)
    with psycopg.connect(seen_by_all(url)) as holder:
        holder.execute("SELECT 1 FROM spendsense.standings FOR UPDATE")
        pipeline = PostgresPipeline(another(), packaged_catalogue())
        order = JobOrder("event", TODAY, subject=people[0])
        batch = Aside(lambda: pipeline.advance("compute_features", order, 100, NOW))
        waiting(url, 1)
    assert batch.result() == 1


def test_a_person_deleted_while_a_job_runs(world: World, url: str, another: Callable[[], Postgres]) -> None:
    people = crowd(world, 2)
    with psycopg.connect(seen_by_all(url)) as blocker:
        blocker.execute("SELECT 1 FROM spendsense.profiles WHERE subject = %s FOR UPDATE", [people[1]])
        pipeline, registry = PostgresPipeline(another(), packaged_catalogue()), PostgresPeople(another())
        batch = Aside(lambda: pipeline.advance("compute_features", JobOrder("night", TODAY), 100, NOW))
        waiting(url, 1)
        erased = Aside(lambda: registry.erase(people[0]))
        waiting(url, 2)
        blocker.rollback()
        assert (batch.result(), erased.result()) == (2, True)
    left = world.all("SELECT DISTINCT user_id FROM spendsense.computed_features")
    assert len(left) == 1
    assert world.features(people[1]).transactions == 12


def test_a_person_without_consent_erased_while_a_run_ends(
    world: World, url: str, another: Callable[[], Postgres]
) -> None:
    """A trace that says "no consent" for whom there is no more would fail the run when everything is done."""
    world.add("leaving", rows(), consent=False)
    staying = world.add("staying", rows(), consent=False)
    order = JobOrder("night", TODAY)
    world.pipeline.begin("generate_recommendations", order, NOW)
    with psycopg.connect(seen_by_all(url)) as leaving:
        leaving.execute("DELETE FROM spendsense.profiles WHERE subject = %s", [subject("leaving")])
        pipeline = PostgresPipeline(another(), packaged_catalogue())
        end = Aside(lambda: pipeline.finish("generate_recommendations", order, NOW))
        assert end.result().finished is True
    traced = world.all("SELECT subject FROM spendsense.decision_traces JOIN spendsense.profiles USING (user_id)")
    assert [row.subject for row in traced] == [staying]


def test_two_runs_at_once_share_the_people(world: World, another: Callable[[], Postgres]) -> None:
    crowd(world, 20)

    def compute(run_id: str) -> int:
        pipeline = PostgresPipeline(another(), packaged_catalogue())
        order = JobOrder(run_id, TODAY)
        pipeline.begin("compute_features", order, NOW)
        total = 0
        while done := pipeline.advance("compute_features", order, 3, NOW):
            total += done
        return total

    workers = [Aside(lambda name=name: compute(name)) for name in ("one", "two")]  # type: ignore[misc]
    assert sum(worker.result() for worker in workers) == 20
    assert counts(world)["computed_features"] == 60


def test_rows_that_come_while_their_person_is_computed_are_computed_next(
    world: World, url: str, another: Callable[[], Postgres]
) -> None:
    (person,) = crowd(world, 1)
    with psycopg.connect(seen_by_all(url)) as blocker:
        blocker.execute("SELECT 1 FROM spendsense.profiles FOR UPDATE")
        pipeline = PostgresPipeline(another(), packaged_catalogue())
        batch = Aside(lambda: pipeline.advance("compute_features", JobOrder("night", TODAY), 100, NOW))
        waiting(url, 1)
        late = World(another())
        import_ = Aside(lambda: late.add("person 0", rows([account()], [transaction(1, 1000.0)])))
        waiting(url, 2)
        blocker.rollback()
        batch.result()
        import_.result()
    spent = world.features(person).spend_cents
    assert world.run("compute_features", run_id="next") == 1
    assert world.features(person).spend_cents == spent + 100_000


@pytest.mark.parametrize("job", JOBS)
def test_stages_due_without_consent_are_skipped(world: World, job: Any) -> None:
    """A flag that should not be there is not believed."""
    world.add("private", rows([account()], [transaction(1, 5.0)]), consent=False)
    world.all(
        "UPDATE spendsense.standings SET features_due = true, persona_due = true, recommendations_due = true "
        "RETURNING 1"
    )
    assert world.run(job) == 0
