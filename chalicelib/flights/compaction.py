"""Compaction: one Parquet file, sorted by aircraft, replaces the snapshots of an hour.

`processed/` is the inbox: its snapshots may not be in `history/` yet. An hour's Parquet file names its snapshots, with
the entity tag of each snapshot's object (its footer's `sources`).

1. New snapshots of the inbox are merged into the hour, newer over older, and one conditional write replaces the hour.
2. An object of the inbox is removed half an hour later, when no query that listed the old hour can still run, and only
   while the hour names exactly that object.

At any moment, a snapshot is in the inbox, in the hour, or in both, and a reader that prefers the inbox counts it once.
If a run is killed, or two run concurrently, compaction leaves one of these states, and the next run continues.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from chalicelib.errors import OmnibusError, UpstreamUnavailable
from chalicelib.flights import keys
from chalicelib.flights.checks import text
from chalicelib.flights.columns import SCHEMA, STATE_SCHEMA
from chalicelib.flights.derivation import complete
from chalicelib.flights.models import CompactionOrder, CompactionReport
from chalicelib.flights.ports import Archive, EmitMetrics, RunHistory, StoredObject
from chalicelib.flights.status import RunStatus
from chalicelib.flights.verdicts import RUNS_A_DAY
from chalicelib.parallel import in_order

NAMESPACE = "FlightDataPipeline/History"
SOURCES_KEY = b"sources"
"""The key of the footer's metadata that names an hour's snapshots."""
SETTLED_AFTER = timedelta(minutes=10)
"""The delay before an hour is compacted: by then its last snapshot is processed and judged."""
QUERIES_LAST = timedelta(minutes=35)
"""Longer than Athena lets a query run."""
READERS = 2
LEAST_SECONDS = 30.0
"""With less time left, the next run goes on."""
ROWS_A_GROUP = 10_000
"""An aircraft's rows are in one row group or two: a query reads the address's statistics and skips all other groups.
Other columns have nearly the same bounds in every group, so their statistics are not written."""
ZSTD_LEVEL = 2
PARQUET = "application/vnd.apache.parquet"
STATES = pa.schema([*STATE_SCHEMA, SCHEMA.field("snapshot_s")])
"""The columns read from a snapshot or an hour. The rest is derived again, which is faster than reading it and leaves an
hour with the columns of one release, however old its snapshots are."""
PLAIN = frozenset(
    {
        "icao24", "callsign", "longitude", "latitude", "true_track", "sensors", "squawk", "position_source", "category",
    }
)  # fmt: skip
"""Columns in which a dictionary does not pay within a row group: zstd alone makes them as small, and sooner."""


class Source(msgspec.Struct, frozen=True):
    """One snapshot of an hour: the entity tag of the object that it came from, and its rows."""

    etag: str
    rows: int


Sources = Mapping[str, Source]


@dataclass(slots=True)
class _Tally:
    hours: list[str] = field(default_factory=list)
    compacted: int = 0
    dropped: int = 0
    removed: int = 0
    rows: int = 0
    skipped: list[str] = field(default_factory=list)


class Compaction:
    """Compacts the hours whose inbox holds something, the oldest first, as far as the time goes."""

    def __init__(
        self, *, archive: Archive, history: RunHistory, emit: EmitMetrics, clock: Callable[[], datetime]
    ) -> None:
        self._archive = archive
        self._history = history
        self._emit = emit
        self._clock = clock

    def run(self, order: CompactionOrder, seconds_left: Callable[[], float]) -> CompactionReport:
        """Compact the hours of the order, or all; repeated or concurrent calls change nothing.

        An hour that cannot be compacted is named in the report and does not block the others.
        Raises UpstreamUnavailable at the end if a retry may succeed.
        """
        tally, retry = _Tally(), None
        inbox = self._inbox(order)
        for number, (hour, found) in enumerate(sorted(inbox.items())):
            if seconds_left() < LEAST_SECONDS:
                tally.skipped += [f"{keys.history_key(left)}: no time left" for left in sorted(inbox)[number:]]
                break
            try:
                self._compact(hour, found, tally)
            except OmnibusError as error:
                tally.skipped.append(f"{keys.history_key(hour)}: {error.message}")
                retry = error if isinstance(error, UpstreamUnavailable) else retry
        self._emit(
            NAMESPACE,
            {
                "SnapshotsCompacted": (tally.compacted, "Count"),
                "HoursSkipped": (len(tally.skipped), "Count"),
            },
        )
        if retry is not None:
            raise retry
        return CompactionReport(
            hours=tally.hours,
            snapshots=tally.compacted,
            dropped=tally.dropped,
            removed=tally.removed,
            rows=tally.rows,
            skipped=tally.skipped,
        )

    def _inbox(self, order: CompactionOrder) -> dict[int, list[StoredObject]]:
        """Hour -> its objects in the inbox, none for an hour that the order names; open hours are left alone."""
        closed = (self._clock() - SETTLED_AFTER).timestamp()
        hours: dict[int, list[StoredObject]] = {hour: [] for hour in order.hours()}
        for found in self._archive.listed(keys.PROCESSED):
            time = keys.time_of_processed(found.key)
            if time is not None and (order.start is None or time - time % keys.HOUR_S in hours):
                hours.setdefault(time - time % keys.HOUR_S, []).append(found)
        return {hour: found for hour, found in hours.items() if hour + keys.HOUR_S <= closed}

    def _compact(self, hour: int, found: Iterable[StoredObject], tally: _Tally) -> None:
        key = keys.history_key(hour)
        stored = self._archive.read(key)
        known, kept = _opened(stored[0]) if stored else ({}, None)
        statuses = self._statuses(hour)
        present = {keys.tracking_id(keys.snapshot_time_of(each.key)): each for each in found}
        passed = {name for name in present if statuses.get(name, RunStatus.VALIDATED) is RunStatus.VALIDATED}
        new = {name: present[name] for name in passed if name not in known or known[name].etag != present[name].etag}
        gone = {name for name in known if statuses.get(name) is RunStatus.QUARANTINED}
        if stored and not new and not gone:
            self._remove_what_is_settled(key, known, present.values(), tally)
            return
        if not new and not gone:
            return
        tables: dict[str, pa.Table] = {}
        sources = {name: source for name, source in known.items() if name not in new and name not in gone}
        with ThreadPoolExecutor(READERS, "snapshots") as pool:
            for name, read in in_order(pool, lambda name: self._read(new[name].key), sorted(new), 2 * READERS):
                if read is not None:  # a verdict may just have moved it
                    tables[name] = read[0]
                    sources[name] = Source(read[1], read[0].num_rows)
            body = _written(_kept(kept, sources, tables), [*tables.values()], sources)
        if not self._archive.write_over(key, body, PARQUET, stored[1] if stored else None):
            raise UpstreamUnavailable("another run has compacted it meanwhile", retry_after=60)
        tally.hours.append(key)
        tally.compacted += len(tables)
        tally.dropped += len(gone)
        tally.rows += sum(source.rows for source in sources.values())

    def _read(self, key: str) -> tuple[pa.Table, str] | None:
        """A snapshot's rows and its object's entity tag; None if the object is gone."""
        read = self._archive.read(key)
        return read and (_snapshot(read[0], keys.snapshot_time_of(key)), read[1])

    def _statuses(self, hour: int) -> dict[str, RunStatus]:
        """The statuses of the known runs. A snapshot whose run has expired has passed, or it would be in quarantine."""
        (day,) = keys.days_back(hour, hour + keys.HOUR_S)
        runs = self._history.of_day(day, RUNS_A_DAY, start=hour, end=hour + keys.HOUR_S)
        return {run.tracking_id: run.status for run in runs}

    def _remove_what_is_settled(self, key: str, known: Sources, present: Iterable[StoredObject], tally: _Tally) -> None:
        """Remove from the inbox what the hour has had for longer than a query lasts."""
        written = next((each.modified for each in self._archive.listed(key) if each.key == key), None)
        if written is None or self._clock() - written < QUERIES_LAST:
            return
        for each in present:
            source = known.get(keys.tracking_id(keys.snapshot_time_of(each.key)))
            if source is not None and source.etag == each.etag:
                tally.removed += self._archive.remove(each.key, each.etag)


def _opened(body: bytes) -> tuple[dict[str, Source], pa.Table]:
    """The snapshots that an hour's Parquet names, and its rows."""
    file = pq.ParquetFile(pa.BufferReader(body))
    named = (file.schema_arrow.metadata or {}).get(SOURCES_KEY, b"{}")
    return msgspec.json.decode(named, type=dict[str, Source]), _states(file)


