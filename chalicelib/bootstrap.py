"""The composition root: settings in, services out.

Every service is built when it is first asked for, and once: a function pays only for what it uses. The imports are
inside, because an adapter brings its SDK along and every function shares app.py.
"""

import os
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.entry.telemetry import emit
from chalicelib.operators import Operators
from chalicelib.settings import Settings, with_file

if TYPE_CHECKING:
    from chalicelib.adapters.buckets import S3Bucket
    from chalicelib.adapters.flight_guard import FlightGuard
    from chalicelib.adapters.flight_runs import FlightRuns
    from chalicelib.adapters.secrets import Secrets
    from chalicelib.adapters.topics import Topic
    from chalicelib.flights.ingest import Ingestion
    from chalicelib.flights.process import Processing
    from chalicelib.flights.queries import Flights
    from chalicelib.flights.replay import Replays
    from chalicelib.flights.review import Review
    from chalicelib.flights.validate import Validation
    from chalicelib.health import Health


def now() -> datetime:
    """The clock of the running application, in UTC."""
    return datetime.now(UTC)


class Services:
    """What app.py calls; a property for each service, built on first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    # -- flights

    @cached_property
    def ingestion(self) -> "Ingestion":
        from chalicelib.adapters.opensky import OpenSky
        from chalicelib.flights.ingest import Ingestion

        flights = self.settings.flights
        return Ingestion(
            source=OpenSky(
                url=flights.opensky_url,
                token_url=flights.opensky_token_url,
                credentials=self._opensky_credentials,
                clock=now,
            ),
            bucket=self._flights_bucket,
            runs=self._flight_runs,
            guard=self._flight_guard,
            throttle=self._flight_guard,
            notices=self._flight_guard,
            alerts=self._flight_alerts,
            box=flights.box,
            daily_credits=flights.daily_credits,
            clock=now,
        )

    @cached_property
    def processing(self) -> "Processing":
        from chalicelib.flights.convert import Limits
        from chalicelib.flights.process import Processing

        return Processing(
            bucket=self._flights_bucket,
            runs=self._flight_runs,
            alerts=self._flight_alerts,
            emit=emit,
            limits=Limits(),
            clock=now,
        )

    @cached_property
    def validation(self) -> "Validation":
        from chalicelib.flights.quality import Thresholds
        from chalicelib.flights.validate import Validation

        flights = self.settings.flights
        return Validation(
            bucket=self._flights_bucket,
            runs=self._flight_runs,
            notices=self._flight_guard,
            alerts=self._flight_alerts,
            emit=emit,
            thresholds=Thresholds.from_mapping(flights.thresholds or {}),
            strict=flights.strict,
            clock=now,
        )

    @cached_property
    def flights(self) -> "Flights":
        from chalicelib.flights.queries import Flights

        return Flights(bucket=self._flights_bucket, runs=self._flight_runs, history=self._flight_runs, clock=now)

    @cached_property
    def flight_review(self) -> "Review":
        from chalicelib.flights.review import Review

        return Review(bucket=self._flights_bucket, runs=self._flight_runs, clock=now)

    @cached_property
    def flight_replays(self) -> "Replays":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.reprocessing import LambdaReprocessing
        from chalicelib.flights.replay import Replays

        flights = self.settings.flights
        reprocessing = LambdaReprocessing(client("lambda"), flights.process_function, flights.bucket)
        return Replays(bucket=self._flights_bucket, reprocessing=reprocessing)

    @cached_property
    def _flights_bucket(self) -> "S3Bucket":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.buckets import S3Bucket

        return S3Bucket(client("s3"), self.settings.flights.bucket, "the flights bucket")

    @cached_property
    def _flight_runs(self) -> "FlightRuns":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.flight_runs import FlightRuns

        return FlightRuns(client("dynamodb"), self.settings.flights.runs_table)

    @cached_property
    def _flight_guard(self) -> "FlightGuard":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.flight_guard import FlightGuard

        return FlightGuard(client("dynamodb"), self.settings.flights.guard_table, now)

    @cached_property
    def _flight_alerts(self) -> "Topic":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.topics import Topic

        return Topic(client("sns"), self.settings.flights.alerts_topic_arn)

    def _opensky_credentials(self) -> tuple[str, str] | None:
        arn = self.settings.flights.opensky_secret_arn
        if not arn:
            return None
        secret = self._secrets.read(arn)
        return str(secret["client_id"]), str(secret["client_secret"])

    # -- shared

    @cached_property
    def _secrets(self) -> "Secrets":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.secrets import Secrets

        return Secrets(client("secretsmanager"))

    @cached_property
    def health(self) -> "Health":
        from chalicelib.health import Health

        checks = {"flights": lambda: self._flight_runs.find("health")}
        return Health(operators=self.operators, checks=checks)

    @cached_property
    def operators(self) -> Operators:
        return Operators(self.settings.operator_token)


def bootstrap() -> Services:
    """The services for this process's environment; SettingsError if it is incomplete."""
    environ = with_file(os.environ)
    for name, value in environ.items():
        os.environ.setdefault(name, value)  # boto3 reads its own variables from there
    return Services(Settings.from_environ(environ))
