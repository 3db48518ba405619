"""Compaction: the snapshots of an hour become one Parquet, sorted by aircraft, that replaces them.

`processed/` is the inbox: what lies there is not yet, or not surely, in `history/`. An hour's Parquet names the
snapshots that are in it, with the entity tag of the object that each came from (its footer's `sources`).

1. What is new in the inbox joins what the hour has, newer over older, and one conditional write replaces the hour.
2. An object of the inbox is removed half an hour later, when no query that listed the hour before can still run, and
   only while the hour names exactly that object.

So at any moment a snapshot is in the inbox, in the hour, or in both, and a reader that takes each from the inbox first
counts it once. Killed anywhere, or run twice at once, compaction leaves one of these states; the next run goes on.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from chalicelib.errors import OmnibusError, UpstreamUnavailable
from chalicelib.flights import keys
from chalicelib.flights.columns import SCHEMA
from chalicelib.flights.models import CompactionOrder, CompactionReport
from chalicelib.flights.ports import Archive, EmitMetrics, RunHistory, StoredObject
from chalicelib.flights.runs import RunStatus
from chalicelib.flights.verdicts import RUNS_A_DAY
from chalicelib.parallel import in_order

NAMESPACE = "FlightDataPipeline/History"
SOURCES = b"sources"
"""The key of the footer's metadata that names an hour's snapshots."""
SETTLED_AFTER = timedelta(minutes=10)
"""How long after its end an hour is compacted: its last snapshot is processed and judged by then."""
QUERIES_LAST = timedelta(minutes=35)
"""Longer than Athena lets a query run."""
READERS = 2
LEAST_SECONDS = 30.0
"""With less time left, the next run goes on."""
ROWS_A_GROUP = 10_000
"""An aircraft's rows lie in one row group or two, and its statistics let a query pass over all others."""
PARQUET = "application/vnd.apache.parquet"


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
        """Compact the hours of the order, or all; doing it twice, or twice at once, changes nothing.

        An hour that cannot be compacted is named in the report and does not keep the others from it.
        Raises UpstreamUnavailable at the end if that may pass on a retry.
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
                if read is not None:
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
        """A snapshot of the inbox and its entity tag; None if a verdict has just moved it."""
        read = self._archive.read(key)
        return None if read is None else (_snapshot(read[0], keys.snapshot_time_of(key)), read[1])

    def _statuses(self, hour: int) -> dict[str, RunStatus]:
        """Of the runs that are still known; what has outlived its run has passed, or it would be in quarantine."""
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
    named = (file.schema_arrow.metadata or {}).get(SOURCES, b"{}")
    return msgspec.json.decode(named, type=dict[str, Source]), _conformed(file.read())


def _snapshot(body: bytes, time: int) -> pa.Table:
    """A snapshot's rows, of which each must be of that time."""
    table = _conformed(pq.ParquetFile(pa.BufferReader(body)).read(use_threads=False))
    times = pc.unique(pc.cast(table["snapshot_time"], pa.int64())).to_pylist()
    if times not in ([], [time * 1000]):
        raise OmnibusError(f"a snapshot of {time} holds rows of {times[:3]} ms")
    place, column = SCHEMA.get_field_index("snapshot_s"), SCHEMA.field("snapshot_s")
    return table.set_column(place, column, pa.repeat(pa.scalar(time, pa.int64()), len(table)))


def _conformed(table: pa.Table) -> pa.Table:
    """The table with today's columns; one that an earlier release did not write is null."""
    columns = [
        table[column.name].cast(_plain(column.type)) if column.name in table.column_names
        else pa.chunked_array([pa.nulls(len(table), _plain(column.type))])
        for column in SCHEMA
    ]  # fmt: skip
    return pa.table(columns, pa.schema([column.with_type(_plain(column.type)) for column in SCHEMA]))


def _plain(kind: pa.DataType) -> pa.DataType:
    """Text without its dictionary: tables with different dictionaries cannot be joined as they are."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _kept(kept: pa.Table | None, sources: Sources, tables: Mapping[str, pa.Table]) -> Iterator[pa.Table]:
    """The rows of an hour's earlier state that stay in it."""
    if kept is not None:
        stay = [keys.snapshot_time_of_id(name) for name in sources if name not in tables]
        yield kept.filter(pc.is_in(kept["snapshot_s"], pa.array(stay, pa.int64())))


def _written(kept: Iterable[pa.Table], new: list[pa.Table], sources: Sources) -> bytes:
    """The hour's Parquet; OmnibusError unless it holds exactly the rows of each of its sources."""
    rows = pa.concat_tables([*kept, *new]) if sources else SCHEMA.empty_table()
    rows = rows.take(pc.sort_indices(rows, [("icao24", "ascending"), ("snapshot_s", "ascending")]))
    expected = {keys.snapshot_time_of_id(name): source.rows for name, source in sources.items() if source.rows}
    counted = pc.value_counts(rows["snapshot_s"])
    found = dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))
    if found != expected:
        raise OmnibusError(f"the hour holds {rows.num_rows} rows of its {sum(expected.values())}")
    rows = rows.replace_schema_metadata({SOURCES: msgspec.json.encode(sources)})
    sink = io.BytesIO()
    pq.write_table(
        rows,
        sink,
        row_group_size=ROWS_A_GROUP,
        compression="zstd",
        compression_level=3,
        use_dictionary=[name for name in rows.column_names if name not in PLAIN],
        write_statistics=True,
    )
    return sink.getvalue()


PLAIN = frozenset({"longitude", "latitude", "velocity", "true_track", "velocity_kt", "sensors"})
"""Columns in which a dictionary does not pay even within one row group."""
