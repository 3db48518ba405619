"""Flights end to end on the local cloud: real workers, real events, every function under its own role."""

import gzip
import io
import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pyarrow.parquet as pq
import pytest
from websockets.sync.client import connect

from chalicelib.flights.keys import index_key
from chalicelib.flights.models import REPLAY
from infra.operate.redrive import redrive
from local.cloud import Cloud
from tests.events import s3_event, schedule_event
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.cloud

_steps = itertools.count(1)


class Flights:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.bucket = cloud.buckets["flights"]
        self.s3 = cloud.client("s3")
        self.sqs = cloud.client("sqs")

    def control(self, **message: Any) -> None:
        httpx.post(f"{self.cloud.opensky_url}/_control", json=message).raise_for_status()

    def ingest(self) -> dict[str, Any]:
        outcome: dict[str, Any] = self.cloud.invoke("ingest_flights", schedule_event())
        return outcome

    def forget(self) -> None:
        """Reset OpenSky and the guard: no faults, no throttle, a closed breaker, all credits."""
        self.control(reset=True)
        guard, table = self.cloud.client("dynamodb"), self.cloud.tables["flights-guard"]
        for item in guard.scan(TableName=table)["Items"]:
            guard.delete_item(TableName=table, Key={"guard_id": item["guard_id"]})

    def turn_the_clock(self) -> None:
        """Set OpenSky's clock to a moment later than any that a test of this cloud has polled, whichever ran before."""
        self.control(clock={"now": time.time() + 300 * next(_steps)})

    def ingest_next(self) -> dict[str, Any]:
        """Poll a snapshot that no test has seen, newer than all of them."""
        self.turn_the_clock()
        return self.ingest()

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.cloud.rest_url}{path}", timeout=PATIENCE_S)

    def history(self, path: str, **query: Any) -> dict[str, Any]:
        """What the history answers, polled for as long as it says that it takes longer."""

        def look() -> dict[str, Any] | None:
            answer = self.get(f"{path}?{urlencode(query)}")
            assert answer.status_code in {200, 202}, answer.text
            if answer.status_code == 202:
                query["query"] = answer.json()["query"]
                return None
            found: dict[str, Any] = answer.json()
            return found

        found: dict[str, Any] = self.until(look)
        return found

    def settled(self, tracking_id: str, *statuses: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            answer = self.get(f"/flights/runs/{tracking_id}")
            return answer.json() if answer.status_code == 200 and answer.json()["status"] in statuses else None

        return self.until(look)

    def until(self, look: Callable[[], Any]) -> Any:
        return until(look)

    def objects(self, prefix: str) -> dict[str, str]:
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return {each["Key"]: each["ETag"] for each in listed}


@pytest.fixture
def flights(cloud: Cloud) -> Iterator[Flights]:
    flights = Flights(cloud)
    flights.forget()
    yield flights
    flights.control(reset=True)


def test_real_traffic_becomes_checked_parquet_that_the_api_shows(flights: Flights) -> None:
    outcome = flights.ingest_next()
    assert outcome["outcome"] == "fetched"
    run = flights.settled(outcome["tracking_id"], "VALIDATED", "QUARANTINED")
    assert run["status"] == "VALIDATED", run
    assert run["rows"] > 10
    parquet = flights.s3.get_object(Bucket=flights.bucket, Key=run["processed_key"])["Body"].read()
    table = pq.read_table(io.BytesIO(parquet))
    assert table.num_rows == run["rows"]
    latest = flights.get("/flights/latest?limit=5000").json()
    assert latest["tracking_id"] == run["tracking_id"]
    located = table.filter(table["latitude"].is_valid())
    assert latest["matching"] == located.num_rows
    assert {each["icao24"] for each in latest["aircraft"]} == set(located["icao24"].to_pylist())
    quality = flights.get("/flights/quality").json()
    assert run["tracking_id"] in {judged["tracking_id"] for judged in quality["runs"]}


def test_a_bad_snapshot_is_quarantined_told_once_and_released(flights: Flights) -> None:
    topic = flights.cloud.topics["flights-alerts"]
    queue = flights.sqs.create_queue(QueueName="flights-alerts-seen")["QueueUrl"]
    arn = flights.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    may_send = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**may_send, "Resource": arn}]}
    flights.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    flights.cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    flights.control(extra={"rows": [["short"]] * 200})
    tracking_id = flights.ingest_next()["tracking_id"]
    run = flights.settled(tracking_id, "VALIDATED", "QUARANTINED")
    assert run["status"] == "QUARANTINED"
    assert run["rejected"] == 200

    def alert() -> Any:
        for message in flights.sqs.receive_message(QueueUrl=queue).get("Messages", []):
            return json.loads(json.loads(message["Body"])["Message"])
        return None

    told = flights.until(alert)
    assert (told["type"], told["snapshot"]) == ("DATA_QUALITY_ISSUE", tracking_id)
    processed = run["quarantine_key"].replace("quarantine/", "processed/", 1)
    assert run["quarantine_key"] in flights.objects("quarantine/")
    assert processed not in flights.objects("processed/")
    answer = flights.cloud.invoke(
        "release_flights", {"tracking_id": tracking_id, "released_by": "a test", "reason": "looked at it"}
    )
    assert answer["result"]["status"] == "VALIDATED", answer
    flights.until(
        lambda: flights.get(f"/flights/runs/{tracking_id}").json().get("report_key", "").startswith("reports/")
    )
    assert flights.get(f"/flights/runs/{tracking_id}").json()["status"] == "VALIDATED"
    assert processed in flights.objects("processed/")
    assert alert() is None, "an operator is told once"


