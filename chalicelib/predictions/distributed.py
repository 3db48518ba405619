"""A job's three steps in the state machine: plan it, score its parts in parallel, join them.

Each step may run twice, and again after a failure. The plan pins the data's version and the model's digest for all
parts. A part is an object in the scratch bucket, written as a whole; only the last step writes the output, joined
inside S3. A failed job therefore leaves no open upload at the output, and its parts can be resumed.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from chalicelib.errors import Conflict, NotFound, OmnibusError, RateLimited, UpstreamTimeout, UpstreamUnavailable
from chalicelib.predictions.batch import require_rows
from chalicelib.predictions.deadline import ScoringDeadline
from chalicelib.predictions.estimators import Models
from chalicelib.predictions.features import filled_ends, read_rows
from chalicelib.predictions.jobs import check_output
from chalicelib.predictions.models import Done, Planned, PredictionPart, PredictionRequest, PredictionStep
from chalicelib.predictions.news import JobNews, record_failure
from chalicelib.predictions.places import AllowLists, ObjectUri, PredictionOrder, checked_order
from chalicelib.predictions.ports import JobStore, Meter, Pinned, PredictionObjects
from chalicelib.predictions.records import stray_quote
from chalicelib.predictions.reuse import is_written
from chalicelib.predictions.scan import DataSpan, Task, open_task, score_first, score_span, whole_span
from chalicelib.predictions.tables import ParquetSink, open_parquet, read_groups

MAX_PARTS = 1000
"""The most parts of a plan: parts grow with the data, because a map run and a join have limits."""

PART_S = 300.0
"""A part is cut to take no longer than this on one processor, a third of what a function may take."""

MAY_PASS = (RateLimited, UpstreamUnavailable, UpstreamTimeout)


class OutOfTurn(Conflict):
    """The job's state does not allow this step: cancelled, ended, or restarted. This is not a failure of the job."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Data that all parts of a job share."""

    request: PredictionRequest
    data_bytes: int
    data_etag: str
    parts: int
    rows: int


