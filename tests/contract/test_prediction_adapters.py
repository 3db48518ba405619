"""One suite for each port of predictions, on the fake and on the real adapter against moto's AWS."""

import io
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import boto3
import msgspec
import pytest
from moto import mock_aws

from chalicelib.adapters.predictions.function import ScoringFunction
from chalicelib.adapters.predictions.jobs import DynamoJobs
from chalicelib.adapters.predictions.objects import MIB, PART_BYTES, S3Objects
from chalicelib.adapters.predictions.shelf import S3Shelf
from chalicelib.adapters.predictions.signing import KmsKey, SharedSecret, signing_key
from chalicelib.adapters.predictions.state_machine import StateMachine
from chalicelib.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    Unprocessable,
    UpstreamError,
    UpstreamUnavailable,
)
from chalicelib.predictions.places import ObjectUri
from chalicelib.predictions.ports import JobWatcher
from tests.fakes.predictions import MemoryJobs, MemoryKey, MemoryObjects, MemoryShelf, MemoryWorkflow
from tests.infra.template import table_definition

BUCKET = "predictions"
HERE = ObjectUri(BUCKET, "data/a b+é.csv")
THERE = ObjectUri(BUCKET, "output/there.csv")


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def open_uploads() -> list[Any]:
    uploads: list[Any] = boto3.client("s3").list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    return uploads


@pytest.fixture(params=["fake", "moto", "moto, versioned"])
def objects(request: pytest.FixtureRequest, aws: None) -> Any:
    if request.param == "fake":
        return MemoryObjects()
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    if "versioned" in request.param:
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return S3Objects(client, sleep=lambda seconds: None)


def write(objects: Any, uri: ObjectUri, *pieces: bytes, overwrite: bool = False, mark: str | None = None) -> Any:
    with objects.create(uri, overwrite=overwrite, mark=mark) as output:
        for piece in pieces:
            output.write(piece)
    return output.written()


def content(objects: Any, uri: ObjectUri) -> bytes:
    pinned = objects.pin(uri)
    data: bytes = objects.read(pinned, 0, pinned.bytes)
    return data


class TestObjects:
    def test_a_range_of_what_was_written_is_read(self, objects: Any) -> None:
        written = write(objects, HERE, b"hello ", b"world", mark="job-7")
        pinned = objects.pin(HERE)

        assert (pinned.uri, pinned.bytes, pinned.mark) == (HERE, 11, "job-7")
        assert (written.bytes, written.etag) == (11, pinned.etag)
        assert objects.read(pinned, 3, 8) == b"lo wo"

    def test_what_is_not_there(self, objects: Any) -> None:
        with pytest.raises(NotFound) as missing:
            objects.pin(HERE)
        assert missing.value.code == "no_such_object"

    def test_an_empty_object(self, objects: Any) -> None:
        assert write(objects, HERE).bytes == 0
        assert content(objects, HERE) == b""

    def test_another_version_is_not_read(self, objects: Any) -> None:
        write(objects, HERE, b"one")
        pinned = objects.pin(HERE)
        write(objects, HERE, b"two", overwrite=True)

        with pytest.raises(Conflict) as refused:
            objects.read(pinned, 0, 3)
        assert refused.value.code == "object_changed"

    def test_an_etag_that_is_not_the_objects_is_not_read(self, objects: Any) -> None:
        write(objects, HERE, b"one")
        with pytest.raises(Conflict):
            objects.read(replace(objects.pin(HERE), etag='"0123"'), 0, 3)

    def test_an_object_that_is_there_is_not_replaced_unasked(self, objects: Any) -> None:
        write(objects, THERE, b"precious")
        with pytest.raises(Conflict) as refused:
            write(objects, THERE, b"other")
        assert refused.value.code == "output_exists"
        assert content(objects, THERE) == b"precious"
        write(objects, THERE, b"other", overwrite=True)
        assert content(objects, THERE) == b"other"

    def test_a_write_that_fails_leaves_nothing(self, objects: Any) -> None:
        def fail() -> None:
            with objects.create(THERE, overwrite=False) as output:
                output.write(b"x" * (2 * PART_BYTES + 1))
                raise RuntimeError("in the middle")

        with pytest.raises(RuntimeError):
            fail()
        with pytest.raises(NotFound):
            objects.pin(THERE)
        if isinstance(objects, S3Objects):
            assert open_uploads() == []

    def test_many_parts_make_one_object(self, objects: Any) -> None:
        pieces = [bytes([number]) * (3 * MIB + number) for number in range(8)]
        written = write(objects, THERE, *pieces)
        assert content(objects, THERE) == b"".join(pieces)
        assert written.bytes == sum(map(len, pieces))
        assert written.etag == objects.pin(THERE).etag

    @pytest.mark.parametrize(
        "sizes",
        [
            [10],
            [10, 20, 30],
            [6 * MIB, 7 * MIB, 1],
            [1, 6 * MIB, 3, 11 * MIB, 4 * MIB, 4 * MIB, 5],
            [9 * MIB],
            [3 * MIB, 9 * MIB, 3 * MIB, 3 * MIB],
        ],
    )
    def test_objects_are_joined_in_their_order(self, objects: Any, sizes: list[int]) -> None:
        sources = [ObjectUri(BUCKET, f"scratch/{number}") for number in range(len(sizes))]
        for number, (source, size) in enumerate(zip(sources, sizes, strict=True)):
            write(objects, source, bytes([65 + number]) * size)

        written = objects.join(sources, THERE, overwrite=False, mark="job-7", between=lambda: None)

        assert content(objects, THERE) == b"".join(bytes([65 + n]) * size for n, size in enumerate(sizes))
        assert written.bytes == sum(sizes)
        assert objects.pin(THERE).mark == "job-7"

    def test_joining_does_not_replace_unasked(self, objects: Any) -> None:
        write(objects, HERE, b"x" * 6 * MIB)
        write(objects, THERE, b"precious")
        with pytest.raises(Conflict):
            objects.join([HERE, HERE], THERE, overwrite=False, mark=None, between=lambda: None)
        assert content(objects, THERE) == b"precious"
        if isinstance(objects, S3Objects):
            assert open_uploads() == []


