"""Peak memory of scoring a CSV file, libraries loaded: it does not grow with the file.

Each file is made on the fly, a stretch at a time, and scored by a fresh process, from file to file.
"""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import measure
from benchmarks.scoring_files import engine, model_of, request, write_table

KINDS = ("linear", "boosting", "forest")


def score(kind: str, data: str, workers: str) -> None:
    """Score one file with a model that is loaded from its artifact; what a fresh process does."""
    output = Path(data + ".scored")
    engine(model_of(kind), int(workers)).predict(request(Path(data), output), lambda: 900.0)
    output.unlink()


def main() -> None:
    """Measure each size, with the workers of this machine; at the largest, the linear model alone."""
    options = measure.arguments(__doc__, sizes=[1_000_000, 10_000_000])
    report = measure.Report("predict_memory")
    workers = str(os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as folder:
        for rows in options.sizes:
            data = write_table(Path(folder) / "rows.csv", rows)
            for kind in KINDS if rows <= 1_000_000 else KINDS[:2]:
                peak = measure.peak_mib("benchmarks.predict_memory:score", kind, str(data), workers)
                report.peak(f"{kind}, {rows:,} rows", peak)
            data.unlink()
    for kind in KINDS[:2]:
        small, *_, large = (report.peaks[f"{kind}, {rows:,} rows"] for rows in (options.sizes[0], options.sizes[-1]))
        report.ratios[f"{kind}: largest over smallest"] = round(large / small, 3)
    report.show(options.json)


if __name__ == "__main__":
    main()
