"""The life cycle of a statement: submitted, picked by a worker, started in the engine, finished, failed or aborted."""

import gzip
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg
from psycopg import sql as pg

from local.redshift.dialect import Copy, copy_of, for_postgres, names_in
from local.redshift.results import PAGE_BYTES, Result, ResultTooLarge, result_of

Status = Literal["SUBMITTED", "PICKED", "STARTED", "FINISHED", "ABORTED", "FAILED"]
ENDED: frozenset[Status] = frozenset({"FINISHED", "ABORTED", "FAILED"})

MAX_ACTIVE = 500
RESULT_TTL_S = 24 * 3600
TOKEN_TTL_S = 8 * 3600
CANCEL_ATTEMPTS = 50

Objects = Callable[[str, str], Iterable[bytes]]
"""The contents of the objects of a bucket under a prefix, for COPY."""


@dataclass
class Step:
    """One SQL statement of a request; a batch has several."""

    id: str
    sql: str
    status: Status = "SUBMITTED"
    error: str = ""
    result: Result | None = None
    affected: int = -1
    created_at: float = 0.0
    updated_at: float = 0.0
    duration_ns: int = 0


@dataclass
class Statement:
    """One request to run SQL: its steps and its status; `history` keeps all earlier statuses."""

    id: str
    steps: list[Step]
    parameters: Mapping[str, str]
    target: Mapping[str, str]
    name: str
    batch: bool
    atomic: bool
    created_at: float
    updated_at: float
    status: Status = "SUBMITTED"
    error: str = ""
    history: list[Status] = field(default_factory=lambda: ["SUBMITTED"])
    duration_ns: int = 0
    pid: int = 0
    cancelled: bool = False
    waiting: int = 0
    connection: "psycopg.Connection[Any] | None" = None

    @property
    def last(self) -> Step:
        return self.steps[-1]


class TooManyActive(Exception):
    """The service's limit of submitted and running statements is reached."""


class Unfinished(Exception):
    """A statement that has ended cannot be cancelled."""


