"""One connection for Lambda, against a real server: limits, restarts, deadlocks, rotation, TLS."""

import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from chalicelib.adapters.postgres import Cursor, DatabaseSecret, Postgres, local_settings
from chalicelib.errors import Conflict, InvalidInput, UpstreamRejected, UpstreamTimeout, UpstreamUnavailable
from tests.contract.spendsense_database import Target, empty_database, engine, seen_by_all
from tests.patience import PATIENCE_MS, PATIENCE_S


class Now:
    """Seconds that only the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with empty_database() as owned:
        url = seen_by_all(owned)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE things (id integer PRIMARY KEY, value text)")
        yield url


@pytest.fixture
def clock() -> Now:
    return Now()


@pytest.fixture
def database(url: str, clock: Now) -> Iterator[Postgres]:
    opened = Postgres(Target(url), statement_timeout_ms=PATIENCE_MS, clock=clock, pause=lambda _: None)
    with closing(opened):
        opened.run(lambda cursor: cursor.execute("TRUNCATE things"))
        yield opened


def value(database: Postgres, text: str, *parameters: Any) -> Any:
    return database.run(lambda cursor: cursor.execute(text, parameters).fetchone())[0]


def insert(number: int, text: str = "") -> Any:
    return lambda cursor: cursor.execute("INSERT INTO things VALUES (%s, %s)", [number, text])


def test_one_connection_serves_every_piece_of_work(database: Postgres) -> None:
    backends = {value(database, "SELECT pg_backend_pid()") for _ in range(10)}
    assert len(backends) == 1
    assert value(database, "SELECT count(*) FROM pg_prepared_statements") == 0


def test_limits_hold_for_one_transaction_only(database: Postgres) -> None:
    def show(cursor: Cursor) -> tuple[str, str]:
        names = ("statement_timeout", "work_mem")
        return tuple(cursor.execute(f"SHOW {name}").fetchone()[0] for name in names)  # type: ignore[return-value,index]

    assert database.run(show, settings={"work_mem": "77MB"}) == ("5min", "77MB")
    assert database.run(show)[1] != "77MB"
    assert database._connection is not None
    assert database._connection.execute("SHOW statement_timeout").fetchone() == ("0",)
    database._connection.rollback()


def test_limits_are_set_in_words_that_a_proxy_takes_for_the_transactions_own(database: Postgres) -> None:
    """RDS Proxy pins a client for good when it sees set_config(), for the transaction when it sees SET LOCAL."""
    assert not re.search(r"set_config|\bSET (?!LOCAL)", local_settings({"work_mem": "64MB", "jit": "off"}))
    assert database.run(lambda cursor: cursor.execute("SHOW jit").fetchone(), settings={"jit": "off"}) == ("off",)


@pytest.mark.parametrize("value", ["'; DROP TABLE things; --", "5s' --"])
def test_a_setting_is_quoted(database: Postgres, value: str) -> None:
    with pytest.raises(InvalidInput):
        database.run(lambda cursor: cursor.execute("SELECT 1"), settings={"statement_timeout": value})
    assert database.run(lambda cursor: cursor.execute("SELECT count(*) FROM things").fetchone()) == (0,)


def test_nothing_is_kept_of_work_that_fails(database: Postgres) -> None:
    def fail(cursor: Cursor) -> None:
        insert(1)(cursor)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.run(fail)
    assert value(database, "SELECT count(*) FROM things") == 0


def test_a_statement_that_takes_too_long(database: Postgres) -> None:
    with pytest.raises(UpstreamTimeout):
        database.run(lambda cursor: cursor.execute("SELECT pg_sleep(600)"), settings={"statement_timeout": "50"})
    assert value(database, "SELECT 1") == 1


def test_a_lock_that_does_not_come(database: Postgres, url: str) -> None:
    database.run(insert(1))
    with psycopg.connect(url) as other:
        other.execute("SELECT 1 FROM things WHERE id = 1 FOR UPDATE")
        with pytest.raises(UpstreamUnavailable) as raised:
            database.run(
                lambda cursor: cursor.execute("UPDATE things SET value = 'x'"), settings={"lock_timeout": "50"}
            )
    assert raised.value.retry_after == 5


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_what_postgresql_cannot_hold_is_the_callers_mistake(database: Postgres, text: str) -> None:
    with pytest.raises(InvalidInput):
        database.run(insert(1, text))
    assert value(database, "SELECT count(*) FROM things") == 0


def test_a_number_too_large(database: Postgres) -> None:
    with pytest.raises(InvalidInput):
        database.run(insert(2**40))


@pytest.mark.parametrize(
    "text", ["SELECT 1 FROM not_yet", "SELECT newer FROM things", "SELECT newer.f()", "SELECT newer()"]
)
def test_a_database_that_is_yet_to_be_migrated_is_worth_another_try(database: Postgres, text: str) -> None:
    """Between a deployment and its migration; else what was asked for in that minute would be lost."""
    with pytest.raises(UpstreamUnavailable, match="migrate"):
        database.run(lambda cursor: cursor.execute(text))


def test_a_key_that_is_taken(database: Postgres) -> None:
    database.run(insert(1))
    with pytest.raises(Conflict):
        database.run(insert(1))


def test_a_deadlock_is_resolved_by_running_again(database: Postgres, url: str) -> None:
    database.run(insert(1, "-"))
    database.run(insert(2, "-"))
    both_hold_one = threading.Barrier(2)
    attempts: list[str] = []
    one_is_done = threading.Event()  # whoever gave way comes again after that, or the two might meet once more

    def update(name: str, first: int, second: int) -> None:
        def work(cursor: Cursor) -> None:
            attempts.append(name)
            cursor.execute("UPDATE things SET value = value || %s WHERE id = %s", [name, first])
            if attempts.count(name) == 1:
                both_hold_one.wait(timeout=PATIENCE_S)
            cursor.execute("UPDATE things SET value = value || %s WHERE id = %s", [name, second])

        with closing(
            Postgres(Target(url), statement_timeout_ms=PATIENCE_MS, pause=lambda _: one_is_done.wait(PATIENCE_S))
        ) as own:
            own.run(work, settings={"deadlock_timeout": "50ms"})
        one_is_done.set()

    threads = [threading.Thread(target=update, args=given) for given in (("a", 1, 2), ("b", 2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_S)
    assert len(attempts) == 3
    assert {value(database, "SELECT value FROM things WHERE id = %s", number) for number in (1, 2)} <= {"-ab", "-ba"}


def test_work_that_a_restart_cut_short_runs_again(database: Postgres) -> None:
    attempts = []

    def work(cursor: Cursor) -> None:
        insert(7)(cursor)
        attempts.append(1)
        if len(attempts) == 1:
            engine().restart()
        insert(8)(cursor)

    database.run(work)
    assert len(attempts) == 2
    assert value(database, "SELECT array_agg(id ORDER BY id) FROM things") == [7, 8]


def test_a_connection_that_died_while_idle_is_renewed(database: Postgres, clock: Now) -> None:
    before = value(database, "SELECT pg_backend_pid()")
    engine().restart()
    clock.seconds += 60
    attempts = []
    database.run(lambda cursor: (attempts.append(1), cursor.execute("SELECT 1")))
    assert len(attempts) == 1
    assert value(database, "SELECT pg_backend_pid()") != before


def test_a_connection_to_a_server_that_became_a_reader_is_renewed(url: str) -> None:
    """After a fail-over the name leads to the new writer, and the connection that is kept to the old one."""
    with closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS, pause=lambda _: None)) as database:
        with psycopg.connect(url, autocommit=True) as admin:
            name = psycopg.sql.Identifier(admin.info.dbname)
            admin.execute(psycopg.sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
            database.check()
            admin.execute("SET default_transaction_read_only = off")
            admin.execute(psycopg.sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))
        before = value(database, "SELECT pg_backend_pid()")
        database.run(lambda cursor: cursor.execute("INSERT INTO things VALUES (99, '') ON CONFLICT DO NOTHING"))
        assert value(database, "SELECT pg_backend_pid()") != before


def test_a_host_that_vanishes_is_noticed(database: Postgres) -> None:
    assert database._connection is not None
    given = database._connection.info.get_parameters()
    assert int(given["tcp_user_timeout"]) <= 10_000
    assert int(given["keepalives_idle"]) + int(given["keepalives_interval"]) * int(given["keepalives_count"]) <= 60


def test_a_server_that_is_down(url: str) -> None:
    nowhere = psycopg.conninfo.make_conninfo(url, port=1)
    database = Postgres(Target(nowhere), statement_timeout_ms=PATIENCE_MS, pause=lambda _: None)
    with closing(database), pytest.raises(UpstreamUnavailable) as raised:
        database.check()
    assert "password" not in raised.value.message


# -- the secret


@pytest.fixture
def rotating(url: str) -> Iterator[tuple[str, str]]:
    """URLs of one user with its old and its new password."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS rotating")
        connection.execute("CREATE ROLE rotating LOGIN PASSWORD 'new'")
    yield tuple(psycopg.conninfo.make_conninfo(url, user="rotating", password=password) for password in ("old", "new"))  # type: ignore[misc]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP ROLE rotating")


