"""PostgreSQL for Lambda: one connection per container, checked before use, renewed when it or its password fails.

It suits RDS Proxy: it sets nothing on the session, prepared statements are off, and each piece of work is one
transaction with its own `SET LOCAL` limits. Work that the server aborted (deadlock, serialization, a restart) runs
again from its start, so it must have no effects outside the transaction.
"""

import math
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import psycopg
from psycopg import errors as pg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import namedtuple_row

from chalicelib import deadline
from chalicelib.errors import (
    Conflict,
    InvalidInput,
    OmnibusError,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)

Cursor = psycopg.Cursor[Any]
T = TypeVar("T")

ATTEMPTS = 3
IDLE_CHECK_S = 10.0
CONNECT_TIMEOUT_S = 5
LOCK_TIMEOUT_MS = 10_000
UNANSWERED_MS = 10_000
SERVICE = "the database"
NO_PLACE = "the database secret does not say where the database is: run `migrate`, which writes it, or set DatabaseHost"
SILENCE_S = 5.0
"""Seconds of silence beyond a statement's own limit after which we consider the server's process stopped."""

TRANSIENT = (
    pg.DeadlockDetected,
    pg.SerializationFailure,
    pg.AdminShutdown,
    pg.CrashShutdown,
    pg.CannotConnectNow,
    pg.IdleInTransactionSessionTimeout,
    pg.ReadOnlySqlTransaction,  # a failover has made our server a reader
)
BEHIND = (pg.UndefinedTable, pg.UndefinedColumn, pg.UndefinedFunction, pg.InvalidSchemaName)
"""Errors of this release's statements between its deployment and `migrate`."""
BUNDLES = (
    "/etc/pki/tls/certs/ca-bundle.crt",  # Amazon Linux, and so Lambda
    "/etc/ssl/certs/ca-certificates.crt",  # Debian
    "/etc/ssl/cert.pem",  # macOS, Alpine
)
BAD_CREDENTIALS = (
    "password authentication failed",
    "no password supplied",
    "authentication failed",
    "does not exist",
    "has no credentials for the role",  # RDS Proxy's message for a user that its secrets no longer name
)


class SecretSource(Protocol):
    """The store of connection secrets."""

    def read(self, arn: str) -> dict[str, Any]: ...

    def forget(self, arn: str) -> None: ...


class DatabaseSecret:
    """The connection string that a secret holds: `{"url"}`, or the fields that RDS writes.

    A secret that RDS manages has only a user and a password, and one behind RDS Proxy has the server's host, not the
    proxy's: `host` and `name`, if given, override the secret. With `verify`, TLS with a checked host name is required,
    against the authorities in the file `authorities` ("system" for those of the machine, which is right for RDS
    Proxy).
    """

    def __init__(
        self,
        secrets: SecretSource,
        arn: str,
        *,
        verify: bool,
        authorities: str = "system",
        host: str = "",
        name: str = "",
    ) -> None:
        self._secrets = secrets
        self._arn = arn
        self._where = {key: value for key, value in (("host", host), ("dbname", name)) if value}
        self._tls = {"sslmode": "verify-full", "sslrootcert": _authorities_file(authorities)} if verify else {}

    def read(self) -> str:
        """The connection string now; UpstreamRejected if the secret is not one."""
        secret = self._secrets.read(self._arn)
        try:
            if secret.get("url"):
                return make_conninfo(str(secret["url"]), **self._where, **self._tls)
            user, password = secret["username"], secret["password"]
            where = {"dbname": "postgres", "port": 5432, **secret, **self._where}
            if "host" not in where:
                self.forget()
                raise UpstreamUnavailable(NO_PLACE, retry_after=60)
            ports = str(where["port"])
            if not ports.replace(",", "").isdecimal():
                raise ValueError(ports)
            return make_conninfo(
                host=where["host"], port=ports, dbname=where["dbname"], user=user, password=password, **self._tls
            )
        except (KeyError, ValueError, psycopg.ProgrammingError):
            raise UpstreamRejected("the database secret is not a connection") from None

    def forget(self) -> None:
        """Read the secret again the next time."""
        self._secrets.forget(self._arn)


class Connecting(Protocol):
    """The connection string's source."""

    def read(self) -> str: ...

    def forget(self) -> None: ...


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that closes if the server does not answer a statement in time.

    The server enforces its own limits, except while its process is stopped and only its kernel answers.
    """

    statement_s = float("inf")
    """The server's own limit for statements of the current transaction."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the server as psycopg does, within the limit; then close the connection and raise Unanswered."""
        most = min(deadline.left(self.statement_s + SILENCE_S), timeout or float("inf"))
        try:
            return super().wait(gen, interval, most if most != float("inf") else None)
        except pg._WaitTimeout:
            self.pgconn.finish()
            raise Unanswered from None


class Unanswered(psycopg.OperationalError):
    """The server did not answer in time."""


