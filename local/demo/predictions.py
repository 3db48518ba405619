"""The predictions demo: train on text and numbers, sign, publish, preview, and score 200,000 rows.

The data is the Palmer penguins: 344 birds of three species on three islands, with measurements of bills and flippers,
and gaps. A pipeline (impute, scale, one-hot, gradient boosting) learns body mass from 60 % of the birds; the rows are
drawn from the others, with each measurement jittered as if repeated. Every prediction is compared bit by bit with a
direct `model.predict(pandas.read_csv(...))`; then the state machine scores the same rows, and its bytes are compared
with the single call's. The demo ends with the job's first rows and a plot of the residuals.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import boto3
import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
from botocore.config import Config
from palmerpenguins import load_penguins
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from chalicelib.adapters.predictions.jobs import DynamoJobs
from chalicelib.adapters.predictions.objects import S3Objects
from chalicelib.adapters.predictions.signing import SharedSecret
from chalicelib.predictions.places import parse_uri
from chalicelib.predictions.publishing import Described
from infra.operate.publish_model import publish, read_artifact, read_sample
from local.demo.residuals import draw_residuals

ROWS: Final = 200_000
JITTER: Final = 0.01
"""Standard deviation of a repeated measurement, as a share of it."""
DEADLINE: Final = 120.0
COLUMN: Final = "predicted_body_mass_g"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Deployed:
    """The deployed application as a caller of predictions sees it."""

    cloud: Mapping[str, Any]
    folder: str

    def client(self, service: str) -> Any:
        """A boto3 client of the cloud."""
        given = self.cloud["credentials"]
        session: Any = boto3.Session(
            aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
            region_name=self.cloud["region"],
        )
        config = Config(read_timeout=DEADLINE, retries={"max_attempts": 0}, s3={"addressing_style": "path"})
        return session.client(service, endpoint_url=self.cloud["aws_endpoint_url"], config=config)

    def place(self, kind: str, name: str) -> str:
        """The URI of an object of this demo: a model, data or output."""
        if kind == "models":
            return f"s3://{self.cloud['buckets']['models']}/demo/{self.folder}/{name}"
        return f"s3://{self.cloud['buckets']['predictions']}/{kind}/demo/{self.folder}/{name}"

    def put(self, uri: str, data: bytes) -> None:
        """Store an object."""
        place = parse_uri("uri", uri)
        self.client("s3").put_object(Bucket=place.bucket, Key=place.key, Body=data)

    def read(self, uri: str) -> bytes:
        """An object's bytes."""
        place = parse_uri("uri", uri)
        body: bytes = self.client("s3").get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
        return body

    def predict(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer of `predict_batch`; RuntimeError with its message if it refuses."""
        answer = self.client("lambda").invoke(
            FunctionName=self.cloud["functions"]["predict_batch"], Payload=json.dumps(event).encode()
        )
        answered = json.load(answer["Payload"])
        if answered.get("statusCode") != 200:
            raise RuntimeError(f"predict_batch: {answered.get('body', answered)}")
        outcome: Mapping[str, Any] = json.loads(answered["body"])
        return outcome

    def rest(self, method: str, path: str, body: Any = None) -> Any:
        """The REST API's answer."""
        request = Request(
            f"{self.cloud['rest_url']}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "X-Operator-Token": self.cloud["operator_token"]},
        )
        try:
            with urlopen(request, timeout=DEADLINE) as response:  # the address is the local cloud's
                return json.load(response)
        except HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.read().decode()}") from error

    def finished(self, job_id: str) -> Mapping[str, Any]:
        """The job after it has succeeded; RuntimeError if it fails."""
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until:
            job: Mapping[str, Any] = self.rest("GET", f"/predictions/{job_id}")
            if job["state"] == "succeeded":
                return job
            if job["state"] in ("failed", "cancelled"):
                break
            time.sleep(0.1)
        raise RuntimeError(f"the job did not succeed: {job}")


@dataclass(frozen=True)
class Study:
    """A fitted pipeline, a sample of its data, and unseen rows: CSV with an id, features and outcome."""

    model: Pipeline
    features: tuple[str, ...]
    sample: bytes
    outcome: npt.NDArray[np.float64]
    table: bytes


def study() -> Study:
    """Train on some birds, and draw rows from the others."""
    birds = load_penguins().dropna(subset=["body_mass_g"])
    numbers, words = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm"], ["species", "island", "sex"]
    names = [*words, *numbers]
    known, unseen = train_test_split(birds, test_size=0.4, random_state=0)
    encoded = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(sparse_output=False))
    scaled = make_pipeline(SimpleImputer(), StandardScaler())
    model = make_pipeline(
        make_column_transformer((encoded, words), (scaled, numbers)), HistGradientBoostingRegressor(random_state=0)
    ).fit(known[names], known["body_mass_g"])
    chance = np.random.default_rng(0)
    frame = unseen.iloc[chance.integers(len(unseen), size=ROWS)].reset_index(drop=True)
    frame[numbers] = (frame[numbers] * chance.normal(1, JITTER, (ROWS, len(numbers)))).round(2)
    frame.insert(0, "visit", [f"visit {number}" for number in range(ROWS)])
    sample = known[names].to_csv(index=False).encode()
    return Study(model, tuple(names), sample, frame["body_mass_g"].to_numpy(), frame.to_csv(index=False).encode())


