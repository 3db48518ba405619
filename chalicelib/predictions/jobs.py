"""Jobs: predictions that outlast a request. Submitted once for each token, watched, cancelled, taken up again.

Light on purpose: the REST function imports this, and has neither Arrow nor scikit-learn.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import structs

from chalicelib.errors import Conflict, NotFound, OmnibusError
from chalicelib.predictions.models import (
    DryRun,
    JobState,
    PredictionEstimate,
    PredictionJob,
    PredictionJobPage,
    PredictionJobsQuery,
    PredictionRequest,
    Preview,
    PreviewOrder,
    PreviewRequest,
    parse_as,
)
from chalicelib.predictions.news import ACTIVE, JobNews, as_job, record_failure
from chalicelib.predictions.places import AllowLists, PredictionOrder, checked_order
from chalicelib.predictions.ports import JobStore, JobWatcher, ModelHolder, PredictionObjects, Workflow
from chalicelib.predictions.reuse import FinishedWork

MAX_ID = 64
COUNTED = 500
NOT_STARTED = "The job could not be started; redrive it."
START = timedelta(minutes=1)
"""A job's run starts as soon as the job is stored; if it has no run after this time, its start has failed."""
CANCELLABLE: tuple[JobState, ...] = ("queued", "planning", "running")


@dataclass(frozen=True)
class PredictionJobs:
    """Callers' actions on jobs. `new_id` makes an id for a job without a token."""

    objects: PredictionObjects
    store: JobStore
    workflow: Workflow
    allowed: AllowLists
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    news: JobNews
    holder: ModelHolder

    def check(self, request: PredictionRequest) -> PredictionJob:
        """Check the request, the model and the first rows, and estimate the rest; no job starts."""
        order = checked_order(request, self.allowed)
        check_objects(self.objects, order)
        answer = self.holder.ask(msgspec.to_builtins(DryRun(request)))
        estimate, now = msgspec.json.decode(answer, type=PredictionEstimate), self.clock()
        return PredictionJob(
            job_id="dry-run",
            state="checked",
            model_s3_uri=request.model_s3_uri,
            data_s3_uri=request.data_s3_uri,
            output_s3_uri=request.output_s3_uri,
            created_at=now,
            updated_at=now,
            rows_total=estimate.rows,
            model_sha256=estimate.model_sha256,
            estimate=estimate,
        )

    def preview(self, request: PreviewRequest) -> Preview:
        """Score a few rows immediately."""
        return msgspec.json.decode(self.holder.ask(msgspec.to_builtins(PreviewOrder(request))), type=Preview)

    def submit(self, request: PredictionRequest, submitted_by: str | None = None) -> PredictionJob:
        """Start a job for `request`; the same token with the same request is the same job.

        The same request for the same versions of model and data is answered by its finished output, unless `fresh`.
        Raises what `accept` and `check_objects` raise, and Conflict ("token_reused") for a token of another request.
        """
        job_id = self._job_id(request)
        stored = self.store.get(job_id)
        if stored is None:
            order = checked_order(request, self.allowed)
            work = FinishedWork(self.objects, self.store, self.clock, self.new_id)
            fingerprint = work.fingerprint(order)
            if not request.fresh and (finished := work.find(fingerprint, order)):
                return finished
            check_objects(self.objects, order)
            now = self.clock().isoformat()
            document: dict[str, Any] = {
                "job_id": job_id,
                "state": "queued",
                "attempt": 1,
                "request": msgspec.json.encode(request).decode(),
                "created_at": now,
                "updated_at": now,
                **({"submitted_by": submitted_by} if submitted_by else {}),
            }
            stored = document if self.store.add(job_id, document) else self._document(job_id)
            self.store.remember(fingerprint, job_id)
        if msgspec.json.decode(stored["request"], type=PredictionRequest) != request:
            raise Conflict("client_token: was sent with another request", code="token_reused")
        if stored["state"] == "queued":  # also if a first call was cut off before it started the run
            self._start(job_id, int(stored["attempt"]))
        return as_job(self._document(job_id))

    def submit_event(self, event_id: str, detail: Mapping[str, Any]) -> PredictionJob:
        """Start the job that the detail of an event asks for, once for each event."""
        request = parse_as(detail, PredictionRequest)
        token = request.client_token or event_id[:64]
        return self.submit(structs.replace(request, client_token=token), "event")

    def watch(self, socket_id: str, endpoint: str) -> None:
        """Subscribe a socket to news of jobs."""
        self.store.watch(JobWatcher(socket_id, endpoint))

    def get(self, job_id: str) -> PredictionJob:
        """The job, marked as failed if its run has failed; NotFound ("no_such_job")."""
        document = self._document(job_id)
        if document["state"] not in ACTIVE:
            return as_job(document)
        if document.get("run"):
            reason = self.workflow.failure(document["run"])
            if reason is not None:
                self._fail(job_id, "workflow_failed", reason, ACTIVE)
        elif self.clock() - datetime.fromisoformat(document["updated_at"]) > START:
            self._fail(job_id, "not_started", NOT_STARTED, ("queued",))
        return as_job(self._document(job_id))

    def page(self, query: PredictionJobsQuery) -> PredictionJobPage:
        """Jobs, newest first."""
        documents, after = self.store.recent(query.limit, query.after, query.state)
        return PredictionJobPage(jobs=[as_job(document) for document in documents], next=after)

    def today(self) -> dict[str, int]:
        """The number of newest jobs in progress, and the results of today's (UTC) jobs."""
        documents, _ = self.store.recent(COUNTED, None)
        today = self.clock().astimezone(UTC).date().isoformat()
        begun = [document["state"] for document in documents if document["created_at"].startswith(today)]
        return {
            "active": sum(document["state"] in ACTIVE for document in documents),
            "begun": len(begun),
            "succeeded": begun.count("succeeded"),
            "failed": begun.count("failed"),
        }

    def cancel(self, job_id: str) -> PredictionJob:
        """Cancel a job that is not yet completing; it writes no output. Conflict ("not_cancellable")."""
        document = self._document(job_id)
        if document["state"] != "cancelled":
            try:
                self._change(job_id, {"state": "cancelled"}, CANCELLABLE, "not_cancellable")
            except Conflict:  # another caller may have cancelled it meanwhile, which is what this one wants
                if self._document(job_id)["state"] != "cancelled":
                    raise
        if document.get("run"):
            self.workflow.stop(document["run"])
        self.news.end(job_id)
        return as_job(self._document(job_id))

    def redrive(self, job_id: str) -> PredictionJob:
        """Resume a failed job; finished parts are kept. Conflict ("not_failed")."""
        self.get(job_id)
        attempt = int(self._document(job_id)["attempt"]) + 1
        fresh = {"state": "queued", "attempt": attempt, "error": None, "run": None}
        self._change(job_id, fresh, ("failed",), "not_failed")
        self._start(job_id, attempt)
        return as_job(self._document(job_id))

    def _fail(self, job_id: str, code: str, message: str, states: tuple[JobState, ...]) -> None:
        if record_failure(self.store, job_id, code, message, self.clock(), states=states):
            self.news.end(job_id)

    def _job_id(self, request: PredictionRequest) -> str:
        if request.client_token is None:
            return self.new_id()
        import hashlib  # only who sends tokens pays for loading OpenSSL

        return "t-" + hashlib.sha256(request.client_token.encode()).hexdigest()[:32]

    def _start(self, job_id: str, attempt: int) -> None:
        try:
            run = self.workflow.start(f"{job_id}-{attempt}", job_id)
        except OmnibusError:
            self._fail(job_id, "not_started", NOT_STARTED, ACTIVE)
            raise
        self.store.update(job_id, {"run": run}, states=(*ACTIVE, "succeeded", "failed"))

    def _document(self, job_id: str) -> Mapping[str, Any]:
        document = self.store.get(job_id) if 0 < len(job_id) <= MAX_ID else None
        if document is None:
            raise NotFound(f"There is no job {job_id[:80]!r}.", code="no_such_job")
        return document

    def _change(self, job_id: str, changes: Mapping[str, Any], states: tuple[JobState, ...], code: str) -> None:
        stamped = {**changes, "updated_at": self.clock().isoformat()}
        if not self.store.update(job_id, stamped, states=states):
            state = self._document(job_id)["state"]
            raise Conflict(f"The job is {state}; that takes one that is {' or '.join(states)}.", code=code)


def check_objects(objects: PredictionObjects, order: PredictionOrder) -> None:
    """NotFound if the data or the model is not there, Conflict if the output is and may not be replaced."""
    objects.pin(order.data)
    objects.pin(order.model)
    check_output(objects, order)


def check_output(objects: PredictionObjects, order: PredictionOrder) -> None:
    """Conflict ("output_exists") if the output is there and may not be replaced."""
    if order.request.overwrite:
        return
    try:
        objects.pin(order.output)
    except NotFound:
        return
    raise Conflict(f"output_s3_uri: {order.output} exists; send overwrite to replace it", code="output_exists")
