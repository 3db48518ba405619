"""Peak memory of the conversion that `process_flights` runs, libraries included: gzip in a file, Parquet to a file.

The target is 400 MiB for a million rows, in a function of 1024 MB, and no more for two million. The floor is the same
process with a snapshot of one row: Python and its libraries.
"""

import gzip
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import measure, traffic
from chalicelib.flights.convert import convert

SIZES = [1, 12_000, 1_000_000, 2_000_000]


def convert_file(source: str, target: str) -> None:
    with open(source, "rb") as snapshot, open(target, "wb") as parquet:
        convert(snapshot, parquet)


def main() -> None:
    arguments = measure.arguments(__doc__, SIZES)
    report = measure.Report("process_memory")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "states.json.gz"), Path(folder, "states.parquet")
        for size in arguments.sizes:
            source.write_bytes(gzip.compress(traffic.snapshot(size), compresslevel=1))
            report.peak(
                f"{size} rows", measure.peak_mib("benchmarks.process_memory:convert_file", str(source), str(target))
            )
    report.show(arguments.json)


if __name__ == "__main__":
    main()
