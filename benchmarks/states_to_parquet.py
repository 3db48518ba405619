"""OpenSky JSON to zstd Parquet: our conversion against pandas, polars, DuckDB, our exact path, and the limit.

Everyone starts from the same bytes and ends with the same 27 columns in a zstd (level 1) Parquet file, vectorised as a
practitioner of the library would; the outputs are compared before anything is timed.

    pandas    json.loads, DataFrame, numpy for the derived columns, to_parquet
    polars    json.loads (polars reads no arrays of mixed types), DataFrame by rows, expressions, write_parquet
    duckdb    read_json and COPY in one statement; the files it needs are in memory where the system has such a place
    exact     our own slow path: what the fast one falls back to
    limit     parsing with simdjson, plus writing our finished table: no reader of JSON can be much faster

Only ours also refuses malformed rows one by one and watches its limits; the others take the rows as they are.
"""

import functools
import io
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import simdjson

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import measure, traffic
from chalicelib.flights import columns, convert, derivation, states_json

SIZES = [10_000, 100_000, 1_000_000]
NAMES = columns.STATE_SCHEMA.names


def ours(text: bytes) -> bytes:
    sink = io.BytesIO()
    convert.convert(io.BytesIO(text), sink)
    return sink.getvalue()


def with_pandas(text: bytes) -> bytes:
    snapshot = json.loads(text)
    frame = pd.DataFrame(snapshot["states"], columns=NAMES)
    frame["callsign"] = frame["callsign"].str.strip().replace("", None)
    for name in ("origin_country",):
        frame[name] = frame[name].astype("category")
    frame = frame.astype({"time_position": "Int64", "position_source": "int16", "category": "int16"})
    for name in columns.STATE_SCHEMA.names:
        if columns.STATE_SCHEMA.field(name).type == pa.float64():
            frame[name] = frame[name].astype("float64")
    feet = frame["baro_altitude"] * columns.FEET_PER_METRE
    knots = frame["velocity"] * columns.KNOTS_PER_MPS
    climb = frame["vertical_rate"] * columns.FPM_PER_MPS
    frame["baro_altitude_ft"] = feet
    frame["geo_altitude_ft"] = frame["geo_altitude"] * columns.FEET_PER_METRE
    frame["velocity_kt"] = knots
    frame["vertical_rate_fpm"] = climb
    for name, values, floors, labels in (
        ("altitude_band", feet, columns.ALTITUDE_BAND_FLOORS_FT, columns.ALTITUDE_BANDS),
        ("speed_band", knots, columns.SPEED_BAND_FLOORS_KT, columns.SPEED_BANDS),
    ):
        frame[name] = pd.cut(values, [-np.inf, *floors, np.inf], right=False, labels=list(labels))
    dead = columns.LEVEL_DEAD_BAND_FPM
    level = np.where(feet >= columns.CRUISE_FLOOR_FT, 3, 4)
    codes = np.select(
        [frame["on_ground"], climb > dead, climb < -dead, climb.isna() | feet.isna()], [0, 1, 2, -1], default=level
    )
    frame["flight_phase"] = pd.Categorical.from_codes(codes, list(columns.FLIGHT_PHASES))
    airline = frame["callsign"].str.match(columns.AIRLINE_CALLSIGN).fillna(False).astype(bool)
    frame["airline_code"] = frame["callsign"].str[:3].where(airline, None).astype("category")
    frame["snapshot_time"] = pd.Timestamp(snapshot["time"], unit="s", tz="UTC").as_unit("s")
    frame["snapshot_s"] = snapshot["time"]
    sink = io.BytesIO()
    frame.to_parquet(sink, compression="zstd", compression_level=1, index=False)
    return sink.getvalue()


POLARS_TYPES = {
    pa.string(): pl.String(),
    pa.float64(): pl.Float64(),
    pa.int64(): pl.Int64(),
    pa.int16(): pl.Int16(),
    pa.bool_(): pl.Boolean(),
    pa.list_(pa.int32()): pl.List(pl.Int32),
}
POLARS_SCHEMA = {field.name: POLARS_TYPES.get(field.type, pl.String()) for field in columns.STATE_SCHEMA}


