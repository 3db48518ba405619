"""The history: what a track scans before and after compaction, and what compacting an hour costs.

Each snapshot has 10,000 aircraft, twelve snapshots an hour: the recording, as often as that takes, each time from
another moment on, elsewhere and with other addresses. Bytes scanned are those of the column chunks that a reader of
Parquet must read: of every row group whose statistics do not exclude the aircraft, and of the footers. Peers: the same
query on one Parquet for each snapshot and on the raw JSON, all by DuckDB; and the same sorted hour written by DuckDB,
from the same files with the same compression: on all processors, and on one, which is what the function has. The sizes
are hours; 72 are 864 snapshots and 8.6 million rows, and take some two minutes and 1.5 GB of temporary files.
"""

import gzip
import io
import os
import sys
import tempfile
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import duckdb
import msgspec
import pyarrow.parquet as pq

from benchmarks import measure
from chalicelib.flights import keys
from chalicelib.flights.compaction import ROWS_A_GROUP, ZSTD_LEVEL, Compaction
from chalicelib.flights.convert import convert
from chalicelib.flights.models import CompactionOrder
from local.opensky.recording import load_recording
from tests.fakes.clock import Clock
from tests.fakes.flights import FakeBucket, FakeEmit, FakeRuns
from tests.unit.flights.traffic import ICAO24, LATITUDE, LONGITUDE, TIME, Vectors

HOURS = [72]
ROWS = 10_000
SNAPSHOTS = 12
START = TIME - TIME % 86_400
WANTED = (
    "icao24", "time_position", "latitude", "longitude", "baro_altitude_ft", "velocity_kt", "true_track",
    "vertical_rate_fpm", "on_ground", "callsign", "snapshot_s",
)  # fmt: skip


def snapshots(hours: int) -> Iterable[tuple[int, Vectors]]:
    """Times and vectors."""
    recording = load_recording()
    for number in range(SNAPSHOTS * hours):
        time = START + 300 * number
        vectors: dict[str, list[Any]] = {}
        for copy in count():
            for vector in recording.at(300 * number + 37 * copy).moved_to(time).vectors:
                vector[ICAO24] = f"{(int(vector[ICAO24], 16) + 79_193 * copy) % (1 << 24):06x}"
                if vector[LONGITUDE] is not None:
                    vector[LONGITUDE] = round(vector[LONGITUDE] + copy % 37 - 18, 4)
                    vector[LATITUDE] = round(vector[LATITUDE] + copy % 23 - 12, 4)
                vectors[vector[ICAO24]] = vector
            if len(vectors) >= ROWS:
                break
        yield time, list(vectors.values())[:ROWS]


class _Bucket(FakeBucket):
    """As S3 does, it knows an object's entity tag without reading it."""

    def _etag(self, key: str) -> str:
        return str(hash(self.objects[key]))


def compact(bucket: FakeBucket) -> None:
    """Compact everything that is in the bucket's inbox."""
    clock = Clock()
    compaction = Compaction(archive=bucket, history=FakeRuns(), emit=FakeEmit(), clock=clock)
    compaction.run(CompactionOrder(), lambda: 1e9)


def compacted(bucket: FakeBucket) -> bytes:
    """The one hour of the bucket's inbox, compacted from a copy."""
    copy = _Bucket()
    copy.objects = dict(bucket.objects)
    compact(copy)
    (body,) = (body for key, body in copy.objects.items() if key.startswith(keys.HISTORY))
    return body


def compact_hour(folder: str) -> None:
    """What the measured process does."""
    bucket = _Bucket()
    for path in sorted(Path(folder).glob("*.parquet")):
        bucket.objects[keys.processed_key(int(path.stem))] = path.read_bytes()
    compact(bucket)


def scanned(bodies: Iterable[bytes], address: str) -> int:
    """The bytes that a reader of one aircraft's track must read."""
    total = 0
    for body in bodies:
        metadata = pq.read_metadata(io.BytesIO(body))
        total += metadata.serialized_size
        places = {metadata.schema.column(n).path: n for n in range(metadata.num_columns)}
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            bounds = group.column(places["icao24"]).statistics
            if bounds is None or bounds.min <= address <= bounds.max:
                total += sum(group.column(places[name]).total_compressed_size for name in WANTED)
    return total