def test_a_replay_run_twice_changes_nothing(flights: Flights) -> None:
    tracking_id = flights.ingest_next()["tracking_id"]
    run = flights.settled(tracking_id, "VALIDATED")
    before = flights.objects("processed/")
    at = run["snapshot_time"]
    body = {name: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at + add)) for name, add in [("from", 0), ("to", 1)]}
    operator = {"X-Operator-Token": flights.cloud.operator_token}
    assert httpx.post(f"{flights.cloud.rest_url}/flights/replays", json=body).status_code == 403
    for _ in range(2):
        seen = flights.get(f"/flights/runs/{tracking_id}").json()["updated_at"]
        answer = httpx.post(f"{flights.cloud.rest_url}/flights/replays", json=body, headers=operator)
        assert (answer.status_code, answer.json()["tracking_ids"]) == (202, [tracking_id])
        flights.until(lambda then=seen: flights.get(f"/flights/runs/{tracking_id}").json()["updated_at"] != then)
    assert flights.get(f"/flights/runs/{tracking_id}").json()["status"] == "VALIDATED"
    assert flights.objects("processed/") == before


def test_a_throttle_and_an_outage_are_survived(flights: Flights) -> None:
    flights.control(faults=[{"kind": "status", "status": 429, "retry_after": 61_200}])
    assert flights.ingest()["outcome"] == "throttled"
    assert flights.ingest()["reason"] == "throttled", "no call is made, nothing sleeps"
    guard = flights.cloud.client("dynamodb")
    guard.delete_item(TableName=flights.cloud.tables["flights-guard"], Key={"guard_id": {"S": "throttle"}})
    flights.control(faults=[{"kind": "status", "status": 500, "calls": 5}])
    for _ in range(5):
        with pytest.raises(Exception, match="OpenSky is unavailable"):
            flights.ingest()
    assert flights.ingest() == {"outcome": "skipped", "reason": "the circuit breaker is open"}


def test_an_unreadable_snapshot_fails_its_run_and_stays(flights: Flights) -> None:
    key = "raw/year=2001/month=09/day=09/hour=01/states_1000000000.json.gz"
    flights.s3.put_object(Bucket=flights.bucket, Key=key, Body=gzip.compress(b'{"time": 1000000000, "states": [[1,'))
    run = flights.settled("states_1000000000", "FAILED")
    assert run["failure"]
    assert key in flights.objects("raw/")
    flights.until(lambda: flights.get("/flights/runs/states_1000000000").json().get("alert") == "SENT")


