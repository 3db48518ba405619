"""Events of a workload on an EventBridge bus."""

from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.adapters.aws import translated
from chalicelib.errors import UpstreamUnavailable


class BusAnnouncements:
    """Puts events of one `source` on a bus, one at a time; the bus has each when the call returns."""

    def __init__(self, client: Any, bus: str, source: str) -> None:
        self._client = client
        self._bus = bus
        self._source = source

    def announce(self, kind: str, detail: Mapping[str, Any]) -> None:
        """Put an event; UpstreamUnavailable if the bus did not accept it."""
        entry = {
            "Source": self._source,
            "DetailType": kind,
            "Detail": msgspec.json.encode(detail).decode(),
            "EventBusName": self._bus,
        }
        with translated("the event bus"):
            answer = self._client.put_events(Entries=[entry])
        if answer.get("FailedEntryCount"):
            raise UpstreamUnavailable("the event bus did not accept the event; try again later", retry_after=1)
