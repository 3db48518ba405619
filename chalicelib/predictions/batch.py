"""The single call: check, open, score, write; what is too large for it, or for its time, becomes a job."""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.errors import InvalidInput
from chalicelib.predictions.deadline import OutOfTime
from chalicelib.predictions.estimators import Models
from chalicelib.predictions.jobs import check_output
from chalicelib.predictions.models import HandedOver, PredictionOutcome, PredictionRequest
from chalicelib.predictions.places import AllowLists, checked_order
from chalicelib.predictions.ports import Meter, PredictionObjects
from chalicelib.predictions.scan import open_task, score_span, whole_span


@dataclass(frozen=True)
class BatchPredictions:
    """Scores one object in one call.

    `submit` makes a job of a request and returns its id; `single_call_bytes` is the size beyond which it is asked
    to; `clock` counts seconds.
    """

    objects: PredictionObjects
    models: Models
    allowed: AllowLists
    clock: Callable[[], float]
    meter: Meter
    workers: int
    single_call_bytes: int
    submit: Callable[[PredictionRequest], str] | None = None

    def predict(self, request: PredictionRequest, seconds_left: Callable[[], float]) -> PredictionOutcome | HandedOver:
        """Score the data of `request` into its output; `seconds_left` tells the time that the invocation has.

        Raises InvalidInput, Forbidden, NotFound, Conflict for what the caller can mend, each with its own code;
        OutOfTime where the work cannot become a job; RateLimited and Upstream* from S3. Nothing partial is left.
        """
        began = self.clock()
        order = checked_order(request, self.allowed)
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
                    seconds_left=seconds_left,
                )
                require_rows(rows)
        except OutOfTime:
            if task.splittable and self.submit:
                return HandedOver(job_id=self.submit(request), reason="too long for one call")
            raise
        seconds = round(self.clock() - began, 3)
        self.meter.scored(rows, seconds)
        return PredictionOutcome(
            rows=rows,
            bytes=output.written().bytes,
            model_sha256=task.model.manifest.sha256,
            output_s3_uri=str(order.output),
            seconds=seconds,
            peak_mib=round(self.meter.peak_mib(), 1),
        )


def require_rows(rows: int) -> None:
    """InvalidInput ("empty_data") unless there are rows."""
    if rows == 0:
        raise InvalidInput.of("data_s3_uri", "has a header and no rows", "at least one row", code="empty_data")
