"""The history: what a track scans before and after compaction, and what compacting an hour costs.

Each snapshot has 10,000 aircraft, half of which fly on from one to the next, twelve an hour. Bytes scanned are those of
the column chunks that a reader of Parquet must read: of every row group whose statistics do not exclude the aircraft,
and of the footers. Peers: the same query on one Parquet for each snapshot and on the raw JSON, all by DuckDB; and the
same sorted hour written by DuckDB. The sizes are hours.
"""

import gzip
import io
import random
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import duckdb
import msgspec
import pyarrow.parquet as pq

from benchmarks import measure
from chalicelib.flights import keys
from chalicelib.flights.compaction import Compaction
from chalicelib.flights.convert import convert
from chalicelib.flights.models import CompactionOrder
from tests.fakes.clock import Clock
from tests.fakes.flights import FakeBucket, FakeEmit, FakeRuns
from tests.unit.flights.traffic import LAST_CONTACT, LATITUDE, LONGITUDE, TIME, TIME_POSITION, Vectors, traffic

HOURS = [12]
ROWS = 10_000
SNAPSHOTS = 12
START = TIME - TIME % 86_400
WANTED = (
    "icao24", "time_position", "latitude", "longitude", "baro_altitude_ft", "velocity_kt", "true_track",
    "vertical_rate_fpm", "on_ground", "callsign", "snapshot_s",
)  # fmt: skip


def snapshots(hours: int) -> Iterable[tuple[int, Vectors]]:
    """Times and vectors: aircraft move, and a twelfth of them is replaced at each step."""
    draw = random.Random(5)
    vectors = traffic(ROWS, 5, time=START)
    for number in range(SNAPSHOTS * hours):
        time = START + 300 * number
        fresh = traffic(ROWS // 12, 100 + number, time=time)
        vectors[draw.randrange(11) * len(fresh) :][: len(fresh)] = []
        vectors = [*vectors[: ROWS - len(fresh)], *fresh]
        for vector in vectors:
            age = vector[LAST_CONTACT] - (vector[TIME_POSITION] or vector[LAST_CONTACT])
            vector[LAST_CONTACT] = time - draw.randrange(8)
            if vector[TIME_POSITION] is not None:
                vector[TIME_POSITION] = vector[LAST_CONTACT] - age
                vector[LONGITUDE] = round((vector[LONGITUDE] + draw.uniform(-0.4, 0.4) + 180) % 360 - 180, 4)
                vector[LATITUDE] = round(min(85.0, max(-85.0, vector[LATITUDE] + draw.uniform(-0.4, 0.4))), 4)
        draw.shuffle(vectors)
        yield time, vectors


def compact(bucket: FakeBucket) -> None:
    """Compact everything that is in the bucket's inbox."""
    clock = Clock()
    compaction = Compaction(archive=bucket, history=FakeRuns(), emit=FakeEmit(), clock=clock)
    compaction.run(CompactionOrder(), lambda: 1e9)


def compact_hour(folder: str) -> None:
    """What the measured process does."""
    bucket = FakeBucket()
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
    bucket = FakeBucket()
    for kind in ("raw", "snapshots", "hours", "hour"):
        (folder / kind).mkdir()
    address = ""
    for time, vectors in snapshots(hours):
        raw = msgspec.json.encode({"time": time, "states": vectors})
        address = address or str(vectors[0][0])
        (folder / "raw" / f"{time}.json.gz").write_bytes(gzip.compress(raw, 1))
        parquet = io.BytesIO()
        convert(io.BytesIO(raw), parquet)
        bucket.objects[keys.processed_key(time)] = parquet.getvalue()
        (folder / "snapshots" / f"{time}.parquet").write_bytes(parquet.getvalue())
    one = FakeBucket()
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
        rounds=3,
    )

    def ours() -> None:
        again = FakeBucket()
        again.objects = dict(one.objects)
        compact(again)

    def peer() -> None:
        duckdb.sql(
            f"COPY (SELECT * FROM read_parquet('{folder}/hour/*.parquet') ORDER BY icao24, snapshot_s) "
            f"TO '{folder}/peer.parquet' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 10000)"
        )

    cases = {"compaction": ours, "DuckDB": peer}
    report.compare(f"{SNAPSHOTS} x {ROWS} rows: an hour", cases, ours="compaction", rounds=5)
    report.peak("an hour compacted", measure.peak_mib("benchmarks.history:compact_hour", str(folder / "hour")))


if __name__ == "__main__":
    main()
