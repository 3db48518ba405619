"""Uploaded objects in a versioned S3 bucket, and presigned permissions to write and read them."""

from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters import aws
from chalicelib.uploads.ports import PostForm, Stored

WHAT = "The uploads bucket"
ABSENT = aws.MISSING_OBJECT | {"MethodNotAllowed", "405"}
"""S3 answers 405 for a delete marker."""


class UploadStorage:
    """The bucket, for permissions and for reading; its `client` signs with s3v4."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._s3 = client
        self._bucket = bucket

    def put_url(self, key: str, content_type: str, content_length: int | None, seconds: int) -> str:
        """A URL for one PUT; S3 enforces the signed type, and the length if it is signed."""
        parameters: dict[str, Any] = {"Bucket": self._bucket, "Key": key, "ContentType": content_type}
        if content_length is not None:
            parameters["ContentLength"] = content_length
        return self._presigned("put_object", parameters, seconds)

    def post_form(self, key: str, max_bytes: int, seconds: int) -> PostForm:
        """A form for one POST; S3 enforces the key, an image type and 1 to `max_bytes` bytes."""
        with aws.translated(WHAT):
            form = self._s3.generate_presigned_post(
                Bucket=self._bucket,
                Key=key,
                Fields={"success_action_status": "201"},
                Conditions=[
                    {"success_action_status": "201"},
                    ["content-length-range", 1, max_bytes],
                    ["starts-with", "$Content-Type", "image/"],
                ],
                ExpiresIn=seconds,
            )
        return PostForm(form["url"], form["fields"])

    def link(self, key: str, version: str, content_type: str, seconds: int) -> str:
        """A URL that serves one version as `content_type`, never as a page."""
        parameters = {
            "Bucket": self._bucket,
            "Key": key,
            "VersionId": version,
            "ResponseContentType": content_type,
            "ResponseContentDisposition": "inline",
        }
        return self._presigned("get_object", parameters, seconds)

    def origins(self) -> frozenset[str]:
        """The origins that a browser contacts for the three kinds of permission."""
        urls = (
            self.put_url("k", "image/jpeg", None, 1),
            self.post_form("k", 1, 1).url,
            self.link("k", "v", "image/jpeg", 1),
        )
        return frozenset("{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in urls)

    def peek(self, key: str, version: str, length: int) -> Stored | None:
        """Size and first bytes by one ranged read; None if the object or version is gone."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key, VersionId=version, Range=f"bytes=0-{length - 1}")
            with answer["Body"] as body:
                head = body.read(length)
        except ClientError as error:
            code = aws.error_code(error)
            if code == "InvalidRange":
                return Stored(0, b"")  # an empty object has no byte 0
            if code in ABSENT:
                return None
            raise aws.translate(error, WHAT) from error
        except BotoCoreError as error:
            raise aws.translate(error, WHAT) from error
        total = answer.get("ContentRange", "").rpartition("/")[2]
        return Stored(int(total) if total.isdigit() else answer["ContentLength"], head)

    def delete(self, key: str, version: str) -> None:
        """Delete a version permanently, without a delete marker."""
        with aws.translated(WHAT):
            self._s3.delete_object(Bucket=self._bucket, Key=key, VersionId=version)

    def _presigned(self, operation: str, parameters: dict[str, Any], seconds: int) -> str:
        with aws.translated(WHAT):
            url: str = self._s3.generate_presigned_url(operation, Params=parameters, ExpiresIn=seconds)
        return url
