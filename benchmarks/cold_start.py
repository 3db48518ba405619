"""From a fresh process to a function's first answer, as packaged, against the unpruned libraries without bytecode.

Each function runs on one core, in a process whose path has only the unpacked archives that the template gives it, with
their bytecode; what it calls is a local cloud, on the other core. Beside it the same function with everything that pip
installs and no bytecode, which is what Chalice packages. The measure for both is Chalice, boto3 and one client of
DynamoDB, used once, with libraries that are pruned and compiled in the same way.

Functions that score start from a snapshot (SnapStart), which is taken after app.py was imported. What remains for such
a worker is from there to its first answer; what Lambda takes to restore the snapshot is not in it.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import measure
from benchmarks.scoring_files import FEATURES
from chalicelib.adapters.predictions.signing import SharedSecret
from chalicelib.concerts.models import TICKET_FEATURES
from chalicelib.predictions.places import parse_uri
from chalicelib.predictions.publishing import artifact_of
from chalicelib.predictions.trust import MANIFEST_SUFFIX, seal
from infra.artifacts import bytecode
from infra.artifacts.build import Artifact, built, unpack
from infra.artifacts.target import Target
from infra.package import ROOT, package
from local.cloud import Cloud, down, up

ROUNDS, PEER_ROUNDS = 9, 3
MEASURE = "Chalice, boto3, one client"
LIMITS = {"api_handler": 1.2, "ingest_flights": 1.5, "process_flights": 1.7, "validate_flights": 1.7}
"""At most so many times the measure."""
PREDICTION_LIMIT, RESTORED_LIMIT_MS = 5, 300
CHILD = """
import json, sys, time
module, handler, event, *paths = sys.argv[1:]
sys.path[:0] = paths
answers, sys.stdout = sys.stdout, sys.stderr
class Context:
    function_name, memory_limit_in_mb = "benchmark", 1769
    aws_request_id, invoked_function_arn = "00000000-0000-0000-0000-000000000001", "arn:aws:lambda:x:0:function:x"
    get_remaining_time_in_millis = staticmethod(lambda: 60_000)
function = getattr(__import__(module), handler)
asked = time.perf_counter()
json.dumps(function(json.loads(event), Context()))
print(1000 * (time.perf_counter() - asked), file=answers, flush=True)
"""
RUNTIME = "def register_after_restore(function):\n    pass\n"
"""What app.py finds in Lambda's own runtime where a snapshot will be taken."""
BASELINE = """
import boto3
from chalice import Chalice

app = Chalice(app_name="baseline")
dynamodb = boto3.client("dynamodb")


@app.route("/")
def index():
    return dynamodb.query(
        TableName={table!r},
        KeyConditionExpression="tracking_id = :id",
        ExpressionAttributeValues={{":id": {{"S": "none"}}}},
    )["Items"]
"""


@dataclass(frozen=True)
class Start:
    """A cold start to measure: which module's handler, with which event, in which environment and on which path."""

    module: str
    handler: str
    event: Any
    environment: Mapping[str, str]
    paths: Sequence[str]
    options: tuple[str, ...] = ("-B",)

    def ms(self) -> float:
        """How long it takes from the start of the process to the answer."""
        return self._took()[0]

    def restored_ms(self) -> float:
        """How long the first answer takes once the application is imported, as in a worker that SnapStart restores."""
        return self._took()[1]

    def _took(self) -> tuple[float, float]:
        arguments = [self.module, self.handler, json.dumps(self.event), *self.paths]
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-I", "-S", *self.options, "-c", CHILD, *arguments],
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=_on_one_core,
        )
        took = 1000 * (time.perf_counter() - started)
        if done.returncode != 0:
            raise SystemExit(f"{self.handler} failed:\n{done.stderr}")
        return took, float(done.stdout)


def _on_one_core() -> None:
    os.sched_setaffinity(0, {0})


