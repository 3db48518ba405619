"""Processing: a raw snapshot becomes a typed Parquet and a compact index."""

import time
from collections.abc import Callable
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Any

from chalicelib.errors import InvalidInput, NotFound
from chalicelib.flights import index, keys
from chalicelib.flights.convert import Conversion, SnapshotLimits, convert
from chalicelib.flights.ports import Bucket, EmitMetrics, RunBook
from chalicelib.flights.runs import TO_PROCESSED, begun
from chalicelib.flights.status import RunStatus
from chalicelib.flights.troubles import Troubles

NAMESPACE = "FlightDataPipeline/Processing"
IN_MEMORY = 4 << 20
"""Up to so many bytes, which are many times a real snapshot's, a file on its way to S3 needs no disk."""
DONE = (RunStatus.PROCESSED, RunStatus.VALIDATED, RunStatus.QUARANTINED)


class Processing:
    """Converts snapshots; each step writes where its input says, so repeating it changes nothing."""

    def __init__(
        self,
        *,
        bucket: Bucket,
        runs: RunBook,
        troubles: Troubles,
        emit: EmitMetrics,
        limits: SnapshotLimits,
        clock: Callable[[], datetime],
    ) -> None:
        self._bucket = bucket
        self._runs = runs
        self._troubles = troubles
        self._emit = emit
        self._limits = limits
        self._clock = clock

    def process(self, key: str, *, again: bool = False) -> None:
        """Convert the raw snapshot at `key`, unless that is done and `again` is not asked for.

        Raises InvalidInput where the bytes are no snapshot, after recording the run as FAILED and telling of it.
        """
        snapshot_time = keys.snapshot_time_of(key)
        tracking_id = keys.tracking_id(snapshot_time)
        run = self._runs.find(tracking_id)
        if run is None:
            self._runs.begin(begun(snapshot_time, self._clock()))
        elif run.status in DONE and not again:
            return
        try:
            self._convert(key, snapshot_time)
        except InvalidInput as error:
            self._troubles.fail(tracking_id, error.message)
            raise

    def _convert(self, key: str, snapshot_time: int) -> None:
        started = time.perf_counter()
        try:
            source = self._bucket.open(key)
        except NotFound:
            raise InvalidInput(f"{key} was deleted before it was processed", code="raw_snapshot_missing") from None
        with source, SpooledTemporaryFile(IN_MEMORY) as parquet, SpooledTemporaryFile(IN_MEMORY) as compact:
            with index.begun_index(compact, snapshot_time) as add_rows:
                conversion = convert(source, parquet, limits=self._limits, also=add_rows)
            if conversion.snapshot_time != snapshot_time:
                raise InvalidInput.of("time", f"is {conversion.snapshot_time}", f"{snapshot_time}, as the key says")
            tracking_id = keys.tracking_id(snapshot_time)
            self._runs.note(tracking_id, _facts(conversion, snapshot_time))  # validation, which S3 starts, reads them
            compact.seek(0)
            self._bucket.write(keys.index_key(snapshot_time), compact, "application/gzip")
            parquet.seek(0)
            self._bucket.write(keys.processed_key(snapshot_time), parquet, "application/vnd.apache.parquet")
        ms = round((time.perf_counter() - started) * 1000)
        if self._record(tracking_id, {"processing_ms": ms, "updated_at": self._clock().isoformat()}):
            self._measure(conversion, ms)

    def _record(self, tracking_id: str, timing: dict[str, Any]) -> bool:
        """Record that the snapshot is processed; False if that was recorded before, and counted."""
        if self._runs.advance(tracking_id, RunStatus.PROCESSED, TO_PROCESSED, timing):
            return True
        known = self._runs.find(tracking_id)  # a repetition, or its verdict was quicker than this record
        self._runs.note(tracking_id, timing)
        return known is not None and known.processing_ms is None

    def _measure(self, conversion: Conversion, ms: int) -> None:
        saved = 1 - conversion.bytes_out / conversion.bytes_in if conversion.bytes_in else 0.0
        self._emit(
            NAMESPACE,
            {
                "ProcessingTime": (ms, "Milliseconds"),
                "RecordsProcessed": (conversion.rows, "Count"),
                "RecordsRejected": (conversion.rejected, "Count"),
                "FileSizeReduction": (round(100 * saved, 2), "Percent"),
            },
        )


def _facts(conversion: Conversion, snapshot_time: int) -> dict[str, Any]:
    return {
        "processed_key": keys.processed_key(snapshot_time),
        "index_key": keys.index_key(snapshot_time),
        "bytes_raw": conversion.bytes_in,
        "bytes_parquet": conversion.bytes_out,
        "rows": conversion.rows,
        "rejected": conversion.rejected,
        "rejected_samples": [{"row": sample.row, "reason": sample.reason} for sample in conversion.rejected_samples],
        "failure": None,
    }
