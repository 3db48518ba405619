"""Settings and adapters that several workloads share."""

from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chalicelib.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.adapters.aws import Clients
    from chalicelib.adapters.connections import Connections
    from chalicelib.adapters.counters import CountersTable
    from chalicelib.adapters.secrets import Secrets


def now() -> datetime:
    """The clock of the running application, in UTC."""
    return datetime.now(UTC)


def answer_stack(url: str, answer: "Mapping[str, Any]") -> None:
    """Send CloudFormation its response; does not need the settings, which may be wrong."""
    from chalicelib.adapters.cloudformation import tell_stack

    tell_stack(url, answer)


class Shared:
    """The settings and the adapters that know no workload; each is built on first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def client(self) -> "Clients":
        from chalicelib.adapters.aws import Clients

        return Clients(self.settings.aws)

    @cached_property
    def connections(self) -> "Connections":
        from chalicelib.adapters.connections import Connections

        endpoint = self.settings.sockets_endpoint or None
        return Connections(lambda url: self.client("apigatewaymanagementapi", endpoint_url=url), endpoint)

    @cached_property
    def secrets(self) -> "Secrets":
        from chalicelib.adapters.secrets import Secrets

        return Secrets(self.client("secretsmanager"))

    @cached_property
    def counters(self) -> "CountersTable":
        from chalicelib.adapters.counters import CountersTable

        return CountersTable(self.client("dynamodb"), self.settings.uploads.counters_table)

    @property
    def socket_url(self) -> str | None:
        """The URL of the WebSocket API, or None if it is unknown."""
        endpoint = self.settings.sockets_endpoint
        return f"ws{endpoint.removeprefix('http')}" if endpoint else None