def rest_event(path: str, resource: str = "") -> dict[str, Any]:
    """What API Gateway sends for a GET."""
    return {
        "resource": resource or path,
        "path": path,
        "httpMethod": "GET",
        "headers": {"Host": "api.example.com"},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource or path,
            "httpMethod": "GET",
            "requestId": "request-1",
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": None,
        "isBase64Encoded": False,
    }


def s3_event(bucket: str, key: str) -> dict[str, Any]:
    """What S3 sends for a new object."""
    described = {"bucket": {"name": bucket}, "object": {"key": key, "size": 1, "eTag": "0", "sequencer": "1"}}
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": described}]}


def schedule_event() -> dict[str, Any]:
    """What a schedule sends."""
    place = {"version": "0", "account": "000000000000", "region": "us-east-1", "resources": [], "detail": {}}
    return {
        "id": "1",
        "source": "aws.events",
        "detail-type": "Scheduled Event",
        "time": "2026-11-21T12:00:00Z",
        **place,
    }


def events(cloud: Cloud) -> dict[str, Any]:
    """An event for each function that is measured; what they need is in the cloud afterwards."""
    bucket, s3 = cloud.buckets["flights"], cloud.client("s3")
    tracking_id = cloud.invoke("ingest_flights", schedule_event())["tracking_id"]
    keys: dict[str, str] = {}
    deadline = time.monotonic() + 60
    while len(keys) < 2:
        for prefix in ("raw/", "processed/"):
            for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
                if tracking_id in each["Key"]:
                    keys[prefix] = each["Key"]
        if time.monotonic() > deadline:
            raise SystemExit("the snapshot was not processed within a minute")
        time.sleep(0.2)
    return {
        "api_handler": rest_event("/flights/quality"),
        "ingest_flights": schedule_event(),
        "process_flights": s3_event(bucket, keys["raw/"]),
        "validate_flights": s3_event(bucket, keys["processed/"]),
        "predict_batch": prediction_event(cloud, LinearRegression()),
        "predict_batch, boosting": prediction_event(cloud, HistGradientBoostingRegressor(max_iter=10)),
        "predict_tickets": {"rows": [[1.0] * len(TICKET_FEATURES)]},
    }


def prediction_event(cloud: Cloud, estimator: Any) -> dict[str, Any]:
    """What asks for a thousand rows scored by `estimator`, which is fitted and published."""
    rows = np.random.default_rng(0).normal(size=(1000, len(FEATURES))).round(4)
    name = f"{type(estimator).__name__}.skops"
    uri = f"s3://{cloud.buckets['models']}/{name}"
    artifact = artifact_of(estimator.fit(rows, rows[:, 0]), FEATURES, parse_uri("uri", uri), "skops", datetime.now(UTC))
    sealed = seal(artifact.manifest, SharedSecret(cloud.client("secretsmanager"), cloud.outputs["ModelSigningKeyArn"]))
    lines = [",".join(FEATURES), *(",".join(map(str, row)) for row in rows)]
    bucket, s3 = cloud.buckets["predictions"], cloud.client("s3")
    s3.put_object(Bucket=cloud.buckets["models"], Key=name, Body=artifact.content)
    s3.put_object(Bucket=cloud.buckets["models"], Key=name + MANIFEST_SUFFIX, Body=sealed)
    s3.put_object(Bucket=bucket, Key=f"data/{name}.csv", Body="\n".join(lines).encode())
    return {
        "model_s3_uri": uri,
        "data_s3_uri": f"s3://{bucket}/data/{name}.csv",
        "output_s3_uri": f"s3://{bucket}/output/{name}.csv",
        "prediction_column_name": "price",
        "feature_columns": list(FEATURES),
        "overwrite": True,
        "fresh": True,
    }


