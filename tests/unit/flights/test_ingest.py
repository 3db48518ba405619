"""Ingestion: every outcome of a poll, the breaker, the ledger, the throttle, and alerts."""

import gzip
from datetime import timedelta

import pytest

from chalicelib.errors import Forbidden, RateLimited, UpstreamUnavailable
from chalicelib.flights.breaker import BreakerState
from chalicelib.flights.ingest import Ingestion, poll_cost
from chalicelib.flights.outcomes import Blocked, Fetched, Malformed, PollOutcome, Throttled, Unauthorized, Unavailable
from chalicelib.flights.ports import Box
from chalicelib.flights.status import RunStatus
from tests.fakes.clock import Clock
from tests.fakes.flights import FakeAlerts, FakeBucket, FakeEmit, FakeGuard, FakeRuns, FakeSource

TIME = 1_763_726_400
SNAPSHOT = Fetched(body=b'{"time":1763726400,"states":[]}', time=TIME, empty=False, credits_left=3996)
DAY = "2026-11-21"


class World:
    def __init__(self, *outcomes: PollOutcome, daily_credits: int = 4000) -> None:
        self.clock = Clock()
        self.source = FakeSource(*outcomes)
        self.bucket = FakeBucket()
        self.runs = FakeRuns()
        self.guard = FakeGuard(self.clock)
        self.alerts = FakeAlerts()
        self.emit = FakeEmit()
        self.ingestion = Ingestion(
            source=self.source,
            bucket=self.bucket,
            runs=self.runs,
            guard=self.guard,
            throttle=self.guard,
            notices=self.guard,
            alerts=self.alerts,
            emit=self.emit,
            box=None,
            daily_credits=daily_credits,
            clock=self.clock,
        )

    def poll(self) -> dict[str, object]:
        return self.ingestion.poll()

    def fail(self, times: int) -> None:
        for _ in range(times):
            with pytest.raises(UpstreamUnavailable):
                self.poll()

    @property
    def told(self) -> list[object]:
        return [message["issue"] for message in self.alerts.sent]


def test_a_snapshot_is_kept_exactly_under_its_own_time() -> None:
    world = World(SNAPSHOT)
    outcome = world.poll()
    key = "raw/year=2025/month=11/day=21/hour=12/states_1763726400.json.gz"
    assert outcome == {"outcome": "fetched", "tracking_id": "states_1763726400", "key": key, "new": True}
    assert gzip.decompress(world.bucket.objects[key]) == SNAPSHOT.body
    run = world.runs.find("states_1763726400")
    assert run is not None
    assert (run.status, run.execution_date, run.raw_key) == (RunStatus.INGESTED, "2025-11-21", key)
    assert run.bytes_raw == len(world.bucket.objects[key])


def test_the_same_snapshot_twice_is_one_snapshot() -> None:
    world = World(SNAPSHOT)
    world.poll()
    assert world.poll()["new"] is False
    assert len(world.runs.runs) == 1
    assert len(world.bucket.writes) == 1


def test_an_empty_snapshot_is_a_snapshot() -> None:
    world = World(Fetched(body=b'{"time":1763726400,"states":null}', time=TIME, empty=True))
    assert world.poll()["outcome"] == "empty"
    assert "states_1763726400" in world.runs.runs


def test_the_ledger_follows_the_servers_count() -> None:
    world = World(SNAPSHOT)
    world.poll()
    assert world.guard.used[DAY] == 4


def test_without_credits_no_call_is_made_and_an_operator_is_told_once() -> None:
    world = World(Fetched(SNAPSHOT.body, TIME, empty=False), daily_credits=10)
    outcomes = [world.poll()["outcome"] for _ in range(5)]
    assert outcomes == ["fetched", "fetched", "skipped", "skipped", "skipped"]
    assert world.source.polls == 2
    assert world.told == ["throttled"]


def test_the_credits_come_back_the_next_day() -> None:
    world = World(Fetched(SNAPSHOT.body, TIME, empty=False), daily_credits=4)
    world.poll()
    assert world.poll()["outcome"] == "skipped"
    world.clock.advance(days=1)
    assert world.poll()["outcome"] == "fetched"


