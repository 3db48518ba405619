"""Files in the place of S3, and the tables and models that the predictions' benchmarks share."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from chalicelib.predictions.batch import BatchPredictions
from chalicelib.predictions.estimators import LoadedModel, load
from chalicelib.predictions.models import PredictionRequest
from chalicelib.predictions.places import AllowList, AllowLists, ObjectUri
from chalicelib.predictions.ports import Chunk, Pinned, Written
from chalicelib.predictions.publishing import Artifact, artifact_of

BUCKET = "files"
FEATURES = tuple(f"feature_{number}" for number in range(10))
ANYWHERE = (ObjectUri(BUCKET, ""),)
ROWS_AT_ONCE = 100_000


class FileOutput:
    """A file being written."""

    def __init__(self, uri: ObjectUri, file: FileIO) -> None:
        self._uri = uri
        self._file = file

    def write(self, data: Chunk) -> int:
        """Add bytes."""
        return self._file.write(data) or 0

    def written(self) -> Written:
        """What was written."""
        return Written(self._uri, os.path.getsize(self._uri.key), "")


@dataclass(frozen=True)
class FileObjects:
    """`ports.Objects` over files, their paths as keys.

    `in_place` writes over the file that is there: no time goes into the memory that a new file takes up, which S3 would
    not ask of the machine.
    """

    in_place: bool = False

    def pin(self, uri: ObjectUri) -> Pinned:
        """The file as it is."""
        return Pinned(uri, os.path.getsize(uri.key), "")

    def read(self, pinned: Pinned, start: int, stop: int) -> bytes:
        """Bytes [start, stop)."""
        with open(pinned.uri.key, "rb") as file:
            file.seek(start)
            return file.read(stop - start)

    @contextmanager
    def create(
        self, uri: ObjectUri, *, overwrite: bool, expected_bytes: int = 0, mark: str | None = None
    ) -> Iterator[FileOutput]:
        """Write a file."""
        with FileIO(uri.key, "r+" if self.in_place else "w") as file:
            yield FileOutput(uri, file)
            file.truncate()

    def join(
        self,
        sources: Sequence[ObjectUri],
        uri: ObjectUri,
        *,
        overwrite: bool,
        mark: str | None,
        between: Callable[[], None],
    ) -> Written:
        """No single call asks for it."""
        raise NotImplementedError


class OneModel:
    """In the place of `Models`: always the same one."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model

    def open(self, uri: ObjectUri, request: PredictionRequest) -> LoadedModel:
        """The model."""
        return self._model


class NoMeter:
    """Counts nothing; the benchmarks measure from outside."""

    def peak_mib(self) -> float:
        """Not asked here."""
        return 0.0

    def scored(self, rows: int, seconds: float) -> None:
        """Not counted here."""


def removing(outputs: Mapping[str, Path]) -> Callable[[str], None]:
    """What removes a case's earlier output: each run writes a new file, as to S3; to empty an old one takes a while."""
    return lambda case: outputs[case].unlink(missing_ok=True)


def numbers(rows: int, seed: int = 0) -> Any:
    """Rows of ten standard normal features."""
    return np.random.default_rng(seed).normal(size=(rows, len(FEATURES)))


def target(matrix: Any) -> Any:
    """Something that is worth learning: linear, with a bend and noise."""
    noise = np.random.default_rng(1).normal(scale=0.1, size=len(matrix))
    return matrix @ np.linspace(-1, 1, len(FEATURES)) + np.sin(3 * matrix[:, 0]) + noise


@cache
def trained(kind: str) -> Any:
    """A fitted linear model, forest of 100 trees of about 2,600 nodes, or histogram gradient boosting."""
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
    from sklearn.linear_model import LinearRegression

    matrix = numbers(10_000, seed=2)
    estimator = {
        "linear": LinearRegression(),
        "forest": RandomForestRegressor(n_estimators=100, min_samples_leaf=5, random_state=0, n_jobs=-1),
        "boosting": HistGradientBoostingRegressor(random_state=0),
    }[kind]
    return estimator.fit(matrix, target(matrix))


def write_table(path: Path, rows: int) -> Path:
    """A CSV file of `rows` rows, made a stretch at a time."""
    from pyarrow import RecordBatch, csv, schema
    from pyarrow import float64 as real

    fields = schema([(name, real()) for name in FEATURES])
    with csv.CSVWriter(path, fields, write_options=csv.WriteOptions(quoting_style="none")) as writer:
        for start in range(0, rows, ROWS_AT_ONCE):
            stretch = numbers(min(ROWS_AT_ONCE, rows - start), seed=start)
            writer.write_batch(RecordBatch.from_arrays(list(stretch.T), schema=fields))
    return path


def artifact_for(kind: str) -> Artifact:
    """The trained model as it would be published."""
    return artifact_of(trained(kind), FEATURES, ObjectUri(BUCKET, f"{kind}.skops"), "skops", datetime.now(UTC))


def model_of(kind: str) -> LoadedModel:
    """The trained model as the engine has it, loaded back from its artifact."""
    artifact = artifact_for(kind)
    return load(artifact.manifest, artifact.content)


def engine(
    model: LoadedModel, workers: int, *, in_place: bool = False, objects: FileObjects | None = None
) -> BatchPredictions:
    """The single call over files, the output a new one or written over `in_place`."""
    places = AllowList("anything", ANYWHERE)
    return BatchPredictions(
        objects=objects or FileObjects(in_place),
        models=OneModel(model),  # type: ignore[arg-type]  # all that a call asks for is `open`
        allowed=AllowLists(places, places, places),
        clock=lambda: 0.0,
        meter=NoMeter(),
        workers=workers,
        single_call_bytes=1 << 50,
    )


def request(data: Path, output: Path) -> PredictionRequest:
    """Score one file into another."""
    return PredictionRequest(
        model_s3_uri=f"s3://{BUCKET}/model.skops",
        data_s3_uri=f"s3://{BUCKET}/{data}",
        output_s3_uri=f"s3://{BUCKET}/{output}",
        prediction_column_name="prediction",
        feature_columns=FEATURES,
        overwrite=True,
    )