def test_a_snapshot_that_is_gone_before_its_verdict_fails_its_run_and_a_replay_brings_it_back(flights: Flights) -> None:
    run = flights.settled(flights.ingest_next()["tracking_id"], "VALIDATED")
    tracking_id = run["tracking_id"]
    flights.s3.delete_object(Bucket=flights.bucket, Key=run["processed_key"])
    runs = {"TableName": flights.cloud.tables["flights-runs"], "Key": {"tracking_id": {"S": tracking_id}}}
    flights.cloud.client("dynamodb").update_item(
        **runs,
        UpdateExpression="SET #status = :processed",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":processed": {"S": "PROCESSED"}},
    )
    flights.cloud.invoke("validate_flights", s3_event(run["processed_key"]))
    assert "was deleted before it was judged" in flights.settled(tracking_id, "FAILED")["failure"]
    flights.cloud.invoke("process_flights", s3_event(run["raw_key"], event_name=REPLAY))
    assert "failure" not in flights.settled(tracking_id, "VALIDATED")


def test_a_dead_letter_is_kept_and_redriven(flights: Flights) -> None:
    functions = flights.cloud.client("lambda")
    name = flights.cloud.functions["process_flights"]
    functions.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"Records": [{"s3": {}}]}')
    queue = flights.cloud.queues["process_flights-dead"]

    def waiting() -> int:
        counted = flights.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
        return int(counted["Attributes"]["ApproximateNumberOfMessages"])

    flights.until(waiting)
    assert redrive(flights.sqs, functions, queue, name, lambda line: None) == 1
    flights.until(waiting)  # it fails again, and is kept again
    flights.sqs.purge_queue(QueueUrl=queue)


def test_every_function_obeys_its_own_policy(flights: Flights) -> None:
    """The guard: `ingest_flights` may write raw snapshots and no processed ones; the role itself is asked."""
    lambda_client, iam, sts = (flights.cloud.client(service) for service in ("lambda", "iam", "sts"))
    role = lambda_client.get_function_configuration(FunctionName=flights.cloud.functions["ingest_flights"])["Role"]
    assert iam.get_role(RoleName=role.rsplit("/", 1)[-1])
    keys = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    import boto3
    from botocore.exceptions import ClientError

    s3 = boto3.client(
        "s3",
        endpoint_url=flights.cloud.aws_endpoint_url,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        region_name=flights.cloud.region,
    )
    s3.put_object(Bucket=flights.bucket, Key="raw/policy-check", Body=b"")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=flights.bucket, Key="processed/policy-check", Body=b"")