def with_polars(text: bytes) -> bytes:
    snapshot = json.loads(text)
    frame = pl.DataFrame(snapshot["states"], schema=POLARS_SCHEMA, orient="row")
    feet, knots, climb = pl.col("baro_altitude_ft"), pl.col("velocity_kt"), pl.col("vertical_rate_fpm")
    level = (
        pl.when(feet >= columns.CRUISE_FLOOR_FT).then(pl.lit("CRUISE")).when(feet.is_not_null()).then(pl.lit("LEVEL"))
    )
    dead = columns.LEVEL_DEAD_BAND_FPM
    frame = (
        frame.lazy()
        .with_columns(
            pl.col("callsign").str.strip_chars(" ").replace("", None),
            pl.col("origin_country").cast(pl.Categorical),
            (pl.col("baro_altitude") * columns.FEET_PER_METRE).alias("baro_altitude_ft"),
            (pl.col("geo_altitude") * columns.FEET_PER_METRE).alias("geo_altitude_ft"),
            (pl.col("velocity") * columns.KNOTS_PER_MPS).alias("velocity_kt"),
            (pl.col("vertical_rate") * columns.FPM_PER_MPS).alias("vertical_rate_fpm"),
        )
        .with_columns(
            _polars_band(feet, columns.ALTITUDE_BAND_FLOORS_FT, columns.ALTITUDE_BANDS).alias("altitude_band"),
            _polars_band(knots, columns.SPEED_BAND_FLOORS_KT, columns.SPEED_BANDS).alias("speed_band"),
            pl.when(pl.col("on_ground"))
            .then(pl.lit("GROUND"))
            .when(climb > dead)
            .then(pl.lit("CLIMB"))
            .when(climb < -dead)
            .then(pl.lit("DESCENT"))
            .when(climb.is_not_null())
            .then(level)
            .cast(pl.Categorical)
            .alias("flight_phase"),
            pl.when(pl.col("callsign").str.contains(columns.AIRLINE_CALLSIGN))
            .then(pl.col("callsign").str.head(3))
            .cast(pl.Categorical)
            .alias("airline_code"),
            pl.lit(snapshot["time"]).mul(1000).cast(pl.Datetime("ms", "UTC")).alias("snapshot_time"),
            pl.lit(snapshot["time"]).alias("snapshot_s"),
        )
        .collect()
    )
    sink = io.BytesIO()
    frame.write_parquet(sink, compression="zstd", compression_level=1)
    return sink.getvalue()


def _polars_band(values: pl.Expr, floors: tuple[float, ...], labels: tuple[str, ...]) -> pl.Expr:
    band: pl.Expr = pl.when(values.is_not_null()).then(pl.lit(labels[-1]))
    for floor, label in reversed(list(zip(floors, labels, strict=False))):
        band = pl.when(values < floor).then(pl.lit(label)).otherwise(band)
    return band.cast(pl.Categorical)


DUCKDB_TYPES = {pa.float64(): "DOUBLE", pa.int64(): "BIGINT", pa.int16(): "SMALLINT", pa.bool_(): "BOOLEAN"}


def with_duckdb(folder: Path) -> Callable[[bytes], bytes]:
    """DuckDB reads and writes files: putting the bytes into `folder` and taking them out counts, as it must be done."""
    source, target = folder / "states.json", folder / "states.parquet"
    fields = [
        f"s[{i}]::{DUCKDB_TYPES.get(field.type, 'VARCHAR' if field.name != 'sensors' else 'INTEGER[]')} AS {field.name}"
        for i, field in enumerate(columns.STATE_SCHEMA, 1)
    ]
    fields[1] = "nullif(trim(s[2]), '') AS callsign"

    def run(text: bytes) -> bytes:
        source.write_bytes(text)
        duckdb.execute(
            f"""
            COPY (
                WITH raw AS (
                    SELECT time, unnest(states) AS s FROM read_json('{source}', format='unstructured',
                        columns={{time: 'BIGINT', states: 'VARCHAR[][]'}}, maximum_object_size=1000000000)
                ), state AS (SELECT {", ".join(fields)}, time FROM raw), metric AS (
                    SELECT * EXCLUDE time, baro_altitude * {columns.FEET_PER_METRE} AS baro_altitude_ft,
                        geo_altitude * {columns.FEET_PER_METRE} AS geo_altitude_ft,
                        velocity * {columns.KNOTS_PER_MPS} AS velocity_kt,
                        vertical_rate * {columns.FPM_PER_MPS} AS vertical_rate_fpm, time
                    FROM state
                )
                SELECT * EXCLUDE time,
                    {_sql_band("baro_altitude_ft", columns.ALTITUDE_BAND_FLOORS_FT, columns.ALTITUDE_BANDS)}
                        AS altitude_band,
                    {_sql_band("velocity_kt", columns.SPEED_BAND_FLOORS_KT, columns.SPEED_BANDS)} AS speed_band,
                    CASE WHEN on_ground THEN 'GROUND'
                        WHEN vertical_rate_fpm > {columns.LEVEL_DEAD_BAND_FPM} THEN 'CLIMB'
                        WHEN vertical_rate_fpm < -{columns.LEVEL_DEAD_BAND_FPM} THEN 'DESCENT'
                        WHEN vertical_rate_fpm IS NULL OR baro_altitude_ft IS NULL THEN NULL
                        WHEN baro_altitude_ft >= {columns.CRUISE_FLOOR_FT} THEN 'CRUISE' ELSE 'LEVEL' END
                        AS flight_phase,
                    CASE WHEN regexp_matches(callsign, '{columns.AIRLINE_CALLSIGN}') THEN callsign[:3] END
                        AS airline_code,
                    to_timestamp(time) AS snapshot_time,
                    time AS snapshot_s
                FROM metric
            ) TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"""
        )
        return target.read_bytes()

    return run


