"""What a caller asks for: the request's fields, the objects that it names, and what of it is allowed."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from chalicelib.errors import Forbidden, InvalidInput, Unprocessable

Format = Literal["csv", "parquet"]

FORMATS: Mapping[str, Format] = {"csv": "csv", "parquet": "parquet", "pq": "parquet"}
MAX_KEY_BYTES = 1024
_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_CONTROL = r"[\x00-\x1f\x7f]"

Uri = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1200,
        examples=["s3://bucket/key.csv"],
        extra_json_schema={"pattern": rf"^s3://{_BUCKET}/[^\x00-\x1f\x7f]{{0,1023}}[^\x00-\x1f\x7f/]$"},
    ),
]
Name = Annotated[str, Meta(min_length=1, max_length=128)]


class PredictionRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Score the rows of one object with a model, and write them with their predictions to another.

    `format` tells csv or parquet where an extension does not; `.gz` at the end of a key means gzip.
    """

    model_s3_uri: Annotated[Uri, Meta(description="The model; its signed manifest lies beside it.")]
    data_s3_uri: Annotated[Uri, Meta(description="The rows to score: CSV with a header, or Parquet.")]
    output_s3_uri: Annotated[Uri, Meta(description="Where the rows with their predictions go.")]
    prediction_column_name: Annotated[Name, Meta(description="The name of the new column.", examples=["prediction"])]
    feature_columns: Annotated[
        tuple[Name, ...],
        Meta(
            min_length=1,
            max_length=2000,
            description="The model's features, in its order.",
            extra_json_schema={"uniqueItems": True},
        ),
    ]
    format: Format | None = None
    probabilities: Annotated[bool, Meta(description="Add one column of probabilities for each class.")] = False
    overwrite: Annotated[bool, Meta(description="Replace an object that is already at the output.")] = False
    model_sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="Accept only this model.")] | None = None
    client_token: (
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}$", description="One token, one job: safe to send twice.")]
        | None
    ) = None


class ObjectUri(NamedTuple):
    """The place of one S3 object."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Layout(NamedTuple):
    """How an object is written: its format, and whether gzip is around it."""

    format: Format
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
    """Where models, data and output may lie, each its own list."""

    models: AllowList
    data: AllowList
    output: AllowList


class Order(Struct, frozen=True):
    """A request whose every statement that needs no look at S3 has been checked."""

    request: PredictionRequest
    model: ObjectUri
    data: ObjectUri
    output: ObjectUri
    data_layout: Layout
    output_layout: Layout


def parse_event(event: Any) -> PredictionRequest:
    """The request in a direct invocation's event; InvalidInput names the first field that is wrong."""
    try:
        return msgspec.json.decode(msgspec.json.encode(event), type=PredictionRequest)
    except UnicodeEncodeError:
        raise InvalidInput.of("event", "holds half a surrogate pair", "Unicode text") from None
    except RecursionError:
        raise InvalidInput.of("event", "is nested too deeply", "only the documented fields") from None
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `")
        field = path.rstrip("`").removeprefix("$").lstrip(".") or "event"
        if text.startswith("Object missing required field"):
            raise InvalidInput.of(text.split("`")[1], "is missing", "a value", code="missing_field") from None
        if text.startswith("Object contains unknown field"):
            raise InvalidInput.of(text.split("`")[1], "is unknown", "only the documented fields") from None
        wanted = text.removeprefix("Expected ").replace("`", "")
        raise InvalidInput.of(field, "is not acceptable", wanted) from None


def parse_uri(field: str, text: str) -> ObjectUri:
    """`text` as the place of an object; InvalidInput with the code "malformed_uri" if it names none."""
    expected = "s3://bucket/key"
    scheme, _, rest = text.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3":
        raise InvalidInput.of(field, "is not an S3 URI", expected, code="malformed_uri")
    if not re.fullmatch(_BUCKET, bucket):
        raise InvalidInput.of(field, "names no valid bucket", expected, code="malformed_uri")
    if not key or key.endswith("/"):
        raise InvalidInput.of(field, "names no object", expected, code="malformed_uri")
    if len(key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES or re.search(_CONTROL, key) or not _encodable(key):
        raise InvalidInput.of(field, "has a key that S3 cannot hold", expected, code="malformed_uri")
    return ObjectUri(bucket, key)


def layout_of(field: str, uri: ObjectUri, stated: Format | None) -> Layout:
    """The layout of an object by its key's extension, or as stated where the extension does not tell."""
    name = uri.key.rsplit("/", 1)[-1].lower()
    gzip = name.endswith(".gz")
    extension = name.removesuffix(".gz").rpartition(".")[2]
    found = FORMATS.get(extension) or stated
    if found is None or extension == "zip":
        raise InvalidInput.of(
            field,
            "has an extension that tells no format",
            ".csv, .csv.gz or .parquet, or `format`",
            code="unknown_format",
        )
    if gzip and found == "parquet":
        raise InvalidInput.of(field, "is Parquet inside gzip", "Parquet as it is", code="unknown_format")
    return Layout(found, gzip)


def accept(request: PredictionRequest, allowed: AllowLists) -> Order:
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
    return Order(
        request,
        model,
        data,
        output,
        layout_of("data_s3_uri", data, request.format),
        layout_of("output_s3_uri", output, request.format),
    )


def locate_columns(columns: Sequence[str], request: PredictionRequest, added: Sequence[str]) -> list[int]:
    """Positions of the feature columns among the data's `columns`; `added` must be new to them.

    Raises Unprocessable: "missing_column", "duplicate_column" (a feature that occurs twice), "column_exists".
    """
    times = Counter(columns)
    for name in request.feature_columns:
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