def main() -> None:
    arguments = measure.arguments(__doc__, HOURS)
    report = measure.Report("history")
    for hours in arguments.sizes:
        with tempfile.TemporaryDirectory() as folder:
            run(report, hours, Path(folder))
    report.show(arguments.json)


def run(report: measure.Report, hours: int, folder: Path) -> None:
    bucket = _Bucket()
    for kind in ("raw", "snapshots", "hours", "hour"):
        (folder / kind).mkdir()
    address = ""  # what is asked for: an aircraft of the first snapshot
    for time, vectors in snapshots(hours):
        raw = msgspec.json.encode({"time": time, "states": vectors})
        address = address or str(vectors[0][0])
        (folder / "raw" / f"{time}.json.gz").write_bytes(gzip.compress(raw, 1))
        parquet = io.BytesIO()
        convert(io.BytesIO(raw), parquet)
        bucket.objects[keys.processed_key(time)] = parquet.getvalue()
        (folder / "snapshots" / f"{time}.parquet").write_bytes(parquet.getvalue())
    one = _Bucket()
    first = [keys.processed_key(START + 300 * number) for number in range(SNAPSHOTS)]
    one.objects = {key: bucket.objects[key] for key in first}
    for key in first:
        (folder / "hour" / f"{keys.snapshot_time_of(key)}.parquet").write_bytes(one.objects[key])
    before = dict(bucket.objects)
    compact(bucket)
    after = {key: body for key, body in bucket.objects.items() if key.startswith(keys.HISTORY)}
    for number, body in enumerate(after.values()):
        (folder / "hours" / f"{number}.parquet").write_bytes(body)
    label = f"{hours} h"
    report.ratios[f"{label}: bytes that a track scans, snapshots over hours"] = round(
        scanned(before.values(), address) / scanned(after.values(), address), 2
    )
    rows = sum(pq.read_metadata(io.BytesIO(body)).num_rows for body in after.values())
    report.ratios[f"{label}: bytes of a row, compacted"] = round(sum(map(len, after.values())) / rows, 1)
    track = f"SELECT {', '.join(WANTED)} FROM read_parquet('{folder}/{{}}/*.parquet') WHERE icao24 = '{address}'"
    states = (
        f"SELECT s FROM (SELECT unnest(states) s FROM read_json('{folder}/raw/*.gz', columns = "
        f"{{'time': 'BIGINT', 'states': 'JSON[]'}}, maximum_object_size = 100000000)) WHERE s->>0 = '{address}'"
    )
    report.compare(
        f"{label}: a track",
        {
            "hours": lambda: duckdb.execute(track.format("hours")).fetchall(),
            "one Parquet a snapshot": lambda: duckdb.execute(track.format("snapshots")).fetchall(),
            "raw JSON": lambda: duckdb.execute(states).fetchall(),
        },
        ours="hours",
        rounds=3 if hours < 24 else 1,
    )

    def ours() -> None:
        compacted(one)

    def peer() -> None:
        duckdb.sql(
            f"COPY (SELECT * FROM read_parquet('{folder}/hour/*.parquet') ORDER BY icao24, snapshot_s) "
            f"TO '{folder}/peer.parquet' "
            f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {ZSTD_LEVEL}, ROW_GROUP_SIZE {ROWS_A_GROUP})"
        )

    peer()
    written = f"SELECT * FROM '{folder}/{{}}.parquet'"
    (folder / "ours.parquet").write_bytes(compacted(one))
    for first_rows, other_rows in (("ours", "peer"), ("peer", "ours")):
        left = duckdb.execute(f"{written.format(first_rows)} EXCEPT ALL {written.format(other_rows)}").fetchall()
        assert not left, f"{len(left)} rows are only in {first_rows}"
    cases = {"compaction": ours, "DuckDB": peer}
    report.compare(f"{SNAPSHOTS} x {ROWS} rows: an hour", cases, ours="compaction", rounds=7)
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    duckdb.execute("SET threads = 1")
    report.compare(f"{SNAPSHOTS} x {ROWS} rows: an hour, one processor", cases, ours="compaction", rounds=7)
    os.sched_setaffinity(0, processors)
    duckdb.execute("RESET threads")
    report.peak("an hour compacted", measure.peak_mib("benchmarks.history:compact_hour", str(folder / "hour")))


if __name__ == "__main__":
    main()
