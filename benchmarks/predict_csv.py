"""Scoring a CSV file against pandas, polars and DuckDB around the same model; and the share of `predict` itself.

The usual way is pandas: read_csv, predict, to_csv. polars and DuckDB read and write, the same model predicts between.
"predict alone" is scikit-learn's `predict` on the whole matrix in memory; the share is its time over the whole
engine's, from file to file, both with as many threads as there are processors, both in turn in the same run. A share
above 1 means that reading, predicting and writing together take less time than `predict` alone.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import duckdb
import numpy as np
import pandas as pd
import polars as pl

from benchmarks import measure
from benchmarks.scoring_files import FEATURES, engine, model_of, removing, request, trained, write_table
from chalicelib.predictions.estimators import LoadedModel

KINDS = ("linear", "boosting", "forest")
WORKERS = os.cpu_count() or 1


def by_pandas(estimator: Any, data: Path, output: Path) -> None:
    """The usual way."""
    frame = pd.read_csv(data)
    frame["prediction"] = estimator.predict(frame.to_numpy())
    frame.to_csv(output, index=False)


def by_polars(estimator: Any, data: Path, output: Path) -> None:
    """polars reads and writes."""
    frame = pl.read_csv(data)
    frame.with_columns(prediction=pl.Series(estimator.predict(frame.to_numpy()))).write_csv(output)


def by_duckdb(estimator: Any, data: Path, output: Path) -> None:
    """DuckDB reads and writes."""
    with duckdb.connect() as connection:
        columns = connection.execute(f"SELECT * FROM read_csv('{data}')").fetchnumpy()
        columns["prediction"] = estimator.predict(np.column_stack([columns[name] for name in FEATURES]))
        connection.register("scored", pd.DataFrame(columns, copy=False))
        connection.execute(f"COPY scored TO '{output}' (HEADER)")


def same(one: Path, other: Path) -> None:
    """ValueError unless two outputs have the same predictions, to the last bits of a linear model."""
    ours, theirs = (pd.read_csv(path, usecols=["prediction"])["prediction"].to_numpy() for path in (one, other))
    if ours.shape != theirs.shape or not np.allclose(ours, theirs, rtol=1e-12, atol=1e-12):
        raise ValueError(f"{one} and {other} differ")


def compare(report: measure.Report, kind: str, rows: int, folder: Path) -> None:
    """Measure one kind of model at one size."""
    label, data = f"{kind}, {rows:,} rows", folder / f"{rows}.csv"
    estimator, model = trained(kind), model_of(kind)
    service = engine(model, WORKERS)
    outputs = {name: folder / f"{name}.csv" for name in ("ours", "pandas", "polars", "DuckDB")}
    cases: dict[str, Callable[[], object]] = {
        "ours": lambda: service.predict(request(data, outputs["ours"]), lambda: 900.0),
        "pandas": lambda: by_pandas(estimator, data, outputs["pandas"]),
        "polars": lambda: by_polars(estimator, data, outputs["polars"]),
        "DuckDB": lambda: by_duckdb(estimator, data, outputs["DuckDB"]),
    }
    rounds, before = 9 if rows <= 100_000 else 3, removing(outputs)
    medians = report.compare(label, cases, ours="ours", rounds=rounds, before=before)
    report.ratios[f"{label}: thousand rows a second, ours"] = round(rows / medians["ours"])
    same(outputs["ours"], outputs["pandas"])
    share_of_predict(report, label, estimator, model, data)


def share_of_predict(report: measure.Report, label: str, estimator: Any, model: LoadedModel, data: Path) -> None:
    """scikit-learn's `predict` alone over the whole engine; both on every processor, by stretches of rows.

    Each by its fastest of five runs: what a neighbour takes from one run of a pair says nothing about the engine. The
    output is written over in place, since a new file costs the machine up to 5 %, and S3 does not.
    """
    matrix = pd.read_csv(data).to_numpy()
    stretches = np.array_split(matrix, max(WORKERS, -(-len(matrix) // 100_000)))
    output = data.with_suffix(".scored.csv")
    output.touch()
    service = engine(model, WORKERS, in_place=True)
    serial = copy(estimator)
    if "n_jobs" in serial.get_params():
        serial.set_params(n_jobs=1)

    def alone() -> None:
        with ThreadPoolExecutor(WORKERS, initializer=model.one_thread_each) as pool:
            list(pool.map(serial.predict, stretches))

    pairs = []
    for _ in range(5):
        pairs.append((timed(alone), timed(lambda: service.predict(request(data, output), lambda: 900.0))))
    output.unlink()
    predict, everything = (min(times) for times in zip(*pairs, strict=True))
    report.medians[f"{label}: predict alone"] = round(1000 * predict, 1)
    report.ratios[f"{label}: share of predict"] = round(predict / everything, 3)


def timed(case: Callable[[], object]) -> float:
    """Its time in seconds."""
    started = time.perf_counter()
    case()
    return time.perf_counter() - started


def main() -> None:
    """Measure each kind of model at each size."""
    options = measure.arguments(__doc__, sizes=[100_000, 1_000_000])
    report = measure.Report("predict_csv")
    with tempfile.TemporaryDirectory() as folder:
        for rows in options.sizes:
            write_table(Path(folder) / f"{rows}.csv", rows)
            for kind in KINDS:
                compare(report, kind, rows, Path(folder))
    report.show(options.json)


if __name__ == "__main__":
    main()
