"""The jobs under everything that may go wrong: repeats, restarts, deadlocks, rotated passwords, too many rows."""

import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from chalicelib.adapters.postgres import Postgres, only
from chalicelib.adapters.spendsense.pipeline import BATCH_SETTINGS, PostgresPipeline
from chalicelib.adapters.spendsense.records import PostgresRecords
from chalicelib.adapters.spendsense.roles import for_person
from chalicelib.errors import UpstreamTimeout, UpstreamUnavailable
from chalicelib.spendsense import sql
from chalicelib.spendsense.catalogue import packaged_catalogue
from chalicelib.spendsense.jobs import REFRESH_DAYS, RESERVE_S, InsightJobs
from chalicelib.spendsense.models import ProfileChange, TransactionsQuery
from chalicelib.spendsense.orders import JobOrder
from chalicelib.spendsense.paging import Position
from tests.contract.spendsense_crowd import DERIVED, Aside, counts, crowd, dump, waiting
from tests.contract.spendsense_database import Target, engine, fresh_database, seen_by_all
from tests.contract.spendsense_people import JOBS, NOW, TODAY, World, account, days_ago, rows, subject, transaction
from tests.fakes.spendsense_aws import FakeAnnouncements
from tests.patience import PATIENCE_MS, PATIENCE_S, until


@pytest.fixture
def url() -> Iterator[str]:
    with fresh_database() as url:
        yield url


@pytest.fixture
def world(url: str) -> Iterator[World]:
    with closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS, pause=lambda _: None)) as database:
        yield World(database)


def run_jobs(database: Postgres, order: JobOrder, now: datetime = NOW) -> list[Any]:
    jobs = InsightJobs(
        pipeline=PostgresPipeline(database, packaged_catalogue()),
        announcements=FakeAnnouncements(),
        clock=lambda: now,
        count=lambda name, value: None,
    )
    return [jobs.run(job, order, lambda: 300.0) for job in JOBS]


# -- repeats


def test_the_same_run_again_is_known_as_done(world: World) -> None:
    crowd(world)
    first = run_jobs(world.database, JobOrder("night", TODAY))
    before = dump(world)
    again = run_jobs(world.database, JobOrder("night", TODAY), now=NOW + timedelta(hours=1))
    assert [outcome.users for outcome in first] == [6, 6, 6]
    assert [outcome.already_done for outcome in again] == [True, True, True]
    assert dump(world) == before


def test_everything_computed_again_writes_nothing(world: World) -> None:
    crowd(world)
    run_jobs(world.database, JobOrder("first", TODAY))
    before = dump(world)
    again = run_jobs(world.database, JobOrder("second", TODAY, everyone=True), now=NOW + timedelta(hours=1))
    assert [outcome.users for outcome in again] == [6, 6, 6]
    assert dump(world) == before


def test_an_ordinary_night_computes_only_people_with_new_rows(world: World) -> None:
    people = crowd(world)
    run_jobs(world.database, JobOrder("first", TODAY, nightly=True))
    tomorrow = TODAY + timedelta(days=1)
    world.add("person 2", rows([account()], [transaction(0, 99.0)]))
    outcomes = run_jobs(world.database, JobOrder("second", tomorrow, nightly=True))
    assert [outcome.users for outcome in outcomes] == [1, 1, 1]
    assert world.features(people[2]).as_of == tomorrow
    assert world.features(people[1]).as_of == TODAY


def test_windows_move_on_where_nothing_is_new(world: World) -> None:
    people = crowd(world, 2)
    run_jobs(world.database, JobOrder("first", TODAY, nightly=True))
    for days, users in ((REFRESH_DAYS - 1, 0), (REFRESH_DAYS, 2)):
        later = TODAY + timedelta(days=days)
        assert run_jobs(world.database, JobOrder(f"after {days}", later, nightly=True))[0].users == users
    assert world.features(people[0]).as_of == TODAY + timedelta(days=REFRESH_DAYS)
    assert world.features(people[0]).transactions < 12


