"""The metrics that the code really emits, found by running it, and those of AWS that the template may name."""

import json
from collections.abc import Callable

from chalicelib.entry import telemetry
from chalicelib.entry.events import S3Notification, for_each_object
from chalicelib.entry.meter import ScoringMeter
from chalicelib.entry.operators import REFUSED_METRIC
from chalicelib.errors import InvalidInput
from chalicelib.flights.models import CompactionOrder
from chalicelib.spendsense.coverage import CoverageMeter
from chalicelib.spendsense.jobs import BATCH, InsightJobs
from tests.events import s3_event
from tests.fakes.clock import Clock
from tests.fakes.spendsense_aws import FakeAnnouncements
from tests.unit.flights import test_ingest, test_pipeline
from tests.unit.flights.vectors import good
from tests.unit.spendsense.test_coverage import TODAY, Office, metrics
from tests.unit.spendsense.test_jobs import ORDER, Work
from tests.unit.uploads.house import House

AWS = {
    "AWS/Lambda": {"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions", "AsyncEventAge"},
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
    "AWS/DynamoDB": {
        "ReadThrottleEvents",
        "WriteThrottleEvents",
        "ConsumedReadCapacityUnits",
        "ConsumedWriteCapacityUnits",
    },
    "AWS/States": {
        "ExecutionsStarted",
        "ExecutionsSucceeded",
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ExecutionTime",
    },
    "AWS/ApiGateway": {
        "Count",
        "4XXError",
        "5XXError",
        "Latency",
        "ConnectCount",
        "MessageCount",
        "ClientError",
        "IntegrationError",
        "ExecutionError",
    },
}
"""From the services' own documentation of their metrics."""

Metric = tuple[str, str, tuple[str, ...]]
"""Namespace, name, names of the dimensions."""


def emitted(read: Callable[[], str]) -> set[Metric]:
    """Run everything that emits metrics, and read the EMF lines from the output of `read`."""
    _emit_flights()
    _emit_uploads()
    _emit_spendsense()
    ScoringMeter().scored(1_000, 0.5)
    telemetry.count(REFUSED_METRIC)
    for_each_object(S3Notification(s3_event("raw/x"), None), _refuse)
    return {metric for line in read().splitlines() if '"_aws"' in line for metric in _metrics_of(line)}


def _metrics_of(line: str) -> list[Metric]:
    return [
        (directive["Namespace"], metric["Name"], tuple(dimensions))
        for directive in json.loads(line)["_aws"]["CloudWatchMetrics"]
        for dimensions in directive["Dimensions"]
        for metric in directive["Metrics"]
    ]


def _emit_flights() -> None:
    polled = test_ingest.World(test_ingest.SNAPSHOT)
    polled.poll()
    judged = test_pipeline.World()
    judged.run_through(good())
    judged.compaction.run(CompactionOrder(), lambda: 60.0)
    for world in (polled, judged):
        for name, values in world.emit.metrics.items():
            namespace, _, metric = name.rpartition("/")
            telemetry.emit(namespace, {metric: values[0]})


def _emit_uploads() -> None:
    house = House()
    for content in (b"no image", b"\xff\xd8\xff\xe0" + bytes(20)):
        key = house.permitted(house.opened())
        house.uploaded(key, content)
        house.arrives(key)
    for name in house.counted:
        telemetry.count(name)


def _emit_spendsense() -> None:
    for job in BATCH:
        runner = InsightJobs(pipeline=Work(1), announcements=FakeAnnouncements(), clock=Clock(), count=telemetry.count)
        runner.run(job, ORDER, lambda: 300.0)
    CoverageMeter(Office(metrics(0.9)), telemetry.emit).survey(TODAY)  # type: ignore[arg-type]


def _refuse(record: object) -> None:
    raise InvalidInput("no snapshot")
