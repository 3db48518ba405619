"""Wire models of predictions: requests, jobs, the state machine's steps. `app.py` loads them at every start."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from chalicelib.errors import InvalidInput

DataFormat = Literal["csv", "parquet", "jsonl"]
FeatureType = Literal["number", "integer", "boolean", "text", "category", "date", "timestamp"]
ModelInput = Literal["array", "frame", "column"]
MAX_FEATURES = 2000
JobState = Literal["queued", "planning", "running", "completing", "succeeded", "failed", "cancelled"]
BUCKET_PATTERN = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"

Uri = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1200,
        examples=["s3://bucket/key.csv"],
        extra_json_schema={"pattern": rf"^s3://{BUCKET_PATTERN}/[^\x00-\x1f\x7f]{{0,1023}}[^\x00-\x1f\x7f/]$"},
    ),
]
Name = Annotated[str, Meta(min_length=1, max_length=128)]


class ModelFeature(Struct, frozen=True):
    """One feature of a model: its name, its type, and whether the model takes a row without it."""

    name: Name
    type: FeatureType = "number"
    missing: bool = False


class PredictionRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Score the rows of one object with a model, and write them with their predictions to another.

    `format` tells csv, parquet or jsonl where an extension does not; `.gz` at the end of a key means gzip.
    """

    model_s3_uri: Annotated[Uri, Meta(description="The model; its signed manifest lies beside it.")]
    data_s3_uri: Annotated[Uri, Meta(description="The rows to score: CSV with a header, Parquet or JSON Lines.")]
    output_s3_uri: Annotated[Uri, Meta(description="Where the rows with their predictions go.")]
    prediction_column_name: Annotated[Name, Meta(description="The name of the new column.", examples=["prediction"])]
    feature_columns: Annotated[
        tuple[Name, ...],
        Meta(
            min_length=1,
            max_length=MAX_FEATURES,
            description="The model's features, in its order.",
            extra_json_schema={"uniqueItems": True},
        ),
    ]
    format: DataFormat | None = None
    probabilities: Annotated[bool, Meta(description="Add one column of probabilities for each class.")] = False
    overwrite: Annotated[bool, Meta(description="Replace an object that is already at the output.")] = False
    model_sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="Accept only this model.")] | None = None
    client_token: (
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}$", description="One token, one job: safe to send twice.")]
        | None
    ) = None


class JobError(Struct, frozen=True):
    """Why a job failed; `code` is one of the codes of a single call, or "workflow_failed"."""

    code: str
    message: str


class PredictionJob(Struct, frozen=True, kw_only=True):
    """A job as its caller sees it."""

    job_id: str
    state: JobState
    model_s3_uri: str
    data_s3_uri: str
    output_s3_uri: str
    created_at: datetime
    updated_at: datetime
    attempt: int = 1
    rows_done: int = 0
    rows_total: int | None = None
    parts_done: int = 0
    parts_total: int | None = None
    output_bytes: int | None = None
    error: JobError | None = None


class PredictionJobsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of jobs; `after` is the `next` of the page before."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    after: Annotated[str, Meta(min_length=1, max_length=400)] | None = None


class PredictionJobPage(Struct, frozen=True, kw_only=True):
    """Jobs, newest first, and where the next page begins."""

    jobs: list[PredictionJob]
    next: str | None = None


class PredictionOutcome(Struct, frozen=True, kw_only=True):
    """What a single call did; `peak_mib` is the most memory that its process has had, libraries and all."""

    rows: int
    bytes: int
    model_sha256: str
    output_s3_uri: str
    seconds: float
    peak_mib: float


class HandedOver(Struct, frozen=True, kw_only=True):
    """A single call that became a job: too large for one call, or for the time that was left."""

    job_id: str
    reason: str


class PredictionStep(Struct, frozen=True, kw_only=True):
    """The input of the steps that are for a whole job; a plan's output has more."""

    job_id: str


class Planned(Struct, frozen=True, kw_only=True):
    """Where the map finds its items, and how many there are."""

    job_id: str
    bucket: str
    key: str
    parts: int


class PredictionPart(Struct, frozen=True, kw_only=True):
    """One item of the map: a stretch of the data."""

    job_id: str
    number: int
    start: int
    stop: int
    first_row: int
    rows: int


class Done(Struct, frozen=True, kw_only=True):
    """What a part or a whole job wrote."""

    job_id: str
    rows: int
    bytes: int


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
