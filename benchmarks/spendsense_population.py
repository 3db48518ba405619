"""A population for SpendSense's benchmarks: made in the database, the same each time, as fast as the database can.

Half a year of rows for each person, in the order in which they would have come: day by day, everybody's mixed. Pay
every two weeks, rent, none to five subscriptions, savings for every fifth, card interest for every fourth, purchases
for the rest of `rows_each`.
"""

import atexit
import functools
import signal
import subprocess
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg

from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.spendsense.schema import PostgresSchema
from chalicelib.spendsense.schema import Migrations, packaged_migrations
from chalicelib.spendsense.taxonomy import packaged_taxonomy
from local import postgres
from local.people.load import FixedUrl
from local.ports import choose

TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
START_S = 60.0

PEOPLE = """
INSERT INTO spendsense.profiles (subject, created_at, updated_at)
SELECT md5('person ' || u)::uuid, '2026-01-01', '2026-01-01' FROM generate_series(1, {people}) u ORDER BY u;
INSERT INTO spendsense.standings (user_id, consented, features_due)
SELECT user_id, true, true FROM spendsense.profiles ORDER BY user_id;
INSERT INTO spendsense.accounts (
    user_id, account_id, external_id, name, mask, type, subtype, current_cents, limit_cents, currency, updated_at
)
SELECT
    u, u * 3 - 3 + k, u || '-' || k, (ARRAY['Checking', 'Savings', 'Visa'])[k], '0001',
    CASE k WHEN 3 THEN 'credit' ELSE 'depository' END,
    (ARRAY['checking', 'savings', 'credit card'])[k], 20000 + abs(hashint4(u * 3 + k)) % 400000,
    CASE k WHEN 3 THEN 500000 END, 'USD', '2026-01-01'
FROM generate_series(1, {people}) u, generate_series(1, 3) k ORDER BY u, k;
INSERT INTO spendsense.liabilities (
    account_id, user_id, kind, minimum_payment_cents, last_payment_cents, last_payment_on, is_overdue, updated_at
)
SELECT u * 3, u, 'credit', 2500, 12000, '2026-11-01', u % 29 = 0, '2026-01-01' FROM generate_series(1, {people}) u;
"""
# A person's rows by day: (account, merchant, category, amount), account 0 checking, 1 savings, 2 card.
ROWS = """
INSERT INTO spendsense.transactions (
    user_id, account_id, merchant_id, category_id, posted_on, amount_cents, pending, channel, external_id, name,
    transaction_id
)
SELECT
    u, u * 3 - 2 + r.account, r.merchant, r.category, DATE '2026-11-21' - (179 - day), r.amount, false, 'online',
    day || '-' || r.kind || '-' || r.n || '-' || u, 'MERCHANT ' || coalesce(r.merchant, 0),
    day * 100000 + ascii(r.kind) * 100 + r.n
FROM generate_series(0, 179) day
CROSS JOIN generate_series(1, {people}) u
CROSS JOIN LATERAL (
    SELECT
        'b' AS kind, n, n % 2 * 2 AS account, m.merchant, ({spending})[1 + m.merchant % {spendings}] AS category,
        300 + abs(h) % 9000 AS amount
    FROM generate_series(
        1, (day + 1) * ({rows_each} - fixed.rows) / 180 - day * ({rows_each} - fixed.rows) / 180
    ) n
    CROSS JOIN LATERAL (SELECT hashint4(day * 1000 + n * 7 + u * 31) AS h) AS hashed
    CROSS JOIN LATERAL (SELECT 1 + abs(u * 37 + abs(h) % 30 * 53) % 1900 AS merchant) AS m
    UNION ALL
    SELECT 's', s, 0, 1901 + (u + s * 13) % 99, {service}, 999 + s * 300
    FROM generate_series(1, u % 6) s WHERE (day + s * 4) % 30 = 29
    UNION ALL
    SELECT 'w', 0, 0, 2000, {wages}, -180000 - u % 900 * 100 WHERE (day + u) % 14 = 0
    UNION ALL
    SELECT 'r', 0, 0, 1900, {rent}, 95000 WHERE (day + u) % 30 = 0
    UNION ALL
    SELECT 't', a, a, null, {saving}, CASE a WHEN 1 THEN -20000 ELSE 20000 END
    FROM generate_series(0, 1) a WHERE u % 5 = 0 AND (day + u) % 30 = 3
    UNION ALL
    SELECT 'i', 0, 2, null, {interest}, 1500 + u % 700 WHERE u % 4 = 0 AND (day + u) % 30 = 5
) r
"""
MERCHANTS = """
INSERT INTO spendsense.merchants (user_id, merchant_id, key, name)
SELECT user_id, merchant_id, 'merchant ' || merchant_id, 'Merchant ' || merchant_id
FROM (SELECT DISTINCT user_id, merchant_id FROM spendsense.transactions WHERE merchant_id IS NOT NULL) AS used
ORDER BY user_id, merchant_id
"""
FIXED = """
CROSS JOIN LATERAL (
    SELECT 19 + u %% 6 * 6 + CASE WHEN u %% 5 = 0 THEN 12 ELSE 0 END + CASE WHEN u %% 4 = 0 THEN 6 ELSE 0 END AS rows
) AS fixed
"""


