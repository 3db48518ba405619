"""The data in the console's cloud before the tests begin."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import psycopg
from msgspec.structs import replace

from chalicelib.adapters.dynamodb import to_item
from chalicelib.flights.runs import Run, begun
from chalicelib.flights.status import RunStatus
from infra import console
from local.cloud import Cloud
from local.people.generator import generate
from local.people.load import load
from tests.cloud.test_flights import Flights
from tests.cloud.test_predictions import Predictions
from tests.events import schedule_event
from tests.patience import PATIENCE_S, until
from tests.unit.predictions.studio import csv_of, rows

PEOPLE = 40


@dataclass(frozen=True)
class Seed:
    """What the tests find there."""

    run: str
    held: str
    model: str
    data: str
    output: str
    job: str
    failed: str


def sow(cloud: Cloud) -> Seed:
    """Three snapshots, one of them in quarantine; a model, rows to score and a job; forty people. Side by side."""
    with ThreadPoolExecutor() as pool:
        built = pool.submit(console.build)
        flights, predictions, people = (pool.submit(each, cloud) for each in (_fly, _publish, _populate))
        built.result()
        people.result()
        return Seed(*flights.result(), *predictions.result())


def _fly(cloud: Cloud) -> tuple[str, str]:
    """Poll thrice; the first run, and the one in quarantine. Runs of other tests, some of them in the future, go."""
    flights = Flights(cloud)
    flights.forget()
    table, dynamodb = cloud.tables["flights-runs"], cloud.client("dynamodb")
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="tracking_id"):
        for item in page["Items"]:
            dynamodb.delete_item(TableName=table, Key=item)
    first = flights.settled(_snapshot(flights, 15), "VALIDATED")["tracking_id"]
    flights.control(dirt=[{"kind": "too_fast", "rows": 12}], extra={"rows": [["short"]] * 200})
    held = flights.settled(_snapshot(flights, 10), "QUARANTINED")["tracking_id"]
    flights.settled(_snapshot(flights, 5), "VALIDATED")
    flights.control(reset=True)
    return first, held


def _snapshot(flights: Flights, minutes: int) -> str:
    """Poll OpenSky as it was so many minutes ago; the run."""
    flights.control(clock={"now": time.time() - minutes * 60})
    return str(flights.ingest()["tracking_id"])


def _publish(cloud: Cloud) -> tuple[str, str, str, str, str]:
    """A model, data, where to score it to, a job that has scored it elsewhere, and one that failed at the last row."""
    predictions = Predictions(cloud)
    content = csv_of(rows(500))
    model, data = predictions.publish(), predictions.put("rows.csv", content)
    broken = predictions.put("broken.csv", content + content.splitlines()[-1].split(b",")[0] + b",x,x,x\n")
    with httpx.Client(base_url=cloud.rest_url, headers=operator(cloud), timeout=PATIENCE_S) as http:
        asked = [
            predictions.event(model, given, predictions.output(f"before-{number}.csv"))
            for number, given in enumerate((data, broken))
        ]
        job, failed = (http.post("/predictions", json=each).raise_for_status().json()["job_id"] for each in asked)
        for wanted, state in ((job, "succeeded"), (failed, "failed")):
            until(lambda: http.get(f"/predictions/{wanted}").json()["state"] == state, every_s=0.5)  # noqa: B023  # called at once
    return model, data, predictions.output("scored.csv"), job, failed


def operator(cloud: Cloud) -> dict[str, str]:
    """The header of a machine that operates."""
    return {"X-Operator-Token": cloud.operator_token}


def _populate(cloud: Cloud) -> None:
    """Let forty people in, Alice among them, and compute what there is to say about them."""
    cloud.invoke("migrate", {})
    now = datetime.now(UTC)
    crowd = generate(PEOPLE, seed=7, today=now.date())
    load(cloud.database_url or "", crowd[1:], now)
    with httpx.Client(base_url=f"{cloud.rest_url}/api/v1", timeout=PATIENCE_S) as http:
        alice, bob, olga = (signed_in(cloud, name) for name in ("alice", "bob", "olga"))
        http.delete("/users/me/profile", headers=bob)  # whatever another test has made of him
        profile = http.put("/users/me/profile", headers=alice, json={"display_name": "Alice"}).json()
        http.put("/users/me/consent", headers=alice, json={"granted": True, "policy_version": "2026-11"})
        for document in crowd[0].documents:
            content = json.dumps(document, default=str)
            sent = {**olga, "Content-Type": "application/json"}
            http.post(f"/operator/users/{profile['user_id']}/imports", headers=sent, content=content).raise_for_status()
        cloud.invoke("compute_features", {**schedule_event(), "detail": {"everyone": True}})
        until(lambda: http.get("/operator/metrics", headers=olga).json()["recommendations"])
        until(lambda: http.get("/users/me/recommendations?window=180", headers=alice).json()["recommendations"])


def signed_in(cloud: Cloud, name: str) -> dict[str, str]:
    """The header of a test user."""
    user = cloud.users[name]
    answer = cloud.client("cognito-idp").initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=user["client_id"],
        AuthParameters={"USERNAME": user["username"], "PASSWORD": user["password"]},
    )
    return {"Authorization": answer["AuthenticationResult"]["IdToken"]}


@contextmanager
def crowded(cloud: Cloud, seed: Seed, *, runs: int, jobs: int, people: int) -> Iterator[None]:
    """Fill the cloud with that many more, one run a minute, and take them away again; straight into its stores."""
    dynamodb = cloud.client("dynamodb")
    now = datetime.now(UTC) - timedelta(minutes=1)
    old = int(now.timestamp()) - 7200
    made = [_judged(begun(old - 60 * number, now), number) for number in range(runs)]
    table = cloud.tables["prediction-jobs"]
    job = dynamodb.get_item(TableName=table, Key={"job_id": {"S": seed.job}, "part": {"S": "job"}})["Item"]
    copies = [
        {**job, "job_id": {"S": f"{number:032x}"}, "created_at": {"S": (now - timedelta(hours=1 + number)).isoformat()}}
        for number in range(jobs)
    ]
    rows = {cloud.tables["flights-runs"]: [to_item(msgspec.to_builtins(run)) for run in made], table: copies}
    keys = {cloud.tables["flights-runs"]: ("tracking_id",), table: ("job_id", "part")}
    with closing(psycopg.connect(cloud.database_url or "", autocommit=True)) as database:
        try:
            database.execute(MANY_PEOPLE, [people])
            for name, items in rows.items():
                _write(dynamodb, name, [{"PutRequest": {"Item": item}} for item in items])
            yield
        finally:
            database.execute("DELETE FROM spendsense.profiles WHERE display_name LIKE 'Crowd %'")
            for name, items in rows.items():
                gone = [{"Key": {key: item[key] for key in keys[name]}} for item in items]
                _write(dynamodb, name, [{"DeleteRequest": each} for each in gone])


MANY_PEOPLE = """
WITH crowd AS (
    INSERT INTO spendsense.profiles (subject, display_name, created_at, updated_at)
    SELECT gen_random_uuid(), 'Crowd ' || lpad(number::text, 5, '0'), now(), now() FROM generate_series(1, %s) number
    RETURNING user_id
)
INSERT INTO spendsense.standings (user_id) SELECT user_id FROM crowd
"""


def _judged(run: Run, number: int) -> Run:
    """A run with a verdict: every fiftieth went to quarantine, every hundredth failed before there was one."""
    if number % 100 == 99:
        return replace(run, status=RunStatus.FAILED, failure="The raw object is no JSON")
    bad = number % 50 == 0
    return replace(
        run,
        status=RunStatus.QUARANTINED if bad else RunStatus.VALIDATED,
        score=0.7 if bad else 0.97,
        grade="C" if bad else "A",
        failed_checks=["speed"] if bad else [],
        judged_at=run.created_at,
    )


def _write(dynamodb: Any, table: str, requests: list[dict[str, Any]]) -> None:
    """Batches of 25, DynamoDB's maximum, a few in parallel."""
    batches = [requests[start : start + 25] for start in range(0, len(requests), 25)]
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda batch: dynamodb.batch_write_item(RequestItems={table: batch}), batches))