def _sql_band(column: str, floors: tuple[float, ...], labels: tuple[str, ...]) -> str:
    steps = " ".join(f"WHEN {column} < {floor} THEN '{label}'" for floor, label in zip(floors, labels, strict=False))
    return f"CASE {steps} WHEN {column} IS NOT NULL THEN '{labels[-1]}' END"


class _Rows(msgspec.Struct):
    time: int
    states: msgspec.Raw


def exact(text: bytes) -> bytes:
    """The exact path over the whole snapshot at once, one row group: at its best."""
    snapshot = msgspec.json.decode(text, type=_Rows)
    states, _ = states_json.parse_json(memoryview(snapshot.states)[1:-1], 0, 0)
    return written(derivation.complete(states, pa.repeat(pa.scalar(snapshot.time, pa.int64()), len(states))))


def written(*batches: pa.RecordBatch) -> bytes:
    sink = io.BytesIO()
    convert.write([(batch, False) for batch in batches], sink)
    return sink.getvalue()


def limit(text: bytes) -> Callable[[], object]:
    """Parsing alone, then writing what we would have made of it, already made."""
    table = pq.read_table(io.BytesIO(ours(text)))
    batches = [batch.cast(columns.SCHEMA) for batch in table.to_batches(max_chunksize=47_000)]
    parser = simdjson.Parser()

    def run() -> bytes:
        parser.parse(text)
        return written(*batches)

    return run


def agree(outputs: dict[str, bytes]) -> None:
    """Everyone's file holds the same values, or this raises."""
    plain = pa.schema(
        [
            (
                field.name,
                getattr(field.type, "value_type", field.type) if pa.types.is_dictionary(field.type) else field.type,
            )
            for field in columns.SCHEMA
        ]
    )
    tables = {name: pq.read_table(io.BytesIO(output)).select(plain.names) for name, output in outputs.items()}
    expected = tables["ours"].cast(plain)
    for name, table in tables.items():
        for field in plain:
            if not table[field.name].cast(field.type).equals(expected[field.name]):
                raise AssertionError(f"{name} disagrees with ours about {field.name}")


def main() -> None:
    arguments = measure.arguments(__doc__, SIZES)
    report = measure.Report("states_to_parquet")
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        peers = {
            "ours": ours,
            "pandas": with_pandas,
            "polars": with_polars,
            "duckdb": with_duckdb(Path(folder)),
            "exact": exact,
        }
        sample = traffic.snapshot(2_000)
        agree({name: run(sample) for name, run in peers.items()})
        for size in arguments.sizes:
            text = traffic.snapshot(size)
            cases: dict[str, measure.Case] = {name: functools.partial(run, text) for name, run in peers.items()}
            report.compare(f"{size} rows", cases | {"limit": limit(text)}, ours="ours", rounds=_rounds(size))
    report.show(arguments.json)


def _rounds(size: int) -> int:
    return 25 if size <= 20_000 else 7 if size <= 200_000 else 3


if __name__ == "__main__":
    main()