def main() -> None:
    arguments = measure.arguments(__doc__)
    report = measure.Report("cold_start")
    with tempfile.TemporaryDirectory(prefix="omnibus-cold-start-") as folder:
        home = Path(folder)
        target = Target(f"python3.{sys.version_info.minor}", "arm64" if os.uname().machine == "aarch64" else "x86_64")
        template = json.loads(package("dev", home / "dist", target=target).read_text(encoding="utf-8"))
        artifacts = built(target, ROOT, home / "dist")
        try:
            cloud = up(home / "cloud", parameters={"Schedules": "DISABLED"})
            _measure(cloud, target, template, artifacts, home, report)
        finally:
            down(home / "cloud")
    report.show(arguments.json)


def _measure(
    cloud: Cloud,
    target: Target,
    template: Mapping[str, Any],
    artifacts: Sequence[Artifact],
    home: Path,
    report: measure.Report,
) -> None:
    base = [str(path) for path in unpack(artifacts, ("base",), home / "base")]
    table = cloud.tables["flights-runs"]
    (home / "baseline").mkdir()
    (home / "baseline" / "baseline.py").write_text(BASELINE.format(table=table), encoding="utf-8")
    for library in ("boto3", "s3transfer"):  # which the package does without
        shutil.copytree(Path(sysconfig.get_path("purelib"), library), home / "baseline" / library)
    bytecode.compile_tree(home / "baseline", target, "/var/task")
    (home / "runtime").mkdir()
    (home / "runtime" / "snapshot_restore_py.py").write_text(RUNTIME, encoding="utf-8")
    baseline = Start("baseline", "app", rest_event("/"), cloud.environment, [str(home / "baseline"), *base])
    peers = [str(ROOT), sysconfig.get_path("purelib")]
    # Bytecode that is there is not found under this prefix, and none is written.
    uncompiled = ("-B", "-X", f"pycache_prefix={home / 'none'}")
    for label, event in events(cloud).items():
        function = label.partition(",")[0]
        configured = cloud.client("lambda").get_function_configuration(FunctionName=cloud.functions[function])
        environment = {**configured["Environment"]["Variables"], **cloud.environment, "AWS_LAMBDA_FUNCTION_NAME": "f"}
        handler = "app" if function == "api_handler" else function
        paths = [str(path) for path in _paths(function, template, artifacts, home)]
        ours = Start("app", handler, event, environment, paths)
        peer = Start("app", handler, event, environment, peers, uncompiled)
        took = measure.interleaved({"packaged": ours.ms, MEASURE: baseline.ms}, ROUNDS)
        unpruned = statistics.median(peer.ms() for _ in range(PEER_ROUNDS))
        for name, ms in {**took, "unpruned, no bytecode": unpruned}.items():
            report.medians[f"{label}: {name}"] = round(ms, 1)
        if function.startswith("predict"):
            snapshot = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start", "AWS_LAMBDA_FUNCTION_NAME": f"dev-{function}"}
            restored = Start("app", handler, event, {**environment, **snapshot}, [*paths, str(home / "runtime")])
            remaining = statistics.median(restored.restored_ms() for _ in range(ROUNDS))
            report.medians[f"{label}: after a snapshot, at most {RESTORED_LIMIT_MS}"] = round(remaining, 1)
        limit = LIMITS.get(function, PREDICTION_LIMIT)
        report.ratios[f"{label}: packaged over the measure, at most {limit}"] = round(
            took["packaged"] / took[MEASURE], 2
        )
        report.ratios[f"{label}: unpruned, no bytecode"] = round(unpruned / took["packaged"], 2)


def _paths(function: str, template: Mapping[str, Any], artifacts: Sequence[Artifact], home: Path) -> list[Path]:
    name = "APIHandler" if function == "api_handler" else "".join(word.title() for word in function.split("_"))
    layers = [each.get("Ref") for each in template["Resources"][name]["Properties"].get("Layers", [])]
    parts = ("base", *(part for part, layer in (("arrow", "ArrowLayer"), ("ml", "MlLayer")) if layer in layers))
    return unpack(artifacts, parts, home / function)


if __name__ == "__main__":
    main()