@pytest.fixture(params=["fake", "moto"])
def store(request: pytest.FixtureRequest, aws: None) -> Any:
    if request.param == "fake":
        return MemoryJobs()
    client = boto3.client("dynamodb")
    client.create_table(**{**table_definition("predictions", "PredictionJobsTable"), "TableName": "jobs"})
    return DynamoJobs(client, "jobs")


def document(number: int = 1) -> dict[str, Any]:
    return {
        "job_id": f"job-{number}",
        "state": "queued",
        "attempt": 1,
        "created_at": f"2026-11-21T12:00:{number:02d}+00:00",
    }


class TestJobStore:
    def test_a_job_is_stored_once(self, store: Any) -> None:
        assert store.add("job-1", document())
        assert not store.add("job-1", {**document(), "state": "failed"})
        assert store.get("job-1") == {**document(), "rows_done": 0, "parts_done": 0}

    def test_an_unknown_job(self, store: Any) -> None:
        assert store.get("job-1") is None
        assert not store.update("job-1", {"state": "running"}, states=["queued"])
        assert store.part_rows("job-1", 1) is None

    def test_a_job_changes_only_from_the_states_that_are_named(self, store: Any) -> None:
        store.add("job-1", document())
        assert not store.update("job-1", {"state": "succeeded"}, states=["running", "completing"])
        assert store.update("job-1", {"state": "running", "rows_total": 9}, states=["queued", "running"])
        found = store.get("job-1")
        assert (found["state"], found["rows_total"], found["attempt"]) == ("running", 9, 1)

    def test_an_error_can_be_taken_back(self, store: Any) -> None:
        store.add("job-1", document())
        error = {"code": "empty_data", "message": "has no rows"}
        store.update("job-1", {"state": "failed", "error": error}, states=["queued"])
        assert store.get("job-1")["error"] == error
        store.update("job-1", {"state": "queued", "error": None}, states=["failed"])
        assert store.get("job-1").get("error") is None

    def test_parts_are_counted_once(self, store: Any) -> None:
        store.add("job-1", document())
        assert store.add_part("job-1", 1, 10)
        assert store.add_part("job-1", 12, 5)
        assert not store.add_part("job-1", 1, 10)
        assert store.part_rows("job-1", 12) == 5
        assert store.part_rows("job-1", 2) is None
        found = store.get("job-1")
        assert (found["parts_done"], found["rows_done"]) == (2, 15)

    def test_pages_are_newest_first_and_hold_no_parts(self, store: Any) -> None:
        for number in range(1, 6):
            store.add(f"job-{number}", document(number))
            store.add_part(f"job-{number}", 1, 1)
        seen, after = [], None
        for _ in itertools.repeat(None, 3):
            page, after = store.recent(2, after)
            seen.append([job["job_id"] for job in page])
        assert seen == [["job-5", "job-4"], ["job-3", "job-2"], ["job-1"]]
        assert after is None