def test_a_throttle_of_seventeen_hours_is_recorded_and_never_slept_on() -> None:
    world = World(Throttled(Clock()() + timedelta(hours=17)), SNAPSHOT)
    assert world.poll()["outcome"] == "throttled"
    for _ in range(3):
        world.clock.advance(hours=5)
        assert world.poll() == {"outcome": "skipped", "reason": "throttled", "until": "2026-11-22T05:00:00+00:00"}
    assert world.source.polls == 1
    assert world.told == ["throttled"]
    assert world.guard.used[DAY] == 0, "a refused call costs nothing"
    world.clock.advance(hours=3)
    assert world.poll()["outcome"] == "fetched"


@pytest.mark.parametrize("outcome", [Unauthorized("wrong client"), Blocked("403")])
def test_a_refusal_is_told_once_and_again_after_a_recovery(outcome: PollOutcome) -> None:
    world = World(outcome, outcome, SNAPSHOT, outcome)
    for _ in range(4):
        world.poll()
    assert len(world.told) == 2
    assert world.guard.state.state is BreakerState.CLOSED, "a refusal is an answer; the breaker is for silence"


def test_a_malformed_answer_is_kept_for_inspection() -> None:
    world = World(Malformed("no JSON", b"<html>"))
    outcome = world.poll()
    assert outcome["outcome"] == "malformed"
    assert gzip.decompress(world.bucket.objects[str(outcome["key"])]) == b"<html>"
    assert not world.runs.runs
    assert world.told == ["malformed"]


def test_five_failures_open_the_breaker_and_an_operator_is_told_once() -> None:
    world = World(Unavailable("no answer in time"))
    world.fail(5)
    assert world.guard.state.state is BreakerState.OPEN
    assert world.poll() == {"outcome": "skipped", "reason": "the circuit breaker is open"}
    assert world.source.polls == 5
    assert world.told == ["unavailable"]
    assert world.guard.used[DAY] == 0, "calls that got no answer cost nothing"


def test_after_sixty_seconds_the_breaker_tries_and_one_failure_opens_it_again() -> None:
    world = World(Unavailable("down"))
    world.fail(5)
    world.clock.advance(seconds=61)
    world.fail(1)
    assert world.guard.state.state is BreakerState.OPEN
    assert world.poll()["outcome"] == "skipped"
    assert world.told == ["unavailable"]


def test_three_successes_close_the_breaker() -> None:
    world = World(*[Unavailable("down")] * 5, SNAPSHOT)
    world.fail(5)
    world.clock.advance(seconds=61)
    states = []
    for _ in range(3):
        world.poll()
        states.append(world.guard.state.state)
    assert states == [BreakerState.HALF_OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED]


def test_an_outage_at_the_pace_of_the_schedule_is_told_once_and_the_next_one_again() -> None:
    """Every five minutes with Lambda's two retries: five failures never fall into 300 s, and somebody must know."""
    world = World(Unavailable("down"))

    def hours(count: int) -> None:
        for _ in range(12 * count):
            for wait in (60, 120, 120):
                world.fail(1)
                world.clock.advance(seconds=wait)

    hours(6)
    assert world.told == ["unavailable"]
    world.source.outcomes = [SNAPSHOT, Unavailable("down")]
    world.poll()
    hours(1)
    assert world.told == ["unavailable"] * 2


def test_a_blip_that_the_retry_mends_wakes_nobody() -> None:
    world = World(*[Unavailable("no answer in time"), SNAPSHOT] * 10)
    for _ in range(10):
        world.fail(1)
        world.clock.advance(seconds=60)
        world.poll()
        world.clock.advance(seconds=240)
    assert world.told == []


def test_an_outage_that_flickers_is_told_once() -> None:
    world = World(*[Unavailable("down")] * 5, *[SNAPSHOT, Unavailable("down")] * 4)
    world.fail(5)
    for _ in range(4):
        world.clock.advance(seconds=61)
        world.poll()
        world.fail(1)
    assert world.told == ["unavailable"]