def test_an_event_for_one_person_leaves_the_others(world: World) -> None:
    people = crowd(world)
    outcomes = run_jobs(world.database, JobOrder("signup", TODAY, subject=people[3]))
    assert [outcome.users for outcome in outcomes] == [1, 1, 1]
    counted = world.all(
        "SELECT DISTINCT subject FROM spendsense.computed_features JOIN spendsense.profiles USING (user_id)"
    )
    assert [row.subject for row in counted] == [people[3]]


def test_each_stage_announces_the_next_with_the_same_run(world: World) -> None:
    people = crowd(world, 1)
    announcements = FakeAnnouncements()
    jobs = InsightJobs(
        pipeline=world.pipeline, announcements=announcements, clock=lambda: NOW, count=lambda name, value: None
    )
    for job in JOBS:
        jobs.run(job, JobOrder("night", TODAY, subject=people[0]), lambda: 300.0)
    detail = {"run_id": "night", "as_of": "2026-11-21", "subject": str(people[0])}
    assert announcements.made == [
        ("Features Computed", detail),
        ("Persona Assigned", detail),
        ("Recommendations Generated", detail),
    ]


# -- cut short


def test_a_run_without_time_left_goes_on_from_where_it_was(world: World) -> None:
    crowd(world)
    left = iter([300.0, 300.0, 1.0])
    jobs = InsightJobs(
        pipeline=world.pipeline,
        announcements=FakeAnnouncements(),
        clock=lambda: NOW,
        count=lambda name, value: None,
        batch=dict.fromkeys(JOBS, 2),
    )
    with pytest.raises(UpstreamUnavailable):
        jobs.run("compute_features", JobOrder("night", TODAY), lambda: next(left))
    assert len(dump(world)["computed_features"]) == 4 * 3
    outcome = jobs.run("compute_features", JobOrder("night", TODAY), lambda: 300.0)
    assert (outcome.users, outcome.batches) == (6, 3)
    assert world.one("SELECT attempts FROM spendsense.job_runs").attempts == 2


@pytest.mark.parametrize("job", JOBS)
def test_the_database_restarted_in_mid_job(world: World, job: Any) -> None:
    crowd(world)
    order = JobOrder("night", TODAY)
    for earlier in JOBS[: JOBS.index(job)]:
        world.run(earlier, run_id="night")
    world.pipeline.begin(job, order, NOW)
    assert world.pipeline.advance(job, order, 2, NOW) == 2
    engine().restart()
    while world.pipeline.advance(job, order, 2, NOW):
        pass
    assert world.pipeline.finish(job, order, NOW).users == 6
    for later in JOBS[JOBS.index(job) + 1 :]:
        world.run(later, run_id="night")
    interrupted = dump(world)
    run_jobs(world.database, JobOrder("check", TODAY, everyone=True))
    assert dump(world) == interrupted


