"""The services of every workload, and those that belong to none."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from chalicelib.entry.limits import MOST, AddressLimits
from chalicelib.entry.operators import Operators
from chalicelib.entry.signin import SignIn
from chalicelib.settings import Settings
from chalicelib.wiring.shared import Shared, now

if TYPE_CHECKING:
    from chalicelib.entry.health import Health
    from chalicelib.entry.operations import Watch
    from chalicelib.entry.sockets import Doorman
    from chalicelib.wiring.concerts import ConcertServices
    from chalicelib.wiring.flights import FlightServices
    from chalicelib.wiring.predictions import PredictionServices
    from chalicelib.wiring.spendsense import SpendsenseServices
    from chalicelib.wiring.uploads import UploadServices


class Workloads:
    """The services of each workload, and those that belong to none; each is built on first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.shared = Shared(settings)

    @cached_property
    def concerts(self) -> "ConcertServices":
        from chalicelib.wiring.concerts import ConcertServices

        return ConcertServices(self.shared)

    @cached_property
    def predictions(self) -> "PredictionServices":
        from chalicelib.wiring.predictions import PredictionServices

        return PredictionServices(self.shared)

    @cached_property
    def flights(self) -> "FlightServices":
        from chalicelib.wiring.flights import FlightServices

        return FlightServices(self.shared)

    @cached_property
    def spendsense(self) -> "SpendsenseServices":
        from chalicelib.wiring.spendsense import SpendsenseServices

        return SpendsenseServices(self.shared)

    @cached_property
    def uploads(self) -> "UploadServices":
        from chalicelib.wiring.uploads import UploadServices

        return UploadServices(self.shared)

    def load(self, function: str) -> None:
        """Load the libraries and services of a scoring function before Lambda takes its snapshot."""
        if function == "predict_tickets":
            self.concerts.ticket_model.load()
        elif function.startswith("predict_"):
            self.predictions.load()
        else:
            return
        self.shared.client.make()

    @cached_property
    def signin(self) -> SignIn:
        from chalicelib.adapters.cognito import PoolKeys

        keys = PoolKeys(self.settings.aws.endpoint)
        return SignIn(pool=lambda: self.spendsense.pools.pool(), key=keys.find, clock=now)

    @cached_property
    def operators(self) -> Operators:
        return Operators(self._operator_token, self.signin, self.limits)

    @cached_property
    def limits(self) -> AddressLimits:
        chats = self.settings.chats_per_address
        return AddressLimits(self.shared.counters, now, {**MOST, "chat": chats, "socket": 2 * chats})

    @cached_property
    def doorman(self) -> "Doorman":
        from chalicelib.entry.sockets import Doorman

        origins = self.settings.cors_origins | self.settings.page_origins
        return Doorman(origins, self.limits, chat_needs_key=self.settings.chat_needs_key)

    def _operator_token(self) -> str:
        arn = self.settings.operator_secret_arn
        return str(self.shared.secrets.read(arn)["token"]) if arn else ""

    @cached_property
    def health(self) -> "Health":
        from chalicelib.entry.health import Health

        checks: dict[str, Callable[[], object]] = {
            "flights": lambda: self.flights.runs.find("health"),
            "warehouse": lambda: self.concerts.warehouse.ping(),
            "chat_sessions": lambda: self.concerts.sessions.find("health"),
            "spendsense": lambda: self.spendsense.database.check(),
            "predictions": lambda: self.predictions.store.get("health"),
            "uploads": lambda: self.uploads.store.find("health"),
        }
        if self.concerts.endpoint is not None:
            checks["ticket_endpoint"] = self.concerts.endpoint.ping
        return Health(checks)

    @cached_property
    def watch(self) -> "Watch":
        from chalicelib.adapters.watch import StackWatch
        from chalicelib.entry.operations import Watch

        stack = StackWatch(self.shared.client("cloudwatch"), self.shared.client("sqs"), self.settings.stack)
        return Watch(
            stage=self.settings.stage,
            alarms=stack.alarms,
            dead_letters=stack.dead_letters,
            runs=lambda: self.flights.operations.today(),
            jobs=lambda: self.predictions.jobs.today(),
            credits=lambda: asdict(self.flights.operations.guard()),
        )
