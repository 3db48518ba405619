"""Peak memory of scoring a CSV file, libraries loaded: it does not grow with the file.

Each file is made on the fly, a stretch at a time, and scored by a fresh process, from file to file.
"""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec

from benchmarks import measure
from benchmarks.scoring_files import artifact_for, engine, request, write_table
from chalicelib.predictions.estimators import load
from chalicelib.predictions.trust import Manifest

KINDS = ("linear", "boosting", "forest")


def save(kind: str, folder: Path) -> Path:
    """The artifact of a trained model as a file, its manifest beside it."""
    artifact = artifact_for(kind)
    path = folder / f"{kind}.skops"
    path.write_bytes(artifact.content)
    path.with_suffix(".json").write_bytes(msgspec.json.encode(artifact.manifest))
    return path


def score(artifact: str, data: str, workers: str) -> None:
    """Score one file with a saved model; what a fresh process does."""
    manifest = msgspec.json.decode(Path(artifact).with_suffix(".json").read_bytes(), type=Manifest)
    model = load(manifest, Path(artifact).read_bytes())
    output = Path(data).with_suffix(".scored.csv")
    engine(model, int(workers)).predict(request(Path(data), output), lambda: 900.0)
    output.unlink()


def main() -> None:
    """Measure each size, with the workers of this machine."""
    options = measure.arguments(__doc__, sizes=[1_000_000, 10_000_000])
    report = measure.Report("predict_memory")
    workers = str(os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as folder:
        artifacts = {kind: save(kind, Path(folder)) for kind in KINDS}
        for rows in options.sizes:
            data = write_table(Path(folder) / "rows.csv", rows)
            for kind in KINDS:
                peak = measure.peak_mib("benchmarks.predict_memory:score", str(artifacts[kind]), str(data), workers)
                report.peak(f"{kind}, {rows:,} rows", peak)
            data.unlink()
    for kind in KINDS:
        small, *_, large = (report.peaks[f"{kind}, {rows:,} rows"] for rows in (options.sizes[0], options.sizes[-1]))
        report.ratios[f"{kind}: largest over smallest"] = round(large / small, 3)
    report.show(options.json)


if __name__ == "__main__":
    main()
