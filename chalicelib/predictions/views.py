"""What callers and the state machine see of jobs; values alone, because app.py loads them at every start."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

State = Literal["queued", "planning", "running", "completing", "succeeded", "failed", "cancelled"]


class JobError(msgspec.Struct, frozen=True):
    """Why a job failed; `code` is one of the codes of a single call, or "workflow_failed"."""

    code: str
    message: str


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as its caller sees it."""

    job_id: str
    state: State
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


class JobsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of jobs; `after` is the `next` of the page before."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    after: Annotated[str, Meta(min_length=1, max_length=400)] | None = None


class JobPage(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs, newest first, and where the next page begins."""

    jobs: list[Job]
    next: str | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a single call did; `peak_mib` is the most memory that its process has had, libraries and all."""

    rows: int
    bytes: int
    model_sha256: str
    output_s3_uri: str
    seconds: float
    peak_mib: float


class HandedOver(msgspec.Struct, frozen=True, kw_only=True):
    """A single call that became a job: too large for one call, or for the time that was left."""

    job_id: str
    reason: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """The input of the steps that are for a whole job; a plan's output has more."""

    job_id: str


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """Where the map finds its items, and how many there are."""

    job_id: str
    bucket: str
    key: str
    parts: int


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One item of the map: a stretch of the data."""

    job_id: str
    number: int
    start: int
    stop: int
    first_row: int
    rows: int


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What a part or a whole job wrote."""

    job_id: str
    rows: int
    bytes: int
