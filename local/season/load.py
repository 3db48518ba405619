"""Load a season into the warehouse that the environment names.

    python -m local.season.load --sales 100000
    python -m local.season.load --sales 1000000 --copy-from s3://BUCKET/season/

It uses the Redshift Data API: COPY of CSV objects, which Redshift recommends, or multi-row inserts, which need no
bucket. The tables' previous rows are deleted.
"""

import argparse
import csv
import gzip
import io
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from chalicelib.adapters.redshift import RedshiftData
from chalicelib.concerts import sql as concert_sql
from local.season.generator import COLUMNS, Row, Season, generate

TABLES = ("artists", "venues", "concerts", "ticket_sales")
MAX_STATEMENT_BYTES = 96 * 1024
STATEMENTS_IN_BATCH = 40
ROWS_IN_OBJECT = 250_000

Progress = Callable[[str, int, int], object]
"""Receives the table, the number of loaded rows, and the total."""


def create_schema(redshift: RedshiftData) -> None:
    """Create missing tables."""
    redshift.run(list(statements_of(concert_sql.text("schema"))))


def load_by_inserts(season: Season, redshift: RedshiftData, progress: Progress) -> None:
    """Load with multi-row inserts, as many in a transaction as the Data API allows."""
    _empty(redshift)
    for table in TABLES:
        total, loaded = season.count(table), 0
        inserts = _inserts(table, season.rows(table))
        while batch := list(islice(inserts, STATEMENTS_IN_BATCH)):
            redshift.run([sql for sql, _ in batch])
            loaded += sum(rows for _, rows in batch)
            progress(table, loaded, total)
    _analyze(redshift)


def load_by_copy(
    season: Season, redshift: RedshiftData, put: Callable[[str, bytes], object], prefix: str, progress: Progress
) -> None:
    """Load with COPY; `put` stores an object by its key under `prefix`, an s3:// URL that ends with a slash."""
    _empty(redshift)
    for table in TABLES:
        total, loaded = season.count(table), 0
        rows = season.rows(table)
        for number in range(-(-total // ROWS_IN_OBJECT)):
            part = list(islice(rows, ROWS_IN_OBJECT))
            put(f"{table}/{number:04d}.csv.gz", _csv(part))
            loaded += len(part)
            progress(table, loaded, total)
        columns = ", ".join(COLUMNS[table])
        redshift.run([f"COPY {table} ({columns}) FROM '{prefix}{table}/' IAM_ROLE default FORMAT AS CSV GZIP"])
    _analyze(redshift)


def statements_of(script: str) -> Iterator[str]:
    """The statements of a SQL script whose comments are whole lines."""
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("--")]
    return (part.strip() for part in "\n".join(lines).split(";") if part.strip())


def _empty(redshift: RedshiftData) -> None:
    redshift.run([f"DELETE FROM {table}" for table in (*reversed(TABLES), "venue_popularity")])  # nosec B608  # our own names


def _analyze(redshift: RedshiftData) -> None:
    """Update the planner's statistics: without them, it joins histories row by row."""
    redshift.run([f"ANALYZE {table}" for table in TABLES])


def _inserts(table: str, rows: Iterable[Row]) -> Iterator[tuple[str, int]]:
    head = f"INSERT INTO {table} ({', '.join(COLUMNS[table])}) VALUES\n"  # nosec B608  # our own names
    values: list[str] = []
    size = len(head)
    for row in rows:
        text = "(" + ", ".join(map(literal, row)) + ")"
        length = len(text.encode()) + 2
        if values and size + length > MAX_STATEMENT_BYTES:
            yield head + ",\n".join(values), len(values)
            values, size = [], len(head)
        values.append(text)
        size += length
    if values:
        yield head + ",\n".join(values), len(values)


def literal(value: Any) -> str:
    """A generated value as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, int | float | Decimal):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def _csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return gzip.compress(text.getvalue().encode(), compresslevel=3, mtime=0)


def show_progress(table: str, done: int, total: int) -> None:
    """A progress bar if stderr is a terminal, otherwise a line for each table."""
    if not sys.stderr.isatty():
        if done == total:
            print(f"{table:14} {total:>9,} rows", file=sys.stderr)
        return
    filled = 30 * done // max(1, total)
    end = "\n" if done == total else ""
    print(f"\r{table:14} [{'#' * filled}{'.' * (30 - filled)}] {done:>9,} / {total:,}", end=end, file=sys.stderr)


def main() -> None:
    """Generate and load a season, with the environment's settings."""
    parser = argparse.ArgumentParser(description="Load a generated concert season")
    parser.add_argument("--sales", type=int, default=100_000, help="sales lines, 1,000 to 1,000,000")
    parser.add_argument("--today", type=date.fromisoformat, default=datetime.now(UTC).date())
    parser.add_argument("--seed", type=int, default=20_26)
    parser.add_argument("--copy-from", default="", help="s3://bucket/prefix/ to load through; inserts without it")
    options = parser.parse_args()

    from chalicelib.wiring import bootstrap

    services = bootstrap()
    redshift = services.concerts.loading
    started = time.monotonic()
    season = generate(options.sales, today=options.today, seed=options.seed)
    create_schema(redshift)
    if options.copy_from:
        place = urlsplit(options.copy_from if options.copy_from.endswith("/") else options.copy_from + "/")

        def put(key: str, content: bytes) -> None:
            services.shared.client("s3").put_object(Bucket=place.netloc, Key=place.path.lstrip("/") + key, Body=content)

        load_by_copy(season, redshift, put, place.geturl(), show_progress)
    else:
        load_by_inserts(season, redshift, show_progress)
    print(f"loaded in {time.monotonic() - started:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
