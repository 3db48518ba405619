"""The whole of `/openapi.json` under schemathesis: every route, every check, on the deployed application.

What it is given besides the document are proofs of who calls and the names of things that exist, so that requests get
past the doors. 422 is what a schema cannot say (a time range that ends before it begins), 413 is a limit that is a
setting: a valid request may be answered so, never with 400. The seed is fixed, so what fails here fails again;
`make fuzz` draws another and prints it.
"""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from local import logs
from local.cloud import Cloud
from local.people.generator import generate
from tests.cloud.test_spendsense import Caller, sign_in
from tests.events import schedule_event
from tests.patience import PATIENCE_S, until
from tests.properties import FUZZ_TIMES, FUZZING
from tests.sizes import sized

pytestmark = [pytest.mark.cloud, pytest.mark.load, pytest.mark.fuzz]

EXAMPLES = sized(3, 10) * (FUZZ_TIMES if FUZZING else 1)
SEED = random.SystemRandom().randrange(2**32) if FUZZING else 20_261_121
RUN_S = PATIENCE_S * (FUZZ_TIMES if FUZZING else 2)
ANSWER_S = 120
ACCEPTABLE = ["2xx", "3xx", "401", "403", "404", "405", "409", "413", "422", "429", "5xx"]
ERASER = "delete_user"
MCP = "mcp"
"""It speaks JSON-RPC, whose errors have a body of their own: its tests use the protocol's own client."""
"""Comes last: it erases whomever another operation has named, among them who asks."""
PHASES = ("Examples", "Coverage", "Fuzzing", "Stateful")


def person_with_recommendations(cloud: Cloud, name: str, number: int) -> tuple[str, str, str]:
    """Have a test user join, consent and bring bank rows; their id, and a recommendation's and an account's."""
    caller, operator = Caller(cloud, sign_in(cloud, name)), Caller(cloud, sign_in(cloud, "olga"))
    caller("DELETE", "/users/me/profile")
    user_id = caller("PUT", "/users/me/profile", {"display_name": name}).json()["user_id"]
    caller("PUT", "/users/me/consent", {"granted": True, "policy_version": "2026-11"})
    people = [one for one in generate(60, seed=11, today=datetime.now(UTC).date()) if one.persona == "high_utilization"]
    for document in people[number].documents:
        assert operator("POST", f"/operator/users/{user_id}/imports", document).status_code == 200
    found = until(lambda: caller.get("/users/me/recommendations")["recommendations"])
    account = caller.get("/users/me/accounts")["accounts"][0]["account_id"]
    return user_id, found[0]["recommendation_id"], account


def validated_snapshot(cloud: Cloud) -> str:
    """Poll OpenSky once and wait until its snapshot has been judged; its tracking id."""
    cloud.invoke("ingest_flights", schedule_event())

    def judged() -> str | None:
        runs = httpx.get(f"{cloud.rest_url}/flights/quality", timeout=PATIENCE_S).json()["runs"]
        return runs[0]["tracking_id"] if runs else None

    return until(judged) or ""


def job_places(cloud: Cloud) -> dict[str, str]:
    """Where a prediction's model, rows and output are."""
    return {
        field: cloud.environment[f"OMNIBUS_PREDICTIONS_{place}"] + name
        for field, place, name in (
            ("model_s3_uri", "MODELS", "fuzz/model.skops"),
            ("data_s3_uri", "DATA", "fuzz/rows.csv"),
            ("output_s3_uri", "OUTPUT", "fuzz/scored.csv"),
        )
    }


def submitted_job(cloud: Cloud) -> str:
    """Submit a prediction with a model that is none, which its job will find out; its id."""
    request: dict[str, Any] = {
        **job_places(cloud),
        "prediction_column_name": "prediction",
        "feature_columns": ["x"],
    }
    for field, content in (("model_s3_uri", b"no model"), ("data_s3_uri", b"x\n1\n")):
        bucket, _, key = request[field].removeprefix("s3://").partition("/")
        cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    answer = httpx.post(
        f"{cloud.rest_url}/predictions",
        json=request,
        headers={"X-Operator-Token": cloud.operator_token},
        timeout=PATIENCE_S,
    )
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    return job_id


def seeded(cloud: Cloud) -> dict[str, list[str]]:
    """What exists, by what it is called in the document's parameters."""
    assert cloud.invoke("migrate")["result"]["version"] >= 4
    alice, _bob, olga = (person_with_recommendations(cloud, name, n) for n, name in enumerate(("alice", "bob", "olga")))
    session = httpx.post(f"{cloud.rest_url}/sessions", timeout=PATIENCE_S).json()
    return {
        "user_id": [alice[0]],
        "recommendation_id": [olga[1]],
        "traced_recommendation_id": [alice[1]],
        "account_id": [olga[2]],
        "session_id": [session["sessionId"]],
        "owner_token": [session["ownerToken"]],
        "upload_token": [session["uploadToken"]],
        "tracking_id": [validated_snapshot(cloud)],
        "job_id": [submitted_job(cloud)],
        **{field: [uri] for field, uri in job_places(cloud).items()},
        "asset": ["phone.js", "desktop.js", "upload.css"],
    }