def test_a_throttle_that_could_not_be_told_of_is_told_of_by_the_retry() -> None:
    world = World(Throttled(Clock()() + timedelta(hours=17)))
    world.alerts.failures.append(RateLimited("SNS is throttled"))
    with pytest.raises(RateLimited):
        world.poll()
    assert world.told == []
    for _ in range(2):
        assert world.poll()["outcome"] == "skipped"
    assert world.told == ["throttled"]


def test_an_alert_whose_sender_was_killed_is_sent_by_the_next_poll_and_no_other() -> None:
    world = World(Blocked("403"))
    world.alerts.failures.append(SystemExit("out of time"))
    with pytest.raises(SystemExit):
        world.poll()
    for _ in range(3):
        world.clock.advance(minutes=5)
        world.poll()
    assert world.told == ["blocked"]


def test_a_poll_that_was_never_made_costs_nothing() -> None:
    world = World(SNAPSHOT)

    def unreadable(box: Box | None) -> PollOutcome:
        raise Forbidden("the secret refuses access")

    world.source.fetch = unreadable  # type: ignore[method-assign]
    with pytest.raises(Forbidden):
        world.poll()
    assert world.guard.used[DAY] == 0


def test_an_account_with_more_credits_than_we_know_of_owes_us_none() -> None:
    world = World(SNAPSHOT, daily_credits=1000)
    world.poll()
    assert world.guard.used[DAY] == 0


def test_failures_far_apart_do_not_open_the_breaker() -> None:
    world = World(Unavailable("down"))
    for _ in range(10):
        world.fail(1)
        world.clock.advance(seconds=76)
    assert world.guard.state.state is BreakerState.CLOSED


def test_an_alert_that_cannot_be_sent_is_sent_the_next_time() -> None:
    world = World(Blocked("403"))
    world.alerts.failures.append(RateLimited("SNS is throttled"))
    with pytest.raises(RateLimited):
        world.poll()
    assert world.told == []
    world.poll()
    assert world.told == ["blocked"]


def test_the_snapshot_is_safe_even_if_the_table_is_throttled() -> None:
    world = World(SNAPSHOT)
    world.runs.fail_next("begin", RateLimited("DynamoDB is throttled"))
    with pytest.raises(RateLimited):
        world.poll()
    assert len(world.bucket.objects) == 1, "S3's event of this object begins the run"
    assert world.guard.used[DAY] == 4


def test_each_poll_measures_what_an_operator_is_woken_for() -> None:
    world = World(SNAPSHOT, Unavailable("down"))
    measured = world.emit.metrics
    ingestion = "FlightDataPipeline/Ingestion/"
    world.poll()
    assert measured[ingestion + "SnapshotsFetched"] == [(1, "Count")]
    assert measured[ingestion + "CreditsUsed"] == [(0.1, "Percent")], "4 of 4000, as the server says"
    assert measured[ingestion + "BreakerOpen"] == [(0, "Count")]
    world.fail(5)
    world.poll()
    assert [value for value, _ in measured[ingestion + "SnapshotsFetched"]] == [1, 0, 0, 0, 0, 0, 0]
    assert [value for value, _ in measured[ingestion + "BreakerOpen"]] == [0, 0, 0, 0, 0, 1, 1]


def test_credits_that_are_gone_are_measured_as_gone() -> None:
    world = World(SNAPSHOT, daily_credits=3)
    world.poll()
    assert world.emit.metrics["FlightDataPipeline/Ingestion/CreditsUsed"] == [(100, "Percent")]
    throttled = World(Throttled(world.clock() + timedelta(hours=1)))
    throttled.poll()
    assert throttled.emit.metrics["FlightDataPipeline/Ingestion/CreditsUsed"] == [(100, "Percent")]


@pytest.mark.parametrize(
    ("box", "cost"),
    [
        (None, 4),
        ((0, 0, 5, 5), 1),
        ((0, 0, 5, 5.01), 2),
        ((0, 0, 10, 10), 2),
        ((0, 0, 10, 10.1), 3),
        ((0, 0, 20, 20), 3),
        ((-90, -180, 90, 180), 4),
    ],
)
def test_a_poll_costs_by_area(box: Box | None, cost: int) -> None:
    assert poll_cost(box) == cost