def test_the_history_is_asked_before_and_after_an_hour_is_compacted(flights: Flights) -> None:
    """Three snapshots of an hour that is over: through Athena, from the inbox, then from the hour."""
    hour = (int(time.time()) // 3600 - 30) * 3600
    for minute in (5, 10, 15):
        flights.control(clock={"now": hour + 60 * minute})
        flights.settled(flights.ingest()["tracking_id"], "VALIDATED", "QUARANTINED")
    period = {"from": moment(hour), "to": moment(hour + 3600)}
    before = flights.history("/flights/traffic", by="hour", **period)
    assert [count["key"] for count in before["counts"]] == [period["from"]]
    seen = flights.get(f"/flights/snapshots?{urlencode(period)}").json()["snapshots"]
    assert before["counts"][0]["rows"] == sum(snapshot["rows"] for snapshot in seen)
    aircraft = flights.get(f"/flights/snapshots/{seen[0]['tracking_id']}/aircraft?limit=1").json()["aircraft"][0]
    address = aircraft["icao24"]
    track = flights.history(f"/flights/aircraft/{address}/track", **period)
    assert track["flights"][0]["points"]
    detail = {"from": period["from"], "to": period["to"]}
    compacted = flights.cloud.invoke("compact_flights", schedule_event() | {"detail": detail})
    assert compacted["snapshots"] == len(seen)
    assert compacted["rows"] == before["counts"][0]["rows"]
    assert flights.history("/flights/traffic", by="day", **period)["counts"][0]["rows"] == compacted["rows"]
    assert flights.history(f"/flights/aircraft/{address}/track", **period)["flights"] == track["flights"]
    found = flights.history("/flights/aircraft", q=address.upper(), **period)
    assert [each["icao24"] for each in found["aircraft"]] == [address]
    (key,) = [key for key in flights.objects("history/") if f"hour_{time.gmtime(hour).tm_hour:02}" in key]
    answers = flights.objects("queries/")
    assert answers
    body = flights.s3.get_object(Bucket=flights.bucket, Key=key)["Body"].read()
    assert pq.read_table(io.BytesIO(body)).num_rows == compacted["rows"]
    path = f"/flights/snapshots/{seen[0]['tracking_id']}/aircraft"
    kept = flights.get(f"{path}?limit=3").json()
    at = int(seen[0]["tracking_id"].removeprefix("states_"))
    flights.s3.delete_object(Bucket=flights.bucket, Key=index_key(at))
    past = flights.history(path, limit=3)
    assert (past["matching"], past["aircraft"]) == (kept["matching"], kept["aircraft"])
    assert past["bytes_scanned"] > 0


def moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def test_a_socket_of_the_channel_runs_hears_each_verdict(flights: Flights) -> None:
    with connect(f"{flights.cloud.websocket_url}?channel=runs", open_timeout=PATIENCE_S) as socket:
        passed = flights.settled(flights.ingest_next()["tracking_id"], "VALIDATED", "QUARANTINED")
        flights.control(dirt=[{"kind": "off_the_globe", "rows": 300}])
        failed = flights.settled(flights.ingest_next()["tracking_id"], "QUARANTINED")
        told: dict[str, dict[str, Any]] = {}
        while not {passed["tracking_id"], failed["tracking_id"]} <= told.keys():
            message = json.loads(socket.recv(timeout=PATIENCE_S))
            assert message["action"] == "RUN"
            told[message["run"]["tracking_id"]] = message["run"]
    for run in (passed, failed):
        heard = told[run["tracking_id"]]
        assert heard["status"] == run["status"]
        assert not {"released_by", "release_reason"} & heard.keys()


def test_operators_are_shown_the_guard_a_report_and_what_to_download(flights: Flights) -> None:
    run = flights.settled(flights.ingest_next()["tracking_id"], "VALIDATED", "QUARANTINED")
    operator = {"X-Operator-Token": flights.cloud.operator_token}
    path = f"{flights.cloud.rest_url}/flights"
    guard = httpx.get(f"{path}/guard", headers=operator, timeout=PATIENCE_S)
    assert guard.status_code == 200, guard.text
    assert guard.json()["credits_used"] > 0
    assert httpx.get(f"{path}/guard", timeout=PATIENCE_S).status_code == 403
    assert len(flights.get(f"/flights/runs/{run['tracking_id']}/report").json()["checks"]) == 16
    links = httpx.get(f"{path}/runs/{run['tracking_id']}/downloads", headers=operator, timeout=PATIENCE_S).json()
    for name in ("raw", "parquet", "report"):
        assert httpx.get(links[name]["url"], timeout=PATIENCE_S).status_code == 200, name
    listed = flights.get("/flights/runs?limit=500").json()["runs"]
    assert run["tracking_id"] in {each["tracking_id"] for each in listed}


def test_a_snapshot_is_released_over_rest(flights: Flights) -> None:
    flights.control(dirt=[{"kind": "off_the_globe", "rows": 300}])
    run = flights.settled(flights.ingest_next()["tracking_id"], "QUARANTINED")
    answer = httpx.post(
        f"{flights.cloud.rest_url}/flights/runs/{run['tracking_id']}/release",
        headers={"X-Operator-Token": flights.cloud.operator_token},
        json={"reason": "a known receiver", "released_by": "Ada"},
        timeout=PATIENCE_S,
    )
    assert (answer.status_code, answer.json()["released_by"]) == (200, "Ada (machine)"), answer.text
    assert flights.settled(run["tracking_id"], "VALIDATED")
