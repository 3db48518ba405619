"""The flights demo: three hours of real air traffic through the deployed pipeline, in seconds.

The local OpenSky's clock steps through the hours. Each step invokes `ingest_flights` as the schedule would, and S3
events pass the snapshot on. One snapshot is spoiled on purpose to show the checks and the quarantine. The demo ends
with the runs, the failed checks with sample rows, a map of the last snapshot, and the history.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import boto3
from botocore.config import Config
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.demo.history import show_history
from local.demo.map import draw_map

SNAPSHOTS: Final = 36
STEP: Final = 300
"""Seconds of traffic between two snapshots: the schedule of `ingest_flights`."""
BEGINNING: Final = 0
"""Seconds into the recording, which is as long as the demo's traffic."""
SPOILED: Final = 30
SPOIL: Final = (
    {"kind": "off_the_globe", "rows": 3},
    {"kind": "values_lost", "rows": 6},
    {"kind": "stale", "rows": 8},
    {"kind": "garbled_callsign", "rows": 5},
    {"kind": "too_fast", "rows": 3},
    {"kind": "duplicated", "rows": 3},
    {"kind": "short_row", "rows": 2},
)
"""Faults for the snapshot of that number; real receivers send all of them, but not together."""
DEADLINE: Final = 120.0
SETTLED: Final = ("VALIDATED", "QUARANTINED", "FAILED")
SOURCE: Final = (
    "Traffic: OpenSky Network, recorded 7 October 2021 (sample of the traffic library, MIT), replayed as of now"
)

Progress = Callable[[str], None]
Run = Mapping[str, Any]


@dataclass(frozen=True)
class Pipeline:
    """The deployed pipeline as its users see it: AWS's API, its own REST API, and the OpenSky that it polls."""

    rest_url: str
    opensky_url: str
    bucket: str
    ingest_function: str
    compact_function: str
    operator_token: str
    functions: Any
    objects: Any

    @classmethod
    def of(cls, cloud: Mapping[str, Any]) -> "Pipeline":
        """The pipeline of a running local cloud, from `.local/cloud.json`."""
        credentials = cloud["credentials"]
        session = boto3.Session(
            credentials["AWS_ACCESS_KEY_ID"], credentials["AWS_SECRET_ACCESS_KEY"], region_name=cloud["region"]
        )
        config = Config(read_timeout=DEADLINE, retries={"max_attempts": 0}, s3={"addressing_style": "path"})
        clients = (
            session.client(service, endpoint_url=cloud["aws_endpoint_url"], config=config)
            for service in ("lambda", "s3")
        )
        return cls(
            cloud["rest_url"].rstrip("/"),
            cloud["opensky_url"].rstrip("/"),
            cloud["buckets"]["flights"],
            cloud["functions"]["ingest_flights"],
            cloud["functions"]["compact_flights"],
            cloud["operator_token"],
            *clients,
        )

    def control_opensky(self, **message: Any) -> None:
        """Move the replay's clock, or make the replay fail."""
        body = json.dumps(message).encode()
        request = Request(f"{self.opensky_url}/_control", data=body, headers={"Content-Type": "application/json"})
        with urlopen(request, timeout=10) as answer:
            answer.read()

    def invoke(self, name: str) -> dict[str, Any]:
        """A function's answer to its schedule; raises an error if it failed."""
        function = {"compact_flights": self.compact_function, "ingest_flights": self.ingest_function}[name]
        event = scheduled_event(datetime.now(UTC), self.functions.meta.region_name)
        answer = self.functions.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        result = json.loads(answer["Payload"].read())
        if answer.get("FunctionError") or result is None:
            raise RuntimeError(f"{function} failed: {json.dumps(result)[:500]}")
        return dict(result)

    def ingest(self) -> dict[str, Any]:
        """One poll; raises an error if the function failed or returned no snapshot."""
        result = self.invoke("ingest_flights")
        if "tracking_id" not in result:
            raise RuntimeError(f"{self.ingest_function} returned no snapshot: {json.dumps(result)[:500]}")
        return result

    def get(self, path: str) -> Any:
        """The body of a REST answer."""
        with urlopen(f"{self.rest_url}{path}", timeout=30) as answer:
            return json.load(answer)

    def run(self, tracking_id: str) -> Run | None:
        """The run; None before the pipeline has it."""
        try:
            run: Run = self.get(f"/flights/runs/{tracking_id}")
        except HTTPError as error:
            with error:
                if error.code == 404:
                    return None
                raise
        return run

    def report(self, run: Run) -> dict[str, Any]:
        """The quality report of the validation."""
        body = self.objects.get_object(Bucket=self.bucket, Key=run["report_key"])["Body"]
        report: dict[str, Any] = json.load(body)
        return report