class Server:
    """A PostgreSQL that ends with this process; a database for each population."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="omnibus-bench-")
        home = Path(self._folder.name)
        home.chmod(0o755)
        self._cluster = home / "cluster"
        postgres.initialise(self._cluster)
        self._port = choose([0])[0]
        tuned = ["-c", "shared_buffers=1GB", "-c", "max_wal_size=8GB", "-c", "maintenance_work_mem=512MB"]
        tuned += ["-c", "autovacuum=off"]  # it would come into one measurement and not into the next; see _fill
        self._process = subprocess.Popen(
            [*postgres.command(self._cluster, self._port), *tuned],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._cluster,
        )
        atexit.register(self._stop)
        self._await()

    def _await(self) -> None:
        deadline = time.monotonic() + START_S
        while not postgres.is_ready(self._cluster):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("PostgreSQL did not start")
            time.sleep(0.02)

    def _stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=60)
        self._folder.cleanup()

    def url(self, database: str) -> str:
        """How to connect."""
        return postgres.url(self._cluster, self._port, database)


@functools.cache
def server() -> Server:
    """The server of this process."""
    return Server()


def populated(people: int, rows_each: int) -> str:
    """The URL of a new database with so many people, all due, vacuumed and analysed."""
    name = f"people_{people}_{rows_each}"
    with psycopg.connect(server().url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = server().url(name)
    database = Postgres(FixedUrl(url), statement_timeout_ms=3_600_000)
    Migrations(
        schema=PostgresSchema(database),
        available=packaged_migrations(),
        categories=packaged_taxonomy().categories.values(),
    ).migrate()
    database.close()
    with psycopg.connect(url, autocommit=True) as connection:
        _fill(connection, people, rows_each)
    return url


def dropped(url: str) -> None:
    """Give a population's space back."""
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(server().url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _fill(connection: psycopg.Connection[Any], people: int, rows_each: int) -> None:
    """Without indexes and triggers, which come back afterwards: a tenth of the time."""
    connection.execute(PEOPLE.format(people=people).encode())
    indexes = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes "
        "WHERE tablename = 'transactions' AND indexname <> 'transactions_pkey'"
    ).fetchall()
    for index, _ in indexes:
        connection.execute(f"DROP INDEX spendsense.{index}")
    connection.execute("ALTER TABLE spendsense.transactions DROP CONSTRAINT transactions_pkey")
    connection.execute("SET session_replication_role = replica")
    before, after = ROWS.split("CROSS JOIN LATERAL (", 1)
    text = (before + FIXED.replace("%%", "%").strip() + "\nCROSS JOIN LATERAL (" + after).format(
        people=people, rows_each=rows_each, **_categories(connection)
    )
    connection.execute(text.encode())
    connection.execute(MERCHANTS.encode())
    connection.execute("SET session_replication_role = DEFAULT")
    connection.execute("ALTER TABLE spendsense.transactions ADD PRIMARY KEY (user_id, account_id, external_id)")
    for _, definition in indexes:
        connection.execute(definition.encode())
    connection.execute("VACUUM ANALYZE")


def _categories(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """The numbers of the declared categories that the rows are of."""
    rows = connection.execute(
        "SELECT detailed_name, category_id, flow FROM spendsense.categories ORDER BY 1"
    ).fetchall()
    known = {name: number for name, number, _ in rows}
    services = [number for _, number, flow in rows if flow == "service"]
    spending = [number for _, number, flow in rows if flow == "spend"] + services[:6]  # a tenth of what people buy
    return {
        "spending": f"ARRAY{spending}::smallint[]",
        "spendings": len(spending),
        "service": known["ENTERTAINMENT_TV_AND_MOVIES"],
        "wages": known["INCOME_WAGES"],
        "rent": known["RENT_AND_UTILITIES_RENT"],
        "saving": known["TRANSFER_IN_SAVINGS"],
        "interest": known["BANK_FEES_INTEREST_CHARGE"],
    }
