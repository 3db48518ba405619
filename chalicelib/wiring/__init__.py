"""The composition root: settings in, services out.

Each workload has a module here, loaded when one of its services is first asked for. A service is built on first use,
and once; a module imports at its top only what every function can carry, so a function pays only for what it uses.
"""

import os
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from chalicelib.errors import NotConfigured
from chalicelib.settings import Settings, SettingsError
from chalicelib.wiring.services import Workloads

if TYPE_CHECKING:
    from chalicelib.entry.health import Health
    from chalicelib.entry.mcp import McpServer

HOW_TO_RUN = "On a developer's machine: `make up`, then `chalice local --stage local`."


class Services(Workloads):
    """What app.py calls: every workload's services, and the tools that are made of them."""

    @cached_property
    def mcp(self) -> "McpServer":
        from chalicelib.wiring.mcp import mcp_server

        return mcp_server(self)


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