def test_a_rotated_secret_is_read_again(rotating: tuple[str, str]) -> None:
    target = Target(*rotating)
    with closing(Postgres(target, statement_timeout_ms=PATIENCE_MS)) as database:
        database.check()
        database.check()
    assert (target.reads, target.forgotten) == (2, 1)


class Refusing:
    """A server that refuses every connection in the given words, as RDS Proxy does."""

    def __init__(self, message: str) -> None:
        fields = b"SFATAL\0" + b"C28000\0" + b"M" + message.encode() + b"\0\0"
        self._answer = b"E" + struct.pack("!i", 4 + len(fields)) + fields
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = (
            f"postgresql://old@127.0.0.1:{self._listener.getsockname()[1]}/bank?sslmode=disable&gssencmode=disable"
        )
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    connection.recv(1024)
                    connection.sendall(self._answer)

    def close(self) -> None:
        self._listener.close()


def test_a_user_that_a_proxy_no_longer_knows_is_read_again(url: str) -> None:
    """Where users take turns, the one that we remember is in no secret of the proxy's after a rotation."""
    with closing(Refusing("This RDS proxy has no credentials for the role old.")) as proxy:
        target = Target(proxy.url, url)
        with closing(Postgres(target, statement_timeout_ms=PATIENCE_MS, pause=lambda _: None)) as database:
            database.check()
    assert target.forgotten == 1


