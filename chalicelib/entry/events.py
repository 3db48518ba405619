"""Events without a caller (S3 notifications, queue batches, schedules), and which of their failures to retry.

S3 and SQS deliver at least once, out of order, several records at a time. Each record is handled separately, and
`disposition` decides about a failure: "retry" (the service delivers the record again), or "park" (it would fail every
time, so it is logged, counted and acknowledged).
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import unquote_plus

import msgspec
from chalice.app import BaseLambdaEvent, CloudWatchEvent
from msgspec import Struct

from chalicelib.entry import telemetry
from chalicelib.entry.models import Model, decode_json, error_content
from chalicelib.errors import OmnibusError, RateLimited, UpstreamTimeout, UpstreamUnavailable

RETRIED = (RateLimited, UpstreamUnavailable, UpstreamTimeout)


class S3Record(Struct, frozen=True):
    """One object of an S3 notification, its key decoded; `sequencer` orders the events of one key."""

    bucket: str
    key: str
    size: int
    event_name: str
    event_time: datetime | None
    version_id: str | None = None
    etag: str | None = None
    sequencer: str = ""


class S3Notification(BaseLambdaEvent):
    """An S3 notification of any number of records; `s3:TestEvent` has none.

    Chalice's `event.bucket` and `event.key` work for notifications of one record, which S3 does not guarantee.
    """

    def _extract_attributes(self, event_dict: dict[str, Any]) -> None:
        self.records: tuple[S3Record, ...] = tuple(map(_s3_record, event_dict.get("Records") or ()))

    def __iter__(self) -> Iterator[S3Record]:
        return iter(self.records)

    @property
    def bucket(self) -> str:
        return self._only_record().bucket

    @property
    def key(self) -> str:
        return self._only_record().key

    def _only_record(self) -> S3Record:
        if len(self.records) != 1:
            raise ValueError(f"the event has {len(self.records)} records: use `for record in event`")
        return self.records[0]


class QueueRecord(Struct, frozen=True):
    """One SQS message: its text, its id, and how often it was received, plus the attributes of Chalice's records."""

    message_id: str
    body: str
    receives: int
    receipt_handle: str = ""
    raw: Mapping[str, Any] = {}

    def to_dict(self) -> Mapping[str, Any]:
        """The record as SQS wrote it."""
        return self.raw


class QueueBatch(BaseLambdaEvent):
    """The messages of one SQS delivery."""

    def _extract_attributes(self, event_dict: dict[str, Any]) -> None:
        self.records: tuple[QueueRecord, ...] = tuple(map(_queue_record, event_dict.get("Records") or ()))

    def __iter__(self) -> Iterator[QueueRecord]:
        return iter(self.records)


EVENTS: dict[str, tuple[type[BaseLambdaEvent], str]] = {
    "on_s3_event": (S3Notification, "s3"),
    "on_sqs_message": (QueueBatch, "sqs"),
}
"""Chalice's name of a handler type -> our event class for it, and its kind of middleware."""


def disposition(error: BaseException) -> Literal["retry", "park"]:
    """What to do with a record that failed with `error`: retry errors that may pass, and unknown ones."""
    if isinstance(error, OmnibusError) and not isinstance(error, RETRIED):
        return "park"
    return "retry"


def for_each_object(event: S3Notification, handle: Callable[[S3Record], object]) -> None:
    """Handle every record of an S3 notification; raise at the end if a retry may help any of them.

    Lambda then retries the event, and after the last attempt sends it to the dead-letter queue.
    Handling is idempotent, so a retry does not harm the records that succeeded.
    """
    retry: BaseException | None = None
    for record in event:
        try:
            handle(record)
        except Exception as error:  # noqa: BLE001  # the edge: each record's failure is its own
            retry = _report(error, key=record.key) or retry
    if retry is not None:
        raise retry


def for_each_message(batch: QueueBatch, handle: Callable[[QueueRecord], object]) -> dict[str, list[dict[str, str]]]:
    """Handle every message of a queue; return the failed ones for `ReportBatchItemFailures`.

    The template sets that flag on every queue function, and a test checks it: without it, AWS would take this
    answer for success and delete the failures.
    """
    failures = []
    for record in batch:
        try:
            handle(record)
        except Exception as error:  # noqa: BLE001  # the edge: each record's failure is its own
            if _report(error, message_id=record.message_id) is not None:
                failures.append({"itemIdentifier": record.message_id})
    return {"batchItemFailures": failures}


def report_or_raise(handle: Callable[[], Any]) -> Any:
    """Run a scheduled or event-driven job: report errors that would recur, raise errors that may pass."""
    try:
        return msgspec.to_builtins(handle())
    except Exception as error:
        if _report(error) is not None:
            raise
        return None


def detail_of(event: CloudWatchEvent, model: type[Model]) -> Model:
    """The detail of an EventBridge event as a `model`; InvalidInput, which is parked, if it does not fit."""
    return decode_json(msgspec.json.encode(event.detail), model)


def invoked(model: type[Model], event: Mapping[str, Any], handle: Callable[[Model], Any]) -> dict[str, Any]:
    """Answer a direct invocation: the event as a `model`, the result or the error as plain JSON values."""
    try:
        request = decode_json(msgspec.json.encode(event), model)
        return {"result": msgspec.to_builtins(handle(request))}
    except OmnibusError as error:
        return {"error": error_content(error)}


def packaging_for_cloudformation() -> bool:
    """Is `chalice package` importing the app?"""
    context = _chalice_command()
    return context is not None and context.info_name == "package" and context.params.get("pkg_format") != "terraform"


def describing_the_api() -> bool:
    """Is `chalice package` or `chalice deploy` importing the app, to describe its API?"""
    context = _chalice_command()
    return context is not None and context.info_name in {"package", "deploy"}


def _chalice_command() -> Any:
    click = sys.modules.get("click")
    return click.get_current_context(silent=True) if click else None


def _report(error: BaseException, **where: str) -> BaseException | None:
    """Log a failed record; return the error if the record should be retried."""
    if disposition(error) == "retry":
        telemetry.logger.warning("record failed, will be retried", exc_info=error, extra=where)
        return error
    telemetry.logger.error("record parked: %s", error, extra=where)
    telemetry.count("RecordsParked")
    return None


def _s3_record(record: dict[str, Any]) -> S3Record:
    detail = record["s3"]["object"]
    time = record.get("eventTime")
    return S3Record(
        bucket=record["s3"]["bucket"]["name"],
        key=unquote_plus(detail["key"]),
        size=int(detail.get("size", 0)),
        event_name=record.get("eventName", ""),
        event_time=datetime.fromisoformat(time) if time else None,
        version_id=detail.get("versionId"),
        etag=detail.get("eTag"),
        sequencer=detail.get("sequencer", ""),
    )


def _queue_record(record: dict[str, Any]) -> QueueRecord:
    attributes = record.get("attributes") or {}
    receives = int(attributes.get("ApproximateReceiveCount", 1))
    return QueueRecord(record["messageId"], record["body"], receives, record.get("receiptHandle", ""), record)
