"""The services of the flights."""

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.adapters.buckets import S3Bucket
from chalicelib.adapters.flights.guard import FlightGuard
from chalicelib.adapters.flights.runs import FlightRuns
from chalicelib.adapters.topics import Topic
from chalicelib.entry.telemetry import emit
from chalicelib.errors import InvalidInput
from chalicelib.flights.troubles import Troubles
from chalicelib.settings import SettingsError
from chalicelib.wiring.shared import Shared, now

if TYPE_CHECKING:
    from chalicelib.flights.compaction import Compaction
    from chalicelib.flights.feed import RunFeed
    from chalicelib.flights.history import FlightHistory
    from chalicelib.flights.ingest import Ingestion
    from chalicelib.flights.operations import FlightOperations
    from chalicelib.flights.process import Processing
    from chalicelib.flights.queries import Flights
    from chalicelib.flights.replay import Replays
    from chalicelib.flights.review import QuarantineReview
    from chalicelib.flights.validate import Validation


class FlightServices:
    """The pipeline's steps, its queries and its operators' commands; each is built on first use."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._client = shared.client
        self._settings = shared.settings.flights

    @cached_property
    def ingestion(self) -> "Ingestion":
        from chalicelib.adapters.flights.opensky import OpenSky
        from chalicelib.flights.ingest import Ingestion

        return Ingestion(
            source=OpenSky(
                url=self._settings.opensky_url,
                token_url=self._settings.opensky_token_url,
                credentials=self._opensky_credentials,
                forget_credentials=lambda: self._shared.secrets.forget(self._settings.opensky_secret_arn),
                clock=now,
            ),
            bucket=self.bucket,
            runs=self.runs,
            guard=self.guard,
            throttle=self.guard,
            notices=self.guard,
            alerts=self.alerts,
            emit=emit,
            box=self._settings.box,
            daily_credits=self._settings.daily_credits,
            clock=now,
        )

    @cached_property
    def processing(self) -> "Processing":
        from chalicelib.flights.convert import SnapshotLimits
        from chalicelib.flights.process import Processing

        return Processing(
            bucket=self.bucket, runs=self.runs, troubles=self.troubles, emit=emit, limits=SnapshotLimits(), clock=now
        )

    @cached_property
    def validation(self) -> "Validation":
        from chalicelib.flights.quality import Thresholds
        from chalicelib.flights.validate import Validation

        try:
            thresholds = Thresholds.from_mapping(self._settings.thresholds or {})
        except InvalidInput as error:  # the deployment is wrong: events must not be parked for it
            raise SettingsError(f"OMNIBUS_FLIGHTS_THRESHOLDS: {error.message}") from error
        return Validation(
            bucket=self.bucket,
            runs=self.runs,
            history=self.runs,
            troubles=self.troubles,
            feed=self.feed,
            emit=emit,
            thresholds=thresholds,
            strict=self._settings.strict,
            clock=now,
        )

    @cached_property
    def queries(self) -> "Flights":
        from chalicelib.flights.queries import Flights

        return Flights(bucket=self.bucket, runs=self.runs, history=self.runs, clock=now)

    @cached_property
    def operations(self) -> "FlightOperations":
        from chalicelib.flights.operations import FlightOperations

        return FlightOperations(
            bucket=self.bucket,
            links=self.links,
            runs=self.runs,
            history=self.runs,
            guard=self.guard,
            box=self._settings.box,
            daily_credits=self._settings.daily_credits,
            clock=now,
        )

    @cached_property
    def history(self) -> "FlightHistory":
        from chalicelib.adapters.flights.athena import AthenaHistory
        from chalicelib.flights.history import FlightHistory

        engine = AthenaHistory(
            self._client("athena"),
            workgroup=self._settings.workgroup,
            database=self._settings.database,
            binds=self._shared.settings.stage != "local",
        )
        return FlightHistory(engine, clock=now)

    @cached_property
    def compaction(self) -> "Compaction":
        from chalicelib.flights.compaction import Compaction

        return Compaction(archive=self.bucket, history=self.runs, emit=emit, clock=now)

    @cached_property
    def review(self) -> "QuarantineReview":
        from chalicelib.flights.review import QuarantineReview

        return QuarantineReview(bucket=self.bucket, runs=self.runs, clock=now)

    @cached_property
    def replays(self) -> "Replays":
        from chalicelib.adapters.flights.reprocessing import LambdaReprocessing
        from chalicelib.flights.replay import Replays

        reprocessing = LambdaReprocessing(
            self._client("lambda"), self._settings.process_function, self._settings.bucket
        )
        return Replays(bucket=self.bucket, reprocessing=reprocessing, book=self.runs, history=self.runs, clock=now)

    @cached_property
    def links(self) -> S3Bucket:
        """The bucket with links signed by Signature Version 4, which objects under a KMS key require."""
        return S3Bucket(self._client("s3", signature_version="s3v4"), self._settings.bucket, "the flights bucket")

    @cached_property
    def bucket(self) -> S3Bucket:
        return S3Bucket(self._client("s3"), self._settings.bucket, "the flights bucket")

    @cached_property
    def runs(self) -> FlightRuns:
        return FlightRuns(self._client("dynamodb"), self._settings.runs_table)

    @cached_property
    def guard(self) -> FlightGuard:
        return FlightGuard(self._client("dynamodb"), self._settings.guard_table, now)

    @cached_property
    def feed(self) -> "RunFeed":
        from chalicelib.flights.feed import RunFeed

        return RunFeed(self.guard, self._shared.connections.post)

    @cached_property
    def alerts(self) -> Topic:
        return Topic(self._client("sns"), self._settings.alerts_topic_arn)

    @cached_property
    def troubles(self) -> Troubles:
        return Troubles(runs=self.runs, notices=self.guard, alerts=self.alerts, clock=now)

    def _opensky_credentials(self) -> tuple[str, str] | None:
        arn = self._settings.opensky_secret_arn
        if not arn:
            return None
        secret = self._shared.secrets.read(arn)
        return str(secret["client_id"]), str(secret["client_secret"])
