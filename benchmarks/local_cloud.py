"""The local cloud: start to deployed, cold start to the first answer, warm p50 and p95, and what each part costs.

A cloud of its own is started in a temporary folder. A cold start is forced by changing the function's configuration,
after which MiniStack takes a new worker, as Lambda does; the code in it has no bytecode yet, as Chalice ships none.
`/health` needs nothing but the function, `/flights/quality` asks DynamoDB.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import measure
from local import logs
from local.cloud import Cloud, down, up

STARTS = 3
COLD = 7
WARM = 200
PARTS = 7
ROUTES = ("/health", "/flights/quality")
TIMED = "import time; started = time.perf_counter(); {code}; print(1000 * (time.perf_counter() - started))"
WORKER_PARTS = {
    "MiniStack's import of botocore": "import botocore.handlers",
    "import app": "import app",
    "boto3 and a DynamoDB client": (
        "import app, time; started = time.perf_counter(); import boto3; boto3.client('dynamodb', region_name='x')"
    ),
}


def answered_ms(url: str) -> float:
    """How long one request takes, from the call to the last byte."""
    started = time.perf_counter()
    with urllib.request.urlopen(url, timeout=60) as answer:
        answer.read()
    return 1000 * (time.perf_counter() - started)


def make_cold(cloud: Cloud, number: int) -> None:
    """Have the next request of the REST function answered by a new worker."""
    cloud.client("lambda").update_function_configuration(
        FunctionName=cloud.functions["api_handler"], MemorySize=512 + number % 2
    )


def handled_ms(cloud: Cloud, route: str) -> float:
    """The median of what the function says that its handler took on this route."""
    said = (line.partition(": ")[2] for line in logs.lines(cloud, "api_handler", minutes=10))
    done = (json.loads(text) for text in said if '"invocation done"' in text)
    own = [float(line["ms"]) for line in done if line["route"] == f"GET {route}"]
    return statistics.median(own[-WARM:])


def worker_parts(archive: Path, report: measure.Report) -> None:
    """What a new worker does before it answers, each in processes of its own on the packaged tree."""
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(PARTS):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            zipfile.ZipFile(archive).extractall(folder)
            times["unzip"].append(1000 * (time.perf_counter() - started))
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", "pass"], check=True)
            times["start Python"].append(1000 * (time.perf_counter() - started))
            for name, code in WORKER_PARTS.items():
                environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OMNIBUS_STAGE": "local"}
                child = subprocess.run(
                    [sys.executable, "-c", TIMED.format(code=code)],
                    cwd=folder,
                    env=environ,
                    capture_output=True,
                    text=True,
                    check=True,
                )
                times[name].append(float(child.stdout))
    for name, values in times.items():
        report.medians[f"part of a cold start: {name}"] = round(statistics.median(values), 1)


def measure_requests(cloud: Cloud, report: measure.Report) -> None:
    """Cold and warm requests of each route, and the emulator's own share."""
    for route in ROUTES:
        url = f"{cloud.rest_url}{route}"
        cold = []
        for number in range(COLD):
            make_cold(cloud, number + 1)
            cold.append(answered_ms(url))
        warm = sorted(answered_ms(url) for _ in range(WARM))
        report.medians[f"cold to first answer: {route}"] = round(statistics.median(cold), 1)
        report.medians[f"warm p50: {route}"] = p50 = round(statistics.median(warm), 2)
        report.medians[f"warm p95: {route}"] = round(warm[int(0.95 * len(warm))], 2)
        report.medians[f"of that in the handler: {route}"] = inside = round(handled_ms(cloud, route), 2)
        report.ratios[f"warm p50: {route} / handler"] = round(p50 / inside, 2)
    emulator = statistics.median(answered_ms(f"{cloud.aws_endpoint_url}/_ministack/health") for _ in range(WARM))
    report.medians["an answer of MiniStack itself"] = round(emulator, 2)


def main() -> None:
    """Start clouds, ask them, report."""
    arguments = measure.arguments(__doc__)
    report = measure.Report("local_cloud")
    seconds: dict[str, list[float]] = defaultdict(list)
    for start in range(STARTS):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            try:
                started = time.perf_counter()
                cloud = up(home, parameters={"Schedules": "DISABLED"})
                seconds["start to everything answers"].append(time.perf_counter() - started)
                for part, value in cloud.seconds.items():
                    seconds[f"of that: {PHASES[part]}"].append(value)
                if start == STARTS - 1:
                    measure_requests(cloud, report)
                    worker_parts(home / "package" / "deployment.zip", report)
            finally:
                down(home)
    started_ms = {name: round(1000 * statistics.median(values), 0) for name, values in seconds.items()}
    report.medians = {**started_ms, **report.medians}
    report.show(arguments.json)


PHASES = {
    "servers": "MiniStack, OpenSky and PostgreSQL answer",
    "package": "waiting for chalice package beside that",
    "deploy": "CloudFormation",
    "answer": "the first answer",
    "all": "waiting for the last server",
}


if __name__ == "__main__":
    main()
