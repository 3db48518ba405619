"""Migrations on a real database: in order, once, complete, and never edited afterwards."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest

from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.spendsense.schema import PostgresSchema
from chalicelib.errors import Conflict, OmnibusError
from chalicelib.spendsense.schema import Migration, Migrations, packaged_migrations
from tests.contract.spendsense_database import Target, empty_database
from tests.patience import PATIENCE_MS, PATIENCE_S

ONE = Migration(1, "one", "CREATE TABLE one (id integer);")
TWO = Migration(2, "two", "CREATE TABLE two (id integer); INSERT INTO two VALUES (1);")
BROKEN = Migration(2, "two", "CREATE TABLE two (id integer); INSERT INTO missing VALUES (1);")


@pytest.fixture
def url() -> Iterator[str]:
    with empty_database() as url:
        yield url


@pytest.fixture
def schema(url: str) -> Iterator[PostgresSchema]:
    with closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as database:
        yield PostgresSchema(database)


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname IN ('public', 'spendsense')")
        return {row[0] for row in found}


def migrate(schema: PostgresSchema, *available: Migration) -> list[str]:
    return Migrations(schema=schema, available=available).migrate().applied


def test_an_empty_database_gets_everything_once(schema: PostgresSchema, url: str) -> None:
    available = packaged_migrations()
    assert migrate(schema, *available) == [f"{step.version:04d}_{step.name}" for step in available]
    assert migrate(schema, *available) == []
    assert {"profiles", "transactions", "computed_features", "operator_actions", "schema_migrations"} <= tables(url)


def test_only_what_is_new_is_applied(schema: PostgresSchema) -> None:
    assert migrate(schema, ONE) == ["0001_one"]
    assert migrate(schema, ONE, TWO) == ["0002_two"]


def test_a_migration_that_fails_halfway_leaves_nothing_of_itself(schema: PostgresSchema, url: str) -> None:
    with pytest.raises(OmnibusError):
        migrate(schema, ONE, BROKEN)
    assert tables(url) == {"one", "schema_migrations"}
    assert migrate(schema, ONE, TWO) == ["0002_two"]


def test_a_changed_past_is_refused_before_anything_is_done(schema: PostgresSchema, url: str) -> None:
    migrate(schema, ONE)
    with pytest.raises(Conflict, match="0001_one was changed"):
        migrate(schema, replace(ONE, text=ONE.text + " "), TWO)
    assert "two" not in tables(url)


def test_a_past_that_the_files_lack_is_refused(schema: PostgresSchema) -> None:
    migrate(schema, ONE, TWO)
    with pytest.raises(Conflict, match="0002"):
        migrate(schema, ONE)


def test_two_runners_at_once_apply_each_migration_once(url: str) -> None:
    done: list[list[str]] = []

    def run() -> None:
        with closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as own:
            done.append(migrate(PostgresSchema(own), *packaged_migrations()))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_S)
    assert len(done) == 3
    assert sorted(name for names in done for name in names) == [
        f"{step.version:04d}_{step.name}" for step in packaged_migrations()
    ]
