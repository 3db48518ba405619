"""Scoring a table of 6 numbers and 4 texts, with gaps, by a pipeline: against pandas and polars around the same model.

The usual way is pandas: read_csv, predict, to_csv. polars reads and writes, the same pipeline predicts between. Each in
turn in the same run, from file to file; the predictions are compared.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from msgspec.structs import replace

from benchmarks import measure
from benchmarks.scoring_files import BUCKET, engine, removing, request
from chalicelib.predictions.estimators import LoadedModel, load
from chalicelib.predictions.places import ObjectUri
from chalicelib.predictions.publishing import Artifact, Described, artifact_of

NUMBERS = tuple(f"number_{place}" for place in range(6))
TEXTS = tuple(f"text_{place}" for place in range(4))
WORKERS = os.cpu_count() or 1


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    """Numbers with a tenth missing, and texts of 5 to 40 different values."""
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame({name: chance.normal(size=rows).round(4) for name in NUMBERS})
    frame = frame.mask(chance.random(frame.shape) < 0.1)
    for place, name in enumerate(TEXTS):
        words = np.array([f"value {number} of {name}" for number in range(5 + 11 * place)], object)
        frame[name] = words[chance.integers(len(words), size=rows)]
    return frame


@cache
def trained(kind: str) -> Any:
    """Impute, scale and one-hot, then boosting or a linear model."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    frame = table(10_000, seed=2)
    target = frame["number_0"].fillna(0) * 3 + frame["text_1"].str.len() % 3
    prepared = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), list(NUMBERS)),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), list(TEXTS)),
    )
    if kind == "logistic":
        return make_pipeline(prepared, LogisticRegression(max_iter=300)).fit(frame, target > 1)
    return make_pipeline(prepared, HistGradientBoostingRegressor(random_state=0)).fit(frame, target)


def artifact_for(kind: str) -> Artifact:
    """The pipeline as it would be published."""
    told = Described(sample=pa.Table.from_pandas(table(500, seed=3)))
    return artifact_of(trained(kind), (*NUMBERS, *TEXTS), ObjectUri(BUCKET, kind), None, datetime.now(UTC), told)


def model_of(kind: str) -> LoadedModel:
    """The pipeline as the engine has it, loaded back from its artifact."""
    artifact = artifact_for(kind)
    return load(artifact.manifest, artifact.content)


def by_pandas(estimator: Any, data: Path, output: Path) -> None:
    """The usual way."""
    frame = pd.read_csv(data)
    frame["prediction"] = estimator.predict(frame)
    frame.to_csv(output, index=False)


def by_polars(estimator: Any, data: Path, output: Path) -> None:
    """polars reads and writes; the pipeline takes what it was fitted on, a pandas DataFrame."""
    frame = pl.read_csv(data)
    frame.with_columns(prediction=pl.Series(estimator.predict(frame.to_pandas()))).write_csv(output)


def compare(report: measure.Report, kind: str, rows: int, data: Path) -> None:
    """Measure one pipeline at one size."""
    outputs = {name: data.with_name(f"{name}.csv") for name in ("ours", "pandas", "polars")}
    asked = replace(request(data, outputs["ours"]), feature_columns=(*NUMBERS, *TEXTS))
    estimator, service = trained(kind), engine(model_of(kind), WORKERS)
    cases: dict[str, Callable[[], object]] = {
        "ours": lambda: service.predict(asked, lambda: 900.0),
        "pandas": lambda: by_pandas(estimator, data, outputs["pandas"]),
        "polars": lambda: by_polars(estimator, data, outputs["polars"]),
    }
    rounds, before = 7 if rows <= 100_000 else 3, removing(outputs)
    report.compare(f"{kind}, {rows:,} rows", cases, ours="ours", rounds=rounds, before=before)
    ours, theirs = (pd.read_csv(outputs[it])["prediction"] for it in ("ours", "pandas"))
    if not np.allclose(ours.astype(float), theirs.astype(float), rtol=1e-12):
        raise ValueError(f"{kind}: the predictions differ")


def main() -> None:
    """Measure each pipeline at each size."""
    options = measure.arguments(__doc__, sizes=[100_000, 1_000_000])
    report = measure.Report("predict_pipelines")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for rows in options.sizes:
            data = folder / f"{rows}.csv"
            table(rows).to_csv(data, index=False)
            for kind in ("boosting", "logistic"):
                compare(report, kind, rows, data)
    report.show(options.json)


if __name__ == "__main__":
    main()
