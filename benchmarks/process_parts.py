"""One `process_flights` invocation end to end, by part, and the share that is ours.

Processing runs in this process against the S3 and the DynamoDB of a local cloud of its own, on a bucket that starts no
function. Parts: parse, derive and write (the conversion), the index, S3 with its streams, tracking, and the rest (the
handler's own lines). Ours is all but S3 and tracking, which answer later in AWS than on one machine. Sizes are rows.
"""

import gzip
import io
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, BinaryIO

sys.path.insert(0, str(Path(__file__).parents[1]))
from pyarrow import parquet

from benchmarks import measure, traffic
from chalicelib.adapters.buckets import S3Bucket
from chalicelib.adapters.flights.runs import FlightRuns
from chalicelib.flights import derivation, index, keys, states_csv, states_json
from chalicelib.flights.convert import SnapshotLimits
from chalicelib.flights.process import Processing
from chalicelib.flights.troubles import Troubles
from local.cloud import Cloud
from tests.fakes.clock import Clock
from tests.fakes.flights import FakeAlerts, FakeEmit, FakeGuard

ROWS = [10_000]
ROUNDS = 11
BUCKET = "process-parts"
OTHERS = ("S3", "tracking")


class Watch:
    """Adds up the time of each part; what runs inside another part counts for the inner one."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = defaultdict(float)
        self._open: list[float] = []

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        self._open.append(0.0)
        try:
            yield
        finally:
            took = time.perf_counter() - started
            self.ms[name] += 1000 * (took - self._open.pop())
            if self._open:
                self._open[-1] += took

    def watched(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            with self.part(name):
                return work(*arguments, **named)

        return timed


class Watched:
    """An adapter each of whose calls counts for one part."""

    def __init__(self, watch: Watch, part: str, inner: Any) -> None:
        self._watch, self._part, self._inner = watch, part, inner

    def __getattr__(self, name: str) -> Any:
        return self._watch.watched(self._part, getattr(self._inner, name))

    def open(self, key: str) -> BinaryIO:
        """Reads S3 whole, so that waiting for its stream counts for it."""
        with self._watch.part(self._part), self._inner.open(key) as stream:
            return io.BytesIO(stream.read())


def invoke(cloud: Cloud, watch: Watch, snapshot_time: int) -> None:
    """One invocation's work."""
    clock = Clock()
    runs = FlightRuns(cloud.client("dynamodb"), cloud.tables["flights-runs"])
    bucket: Any = Watched(watch, "S3", S3Bucket(cloud.client("s3"), BUCKET, "the bucket"))
    book: Any = Watched(watch, "tracking", runs)
    processing = Processing(
        bucket=bucket,
        runs=book,
        troubles=Troubles(runs=runs, notices=FakeGuard(clock), alerts=FakeAlerts(), clock=clock),
        emit=FakeEmit(),
        limits=SnapshotLimits(),
        clock=clock,
    )
    with watch.part("rest"):
        processing.process(keys.raw_key(snapshot_time), again=True)


def run(report: measure.Report, cloud: Cloud, rows: int) -> None:
    raw, at = gzip.compress(traffic.snapshot(rows)), traffic.SNAPSHOT_TIME
    cloud.client("s3").put_object(Bucket=BUCKET, Key=keys.raw_key(at), Body=raw)
    rounds = []
    for _ in range(ROUNDS + 1):
        watch = Watch()
        with ExitStack() as stack:
            for owner, name, part in (
                (states_csv, "parse_csv", "parse"),
                (states_json, "parse_json", "parse"),
                (derivation, "complete", "derive"),
                (parquet.ParquetWriter, "write_batch", "write"),
                (parquet.ParquetWriter, "close", "write"),
                (index, "add_rows", "index"),
            ):
                work = getattr(owner, name)
                stack.callback(setattr, owner, name, work)
                setattr(owner, name, watch.watched(part, work))
            invoke(cloud, watch, at)
        rounds.append(dict(watch.ms))
    found = {part: median(each.get(part, 0.0) for each in rounds[1:]) for part in rounds[-1]}
    for part, ms in found.items():
        report.medians[f"{rows}: {part}"] = round(ms, 1)
    ours = sum(ms for part, ms in found.items() if part not in OTHERS)
    report.medians[f"{rows}: an invocation"] = round(sum(found.values()), 1)
    report.ratios[f"{rows}: the share that is ours"] = round(ours / sum(found.values()), 3)


def main() -> None:
    arguments = measure.arguments(__doc__, ROWS)
    report = measure.Report("process_parts")
    with measure.local_cloud() as cloud:
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        for rows in arguments.sizes:
            run(report, cloud, rows)
    report.show(arguments.json)


if __name__ == "__main__":
    main()
