"""The 16 quality checks on one snapshot: ours against pandas, polars and DuckDB, all from the same Parquet bytes.

Every engine computes how many rows (or values) each check looks at and how many fail, by the formulas of
`docs/quality-checks.md`; nothing is timed before all of them agree. Ours does more: scores, parts, samples, verdict.
"""

import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import measure, traffic
from chalicelib.flights.columns import SCHEMA
from chalicelib.flights.convert import convert
from chalicelib.flights.quality import assess

Counts = dict[str, tuple[int, int]]

SEED = 16
ROWS_AT_A_TIME = 50_000


def main() -> None:
    """Compare the engines on a snapshot of each size, and take our peak memory on the largest."""
    from benchmarks import quality_duckdb, quality_engines  # not where our own memory is measured

    arguments = measure.arguments(__doc__, sizes=[10_000, 100_000, 1_000_000])
    report = measure.Report("quality_checks")
    for size in arguments.sizes:
        parquet = snapshot(size)
        with tempfile.NamedTemporaryFile(suffix=".parquet", dir=_memory_folder()) as stored:
            stored.write(parquet)
            stored.flush()
            cases: dict[str, Callable[[], Counts]] = {
                "ours": lambda parquet=parquet: ours(parquet),  # type: ignore[misc]
                "pandas": lambda parquet=parquet: quality_engines.with_pandas(parquet),  # type: ignore[misc]
                "polars": lambda parquet=parquet: quality_engines.with_polars(parquet),  # type: ignore[misc]
                "DuckDB": lambda path=stored.name: quality_duckdb.with_duckdb(path),  # type: ignore[misc]
            }
            agree({name: case() for name, case in cases.items()})
            report.compare(f"{size} rows", cases, ours="ours", rounds=7)
    size = max(arguments.sizes)
    idle = measure.peak_mib("benchmarks.quality_checks:rest")
    report.peak("libraries alone", idle)
    with tempfile.NamedTemporaryFile(suffix=".parquet") as stored:
        stored.write(snapshot(size))
        stored.flush()
        report.peak(f"ours, {size} rows", measure.peak_mib("benchmarks.quality_checks:judge", stored.name))
    report.show(arguments.json)


def ours(parquet: bytes) -> Counts:
    """What our report counts."""
    return {check.name: (check.checked, check.failing) for check in assess(parquet).checks}


def agree(found: dict[str, Counts]) -> None:
    """Stop unless every engine counted the same."""
    expected = found["ours"]
    for engine, counts in found.items():
        for name, pair in expected.items():
            if counts[name] != pair:
                raise SystemExit(f"{engine} counts {counts[name]} for {name}, ours {pair}")


def rest() -> None:
    """A process that has imported everything, and judged nothing."""


def judge(path: str) -> None:
    """A process that judges one file, as the deployed function does."""
    with Path(path).open("rb") as parquet:
        assess(parquet)


def snapshot(rows: int) -> bytes:
    """A processed snapshot as our own conversion writes it, a few per cent of whose rows were then spoiled."""
    clean = io.BytesIO()
    convert(io.BytesIO(traffic.snapshot(rows)), clean)
    spoiled = _spoiled(pq.read_table(clean))
    output = io.BytesIO()
    with pq.ParquetWriter(output, SCHEMA, compression="zstd", use_dictionary=_dictionaries(clean)) as writer:
        for batch in spoiled.to_batches(max_chunksize=ROWS_AT_A_TIME):
            writer.write_batch(batch)
    return output.getvalue()


def _dictionaries(clean: io.BytesIO) -> list[str]:
    """The columns for which our writer chose a dictionary."""
    group = pq.read_metadata(clean).row_group(0)
    chunks = [group.column(i) for i in range(group.num_columns)]
    return [chunk.path_in_schema for chunk in chunks if chunk.has_dictionary_page]


def _spoiled(table: pa.Table) -> pa.Table:
    """The table with every fault that a check looks for."""
    draw = np.random.default_rng(SEED)
    table = table.combine_chunks()
    rows = table.num_rows

    def replaced(name: str, share: float, value: Callable[[int], object]) -> None:
        nonlocal table
        place = table.schema.get_field_index(name)
        values = table.column(place).to_numpy().astype(object, copy=True)
        chosen = draw.choice(rows, max(1, int(share * rows)), replace=False)
        values[chosen] = [value(int(row)) for row in chosen]
        field = table.schema.field(place)
        table = table.set_column(place, field, pa.array(values, field.type, from_pandas=True))

    addresses = table.column("icao24").to_pylist()
    replaced("icao24", 0.01, lambda row: addresses[row // 2])
    replaced("icao24", 0.001, lambda row: f"ZZ{row % 977}")
    replaced("callsign", 0.02, lambda row: f"?{row % 9973}")
    replaced("origin_country", 0.005, lambda row: ("", "Atlantis", None)[row % 3])
    replaced("longitude", 0.01, lambda row: (None, 0.0, 181.5, 8.123456)[row % 4])
    replaced("latitude", 0.01, lambda row: (None, 0.0, -95.25, 50.765432)[row % 4])
    replaced("baro_altitude", 0.01, lambda row: (None, 30_000.0, -400.0, 20.5)[row % 4])
    replaced("geo_altitude", 0.01, lambda row: (None, 25_000.0, 0.0)[row % 3])
    replaced("velocity", 0.02, lambda row: (None, 900.0, 1.0, 330.5)[row % 4])
    replaced("vertical_rate", 0.01, lambda row: (None, 60.0, -45.5)[row % 3])
    replaced("last_contact", 0.01, lambda row: (None, traffic.SNAPSHOT_TIME - 4000, 0)[row % 3])
    replaced("time_position", 0.01, lambda row: (None, traffic.SNAPSHOT_TIME + 5, 7)[row % 3])
    replaced("position_source", 0.001, lambda row: (None, 8, 3)[row % 3])
    return table


def _memory_folder() -> str | None:
    """Where a file is memory, for the engine that cannot read a buffer."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


if __name__ == "__main__":
    main()
