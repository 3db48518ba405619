"""Peak memory of `process_flights`, libraries included: a gzipped snapshot becomes Parquet, and its compact index.

The target is 400 MiB for a million rows, in a function of 1024 MB, and no more for two million. The floor is the same
process with a snapshot of one row: Python and its libraries. The whole of `Processing` runs; folders stand for S3 and
the tables are in memory, so the AWS SDK is not in the figure.
"""

import gzip
import sys
import tempfile
from pathlib import Path
from typing import IO, BinaryIO

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import measure, traffic
from chalicelib.flights import keys
from chalicelib.flights.convert import SnapshotLimits
from chalicelib.flights.process import Processing
from chalicelib.flights.troubles import Troubles
from tests.fakes.clock import Clock
from tests.fakes.flights import FakeAlerts, FakeBucket, FakeEmit, FakeGuard, FakeRuns

SIZES = [1, 12_000, 1_000_000, 2_000_000]


class FolderBucket(FakeBucket):
    """A bucket whose objects are files, so that they are not in the process's memory."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def open(self, key: str) -> BinaryIO:
        return (self._folder / key.replace("/", "_")).open("rb")

    def write(self, key: str, body: IO[bytes] | bytes, content_type: str) -> None:
        with (self._folder / key.replace("/", "_")).open("wb") as file:
            if isinstance(body, bytes):
                file.write(body)
            else:
                while piece := body.read(1 << 20):
                    file.write(piece)


def process(folder: str) -> None:
    """What the measured process does."""
    runs, clock = FakeRuns(), Clock()
    processing = Processing(
        bucket=FolderBucket(Path(folder)),
        runs=runs,
        troubles=Troubles(runs=runs, notices=FakeGuard(clock), alerts=FakeAlerts(), clock=clock),
        emit=FakeEmit(),
        limits=SnapshotLimits(),
        clock=clock,
    )
    processing.process(keys.raw_key(traffic.SNAPSHOT_TIME))


def main() -> None:
    arguments = measure.arguments(__doc__, SIZES)
    report = measure.Report("process_memory")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, keys.raw_key(traffic.SNAPSHOT_TIME).replace("/", "_"))
        for size in arguments.sizes:
            source.write_bytes(gzip.compress(traffic.snapshot(size), compresslevel=1))
            report.peak(f"{size} rows", measure.peak_mib("benchmarks.process_memory:process", folder))
    report.show(arguments.json)


if __name__ == "__main__":
    main()
