"""Wire models of predictions: requests, jobs, the state machine's steps. `app.py` imports them at every start."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from chalicelib.errors import InvalidInput

DataFormat = Literal["csv", "parquet", "jsonl"]
FeatureType = Literal["number", "integer", "boolean", "text", "category", "date", "timestamp"]
ModelInput = Literal["array", "frame", "column"]
MAX_FEATURES = 2000
MAX_PREVIEW = 100
PREVIEW_BYTES = 1024 * 1024
JobState = Literal["checked", "queued", "planning", "running", "completing", "succeeded", "failed", "cancelled"]
BUCKET_PATTERN = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"

Uri = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1200,
        examples=["s3://bucket/key.csv"],
        extra_json_schema={"pattern": rf"^s3://{BUCKET_PATTERN}/[^\x00-\x1f\x7f]{{0,1023}}[^\x00-\x1f\x7f/](?![\s\S])"},
    ),
]
Name = Annotated[str, Meta(min_length=1, max_length=128)]

Asked = TypeVar("Asked")


class ModelFeature(Struct, frozen=True):
    """One feature of a model: its name, its type, and whether the model accepts rows without it."""

    name: Name
    type: FeatureType = "number"
    missing: bool = False


class PredictionRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to score the rows of one object with a model, and to write them with predictions to another.

    `format` is csv, parquet or jsonl, for keys without such an extension; `.gz` at the end of a key means gzip.
    """

    model_s3_uri: Annotated[Uri, Meta(description="The model; its signed manifest lies next to it.")]
    data_s3_uri: Annotated[Uri, Meta(description="The rows to score: CSV with a header, Parquet or JSON Lines.")]
    output_s3_uri: Annotated[Uri, Meta(description="The place for the rows with their predictions.")]
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
    model_sha256: (
        Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?![\s\S])", description="Accept only this model.")] | None
    ) = None
    fresh: Annotated[bool, Meta(description="Score again, even if the same request already has an answer.")] = False
    client_token: (
        Annotated[
            str,
            Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}(?![\s\S])", description="One token starts one job: safe to retry."),
        ]
        | None
    ) = None


class PredictionEstimate(Struct, frozen=True, kw_only=True):
    """The result of a dry run: the request, the model and the first block are valid; estimates of time and cost.

    `cost_usd` is the cost of the Lambda functions at the list price of us-east-1.
    """

    rows: int
    rows_are_counted: bool
    rows_checked: int
    columns: int
    features: list[ModelFeature]
    model_sha256: str
    seconds: float
    cost_usd: float


class JobError(Struct, frozen=True):
    """Why a job failed; `code` is one of the codes of a single call, or "workflow_failed"."""

    code: str
    message: str


class PredictionJob(Struct, frozen=True, kw_only=True):
    """A job as callers see it."""

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
    model_sha256: str | None = None
    submitted_by: str | None = None
    seconds: float | None = None
    reused: bool = False
    estimate: PredictionEstimate | None = None


class PredictionJobsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of jobs, of one state if given; `after` is the `next` of the previous page."""

    state: JobState | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    after: Annotated[str, Meta(min_length=1, max_length=400)] | None = None


class PredictionJobPage(Struct, frozen=True, kw_only=True):
    """Jobs, newest first, and the start of the next page."""

    jobs: list[PredictionJob]
    next: str | None = None


class PredictionOutcome(Struct, frozen=True, kw_only=True):
    """The result of a single call; `peak_mib` is the peak memory of its process, including libraries.

    `reused` means that the output already existed, from the same model, data and request.
    """

    rows: int
    bytes: int
    model_sha256: str
    output_s3_uri: str
    seconds: float
    peak_mib: float
    reused: bool = False


class HandedOver(Struct, frozen=True, kw_only=True):
    """A single call that became a job: too large for one call, or for the remaining time."""

    job_id: str
    reason: str


class JobsWatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Subscribe an operator's socket to jobs, with the operator's proof: an ID token or the operators' token."""

    action: Literal["watch_jobs"]
    authorization: str | None = None
    operator_token: str | None = None


class PredictionStep(Struct, frozen=True, kw_only=True):
    """The input of the steps for a whole job; a plan's output has more."""

    job_id: str


class Planned(Struct, frozen=True, kw_only=True):
    """The location of the map's items, and their number."""

    job_id: str
    bucket: str
    key: str
    parts: int


class PredictionPart(Struct, frozen=True, kw_only=True):
    """One item of the map: a range of the data."""

    job_id: str
    number: int
    start: int
    stop: int
    first_row: int
    rows: int


