"""As whom a transaction runs: the roles of migration 0007, which row-level security binds.

The application logs in as the owner of the tables, whom nothing binds; so each transaction gives that up at its start.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from chalicelib.adapters.postgres import Cursor, Postgres
from chalicelib.spendsense import sql

T = TypeVar("T")

STAFF = {"role": "spendsense_staff"}
"""Jobs and operators, who see everybody."""


def for_person(
    database: Postgres, subject: UUID, work: Callable[[Cursor], T], settings: Mapping[str, str] | None = None
) -> T:
    """Run `work` in a transaction that can reach only one person's rows."""
    person = {"role": "spendsense_person", "spendsense.subject": str(subject)}
    return database.run(work, settings={**(settings or {}), **person})


def for_staff(database: Postgres, work: Callable[[Cursor], T]) -> T:
    """Run `work` in a transaction that can reach everybody's rows."""
    return database.run(work, settings=STAFF)


def row_of(name: str, parameters: Mapping[str, Any]) -> Callable[[Cursor], Any]:
    """Work that runs a statement and returns its first row, or None."""
    return lambda cursor: cursor.execute(sql.text(name), parameters).fetchone()


def rows_of(name: str, parameters: Mapping[str, Any]) -> Callable[[Cursor], list[Any]]:
    """Work that runs a statement and returns its rows."""
    return lambda cursor: cursor.execute(sql.text(name), parameters).fetchall()
