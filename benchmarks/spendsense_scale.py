"""SpendSense against the number of people: the nights, the function's memory, and the API at the largest.

Each person has 210 rows. A full night does all three stages for everybody, an ordinary one for the hundredth part that
has a new row. The cost for each person should stay level, and the function's peak memory flat, since the rows never
leave the database. An import is a CSV file for a person without rows, read, kept and committed. The API is the route
handler, called as API Gateway calls it, in this process beside the database: pages of 200 transactions, insights and
recommendations of people taken at random. Its peer is a bare Chalice route that runs the same query and returns its
rows, and asks nobody who is calling.
"""

import base64
import os
import random
import re
import statistics
import sys
import time
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec
import psycopg

from benchmarks import measure
from benchmarks.spendsense_population import NOW, TODAY, dropped, populated
from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.spendsense.ledger import PostgresLedger
from chalicelib.adapters.spendsense.oversight import PostgresAudit
from chalicelib.adapters.spendsense.people import PostgresPeople
from chalicelib.adapters.spendsense.pipeline import PostgresPipeline
from chalicelib.adapters.spendsense.records import PostgresExplanations, PostgresRecords
from chalicelib.spendsense import sql
from chalicelib.spendsense.catalogue import packaged_catalogue
from chalicelib.spendsense.identity import Doorkeeper, Pool
from chalicelib.spendsense.imports import Imports
from chalicelib.spendsense.jobs import BATCH, InsightJobs
from chalicelib.spendsense.models import ImportQuery, Operator, ProfileChange
from chalicelib.spendsense.orders import JobOrder
from chalicelib.spendsense.reading import OwnRecords
from local.people.load import FixedUrl
from tests.contract.spendsense_limited import file_of

ROWS_EACH = 210
CALLS = 1_000
IMPORTED = (10_000, 100_000)
IMPORTS = 3
PAGE = 200
NEW_ROWS = """
INSERT INTO spendsense.transactions (
    user_id, account_id, merchant_id, category_id, posted_on, amount_cents, pending, channel, external_id, name,
    transaction_id
)
SELECT DISTINCT ON (user_id)
    user_id, account_id, merchant_id, category_id, DATE '2026-11-21', 1234, false, 'online', 'new', 'NEW', 99999999
FROM spendsense.transactions
WHERE user_id % 100 = 0 AND posted_on >= '2026-11-10' AND amount_cents > 0
ORDER BY user_id, transaction_id
"""
POOL = Pool("https://issuer.example", frozenset({"client"}))
LEAST_BYTES = 500
READS: dict[str, tuple[str, str, dict[str, Any]]] = {
    f"{PAGE} transactions a page": (
        f"/api/v1/users/me/transactions?limit={PAGE}",
        "read_transactions",
        {"limit": PAGE, "spending": False},
    ),
    "insights": ("/api/v1/users/me/insights?window=90", "read_insights", {"window": 90}),
    "recommendations": ("/api/v1/users/me/recommendations?window=90", "read_recommendations", {"window": 90}),
}
"""The reads: the API's path, and the statement of the bare route with its parameters."""


class Silence:
    """Announces to nobody."""

    def announce(self, kind: str, detail: Any) -> None:
        """Nothing."""


class OnePool:
    """The pool of this benchmark."""

    def pool(self) -> Pool:
        """It."""
        return POOL

    def renewed(self) -> Pool:
        """It again."""
        return POOL


def night(url: str, run_id: str) -> dict[str, float]:
    """Run all stages for everybody who is due, as the functions do; the duration of each in ms."""
    took: dict[str, float] = {}
    with closing(Postgres(FixedUrl(url), statement_timeout_ms=3_600_000)) as database:
        jobs = InsightJobs(
            pipeline=PostgresPipeline(database, packaged_catalogue()),
            announcements=Silence(),
            clock=lambda: NOW,
            count=lambda name, value: None,
        )
        for job in BATCH:
            started = time.perf_counter()
            jobs.run(job, JobOrder(run_id, TODAY), lambda: 3600.0)
            took[job] = 1000 * (time.perf_counter() - started)
    return took


def import_of(url: str, rows: str) -> list[float]:
    """Import a file of so many rows for a few new people, as the function does; the duration of each in ms."""
    took = []
    with closing(Postgres(FixedUrl(url), statement_timeout_ms=3_600_000)) as database:
        imports = Imports(ledger=PostgresLedger(database), announcements=Silence(), clock=lambda: NOW)
        query = ImportQuery(account_id="main", amounts="positive_out")
        for _ in range(IMPORTS):
            person = uuid4()
            PostgresPeople(database).register(person, ProfileChange(display_name="New", currency="USD"), NOW)
            raw = file_of(int(rows))
            started = time.perf_counter()
            taken = imports.take(person, raw, "text/csv", query, Operator(operator=person, request_id="import"))
            took.append(1000 * (time.perf_counter() - started))
            if taken.saved["transactions"] != int(rows):
                raise RuntimeError(f"{taken.saved} were saved of {rows}")
    return took


def _spend(url: str) -> None:
    """Give each hundredth person a new row, as an import does."""
    with psycopg.connect(url) as connection:
        connection.execute(NEW_ROWS)
        connection.execute("UPDATE spendsense.standings SET features_due = true WHERE user_id % 100 = 0")


