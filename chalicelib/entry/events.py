"""Events that are not requests: S3 notifications, queue batches, schedules, and which of their failures retry.

S3 and SQS deliver at least once, out of order, several records at a time. Every record is handled on its own, and
the table in `disposition` decides what its failure means: "retry" (the service delivers it again), or "park" (it
would fail for ever: it is logged, counted, acknowledged).
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
    """One object that an S3 notification is about, its key decoded; `sequencer` orders the events of one key."""

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

    Chalice's `event.bucket` and `event.key` are there for notifications of one record, which S3 does not promise.
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
    """One SQS message: its text, its id, and how often it has been received; and what Chalice's records have."""

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
"""Chalice's name of a handler type -> the event class that it gets here, and its kind of middleware."""


def disposition(error: BaseException) -> Literal["retry", "park"]:
    """What to do with a record that failed with `error`: what may pass later retries, so does the unknown."""
    if isinstance(error, OmnibusError) and not isinstance(error, RETRIED):
        return "park"
    return "retry"


def for_each_object(event: S3Notification, handle: Callable[[S3Record], object]) -> None:
    """Handle every record of an S3 notification; raise once at the end if any may pass on a retry.

    Lambda then invokes again with the same event, and after the last attempt sends it to the dead-letter queue.
    Handling is idempotent, so the records that went well do no harm the second time.
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

    The template sets that flag on every queue function, and a test holds it there: without it, AWS would take this
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
    """Run a scheduled or event-driven job: what would fail for ever is reported, what may pass is raised."""
    try:
        return msgspec.to_builtins(handle())
    except Exception as error:
        if _report(error) is not None:
            raise
        return None


def detail_of(event: CloudWatchEvent, model: type[Model]) -> Model:
    """The detail of an EventBridge event as a `model`; InvalidInput, which is parked, if it is none."""
    return decode_json(msgspec.json.encode(event.detail), model)


def invoked(model: type[Model], event: Mapping[str, Any], handle: Callable[[Model], Any]) -> dict[str, Any]:
    """Answer a direct invocation: the event as a `model`, the result or the error as plain JSON values."""
    try:
        request = decode_json(msgspec.json.encode(event), model)
        return {"result": msgspec.to_builtins(handle(request))}
    except OmnibusError as error:
        return {"error": error_content(error)}


def packaging_for_cloudformation() -> bool:
    """Is `chalice package` what imports the app just now?"""
    context = _chalice_command()
    return context is not None and context.info_name == "package" and context.params.get("pkg_format") != "terraform"


def describing_the_api() -> bool:
    """Is it `chalice package` or `chalice deploy` that imports the app, to describe its API?"""
    context = _chalice_command()
    return context is not None and context.info_name in {"package", "deploy"}


def _chalice_command() -> Any:
    click = sys.modules.get("click")
    return click.get_current_context(silent=True) if click else None


def _report(error: BaseException, **where: str) -> BaseException | None:
    """Log a failed record; return the error if its record should come again."""
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
