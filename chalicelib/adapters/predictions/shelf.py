"""Objects of predictions as people browse them: listings, and presigned permission to upload and download."""

from collections.abc import Mapping
from typing import Any

from chalicelib.adapters.aws import translated
from chalicelib.predictions.places import ObjectUri
from chalicelib.predictions.ports import ShelvedObject

WHAT = "the bucket of predictions"


class S3Shelf:
    """`ports.PredictionShelf` over S3; its `client` signs with s3v4."""

    def __init__(self, client: Any) -> None:
        self._s3 = client

    def listed(self, place: ObjectUri, limit: int, after: str | None) -> tuple[list[ShelvedObject], str | None]:
        """A page of the objects under a place, by key."""
        begin = {"StartAfter": after} if after else {}
        with translated(WHAT):
            answer = self._s3.list_objects_v2(Bucket=place.bucket, Prefix=place.key, MaxKeys=limit, **begin)
        found = [
            ShelvedObject(ObjectUri(place.bucket, it["Key"]), it["Size"], it["LastModified"])
            for it in answer.get("Contents", ())
        ]
        return found, found[-1].uri.key if answer.get("IsTruncated") and found else None

    def form(self, uri: ObjectUri, content_type: str, max_bytes: int, seconds: int) -> tuple[str, Mapping[str, str]]:
        """A form for one POST: S3 holds the sender to the key, the type and the size."""
        fixed = {"Content-Type": content_type, "success_action_status": "201"}
        with translated(WHAT):
            form = self._s3.generate_presigned_post(
                Bucket=uri.bucket,
                Key=uri.key,
                Fields=dict(fixed),
                Conditions=[fixed_field(name, value) for name, value in fixed.items()]
                + [["content-length-range", 1, max_bytes]],
                ExpiresIn=seconds,
            )
        return form["url"], form["fields"]

    def link(self, uri: ObjectUri, seconds: int) -> str:
        """A URL that downloads the object as a file."""
        name = uri.key.rsplit("/", 1)[-1].replace('"', "")
        parameters = {
            "Bucket": uri.bucket,
            "Key": uri.key,
            "ResponseContentDisposition": f'attachment; filename="{name}"',
        }
        with translated(WHAT):
            url: str = self._s3.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)
        return url


def fixed_field(name: str, value: str) -> dict[str, str]:
    """The condition that a field of a form has one value."""
    return {name: value}