class Done(Struct, frozen=True, kw_only=True):
    """The output of a part or a whole job."""

    job_id: str
    rows: int
    bytes: int


class SubmitQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Submission options: `dry_run` checks the request, the model and the first rows, and starts nothing."""

    dry_run: bool = False


class DryRun(Struct, frozen=True, forbid_unknown_fields=True):
    """The API's request to the function with the models: check a request."""

    dry_run: PredictionRequest


class SplitRows(Struct, frozen=True, forbid_unknown_fields=True):
    """Rows as `DataFrame.to_dict(orient="split")` writes them."""

    columns: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=MAX_FEATURES)]
    data: Annotated[tuple[tuple[Any, ...], ...], Meta(min_length=1, max_length=MAX_PREVIEW)]
    index: tuple[Any, ...] | None = None


class PreviewRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to score at most 100 rows; give one of the two fields of rows, both from MLflow's protocol."""

    model_s3_uri: Annotated[Uri, Meta(description="The model; its signed manifest lies next to it.")]
    dataframe_records: Annotated[tuple[dict[str, Any], ...], Meta(min_length=1, max_length=MAX_PREVIEW)] | None = None
    dataframe_split: SplitRows | None = None
    probabilities: bool = False


class PreviewOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """The API's request to the function with the models: score these rows."""

    preview: PreviewRequest


class Preview(Struct, frozen=True, kw_only=True):
    """A prediction for each row, and the probabilities of `classes` if requested."""

    predictions: list[str | bool | int | float | None]
    model_sha256: str
    probabilities: list[list[float]] | None = None
    classes: list[str | bool | int | float] | None = None


class PredictionModelsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of models; `after` is the `next` of the previous page."""

    limit: Annotated[int, Meta(ge=1, le=50)] = 20
    after: Annotated[str, Meta(min_length=1, max_length=1600)] | None = None


class PredictionModel(Struct, frozen=True, kw_only=True):
    """A published model, as its signed manifest describes it."""

    model_id: str
    name: str
    model_s3_uri: str
    estimator: str
    format: str
    features: list[ModelFeature]
    input: ModelInput | None
    classes: list[str | bool | int | float] | None
    metrics: dict[str, float]
    libraries: dict[str, str]
    sha256: str
    bytes: int
    created_at: datetime
    age_days: float
    published_by: str | None


class PredictionModelPage(Struct, frozen=True, kw_only=True):
    """Published models in the order of their keys, and the start of the next page."""

    models: list[PredictionModel]
    next: str | None = None


class DataFileRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A data file to upload; its extension names the format."""

    name: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,90}\.(parquet|pq|(csv|jsonl|ndjson)(\.gz)?)(?![\s\S])",
            examples=["rows.csv"],
        ),
    ]


class DataFileForm(Struct, frozen=True, kw_only=True):
    """A form for one POST to S3, which enforces the key, the type and the size."""

    url: str
    fields: dict[str, str]
    data_s3_uri: str
    content_type: str
    max_bytes: int
    expires_in: int


class DataFilesQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of data files; `after` is the `next` of the previous page."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    after: Annotated[str, Meta(min_length=1, max_length=1600)] | None = None


class DataFile(Struct, frozen=True):
    """A data file: its place, size, and time of writing."""

    data_s3_uri: str
    bytes: int
    modified_at: datetime


class DataFilePage(Struct, frozen=True, kw_only=True):
    """Data files in the order of their keys, and the start of the next page."""

    files: list[DataFile]
    next: str | None = None


class PredictionOutput(Struct, frozen=True, kw_only=True):
    """A link to a job's output, and its first rows as text (none for Parquet)."""

    output_s3_uri: str
    url: str
    expires_in: int
    bytes: int
    columns: list[str] | None = None
    rows: list[list[str]] | None = None


DirectRequest = PredictionRequest | PreviewOrder | DryRun


def parse_event(event: Any) -> DirectRequest:
    """The request of a direct invocation; InvalidInput names the first wrong field."""
    if isinstance(event, dict) and "preview" in event:
        return parse_as(event, PreviewOrder)
    if isinstance(event, dict) and "dry_run" in event:
        return parse_as(event, DryRun)
    return parse_as(event, PredictionRequest)


def parse_as(event: Any, model: type[Asked]) -> Asked:
    """An event as a `model`; InvalidInput names the first wrong field."""
    try:
        return msgspec.json.decode(msgspec.json.encode(event), type=model)
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
