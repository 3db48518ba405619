"""The whole of `/openapi.json` under schemathesis: every route, every check, on the deployed application.

What it is given besides the document are proofs of who calls and the names of things that exist, so that requests get
past the doors. 422 is what a schema cannot say (a time range that ends before it begins), 413 is a limit that is a
setting: a valid request may be answered so, never with 400. The seed is fixed, so what fails here fails again;
`make fuzz` draws another and prints it.
"""

import base64
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from local import logs
from local.cloud import Cloud
from local.people.generator import generate
from tests.cloud.test_predictions import Predictions
from tests.cloud.test_spendsense import Caller, sign_in
from tests.events import schedule_event
from tests.patience import PATIENCE_S, until
from tests.properties import FUZZ_TIMES, FUZZING
from tests.sizes import sized
from tests.unit.predictions.studio import csv_of, rows

pytestmark = [pytest.mark.cloud, pytest.mark.load, pytest.mark.fuzz]

EXAMPLES = sized(2, 10) * (FUZZ_TIMES if FUZZING else 1)
SEED = random.SystemRandom().randrange(2**32) if FUZZING else 20_261_121
RUN_S = PATIENCE_S * (FUZZ_TIMES if FUZZING else 2)
ANSWER_S = 120
ACCEPTABLE = ["2xx", "3xx", "401", "403", "404", "405", "409", "413", "422", "429", "5xx"]
FAN = "a-fan"
ERASER = "delete_user"
"""Comes last: it erases whomever another operation has named, among them the caller."""
MCP = "/mcp"
"""It speaks JSON-RPC, whose errors have a body of their own: its tests use the protocol's own client."""
NAMES_IN_LISTS = {"POST /predictions", "POST /predictions/preview"}
"""They need a model's features by name, and a dictionary of schemathesis reaches into no list."""
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


def prediction_names(cloud: Cloud) -> dict[str, list[str]]:
    """A published model with its rows, a job that scores them, and what a request names of them."""
    predictions = Predictions(cloud)
    places = {
        "model_s3_uri": predictions.publish(),
        "data_s3_uri": predictions.put("rows.csv", csv_of(rows(3))),
        "output_s3_uri": predictions.output("scored.csv"),
    }
    return {
        "job_id": [predictions.submit(predictions.event(*places.values()))],
        "model_id": [base64.urlsafe_b64encode(places["model_s3_uri"].encode()).decode().rstrip("=")],
        **{field: [place] for field, place in places.items()},
    }


def chat_names(cloud: Cloud) -> dict[str, list[str]]:
    """Two sessions of a fan: one to be read and judged, one to be forgotten."""
    chat, fan = f"{cloud.rest_url}/chat", {"user_id": FAN}
    question = {"message": "jazz in Boston"} | fan
    kept, forgotten = (httpx.post(chat, json=question, timeout=PATIENCE_S).json()["session_id"] for _ in range(2))
    [exchange] = httpx.get(f"{chat}/sessions/{kept}", params=fan, timeout=PATIENCE_S).json()["exchanges"]
    return {
        "chat_session_id": [kept],
        "forgotten_session_id": [forgotten],
        "answered_at": [exchange["at"]],
        "fan": [FAN],
    }


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
        **prediction_names(cloud),
        **chat_names(cloud),
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
        "path.model_id": "model_id",
        "body.model_s3_uri": "model_s3_uri",
        "body.data_s3_uri": "data_s3_uri",
        "body.output_s3_uri": "output_s3_uri",
        "body.at": "answered_at",
    }.items():
        lines.append(f'"{parameter}" = {{ dictionary = "{name}", probability = 0.5 }}')
    # What erases people, or makes others of their recommendations, does so to bob, who is asked about nothing else.
    bob = json.dumps(f"Bearer {sign_in(cloud, 'bob')}")
    for operation in ("delete_own_profile", "decide_own_consent", "save_own_profile"):
        lines += ["[[operations]]", f'include-operation-id = "{operation}"', f"headers = {{ Authorization = {bob} }}"]
    # To delete a job is to cancel it: it is still there to be looked at.
    lines += ["[[operations]]", 'include-operation-id = "prediction_job"', "checks.use_after_free.enabled = false"]
    fan = {"query.user_id": "fan", "body.user_id": "fan"}
    for operation, named in {
        "read_user_trace": {"path.recommendation_id": "traced_recommendation_id"},
        "chat_session": {"path.session_id": "chat_session_id"} | fan,
        "judge_chat_answer": {"path.session_id": "chat_session_id"} | fan,
        "forget_chat_session": {"path.session_id": "forgotten_session_id"} | fan,
    }.items():
        given = (f'"{parameter}" = {{ dictionary = "{name}", probability = 0.9 }}' for parameter, name in named.items())
        lines += ["[[operations]]", f'include-operation-id = "{operation}"', f"parameters = {{ {', '.join(given)} }}"]
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
    said = fuzz(tmp_path, cloud.rest_url, "--exclude-operation-id", ERASER, "--exclude-path", MCP)
    for phase in PHASES:
        assert f"✅ {phase}" in said, said[-3_000:]
    described = httpx.get(f"{cloud.rest_url}/openapi.json", timeout=PATIENCE_S).json()["paths"]
    operations = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    operations = {one for one in operations if not one.endswith("/mcp")} - {"GET /openapi.json"}  # its own route
    assert f"Tested: {len(operations) - 1}" in said, said[-3_000:]
    alone = ("--include-operation-id", ERASER, "--phases", "examples,coverage,fuzzing")  # its links begin elsewhere
    assert "Tested: 1" in fuzz(tmp_path, cloud.rest_url, *alone)
    refused = operations - got_through(cloud, (time.monotonic() - started) / 60)
    assert refused <= NAMES_IN_LISTS, "behind a door that nobody got through, nothing was tested"
