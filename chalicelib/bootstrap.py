"""The composition root: settings in, services out.

Every service is built when it is first asked for, and once: a function pays only for what it uses. The imports are
inside, because an adapter brings its SDK along and every function shares app.py.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.entry.operators import Operators
from chalicelib.entry.telemetry import count, emit
from chalicelib.errors import InvalidInput
from chalicelib.settings import Settings, SettingsError, with_file

if TYPE_CHECKING:
    from chalicelib.adapters.buckets import S3Bucket
    from chalicelib.adapters.concerts.sagemaker import SageMakerTicketModel
    from chalicelib.adapters.concerts.sessions import ChatSessions
    from chalicelib.adapters.concerts.ticket_artifact import ArtifactTicketModel
    from chalicelib.adapters.concerts.warehouse import ConcertWarehouse
    from chalicelib.adapters.connections import Connections
    from chalicelib.adapters.flights.guard import FlightGuard
    from chalicelib.adapters.flights.runs import FlightRuns
    from chalicelib.adapters.postgres import Postgres
    from chalicelib.adapters.predictions.jobs import DynamoJobs
    from chalicelib.adapters.predictions.objects import S3Objects
    from chalicelib.adapters.redshift import RedshiftData
    from chalicelib.adapters.secrets import Secrets
    from chalicelib.adapters.spendsense.events import BusAnnouncements
    from chalicelib.adapters.spendsense.oversight import PostgresAudit
    from chalicelib.adapters.topics import Topic
    from chalicelib.adapters.uploads.sessions import UploadSessionsTable
    from chalicelib.adapters.uploads.storage import UploadStorage
    from chalicelib.concerts.conversation import Conversation
    from chalicelib.concerts.popularity import VenuePopularity
    from chalicelib.concerts.ports import ChatProvider, TicketModel
    from chalicelib.concerts.recommendations import Recommender
    from chalicelib.concerts.tickets import TicketForecast
    from chalicelib.concerts.tools import Toolbox
    from chalicelib.entry.health import Health
    from chalicelib.flights.ingest import Ingestion
    from chalicelib.flights.process import Processing
    from chalicelib.flights.queries import Flights
    from chalicelib.flights.replay import Replays
    from chalicelib.flights.review import Review
    from chalicelib.flights.troubles import Troubles
    from chalicelib.flights.validate import Validation
    from chalicelib.predictions.batch import BatchPredictions
    from chalicelib.predictions.distributed import DistributedPredictions
    from chalicelib.predictions.estimators import Models
    from chalicelib.predictions.jobs import Jobs
    from chalicelib.predictions.requests import AllowLists
    from chalicelib.spendsense.identity import Doorkeeper
    from chalicelib.spendsense.imports import Imports
    from chalicelib.spendsense.jobs import Jobs as SpendsenseJobs
    from chalicelib.spendsense.operators import Office
    from chalicelib.spendsense.people import Registry
    from chalicelib.spendsense.reading import Reader
    from chalicelib.spendsense.schema import Migrations
    from chalicelib.uploads.completion import Completion
    from chalicelib.uploads.notices import Notices
    from chalicelib.uploads.presence import Presence
    from chalicelib.uploads.sessions import UploadSessions
    from chalicelib.uploads.site import Site


EMBEDDED_MODEL_S = 10.0
"""What the function with the embedded ticket model may take, its cold start included."""

WAREHOUSE_JOB_S = 240.0
"""What a scheduled job or a loader may take for one statement; the refreshing function has 300 s."""


def now() -> datetime:
    """The clock of the running application, in UTC."""
    return datetime.now(UTC)


class Services:
    """What app.py calls; a property for each service, built on first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    # -- concerts

    @cached_property
    def venue_popularity(self) -> "VenuePopularity":
        from chalicelib.concerts.popularity import VenuePopularity

        return VenuePopularity(self._concert_warehouse, now)

    @cached_property
    def venue_popularity_refresh(self) -> "VenuePopularity":
        from chalicelib.adapters.concerts.warehouse import ConcertWarehouse
        from chalicelib.concerts.popularity import VenuePopularity

        return VenuePopularity(ConcertWarehouse(self.warehouse_loading, fresh_for_s=0), now)

    @cached_property
    def ticket_forecast(self) -> "TicketForecast":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.concerts.ticket_artifact import manifest
        from chalicelib.adapters.concerts.ticket_function import FunctionTicketModel
        from chalicelib.concerts.tickets import TicketForecast

        embedded = client("lambda", read_timeout=EMBEDDED_MODEL_S, max_attempts=1)
        models: list[TicketModel] = [FunctionTicketModel(embedded, self.settings.concerts.predict_function)]
        if self._ticket_endpoint is not None:
            models.insert(0, self._ticket_endpoint)
        return TicketForecast(self._concert_warehouse, models, manifest()["venue_types"], now)

    @cached_property
    def ticket_model(self) -> "ArtifactTicketModel":
        from chalicelib.adapters.concerts.ticket_artifact import ArtifactTicketModel

        return ArtifactTicketModel()

    @cached_property
    def recommender(self) -> "Recommender":
        from chalicelib.concerts.recommendations import Recommender

        return Recommender(self._concert_warehouse, now)

    @cached_property
    def conversation(self) -> "Conversation":
        from chalicelib.concerts.conversation import Conversation
        from chalicelib.concerts.sessions import new_session_id

        return Conversation(self._chat_providers, self._chat_sessions, now, new_session_id)

    @cached_property
    def _chat_sessions(self) -> "ChatSessions":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.concerts.sessions import ChatSessions

        return ChatSessions(client("dynamodb"), self.settings.concerts.sessions_table)

    @cached_property
    def _chat_providers(self) -> "list[ChatProvider]":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.concerts.bedrock_agent import BedrockAgent
        from chalicelib.adapters.concerts.bedrock_converse import BedrockConverse
        from chalicelib.concerts.router import LocalRouter

        concerts = self.settings.concerts
        budget_s = concerts.chat_budget_s / max(1, bool(concerts.agent_id) + bool(concerts.model_id))
        providers: list[ChatProvider] = []
        if concerts.agent_id:
            agent = client("bedrock-agent-runtime", read_timeout=budget_s, max_attempts=1)
            alias = concerts.agent_alias_id
            providers.append(BedrockAgent(agent, concerts.agent_id, alias, self._toolbox, budget_s=budget_s))
        if concerts.model_id:
            model = client("bedrock-runtime", read_timeout=budget_s, max_attempts=1)
            providers.append(BedrockConverse(model, concerts.model_id, self._toolbox, budget_s=budget_s))
        return [*providers, LocalRouter(self._toolbox, self._concert_warehouse)]

    @cached_property
    def _toolbox(self) -> "Toolbox":
        from chalicelib.concerts.tools import Toolbox

        return Toolbox(self.venue_popularity, self.ticket_forecast, self.recommender, self._concert_warehouse, now)

    @cached_property
    def _ticket_endpoint(self) -> "SageMakerTicketModel | None":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.concerts.sagemaker import SageMakerTicketModel

        concerts = self.settings.concerts
        if not concerts.sagemaker_endpoint:
            return None
        runtime = client("sagemaker-runtime", read_timeout=concerts.sagemaker_budget_s, max_attempts=1)
        return SageMakerTicketModel(runtime, concerts.sagemaker_endpoint, budget_s=concerts.sagemaker_budget_s)

    @cached_property
    def _concert_warehouse(self) -> "ConcertWarehouse":
        from chalicelib.adapters.concerts.warehouse import ConcertWarehouse

        concerts = self.settings.concerts
        return ConcertWarehouse(self._redshift(concerts.query_budget_s), fresh_for_s=concerts.fresh_for_s)

    @cached_property
    def warehouse_loading(self) -> "RedshiftData":
        """The warehouse for jobs, which have minutes."""
        return self._redshift(WAREHOUSE_JOB_S)

    def _redshift(self, budget_s: float) -> "RedshiftData":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.redshift import LONGEST_WAIT_S, RedshiftData

        concerts = self.settings.concerts
        target = {"Database": concerts.redshift_database, "WorkgroupName": concerts.redshift_workgroup}
        if concerts.redshift_cluster:
            target = {"Database": concerts.redshift_database, "ClusterIdentifier": concerts.redshift_cluster}
        if concerts.redshift_cluster and concerts.redshift_db_user:
            target["DbUser"] = concerts.redshift_db_user
        if concerts.redshift_secret_arn:
            target["SecretArn"] = concerts.redshift_secret_arn
        read_timeout = min(float(LONGEST_WAIT_S), budget_s) + 2.0
        data_api = client("redshift-data", read_timeout=read_timeout, max_attempts=2)
        return RedshiftData(data_api, target, budget_s=budget_s)

    # -- predictions

    @cached_property
    def batch_predictions(self) -> "BatchPredictions":
        from chalicelib.entry.meter import ScoringMeter
        from chalicelib.predictions.batch import BatchPredictions

        predictions = self.settings.predictions
        return BatchPredictions(
            objects=self._prediction_objects,
            models=self._prediction_models,
            allowed=self._prediction_places,
            clock=time.monotonic,
            meter=ScoringMeter(),
            workers=predictions.workers or os.cpu_count() or 1,
            single_call_bytes=predictions.single_call_bytes,
            submit=lambda request: self.prediction_jobs.submit(request).job_id,
        )

    @cached_property
    def prediction_steps(self) -> "DistributedPredictions":
        from chalicelib.entry.meter import ScoringMeter
        from chalicelib.predictions.distributed import DistributedPredictions

        predictions = self.settings.predictions
        return DistributedPredictions(
            objects=self._prediction_objects,
            models=self._prediction_models,
            store=self._prediction_job_store,
            allowed=self._prediction_places,
            scratch=predictions.scratch_bucket,
            clock=now,
            meter=ScoringMeter(),
            workers=predictions.workers or os.cpu_count() or 1,
            part_bytes=predictions.part_bytes,
            single_call_bytes=predictions.single_call_bytes,
        )

    @cached_property
    def prediction_jobs(self) -> "Jobs":
        from uuid import uuid4

        from chalicelib.adapters.aws import client
        from chalicelib.adapters.predictions.state_machine import StateMachine
        from chalicelib.predictions.jobs import Jobs

        return Jobs(
            objects=self._prediction_objects,
            store=self._prediction_job_store,
            workflow=StateMachine(client("stepfunctions"), self.settings.predictions.state_machine_arn),
            allowed=self._prediction_places,
            clock=now,
            new_id=lambda: uuid4().hex,
        )

    @cached_property
    def _prediction_models(self) -> "Models":
        from chalicelib.adapters.predictions.signing import signing_key
        from chalicelib.predictions.estimators import Models

        return Models(self._prediction_objects, signing_key(self.settings.predictions.signing_key_arn))

    @cached_property
    def _prediction_objects(self) -> "S3Objects":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.predictions.objects import S3Objects

        return S3Objects(client("s3", max_attempts=2))

    @cached_property
    def _prediction_job_store(self) -> "DynamoJobs":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.predictions.jobs import DynamoJobs

        return DynamoJobs(client("dynamodb"), self.settings.predictions.jobs_table)

    @cached_property
    def _prediction_places(self) -> "AllowLists":
        from chalicelib.predictions.requests import AllowList, AllowLists, ObjectUri

        def places(what: str, pairs: tuple[tuple[str, str], ...]) -> AllowList:
            return AllowList(what, tuple(ObjectUri(*pair) for pair in pairs))

        predictions = self.settings.predictions
        return AllowLists(
            models=places("models", predictions.models),
            data=places("data", predictions.data),
            output=places("output", predictions.output),
        )

    # -- flights

    @cached_property
    def ingestion(self) -> "Ingestion":
        from chalicelib.adapters.flights.opensky import OpenSky
        from chalicelib.flights.ingest import Ingestion

        flights = self.settings.flights
        return Ingestion(
            source=OpenSky(
                url=flights.opensky_url,
                token_url=flights.opensky_token_url,
                credentials=self._opensky_credentials,
                forget_credentials=lambda: self._secrets.forget(flights.opensky_secret_arn),
                clock=now,
            ),
            bucket=self._flights_bucket,
            runs=self._flight_runs,
            guard=self._flight_guard,
            throttle=self._flight_guard,
            notices=self._flight_guard,
            alerts=self._flight_alerts,
            emit=emit,
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
            troubles=self._flight_troubles,
            emit=emit,
            limits=Limits(),
            clock=now,
        )

    @cached_property
    def validation(self) -> "Validation":
        from chalicelib.flights.quality import Thresholds
        from chalicelib.flights.validate import Validation

        flights = self.settings.flights
        try:
            thresholds = Thresholds.from_mapping(flights.thresholds or {})
        except InvalidInput as error:  # the deployment's fault: no event may be parked for it
            raise SettingsError(f"OMNIBUS_FLIGHTS_THRESHOLDS: {error.message}") from error
        return Validation(
            bucket=self._flights_bucket,
            runs=self._flight_runs,
            troubles=self._flight_troubles,
            emit=emit,
            thresholds=thresholds,
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
        from chalicelib.adapters.flights.reprocessing import LambdaReprocessing
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
        from chalicelib.adapters.flights.runs import FlightRuns

        return FlightRuns(client("dynamodb"), self.settings.flights.runs_table)

    @cached_property
    def _flight_guard(self) -> "FlightGuard":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.flights.guard import FlightGuard

        return FlightGuard(client("dynamodb"), self.settings.flights.guard_table, now)

    @cached_property
    def _flight_alerts(self) -> "Topic":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.topics import Topic

        return Topic(client("sns"), self.settings.flights.alerts_topic_arn)

    @cached_property
    def _flight_troubles(self) -> "Troubles":
        from chalicelib.flights.troubles import Troubles

        return Troubles(runs=self._flight_runs, notices=self._flight_guard, alerts=self._flight_alerts, clock=now)

    def _opensky_credentials(self) -> tuple[str, str] | None:
        arn = self.settings.flights.opensky_secret_arn
        if not arn:
            return None
        secret = self._secrets.read(arn)
        return str(secret["client_id"]), str(secret["client_secret"])

    # -- spendsense

    @cached_property
    def spendsense_jobs(self) -> "SpendsenseJobs":
        from chalicelib.adapters.spendsense.oversight import PostgresOversight
        from chalicelib.adapters.spendsense.pipeline import PostgresPipeline
        from chalicelib.entry.meter import CoverageMeter
        from chalicelib.spendsense.catalogue import packaged
        from chalicelib.spendsense.jobs import Jobs

        database = self._spendsense_database
        return Jobs(
            pipeline=PostgresPipeline(database, packaged()),
            announcements=self._spendsense_events,
            clock=now,
            count=count,
            survey=CoverageMeter(PostgresOversight(database)).survey,
            retention_days=self.settings.spendsense.retention_days,
        )

    @cached_property
    def spendsense_migrations(self) -> "Migrations":
        from chalicelib.adapters.spendsense.schema import PostgresSchema
        from chalicelib.spendsense.schema import Migrations, packaged

        return Migrations(schema=PostgresSchema(self._spendsense_database), available=packaged())

    @cached_property
    def spendsense_imports(self) -> "Imports":
        from chalicelib.adapters.spendsense.ledger import PostgresLedger
        from chalicelib.spendsense.imports import Imports

        ledger = PostgresLedger(self._spendsense_database)
        return Imports(ledger=ledger, announcements=self._spendsense_events, clock=now)

    @cached_property
    def spendsense_registry(self) -> "Registry":
        from chalicelib.adapters.spendsense.people import PostgresConsents, PostgresPeople
        from chalicelib.spendsense.people import Registry

        return Registry(
            people=PostgresPeople(self._spendsense_database),
            consents=PostgresConsents(self._spendsense_database),
            announcements=self._spendsense_events,
            clock=now,
        )

    @cached_property
    def spendsense_reader(self) -> "Reader":
        from chalicelib.adapters.spendsense.records import PostgresExplanations, PostgresRecords
        from chalicelib.spendsense.catalogue import packaged
        from chalicelib.spendsense.reading import Reader

        return Reader(
            records=PostgresRecords(self._spendsense_database),
            explanations=PostgresExplanations(self._spendsense_database),
            audit=self._spendsense_audit,
            catalogue=packaged(),
            clock=now,
        )

    @cached_property
    def spendsense_office(self) -> "Office":
        from chalicelib.adapters.spendsense.oversight import PostgresOversight, PostgresReviews
        from chalicelib.adapters.spendsense.people import PostgresPeople
        from chalicelib.adapters.spendsense.records import PostgresExplanations
        from chalicelib.spendsense.operators import Office

        database = self._spendsense_database
        return Office(
            oversight=PostgresOversight(database),
            people=PostgresPeople(database),
            explanations=PostgresExplanations(database),
            reviews=PostgresReviews(database),
            imports=self.spendsense_imports,
            audit=self._spendsense_audit,
            clock=now,
        )

    @cached_property
    def spendsense_doorkeeper(self) -> "Doorkeeper":
        from chalicelib.adapters.spendsense.identity import SecretPools
        from chalicelib.spendsense.identity import Doorkeeper

        pools = SecretPools(self._secrets, self.settings.spendsense.cognito_secret_arn)
        return Doorkeeper(pools=pools, audit=self._spendsense_audit, clock=now)

    @cached_property
    def _spendsense_audit(self) -> "PostgresAudit":
        from chalicelib.adapters.spendsense.oversight import PostgresAudit

        return PostgresAudit(self._spendsense_database)

    @cached_property
    def _spendsense_events(self) -> "BusAnnouncements":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.spendsense.events import BusAnnouncements

        return BusAnnouncements(client("events"), self.settings.spendsense.event_bus)

    @cached_property
    def _spendsense_database(self) -> "Postgres":
        from chalicelib.adapters.postgres import DatabaseSecret, Postgres

        spendsense = self.settings.spendsense
        secret = DatabaseSecret(
            self._secrets,
            spendsense.database_secret_arn,
            verify=self.settings.stage != "local",
            authorities=spendsense.authorities,
            host=spendsense.database_host,
            name=spendsense.database_name,
        )
        return Postgres(secret, statement_timeout_ms=spendsense.statement_timeout_s * 1000)

    # -- uploads

    @cached_property
    def upload_sessions(self) -> "UploadSessions":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.uploads.sessions import CountersTable
        from chalicelib.uploads.keys import new_session_id
        from chalicelib.uploads.sessions import Limits, UploadSessions
        from chalicelib.uploads.tokens import new_token

        uploads = self.settings.uploads
        return UploadSessions(
            store=self._upload_store,
            counters=CountersTable(client("dynamodb"), uploads.counters_table),
            permits=self._upload_storage,
            objects=self._upload_storage,
            sockets=self.connections,
            clock=now,
            new_id=new_session_id,
            new_token=new_token,
            socket_url=self._socket_url,
            limits=Limits(uploads.sessions_per_client, uploads.max_bytes),
        )

    @cached_property
    def upload_completion(self) -> "Completion":
        from chalicelib.uploads.completion import Completion

        return Completion(
            store=self._upload_store,
            objects=self._upload_storage,
            notices=self.upload_notices,
            clock=now,
            max_bytes=self.settings.uploads.max_bytes,
            count=count,
        )

    @cached_property
    def upload_notices(self) -> "Notices":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.uploads.outbox import NoticeOutbox
        from chalicelib.uploads.notices import Notices

        outbox = NoticeOutbox(client("sqs"), self.settings.uploads.outbox_url)
        return Notices(store=self._upload_store, sockets=self.connections, outbox=outbox, clock=now)

    @cached_property
    def upload_presence(self) -> "Presence":
        from chalicelib.uploads.presence import Presence

        return Presence(
            store=self._upload_store,
            index=self._upload_store,
            sockets=self.connections,
            notices=self.upload_notices,
            clock=now,
        )

    @cached_property
    def upload_site(self) -> "Site":
        from chalicelib.uploads.site import Site

        return Site(storage_origins=self._upload_storage.origins, socket_url=self._socket_url)

    @cached_property
    def _upload_store(self) -> "UploadSessionsTable":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.uploads.sessions import UploadSessionsTable

        return UploadSessionsTable(client("dynamodb"), self.settings.uploads.sessions_table)

    @cached_property
    def _upload_storage(self) -> "UploadStorage":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.uploads.storage import UploadStorage

        return UploadStorage(client("s3", signature_version="s3v4"), self.settings.uploads.bucket)

    # -- shared

    @cached_property
    def connections(self) -> "Connections":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.connections import Connections

        endpoint = self.settings.sockets_endpoint or None
        return Connections(lambda url: client("apigatewaymanagementapi", endpoint_url=url), endpoint)

    @cached_property
    def _socket_url(self) -> str | None:
        endpoint = self.settings.sockets_endpoint
        return f"ws{endpoint.removeprefix('http')}" if endpoint else None

    @cached_property
    def _secrets(self) -> "Secrets":
        from chalicelib.adapters.aws import client
        from chalicelib.adapters.secrets import Secrets

        return Secrets(client("secretsmanager"))

    @cached_property
    def health(self) -> "Health":
        from chalicelib.entry.health import Health

        checks: dict[str, Callable[[], object]] = {
            "flights": lambda: self._flight_runs.find("health"),
            "warehouse": lambda: self._concert_warehouse.ping(),
            "chat_sessions": lambda: self._chat_sessions.find("health"),
            "spendsense": lambda: self._spendsense_database.check(),
            "predictions": lambda: self._prediction_job_store.get("health"),
            "uploads": lambda: self._upload_store.find("health"),
        }
        if self._ticket_endpoint is not None:
            checks["ticket_endpoint"] = self._ticket_endpoint.ping
        return Health(operators=self.operators, checks=checks)

    @cached_property
    def operators(self) -> Operators:
        return Operators(self.settings.operator_token)


def bootstrap() -> Services:
    """The services for this process's environment; SettingsError if it is incomplete."""
    environ = with_file(os.environ)
    for name in os.environ.keys() - environ.keys():
        del os.environ[name]
    os.environ.update(environ)  # boto3 reads its own variables from there
    return Services(Settings.from_environ(environ))