def scheduled_event(now: datetime, region: str) -> dict[str, Any]:
    """EventBridge's event for a scheduled function."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "region": region,
        "resources": [],
        "detail": {},
    }


def run(cloud: Mapping[str, Any], out: Path, progress: Progress, console: Console | None = None) -> list[Path]:
    """Send the hours through the pipeline, print the results, and return the files that it wrote."""
    pipeline, console = Pipeline.of(cloud), console or Console()
    progress(f"{SNAPSHOTS} snapshots of real traffic, {STEP // 60} minutes apart; number {SPOILED} is spoiled")
    try:
        runs = replay_hour(pipeline, progress)
    finally:
        pipeline.control_opensky(reset=True)
    console.print(runs_table(runs))
    report = worst_report(pipeline, runs)
    if report is not None:
        console.print(checks_table(*report))
    latest = pipeline.get("/flights/latest?limit=5000")
    moment = datetime.fromtimestamp(latest["time"], UTC)
    drawn = draw_map(latest["aircraft"], out / "flights.png", time=moment, source=SOURCE)
    report_path = out / "flights-quality.json"
    if report is not None:
        report_path.write_text(json.dumps(report[1], indent=2) + "\n")
    told = show_history(pipeline.get, pipeline.invoke, pipeline.rest_url, pipeline.operator_token, runs, out, console)
    return [drawn.path, *([report_path] if report is not None else []), *told]


def replay_hour(pipeline: Pipeline, progress: Progress) -> list[Run]:
    """Poll once for each step of the hours up to now, and follow each snapshot to its verdict; the runs in order."""
    runs = []
    start = time.time() - (SNAPSHOTS - 1) * STEP
    for number in range(1, SNAPSHOTS + 1):
        clock = {"now": start + (number - 1) * STEP, "rate": 0} | ({"position": BEGINNING} if number == 1 else {})
        pipeline.control_opensky(clock=clock, dirt=SPOIL if number == SPOILED else [])
        began = time.monotonic()
        run = verdict(pipeline, pipeline.ingest()["tracking_id"])
        took = time.monotonic() - began
        progress(f"{number:2} of {SNAPSHOTS}  {run['tracking_id']}  {run['status']}  {took:.1f} s")
        runs.append(run)
    return runs


def verdict(pipeline: Pipeline, tracking_id: str) -> Run:
    """The run after its verdict; TimeoutError names its state at the deadline."""
    deadline = time.monotonic() + DEADLINE
    while True:
        run = pipeline.run(tracking_id)
        if run is not None and run["status"] in SETTLED and run.get("alert") != "PENDING":
            return run
        if time.monotonic() > deadline:
            stands = run["status"] if run is not None else "not known to the pipeline"
            raise TimeoutError(f"{tracking_id}: no verdict within {DEADLINE:.0f} s, it is {stands}; see `make logs`")
        time.sleep(0.05)


def worst_report(pipeline: Pipeline, runs: Iterable[Run]) -> tuple[Run, dict[str, Any]] | None:
    """The run with the lowest score and its report; None if no run has a verdict."""
    judged = [run for run in runs if run.get("report_key") and run.get("score") is not None]
    if not judged:
        return None
    worst = min(judged, key=lambda run: (run["status"] != "QUARANTINED", run["score"]))
    return worst, pipeline.report(worst)


def runs_table(runs: Iterable[Run]) -> Table:
    """One line for each run, in 80 columns: rows, score and grade, failed checks, time and size."""
    table = Table(
        title="Runs: three hours of traffic (ms to process and validate; kB of JSON and Parquet)",
        caption="Schema and statistics are 14 kB of each Parquet file, so these small snapshots grow.",
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=0,
    )
    for heading in ("UTC", "status"):
        table.add_column(heading, no_wrap=True)
    for heading in ("rows", "rejected", "score", "failed", "ms", "kB"):
        table.add_column(heading, justify="right", no_wrap=True)
    for run in runs:
        style = {"VALIDATED": "green", "QUARANTINED": "bold red", "FAILED": "bold red"}[run["status"]]
        table.add_row(
            f"{datetime.fromtimestamp(run['snapshot_time'], UTC):%H:%M:%S}",
            f"[{style}]{run['status']}[/]",
            shown(run.get("rows")),
            shown(run.get("rejected")),
            "-" if run.get("score") is None else f"{run['score']:.3f} {run['grade']}",
            shown(len(run.get("failed_checks") or [])),
            ", ".join(shown(run.get(name)) for name in ("processing_ms", "validation_ms")),
            ", ".join(_kilobytes(run.get(name)) for name in ("bytes_raw", "bytes_parquet")),
        )
    return table


def _kilobytes(size: int | None) -> str:
    return "-" if size is None else f"{size / 1000:,.0f}"


def checks_table(run: Run, report: Mapping[str, Any]) -> Table:
    """A run's failed checks as records of two columns: score against pass mark, number of rows, and sample rows."""
    moment = datetime.fromtimestamp(run["snapshot_time"], UTC)
    failed = [check for check in report["checks"] if check["verdict"] == "failed"]
    unknown = sum(check["verdict"] == "unknown" for check in report["checks"])
    counts = f"{len(failed)} of {len(report['checks'])} checks failed, {unknown} unknown"
    title = f"{run['status']} at {moment:%H:%M:%S}: {counts}"
    aside = f"Moved to {run['quarantine_key']}, alert {run.get('alert', '-')}" if run.get("quarantine_key") else None
    table = Table(
        title=title, caption=aside, title_justify="left", caption_justify="left", title_style="bold", show_header=False
    )
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in failed:
        table.add_section()
        table.add_row("check", f"[bold]{check['name']}[/]")
        table.add_row("score", f"{shown(check['score'])}; passes from {shown(check['pass_mark'])}")
        table.add_row("failing", f"{check['failing']:,} of {check['checked']:,}")
        for sample in check["samples"][:3]:
            table.add_row("sample", sample_line(sample))
    return table


def sample_line(sample: Mapping[str, Any]) -> str:
    """A sample row in one line, with fields and values."""
    values = (str(value) if type(value) is int else shown(value) for value in sample.values())
    return escape("  ".join(f"{name} {value}" for name, value in zip(sample, values, strict=True)))


def shown(value: Any) -> str:
    """A readable value."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10 else f"{value:,.1f}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)