def test_jobs_of_one_state_come_in_pages(store: Any) -> None:
    for number in range(1, 8):
        store.add(f"job-{number}", document(number))
    for number in (2, 4, 5):
        store.update(f"job-{number}", {"state": "failed"}, states=["queued"])
    found, after = [], None
    while True:
        page, after = store.recent(2, after, "failed")
        found += [job["job_id"] for job in page]
        if after is None:
            break
    assert found == ["job-5", "job-4", "job-2"]


def test_work_is_remembered_and_sockets_come_and_go(store: Any) -> None:
    assert store.remembered("f") is None
    for job_id in ("job-1", "job-2"):
        store.remember("f", job_id)
    assert store.remembered("f") == "job-2"
    watchers = [JobWatcher("a", "https://one"), JobWatcher("b", "https://two")]
    for watcher in watchers:
        store.watch(watcher)
    assert sorted(store.watchers(), key=lambda it: it.id) == watchers
    store.unwatch("a")
    store.unwatch("a")
    assert store.watchers() == watchers[1:]
    assert store.recent(5, None) == ([], None)


@pytest.fixture(params=["fake", "moto"])
def shelf(request: pytest.FixtureRequest, aws: None) -> Any:
    objects = MemoryObjects()
    if request.param == "moto":
        boto3.client("s3").create_bucket(Bucket="shelf", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for name in ("data/a.csv", "data/b.csv", "data/c.csv", "other/d.csv"):
        objects.put(f"s3://shelf/{name}", b"12345")
        if request.param == "moto":
            boto3.client("s3").put_object(Bucket="shelf", Key=name, Body=b"12345")
    return MemoryShelf(objects) if request.param == "fake" else S3Shelf(boto3.client("s3"))


def test_a_shelf_lists_pages_and_permits(shelf: Any) -> None:
    place = ObjectUri("shelf", "data/")
    first, after = shelf.listed(place, 2, None)
    rest, end = shelf.listed(place, 2, after)
    assert [it.uri.key for it in first + rest] == ["data/a.csv", "data/b.csv", "data/c.csv"]
    assert (end, {it.bytes for it in first}, first[0].modified_at.tzinfo is not None) == (None, {5}, True)
    url, fields = shelf.form(ObjectUri("shelf", "data/new.csv"), "text/csv", 100, 60)
    assert (fields["key"], fields["Content-Type"]) == ("data/new.csv", "text/csv")
    assert "shelf" in url
    assert "data/a.csv" in shelf.link(ObjectUri("shelf", "data/a.csv"), 60)


class Lambda:
    """Answers an invocation."""

    def __init__(self, answer: Any, **more: Any) -> None:
        self.answer = {"Payload": io.BytesIO(msgspec.json.encode(answer)), **more}

    def invoke(self, **asked: Any) -> Any:
        return self.answer


def refused(code: str, status: int = 400) -> Any:
    return {"statusCode": status, "body": msgspec.json.encode({"error": {"code": code, "message": "m"}}).decode()}


def test_the_function_that_scores_answers_or_refuses() -> None:
    assert ScoringFunction(Lambda({"statusCode": 200, "body": "{}"}), "f").ask({}) == b"{}"
    for answer, kind in (
        (refused("missing_column"), Unprocessable),
        (refused("no_such_object"), NotFound),
        (refused("not_allowed"), Forbidden),
        (refused("slow_down", 429), RateLimited),
        (refused("internal", 500), UpstreamUnavailable),
        ({"surprise": 1}, UpstreamError),
    ):
        with pytest.raises(kind):
            ScoringFunction(Lambda(answer), "f").ask({})
    with pytest.raises(UpstreamUnavailable):
        ScoringFunction(Lambda({}, FunctionError="Unhandled"), "f").ask({})


def test_parts_are_forgotten_long_before_their_job(aws: None) -> None:
    client = boto3.client("dynamodb")
    client.create_table(**{**table_definition("predictions", "PredictionJobsTable"), "TableName": "jobs"})
    created = datetime.fromisoformat(document()["created_at"]).timestamp()
    store = DynamoJobs(client, "jobs", now=lambda: created + 7 * 86_400)
    store.add("job-1", document())
    store.add_part("job-1", 1, 10)

    kept = {item["part"]["S"]: int(item["expires_at"]["N"]) for item in client.scan(TableName="jobs")["Items"]}
    assert created + 14 * 86_400 < kept["part#00001"] < kept["job"] - 30 * 86_400
    assert kept["job"] > created + (90 + 14) * 86_400  # a run's name is taken for 90 days from its end


def test_what_is_ours_to_mend_is_no_fault_of_the_caller(aws: None) -> None:
    store = DynamoJobs(boto3.client("dynamodb"), "none")
    machine = StateMachine(boto3.client("stepfunctions"), "arn:aws:states:eu-west-1:123456789012:stateMachine:none")
    key = KmsKey(boto3.client("kms"), "arn:aws:kms:eu-west-1:123456789012:key/none")
    for act in (
        lambda: store.get("job-1"),
        lambda: machine.start("job-1", "job"),
        lambda: key.verify(b"message", b"signature"),
        lambda: SharedSecret(boto3.client("secretsmanager"), "none").sign(b"message"),
    ):
        with pytest.raises(UpstreamError):
            act()


def test_a_cursor_that_no_page_gave_is_refused(aws: None) -> None:
    store = DynamoJobs(boto3.client("dynamodb"), "jobs")
    for cursor in ("x", "2026-11-21~", "~job", "not a time~job"):
        with pytest.raises(InvalidInput):
            store.recent(2, cursor)


@pytest.fixture(params=["fake", "kms", "secret"])
def key(request: pytest.FixtureRequest, aws: None) -> Any:
    if request.param == "fake":
        return MemoryKey()
    return made_key(request.param)


def made_key(kind: str) -> Any:
    if kind == "secret":
        secrets = boto3.client("secretsmanager")
        arn = secrets.create_secret(Name=f"signing-{id(object())}", SecretString="s" * 64)["ARN"]
        return SharedSecret(secrets, arn)
    kms = boto3.client("kms")
    return KmsKey(kms, kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"])


class TestKeys:
    def test_what_was_signed_is_verified(self, key: Any) -> None:
        message = b"a message that is longer than what KMS takes " * 200
        assert key.verify(message, key.sign(message))

    def test_what_was_not_signed_is_not(self, key: Any) -> None:
        signature = key.sign(b"one message")
        assert not key.verify(b"another message", signature)
        assert not key.verify(b"one message", b"")
        assert not key.verify(b"one message", b"\x00" * 32)

    def test_a_key_has_a_name(self, key: Any) -> None:
        assert key.key_name


def test_the_signature_of_another_key_is_refused(aws: None) -> None:
    assert not made_key("kms").verify(b"message", made_key("kms").sign(b"message"))


def test_a_short_secret_is_refused(aws: None) -> None:
    secrets = boto3.client("secretsmanager")
    arn = secrets.create_secret(Name="short", SecretString="secret")["ARN"]
    with pytest.raises(ValueError, match="shorter than 32"):
        SharedSecret(secrets, arn).sign(b"message")


def test_a_key_is_found_by_its_arn(aws: None) -> None:
    assert isinstance(signing_key("arn:aws:kms:eu-west-1:123456789012:key/1"), KmsKey)
    assert isinstance(signing_key("arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-1"), SharedSecret)
    assert isinstance(signing_key("omnibus-local-model-signing"), SharedSecret)
    with pytest.raises(ValueError, match="neither a KMS key nor a secret"):
        signing_key("arn:aws:s3:::bucket")


@pytest.fixture(params=["fake", "moto"])
def workflow(request: pytest.FixtureRequest, aws: None) -> Any:
    if request.param == "fake":
        return MemoryWorkflow()
    client = boto3.client("stepfunctions")
    definition = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}})
    role = "arn:aws:iam::123456789012:role/predictions"
    return StateMachine(
        client, client.create_state_machine(name="p", definition=definition, roleArn=role)["stateMachineArn"]
    )


class TestWorkflow:
    def test_a_name_is_one_run(self, workflow: Any) -> None:
        assert workflow.start("job-1", "job") == workflow.start("job-1", "job")
        assert workflow.start("job-2", "job") != workflow.start("job-1", "job")

    def test_a_run_that_goes_on_has_not_failed(self, workflow: Any) -> None:
        assert workflow.failure(workflow.start("job-1", "job")) is None

    def test_a_run_can_be_stopped_twice(self, workflow: Any) -> None:
        run = workflow.start("job-1", "job")
        workflow.stop(run)
        workflow.stop(run)


def test_a_run_that_was_stopped_says_so(aws: None) -> None:
    client = boto3.client("stepfunctions")
    definition = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}})
    role = "arn:aws:iam::123456789012:role/predictions"
    machine = StateMachine(
        client, client.create_state_machine(name="p", definition=definition, roleArn=role)["stateMachineArn"]
    )
    run = machine.start("job-1", "job")
    machine.stop(run)
    assert machine.failure(run)
    assert machine.failure(run.replace("job-1", "job-9")) == "The run is gone."
    machine.stop(run.replace("job-1", "job-9"))
