"""The objects of predictions in S3: pinned range reads, and writes that appear whole or not at all."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from urllib3.exceptions import ProtocolError

from chalicelib.adapters.aws import error_code, translate
from chalicelib.errors import Conflict, Forbidden, NotFound, OmnibusError, UpstreamUnavailable
from chalicelib.predictions.ports import Pinned, Written
from chalicelib.predictions.requests import ObjectUri

MIB = 1024 * 1024
PART_BYTES = 8 * MIB
SMALLEST_PART = 5 * MIB
LARGEST_COPY = 512 * MIB
MAX_PARTS = 10_000
ATTEMPTS = 4
CUT = (
    IncompleteReadError,
    ResponseStreamingError,
    ReadTimeoutError,
    ConnectionClosedError,
    ProtocolError,
    ConnectionError,
    TimeoutError,
)
"""How a connection that breaks while a body is read shows."""

logger = logging.getLogger(__name__)


class S3Objects:
    """`ports.Objects` over S3; `client` is boto3's, `sleep` waits between attempts."""

    def __init__(self, client: Any, sleep: Callable[[float], None] = time.sleep) -> None:
        self._s3 = client
        self._sleep = sleep

    def pin(self, uri: ObjectUri) -> Pinned:
        """The present version of the object."""
        with _translated(uri):
            head = self._s3.head_object(Bucket=uri.bucket, Key=uri.key)
        version = head.get("VersionId")
        return Pinned(uri, head["ContentLength"], head["ETag"], None if version == "null" else version)

    def read(self, pinned: Pinned, start: int, stop: int) -> bytes:
        """Bytes [start, stop) of the pinned version; Conflict ("object_changed") if it is no longer there."""
        data = bytearray()
        for attempt in range(ATTEMPTS):
            try:
                self._read_into(data, pinned, start + len(data), stop)
                if len(data) == stop - start:
                    return bytes(data)
            except CUT:
                logger.warning("the connection was cut at byte %d of %s", start + len(data), pinned.uri)
            self._sleep(0.1 * 2**attempt)
        raise UpstreamUnavailable(f"{pinned.uri} cannot be read to its end; try again later", retry_after=5)

    def _read_into(self, data: bytearray, pinned: Pinned, start: int, stop: int) -> None:
        uri = pinned.uri
        version = {"VersionId": pinned.version_id} if pinned.version_id else {}
        try:
            answer = self._s3.get_object(
                Bucket=uri.bucket, Key=uri.key, Range=f"bytes={start}-{stop - 1}", IfMatch=pinned.etag, **version
            )
        except ClientError as error:
            if error_code(error) in ("PreconditionFailed", "412", "NoSuchVersion", "NoSuchKey", "InvalidRange"):
                raise Conflict(f"{uri} changed while it was read", code="object_changed") from error
            raise _ours(error, uri) from error
        except CUT:
            raise
        except BotoCoreError as error:
            raise _ours(error, uri) from error
        for piece in answer["Body"].iter_chunks(MIB):
            data += piece

    @contextmanager
    def create(self, uri: ObjectUri, *, overwrite: bool, expected_bytes: int = 0) -> Iterator["MultipartOutput"]:
        """Write an object in the block: put or completed at its end, aborted if it raises."""
        part_bytes = max(PART_BYTES, -(-expected_bytes // (MAX_PARTS - 100)))
        output = MultipartOutput(self._s3, uri, overwrite=overwrite, part_bytes=part_bytes)
        try:
            yield output
            output.finish()
        except BaseException:
            output.abandon()
            raise
        finally:
            output.close()

    def join(self, sources: Sequence[ObjectUri], uri: ObjectUri, *, overwrite: bool) -> Written:
        """One object of others: S3 copies the large ones as parts, the small ones pass through here."""
        pinned = [self.pin(source) for source in sources]
        if sum(source.bytes for source in pinned) < SMALLEST_PART or (
            len(pinned) == 1 and pinned[0].bytes < PART_BYTES
        ):
            with self.create(uri, overwrite=overwrite) as output:
                for source in pinned:
                    output.write(self.read(source, 0, source.bytes))
            return output.written()
        with self.create(uri, overwrite=overwrite) as output:
            output.join(self, pinned)
        return output.written()


class MultipartOutput:
    """One object being written: at most two parts are in memory, the one that fills and the one on its way."""

    def __init__(self, client: Any, uri: ObjectUri, *, overwrite: bool, part_bytes: int) -> None:
        self._s3 = client
        self._place = {"Bucket": uri.bucket, "Key": uri.key}
        self._uri = uri
        self._guard: dict[str, str] = {} if overwrite else {"IfNoneMatch": "*"}
        self._part_bytes = part_bytes
        self._buffer = bytearray()
        self._upload_id: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._sent = 0
        self._etag = ""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="upload")
        self._on_its_way: Future[None] | None = None

    def write(self, data: bytes) -> int:
        """Add bytes; a part that is full goes on its way."""
        self._buffer += data
        while len(self._buffer) >= self._part_bytes:
            part = bytes(memoryview(self._buffer)[: self._part_bytes])
            del self._buffer[: self._part_bytes]
            self._send(part)
        return len(data)

    def written(self) -> Written:
        """What was written."""
        return Written(self._uri, self._sent, self._etag)

    def finish(self) -> None:
        """Make the object appear; Conflict ("output_exists") if another one came first."""
        if self._upload_id is None:
            with _translated(self._uri):
                answer = self._s3.put_object(Body=bytes(self._buffer), **self._place, **self._guard)
            self._sent += len(self._buffer)
        else:
            if self._buffer:
                self._send(bytes(self._buffer))
            self._arrived()
            with _translated(self._uri):
                answer = self._s3.complete_multipart_upload(
                    UploadId=self._upload_id, MultipartUpload={"Parts": self._parts}, **self._place, **self._guard
                )
            self._upload_id = None
        self._buffer = bytearray()
        self._etag = answer["ETag"]

    def abandon(self) -> None:
        """Leave nothing behind; a failure to is logged, the bucket's lifecycle rule then does it within a day."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        if self._upload_id is None:
            return
        try:
            self._s3.abort_multipart_upload(UploadId=self._upload_id, **self._place)
        except (ClientError, BotoCoreError):
            logger.exception("cannot abort the upload to %s", self._uri)

    def close(self) -> None:
        """End the upload's thread."""
        self._thread.shutdown(wait=True)

    def join(self, objects: S3Objects, sources: Sequence[Pinned]) -> None:
        """Add the content of other objects, copied inside S3 where they are large enough to be a part."""
        for source in sources:
            if self._buffer or source.bytes < SMALLEST_PART:
                # a part in the middle has at least 5 MiB: fill up what is waiting before copying the rest
                taken = min(source.bytes, SMALLEST_PART)
                self.write(objects.read(source, 0, taken))
                if source.bytes - taken < SMALLEST_PART:
                    self.write(objects.read(source, taken, source.bytes) if source.bytes > taken else b"")
                    continue
            else:
                taken = 0
            if self._buffer:
                self._send(bytes(self._buffer))
                self._buffer = bytearray()
            self._copy(source, taken)

    def _copy(self, source: Pinned, start: int) -> None:
        self._arrived()
        while start < source.bytes:
            left = source.bytes - start
            length = left if left <= LARGEST_COPY + SMALLEST_PART else LARGEST_COPY
            number = len(self._parts) + 1
            with _translated(source.uri):
                answer = self._s3.upload_part_copy(
                    UploadId=self._begun(),
                    PartNumber=number,
                    CopySource={"Bucket": source.uri.bucket, "Key": source.uri.key},
                    CopySourceIfMatch=source.etag,
                    CopySourceRange=f"bytes={start}-{start + length - 1}",
                    **self._place,
                )
            self._parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
            self._sent += length
            start += length

    def _begun(self) -> str:
        if self._upload_id is None:
            with _translated(self._uri):
                self._upload_id = self._s3.create_multipart_upload(**self._place)["UploadId"]
        return self._upload_id

    def _send(self, part: bytes) -> None:
        self._arrived()
        upload_id = self._begun()
        self._on_its_way = self._thread.submit(self._put, upload_id, part)

    def _put(self, upload_id: str, part: bytes) -> None:
        number = len(self._parts) + 1
        with _translated(self._uri):
            answer = self._s3.upload_part(UploadId=upload_id, PartNumber=number, Body=part, **self._place)
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        self._sent += len(part)

    def _arrived(self) -> None:
        """Wait for the part that is on its way; raises what befell it."""
        if self._on_its_way is not None:
            self._on_its_way.result()
            self._on_its_way = None


@contextmanager
def _translated(uri: ObjectUri) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise _ours(error, uri) from error


def _ours(error: Exception, uri: ObjectUri) -> OmnibusError:
    """A failure at an object in our words, each with its own code."""
    if isinstance(error, ClientError) and error_code(error) in (
        "PreconditionFailed",
        "412",
        "ConditionalRequestConflict",
    ):
        return Conflict(f"{uri} exists; send overwrite to replace it", code="output_exists")
    ours = translate(error, str(uri))
    if isinstance(ours, NotFound):
        ours.code = "no_such_object"
    elif isinstance(ours, Forbidden):
        ours.code = "access_denied"
    return ours
