"""How long each function works, and how much memory its worker takes: the demos run once in a local cloud.

A cloud of its own is started in a temporary folder; the demos drive every workload through its deployed functions, and
what they leave out is invoked directly. A duration is what the function says of itself ("ms" in its log line), of warm
invocations where there were any; that of the REST function is given by workload. Memory is the high-water mark of the
worker's process. `--write` puts both into infra/operate/durations.json, of which `make cost` reckons.
"""

import contextlib
import io
import json
import os
import platform
import re
import statistics
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import measure
from local import logs
from local.cloud import Cloud

DURATIONS = measure.ROOT / "infra" / "operate" / "durations.json"
DEMOS = ("flights", "uploads", "concerts", "predictions", "predictions", "spendsense")
"""Predictions twice, since one job is too little for the state machine's functions to be warm in."""
FEATURES = 21
TIMES = 10
DEADLINE_S = 60.0
SESSION = "00000000-0000-4000-8000-000000000000"
REST = "api_handler"


def scheduled() -> dict[str, Any]:
    """What EventBridge sends on a schedule."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": now,
        "region": "us-east-1",
        "resources": [],
        "detail": {},
    }


def notice() -> dict[str, Any]:
    """What SQS sends of a word that a desktop is owed, here by a session that is gone."""
    record = {
        "messageId": "1",
        "receiptHandle": "1",
        "body": json.dumps({"sessionId": SESSION}),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:upload-notices",
        "awsRegion": "us-east-1",
    }
    return {"Records": [record]}


def socket(route: str, kind: str, body: str | None = None) -> dict[str, Any]:
    """What API Gateway sends of a socket, here of one whose session is gone; its own calls leave no log here."""
    context = {
        "routeKey": route,
        "eventType": kind,
        "connectionId": "none=",
        "requestId": str(uuid4()),
        "apiId": "sockets",
        "domainName": "sockets.test",
        "stage": "api",
        "identity": {"sourceIp": "192.0.2.1"},
    }
    query = {"sessionId": SESSION, "ownerToken": "x" * 43}
    return {"requestContext": context, "queryStringParameters": query, "body": body, "isBase64Encoded": False}


LEFT_OUT: Mapping[str, Callable[[], dict[str, Any]]] = {
    "refresh_venue_popularity": scheduled,
    "predict_tickets": lambda: {"rows": [[1.0] * FEATURES]},
    "compute_features": scheduled,
    "notify_uploads": notice,
    "websocket_connect": lambda: socket("$connect", "CONNECT"),
    "websocket_message": lambda: socket("$default", "MESSAGE", json.dumps({"action": "sync", "sessionId": SESSION})),
    "websocket_disconnect": lambda: socket("$disconnect", "DISCONNECT"),
    "release_flights": lambda: {"tracking_id": "states_1", "released_by": "benchmark", "reason": "none such"},
    "migrate": dict,
}
"""What the demos do not invoke, or not often enough; the stages after compute_features follow it by themselves."""


def exercise(cloud: Cloud, out: Path) -> None:
    """Run the demos, whose pictures and tables nobody reads here, and invoke what they leave out."""
    for number, name in enumerate(DEMOS):
        folder = out / f"{number}"
        folder.mkdir(parents=True)
        print(f"  {name}", file=sys.stderr, flush=True)
        with contextlib.redirect_stdout(io.StringIO()):
            import_module(f"local.demo.{name}").run(asdict(cloud), folder, lambda _line: None)
    for _ in range(TIMES):
        with urllib.request.urlopen(f"{cloud.rest_url}/health", timeout=DEADLINE_S) as answer:
            answer.read()
    for function, event in LEFT_OUT.items():
        for _ in range(TIMES):
            cloud.invoke(function, event())
    _await_stages(cloud)


def _await_stages(cloud: Cloud) -> None:
    """Until the last stage has run as often as the first was invoked."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if sum('"invocation done"' in line for line in logs.lines(cloud, "generate_recommendations")) >= TIMES:
            return
        time.sleep(1)
    raise TimeoutError(f"generate_recommendations did not run {TIMES} times within {DEADLINE_S:g} s")


def durations(cloud: Cloud) -> dict[str, list[float]]:
    """The milliseconds of each function, of warm invocations if there were any; the REST function's by workload."""
    warm: dict[str, list[float]] = defaultdict(list)
    every: dict[str, list[float]] = defaultdict(list)
    tags = _tags()
    for function in cloud.functions:
        for line in logs.lines(cloud, function, minutes=30):
            text = line.partition(": ")[2]
            if '"invocation done"' not in text:
                continue
            said = json.loads(text)
            name = f"{REST}:{tags.get(said['route'], 'other')}" if function == REST else function
            every[name].append(float(said["ms"]))
            if not said["cold_start"]:
                warm[name].append(float(said["ms"]))
    return {**every, **warm}


def _tags() -> dict[str, str]:
    app = import_module("app").app
    return {f"{method} {contract.path}": contract.tag for contract in app.contracts for method in contract.methods}


def peaks(cloud: Cloud) -> dict[str, float]:
    """The highest memory that a worker of each function has had, in MiB, by the kernel's count."""
    found: dict[str, float] = defaultdict(float)
    marked = {f"ministack-lambda-{physical}-": name for name, physical in cloud.functions.items()}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text(errors="replace")
            status = (process / "status").read_text()
        except OSError:  # it has ended meanwhile
            continue
        if cloud.home not in command:
            continue
        for mark, name in marked.items():
            peak = re.search(r"^VmHWM:\s+(\d+)", status, re.MULTILINE)
            if mark in command and peak:
                found[name] = max(found[name], int(peak[1]) / 1024)
    return found


def record(times: Mapping[str, Iterable[float]], memory: Mapping[str, float]) -> dict[str, Any]:
    """What is written down: medians of this machine, for each function."""
    functions = {
        name: {
            "ms": round(statistics.median(found), 1),
            "invocations": len(found),
            "peak_mib": round(memory.get(name.partition(":")[0], 0.0), 1),
        }
        for name, values in sorted(times.items())
        if (found := list(values))
    }
    machine = f"{os.cpu_count()} {platform.machine()} cores, Python {platform.python_version()}"
    return {"measured": datetime.now(UTC).strftime("%Y-%m-%d"), "machine": machine, "functions": functions}


def main() -> None:
    """Start a cloud, drive it, read what it says."""
    writes = "--write" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--write"]
    arguments = measure.arguments(__doc__)
    with measure.local_cloud() as cloud:
        exercise(cloud, Path(cloud.home) / "made")
        found = record(durations(cloud), peaks(cloud))
    if writes:
        DURATIONS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    report = measure.Report("function_durations")
    for name, function in found["functions"].items():
        report.medians[name] = function["ms"]
        report.peak(name, function["peak_mib"])
    report.show(arguments.json)


if __name__ == "__main__":
    main()
