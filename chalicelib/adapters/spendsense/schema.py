"""The schema's version, kept in the database that it describes."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from chalicelib.adapters.postgres import Cursor, Postgres, only
from chalicelib.spendsense import sql
from chalicelib.spendsense.schema import Migration
from chalicelib.spendsense.taxonomy import Category

LOCK = 0x5350454E  # "SPEN": any number that no other program locks
TIME_LIMIT = {"statement_timeout": "240000", "lock_timeout": "60000"}

MIGRATION_HISTORY = """
CREATE SCHEMA IF NOT EXISTS spendsense;
CREATE TABLE IF NOT EXISTS spendsense.schema_migrations (
    version integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""


class PostgresSchema:
    """Applies migrations, each in a transaction, one runner at a time."""

    def __init__(self, database: Postgres) -> None:
        self._database = database

    def advance(self, choose: Callable[[Mapping[int, str]], Migration | None]) -> Migration | None:
        """Apply the migration that `choose` picks, given the applied versions and their checksums."""

        def step(cursor: Cursor) -> Migration | None:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            cursor.execute(MIGRATION_HISTORY)
            rows = cursor.execute("SELECT version, checksum FROM spendsense.schema_migrations").fetchall()
            chosen = choose({row.version: row.checksum for row in rows})
            if chosen is not None:
                cursor.execute(chosen.text.encode())
                cursor.execute(
                    "INSERT INTO spendsense.schema_migrations (version, name, checksum) VALUES (%s, %s, %s)",
                    [chosen.version, chosen.name, chosen.checksum],
                )
            return chosen

        return self._database.run(step, settings=TIME_LIMIT)

    def declare(self, categories: Iterable[Category], applied: Sequence[int]) -> dict[str, int]:
        """Keep the declared categories and no others; what the `applied` migrations and this mended, in rows."""
        known = list(categories)
        columns = {
            "primary_name": [category.primary for category in known],
            "detailed_name": [category.detailed for category in known],
            "flow": [category.flow for category in known],
        }

        def step(cursor: Cursor) -> dict[str, int]:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            rows = cursor.execute("SELECT what, rows FROM spendsense.mended WHERE version = ANY(%s)", [list(applied)])
            mended = {row.what: row.rows for row in rows}
            if only(cursor.execute(sql.text("declare_categories"), columns)).undeclared:
                rehomed = only(cursor.execute(sql.text("rehome_categories"), columns)).rows
                mended["transactions of undeclared categories"] = rehomed
                cursor.execute(sql.text("forget_categories"), columns)
            return mended

        return self._database.run(step, settings=TIME_LIMIT)