def configuration(cloud: Cloud, names: Mapping[str, list[str]]) -> str:
    """schemathesis.toml: who calls, and what exists; each such name is used in half of the requests."""
    lines = [
        "continue-on-failure = true",
        f"request-timeout = {ANSWER_S}",
        f"seed = {SEED}",
        "[generation]",
        f"max-examples = {EXAMPLES}",
        'database = "none"',
        "[checks.positive_data_acceptance]",
        f"expected-statuses = {json.dumps(ACCEPTABLE)}",
        "[auth.openapi.cognito]",
        f"bearer = {json.dumps(sign_in(cloud, 'olga'))}",
        "[auth.openapi.operator]",
        f"api_key = {json.dumps(cloud.operator_token)}",
    ]
    for name, values in names.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(values)}"]
    lines += ["[parameters]"]
    for parameter, name in {
        "path.user_id": "user_id",
        "path.recommendation_id": "recommendation_id",
        "body.recommendation_id": "recommendation_id",
        "query.account_id": "account_id",
        "path.session_id": "session_id",
        "query.sessionId": "session_id",
        "header.X-Owner-Token": "owner_token",
        "header.X-Upload-Token": "upload_token",
        "query.uploadToken": "upload_token",
        "path.tracking_id": "tracking_id",
        "path.job_id": "job_id",
        "path.name": "asset",
        **{f"body.{field}": field for field in job_places(cloud)},
    }.items():
        lines.append(f'"{parameter}" = {{ dictionary = "{name}", probability = 0.5 }}')
    # What erases people, or makes others of their recommendations, does so to bob, who is asked about nothing else.
    bob = json.dumps(f"Bearer {sign_in(cloud, 'bob')}")
    for operation in ("delete_own_profile", "decide_own_consent", "save_own_profile"):
        lines += ["[[operations]]", f'include-operation-id = "{operation}"', f"headers = {{ Authorization = {bob} }}"]
    # To delete a job is to cancel it: it is still there to be looked at.
    lines += ["[[operations]]", 'include-operation-id = "prediction_job"', "checks.use_after_free.enabled = false"]
    lines += ["[[operations]]", 'include-operation-id = "read_user_trace"']
    lines += [
        'parameters = { "path.recommendation_id" = { dictionary = "traced_recommendation_id", probability = 0.5 } }'
    ]
    return "\n".join(lines) + "\n"


def got_through(cloud: Cloud, minutes: float) -> set[str]:
    """The operations that came to what they are for, if only to find a conflict; by what the REST function logged."""
    said = (line.partition(": ")[2] for line in logs.lines(cloud, "api_handler", minutes=minutes))
    done = (json.loads(text) for text in said if '"invocation done"' in text)
    return {line["route"] for line in done if line["status"] < 300 or line["status"] == 409}


def fuzz(folder: Path, url: str, *selected: str) -> str:
    """Run schemathesis over the selected operations with the folder's configuration; what it said of no failure."""
    done = subprocess.run(
        [
            sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()",
            "--config-file", str(folder / "schemathesis.toml"), "run", f"{url}/openapi.json", "--url", url, *selected,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )  # fmt: skip
    with (folder / "output.txt").open("a", encoding="utf-8") as output:
        output.write(done.stdout + done.stderr)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    return done.stdout


@pytest.fixture(autouse=True)
def forgiven(cloud: Cloud) -> Iterator[None]:
    """What this address was counted for, forgotten: fuzzing sends more wrong tokens than ten minutes allow."""
    yield
    table, database = "omnibus-local-upload-counters", cloud.client("dynamodb")
    for item in database.scan(TableName=table)["Items"]:
        database.delete_item(TableName=table, Key={"name": item["name"]})


def test_no_route_breaks_its_description(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(configuration(cloud, seeded(cloud)), encoding="utf-8")
    started = time.monotonic()
    said = fuzz(tmp_path, cloud.rest_url, "--exclude-operation-id", ERASER, "--exclude-operation-id", MCP)
    for phase in PHASES:
        assert f"✅ {phase}" in said, said[-3_000:]
    described = httpx.get(f"{cloud.rest_url}/openapi.json", timeout=PATIENCE_S).json()["paths"]
    operations = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    operations -= {"GET /openapi.json", "POST /mcp"}  # it leaves out the document's own route, and we JSON-RPC
    assert f"Tested: {len(operations) - 1}" in said, said[-3_000:]
    assert "Tested: 1" in fuzz(tmp_path, cloud.rest_url, "--include-operation-id", ERASER)
    refused = operations - got_through(cloud, (time.monotonic() - started) / 60)
    assert refused == set(), "behind a door that nobody got through, nothing was tested"
