"""The single call: check, open, score, write; data that is too large for it, or for its time, becomes a job."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from chalicelib.errors import InvalidInput
from chalicelib.predictions.deadline import OutOfTime
from chalicelib.predictions.estimators import Models
from chalicelib.predictions.jobs import check_output
from chalicelib.predictions.jsonlines import read_records
from chalicelib.predictions.models import (
    DirectRequest,
    DryRun,
    HandedOver,
    PredictionEstimate,
    PredictionOutcome,
    PredictionRequest,
    Preview,
    PreviewOrder,
    PreviewRequest,
)
from chalicelib.predictions.places import AllowLists, PredictionOrder, checked_order, parse_uri
from chalicelib.predictions.ports import Meter, PredictionObjects
from chalicelib.predictions.reuse import FinishedWork
from chalicelib.predictions.scan import open_task, score_first, score_span, whole_span
from chalicelib.predictions.scoring import predict_rows
from chalicelib.predictions.tables import open_parquet

GB_SECOND_USD, FUNCTION_GB = 0.0000166667, 1769 / 1024
"""The basis of a dry run's estimate: Lambda's list price in us-east-1, and the scoring functions' memory."""


@dataclass(frozen=True)
class BatchPredictions:
    """Scores one object in one call.

    `submit` turns a request into a job and returns its id, for data of more than `single_call_bytes`; `finished` finds
    earlier results; `clock` counts seconds.
    """

    objects: PredictionObjects
    models: Models
    allowed: AllowLists
    clock: Callable[[], float]
    meter: Meter
    workers: int
    single_call_bytes: int
    submit: Callable[[PredictionRequest], str] | None = None
    finished: FinishedWork | None = None

    def respond(
        self, asked: DirectRequest, seconds_left: Callable[[], float]
    ) -> PredictionOutcome | HandedOver | Preview | PredictionEstimate:
        """Do what a direct invocation asks for."""
        if isinstance(asked, PreviewOrder):
            return self.preview(asked.preview)
        return self.estimate(asked.dry_run) if isinstance(asked, DryRun) else self.predict(asked, seconds_left)

    def preview(self, request: PreviewRequest) -> Preview:
        """Score a few rows of JSON, by the same rules as JSON Lines.

        Raises what `Models.open_any`, `read_records` and `predict_rows` raise, InvalidInput ("no_rows").
        """
        place = parse_uri("model_s3_uri", request.model_s3_uri)
        self.allowed.models.check("model_s3_uri", place)
        model = self.models.open_any(place)
        block = b"\n".join(map(msgspec.json.encode, _records(request)))
        rows = read_records(block, model.features, (), 0)
        names = model.added_names("prediction", probabilities=request.probabilities)
        inputs = model.inputs(rows.arrays, model.features, 0)
        first, *probabilities = predict_rows(lambda it: model.columns(names, it), inputs, 0)
        table = np.column_stack([it.values for it in probabilities]).tolist() if probabilities else None
        return Preview(
            predictions=[None if value != value else value for value in first.values.tolist()],
            model_sha256=model.manifest.sha256,
            probabilities=table,
            classes=list(model.manifest.classes) if table and model.manifest.classes else None,
        )

    def estimate(self, request: PredictionRequest) -> PredictionEstimate:
        """Check a request, its model and the first block of its data; nothing is written."""
        order = checked_order(request, self.allowed)
        check_output(self.objects, order)
        task = open_task(order, self.objects, self.models)
        began = self.clock()
        checked, share = score_first(task, self.objects)
        require_rows(checked)
        seconds = (self.clock() - began) / share
        counted = None if task.header else open_parquet(self.objects, task.data).metadata.num_rows
        return PredictionEstimate(
            rows=counted or round(checked / share),
            rows_are_counted=counted is not None or share == 1,
            rows_checked=checked,
            columns=len(task.columns.names),
            features=list(task.model.features),
            model_sha256=task.model.manifest.sha256,
            seconds=round(seconds, 2),
            cost_usd=round(seconds * FUNCTION_GB * GB_SECOND_USD, 6),
        )

    def predict(self, request: PredictionRequest, seconds_left: Callable[[], float]) -> PredictionOutcome | HandedOver:
        """Score the data of `request` into its output; `seconds_left` is the invocation's remaining time.

        The same request for the same versions of model and data returns its finished output, unless `fresh` is set.
        Raises InvalidInput, Forbidden, NotFound, Conflict for errors that the caller can fix, each with its own code;
        OutOfTime if the work cannot become a job; RateLimited and Upstream* from S3. It leaves no partial output.
        """
        began = self.clock()
        order = checked_order(request, self.allowed)
        work = self.finished.fingerprint(order) if self.finished else ""
        if self.finished and not request.fresh and (job := self.finished.find(work, order)):
            known = self._outcome(order, began, job.rows_total or 0, job.output_bytes or 0, job.model_sha256 or "")
            return msgspec.structs.replace(known, reused=True)
        check_output(self.objects, order)
        task = open_task(order, self.objects, self.models)
        if task.splittable and task.data.bytes > self.single_call_bytes and self.submit:
            return HandedOver(job_id=self.submit(request), reason="too large for one call")
        mark = self.finished.new_id() if self.finished else None
        try:
            with self.objects.create(
                order.output, overwrite=request.overwrite, expected_bytes=task.data.bytes * 2, mark=mark
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
        done = self._outcome(order, began, rows, output.written().bytes, task.model.manifest.sha256)
        self.meter.scored(rows, done.seconds)
        if self.finished and mark:
            self.finished.record(work, mark, request, done)
        return done

    def _outcome(self, order: PredictionOrder, began: float, rows: int, size: int, digest: str) -> PredictionOutcome:
        return PredictionOutcome(
            rows=rows,
            bytes=size,
            model_sha256=digest,
            output_s3_uri=str(order.output),
            seconds=round(self.clock() - began, 3),
            peak_mib=round(self.meter.peak_mib(), 1),
        )


def _records(request: PreviewRequest) -> Iterable[Any]:
    if (request.dataframe_records is None) == (request.dataframe_split is None):
        raise InvalidInput.of("body", "has not one field of rows", "records or split", code="no_rows")
    split = request.dataframe_split
    if split is None:
        return request.dataframe_records or ()
    for number, row in enumerate(split.data, 1):
        if len(row) != len(split.columns):
            raise InvalidInput.of(f"row {number}", f"has {len(row)} values", f"{len(split.columns)}", code="ragged_row")
    return [dict(zip(split.columns, row, strict=True)) for row in split.data]


def require_rows(rows: int) -> None:
    """InvalidInput ("empty_data") unless there are rows."""
    if rows == 0:
        raise InvalidInput.of("data_s3_uri", "has a header and no rows", "at least one row", code="empty_data")
