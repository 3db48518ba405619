"""Ticket predictions: requests a second in process, and a batch of a hundred concerts against a hundred calls.

    python benchmarks/ticket_predictions.py [--json]

In process: the domain's `predict` with all 21 features given and the shipped model, as the function that carries it
would. The batch: a hundred scheduled concerts of a season of 20,000 sales, through the Data API on PostgreSQL and the
shipped model, in one `predict_batch` and in a hundred `predict`s. Beside them the training report's figures.
"""

import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("OMP_NUM_THREADS", "1")  # as the template sets it for the function

import boto3

from benchmarks import measure
from chalicelib.adapters.concerts.ticket_artifact import ArtifactTicketModel, error_bands, manifest
from chalicelib.adapters.concerts.warehouse import ConcertWarehouse
from chalicelib.adapters.redshift import RedshiftData
from chalicelib.concerts.models import TicketBatchQuery, TicketQuery
from chalicelib.concerts.tickets import TicketForecast
from chalicelib.concerts.values import Criteria
from local.redshift.api import DataApi
from local.redshift.server import RedshiftServer, own_engine, with_database
from local.redshift.statements import Statements
from local.season.engine import load_into_engine
from local.season.generator import generate

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CONCERTS = 100
REQUESTS = 1000


def warehouse_at(server: RedshiftServer) -> ConcertWarehouse:
    """The shipped adapter, without its memory."""
    client = boto3.client(
        "redshift-data",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    target = {"WorkgroupName": "omnibus", "Database": "omnibus"}
    return ConcertWarehouse(RedshiftData(client, target, budget_s=60), fresh_for_s=0)


def main() -> None:
    """Measure and print."""
    arguments = measure.arguments(__doc__)
    report = measure.Report("ticket_predictions")
    judged(report)
    with tempfile.TemporaryDirectory(prefix="omnibus-bench-") as folder, own_engine(Path(folder)) as engine:
        url = with_database(engine, "omnibus")
        load_into_engine(generate(20_000, today=NOW.date()), url)
        with RedshiftServer(DataApi(Statements(url))) as server:
            warehouse = warehouse_at(server)
            forecast = TicketForecast(
                warehouse, [ArtifactTicketModel()], manifest()["venue_types"], error_bands(), lambda: NOW
            )
            programme = warehouse.upcoming(Criteria(), NOW.date(), CONCERTS)
            ids = [item.concert_id for item in programme]
            in_process(report, forecast, ids[0])
            singly = [forecast.predict(TicketQuery(concert_id=one)).predicted_sales for one in ids]
            batch = forecast.predict_batch(TicketBatchQuery(concert_ids=ids))
            if [one.predicted_sales for one in batch.predictions] != singly:
                raise SystemExit("a batch predicts otherwise than single calls")
            cases = {
                "one batch": lambda: forecast.predict_batch(TicketBatchQuery(concert_ids=ids)),
                "a hundred calls": lambda: [forecast.predict(TicketQuery(concert_id=one)) for one in ids],
            }
            report.compare(f"{len(ids)} concerts", cases, ours="one batch", rounds=5)
    report.show(arguments.json)


def judged(report: measure.Report) -> None:
    """The shipped model's errors and coverage on unseen seasons, as its training measured them."""
    for season, facts in manifest()["judged_by"].items():
        for name in ("model", "venue_mean", "artist_mean"):
            report.ratios[f"{season}: median error, {name.replace('_', ' ')}"] = facts[name]["median_error"]
            report.ratios[f"{season}: R2, {name.replace('_', ' ')}"] = facts[name]["r2"]
        for level, found in facts["levels"].items():
            report.ratios[f"{season}: in the 80 % interval, confidence {level}"] = found["coverage"]


def in_process(report: measure.Report, forecast: TicketForecast, concert_id: str) -> None:
    """The time of single predictions from given features."""
    query = TicketQuery(features=forecast.predict(TicketQuery(concert_id=concert_id)).features)
    times = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        forecast.predict(query)
        times.append(1000 * (time.perf_counter() - started))
    cuts = quantiles(times, n=100)
    report.medians["in process: p50"] = round(cuts[49], 3)
    report.medians["in process: p95"] = round(cuts[94], 3)
    report.medians["in process: a thousand requests"] = round(sum(times), 1)
    report.ratios["in process: requests a second"] = round(1000 * REQUESTS / sum(times), 1)


if __name__ == "__main__":
    main()
