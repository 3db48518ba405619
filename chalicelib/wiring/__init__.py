"""The composition root: settings in, services out.

Each workload has a module here, imported when code first asks for one of its services. A service is built once, on
first use; modules import heavy libraries inside functions, so a function pays only for the services that it uses.
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
    """The services of every workload for app.py, and the tools built from them."""

    @cached_property
    def mcp(self) -> "McpServer":
        from chalicelib.wiring.mcp import mcp_server

        return mcp_server(self)


class Unconfigured(Services):
    """The services for an incomplete environment: health succeeds, and everything else says what is missing."""

    def __init__(self, problem: str) -> None:
        self._problem = problem

    def __getattr__(self, name: str) -> Any:  # `settings` and `shared`, which everything else needs
        raise NotConfigured(self._problem)

    @cached_property
    def health(self) -> "Health":
        from chalicelib.entry.health import Health

        return Health({})


def bootstrap() -> Services:
    """The services for this process's environment.

    If it is incomplete: SettingsError in Lambda; elsewhere, as under `chalice local`, services that say how to fix it.
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
