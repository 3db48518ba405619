"""The single call: check, open, score, write; what is too large for it, or for its time, becomes a job."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from chalicelib.errors import InvalidInput, OmnibusError
from chalicelib.predictions.jobs import check_output
from chalicelib.predictions.models import Models
from chalicelib.predictions.ports import Objects
from chalicelib.predictions.requests import AllowLists, PredictionRequest, accept
from chalicelib.predictions.scan import OutOfTime, open_task, score_span, whole_span

MARGIN_S = 20.0
"""What must be left of an invocation's time to score another block, finish the upload and answer."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a single call did."""

    rows: int
    bytes: int
    model_sha256: str
    output_s3_uri: str
    seconds: float


class HandedOver(msgspec.Struct, frozen=True, kw_only=True):
    """The call became a job: too large for one call, or for the time that was left."""

    job_id: str
    reason: str


@dataclass(frozen=True)
class BatchPredictions:
    """Scores one object in one call.

    `submit` makes a job of a request and returns its id; `single_call_bytes` is the size beyond which it is asked
    to; `clock` counts seconds.
    """

    objects: Objects
    models: Models
    allowed: AllowLists
    clock: Callable[[], float]
    workers: int
    single_call_bytes: int
    submit: Callable[[PredictionRequest], str] | None = None

    def predict(self, request: PredictionRequest, seconds_left: Callable[[], float]) -> Outcome | HandedOver:
        """Score the data of `request` into its output; `seconds_left` tells the time that the invocation has.

        Raises InvalidInput, Forbidden, NotFound, Conflict for what the caller can mend, each with its own code;
        OutOfTime where the work cannot become a job; RateLimited and Upstream* from S3. Nothing partial is left.
        """
        began = self.clock()
        order = accept(request, self.allowed)
        check_output(self.objects, order)
        task = open_task(order, self.objects, self.models)
        if task.splittable and task.data.bytes > self.single_call_bytes and self.submit:
            return HandedOver(job_id=self.submit(request), reason="too large for one call")
        try:
            with self.objects.create(
                order.output, overwrite=request.overwrite, expected_bytes=task.data.bytes * 2
            ) as output:
                rows = score_span(
                    task,
                    whole_span(task),
                    self.objects,
                    output,
                    workers=self.workers,
                    out_of_time=lambda: seconds_left() < MARGIN_S,
                )
                require_rows(rows)
        except OutOfTime:
            if task.splittable and self.submit:
                return HandedOver(job_id=self.submit(request), reason="too long for one call")
            raise
        return Outcome(
            rows=rows,
            bytes=output.written().bytes,
            model_sha256=task.model.manifest.sha256,
            output_s3_uri=str(order.output),
            seconds=round(self.clock() - began, 3),
        )


def require_rows(rows: int) -> None:
    """InvalidInput ("empty_data") unless there are rows."""
    if rows == 0:
        raise InvalidInput.of("data_s3_uri", "has a header and no rows", "at least one row", code="empty_data")


def proxy_status(error: OmnibusError) -> int:
    """The status of the direct-invoke contract: 400 what the caller can mend, 429 and 503 passed on, 500 the rest."""
    if error.status in (429, 503):
        return error.status
    if error.status == 504:
        return 503
    return 400 if 400 <= error.status < 500 else 500