@pytest.mark.parametrize("job", JOBS)
def test_a_batch_that_dies_halfway_leaves_nothing(world: World, job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(world)
    for earlier in JOBS[: JOBS.index(job)]:
        world.run(earlier, run_id="night")
    before = dump(world, *DERIVED, "standings", "job_runs")
    stages = world.pipeline._stages
    stages[job] = stages[job]._replace(settle="SELECT 1 / 0")
    with pytest.raises(Exception, match="value is not acceptable"):
        world.pipeline.advance(job, JobOrder("night", TODAY), 100, NOW)
    assert dump(world, *DERIVED, "standings", "job_runs") == before


def test_a_batch_that_takes_too_long_is_cut_smaller(world: World) -> None:
    crowd(world)

    class Slow:
        """Takes too long with more than one person."""

        begin, finish, forget = world.pipeline.begin, world.pipeline.finish, world.pipeline.forget
        sizes: list[int] = []

        def advance(self, job: Any, order: JobOrder, size: int, now: Any) -> int:
            self.sizes.append(size)
            if size > 1:
                raise UpstreamTimeout("too long")
            return world.pipeline.advance(job, order, size, now)

    jobs = InsightJobs(
        pipeline=Slow(),
        announcements=FakeAnnouncements(),
        clock=lambda: NOW,
        count=lambda name, value: None,
        batch=dict.fromkeys(JOBS, 16),
    )
    assert jobs.run("compute_features", JobOrder("night", TODAY), lambda: 300.0).users == 6
    assert Slow.sizes[:3] == [16, 4, 1]


def test_a_statement_over_its_limit_is_a_timeout(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(world, 1)
    stages = world.pipeline._stages
    stages["compute_features"] = stages["compute_features"]._replace(work="SELECT pg_sleep(600), 1 AS user_id")
    monkeypatch.setitem(world.pipeline.__class__.advance.__globals__["BATCH_SETTINGS"], "statement_timeout", "50")
    with pytest.raises(UpstreamTimeout):
        world.pipeline.advance("compute_features", JobOrder("night", TODAY), 1, NOW)


def test_an_event_that_could_not_be_announced_is_announced_by_the_next_delivery(world: World) -> None:
    crowd(world, 2)
    announcements = FakeAnnouncements()
    announcements.fail = UpstreamUnavailable("the bus is down")
    jobs = InsightJobs(
        pipeline=world.pipeline, announcements=announcements, clock=lambda: NOW, count=lambda name, value: None
    )
    with pytest.raises(UpstreamUnavailable):
        jobs.run("compute_features", JobOrder("night", TODAY), lambda: 300.0)
    announcements.fail = None
    outcome = jobs.run("compute_features", JobOrder("night", TODAY), lambda: 300.0)
    assert (outcome.users, len(announcements.made)) == (2, 1)


def test_a_batch_is_over_before_its_function_is() -> None:
    """Waiting for people, then working on them: what starts with the reserve left must end within it."""
    longest_ms = int(BATCH_SETTINGS["lock_timeout"]) + int(BATCH_SETTINGS["statement_timeout"])
    assert longest_ms <= 1000 * RESERVE_S


def sleep_in_a_batch(url: str) -> None:
    """What a function does that is about to be killed."""
    with closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as database:
        pipeline = PostgresPipeline(database, packaged_catalogue())
        stages = pipeline._stages
        stages["compute_features"] = stages["compute_features"]._replace(work="SELECT pg_sleep(60), 1 AS user_id")
        pipeline.advance("compute_features", JobOrder("night", TODAY), 100, NOW)


def test_a_function_killed_in_mid_batch_gives_its_people_back(world: World, url: str) -> None:
    """Its statement would go on without it, and hold them, until its time is over."""
    crowd(world, 2)
    function = multiprocessing.get_context("spawn").Process(target=sleep_in_a_batch, args=(url,))
    function.start()
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    try:
        until(lambda: world.one(sleeping).count == 1)
    finally:
        function.kill()
        function.join()
    until(lambda: world.one(sleeping).count == 0)
    assert world.run("compute_features", run_id="night") == 2
    assert counts(world)["computed_features"] == 6


def test_a_deadlock_in_a_batch_is_resolved_and_nothing_is_done_twice(world: World, url: str) -> None:
    crowd(world, 2)
    pauses: list[float] = []
    writer_went_on = threading.Event()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        assert writer_went_on.wait(timeout=PATIENCE_S)

    own = Postgres(Target(url), statement_timeout_ms=PATIENCE_MS, pause=pause)
    with closing(own), psycopg.connect(seen_by_all(url)) as writer:
        writer.execute("SET deadlock_timeout = '1min'")  # so that the batch is the one that gives way
        writer.execute("SELECT 1 FROM spendsense.profiles FOR UPDATE")
        pipeline = PostgresPipeline(own, packaged_catalogue())
        batch = Aside(lambda: pipeline.advance("compute_features", JobOrder("night", TODAY), 100, NOW))
        waiting(url, 1)
        writer.execute("UPDATE spendsense.standings SET features_due = true")
        writer_went_on.set()
        assert counts(world)["computed_features"] == 0
        writer.commit()
        assert batch.result() == 2
    assert len(pauses) == 1
    assert counts(world)["computed_features"] == 6


def test_a_password_rotated_in_mid_job(world: World, url: str) -> None:
    """What was committed stays; the next batch finds its connection gone and its secret stale, and goes on."""
    crowd(world, 4)
    old, new = (psycopg.conninfo.make_conninfo(url, user="rotated", password=word) for word in ("old", "new"))
    with psycopg.connect(seen_by_all(url), autocommit=True) as admin:
        admin.execute("CREATE ROLE rotated LOGIN NOINHERIT PASSWORD 'old' IN ROLE spendsense_staff")
        try:
            target = Target(old, new)
            with closing(Postgres(target, statement_timeout_ms=PATIENCE_MS)) as database:
                pipeline, order = PostgresPipeline(database, packaged_catalogue()), JobOrder("night", TODAY)
                pipeline.begin("compute_features", order, NOW)
                assert pipeline.advance("compute_features", order, 2, NOW) == 2
                admin.execute("ALTER ROLE rotated PASSWORD 'new'")
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotated'")
                assert pipeline.advance("compute_features", order, 2, NOW) == 2
                assert pipeline.finish("compute_features", order, NOW).users == 4
            assert target.forgotten == 1
        finally:
            admin.execute("DROP ROLE rotated")
    assert counts(world)["computed_features"] == 12


# -- size


def test_a_person_with_200_000_rows(world: World) -> None:
    person = world.add("busy", rows([account()], [transaction(1, 1.0, merchant="Shop")]))
    world.all(
        "INSERT INTO spendsense.transactions (user_id, account_id, merchant_id, category_id, posted_on, amount_cents, "
        "pending, channel, external_id, transaction_id) "
        "SELECT user_id, account_id, merchant_id, category_id, %s::date - n %% 180, 100 + n %% 7, false, 'online', "
        "'bulk ' || n, n + 1 FROM spendsense.transactions, generate_series(1, 199999) n RETURNING 1",
        TODAY,
    )
    world.run()
    row = world.features(person, 180)
    assert row.transactions == 200_000
    assert row.spend_cents == 100 + sum(100 + number % 7 for number in range(1, 200_000))
    records = PostgresRecords(world.database)
    middle: Position = (days_ago(90).isoformat(), 0)
    page = records.transactions(person, TransactionsQuery(limit=200), middle)
    assert page is not None
    assert len(page) == 201
    assert {each.posted_on for _, each in page} == {days_ago(91)}
    assert world.people.erase(person) is True
    assert world.all("SELECT 1 FROM spendsense.transactions LIMIT 1") == []


def test_a_page_in_the_middle_of_200_000_rows_reads_that_page(world: World) -> None:
    """By the index, from where the page before ended: not everything before it."""
    person = world.add("busy", rows([account()], [transaction(1, 1.0)]))
    world.all(
        "INSERT INTO spendsense.transactions (user_id, account_id, category_id, posted_on, amount_cents, "
        "pending, channel, external_id, transaction_id) "
        "SELECT user_id, account_id, category_id, %s::date - n %% 180, 100, false, 'online', 'bulk ' || n, n + 1 "
        "FROM spendsense.transactions, generate_series(1, 20000) n RETURNING 1",
        TODAY,
    )
    world.all("ANALYZE spendsense.transactions")
    parameters = {
        "subject": person, "account_id": None, "since": None, "until": None, "limit": 200,
        "after_day": days_ago(90), "after_position": 0, "at_least_cents": None, "at_most_cents": None,
        "category": None, "merchant": None, "spending": False, "text": None,
    }  # fmt: skip
    text = "EXPLAIN (ANALYZE, FORMAT JSON) " + sql.text("read_transactions")
    explained = for_person(world.database, person, lambda cursor: only(cursor.execute(text, parameters)))
    plan = explained[0][0]["Plan"]
    assert rows_read(plan) <= 210


def rows_read(plan: dict[str, Any]) -> int:
    """How many rows of transactions a plan has gone through."""
    here = 0
    if plan.get("Relation Name") == "transactions":
        here = round(plan["Actual Rows"]) + plan.get("Rows Removed by Filter", 0)
    return here + sum(rows_read(part) for part in plan.get("Plans", ()))


def test_nobody_due_is_no_work(world: World) -> None:
    world.people.register(subject("quiet"), ProfileChange(), NOW)
    assert world.run() == 0
