"""Omnibus: every route, socket, bucket event, schedule, event and queue that it reacts to.

A handler parses, calls one service, returns. How parsing, errors, CORS and retries work is in `chalicelib/entry`;
what the services are made of is in `chalicelib/bootstrap.py`.
"""

from functools import cache
from os import environ
from typing import Any

from chalice.app import CloudWatchEvent, Rate

from chalicelib.bootstrap import bootstrap
from chalicelib.entry.events import S3Notification, for_each_object, invoked, report_or_raise
from chalicelib.entry.web import CORS, App
from chalicelib.flights.models import (
    REPLAY,
    Latest,
    LatestQuery,
    QualityHistory,
    QualityQuery,
    ReleaseRequest,
    Replay,
    ReplayRequest,
)
from chalicelib.flights.runs import Run
from chalicelib.health import HealthQuery
from chalicelib.health import Report as HealthReport

services = cache(bootstrap)
app = App("omnibus", origins=lambda: services().settings.cors_origins)

# -- the application itself


@app.route("/health", cors=CORS, query=HealthQuery, returns=HealthReport, headers=["X-Operator-Token"], tag="health")
def health() -> HealthReport:
    """Tell whether the application answers, and with `deep`, whether its dependencies do."""
    return services().health.report(app.query(HealthQuery), app.header("X-Operator-Token"))


@app.route("/openapi.json", cors=CORS, returns=dict, tag="health")
def openapi() -> dict[str, object]:
    """This description."""
    return app.openapi()


# -- concerts

# -- predictions

# -- flights


@app.schedule(Rate(5, unit=Rate.MINUTES))
def ingest_flights(event: CloudWatchEvent) -> Any:
    """Poll OpenSky once, as far as the throttle, the breaker and the day's credits allow."""
    return report_or_raise(services().ingestion.poll)


@app.on_s3_event(bucket=environ.get("OMNIBUS_FLIGHTS_BUCKET", "flights"), prefix="raw/", suffix=".json.gz")
def process_flights(event: S3Notification) -> None:
    """Convert raw snapshots to Parquet."""
    for_each_object(event, lambda record: services().processing.process(record.key, again=record.event_name == REPLAY))


@app.on_s3_event(bucket=environ.get("OMNIBUS_FLIGHTS_BUCKET", "flights"), prefix="processed/", suffix=".parquet")
def validate_flights(event: S3Notification) -> None:
    """Judge processed snapshots by the 16 checks; quarantine those that fail."""
    for_each_object(event, lambda record: services().validation.validate(record.key))


@app.lambda_function()
def release_flights(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Release a snapshot from quarantine, by an operator's direct invocation."""
    return invoked(ReleaseRequest, event, services().flight_review.release)


@app.route("/flights/latest", cors=CORS, query=LatestQuery, returns=Latest, tag="flights")
def latest_flights() -> Latest:
    """The aircraft of the newest snapshot that passed validation, in a box and a flight phase."""
    return services().flights.latest(app.query(LatestQuery))


@app.route("/flights/quality", cors=CORS, query=QualityQuery, returns=QualityHistory, tag="flights")
def flights_quality() -> QualityHistory:
    """The verdicts of the last days, and the checks that failed most."""
    return services().flights.quality(app.query(QualityQuery))


@app.route("/flights/runs/{tracking_id}", cors=CORS, returns=Run, tag="flights")
def flights_run(tracking_id: str) -> Run:
    """One snapshot's way through the pipeline."""
    return services().flights.run(tracking_id)


@app.route(
    "/flights/replays",
    methods=["POST"],
    cors=CORS,
    body=ReplayRequest,
    returns=Replay,
    status=202,
    headers=["X-Operator-Token"],
    tag="flights",
)
def replay_flights() -> Replay:
    """Process the raw snapshots of a time range again; doing it twice changes nothing. For operators."""
    services().operators.admit(app.header("X-Operator-Token"))
    return services().flight_replays.start(app.body(ReplayRequest))


# -- spendsense

# -- uploads
