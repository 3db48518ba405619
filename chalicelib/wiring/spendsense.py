"""The services of SpendSense."""

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.adapters.bus import BusAnnouncements
from chalicelib.adapters.postgres import DatabaseSecret, Postgres
from chalicelib.adapters.spendsense.identity import SecretPools
from chalicelib.adapters.spendsense.oversight import PostgresAudit, PostgresOversight, PostgresReviews
from chalicelib.adapters.spendsense.people import PostgresConsents, PostgresListeners, PostgresPeople
from chalicelib.adapters.spendsense.records import PostgresExplanations, PostgresRecords
from chalicelib.entry.telemetry import count, emit
from chalicelib.spendsense import catalogue
from chalicelib.wiring.shared import Shared, now

if TYPE_CHECKING:
    from chalicelib.spendsense.catalogue import AdviceCatalogue
    from chalicelib.spendsense.desk import OperatorDesk
    from chalicelib.spendsense.identity import Doorkeeper
    from chalicelib.spendsense.imports import Imports
    from chalicelib.spendsense.jobs import InsightJobs
    from chalicelib.spendsense.people import Profiles
    from chalicelib.spendsense.progress import ProgressFeed
    from chalicelib.spendsense.reading import OwnRecords
    from chalicelib.spendsense.schema import Migrations


class SpendsenseServices:
    """The jobs, and the services for people and operators; each is built on first use."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._settings = shared.settings.spendsense

    @cached_property
    def jobs(self) -> "InsightJobs":
        from chalicelib.adapters.spendsense.pipeline import PostgresPipeline
        from chalicelib.spendsense.coverage import CoverageMeter
        from chalicelib.spendsense.jobs import InsightJobs

        return InsightJobs(
            pipeline=PostgresPipeline(self.database, catalogue.packaged_catalogue()),
            announcements=self.events,
            clock=now,
            count=count,
            survey=CoverageMeter(PostgresOversight(self.database), emit).survey,
            tell=self.progress.tell,
            retention_days=self._settings.retention_days,
        )

    @cached_property
    def migrations(self) -> "Migrations":
        from chalicelib.adapters.spendsense.login import ApplicationLogin
        from chalicelib.adapters.spendsense.schema import PostgresSchema
        from chalicelib.spendsense.schema import Migrations, packaged_migrations
        from chalicelib.spendsense.taxonomy import packaged_taxonomy

        place = self._place(self._settings.owner_secret_arn)
        owner = self._connected(place)
        login = ApplicationLogin(owner, place, self._shared.secrets, self._settings.database_secret_arn)
        return Migrations(
            schema=PostgresSchema(owner),
            available=packaged_migrations(),
            categories=packaged_taxonomy().categories.values(),
            admit=login.admit,
        )

    @cached_property
    def imports(self) -> "Imports":
        from chalicelib.adapters.spendsense.ledger import PostgresLedger
        from chalicelib.spendsense.imports import Imports

        return Imports(
            ledger=PostgresLedger(self.database), announcements=self.events, clock=now, tell=self.progress.tell
        )

    @cached_property
    def progress(self) -> "ProgressFeed":
        from chalicelib.spendsense.progress import ProgressFeed

        return ProgressFeed(PostgresListeners(self.database), self._shared.connections.post, now)

    @cached_property
    def profiles(self) -> "Profiles":
        from chalicelib.spendsense.people import Profiles

        return Profiles(
            people=PostgresPeople(self.database),
            consents=PostgresConsents(self.database),
            announcements=self.events,
            policy=catalogue.packaged_policy(),
            clock=now,
        )

    @cached_property
    def catalogue(self) -> "AdviceCatalogue":
        return catalogue.packaged_catalogue()

    @cached_property
    def own(self) -> "OwnRecords":
        from chalicelib.spendsense.reading import OwnRecords

        return OwnRecords(
            records=PostgresRecords(self.database),
            people=PostgresPeople(self.database),
            explanations=PostgresExplanations(self.database),
            audit=self.audit,
            catalogue=catalogue.packaged_catalogue(),
            clock=now,
        )

    @cached_property
    def desk(self) -> "OperatorDesk":
        from chalicelib.spendsense.desk import OperatorDesk

        return OperatorDesk(
            oversight=PostgresOversight(self.database),
            people=PostgresPeople(self.database),
            explanations=PostgresExplanations(self.database),
            reviews=PostgresReviews(self.database),
            imports=self.imports,
            catalogue=catalogue.packaged_catalogue(),
            audit=self.audit,
            clock=now,
        )

    @cached_property
    def doorkeeper(self) -> "Doorkeeper":
        from chalicelib.spendsense.identity import Doorkeeper

        return Doorkeeper(pools=self.pools, audit=self.audit, clock=now)

    @cached_property
    def pools(self) -> SecretPools:
        return SecretPools(self._shared.secrets, self._settings.cognito_secret_arn)

    @cached_property
    def audit(self) -> PostgresAudit:
        return PostgresAudit(self.database)

    @cached_property
    def events(self) -> BusAnnouncements:
        return BusAnnouncements(self._shared.client("events"), self._settings.event_bus, "spendsense")

    @cached_property
    def database(self) -> Postgres:
        return self._connected(self._place(self._settings.database_secret_arn))

    def _connected(self, place: DatabaseSecret) -> Postgres:
        return Postgres(place, statement_timeout_ms=self._settings.statement_timeout_s * 1000)

    def _place(self, secret_arn: str) -> DatabaseSecret:
        return DatabaseSecret(
            self._shared.secrets,
            secret_arn,
            verify=self._shared.settings.stage != "local",
            authorities=self._settings.authorities,
            host=self._settings.database_host,
            name=self._settings.database_name,
        )
