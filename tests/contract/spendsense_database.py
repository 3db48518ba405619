"""A PostgreSQL of SpendSense's tests: the local cloud's, with a password, started once; a migrated database a test."""

import atexit
import functools
import itertools
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.spendsense.schema import PostgresSchema
from chalicelib.spendsense.schema import Migrations, packaged_migrations
from chalicelib.spendsense.taxonomy import packaged_taxonomy
from local import postgres
from local.ports import choose
from tests.patience import PATIENCE_MS, PATIENCE_S

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

    def url(self, database: str) -> str:
        return postgres.url(self._folder, self._port, database)


@functools.cache
def engine() -> Engine:
    """The server of this process."""
    folder = tempfile.TemporaryDirectory(prefix="omnibus-spendsense-")
    Path(folder.name).chmod(0o755)
    made = Engine(Path(folder.name))
    made.start()
    atexit.register(folder.cleanup)
    atexit.register(made.stop)
    with psycopg.connect(made.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE migrated")
    with closing(Postgres(Target(made.url("migrated")), statement_timeout_ms=PATIENCE_MS)) as database:
        Migrations(
            schema=PostgresSchema(database),
            available=packaged_migrations(),
            categories=packaged_taxonomy().categories.values(),
        ).migrate()
    return made


@contextmanager
def fresh_database(template: str = "migrated") -> Iterator[str]:
    """The URL of a database of its own, with the schema and nothing else in it."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(engine().url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield engine().url(name)
    finally:
        with psycopg.connect(engine().url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
