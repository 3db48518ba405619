"""An S3 bucket: reading, listing, and conditional writes."""

from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any, BinaryIO, NamedTuple, cast

from botocore.exceptions import ClientError

from chalicelib.adapters.aws import MISSING_OBJECT, error_code, translated
from chalicelib.errors import UpstreamUnavailable


class Listed(NamedTuple):
    """An object in a listing."""

    key: str
    etag: str
    modified: datetime


class S3Bucket:
    """Objects of one bucket; `what` names it in errors."""

    def __init__(self, client: Any, bucket: str, what: str) -> None:
        self._client = client
        self._bucket = bucket
        self._what = what

    def open(self, key: str) -> BinaryIO:
        """The object's bytes as a stream; NotFound if there is none."""
        with translated(f"{key} in {self._what}"):
            return cast(BinaryIO, self._client.get_object(Bucket=self._bucket, Key=key)["Body"])

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys under `prefix`, in order."""
        return (found.key for found in self.listed(prefix))

    def write(self, key: str, body: IO[bytes] | bytes, content_type: str) -> None:
        """Write an object, replacing any existing one."""
        with translated(self._what):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type)

    def write_new(self, key: str, body: bytes, content_type: str) -> bool:
        """Write unless the key exists; False if it exists."""
        return self.write_over(key, body, content_type, None)

    def write_over(self, key: str, body: bytes, content_type: str, etag: str | None) -> bool:
        """Write if the object still has `etag`, or, for None, does not exist; otherwise return False."""
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        return self._unless_changed("put_object", Key=key, Body=body, ContentType=content_type, **condition)

    def remove(self, key: str, etag: str) -> bool:
        """Delete the object if it still has `etag`; otherwise change nothing and return False."""
        return self._unless_changed("delete_object", Key=key, IfMatch=etag)

    def listed(self, prefix: str) -> Iterator["Listed"]:
        """The objects under `prefix`, in the order of their keys."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        with translated(self._what):
            for page in pages:
                for item in page.get("Contents", ()):
                    yield Listed(item["Key"], item["ETag"], item["LastModified"])

    def read(self, key: str) -> tuple[bytes, str] | None:
        """An object's bytes and entity tag; None if there is none."""
        with translated(self._what):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
                return answer["Body"].read(), str(answer["ETag"])
            except ClientError as error:
                if error_code(error) in MISSING_OBJECT:
                    return None
                raise

    def _unless_changed(self, operation: str, **arguments: Any) -> bool:
        """Make a conditional change; False if the condition does not hold."""
        with translated(self._what):
            try:
                getattr(self._client, operation)(Bucket=self._bucket, **arguments)
            except ClientError as error:
                if error_code(error) in {"PreconditionFailed", "412"} | MISSING_OBJECT:
                    return False
                if error_code(error) == "ConditionalRequestConflict":
                    raise UpstreamUnavailable(f"{self._what} is being written to; try again", retry_after=1) from error
                raise
        return True

    def link(self, key: str, seconds: int) -> str | None:
        """A URL that fetches the object without credentials for `seconds`; None if there is no object."""
        place = {"Bucket": self._bucket, "Key": key}
        with translated(self._what):
            try:
                self._client.head_object(**place)
            except ClientError as error:
                if error_code(error) in MISSING_OBJECT:
                    return None
                raise
            return str(self._client.generate_presigned_url("get_object", Params=place, ExpiresIn=seconds))

    def move(self, source: str, target: str) -> bool:
        """Copy, then delete the source; False if there is no source."""
        with translated(self._what):
            try:
                self._client.copy_object(
                    Bucket=self._bucket, Key=target, CopySource={"Bucket": self._bucket, "Key": source}
                )
            except ClientError as error:
                if error_code(error) in MISSING_OBJECT:
                    return False
                raise
            self._client.delete_object(Bucket=self._bucket, Key=source)
        return True
