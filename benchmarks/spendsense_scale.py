"""SpendSense against the number of people: features, the function's memory, and the API at the largest.

Each person has 210 rows. The cost for each person should stay level, and the function's peak memory flat, since the
rows never leave the database. The API is the route handler, called as API Gateway calls it, in this process beside the
database: pages of 200 transactions of people taken at random.
"""

import base64
import os
import random
import statistics
import sys
import time
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec
import psycopg

from benchmarks import measure
from benchmarks.spendsense_population import NOW, TODAY, dropped, populated
from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.spendsense.oversight import PostgresAudit
from chalicelib.adapters.spendsense.people import PostgresPeople
from chalicelib.adapters.spendsense.pipeline import PostgresPipeline
from chalicelib.adapters.spendsense.records import PostgresExplanations, PostgresRecords
from chalicelib.spendsense.catalogue import packaged_catalogue
from chalicelib.spendsense.identity import Doorkeeper, Pool
from chalicelib.spendsense.jobs import InsightJobs
from chalicelib.spendsense.orders import JobOrder
from chalicelib.spendsense.reading import OwnRecords
from local.people.load import FixedUrl

ROWS_EACH = 210
CALLS = 1_000
PAGE = 200
POOL = Pool("https://issuer.example", frozenset({"client"}))
PATH = f"/api/v1/users/me/transactions?limit={PAGE}"


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


def compute(url: str, run_id: str) -> None:
    """The whole of compute_features, as the function runs it."""
    with closing(Postgres(FixedUrl(url), statement_timeout_ms=3_600_000)) as database:
        jobs = InsightJobs(
            pipeline=PostgresPipeline(database, packaged_catalogue()),
            announcements=Silence(),
            clock=lambda: NOW,
            count=lambda name, value: None,
        )
        jobs.run("compute_features", JobOrder(run_id, TODAY, everyone=True), lambda: 3600.0)


def main() -> None:
    """Measure populations of the given sizes."""
    arguments = measure.arguments(__doc__, sizes=[1_000, 10_000, 100_000])
    report = measure.Report("spendsense_scale")
    each = []
    for people in arguments.sizes:
        url = populated(people, ROWS_EACH)
        started = time.perf_counter()
        compute(url, "timed")
        milliseconds = 1000 * (time.perf_counter() - started)
        each.append(milliseconds / people)
        report.medians[f"{people:,} people: features of all"] = round(milliseconds, 1)
        report.medians[f"{people:,} people: features of one (ratio: to the smallest)"] = round(milliseconds / people, 3)
        report.ratios[f"{people:,} people: features of one (ratio: to the smallest)"] = round(each[-1] / each[0], 3)
        peak = measure.peak_mib("benchmarks.spendsense_scale:compute", url, "peak")
        report.peak(f"{people:,} people: peak of the function", peak)
        if people == max(arguments.sizes):
            _call_api(report, url, people)
        dropped(url)
    report.show(arguments.json)


def _call_api(report: measure.Report, url: str, people: int) -> None:
    times = sorted(_timed_calls(url))
    label = f"{people:,} people: API, {PAGE} transactions a page"
    report.medians[f"{label}, p50"] = round(statistics.median(times), 2)
    report.medians[f"{label}, p95"] = round(times[int(len(times) * 0.95)], 2)


def _timed_calls(url: str) -> list[float]:
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
        with Client(application.app, stage_name="dev") as client:
            return [_timed(client, str(subject)) for subject in subjects]


def _timed(client: Any, subject: str) -> float:
    claims = {"sub": subject, "cognito:username": subject, "iss": POOL.issuer, "aud": "client", "token_use": "id"}
    payload = base64.urlsafe_b64encode(msgspec.json.encode(claims)).decode().rstrip("=")
    started = time.perf_counter()
    answer = client.http.get(PATH, headers={"Authorization": f"e30.{payload}.c2lnbmVk"})
    elapsed = 1000 * (time.perf_counter() - started)
    if answer.status_code != 200 or len(msgspec.json.decode(answer.body)["transactions"]) != PAGE:
        raise RuntimeError(f"{answer.status_code}: {answer.body[:300]!r}")
    return elapsed


if __name__ == "__main__":
    main()