def test_a_secret_that_stays_wrong(rotating: tuple[str, str]) -> None:
    target = Target(rotating[0])
    database = Postgres(target, statement_timeout_ms=PATIENCE_MS, pause=lambda _: None)
    with closing(database), pytest.raises(UpstreamUnavailable, match="credentials"):
        database.check()
    assert target.forgotten == 1


class Vault:
    """Secrets in memory."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.forgotten: list[str] = []

    def read(self, arn: str) -> dict[str, Any]:
        assert arn == "arn"
        return self.content

    def forget(self, arn: str) -> None:
        self.forgotten.append(arn)


RDS = {"host": "db.example.com", "port": 5433, "dbname": "bank", "username": "ann", "password": "p'w d"}


def test_the_secret_that_rds_writes() -> None:
    found = conninfo_to_dict(DatabaseSecret(Vault(RDS), "arn", verify=False).read())
    assert found == {"host": "db.example.com", "port": "5433", "dbname": "bank", "user": "ann", "password": "p'w d"}


MANAGED = {"username": "ann", "password": "p'w d"}


@pytest.mark.parametrize("content", [MANAGED, RDS, {"url": "postgresql://ann:p'w%20d@db.example.com/bank"}])
def test_a_secret_that_says_less_or_other_than_where_the_database_is(content: dict[str, Any]) -> None:
    """One that RDS manages has no host at all; behind a proxy the host is the proxy's."""
    secret = DatabaseSecret(Vault(content), "arn", verify=False, host="proxy.example.com", name="people")
    found = conninfo_to_dict(secret.read())
    assert (found["host"], found["dbname"]) == ("proxy.example.com", "people")
    assert (found["user"], found["password"]) == ("ann", "p'w d")


def test_tls_with_a_checked_name_cannot_be_talked_away() -> None:
    lax = {"url": "postgresql://ann:secret@db.example.com/bank?sslmode=disable"}
    found = conninfo_to_dict(DatabaseSecret(Vault(lax), "arn", verify=True, authorities="/rds.pem").read())
    assert (found["sslmode"], found["sslrootcert"]) == ("verify-full", "/rds.pem")
    assert found["host"] == "db.example.com"


@pytest.mark.parametrize("content", [{}, {"url": ""}, {"host": "h"}, {**RDS, "port": "x"}, {"url": "postgresql://["}])
def test_a_secret_that_is_no_connection(content: dict[str, Any]) -> None:
    with pytest.raises(UpstreamRejected) as raised:
        DatabaseSecret(Vault(content), "arn", verify=True).read()
    assert "p'w" not in raised.value.message


def test_a_secret_that_migrate_has_not_completed_is_read_anew() -> None:
    vault = Vault(MANAGED)
    with pytest.raises(UpstreamUnavailable, match="run `migrate`, which writes it"):
        DatabaseSecret(vault, "arn", verify=False).read()
    assert vault.forgotten == ["arn"]


def test_a_server_without_tls_is_refused_outside_the_local_stage(url: str) -> None:
    secret = DatabaseSecret(Vault({"url": url}), "arn", verify=True)
    database = Postgres(secret, statement_timeout_ms=PATIENCE_MS, pause=lambda _: None)
    with closing(database), pytest.raises(UpstreamUnavailable):
        database.check()
