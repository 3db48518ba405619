"""The application's login: it owns nothing, and can only take the roles of a person or the staff, which policies bind.

The owner of the tables, whom row-level security does not bind, signs in only to migrate.
"""

from typing import Any, Protocol

from psycopg import sql as composed
from psycopg.conninfo import conninfo_to_dict

from chalicelib.adapters.postgres import Connecting, Cursor, Postgres, only
from chalicelib.adapters.spendsense.schema import LOCK, TIME_LIMIT
from chalicelib.errors import Conflict, UpstreamRejected

ROLES = ("spendsense_person", "spendsense_staff")
PASSES_POLICIES = """
SELECT count(*) > 0 AS answer
FROM pg_roles r
WHERE pg_has_role(%(login)s, r.oid, 'MEMBER')
    AND (
        r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolname = current_user
        OR r.oid IN (SELECT relowner FROM pg_class WHERE relnamespace = 'spendsense'::regnamespace)
    )
"""
"""Is the login anything, or can it become anything, that row-level security does not bind?"""


class WritableSecrets(Protocol):
    """Secrets that can be read and written: the login's name and password, with the database's address."""

    def read(self, arn: str) -> dict[str, Any]: ...

    def write(self, arn: str, content: dict[str, Any]) -> None: ...

    def forget(self, arn: str) -> None: ...


class ApplicationLogin:
    """The login that the secret `arn` names, in the database that its `owner` reaches at `where`."""

    def __init__(self, owner: Postgres, where: Connecting, secrets: WritableSecrets, arn: str) -> None:
        self._owner = owner
        self._where = where
        self._secrets = secrets
        self._arn = arn

    def admit(self) -> None:
        """Let it in by its secret's password, and complete the secret with the place; doing it twice changes nothing.

        Conflict if a role of that name passes row-level security, or may become one that does.
        """
        self._secrets.forget(self._arn)  # after a password change, the next migration may run in a warm container
        secret = self._secrets.read(self._arn)
        try:
            login, password = str(secret["username"]), str(secret["password"])
        except KeyError:
            raise UpstreamRejected("the application's secret needs username and password") from None
        self._owner.run(lambda cursor: _admit(cursor, login, password), settings=TIME_LIMIT)
        where = conninfo_to_dict(self._where.read())
        complete = secret | {name: where[name] for name in ("host", "port", "dbname") if name in where}
        if complete != secret:
            self._secrets.write(self._arn, complete)


def _admit(cursor: Cursor, login: str, password: str) -> None:
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    known = cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [login]).fetchone()
    # What the server is sent, and may log, is what it keeps: the password's verifier.
    verifier = cursor.connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
    cursor.execute(
        composed.SQL("{} ROLE {} LOGIN NOINHERIT PASSWORD {}").format(
            composed.SQL("ALTER" if known else "CREATE"), composed.Identifier(login), composed.Literal(verifier)
        )
    )
    cursor.execute(
        composed.SQL("GRANT {} TO {}").format(
            composed.SQL(", ").join(map(composed.Identifier, ROLES)), composed.Identifier(login)
        )
    )
    if only(cursor.execute(PASSES_POLICIES, {"login": login})).answer:
        raise Conflict(f"the role {login} could pass row-level security; name another in the application's secret")