def run(cloud: Mapping[str, Any], out: Path, progress: Progress) -> list[Path]:
    """Show the predictions workload; return the files. RuntimeError if a result is wrong."""
    deployed = Deployed(cloud, uuid4().hex[:8])
    shown = study()
    progress(f"trained on 205 penguins; {ROWS:,} rows of 137 others, {_mb(shown.table)}")
    model = _publish(deployed, shown, out, progress)
    _preview(deployed, shown, model, progress)
    data, output = deployed.place("data", "visits.csv"), deployed.place("output", "visits.csv")
    deployed.put(data, shown.table)
    event = {
        "model_s3_uri": model,
        "data_s3_uri": data,
        "output_s3_uri": output,
        "prediction_column_name": COLUMN,
        "feature_columns": list(shown.features),
        "overwrite": True,
    }
    for call in ("cold", "warm"):
        outcome = deployed.predict({**event, "fresh": True})
        progress(
            f"predict_batch, {call}: {outcome['rows']:,} rows in {outcome['seconds']:.2f} s, "
            f"{outcome['rows'] / outcome['seconds']:,.0f} a second"
        )
    scored = deployed.read(output)
    predicted = _check(shown, scored)
    progress("every prediction equals model.predict(pandas.read_csv(...)) to the bit")
    progress(f"peak memory of the function, with its libraries: {outcome['peak_mib']:.0f} MiB")
    again = deployed.predict(event)
    if not again["reused"]:
        raise RuntimeError("the same request was scored again")
    progress(f"the same request again: its finished output, in {again['seconds']:.2f} s")
    _show_job(deployed, {**event, "output_s3_uri": deployed.place("output", "job.csv")}, scored, progress)
    plot = draw_residuals(predicted, shown.outcome, out / "residuals.png")
    progress(
        f"residuals: mean {np.mean(shown.outcome - predicted):+.1f} g, "
        f"typical size {np.median(np.abs(shown.outcome - predicted)):.1f} g, of 2,700 to 6,300 g"
    )
    return [plot, out / "model.txt"]


def _publish(deployed: Deployed, shown: Study, out: Path, progress: Progress) -> str:
    place = deployed.place("models", "penguins.skops")
    trained, sample = out / "penguins.joblib", out / "penguins.csv"
    joblib.dump(shown.model, trained)
    sample.write_bytes(shown.sample)
    described = Described(sample=read_sample(sample), published_by="the demo")
    uri, now = parse_uri("place", place), datetime.now(UTC)
    artifact = read_artifact(trained, shown.features, uri, None, now, described=described)
    key = SharedSecret(deployed.client("secretsmanager"), deployed.cloud["outputs"]["ModelSigningKeyArn"])
    floors = DynamoJobs(deployed.client("dynamodb"), deployed.cloud["outputs"]["PredictionJobsTable"])
    publish(S3Objects(deployed.client("s3")), key, floors, uri, artifact, now, overwrite=False)
    (out / "model.txt").write_text("\n".join(artifact.report) + "\n", encoding="utf-8")
    for line in artifact.report:
        if line.startswith("  "):
            progress(line.replace("may be missing", "has gaps").replace("never missing ", "no gaps "))
    form, size = artifact.manifest.format, _mb(artifact.content)
    progress(f"signed and published as {form}: {size}, sha256 {artifact.manifest.sha256[:12]}")
    return place


def _preview(deployed: Deployed, shown: Study, model: str, progress: Progress) -> None:
    """Three birds, one of them without its sex and bill."""
    records = [
        {"species": "Adelie", "island": "Dream", "sex": "female", "bill_length_mm": 37, "bill_depth_mm": 17,
         "flipper_length_mm": 185},
        {"species": "Gentoo", "island": "Biscoe", "sex": "male", "bill_length_mm": 50, "bill_depth_mm": 16,
         "flipper_length_mm": 222},
        {"species": "Chinstrap", "island": "Dream", "flipper_length_mm": 196},
    ]  # fmt: skip
    answer = deployed.rest("POST", "/predictions/preview", {"model_s3_uri": model, "dataframe_records": records})
    wanted = shown.model.predict(pd.DataFrame(records)[list(shown.features)])
    if answer["predictions"] != wanted.tolist():
        raise RuntimeError("a preview differs from model.predict")
    for record, grams in zip(records, answer["predictions"], strict=True):
        progress(f"preview: {record['species']}, flipper {record['flipper_length_mm']} mm: {grams:,.0f} g")


def _check(shown: Study, scored: bytes) -> npt.NDArray[np.float64]:
    """The predictions in the output; RuntimeError if they are not the model's, or the other columns changed."""
    lines = [line.rsplit(b",", 1)[0] for line in scored.splitlines()]
    if lines != shown.table.splitlines():
        raise RuntimeError("a line did not pass through unchanged")
    predicted = pd.read_csv(BytesIO(scored), usecols=[COLUMN])[COLUMN].to_numpy()
    sent = pd.read_csv(BytesIO(shown.table), usecols=list(shown.features))
    if not np.array_equal(predicted, shown.model.predict(sent[list(shown.features)])):
        raise RuntimeError("a prediction differs from model.predict")
    found: npt.NDArray[np.float64] = predicted
    return found


def _show_job(deployed: Deployed, event: Mapping[str, Any], scored: bytes, progress: Progress) -> None:
    began = time.perf_counter()
    job = deployed.finished(deployed.rest("POST", "/predictions", event)["job_id"])
    if deployed.read(event["output_s3_uri"]) != scored:
        raise RuntimeError("the job's bytes differ from the single call's")
    progress(f"as a job of the state machine: {job['state']} in {time.perf_counter() - began:.1f} s, the same bytes")
    output = deployed.rest("GET", f"/predictions/{job['job_id']}/output")
    for row in output["rows"][:3]:
        progress(f"  {', '.join(row[:3])}, ...: {float(row[-1]):,.0f} g")


def _mb(data: bytes) -> str:
    return f"{len(data) / 1e6:.1f} MB"
