"""S3 faults anywhere: the output never holds a partial result, and no upload stays open."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws
from urllib3.exceptions import ProtocolError

from chalicelib.adapters.predictions import objects as prediction_objects
from chalicelib.adapters.predictions.objects import ATTEMPTS, SMALLEST_PART, S3Objects
from chalicelib.entry.invocations import proxied, proxy_status
from chalicelib.errors import Conflict, Forbidden, NotFound, OmnibusError, RateLimited, UpstreamUnavailable
from chalicelib.predictions import scan
from chalicelib.predictions.batch import BatchPredictions
from chalicelib.predictions.estimators import Models
from chalicelib.predictions.models import HandedOver
from chalicelib.predictions.places import ObjectUri, parse_uri
from chalicelib.predictions.publishing import artifact_of
from chalicelib.predictions.trust import MANIFEST_SUFFIX, seal
from tests.fakes.predictions import MemoryJobs, MemoryKey, MemoryMeter
from tests.unit.predictions.studio import ALLOWED, FEATURES, MODEL, NOW, Studio, csv_of, rows, trained

ROWS = 160_000


def refused(code: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


class CutBody:
    """A body whose connection breaks after some bytes."""

    def __init__(self, data: bytes, error: Exception) -> None:
        self._data = data
        self._error = error

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        yield self._data
        raise self._error


class Faulty:
    """A client that fails an operation at its nth call; `cuts` break its body instead, `calls` counts.

    An operation in `lost` is done, and its answer lost: what comes back is what a retry would meet.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: dict[str, int] = {}
        self.lost: dict[str, Exception] = {}
        self.errors: dict[tuple[str, int], Exception] = {}
        self.cuts: dict[int, Exception] = {}

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            number = self.calls[operation] = self.calls.get(operation, 0) + 1
            for at in (number, 0):
                if (operation, at) in self.errors:
                    raise self.errors[operation, at]
            answer = getattr(self._client, operation)(**arguments)
            if operation in self.lost:
                raise self.lost[operation]
            if operation == "get_object" and number in self.cuts:
                data = answer["Body"].read()
                answer["Body"] = CutBody(data[: len(data) // 2], self.cuts[number])
            return answer

        return call


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3")
        for bucket in ("models", "data", "output"):
            client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield client


@pytest.fixture(scope="module")
def table() -> bytes:
    return csv_of(rows(ROWS))


@pytest.fixture
def faulty(client: Any, table: bytes, monkeypatch: pytest.MonkeyPatch) -> Faulty:
    monkeypatch.setattr(prediction_objects, "PART_BYTES", SMALLEST_PART)
    monkeypatch.setattr(scan, "READ_BYTES", 1024 * 1024)
    artifact = artifact_of(trained("linear"), FEATURES, parse_uri("uri", MODEL), "skops", NOW)
    client.put_object(Bucket="models", Key="price.skops", Body=artifact.content)
    client.put_object(Bucket="models", Key="price.skops" + MANIFEST_SUFFIX, Body=seal(artifact.manifest, MemoryKey()))
    client.put_object(Bucket="data", Key="in/rows.csv", Body=table)
    return Faulty(client)


@pytest.fixture
def service(faulty: Faulty) -> BatchPredictions:
    objects = S3Objects(faulty, sleep=lambda seconds: None)
    models = Models(objects, MemoryKey(), MemoryJobs())
    return BatchPredictions(objects, models, ALLOWED, lambda: 0.0, MemoryMeter(), 2, 1 << 40)


def predict(service: BatchPredictions, seconds_left: float = 900) -> Any:
    return service.predict(Studio().request(), lambda: seconds_left)


def nothing_is_left(client: Any) -> bool:
    listed = client.list_objects_v2(Bucket="output").get("KeyCount", 0)
    return listed == 0 and not client.list_multipart_uploads(Bucket="output").get("Uploads")


def test_the_table_takes_several_reads_and_parts(service: BatchPredictions, faulty: Faulty) -> None:
    outcome = predict(service)
    assert outcome.rows == ROWS
    assert faulty.calls["upload_part"] >= 2
    assert faulty.calls["get_object"] >= 4


@pytest.mark.parametrize(
    ("operation", "at", "error", "kind", "status"),
    [
        ("head_object", 2, refused("404", 404), OmnibusError, 400),
        ("head_object", 1, refused("SlowDown", 503), RateLimited, 429),
        ("head_object", 4, refused("403", 403), Forbidden, 400),
        ("get_object", 4, refused("SlowDown", 503), RateLimited, 429),
        ("get_object", 4, refused("AccessDenied", 403), Forbidden, 400),
        ("get_object", 4, refused("NoSuchKey", 404), Conflict, 400),
        ("get_object", 4, refused("PreconditionFailed", 412), Conflict, 400),
        ("get_object", 4, refused("InternalError", 500), UpstreamUnavailable, 503),
        ("get_object", 4, EndpointConnectionError(endpoint_url="https://s3"), UpstreamUnavailable, 503),
        ("create_multipart_upload", 1, refused("AccessDenied", 403), Forbidden, 400),
        ("upload_part", 1, refused("SlowDown", 503), RateLimited, 429),
        ("upload_part", 2, refused("InternalError", 500), UpstreamUnavailable, 503),
        ("complete_multipart_upload", 1, refused("PreconditionFailed", 412), Conflict, 400),
        ("complete_multipart_upload", 1, refused("ServiceUnavailable", 503), UpstreamUnavailable, 503),
    ],
)
def test_a_failure_of_s3_is_named_and_leaves_nothing(
    service: BatchPredictions, faulty: Faulty, client: Any, operation: str, at: int, error: Any, kind: Any, status: int
) -> None:
    faulty.errors[operation, at] = error
    with pytest.raises(kind) as failed:
        predict(service)
    assert proxy_status(failed.value) == status
    assert faulty.calls[operation] >= at
    assert nothing_is_left(client)


@pytest.mark.parametrize(
    ("operation", "at", "code", "wanted"),
    [
        ("head_object", 4, "403", "access_denied"),
        ("get_object", 4, "AccessDenied", "access_denied"),
        ("head_object", 3, "404", "no_such_object"),
        ("get_object", 4, "PreconditionFailed", "object_changed"),
        ("complete_multipart_upload", 1, "PreconditionFailed", "output_exists"),
        ("complete_multipart_upload", 1, "ConditionalRequestConflict", "output_exists"),
    ],
)
def test_what_s3_refuses_has_a_code_of_its_own(
    service: BatchPredictions, faulty: Faulty, client: Any, operation: str, at: int, code: str, wanted: str
) -> None:
    faulty.errors[operation, at] = refused(code, 400)
    with pytest.raises(OmnibusError) as failed:
        predict(service)
    assert failed.value.code == wanted
    assert proxy_status(failed.value) == 400
    assert nothing_is_left(client)


def join(objects: S3Objects, sources: list[ObjectUri], between: Callable[[], None] = lambda: None) -> Any:
    return objects.join(sources, ObjectUri("output", "out/rows.csv"), overwrite=False, mark=None, between=between)


@pytest.mark.parametrize("operation", ["upload_part_copy", "upload_part", "complete_multipart_upload"])
def test_a_join_that_fails_leaves_nothing(faulty: Faulty, client: Any, operation: str) -> None:
    sources = [ObjectUri("data", f"parts/{number}") for number in range(3)]
    for source, size in zip(sources, (SMALLEST_PART + 1, 7, 2 * SMALLEST_PART), strict=True):
        client.put_object(Bucket=source.bucket, Key=source.key, Body=b"x" * size)
    faulty.errors[operation, 1] = refused("SlowDown", 503)

    with pytest.raises(RateLimited):
        join(S3Objects(faulty), sources)

    assert faulty.calls["abort_multipart_upload"] == 1
    assert nothing_is_left(client)


@pytest.mark.parametrize(
    "error",
    [ProtocolError("Connection broken"), ReadTimeoutError(endpoint_url="https://s3"), ConnectionResetError()],
)
def test_a_connection_that_is_cut_in_the_middle_of_a_body_is_taken_up_again(
    service: BatchPredictions, faulty: Faulty, client: Any, table: bytes, error: Exception
) -> None:
    faulty.cuts = {4: error, 5: error}
    assert predict(service).rows == ROWS
    scored = client.get_object(Bucket="output", Key="out/rows.csv")["Body"].read()
    assert [line.rsplit(b",", 1)[0] for line in scored.splitlines()] == table.splitlines()


def test_a_connection_that_is_cut_for_ever_fails_clean(service: BatchPredictions, faulty: Faulty, client: Any) -> None:
    faulty.cuts = {number: ProtocolError("Connection broken") for number in range(5, 5 + ATTEMPTS)}
    with pytest.raises(UpstreamUnavailable):
        predict(service)
    assert nothing_is_left(client)


@pytest.mark.parametrize("error", [refused("PreconditionFailed", 412), ReadTimeoutError(endpoint_url="https://s3")])
def test_an_output_whose_answer_was_lost_is_written(
    service: BatchPredictions, faulty: Faulty, client: Any, error: Exception
) -> None:
    faulty.lost = {"complete_multipart_upload": error}
    assert predict(service).rows == ROWS
    assert client.get_object(Bucket="output", Key="out/rows.csv")["Body"].read().count(b"\n") == ROWS + 1

    client.put_object(Bucket="data", Key="in/rows.csv", Body=csv_of(rows(5)))
    client.delete_object(Bucket="output", Key="out/rows.csv")
    faulty.lost = {"put_object": error}
    assert predict(service).rows == 5


def test_a_parquet_writer_that_is_thrown_away_opens_no_upload(client: Any) -> None:
    objects = S3Objects(client)
    with suppress(KeyError), objects.create(ObjectUri("output", "out/rows.parquet"), overwrite=False) as output:
        output.write(b"x" * 100)
        raise KeyError
    output.write(b"x" * prediction_objects.PART_BYTES)  # its footer
    assert nothing_is_left(client)


def test_a_join_that_is_stopped_copies_no_further(faulty: Faulty, client: Any) -> None:
    sources = [ObjectUri("data", f"parts/{number}") for number in range(30)]
    for source in sources:
        client.put_object(Bucket=source.bucket, Key=source.key, Body=b"x" * SMALLEST_PART)

    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        join(S3Objects(faulty), sources, stop)
    assert faulty.calls["upload_part_copy"] < 30
    assert nothing_is_left(client)


def test_a_part_that_changes_while_it_is_joined_is_named(faulty: Faulty, client: Any) -> None:
    source = ObjectUri("data", "parts/1")
    client.put_object(Bucket=source.bucket, Key=source.key, Body=b"x" * SMALLEST_PART)
    faulty.errors["upload_part_copy", 1] = refused("PreconditionFailed", 412)
    with pytest.raises(Conflict) as failed:
        join(S3Objects(faulty), [source])
    assert failed.value.code == "object_changed"
    assert nothing_is_left(client)


def test_an_upload_that_cannot_be_aborted_does_not_hide_why(
    service: BatchPredictions, faulty: Faulty, client: Any
) -> None:
    faulty.errors["upload_part", 2] = refused("SlowDown", 503)
    faulty.errors["abort_multipart_upload", 1] = refused("InternalError", 500)
    with pytest.raises(RateLimited):
        predict(service)
    assert client.list_objects_v2(Bucket="output")["KeyCount"] == 0


def test_no_time_left_leaves_nothing(service: BatchPredictions, client: Any) -> None:
    with pytest.raises(OmnibusError) as failed:
        predict(service, seconds_left=3)
    assert failed.value.code == "out_of_time"
    assert nothing_is_left(client)


def test_a_bucket_that_is_not_there(service: BatchPredictions, client: Any) -> None:
    client.delete_object(Bucket="data", Key="in/rows.csv")
    client.delete_bucket(Bucket="data")
    with pytest.raises(NotFound):
        predict(service)
    assert nothing_is_left(client)


def test_what_is_unknown_is_opaque() -> None:
    class Context:
        aws_request_id = "request-1"

        def get_remaining_time_in_millis(self) -> int:
            return 900_000

    def fail(request: object, left: object) -> Any:
        raise KeyError("a secret of the house")

    answer = proxied({}, Context(), parse=lambda event: event, handle=fail, accepted=HandedOver)
    assert answer["statusCode"] == 500
    assert "secret" not in answer["body"]
    assert "request-1" in answer["body"]
