"""The composition root: settings in, services out.

Each workload has a module here, loaded when one of its services is first asked for. A service is built on first use,
and once; a module imports at its top only what every function can carry, so a function pays only for what it uses.
"""

import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.entry.operators import Operators
from chalicelib.entry.signin import SignIn
from chalicelib.settings import Settings
from chalicelib.wiring.shared import Shared, now

if TYPE_CHECKING:
    from chalicelib.entry.health import Health
    from chalicelib.wiring.concerts import ConcertServices
    from chalicelib.wiring.flights import FlightServices
    from chalicelib.wiring.predictions import PredictionServices
    from chalicelib.wiring.spendsense import SpendsenseServices
    from chalicelib.wiring.uploads import UploadServices


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

    def load(self, function: str) -> None:
        """Load what a function that scores needs for its first event, so that a snapshot of it has that."""
        if function == "predict_tickets":
            self.concerts.ticket_model.load()
        elif function.startswith("predict_"):
            self.predictions.load()

    @cached_property
    def operators(self) -> Operators:
        from chalicelib.adapters.cognito import PoolKeys

        keys = PoolKeys(self.settings.aws.endpoint)
        signin = SignIn(pool=lambda: self.spendsense.pools.pool(), key=keys.find, clock=now)
        return Operators(self.settings.operator_token, signin)

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


def bootstrap() -> Services:
    """The services for this process's environment; SettingsError if it is incomplete."""
    return Services(Settings.from_environ(os.environ))