@dataclass(frozen=True)
class DistributedPredictions:
    """The steps of jobs.

    Parts have about `part_bytes`, or less for a slow model; data of at most `single_call_bytes` is one part.
    `seconds_left` is the remaining time of a step's invocation; each step raises OutOfTime.
    """

    objects: PredictionObjects
    models: Models
    store: JobStore
    allowed: AllowLists
    scratch: str
    clock: Callable[[], datetime]
    meter: Meter
    workers: int
    part_bytes: int
    single_call_bytes: int
    news: JobNews

    def plan(self, step: PredictionStep, seconds_left: Callable[[], float]) -> Planned:
        """Check the job's request as a single call would, and cut its data into parts.

        A job that is taken up again keeps its plan, if its data is still the same.
        Raises what `accept`, `check_output`, `open_task`, `score_first` raise; Conflict ("object_changed"), OutOfTurn.
        """
        with self._recorded(step.job_id):
            document = self._enter(step.job_id, "planning", ("queued", "planning", "running", "failed"))
            order = checked_order(msgspec.json.decode(document["request"], type=PredictionRequest), self.allowed)
            if not is_written(self.objects, order, step.job_id):  # by an attempt that ended before it could say so
                check_output(self.objects, order)
            plan = self._stored_plan(step.job_id, order) or self._new_plan(step.job_id, order, seconds_left)
            known = {
                "parts_total": plan.parts,
                "rows_total": plan.rows,
                "model_sha256": plan.request.model_sha256,
            }
            self._enter(step.job_id, "running", ("planning", "running"), known)
            self.news.progress(step.job_id)
        return Planned(job_id=step.job_id, bucket=self.scratch, key=_items_key(step.job_id), parts=plan.parts)

    def score(self, part: PredictionPart, seconds_left: Callable[[], float]) -> Done:
        """Score one part into the scratch bucket, unless that is done already."""
        with self._recorded(part.job_id):
            self._enter(part.job_id, None, ("running", "failed"))
            place = self._part_place(part.job_id, part.number)
            if done := self._finished(part.job_id, part.number):
                return done
            began = self.clock()
            task = self._planned_task(part.job_id)
            with self.objects.create(place, overwrite=True) as output:
                rows = score_span(
                    task,
                    DataSpan(part.start, part.stop, part.first_row),
                    self.objects,
                    output,
                    workers=self.workers,
                    seconds_left=seconds_left,
                )
            if not task.splittable:
                require_rows(rows)
            self.store.add_part(part.job_id, part.number, rows)
            self.news.progress(part.job_id)
            self.meter.scored(rows, (self.clock() - began).total_seconds())
        return Done(job_id=part.job_id, rows=rows, bytes=output.written().bytes)

    def complete(self, step: PredictionStep, seconds_left: Callable[[], float]) -> Done:
        """Join the parts into the output; from here on, the job can no longer be cancelled."""
        with self._recorded(step.job_id):
            ended = self.store.get(step.job_id) or {}
            if ended.get("state") == "succeeded":
                self.news.end(step.job_id)  # again, if an earlier attempt could not
                return Done(job_id=step.job_id, rows=int(ended["rows_total"]), bytes=int(ended["output_bytes"]))
            self._enter(step.job_id, "completing", ("running", "completing", "failed"))
            plan = self._read_plan(step.job_id)
            order = checked_order(plan.request, self.allowed)
            if not is_written(self.objects, order, step.job_id):
                self._assemble(step.job_id, plan, order, ScoringDeadline(seconds_left))
            size = self.objects.pin(order.output).bytes
            rows = plan.rows or self.store.part_rows(step.job_id, 1) or 0  # gzip: one part, counted as it was read
            changes = {"rows_total": rows, "rows_done": rows, "parts_done": plan.parts, "output_bytes": size}
            self._enter(step.job_id, "succeeded", ("completing",), {**changes, "error": None})
            self.news.end(step.job_id)
        return Done(job_id=step.job_id, rows=rows, bytes=size)

    # -- planning

    def _new_plan(self, job_id: str, order: PredictionOrder, seconds_left: Callable[[], float]) -> Plan:
        task = open_task(order, self.objects, self.models)
        parts = [
            PredictionPart(
                job_id=job_id, number=number, start=span.start, stop=span.stop, first_row=span.first_row, rows=rows
            )
            for number, (span, rows) in enumerate(self._spans(task, seconds_left), 1)
        ]
        rows = sum(part.rows for part in parts)
        if task.splittable:
            require_rows(rows)
        pinned_model = msgspec.structs.replace(order.request, model_sha256=task.model.manifest.sha256)
        plan = Plan(
            request=pinned_model,
            data_bytes=task.data.bytes,
            data_etag=task.data.etag,
            parts=len(parts),
            rows=rows,
        )
        self._write(_items_key(job_id), msgspec.json.encode(parts))
        self._write(_plan_key(job_id), msgspec.json.encode(plan))  # last: a plan that is there is whole
        return plan

    def _spans(self, task: Task, seconds_left: Callable[[], float]) -> Iterator[tuple[DataSpan, int]]:
        """The parts' stretches, in order, each with its rows."""
        if task.header is None:
            metadata = open_parquet(self.objects, task.data).metadata
            unpacked = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
            return _row_group_spans(metadata, self._part_size(task, unpacked))
        if not task.splittable:
            return iter([(whole_span(task), 0)])
        grid = task.grid  # whole cells of it, so that parts and a single call score the same blocks
        part_bytes = -(-self._part_size(task, task.data.bytes) // grid) * grid
        return _byte_spans(task, self.objects, part_bytes, ScoringDeadline(seconds_left))

    def _part_size(self, task: Task, size: int) -> int:
        """Bytes of a part of data that has `size` bytes, unpacked, by the settings and by the model's pace."""
        wanted = size if task.data.bytes <= self.single_call_bytes else self.part_bytes
        began = self.clock()
        _, share = score_first(task, self.objects)
        seconds = (self.clock() - began).total_seconds()
        if seconds > 0:
            wanted = min(wanted, int(size * share * PART_S / seconds))
        return max(wanted, -(-size // MAX_PARTS), 1)

    def _stored_plan(self, job_id: str, order: PredictionOrder) -> Plan | None:
        try:
            plan = self._read_plan(job_id)
        except NotFound:
            return None
        now = self.objects.pin(order.data)
        if now.etag != plan.data_etag:
            raise Conflict(f"{order.data} changed since the job was planned: submit it anew", code="object_changed")
        return plan

    # -- completing

    def _assemble(self, job_id: str, plan: Plan, order: PredictionOrder, deadline: ScoringDeadline) -> None:
        parts = [self._part_place(job_id, number) for number in range(1, plan.parts + 1)]
        if order.output_layout.format != "parquet":
            self.objects.join(
                parts, order.output, overwrite=order.request.overwrite, mark=job_id, between=deadline.check
            )
            return
        with self.objects.create(
            order.output, overwrite=order.request.overwrite, expected_bytes=plan.data_bytes * 2, mark=job_id
        ) as output:
            sink = ParquetSink(output)
            for part in map(self.objects.pin, parts):
                if part.bytes == 0:  # of blank lines alone
                    continue
                for batch in read_groups(open_parquet(self.objects, part)):
                    sink.write(batch)
                    deadline.check()
            sink.close()

    # -- the scratch bucket

    def _planned_task(self, job_id: str) -> Task:
        plan = self._read_plan(job_id)
        order = checked_order(plan.request, self.allowed)
        pinned = Pinned(order.data, plan.data_bytes, plan.data_etag)
        return open_task(order, self.objects, self.models, pinned)

    def _read_plan(self, job_id: str) -> Plan:
        pinned = self.objects.pin(ObjectUri(self.scratch, _plan_key(job_id)))
        return msgspec.json.decode(self.objects.read(pinned, 0, pinned.bytes), type=Plan)

    def _write(self, key: str, data: bytes) -> None:
        with self.objects.create(ObjectUri(self.scratch, key), overwrite=True) as output:
            output.write(data)

    def _finished(self, job_id: str, number: int) -> Done | None:
        """A finished part; None if it is not finished, or no longer in the scratch bucket."""
        rows = self.store.part_rows(job_id, number)
        if rows is None:
            return None
        try:
            return Done(job_id=job_id, rows=rows, bytes=self.objects.pin(self._part_place(job_id, number)).bytes)
        except NotFound:
            return None

    def _part_place(self, job_id: str, number: int) -> ObjectUri:
        return ObjectUri(self.scratch, f"jobs/{job_id}/parts/{number:05d}")

    # -- the job's state

    def _enter(
        self, job_id: str, state: str | None, states: tuple[str, ...], changes: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """The job's document, moved to `state` if it is in one of `states`; OutOfTurn if it is not."""
        stamped = {**(changes or {}), "updated_at": self.clock().isoformat(), **({"state": state} if state else {})}
        if not self.store.update(job_id, stamped, states=states):
            now = (self.store.get(job_id) or {}).get("state", "gone")
            raise OutOfTurn(f"The job is {now}.", code="cancelled" if now == "cancelled" else "out_of_turn")
        return self.store.get(job_id) or {}

    @contextmanager
    def _recorded(self, job_id: str) -> Iterator[None]:
        """Record in the job why a step failed permanently; the state machine retries temporary failures."""
        try:
            yield
        except (*MAY_PASS, OutOfTurn):
            raise
        except OmnibusError as error:
            if record_failure(self.store, job_id, error.code, error.message, self.clock()):
                self.news.end(job_id)
            raise


def _byte_spans(
    task: Task, objects: PredictionObjects, part_bytes: int, deadline: ScoringDeadline
) -> Iterator[tuple[DataSpan, int]]:
    """Stretches of CSV that end with a record, each the cells of the grid within `part_bytes`."""
    header = task.header.raw if task.header else b""
    at = start = len(header)
    rows = first_row = 0
    quoting = task.order.data_layout.format == "csv"
    for block in task.blocks(objects, at, task.data.bytes):
        if quoting and b'"' in block and stray_quote(block) is not None:
            read_rows(block, task.columns, rows)  # says in which row
        if at // part_bytes > start // part_bytes:
            yield DataSpan(start, at, first_row), rows - first_row
            start, first_row = at, rows
        at += len(block)
        rows += len(filled_ends(block, quoting=quoting))
        deadline.check()
    if at > start:
        yield DataSpan(start, at, first_row), rows - first_row


def _row_group_spans(metadata: Any, part_bytes: int) -> Iterator[tuple[DataSpan, int]]:
    """Stretches of row groups, each those that start within `part_bytes` before compression."""
    start = begun = at = rows = first_row = 0
    for group in range(metadata.num_row_groups):
        if at // part_bytes > begun // part_bytes:
            yield DataSpan(start, group, first_row), rows - first_row
            start, begun, first_row = group, at, rows
        at += metadata.row_group(group).total_byte_size
        rows += metadata.row_group(group).num_rows
    yield DataSpan(start, metadata.num_row_groups, first_row), rows - first_row


def _plan_key(job_id: str) -> str:
    return f"jobs/{job_id}/plan.json"


def _items_key(job_id: str) -> str:
    return f"jobs/{job_id}/parts.json"
