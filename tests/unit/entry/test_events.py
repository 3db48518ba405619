"""Events: records, keys, partial batches, and which failures retry."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from chalicelib.entry.events import (
    QueueBatch,
    QueueRecord,
    S3Notification,
    S3Record,
    disposition,
    for_each_message,
    for_each_object,
    invoked,
    packaging_for_cloudformation,
    report_or_raise,
)
from chalicelib.errors import (
    Conflict,
    Forbidden,
    Gone,
    InvalidInput,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unprocessable,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from tests.events import s3_event, s3_test_event, sqs_event

PARKED = [InvalidInput, Unprocessable, Unauthenticated, Forbidden, NotFound, Conflict, Gone, UpstreamRejected]
RETRIED = [RateLimited, UpstreamUnavailable, UpstreamTimeout]


@pytest.mark.parametrize("error", PARKED)
def test_what_would_fail_for_ever_is_parked(error: Any) -> None:
    assert disposition(error("x")) == "park"


@pytest.mark.parametrize("error", [*RETRIED, KeyError, MemoryError])
def test_what_may_pass_and_what_is_unknown_retries(error: Any) -> None:
    assert disposition(error("x")) == "retry"


@given(st.text(min_size=1).filter(lambda key: "\x00" not in key and key.isprintable()))
def test_a_key_is_decoded_to_what_was_written(key: str) -> None:
    (record,) = S3Notification(s3_event(key), None)
    assert record.key == key


def test_a_test_event_has_no_records() -> None:
    assert list(S3Notification(s3_test_event(), None)) == []


def test_the_sequencer_size_and_version_are_kept() -> None:
    event = s3_event("a", size=7)
    event["Records"][0]["s3"]["object"]["versionId"] = "v1"
    (record,) = S3Notification(event, None)
    assert (record.size, record.version_id, record.bucket) == (7, "v1", "flights")
    assert record.sequencer
    assert record.event_time is not None


def test_all_objects_are_handled_before_a_retry_is_asked_for() -> None:
    seen = []

    def handle(record: S3Record) -> None:
        seen.append(record.key)
        if record.key == "b":
            raise UpstreamUnavailable("later")
        if record.key == "c":
            raise InvalidInput("never")

    with pytest.raises(UpstreamUnavailable):
        for_each_object(S3Notification(s3_event("a", "b", "c", "d"), None), handle)
    assert seen == ["a", "b", "c", "d"]


def test_parked_objects_do_not_raise() -> None:
    def handle(record: S3Record) -> None:
        raise NotFound("deleted")

    assert for_each_object(S3Notification(s3_event("a"), None), handle) is None


def test_only_the_messages_that_may_pass_later_are_returned() -> None:
    event = sqs_event("ok", "later", "never", "bug", receives=3)
    errors: dict[str, Exception] = {"later": RateLimited("x"), "never": Gone("x"), "bug": KeyError("x")}
    seen: list[QueueRecord] = []

    def handle(record: QueueRecord) -> None:
        seen.append(record)
        if record.body in errors:
            raise errors[record.body]

    answer = for_each_message(QueueBatch(event, None), handle)
    ids = {record["body"]: record["messageId"] for record in event["Records"]}
    assert answer == {"batchItemFailures": [{"itemIdentifier": ids["later"]}, {"itemIdentifier": ids["bug"]}]}
    assert [record.receives for record in seen] == [3] * 4


def test_jobs_report_or_raise() -> None:
    def fail(error: Exception) -> Any:
        def job() -> None:
            raise error

        return job

    assert report_or_raise(lambda: 7) == 7
    assert report_or_raise(fail(Conflict("done already"))) is None
    with pytest.raises(UpstreamTimeout):
        report_or_raise(fail(UpstreamTimeout("slow")))


class Greeting(Struct, frozen=True, forbid_unknown_fields=True):
    """A greeting."""

    name: str


def test_a_direct_invocation_answers_the_result_or_the_error() -> None:
    def greet(request: Greeting) -> Greeting:
        if request.name == "nobody":
            raise NotFound("there is nobody")
        return Greeting("hello " + request.name)

    assert invoked(Greeting, {"name": "Ada"}, greet) == {"result": {"name": "hello Ada"}}
    assert invoked(Greeting, {"name": "nobody"}, greet)["error"]["code"] == "not_found"
    problem = invoked(Greeting, {"name": 1}, greet)["error"]["details"][0]
    assert problem == {"field": "name", "problem": "is int", "expected": "str"}
    json.dumps(invoked(Greeting, {}, greet))


def test_tests_are_not_packaging() -> None:
    assert packaging_for_cloudformation() is False


def test_the_package_command_is_told_from_the_others() -> None:
    import click

    command = click.Command("package")
    for name, options, expected in [
        ("package", {"pkg_format": "cloudformation"}, True),
        ("package", {"pkg_format": "terraform"}, False),
        ("deploy", {}, False),
    ]:
        context = click.Context(command, info_name=name)
        context.params = options
        with context:
            assert packaging_for_cloudformation() is expected


def test_an_event_of_one_record_has_what_chalices_has() -> None:
    event = S3Notification(s3_event("a b.json", bucket="mine"), None)
    assert (event.bucket, event.key) == ("mine", "a b.json")
    with pytest.raises(ValueError, match="the event has 2 records: use `for record in event`"):
        _ = S3Notification(s3_event("a", "b"), None).key


def test_a_message_has_what_chalices_has() -> None:
    raw = sqs_event("hello")
    raw["Records"][0]["receiptHandle"] = "handle"
    (record,) = QueueBatch(raw, None)
    assert (record.body, record.receipt_handle) == ("hello", "handle")
    assert record.to_dict() == raw["Records"][0]