class Postgres:
    """Runs work in transactions on one connection, which it opens when needed and keeps."""

    def __init__(
        self,
        target: Connecting,
        *,
        statement_timeout_ms: int,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._target = target
        self._timeout_ms = statement_timeout_ms
        self._clock = clock
        self._pause = pause
        self._connection: BoundedConnection | None = None
        self._used_at = 0.0

    def run(self, work: Callable[[Cursor], T], *, settings: Mapping[str, str] | None = None) -> T:
        """Run `work` in one transaction and return its result; nothing is committed if it raises.

        `settings` hold for this transaction only. Raises UpstreamUnavailable, UpstreamTimeout (a statement ran into
        its limit), Conflict, InvalidInput (a value that PostgreSQL cannot hold).
        """
        request = deadline.current()
        for attempt in range(1, ATTEMPTS + 1):
            if request:
                request.ask(SERVICE)
            try:
                return self._once(work, settings or {})
            except pg.QueryCanceled as error:
                raise UpstreamTimeout("the database took too long") from error
            except (Unanswered, pg.ConnectionTimeout) as error:
                if request:
                    request.gave_up(SERVICE)
                raise UpstreamTimeout("the database did not answer in time") from error
            except (*TRANSIENT, psycopg.OperationalError, psycopg.InterfaceError) as error:
                if isinstance(error, pg.LockNotAvailable):
                    raise UpstreamUnavailable("the data is in use; try again later", retry_after=5) from error
                if attempt == ATTEMPTS or not deadline.left():
                    raise UpstreamUnavailable("the database is unavailable; try again later", retry_after=5) from error
                self._pause(0.05 * 4**attempt)
            except (psycopg.Error, UnicodeEncodeError) as error:
                raise _translated(error) from error
        raise AssertionError("the last attempt returns or raises")

    def check(self) -> None:
        """Raise an Upstream* error unless the database answers."""
        self.run(lambda cursor: cursor.execute("SELECT 1"))

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once(self, work: Callable[[Cursor], T], settings: Mapping[str, str]) -> T:
        connection = self._healthy()
        try:
            with connection.transaction(), connection.cursor() as cursor:
                limits = {"statement_timeout": str(self._timeout_ms), "lock_timeout": str(LOCK_TIMEOUT_MS), **settings}
                if (given := limits["statement_timeout"]).isdecimal():
                    connection.statement_s = left = max(0.001, deadline.left(int(given) / 1000))  # 0 would mean none
                    limits["statement_timeout"] = str(int(left * 1000))
                cursor.execute(local_settings(limits).encode())
                result = work(cursor)
            self._used_at = self._clock()
            return result
        except pg.ReadOnlySqlTransaction:
            self.close()
            raise
        except (psycopg.OperationalError, psycopg.InterfaceError):
            if connection.broken or connection.closed:
                self.close()
            raise

    def _healthy(self) -> BoundedConnection:
        """The connection, tested if it was idle (Lambda freezes containers for minutes), or a new one."""
        connection = self._connection
        if connection is not None and not connection.closed:
            if self._clock() - self._used_at < IDLE_CHECK_S:
                return connection
            try:
                connection.execute("SELECT 1")
                connection.rollback()
                return connection
            except psycopg.Error:
                self.close()
        self._connection = self._connect()
        self._used_at = self._clock()
        return self._connection

    def _connect(self) -> BoundedConnection:
        """A new connection; if the server refuses the known secret, read it again."""
        try:
            return self._open()
        except psycopg.OperationalError as error:
            if not any(reason in str(error) for reason in BAD_CREDENTIALS):
                raise
            self._target.forget()
        try:
            return self._open()
        except psycopg.OperationalError as error:
            if any(reason in str(error) for reason in BAD_CREDENTIALS):
                raise UpstreamUnavailable("the database refuses our credentials", retry_after=30) from error
            raise

    def _open(self) -> BoundedConnection:
        return BoundedConnection.connect(
            self._target.read(),
            row_factory=namedtuple_row,
            prepare_threshold=None,
            connect_timeout=max(1, math.ceil(deadline.left(CONNECT_TIMEOUT_S))),
            application_name="omnibus",
            # Without these, a container would wait for a vanished host until its function ends.
            tcp_user_timeout=UNANSWERED_MS,
            keepalives_idle=30,
            keepalives_interval=5,
            keepalives_count=3,
        )


def local_settings(settings: Mapping[str, str]) -> str:
    """The statements that set settings for a transaction, in one text.

    RDS Proxy treats `set_config` as a change of the session and stops sharing the connection, so this avoids it.
    """
    pairs = [(sql.Identifier(name), sql.Literal(value)) for name, value in settings.items()]
    return "; ".join(sql.SQL("SET LOCAL {} = {}").format(*pair).as_string() for pair in pairs)


def only(cursor: Cursor) -> Any:
    """The row of a statement that always returns one."""
    row = cursor.fetchone()
    if row is None:
        raise UpstreamError("the database returned no row for a statement that always returns one")
    return row


def _authorities_file(authorities: str) -> str:
    """The file of certificate authorities; for "system", the machine's own.

    libpq looks for the machine's file where its wheel's OpenSSL was built, a path that does not exist on Lambda.
    """
    if authorities != "system":
        return authorities
    known = (ssl.get_default_verify_paths().cafile, *BUNDLES)
    return next((path for path in known if path and Path(path).is_file()), authorities)


def _translated(error: psycopg.Error | UnicodeEncodeError) -> OmnibusError:
    if isinstance(error, psycopg.DataError | UnicodeEncodeError):
        return InvalidInput("a value is not acceptable to the database; expected printable text and ordinary numbers")
    if isinstance(error, BEHIND):
        return UpstreamUnavailable("the database is behind this release until `migrate` has run", retry_after=60)
    if isinstance(error, psycopg.IntegrityError):
        return Conflict("the data has changed in the meantime; read it again")
    return UpstreamError("the database reported an error")
