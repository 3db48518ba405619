"""A place to train, publish and predict in memory."""

import io
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression

from chalicelib.errors import OmnibusError
from chalicelib.predictions.batch import BatchPredictions
from chalicelib.predictions.distributed import DistributedPredictions
from chalicelib.predictions.estimators import Models
from chalicelib.predictions.jobs import PredictionJobs
from chalicelib.predictions.models import (
    Done,
    Planned,
    PredictionJob,
    PredictionPart,
    PredictionRequest,
    PredictionStep,
)
from chalicelib.predictions.places import AllowList, AllowLists, ObjectUri, parse_uri
from chalicelib.predictions.publishing import artifact_of
from chalicelib.predictions.reuse import FinishedWork
from chalicelib.predictions.trust import MANIFEST_SUFFIX, Manifest, seal
from tests.fakes.clock import Clock
from tests.fakes.predictions import (
    MemoryHolder,
    MemoryJobs,
    MemoryKey,
    MemoryMeter,
    MemoryNews,
    MemoryObjects,
    MemoryWorkflow,
)

FEATURES = ("x", "y")
MODEL = "s3://models/price.skops"
DATA = "s3://data/in/rows.csv"
OUTPUT = "s3://output/out/rows.csv"
CSV_GZ, OUTPUT_GZ = "s3://data/in/rows.csv.gz", "s3://output/out/rows.csv.gz"
PARQUET, OUTPUT_PARQUET = "s3://data/in/rows.parquet", "s3://output/out/rows.parquet"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

ALLOWED = AllowLists(
    models=AllowList("models", (ObjectUri("models", ""),)),
    data=AllowList("data", (ObjectUri("data", "in/"),)),
    output=AllowList("output", (ObjectUri("output", "out/"), ObjectUri("data", "in/"))),
)


def rows(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 2)).round(4)


@cache
def trained(kind: str) -> Any:
    features = rows(400)
    target = features[:, 0] * 2 + np.sin(features[:, 1])
    words = np.where(target > 1, "=high", np.where(target < -1, "low,er", "mid"))
    return {
        "linear": lambda: LinearRegression().fit(features, target),
        "forest": lambda: RandomForestRegressor(n_estimators=5, random_state=0).fit(features, target),
        "boosting": lambda: HistGradientBoostingRegressor(max_iter=5, random_state=0).fit(features, target),
        "classifier": lambda: LogisticRegression().fit(features, words),
        "booleans": lambda: LogisticRegression().fit(features, target > 0),
        "numbers": lambda: LogisticRegression().fit(features, (target > 0).astype(int)),
    }[kind]()


def csv_of(matrix: np.ndarray, header: str = "id,x,y") -> bytes:
    lines = [header] + [f"r{number},{x},{y}" for number, (x, y) in enumerate(matrix)]
    return ("\n".join(lines) + "\n").encode()


def parquet_of(matrix: np.ndarray, group_rows: int = 100, **more: Any) -> bytes:
    table = pa.table({"x": matrix[:, 0], "y": matrix[:, 1], **more})
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=group_rows)
    return out.getvalue()


class Studio:
    """Objects, a key and the services over them."""

    def __init__(self) -> None:
        self.objects = MemoryObjects()
        self.key = MemoryKey()
        self.meter = MemoryMeter()
        self.floors = MemoryJobs()
        self.models = Models(self.objects, self.key, self.floors)
        self.submitted: list[PredictionRequest] = []

    def place_of(self, uri: str) -> ObjectUri:
        return parse_uri("uri", uri)

    def publish(self, estimator: Any, uri: str = MODEL, form: Any = "skops") -> None:
        artifact = artifact_of(estimator, FEATURES, parse_uri("uri", uri), form, NOW)
        self.place(uri, artifact.content, artifact.manifest)

    def place(self, uri: str, content: bytes, manifest: Manifest, key: MemoryKey | None = None) -> None:
        self.objects.put(uri, content)
        self.objects.put(uri + MANIFEST_SUFFIX, seal(manifest, key or self.key))

    def request(self, **changes: Any) -> PredictionRequest:
        fields = {
            "model_s3_uri": MODEL,
            "data_s3_uri": DATA,
            "output_s3_uri": OUTPUT,
            "prediction_column_name": "price",
            "feature_columns": FEATURES,
        }
        return msgspec.convert({**fields, **changes}, PredictionRequest)

    def service(self, **changes: Any) -> BatchPredictions:
        ports: dict[str, Any] = {
            "objects": self.objects,
            "models": self.models,
            "allowed": ALLOWED,
            "clock": lambda: 0.0,
            "meter": self.meter,
            "workers": 2,
            "single_call_bytes": 1 << 40,
            "submit": self.submit,
            "finished": FinishedWork(self.objects, self.floors, Clock(), self.new_id),
        }
        return BatchPredictions(**{**ports, **changes})

    def new_id(self) -> str:
        return f"call-{len(self.floors.jobs) + 1}"

    def submit(self, request: PredictionRequest) -> str:
        self.submitted.append(request)
        return f"job-{len(self.submitted)}"

    def predict(self, seconds_left: float = 900, **changes: Any) -> Any:
        return self.service().predict(self.request(**changes), lambda: seconds_left)


class Machine:
    """What the state machine does: plan, every part, complete."""

    def __init__(self, studio: Studio, *, part_bytes: int = 300, single_call_bytes: int = 0) -> None:
        self.studio = studio
        self.store = MemoryJobs()
        self.workflow = MemoryWorkflow()
        self.clock = Clock()
        self.step = PredictionStep(job_id="job")
        self.news = MemoryNews()
        told = self.news.about(self.store)
        holder = MemoryHolder(lambda asked: studio.service().respond(asked, lambda: 900.0))
        self.jobs = PredictionJobs(
            studio.objects, self.store, self.workflow, ALLOWED, self.clock, lambda: "job", told, holder
        )
        self.steps = DistributedPredictions(
            studio.objects,
            studio.models,
            self.store,
            ALLOWED,
            "scratch",
            self.clock,
            studio.meter,
            2,
            part_bytes,
            single_call_bytes,
            told,
        )

    def submit(self, **changes: Any) -> PredictionJob:
        return self.jobs.submit(self.studio.request(**changes))

    def plan(self, seconds_left: float = 900) -> Planned:
        return self.steps.plan(self.step, lambda: seconds_left)

    def parts(self) -> list[PredictionPart]:
        self.plan()
        return msgspec.json.decode(
            self.studio.objects.get("s3://scratch/jobs/job/parts.json") or b"", type=list[PredictionPart]
        )

    def score(self, part: PredictionPart, seconds_left: float = 900) -> Done:
        return self.steps.score(part, lambda: seconds_left)

    def complete(self, seconds_left: float = 900) -> Done:
        return self.steps.complete(self.step, lambda: seconds_left)

    def run(self, **changes: Any) -> Done:
        self.submit(**changes)
        for part in reversed(self.parts()):
            self.score(part)
        return self.complete()


def refusal(studio: Studio, seconds_left: float = 900, **changes: Any) -> OmnibusError:
    with pytest.raises(OmnibusError) as refused:
        studio.predict(seconds_left, **changes)
    assert studio.objects.get(changes.get("output_s3_uri", OUTPUT)) is None
    return refused.value
