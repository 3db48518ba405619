"""Places in S3 and how their objects are written; which of them a request may name."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from chalicelib.errors import Forbidden, InvalidInput, Unprocessable
from chalicelib.predictions.models import BUCKET_PATTERN, DataFormat, PredictionRequest

FORMATS: Mapping[str, DataFormat] = {
    "csv": "csv",
    "parquet": "parquet",
    "pq": "parquet",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
}
MAX_KEY_BYTES = 1024
_CONTROL = r"[\x00-\x1f\x7f]"


class ObjectUri(NamedTuple):
    """The place of one S3 object."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Layout(NamedTuple):
    """The encoding of an object: its format, and whether it is gzipped."""

    format: DataFormat
    gzip: bool


class AllowList(Struct, frozen=True):
    """The buckets and prefixes that one direction may touch; a prefix is empty or ends in "/"."""

    what: str
    places: tuple[ObjectUri, ...]

    def check(self, field: str, uri: ObjectUri) -> None:
        """Forbidden unless `uri` lies in one of the places."""
        if not any(uri.bucket == place.bucket and uri.key.startswith(place.key) for place in self.places):
            raise Forbidden(
                f"{field}: {uri} is outside the places that are allowed for {self.what}", code="not_allowed"
            )


class AllowLists(Struct, frozen=True):
    """The allowed places of models, data and output, each its own list."""

    models: AllowList
    data: AllowList
    output: AllowList


class PredictionOrder(Struct, frozen=True):
    """A request whose every statement that needs no look at S3 has been checked."""

    request: PredictionRequest
    model: ObjectUri
    data: ObjectUri
    output: ObjectUri
    data_layout: Layout
    output_layout: Layout


def parse_uri(field: str, text: str) -> ObjectUri:
    """`text` as the place of an object; InvalidInput with the code "malformed_uri" if it names none."""
    expected = "s3://bucket/key"
    scheme, _, rest = text.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3":
        raise InvalidInput.of(field, "is not an S3 URI", expected, code="malformed_uri")
    if not re.fullmatch(BUCKET_PATTERN, bucket):
        raise InvalidInput.of(field, "names no valid bucket", expected, code="malformed_uri")
    if not key or key.endswith("/"):
        raise InvalidInput.of(field, "names no object", expected, code="malformed_uri")
    if len(key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES or re.search(_CONTROL, key) or not _encodable(key):
        raise InvalidInput.of(field, "has a key that S3 cannot hold", expected, code="malformed_uri")
    return ObjectUri(bucket, key)


def layout_of(field: str, uri: ObjectUri, stated: DataFormat | None) -> Layout:
    """The layout of an object by its key's extension, or as stated where the extension does not tell."""
    name = uri.key.rsplit("/", 1)[-1].lower()
    gzip = name.endswith(".gz")
    extension = name.removesuffix(".gz").rpartition(".")[2]
    found = FORMATS.get(extension) or stated
    if found is None or extension == "zip":
        raise InvalidInput.of(
            field,
            "has an extension that tells no format",
            ".csv, .jsonl, either with .gz, or .parquet, or `format`",
            code="unknown_format",
        )
    if gzip and found == "parquet":
        raise InvalidInput.of(field, "is Parquet inside gzip", "Parquet as it is", code="unknown_format")
    return Layout(found, gzip)


def checked_order(request: PredictionRequest, allowed: AllowLists) -> PredictionOrder:
    """Check everything about `request` that needs no look at S3.

    Raises InvalidInput ("malformed_uri", "unknown_format", "duplicate_feature"), Forbidden ("not_allowed"),
    Unprocessable ("output_is_input", "column_exists").
    """
    model = parse_uri("model_s3_uri", request.model_s3_uri)
    data = parse_uri("data_s3_uri", request.data_s3_uri)
    output = parse_uri("output_s3_uri", request.output_s3_uri)
    allowed.models.check("model_s3_uri", model)
    allowed.data.check("data_s3_uri", data)
    allowed.output.check("output_s3_uri", output)
    if output in (data, model):
        raise Unprocessable.of("output_s3_uri", "is an input", "another object", code="output_is_input")
    repeated = [name for name, times in Counter(request.feature_columns).items() if times > 1]
    if repeated:
        raise InvalidInput.of("feature_columns", f"repeats {repeated[0]!r}", "each once", code="duplicate_feature")
    if request.prediction_column_name in request.feature_columns:
        raise Unprocessable.of(
            "prediction_column_name", "is a feature column", "a name that the data lacks", code="column_exists"
        )
    return PredictionOrder(
        request,
        model,
        data,
        output,
        layout_of("data_s3_uri", data, request.format),
        layout_of("output_s3_uri", output, request.format),
    )


OTHER_SEPARATORS = (";", "\t", "|")


def locate_columns(columns: Sequence[str], request: PredictionRequest, added: Sequence[str]) -> list[int]:
    """Positions of the feature columns among the data's `columns`; `added` must be new to them.

    Raises Unprocessable: "missing_column", "duplicate_column" (a feature that occurs twice), "column_exists".
    """
    times = Counter(columns)
    for name in request.feature_columns:
        if times[name] == 0 and len(columns) == 1 and (found := [it for it in OTHER_SEPARATORS if it in columns[0]]):
            raise Unprocessable.of(
                "data_s3_uri", f"has {found[0]!r} between its columns", "commas", code="missing_column"
            )
        if times[name] == 0:
            raise Unprocessable.of(
                "feature_columns", f"{name!r} is not in the data", _one_of(columns), code="missing_column"
            )
        if times[name] > 1:
            raise Unprocessable.of(
                "feature_columns", f"{name!r} is {times[name]} times in the data", "it once", code="duplicate_column"
            )
    for name in added:
        if name in times:
            raise Unprocessable.of(
                "prediction_column_name", f"{name!r} is a column of the data", "a new name", code="column_exists"
            )
    positions = {name: index for index, name in enumerate(columns)}
    return [positions[name] for name in request.feature_columns]


def _one_of(columns: Sequence[str], shown: int = 20) -> str:
    names = ", ".join(repr(name[:40]) for name in columns[:shown])
    return f"one of {names}" + (f" and {len(columns) - shown} more" if len(columns) > shown else "")


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
