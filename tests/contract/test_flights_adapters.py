"""One suite for each flights port, on the fake and on the real adapter against moto's AWS."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import msgspec
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from chalicelib.adapters.buckets import S3Bucket
from chalicelib.adapters.flights.guard import FlightGuard
from chalicelib.adapters.flights.reprocessing import LambdaReprocessing
from chalicelib.adapters.flights.runs import FlightRuns
from chalicelib.adapters.secrets import Secrets
from chalicelib.adapters.topics import Topic
from chalicelib.errors import NotFound, OmnibusError, RateLimited, UpstreamRejected, UpstreamUnavailable
from chalicelib.flights.breaker import Breaker, BreakerState, after_failure
from chalicelib.flights.models import REPLAY
from chalicelib.flights.runs import TO_PROCESSED, Run, begun
from chalicelib.flights.status import RunStatus
from tests.fakes.clock import Clock
from tests.fakes.flights import FakeBucket, FakeGuard, FakeRuns
from tests.infra.template import table_definition

TIME = 1_763_726_400
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ID = "states_1763726400"


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def create_table(logical_id: str, name: str) -> Any:
    """The table as the template declares it."""
    client = boto3.client("dynamodb")
    client.create_table(**{**table_definition("flights", logical_id), "TableName": name})
    return client


@pytest.fixture(params=["fake", "moto"])
def bucket(request: pytest.FixtureRequest, aws: None) -> Any:
    if request.param == "fake":
        return FakeBucket()
    client = boto3.client("s3")
    client.create_bucket(Bucket="flights", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return S3Bucket(client, "flights", "the flights bucket")


class TestBucket:
    def test_reads_what_was_written(self, bucket: Any) -> None:
        bucket.write("a/b c+é.gz", b"1", "application/gzip")
        bucket.write("a/stream", io.BytesIO(b"22"), "application/gzip")
        with bucket.open("a/b c+é.gz") as stream:
            assert stream.read() == b"1"
        with bucket.open("a/stream") as stream:
            assert stream.read() == b"22"

    def test_a_missing_object_is_not_found(self, bucket: Any) -> None:
        with pytest.raises(NotFound):
            bucket.open("none")
        assert list(bucket.keys("none")) == []

    def test_write_new_never_overwrites(self, bucket: Any) -> None:
        assert bucket.write_new("a", b"first", "text/plain") is True
        assert bucket.write_new("a", b"second", "text/plain") is False
        with bucket.open("a") as stream:
            assert stream.read() == b"first"

    def test_an_object_is_replaced_and_removed_only_as_it_was_seen(self, bucket: Any) -> None:
        assert bucket.read("a") is None
        assert bucket.write_over("a", b"1", "text/plain", None) is True
        assert bucket.write_over("a", b"2", "text/plain", None) is False
        body, etag = bucket.read("a")
        (listed,) = bucket.listed("a")
        assert (body, listed.key, listed.etag) == (b"1", "a", etag)
        assert bucket.write_over("a", b"3", "text/plain", etag) is True
        assert bucket.write_over("a", b"4", "text/plain", etag) is False
        assert bucket.remove("a", etag) is False
        assert bucket.remove("a", bucket.read("a")[1]) is True
        assert bucket.read("a") is None
        assert bucket.write_over("a", b"5", "text/plain", etag) is False, "what is gone is not what was seen"

    def test_keys_are_in_order_and_under_the_prefix(self, bucket: Any) -> None:
        for key in ("b/2", "a/1", "b/1"):
            bucket.write(key, b"", "text/plain")
        assert list(bucket.keys("b/")) == ["b/1", "b/2"]

    def test_a_link_names_an_object_that_is_there(self, bucket: Any) -> None:
        assert bucket.link("a", 60) is None
        bucket.write("a", b"x", "text/plain")
        assert "/a?" in bucket.link("a", 60)

    def test_move_takes_the_source_away_and_can_be_repeated(self, bucket: Any) -> None:
        bucket.write("from", b"x", "text/plain")
        assert bucket.move("from", "to") is True
        assert (list(bucket.keys("from")), list(bucket.keys("to"))) == ([], ["to"])
        assert bucket.move("from", "to") is False
        assert list(bucket.keys("to")) == ["to"]


def test_a_write_that_meets_another_is_tried_again(aws: None) -> None:
    """S3 answers 409 while another request for the key is under way, and whose comes first is open."""
    client = boto3.client("s3")
    with Stubber(client) as stubber:
        stubber.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
        with pytest.raises(UpstreamUnavailable):
            S3Bucket(client, "flights", "the flights bucket").write_new("a", b"1", "text/plain")


@pytest.fixture(params=["fake", "moto"])
def runs(request: pytest.FixtureRequest, aws: None) -> Any:
    if request.param == "fake":
        return FakeRuns()
    return FlightRuns(create_table("FlightsRunsTable", "runs"), "runs")


class TestRuns:
    def test_a_run_is_found_as_it_was_begun(self, runs: Any) -> None:
        run = begun(TIME, NOW, bytes_raw=12)
        assert runs.begin(run) is True
        assert runs.find(ID) == run
        assert runs.find("states_1") is None

    def test_a_run_begins_once(self, runs: Any) -> None:
        runs.begin(begun(TIME, NOW))
        assert runs.begin(begun(TIME, NOW + timedelta(hours=1))) is False
        assert runs.find(ID).created_at == NOW.isoformat()

    def test_advance_obeys_the_allowed_statuses(self, runs: Any) -> None:
        assert runs.advance(ID, RunStatus.PROCESSED, TO_PROCESSED, {}) is False, "an unknown run is not made up"
        runs.begin(begun(TIME, NOW))
        assert runs.advance(ID, RunStatus.PROCESSED, TO_PROCESSED, {"rows": 3, "score": 0.5}) is True
        assert runs.advance(ID, RunStatus.PROCESSED, TO_PROCESSED, {"rows": 4}) is False
        found = runs.find(ID)
        assert (found.status, found.rows, found.score) == (RunStatus.PROCESSED, 3, 0.5)

    def test_facts_of_every_kind_survive(self, runs: Any) -> None:
        runs.begin(begun(TIME, NOW))
        facts = {
            "rows": 0,
            "score": 1.0,
            "failed_checks": ["a", "b"],
            "rejected_samples": [{"row": 1, "reason": "short"}],
            "failure": None,
        }
        runs.note(ID, facts)
        found = msgspec.to_builtins(runs.find(ID))
        assert {name: found.get(name) for name in facts} == facts

    def test_a_fact_that_is_none_is_forgotten(self, runs: Any) -> None:
        runs.begin(begun(TIME, NOW))
        runs.advance(ID, RunStatus.FAILED, (RunStatus.INGESTED,), {"failure": "broken", "rows": 0})
        runs.note(ID, {"failure": None, "rows": 3})
        assert (runs.find(ID).failure, runs.find(ID).rows) == (None, 3)
        runs.advance(ID, RunStatus.PROCESSED, TO_PROCESSED, {"rows": None})
        assert runs.find(ID).rows is None

    def test_the_newest_come_first(self, runs: Any) -> None:
        for number in range(5):
            runs.begin(begun(TIME + number * 300, NOW))
        runs.advance("states_1763726700", RunStatus.PROCESSED, TO_PROCESSED, {})
        assert [run.snapshot_time for run in runs.of_day("2025-11-21", 3)] == [TIME + 1200, TIME + 900, TIME + 600]
        assert [run.tracking_id for run in runs.of_status(RunStatus.PROCESSED, 10)] == ["states_1763726700"]
        assert runs.of_day("2025-11-20", 3) == []
        within = {"start": TIME + 300, "end": TIME + 900}
        assert [run.snapshot_time for run in runs.of_day("2025-11-21", 9, **within)] == [TIME + 600, TIME + 300]
        assert runs.of_status(RunStatus.PROCESSED, 9, start=TIME + 301) == []

    def test_a_replay_is_remembered_among_no_runs(self, runs: Any) -> None:
        assert runs.recall("ab") is None
        runs.remember("ab", {"snapshots": 3, "start": "then"})
        runs.remember("ab", {"snapshots": 4, "start": "then"})
        assert runs.recall("ab")["snapshots"] == 4
        assert runs.of_day("2025-11-21", 9) == []


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture(params=["fake", "moto"])
def guard(request: pytest.FixtureRequest, aws: None, clock: Clock) -> Any:
    if request.param == "fake":
        return FakeGuard(clock)
    return FlightGuard(create_table("FlightsGuardTable", "guard"), "guard", clock)


class TestGuard:
    def test_the_breaker_is_remembered(self, guard: Any) -> None:
        assert guard.change_breaker(lambda breaker: breaker) == guard.breaker() == Breaker()
        for _ in range(5):
            guard.change_breaker(lambda breaker: after_failure(breaker, NOW))
        stored = guard.change_breaker(lambda breaker: breaker)
        assert (stored.state, stored.opened_at, stored.failing_since) == (BreakerState.OPEN, NOW, NOW)
        closed = guard.change_breaker(lambda breaker: Breaker())
        assert closed == guard.change_breaker(lambda breaker: breaker) == Breaker()

    def test_sockets_are_remembered_up_to_a_number(self, guard: Any) -> None:
        assert guard.watchers() == []
        guard.watch("b", "https://one", 2)
        guard.watch("a", "https://one", 2)
        assert [tuple(watcher) for watcher in guard.watchers()] == [("a", "https://one"), ("b", "https://one")]
        with pytest.raises(RateLimited):
            guard.watch("c", "https://one", 2)
        guard.unwatch("a")
        guard.unwatch("unknown")
        assert [watcher.id for watcher in guard.watchers()] == ["b"]
        guard.unwatch("b")
        assert guard.watchers() == []

    def test_credits_are_taken_settled_and_refunded(self, guard: Any) -> None:
        assert guard.reserve_credits("2026-11-21", 4, 10) == 4
        assert guard.reserve_credits("2026-11-21", 4, 10) == 8
        assert guard.reserve_credits("2026-11-21", 4, 10) is None
        assert guard.credits_used("2026-11-21") == 8
        guard.refund_credits("2026-11-21", 4)
        assert guard.credits_used("2026-11-21") == 4
        guard.settle_credits("2026-11-21", 10, reserved=4)
        assert guard.reserve_credits("2026-11-21", 1, 10) is None
        assert guard.reserve_credits("2026-11-22", 4, 10) == 4
        assert guard.reserve_credits("2026-11-22", 11, 10) is None

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_polls_at_once_leave_the_later_count_whichever_ends_first(self, guard: Any, order: tuple[int, int]) -> None:
        reserved = [guard.reserve_credits("2026-11-21", 4, 4000) for _ in range(2)]
        for poll in order:
            guard.settle_credits("2026-11-21", [4, 8][poll], reserved=reserved[poll])
        assert guard.credits_used("2026-11-21") == 8

    def test_the_server_may_lower_the_count_of_a_lone_poll(self, guard: Any) -> None:
        guard.reserve_credits("2026-11-21", 1000, 4000)
        reserved = guard.reserve_credits("2026-11-21", 4, 4000)
        guard.settle_credits("2026-11-21", 4, reserved=reserved)
        assert guard.credits_used("2026-11-21") == 4, "its day begins at another hour"

    def test_the_throttle_is_remembered(self, guard: Any) -> None:
        assert guard.throttled_until() is None
        guard.throttle(NOW + timedelta(seconds=61_000))
        assert guard.throttled_until() == NOW + timedelta(seconds=61_000)

    def test_the_first_is_told_until_it_is_over_or_forgotten(self, guard: Any, clock: Clock) -> None:
        assert guard.first("blocked", NOW + timedelta(hours=1)) is True
        assert guard.first("blocked", NOW + timedelta(hours=1)) is False
        assert guard.first("throttled", NOW + timedelta(hours=1)) is True
        clock.advance(hours=2)
        assert guard.first("blocked", clock() + timedelta(hours=1)) is True
        guard.hold("blocked", clock() + timedelta(days=1))
        clock.advance(hours=23)
        assert guard.first("blocked", clock() + timedelta(hours=1)) is False
        guard.forget(["blocked", "never heard of"])
        assert guard.first("blocked", clock() + timedelta(hours=1)) is True


def test_a_breaker_that_another_wrote_is_changed_again(aws: None, clock: Clock) -> None:
    client = create_table("FlightsGuardTable", "guard")
    mine, other = FlightGuard(client, "guard", clock), FlightGuard(client, "guard", clock)
    calls = []

    def change(breaker: Breaker) -> Breaker:
        calls.append(breaker)
        if len(calls) == 1:
            other.change_breaker(lambda stored: after_failure(stored, NOW))
        return after_failure(breaker, NOW)

    assert len(mine.change_breaker(change).failures) == 2
    assert len(calls) == 2


def test_alerts_are_json_with_a_subject_that_fits(aws: None) -> None:
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    queue = sqs.create_queue(QueueName="seen")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    Topic(sns, topic).send("s" * 200, {"type": "DATA_QUALITY_ISSUE", "score": 0.5})
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    envelope = json.loads(message["Body"])
    assert json.loads(envelope["Message"]) == {"type": "DATA_QUALITY_ISSUE", "score": 0.5}
    assert len(envelope["Subject"]) == 100


def test_a_topic_that_is_gone_is_our_error(aws: None) -> None:
    with pytest.raises(OmnibusError) as caught:
        Topic(boto3.client("sns"), "arn:aws:sns:eu-west-1:123456789012:none").send("s", {})
    assert isinstance(caught.value, NotFound)


def test_secrets_are_read_once_until_forgotten(aws: None) -> None:
    client = boto3.client("secretsmanager")
    arn = client.create_secret(Name="opensky", SecretString='{"client_id": "a"}')["ARN"]
    secrets = Secrets(client)
    assert secrets.read(arn) == {"client_id": "a"}
    client.put_secret_value(SecretId=arn, SecretString='{"client_id": "b"}')
    assert secrets.read(arn) == {"client_id": "a"}
    secrets.forget(arn)
    assert secrets.read(arn) == {"client_id": "b"}
    client.put_secret_value(SecretId=arn, SecretString="[]")
    secrets.forget(arn)
    with pytest.raises(UpstreamRejected):
        secrets.read(arn)
    with pytest.raises(UpstreamUnavailable):
        secrets.read("arn:aws:secretsmanager:eu-west-1:123456789012:secret:none-123456")


def test_a_secret_that_is_written_is_what_is_read(aws: None) -> None:
    client = boto3.client("secretsmanager")
    arn = client.create_secret(Name="login", SecretString='{"username": "ann"}')["ARN"]
    secrets = Secrets(client)
    secrets.write(arn, {"username": "ann", "host": "h"})
    for reader in (secrets, Secrets(client)):
        assert reader.read(arn) == {"username": "ann", "host": "h"}


class Invocations:
    """The Lambda client, as far as it is used; the local cloud's tests use the real one."""

    def __init__(self) -> None:
        self.payloads: list[dict[str, Any]] = []

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803
        assert (FunctionName, InvocationType) == ("process_flights", "Event")
        self.payloads.append(json.loads(Payload))


def test_reprocessing_sends_events_that_the_function_reads(aws: None) -> None:
    from chalicelib.entry.events import S3Notification

    client = Invocations()
    LambdaReprocessing(client, "process_flights", "flights").request([f"raw/year=2025/é {n}.gz" for n in range(7)])
    events = [S3Notification(payload, None) for payload in client.payloads]
    assert [len(event.records) for event in events] == [5, 2]
    assert [record.key for event in events for record in event] == [f"raw/year=2025/é {n}.gz" for n in range(7)]
    assert {record.event_name for event in events for record in event} == {REPLAY}


def test_runs_of_before_a_field_existed_are_still_read(aws: None) -> None:
    client = create_table("FlightsRunsTable", "runs")
    FlightRuns(client, "runs").begin(begun(TIME, NOW))
    client.update_item(
        TableName="runs",
        Key={"tracking_id": {"S": ID}},
        UpdateExpression="SET unheard_of = :x",
        ExpressionAttributeValues={":x": {"S": "x"}},
    )
    assert isinstance(FlightRuns(client, "runs").find(ID), Run)
