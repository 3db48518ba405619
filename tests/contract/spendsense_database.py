"""A PostgreSQL of SpendSense's tests: the local cloud's, with a password, started once; a migrated database a test.

Its owner migrates; tests sign in as the application does, whom row-level security binds, and look on as the superuser.
"""

import atexit
import functools
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.spendsense.login import ApplicationLogin
from chalicelib.adapters.spendsense.schema import PostgresSchema
from chalicelib.spendsense.schema import Migrations, packaged_migrations
from chalicelib.spendsense.taxonomy import packaged_taxonomy
from local import postgres
from local.ports import choose
from tests.patience import PATIENCE_MS, PATIENCE_S

APPLICATION = {"username": "tests-application", "password": "a word of the tests' own"}
MEMORY, ROOM = Path("/dev/shm"), 4 << 30
_numbers = itertools.count(1)


class Target:
    """Where to connect to, as a secret that can be rotated: `forget` moves on to the next of `urls`."""

    def __init__(self, *urls: str) -> None:
        self._urls = list(urls)
        self.reads = 0
        self.forgotten = 0

    def read(self) -> str:
        self.reads += 1
        return self._urls[0]

    def forget(self) -> None:
        self.forgotten += 1
        if len(self._urls) > 1:
            del self._urls[0]


class HeldSecret:
    """The application's secret, in memory."""

    def __init__(self) -> None:
        self.content: dict[str, Any] = dict(APPLICATION)
        self.written = 0

    def read(self, arn: str) -> dict[str, Any]:
        return self.content

    def write(self, arn: str, content: dict[str, Any]) -> None:
        self.content = content
        self.written += 1

    def forget(self, arn: str) -> None:
        pass


class Engine:
    """A server that stops with its context, and restarts on request."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "cluster"
        postgres.initialise(self._folder)
        self._port = choose([0])[0]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            postgres.command(self._folder, self._port),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
        )
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                with psycopg.connect(self.url("postgres"), connect_timeout=60):
                    return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def stop(self) -> None:
        """Fast: open transactions are rolled back."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=PATIENCE_S)

    def restart(self) -> None:
        self.stop()
        self.start()

    def url(self, database: str, user: str = postgres.USER) -> str:
        return postgres.url(self._folder, self._port, database, user)

    def create(self, database: str, template: str = "template1") -> None:
        """Make a database of the owner's."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database} TEMPLATE {template} OWNER {postgres.OWNER}")


def _memory() -> str | None:
    """A folder whose files stay in memory, if it has room for a cluster.

    A database is 400 files. ext4 takes a third of a second to make them soon after others were removed.
    """
    return str(MEMORY) if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM else None


@functools.cache
def engine() -> Engine:
    """The server of this process."""
    folder = tempfile.TemporaryDirectory(prefix="omnibus-spendsense-", dir=_memory())
    Path(folder.name).chmod(0o755)
    made = Engine(Path(folder.name))
    made.start()
    atexit.register(folder.cleanup)
    atexit.register(made.stop)
    made.create("migrated")
    place = Target(made.url("migrated", postgres.OWNER))
    with closing(Postgres(place, statement_timeout_ms=PATIENCE_MS)) as owner:
        Migrations(
            schema=PostgresSchema(owner),
            available=packaged_migrations(),
            categories=packaged_taxonomy().categories.values(),
            admit=ApplicationLogin(owner, place, HeldSecret(), "").admit,
        ).migrate()
    return made


@contextmanager
def fresh_database() -> Iterator[str]:
    """The URL, with the application's login, of a database of its own: the schema and nothing else in it."""
    with _database("migrated") as name:
        yield make_conninfo(engine().url(name), user=APPLICATION["username"], password=APPLICATION["password"])


@contextmanager
def empty_database() -> Iterator[str]:
    """The URL, with the owner's login, of a database without migrations."""
    with _database("template1") as name:
        yield engine().url(name, postgres.OWNER)


def seen_by_all(url: str) -> str:
    """The URL of the same database, with the superuser's login."""
    return engine().url(str(conninfo_to_dict(url)["dbname"]))


@contextmanager
def _database(template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    engine().create(name, template)
    try:
        yield name
    finally:
        with psycopg.connect(engine().url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