def _snapshot(body: bytes, time: int) -> pa.Table:
    """A snapshot's rows, of which each must be of that time."""
    file = pq.ParquetFile(pa.BufferReader(body))
    times = pc.unique(pc.cast(file.read(["snapshot_time"], use_threads=False)["snapshot_time"], pa.int64())).to_pylist()
    if times not in ([], [time * 1000]):
        raise OmnibusError(f"a snapshot of {time} holds rows of {times[:3]} ms")
    table = _states(file)
    return table.set_column(len(STATES) - 1, STATES[-1], pa.repeat(pa.scalar(time, pa.int64()), len(table)))


def _states(file: pq.ParquetFile) -> pa.Table:
    """The file's rows with the columns of `STATES`; one that an earlier release did not write is null."""
    there = set(file.schema_arrow.names)
    table = file.read([name for name in STATES.names if name in there], use_threads=False)
    columns = [
        table[each.name].cast(each.type) if each.name in there else pa.nulls(len(table), each.type) for each in STATES
    ]
    return pa.table(columns, STATES)


def _kept(kept: pa.Table | None, sources: Sources, tables: Mapping[str, pa.Table]) -> Iterator[pa.Table]:
    """The rows of an hour's earlier state that stay in it."""
    if kept is not None:
        stay = [keys.snapshot_time_of_id(name) for name in sources if name not in tables]
        yield kept.filter(pc.is_in(kept["snapshot_s"], pa.array(stay, pa.int64())))


