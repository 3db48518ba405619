"""Peak memory of scoring a CSV file, libraries loaded: it does not grow with the file.

Each file is made on the fly, a stretch at a time, and scored by a fresh process, from file to file: numbers by three
kinds of model, numbers and texts with gaps by two pipelines.
"""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec

from benchmarks import measure, predict_pipelines
from benchmarks.scoring_files import ROWS_AT_ONCE, artifact_for, engine, request, write_table
from chalicelib.predictions.estimators import load
from chalicelib.predictions.trust import Manifest

KINDS = ("linear", "boosting", "forest")
PIPELINES = ("typed boosting", "typed logistic")


def save(kind: str, folder: Path) -> Path:
    """The artifact of a trained model as a file, its manifest beside it."""
    typed, last = kind in PIPELINES, kind.removeprefix("typed ")
    artifact = predict_pipelines.artifact_for(last) if typed else artifact_for(kind)
    path = folder / f"{kind}.model"
    path.write_bytes(artifact.content)
    path.with_suffix(".json").write_bytes(msgspec.json.encode(artifact.manifest))
    return path


def write_typed_table(path: Path, rows: int) -> Path:
    """A CSV file of numbers and texts, made a stretch at a time."""
    for start in range(0, rows, ROWS_AT_ONCE):
        stretch = predict_pipelines.table(min(ROWS_AT_ONCE, rows - start), seed=start)
        stretch.to_csv(path, index=False, header=start == 0, mode="a" if start else "w")
    return path


def score(artifact: str, data: str, workers: str) -> None:
    """Score one file with a saved model; what a fresh process does."""
    manifest = msgspec.json.decode(Path(artifact).with_suffix(".json").read_bytes(), type=Manifest)
    model = load(manifest, Path(artifact).read_bytes())
    output = Path(data).with_suffix(".scored.csv")
    asked = msgspec.structs.replace(request(Path(data), output), feature_columns=manifest.names)
    engine(model, int(workers)).predict(asked, lambda: 900.0)
    output.unlink()


def main() -> None:
    """Measure each size, with the workers of this machine."""
    options = measure.arguments(__doc__, sizes=[1_000_000, 10_000_000])
    report = measure.Report("predict_memory")
    workers = str(os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as folder:
        for write, kinds in ((write_table, KINDS), (write_typed_table, PIPELINES)):
            artifacts = {kind: save(kind, Path(folder)) for kind in kinds}
            for rows in options.sizes:
                data = write(Path(folder) / "rows.csv", rows)
                for kind in kinds:
                    peak = measure.peak_mib("benchmarks.predict_memory:score", str(artifacts[kind]), str(data), workers)
                    report.peak(f"{kind}, {rows:,} rows", peak)
                data.unlink()
    for kind in (*KINDS, *PIPELINES):
        small, *_, large = (report.peaks[f"{kind}, {rows:,} rows"] for rows in (options.sizes[0], options.sizes[-1]))
        report.ratios[f"{kind}: largest over smallest"] = round(large / small, 3)
    report.show(options.json)


if __name__ == "__main__":
    main()