class Statements:
    """Runs statements on `slots` connections to the engine, as a cluster's queue does.

    `max_active` is the service's limit of statements that have not ended.
    """

    def __init__(
        self,
        database_url: str,
        *,
        slots: int = 4,
        max_active: int = MAX_ACTIVE,
        page_bytes: int = PAGE_BYTES,
        objects: Objects | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.max_active = max_active
        self._url = database_url
        self._page_bytes = page_bytes
        self._objects = objects
        self._clock = clock
        self._changed = threading.Condition()
        self._all: dict[str, Statement] = {}
        self._tokens: dict[str, tuple[float, object, str]] = {}
        self._queue: queue.SimpleQueue[Statement | None] = queue.SimpleQueue()
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(slots)]
        for worker in self._workers:
            worker.start()

    def submit(
        self,
        sqls: Sequence[str],
        parameters: Mapping[str, str],
        target: Mapping[str, str],
        *,
        name: str = "",
        batch: bool = False,
        atomic: bool = True,
        token: str | None = None,
    ) -> Statement:
        """Queue a statement, or return the one that was queued with the same `token`.

        TooManyActive at the limit, ValueError if a token is reused for another statement.
        """
        request = (tuple(sqls), tuple(sorted(parameters.items())), tuple(sorted(target.items())))
        now = self._clock()
        with self._changed:
            self._forget(now)
            if token and token in self._tokens:
                _, known, identity = self._tokens[token]
                if known != request:
                    raise ValueError("The client token was used with other parameters.")
                return self._all[identity]
            if sum(statement.status not in ENDED for statement in self._all.values()) >= self.max_active:
                raise TooManyActive
            identity = str(uuid.uuid4())
            steps = [
                Step(f"{identity}:{number}" if batch else identity, sql, created_at=now, updated_at=now)
                for number, sql in enumerate(sqls, 1)
            ]
            statement = Statement(identity, steps, parameters, target, name, batch, atomic, now, now)
            self._all[identity] = statement
            if token:
                self._tokens[token] = (now, request, identity)
        self._queue.put(statement)
        return statement

    def find(self, identity: str) -> tuple[Statement, Step] | None:
        """A statement by its id, with the step that an id such as `...:2` names, otherwise the last."""
        whole, _, number = identity.partition(":")
        with self._changed:
            statement = self._all.get(whole)
        if statement is None:
            return None
        if not number:
            return statement, statement.last
        if not statement.batch or not number.isdigit() or not 1 <= int(number) <= len(statement.steps):
            return None
        return statement, statement.steps[int(number) - 1]

    def recent(self) -> list[Statement]:
        """All stored statements, newest first."""
        with self._changed:
            return sorted(self._all.values(), key=lambda statement: statement.created_at, reverse=True)

    def wait(self, statement: Statement, seconds: float) -> None:
        """Return when `statement` has ended, or after `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: statement.status in ENDED, timeout=seconds)

    def cancel(self, statement: Statement) -> None:
        """Abort a statement, queued or running; Unfinished if it has ended."""
        with self._changed:
            if statement.status in ENDED:
                raise Unfinished(statement.status)
            statement.cancelled = True
            if statement.status == "SUBMITTED":
                self._move(statement, "ABORTED")
                return
        for _ in range(CANCEL_ATTEMPTS):  # the engine ignores a cancel that arrives before the query does
            with self._changed:
                connection = statement.connection
            if connection is not None:
                connection.cancel_safe(timeout=5)
            with self._changed:
                if self._changed.wait_for(lambda: statement.status in ENDED, timeout=0.1):
                    return

    def close(self) -> None:
        """Abort running statements and stop the workers."""
        for statement in self.recent():
            if statement.status not in ENDED:
                try:
                    self.cancel(statement)
                except Unfinished:
                    continue
        for _ in self._workers:
            self._queue.put(None)
        for worker in self._workers:
            worker.join(timeout=10)

    # -- in the workers

    def _work(self) -> None:
        connection: psycopg.Connection[Any] | None = None
        while (statement := self._queue.get()) is not None:
            if statement.status in ENDED:
                continue
            self._move(statement, "PICKED")
            try:
                if connection is None or connection.closed:
                    connection = psycopg.connect(self._url, autocommit=True)
                self._run(connection, statement)
            except Exception as error:  # noqa: BLE001  # no statement may end its worker
                self._end(statement, "ABORTED" if statement.cancelled else "FAILED", _message(error))
        if connection is not None:
            connection.close()

    def _run(self, connection: "psycopg.Connection[Any]", statement: Statement) -> None:
        statement.pid = connection.info.backend_pid
        with self._changed:
            if statement.cancelled:
                self._move(statement, "ABORTED")
                return
            statement.connection = connection
        self._move(statement, "STARTED")
        started = time.perf_counter_ns()
        try:
            if statement.atomic and statement.batch:
                with connection.transaction():
                    for step in statement.steps:
                        self._step(connection, statement, step)
            else:
                self._each(connection, statement)
            failed = next((step for step in statement.steps if step.status == "FAILED"), None)
            outcome: tuple[Status, str] = ("FAILED", failed.error) if failed else ("FINISHED", "")
        except psycopg.errors.QueryCanceled as error:
            outcome = ("ABORTED", _message(error))
        except (psycopg.Error, ResultTooLarge, OSError) as error:
            outcome = ("ABORTED" if statement.cancelled else "FAILED", _message(error))
        finally:
            statement.connection = None
        statement.duration_ns = time.perf_counter_ns() - started
        self._end(statement, *outcome)

    def _each(self, connection: "psycopg.Connection[Any]", statement: Statement) -> None:
        for step in statement.steps:
            try:
                self._step(connection, statement, step)
            except psycopg.errors.QueryCanceled:
                raise
            except (psycopg.Error, ResultTooLarge, OSError):
                if not statement.batch:
                    raise

    def _step(self, connection: "psycopg.Connection[Any]", statement: Statement, step: Step) -> None:
        step.status = "STARTED"
        started = time.perf_counter_ns()
        try:
            copy = copy_of(step.sql)
            if copy is not None:
                step.affected = self._copy(connection, copy)
            else:
                self._execute(connection, statement, step)
            step.status = "FINISHED"
        except (psycopg.Error, ResultTooLarge, OSError) as error:
            cancelled = isinstance(error, psycopg.errors.QueryCanceled)
            step.status, step.error = "ABORTED" if cancelled else "FAILED", _message(error)
            raise
        finally:
            step.duration_ns = time.perf_counter_ns() - started
            step.updated_at = self._clock()

    def _execute(self, connection: "psycopg.Connection[Any]", statement: Statement, step: Step) -> None:
        names = names_in(step.sql)
        parameters = {name: value for name, value in statement.parameters.items() if name in names}
        with connection.cursor() as cursor:
            cursor.execute(for_postgres(step.sql, parameters).encode(), parameters or None)
            step.affected = cursor.rowcount
            if cursor.description is not None and cursor.pgresult is not None:
                step.result = result_of(cursor.description, _texts(cursor.pgresult), self._page_bytes)

    def _copy(self, connection: "psycopg.Connection[Any]", copy: Copy) -> int:
        if self._objects is None:
            raise OSError("this server was started without access to S3")
        columns = [name.strip() for name in copy.columns.split(",") if name.strip()]
        statement = pg.SQL("COPY {} {} FROM STDIN WITH (FORMAT csv, HEADER {})").format(
            pg.Identifier(copy.table),
            pg.SQL("({})").format(pg.SQL(", ").join(map(pg.Identifier, columns))) if columns else pg.SQL(""),
            pg.SQL("true" if copy.header else "false"),
        )
        loaded = found = 0
        with connection.transaction(), connection.cursor() as cursor:
            for content in self._objects(copy.bucket, copy.prefix):
                found += 1
                with cursor.copy(statement) as sink:
                    sink.write(_gunzipped(content) if copy.gzip else content)
                loaded += cursor.rowcount
        if not found:
            raise OSError(f"The specified S3 prefix '{copy.prefix}' does not exist")
        return loaded

    # -- bookkeeping

    def _end(self, statement: Statement, status: Status, error: str = "") -> None:
        with self._changed:
            statement.error = error
            for step in statement.steps:
                if step.status not in ENDED:
                    step.status = "ABORTED" if status != "FINISHED" else status
            self._move(statement, status)

    def _move(self, statement: Statement, status: Status) -> None:
        with self._changed:
            statement.status = status
            statement.updated_at = self._clock()
            statement.history.append(status)
            if len(statement.steps) == 1 and statement.last.status not in ENDED:
                statement.last.status = status
            self._changed.notify_all()

    def _forget(self, now: float) -> None:
        for token, (used_at, _, identity) in list(self._tokens.items()):
            if now - used_at > TOKEN_TTL_S or identity not in self._all:
                del self._tokens[token]
        for identity, statement in list(self._all.items()):
            if statement.status in ENDED and now - statement.updated_at > RESULT_TTL_S:
                del self._all[identity]


def _texts(result: Any) -> Iterator[list[str | None]]:
    for row in range(result.ntuples):
        values = [result.get_value(row, column) for column in range(result.nfields)]
        yield [None if value is None else value.decode() for value in values]


def _gunzipped(content: bytes) -> bytes:
    return gzip.decompress(content)


def _message(error: Exception) -> str:
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    return f"ERROR: {primary or str(error).strip()}"
