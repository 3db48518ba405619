"""One OpenSky answer to `/api/states/all` becomes one zstd Parquet file of `columns.SCHEMA`.

    states_text     the stream: gzip, limits, envelope, rows in pieces
    states_csv      a piece, fast, or doubt
    states_json     a piece, exact, with its rejected rows
    derivation      the columns that we add

Memory does not grow with the snapshot: a piece is parsed while the one before is written.
"""

import contextlib
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, BinaryIO, Literal, cast

import pyarrow as pa
from pyarrow import parquet

from chalicelib.errors import InvalidInput, TooLarge
from chalicelib.flights import derivation, states_csv, states_json
from chalicelib.flights.columns import BOUNDED, SCHEMA
from chalicelib.flights.states_json import RejectedState
from chalicelib.flights.states_text import SnapshotText, Stream

__all__ = ["Conversion", "RejectedState", "SnapshotLimits", "convert"]

REJECTED_SAMPLES = 5

_DICTIONARY_COLUMNS = [
    "origin_country",
    "time_position",
    "last_contact",
    "baro_altitude",
    "vertical_rate",
    "geo_altitude",
    "category",
    "baro_altitude_ft",
    "geo_altitude_ft",
    "vertical_rate_fpm",
    "altitude_band",
    "speed_band",
    "flight_phase",
    "airline_code",
    "snapshot_time",
    "snapshot_s",
]
"""Columns for which a dictionary is smaller and faster. Athena reads PLAIN and RLE_DICTIONARY, the only encodings."""
_ZSTD_LEVEL = 1
_VALUES_AT_ONCE = 1 << 16  # 5 % quicker than the default 1024


@dataclass(frozen=True, slots=True)
class SnapshotLimits:
    """The limits of a snapshot; real ones hold some 12,000 rows in 1.6 MB."""

    max_bytes_decompressed: int = 400 << 20
    max_rows: int = 3_000_000


_MOST_LISTS = 350_000
"""In a piece of text: rows of 17 values are 36 characters at least, and have one list in them at most. As Python's
objects, a piece of empty rows alone would take more memory than the function has."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """The converted snapshot: times in s since 1970 UTC, sizes in bytes read and written."""

    snapshot_time: int
    rows: int
    rejected: int
    rejected_samples: tuple[RejectedState, ...]
    bytes_in: int
    bytes_out: int
    path: Literal["fast", "exact"]
    """"exact" if any piece of it had to be read exactly."""
    fallback_reason: str | None


def convert(
    source: BinaryIO,
    sink: IO[bytes],
    *,
    limits: SnapshotLimits = SnapshotLimits(),
    also: Callable[[pa.RecordBatch], None] = lambda _: None,
) -> Conversion:
    """Read a snapshot, raw or gzip, from `source` and write it as Parquet to `sink`; both stay open.

    `also` gets each batch of rows before it is written.
    Raises InvalidInput if the bytes are no snapshot (broken gzip, not UTF-8, not JSON, no `time`) and TooLarge over a
    limit; the content of `sink` is then invalid. A malformed row is left out and counted. `states: null` is 0 rows.
    """
    stream = Stream(source, limits.max_bytes_decompressed)
    output = _Output(sink)
    tally = _Tally()
    with contextlib.ExitStack() as stack:
        document = SnapshotText(stream)
        if document.has_rows and document.time is None:
            document = document.reread(stack.enter_context(tempfile.TemporaryFile()))
        write(_batches(document, limits.max_rows, tally, also), output)
        envelope = document.envelope()
    if document.time not in (None, envelope.time):
        raise InvalidInput.of("time", f"is given twice, as {document.time} and as {envelope.time}", "one value")
    return Conversion(
        snapshot_time=envelope.time,
        rows=tally.rows,
        rejected=tally.rejected,
        rejected_samples=tuple(tally.samples),
        bytes_in=stream.bytes_in,
        bytes_out=output.count,
        path="exact" if tally.fallback_reason else "fast",
        fallback_reason=tally.fallback_reason,
    )


@dataclass(slots=True)
class _Tally:
    rows: int = 0
    rejected: int = 0
    samples: list[RejectedState] = field(default_factory=list)
    fallback_reason: str | None = None


class _Output(io.RawIOBase):
    """A sink that counts, and that Arrow may close without closing the caller's."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink
        self.count = 0

    def writable(self) -> bool:
        return True

    def write(self, block: bytes) -> int:  # type: ignore[override]
        self._sink.write(block)
        self.count += len(block)
        return len(block)


def _batches(
    document: SnapshotText,
    max_rows: int,
    tally: _Tally,
    also: Callable[[pa.RecordBatch], None],
) -> Iterator[tuple[pa.RecordBatch, bool]]:
    """The snapshot's batches, each with whether another follows."""
    more = document.advance()
    while more:
        end = document.likely_end()
        try:
            states = states_csv.parse_csv(document.text, document.start, end)
        except states_csv.Doubt as doubt:
            tally.fallback_reason = tally.fallback_reason or str(doubt)
            end = document.certain_end()
            if document.text.count(b"[", document.start, end) > _MOST_LISTS:
                what = "has rows of a few characters by the million"
                raise TooLarge.of("states", what, "rows of 17 or 18 values") from None
            rows = memoryview(document.text)[document.start : end]
            states, rejected = states_json.parse_json(rows, tally.rows + tally.rejected, document.offset)
            tally.rejected += len(rejected)
            tally.samples += rejected[: REJECTED_SAMPLES - len(tally.samples)]
        document.start = end
        tally.rows += states.num_rows
        if tally.rows + tally.rejected > max_rows:
            raise TooLarge.of("states", f"has more than {max_rows} rows", "fewer")
        time = pa.scalar(cast(int, document.time), pa.int64())
        batch = derivation.complete(states, pa.repeat(time, len(states)))
        also(batch)
        more = document.advance()
        yield batch, more


def write(batches: Iterable[tuple[pa.RecordBatch, bool]], output: BinaryIO | io.RawIOBase) -> None:
    """Write each batch as a row group, all but the last while the next is made."""
    writer = parquet.ParquetWriter(
        output,
        SCHEMA,
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        use_dictionary=_DICTIONARY_COLUMNS,
        write_statistics=BOUNDED,
        write_batch_size=_VALUES_AT_ONCE,
    )
    with writer, ThreadPoolExecutor(1, "parquet") as thread:  # the thread ends before the writer closes
        writing: Future[None] | None = None
        for batch, more in batches:
            if writing:
                writing.result()
            if more:
                writing = thread.submit(writer.write_batch, batch)
            else:
                writer.write_batch(batch)
