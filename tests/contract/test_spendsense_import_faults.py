"""Imports that meet somebody else, or lose their database."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import psycopg
import pytest

from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.spendsense.ledger import PostgresLedger
from chalicelib.adapters.spendsense.people import PostgresConsents, PostgresPeople
from chalicelib.adapters.spendsense.records import PostgresRecords
from chalicelib.errors import NotFound
from chalicelib.spendsense.models import ConsentRecord, TransactionsQuery
from tests.contract.spendsense_crowd import DERIVED, Aside, counts, waiting
from tests.contract.spendsense_database import Target, fresh_database, seen_by_all
from tests.contract.spendsense_people import NOW, World, account, owned, rows, transaction
from tests.patience import PATIENCE_MS
from tests.sizes import sized
from tests.unit.test_memory import FUNCTIONS, OURS, ROOT

REVOKED = ConsentRecord(granted=False, policy_version="1", recorded_at=NOW)
FILE = owned("ann", rows([account()], [transaction(n % 28, 5.0 + n, merchant=f"Shop {n % 7}") for n in range(60)]))


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
    with ExitStack() as stack:
        yield lambda: stack.enter_context(
            closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS, pause=lambda _: None))
        )


def test_two_imports_of_one_person_at_once(world: World, url: str, another: Callable[[], Postgres]) -> None:
    ann = world.add("ann", rows())
    ledgers = [PostgresLedger(another()) for _ in range(2)]
    with psycopg.connect(seen_by_all(url)) as blocker:
        blocker.execute("SELECT 1 FROM spendsense.standings FOR UPDATE")
        imports = [Aside(lambda ledger=ledger: ledger.save(ann, FILE, NOW)) for ledger in ledgers]
        waiting(url, 2)
    results = [one.result() for one in imports]
    assert sorted(one.saved["transactions"] for one in results) == [0, 60]
    numbers = world.all("SELECT transaction_id AS n FROM spendsense.transactions ORDER BY 1")
    assert [row.n for row in numbers] == list(range(1, 61))
    assert world.one("SELECT count(*) AS n, max(merchant_id) AS last FROM spendsense.merchants") == (7, 7)


def test_an_import_while_the_person_is_being_erased(world: World, url: str, another: Callable[[], Postgres]) -> None:
    ann = world.add("ann", rows())
    ledger, people = PostgresLedger(another()), PostgresPeople(another())

    def refused() -> str:
        with pytest.raises(NotFound):
            ledger.save(ann, FILE, NOW)
        return "refused"

    with psycopg.connect(seen_by_all(url)) as blocker:
        blocker.execute("SELECT 1 FROM spendsense.standings FOR UPDATE")
        erased = Aside(lambda: people.erase(ann))
        waiting(url, 1)
        imported = Aside(refused)
        waiting(url, 2)
    assert (erased.result(), imported.result()) == (True, "refused")
    assert world.all("SELECT 1 FROM spendsense.transactions") == []


def test_a_person_erased_while_an_import_runs(world: World, url: str, another: Callable[[], Postgres]) -> None:
    ann = world.add("ann", rows())
    ledger, people = PostgresLedger(another()), PostgresPeople(another())
    with psycopg.connect(seen_by_all(url)) as blocker:
        blocker.execute("SELECT 1 FROM spendsense.standings FOR UPDATE")
        imported = Aside(lambda: ledger.save(ann, FILE, NOW))
        waiting(url, 1)
        erased = Aside(lambda: people.erase(ann))
        waiting(url, 2)
    assert (imported.result().saved["transactions"], erased.result()) == (60, True)
    for table in ("profiles", "accounts", "transactions", "merchants"):
        assert world.all(f"SELECT 1 FROM spendsense.{table}") == []


def test_a_consent_revoked_in_mid_import(world: World, url: str, another: Callable[[], Postgres]) -> None:
    ann = world.add("ann", rows())
    ledger, consents = PostgresLedger(another()), PostgresConsents(another())
    with psycopg.connect(seen_by_all(url)) as blocker:
        blocker.execute("SELECT 1 FROM spendsense.standings FOR UPDATE")
        imported = Aside(lambda: ledger.save(ann, FILE, NOW))
        waiting(url, 1)
        revoked = Aside(lambda: consents.record(ann, REVOKED))
        waiting(url, 2)
    assert (imported.result().saved["transactions"], revoked.result()) == (60, True)
    assert world.run(run_id="night") == 0
    assert counts(world) == {**dict.fromkeys(DERIVED, 0), "decision_traces": 1}


@pytest.mark.parametrize(
    "held",
    [
        "SELECT 1 FROM spendsense.standings FOR UPDATE",
        "INSERT INTO spendsense.merchants SELECT user_id, 99, 'shop 3', '' FROM spendsense.profiles",
    ],
    ids=["before its first row", "after its accounts"],
)
def test_a_database_that_fails_over_in_mid_import(
    world: World, url: str, another: Callable[[], Postgres], held: str
) -> None:
    """The transaction is gone with its server; the import runs again from its start, and counts once."""
    ann = world.add("ann", rows())
    ledger = PostgresLedger(another())
    with psycopg.connect(seen_by_all(url)) as blocker:
        blocker.execute(held.encode())
        imported = Aside(lambda: ledger.save(ann, FILE, NOW))
        waiting(url, 1)
        with psycopg.connect(seen_by_all(url), autocommit=True) as killer:
            killer.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            assert killer.execute("SELECT count(*) FROM spendsense.accounts").fetchone() == (0,)
        waiting(url, 1)
        blocker.rollback()
    assert imported.result().saved["transactions"] == 60
    assert len(world.all("SELECT 1 FROM spendsense.transactions")) == 60
    assert world.one("SELECT count(*) AS n FROM spendsense.merchants WHERE key = 'shop 3'").n == 1


def test_another_persons_cursor_opens_nothing_of_theirs(world: World) -> None:
    ann = world.add("ann", FILE_OF_ANN)
    bob = world.add("bob", FILE_OF_ANN)
    records = PostgresRecords(world.database)
    page = records.transactions(bob, TransactionsQuery(limit=5), None) or []
    after = page[4][0]
    mine = records.transactions(ann, TransactionsQuery(limit=200), after) or []
    assert {row.account_id for _, row in mine} == {"ann:checking"}
    assert all(position < after for position, _ in mine)


FILE_OF_ANN = rows([account()], [transaction(n, 5.0, external_id=f"t{n}") for n in range(12)])


@pytest.mark.load
def test_a_file_of_100_000_rows_in_the_functions_memory(world: World, url: str) -> None:
    ann = world.add("ann", rows())
    count, memory = sized(20_000, 100_000), int(FUNCTIONS["api_handler"]["lambda_memory_size"] * OURS)
    command = [sys.executable, "-m", "tests.contract.spendsense_limited", str(count), str(memory), str(ann)]
    done = subprocess.run(command, cwd=ROOT, input=url, capture_output=True, text=True, check=False)
    assert done.stdout.split() == [str(count)], done.stderr
