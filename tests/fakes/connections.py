"""Open sockets that keep what is posted to them."""

from typing import Any

from chalicelib.errors import Gone


class FakeConnections:
    """The connections of the socket API; `gone` closes them all."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.gone = False

    def post(self, connection: Any, message: dict[str, Any]) -> None:
        """Keep a message to a connection; Gone where they are closed."""
        if self.gone:
            raise Gone("closed")
        self.sent.append((connection.id, message))