def _written(kept: Iterable[pa.Table], new: list[pa.Table], sources: Sources) -> bytes:
    """The hour's Parquet; OmnibusError unless it holds exactly the rows of each of its sources."""
    states = pa.concat_tables([*kept, *new, STATES.empty_table()]).unify_dictionaries().combine_chunks()
    expected = {keys.snapshot_time_of_id(name): source.rows for name, source in sources.items() if source.rows}
    counted = pc.value_counts(states["snapshot_s"])
    found = dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))
    if found != expected:
        raise OmnibusError(f"the hour holds {states.num_rows} rows of its {sum(expected.values())}")
    sink = pa.BufferOutputStream()
    writer = pq.ParquetWriter(
        sink,
        SCHEMA.with_metadata({SOURCES_KEY: msgspec.json.encode(sources)}),
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        use_dictionary=[name for name in SCHEMA.names if name not in PLAIN],
        write_statistics=["icao24"],
        write_batch_size=ROWS_A_GROUP,
    )
    order = _order(states)
    # Column by column, since a take by row groups would miss the processor's cache at every value.
    taken = [column.chunk(0).take(order) for column in states.columns]
    rows = complete(pa.RecordBatch.from_arrays(taken, schema=STATES), taken[-1])
    with writer:
        writer.write_batch(rows, ROWS_A_GROUP)
    return bytes(sink.getvalue())


def _order(states: pa.Table) -> pa.Array:
    """The places of the rows by address and time (an hour has fewer seconds than 2^12); malformed addresses lead."""
    addresses = text.addresses(states["icao24"].chunk(0)).astype(np.int64)
    return pa.array(np.argsort(addresses << 12 | states["snapshot_s"].to_numpy() % keys.HOUR_S))
