"""The flights pipeline on the real conversion and the real checks, with the world in memory."""

from typing import Any

from chalicelib.errors import Gone, UpstreamUnavailable
from chalicelib.flights import keys
from chalicelib.flights.compaction import Compaction
from chalicelib.flights.convert import SnapshotLimits
from chalicelib.flights.feed import RunFeed
from chalicelib.flights.operations import FlightOperations
from chalicelib.flights.ports import Watcher
from chalicelib.flights.process import Processing
from chalicelib.flights.quality import Thresholds
from chalicelib.flights.queries import Flights
from chalicelib.flights.replay import Replays
from chalicelib.flights.review import QuarantineReview
from chalicelib.flights.runs import Run
from chalicelib.flights.troubles import Troubles
from chalicelib.flights.validate import Validation
from tests.fakes.clock import Clock
from tests.fakes.flights import FakeAlerts, FakeBucket, FakeEmit, FakeGuard, FakeReprocessing, FakeRuns
from tests.unit.flights.vectors import TIME

RAW, PROCESSED, INDEX = keys.raw_key(TIME), keys.processed_key(TIME), keys.index_key(TIME)
QUARANTINE = keys.quarantine_key(TIME)
ID = keys.tracking_id(TIME)


class World:
    def __init__(self, *, strict: bool = False, limits: SnapshotLimits | None = None) -> None:
        self.clock = Clock()
        self.bucket = FakeBucket(self.clock)
        self.runs = FakeRuns()
        self.guard = FakeGuard(self.clock)
        self.alerts = FakeAlerts()
        self.emit = FakeEmit()
        self.reprocessing = FakeReprocessing()
        shared: dict[str, Any] = {"bucket": self.bucket, "runs": self.runs, "clock": self.clock}
        troubles = Troubles(runs=self.runs, notices=self.guard, alerts=self.alerts, clock=self.clock)
        told: dict[str, Any] = {"troubles": troubles, "emit": self.emit}
        self.processing = Processing(**shared, **told, limits=limits or SnapshotLimits())
        self.posted: list[tuple[str, Any]] = []
        self.feed = RunFeed(self.guard, self._post)
        judging: dict[str, Any] = {"thresholds": Thresholds(), "strict": strict, "history": self.runs}
        self.validation = Validation(**shared, **told, **judging, feed=self.feed)
        self.review = QuarantineReview(**shared)
        self.replays = Replays(
            bucket=self.bucket, reprocessing=self.reprocessing, book=self.runs, history=self.runs, clock=self.clock
        )
        self.compaction = Compaction(archive=self.bucket, history=self.runs, emit=self.emit, clock=self.clock)
        self.flights = Flights(bucket=self.bucket, runs=self.runs, history=self.runs, clock=self.clock)
        self.operations = FlightOperations(
            **shared, links=self.bucket, history=self.runs, guard=self.guard, box=None, daily_credits=4000
        )

    def _post(self, connection: Watcher, message: Any) -> None:
        if connection.id == "closed":
            raise Gone("The WebSocket connection is closed")
        if connection.id == "broken":
            raise UpstreamUnavailable("API Gateway is down")
        self.posted.append((connection.id, message))

    def put(self, raw: bytes, key: str = RAW) -> None:
        self.bucket.objects[key] = raw

    def run_through(self, raw: bytes) -> Run:
        """Put a raw snapshot and deliver the two events that follow."""
        self.put(raw)
        self.processing.process(RAW)
        self.validation.validate(PROCESSED)
        return self.run()

    def run(self) -> Run:
        found = self.runs.find(ID)
        assert found is not None
        return found

    @property
    def told(self) -> list[object]:
        return [message["type"] for message in self.alerts.sent]
