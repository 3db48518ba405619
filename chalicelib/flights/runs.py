"""A run: one snapshot's way through the pipeline, and the transitions that it may make.

    INGESTED ---> PROCESSED ---> VALIDATED
       |              |            ^   |
       |              |    release |   | a replay that fails the checks
       |              |            |   v
       |              '--------> QUARANTINED
       '--> FAILED (unreadable; a replay processes it again)

A verdict always comes from the Parquet as it is now, so repeating one changes nothing; nothing but a verdict or a
release changes a verdict, so late duplicates of earlier events cannot move a run back.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from chalicelib.flights.status import RunStatus

KEPT_FOR = timedelta(days=90)


TO_PROCESSED = (RunStatus.INGESTED, RunStatus.FAILED)
TO_VALIDATED = tuple(status for status in RunStatus if status is not RunStatus.VALIDATED)
TO_QUARANTINED = tuple(status for status in RunStatus if status is not RunStatus.QUARANTINED)
"""A verdict may arrive before the record of the processing, because S3's event comes first; a replay may change it.

A status is not its own source: only the write that moves a run to its verdict counts it and owes an alert.
"""
TO_FAILED = (RunStatus.INGESTED, RunStatus.PROCESSED)


class Run(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The record of one snapshot; times are ISO 8601 UTC, sizes of its objects are in bytes, durations in ms."""

    tracking_id: str
    status: RunStatus
    execution_date: str
    snapshot_time: int
    raw_key: str
    created_at: str
    expires_at: int
    updated_at: str | None = None
    bytes_raw: int | None = None
    processed_key: str | None = None
    index_key: str | None = None
    bytes_parquet: int | None = None
    rows: int | None = None
    rejected: int | None = None
    rejected_samples: list[dict[str, Any]] | None = None
    processing_ms: int | None = None
    report_key: str | None = None
    score: float | None = None
    grade: str | None = None
    failed_checks: list[str] | None = None
    check_scores: dict[str, float] | None = None
    validation_ms: int | None = None
    judged_at: str | None = None
    quarantine_key: str | None = None
    alert: str | None = None
    failure: str | None = None
    released_at: str | None = None
    released_by: str | None = None
    release_reason: str | None = None


def begun(snapshot_time: int, now: datetime, *, bytes_raw: int | None = None) -> Run:
    """The run of a snapshot that has just been ingested."""
    from chalicelib.flights.keys import raw_key, tracking_id

    return Run(
        tracking_id=tracking_id(snapshot_time),
        status=RunStatus.INGESTED,
        execution_date=datetime.fromtimestamp(snapshot_time, UTC).date().isoformat(),
        snapshot_time=snapshot_time,
        raw_key=raw_key(snapshot_time),
        created_at=now.isoformat(),
        expires_at=int((now + KEPT_FOR).timestamp()),
        bytes_raw=bytes_raw,
    )
