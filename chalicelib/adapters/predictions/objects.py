"""The objects of predictions in S3: pinned range reads, and writes that appear whole or not at all."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import uuid4

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from urllib3.exceptions import ProtocolError

from chalicelib.adapters.aws import DENIED, error_code, translate
from chalicelib.errors import Conflict, Forbidden, NotFound, OmnibusError, UpstreamUnavailable
from chalicelib.predictions.places import ObjectUri
from chalicelib.predictions.ports import Chunk, Pinned, Written

MIB = 1024 * 1024
PART_BYTES = 8 * MIB
SMALLEST_PART = 5 * MIB
COPIES_AT_ONCE = 8
LARGEST_COPY = 512 * MIB
MAX_PARTS = 10_000
ATTEMPTS = 4
MARK = "omnibus-job"
CUT = (
    IncompleteReadError,
    ResponseStreamingError,
    ReadTimeoutError,
    ConnectionClosedError,
    ProtocolError,
    ConnectionError,
    TimeoutError,
)
"""Errors of a connection that breaks while reading a body."""

CHANGED = ("PreconditionFailed", "412")
CAME_FIRST = (*CHANGED, "ConditionalRequestConflict")

_log = logging.getLogger(__name__)


class S3Objects:
    """`ports.Objects` over S3; `client` is botocore's, `sleep` waits between attempts."""

    def __init__(self, client: Any, sleep: Callable[[float], None] = time.sleep) -> None:
        self._s3 = client
        self._sleep = sleep

    def pin(self, uri: ObjectUri) -> Pinned:
        """The present version of the object."""
        with _translated(uri):
            head = self._s3.head_object(Bucket=uri.bucket, Key=uri.key)
        return Pinned(uri, head["ContentLength"], head["ETag"], head.get("Metadata", {}).get(MARK))

    def read(self, pinned: Pinned, start: int, stop: int) -> bytes:
        """Bytes [start, stop) of the pinned version; Conflict ("object_changed") if it is no longer there."""
        data = bytearray()
        if start == stop:
            return b""  # a range cannot say so
        for attempt in range(ATTEMPTS):
            try:
                self._read_into(data, pinned, start + len(data), stop)
                if len(data) == stop - start:
                    return bytes(data)
            except CUT:
                _log.warning("the connection was cut at byte %d of %s", start + len(data), pinned.uri)
            self._sleep(0.1 * 2**attempt)
        raise UpstreamUnavailable(f"{pinned.uri} cannot be read to its end; try again later", retry_after=5)

    def _read_into(self, data: bytearray, pinned: Pinned, start: int, stop: int) -> None:
        uri = pinned.uri
        try:
            answer = self._s3.get_object(
                Bucket=uri.bucket, Key=uri.key, Range=f"bytes={start}-{stop - 1}", IfMatch=pinned.etag
            )
        except ClientError as error:
            if error_code(error) in (*CHANGED, "NoSuchKey", "InvalidRange"):
                raise _changed(uri) from error
            raise _ours(error, uri) from error
        except CUT:
            raise
        except BotoCoreError as error:
            raise _ours(error, uri) from error
        for piece in answer["Body"].iter_chunks(MIB):
            data += piece

    @contextmanager
    def create(
        self, uri: ObjectUri, *, overwrite: bool, expected_bytes: int = 0, mark: str | None = None
    ) -> Iterator["MultipartOutput"]:
        """Write an object in the block: put or completed at its end, aborted if it raises."""
        part_bytes = max(PART_BYTES, -(-expected_bytes // (MAX_PARTS - 100)))
        output = MultipartOutput(self._s3, uri, overwrite=overwrite, part_bytes=part_bytes, mark=mark)
        try:
            yield output
            output.finish()
        except BaseException:
            output.abandon()
            raise
        finally:
            output.close()

    def join(
        self,
        sources: Sequence[ObjectUri],
        uri: ObjectUri,
        *,
        overwrite: bool,
        mark: str | None,
        between: Callable[[], None],
    ) -> Written:
        """One object of others: S3 copies the large ones as parts, the small ones pass through here."""
        pinned = [self.pin(source) for source in sources]
        with self.create(uri, overwrite=overwrite, mark=mark) as output:
            output.join(self, pinned, between)
        return output.written()


class MultipartOutput:
    """One object being written: at most two parts are in memory, the one that fills and the one on its way."""

    def __init__(self, client: Any, uri: ObjectUri, *, overwrite: bool, part_bytes: int, mark: str | None) -> None:
        self._s3 = client
        self._place = {"Bucket": uri.bucket, "Key": uri.key}
        self._uri = uri
        self._guard: dict[str, str] = {} if overwrite else {"IfNoneMatch": "*"}
        self._mark = mark or uuid4().hex
        self._metadata: dict[str, Any] = {"Metadata": {MARK: self._mark}}
        self._part_bytes = part_bytes
        self._buffer = bytearray()
        self._upload_id: str | None = None
        self._numbers = 0
        self._etags: dict[int, str] = {}
        self._bytes = 0
        self._etag = ""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="upload")
        self._on_its_way: Future[None] | None = None
        self._ended = False

    def write(self, data: Chunk) -> int:
        """Add bytes; a part that is full goes on its way. After the end, bytes go nowhere."""
        if self._ended:
            return len(data)  # a Parquet writer that is thrown away still writes its footer
        self._bytes += len(data)
        self._buffer += data
        while len(self._buffer) >= self._part_bytes:
            part = bytes(memoryview(self._buffer)[: self._part_bytes])
            del self._buffer[: self._part_bytes]
            self._send(part)
        return len(data)

    def written(self) -> Written:
        """The written object."""
        return Written(self._uri, self._bytes, self._etag)

    def finish(self) -> None:
        """Make the object appear; Conflict ("output_exists") if another one came first."""
        if self._upload_id is not None:
            if self._buffer:
                self._send(bytes(self._buffer))
            self._arrived()
        try:
            with _translated(self._uri):
                self._etag = self._appear()
        except OmnibusError:
            self._etag = self._appeared()
            if not self._etag:
                raise
            _log.warning("the answer of S3 was lost, but %s was written", self._uri)
        self._upload_id = None
        self._ended = True

    def _appear(self) -> str:
        if self._upload_id is None:
            answer = self._s3.put_object(Body=bytes(self._buffer), **self._place, **self._guard, **self._metadata)
        else:
            parts = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(self._etags.items())]
            answer = self._s3.complete_multipart_upload(
                UploadId=self._upload_id, MultipartUpload={"Parts": parts}, **self._place, **self._guard
            )
        return str(answer["ETag"])

    def _appeared(self) -> str:
        """The ETag of the object if it is this output; a retry whose first answer was lost meets the object itself."""
        try:
            head = self._s3.head_object(**self._place)
        except (ClientError, BotoCoreError):
            return ""
        return str(head["ETag"]) if head.get("Metadata", {}).get(MARK) == self._mark else ""

    def abandon(self) -> None:
        """Leave nothing behind; a failure to is logged, the bucket's lifecycle rule then does it within a day."""
        self._ended = True
        self._thread.shutdown(wait=True, cancel_futures=True)
        if self._upload_id is None:
            return
        try:
            self._s3.abort_multipart_upload(UploadId=self._upload_id, **self._place)
        except (ClientError, BotoCoreError):
            _log.exception("cannot abort the upload to %s", self._uri)

    def close(self) -> None:
        """End the upload's thread."""
        self._thread.shutdown(wait=True)

    def join(self, objects: S3Objects, sources: Sequence[Pinned], between: Callable[[], None]) -> None:
        """Add the content of other objects; S3 itself copies those that are large enough for a part."""
        copies: list[_Copy] = []
        self._bytes += sum(source.bytes for source in sources)
        for source in sources:
            taken = 0
            if self._buffer or source.bytes < SMALLEST_PART:
                # only the last part may be smaller than that: fill up what waits before copying the rest
                taken = source.bytes if source.bytes < 2 * SMALLEST_PART else SMALLEST_PART
                self._buffer += objects.read(source, 0, taken)
                if len(self._buffer) >= SMALLEST_PART:
                    self._send(bytes(self._buffer))
                    self._buffer.clear()
                between()
            while taken < source.bytes:
                left = source.bytes - taken
                length = left if left <= LARGEST_COPY + SMALLEST_PART else LARGEST_COPY
                copies.append(_Copy(source, taken, length, self._next_number()))
                taken += length
        if copies:
            self._copy_all(copies, between)

    def _copy_all(self, copies: Sequence["_Copy"], between: Callable[[], None]) -> None:
        upload_id = self._begun()
        pool = ThreadPoolExecutor(COPIES_AT_ONCE, thread_name_prefix="copy")
        try:
            for done in [pool.submit(self._copy, upload_id, copy) for copy in copies]:
                done.result()
                between()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _copy(self, upload_id: str, copy: "_Copy") -> None:
        source = copy.source
        with _translated(source.uri):
            try:
                answer = self._s3.upload_part_copy(
                    UploadId=upload_id,
                    PartNumber=copy.number,
                    CopySource={"Bucket": source.uri.bucket, "Key": source.uri.key},
                    CopySourceIfMatch=source.etag,
                    CopySourceRange=f"bytes={copy.start}-{copy.start + copy.length - 1}",
                    **self._place,
                )
            except ClientError as error:
                if error_code(error) in CHANGED:
                    raise _changed(source.uri) from error
                raise
        self._etags[copy.number] = answer["CopyPartResult"]["ETag"]

    def _next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _begun(self) -> str:
        if self._upload_id is None:
            with _translated(self._uri):
                self._upload_id = self._s3.create_multipart_upload(**self._place, **self._metadata)["UploadId"]
        return self._upload_id

    def _send(self, part: bytes) -> None:
        self._arrived()
        self._on_its_way = self._thread.submit(self._put, self._begun(), part, self._next_number())

    def _put(self, upload_id: str, part: bytes, number: int) -> None:
        with _translated(self._uri):
            answer = self._s3.upload_part(UploadId=upload_id, PartNumber=number, Body=part, **self._place)
        self._etags[number] = answer["ETag"]

    def _arrived(self) -> None:
        """Wait for the part that is on its way; raises what befell it."""
        if self._on_its_way is not None:
            self._on_its_way.result()
            self._on_its_way = None


class _Copy(NamedTuple):
    """A stretch of an object that becomes part `number` of another."""

    source: Pinned
    start: int
    length: int
    number: int


@contextmanager
def _translated(uri: ObjectUri) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise _ours(error, uri) from error


def _changed(uri: ObjectUri) -> Conflict:
    return Conflict(f"{uri} changed while it was read", code="object_changed")


def _ours(error: Exception, uri: ObjectUri) -> OmnibusError:
    """A failure at an object in our words, each with its own code."""
    if isinstance(error, ClientError) and error_code(error) in CAME_FIRST:
        return Conflict(f"{uri} exists; send overwrite to replace it", code="output_exists")
    if isinstance(error, ClientError) and error_code(error) in DENIED:  # the caller named the object
        return Forbidden(f"{uri} refuses access", code="access_denied")
    ours = translate(error, str(uri))
    if isinstance(ours, NotFound):
        ours.code = "no_such_object"
    return ours
