"""The composition root: settings in, services out.

Each workload has a module here, loaded when one of its services is first asked for. A service is built on first use,
and once; a module imports at its top only what every function can carry, so a function pays only for what it uses.
"""

import os
from collections.abc import Callable
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from chalicelib.entry.limits import MOST, AddressLimits
from chalicelib.entry.operators import Operators
from chalicelib.entry.signin import SignIn
from chalicelib.errors import NotConfigured
from chalicelib.settings import Settings, SettingsError
from chalicelib.wiring.shared import Shared, now

if TYPE_CHECKING:
    from chalicelib.entry.health import Health
    from chalicelib.entry.mcp import McpServer
    from chalicelib.entry.operations import Watch
    from chalicelib.entry.sockets import Doorman
    from chalicelib.wiring.concerts import ConcertServices
    from chalicelib.wiring.flights import FlightServices
    from chalicelib.wiring.predictions import PredictionServices
    from chalicelib.wiring.spendsense import SpendsenseServices
    from chalicelib.wiring.uploads import UploadServices

HOW_TO_RUN = "On a developer's machine: `make up`, then `chalice local --stage local`."


class Services:
    """What app.py calls: the services of each workload, and those that belong to none."""

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

    @cached_property
    def signin(self) -> SignIn:
        from chalicelib.adapters.cognito import PoolKeys

        keys = PoolKeys(self.settings.aws.endpoint)
        return SignIn(pool=lambda: self.spendsense.pools.pool(), key=keys.find, clock=now)

    @cached_property
    def operators(self) -> Operators:
        return Operators(self._operator_token, self.signin, self.limits)

    @cached_property
    def mcp(self) -> "McpServer":
        from chalicelib.wiring.mcp import mcp_server

        return mcp_server(self)

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
        return Watch(stage=self.settings.stage, alarms=stack.alarms, dead_letters=stack.dead_letters)


class Unconfigured(Services):
    """The services of an incomplete environment: the process is well, and all else says what is missing."""

    def __init__(self, problem: str) -> None:
        self._problem = problem

    def __getattr__(self, name: str) -> Any:  # `settings` and `shared`, without which there is nothing else
        raise NotConfigured(self._problem)

    @cached_property
    def health(self) -> "Health":
        from chalicelib.entry.health import Health

        return Health({})


def bootstrap() -> Services:
    """The services for this process's environment.

    If it is incomplete: SettingsError in Lambda; elsewhere, as under `chalice local`, services that say what to do.
    """
    try:
        return _configured()
    except SettingsError as error:
        if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
            raise
        return Unconfigured(f"{error}\n{HOW_TO_RUN}")


@cache
def _configured() -> Services:
    return Services(Settings.from_environ(os.environ))
