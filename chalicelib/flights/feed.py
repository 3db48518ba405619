"""The socket channel `runs`: sends each new verdict to all listeners."""

import logging
from typing import Any

import msgspec

from chalicelib.errors import Gone, OmnibusError
from chalicelib.flights.models import RunView
from chalicelib.flights.ports import PostToWatcher, RunWatchers
from chalicelib.flights.runs import Run

MOST_WATCHERS = 200
_log = logging.getLogger(__name__)


class RunFeed:
    """Remembers open sockets, and posts verdicts to them; what cannot be posted holds up nothing."""

    def __init__(self, watchers: RunWatchers, post: PostToWatcher) -> None:
        self._watchers = watchers
        self._post = post

    def watch(self, connection_id: str, endpoint: str) -> None:
        """Let a socket hear of verdicts until it closes; RateLimited if too many listen."""
        self._watchers.watch(connection_id, endpoint, MOST_WATCHERS)

    def publish(self, run: Run) -> None:
        """Tell all sockets of a run's verdict; those that have closed are forgotten."""
        try:
            message: dict[str, Any] = {"action": "RUN", "run": msgspec.convert(run, RunView, from_attributes=True)}
            for watcher in self._watchers.watchers():
                try:
                    self._post(watcher, message)
                except Gone:
                    self._watchers.unwatch(watcher.id)
        except OmnibusError as error:
            _log.warning("a verdict was not told to all sockets: %s", error.message)