def main() -> None:
    """Measure populations of the given sizes."""
    arguments = measure.arguments(__doc__, sizes=[1_000, 10_000, 100_000])
    report = measure.Report("spendsense_scale")
    each = []
    for people in arguments.sizes:
        url = populated(people, ROWS_EACH)
        label = f"{people:,} people"
        full = night(url, "full")
        report.medians |= {f"{label}: full night, {job}": round(took, 1) for job, took in full.items()}
        each.append(full["compute_features"] / people)
        report.medians[f"{label}: features of one (ratio: to the smallest)"] = round(each[-1], 3)
        report.ratios[f"{label}: features of one (ratio: to the smallest)"] = round(each[-1] / each[0], 3)
        _spend(url)
        ordinary = sum(night(url, "ordinary").values())
        report.medians[f"{label}: a night with new rows of 1% (ratio: to the full night)"] = round(ordinary, 1)
        report.ratios[f"{label}: a night with new rows of 1% (ratio: to the full night)"] = round(
            ordinary / sum(full.values()), 4
        )
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE spendsense.standings SET features_due = true")
        report.peak(
            f"{label}: peak of the functions", measure.peak_mib("benchmarks.spendsense_scale:night", url, "peak")
        )
        if people == max(arguments.sizes):
            _call_api(report, url, people)
            for rows in IMPORTED:
                what = f"{people:,} people: an import of {rows:,} rows"
                report.medians[what] = round(statistics.median(import_of(url, str(rows))), 1)
                report.peak(what, measure.peak_mib("benchmarks.spendsense_scale:import_of", url, str(rows)))
        dropped(url)
    report.show(arguments.json)


def _call_api(report: measure.Report, url: str, people: int) -> None:
    for read, of_read in _timed_calls(url).items():
        label = f"{people:,} people: {read}"
        found = {name: sorted(times) for name, times in of_read.items()}
        for name, times in found.items():
            report.medians[f"{label}, {name}, p50"] = round(statistics.median(times), 2)
            report.medians[f"{label}, {name}, p95"] = round(_p95(times), 2)
        ours = f"{label}, the API, p95 (ratio: to the bare route)"
        report.ratios[ours] = round(_p95(found["the API"]) / _p95(found["bare Chalice"]), 2)


def _p95(times: list[float]) -> float:
    return times[int(len(times) * 0.95)]


def _timed_calls(url: str) -> dict[str, dict[str, list[float]]]:
    """The times of both for each read, in turn for the same person; each goes first for every other person.

    The first of the two reads most people's rows from disk; the second finds them in memory.
    """
    from chalice.test import Client

    from tests.environment import ENVIRONMENT

    os.environ.update(ENVIRONMENT)
    warnings.simplefilter("ignore")  # Chalice's test client says that it checks no signatures
    import app as application
    from chalicelib.entry.telemetry import logger

    logger.setLevel("ERROR")
    with psycopg.connect(url) as connection:
        query = "SELECT subject FROM spendsense.profiles ORDER BY random() LIMIT %s"
        subjects = [row[0] for row in connection.execute(query, [CALLS])]
    random.Random(7).shuffle(subjects)
    with closing(Postgres(FixedUrl(url), statement_timeout_ms=10_000)) as database:
        services = application.services()
        audit = PostgresAudit(database)
        services.spendsense.doorkeeper = Doorkeeper(pools=OnePool(), audit=audit, clock=lambda: NOW)
        services.spendsense.own = OwnRecords(
            records=PostgresRecords(database),
            people=PostgresPeople(database),
            explanations=PostgresExplanations(database),
            audit=audit,
            catalogue=packaged_catalogue(),
            clock=lambda: NOW,
        )
        bare = bare_route(database)
        with Client(application.app, stage_name="dev") as client, Client(bare, stage_name="dev") as plain:
            times: dict[str, dict[str, list[float]]] = {}
            for number, subject in enumerate(map(str, subjects)):
                for place, (read, (path, _, _)) in enumerate(READS.items()):
                    calls = [
                        ("the API", client, path, _token(subject)),
                        ("bare Chalice", plain, f"/{place}/{subject}", {}),
                    ]
                    for name, caller, where, headers in calls if number % 2 else calls[::-1]:
                        of_read = times.setdefault(read, {})
                        of_read.setdefault(name, []).append(_timed(caller, where, headers))
            return times


def bare_route(database: Postgres) -> Any:
    """A Chalice application with a route for each read, which returns the rows of one query."""
    from chalice.app import Chalice

    bare = Chalice(app_name="bare")

    @bare.route("/{place}/{subject}")
    def rows_of(place: str, subject: str) -> Any:
        _, statement, given = list(READS.values())[int(place)]
        text = sql.text(statement).replace("/*spends*/", sql.text("spends"))
        parameters = {**dict.fromkeys(re.findall(r"%\((\w+)\)s", text)), **given, "subject": subject}
        rows = database.run(lambda cursor: cursor.execute(text, parameters).fetchall())
        return {"rows": msgspec.to_builtins([row._asdict() for row in rows])}

    return bare


def _token(subject: str) -> dict[str, str]:
    claims = {"sub": subject, "cognito:username": subject, "iss": POOL.issuer, "aud": "client", "token_use": "id"}
    payload = base64.urlsafe_b64encode(msgspec.json.encode(claims)).decode().rstrip("=")
    return {"Authorization": f"e30.{payload}.c2lnbmVk"}


def _timed(client: Any, path: str, headers: dict[str, str]) -> float:
    started = time.perf_counter()
    answer = client.http.get(path, headers=headers)
    elapsed = 1000 * (time.perf_counter() - started)
    if answer.status_code != 200 or len(answer.body) < LEAST_BYTES:
        raise RuntimeError(f"{answer.status_code}: {answer.body[:300]!r}")
    return elapsed


if __name__ == "__main__":
    main()
