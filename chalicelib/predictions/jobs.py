"""Jobs: predictions that outlast a request. Submitted once for each token, watched, cancelled, taken up again.

Light on purpose: the REST function imports this, and has neither Arrow nor scikit-learn.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from chalicelib.errors import Conflict, NotFound, OmnibusError
from chalicelib.predictions.models import (
    JobState,
    PredictionJob,
    PredictionJobPage,
    PredictionJobsQuery,
    PredictionRequest,
)
from chalicelib.predictions.places import AllowLists, PredictionOrder, checked_order
from chalicelib.predictions.ports import JobStore, PredictionObjects, Workflow

ACTIVE: tuple[JobState, ...] = ("queued", "planning", "running", "completing")
MAX_ID = 64
NOT_STARTED = "The job could not be started; redrive it."
START = timedelta(minutes=1)
"""Who stores a job starts its run at once; one that is queued without a run after so long lost its starter."""
CANCELLABLE: tuple[JobState, ...] = ("queued", "planning", "running")


@dataclass(frozen=True)
class PredictionJobs:
    """What callers do with jobs. `new_id` makes an id for a job without a token."""

    objects: PredictionObjects
    store: JobStore
    workflow: Workflow
    allowed: AllowLists
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def submit(self, request: PredictionRequest) -> PredictionJob:
        """Start a job for `request`; the same token with the same request is the same job.

        Raises what `accept` and `check_objects` raise, and Conflict ("token_reused") for a token of another request.
        """
        job_id = self._job_id(request)
        stored = self.store.get(job_id)
        if stored is None:
            check_objects(self.objects, checked_order(request, self.allowed))
            now = self.clock().isoformat()
            document: dict[str, Any] = {
                "job_id": job_id,
                "state": "queued",
                "attempt": 1,
                "request": msgspec.json.encode(request).decode(),
                "created_at": now,
                "updated_at": now,
            }
            stored = document if self.store.add(job_id, document) else self._document(job_id)
        if msgspec.json.decode(stored["request"], type=PredictionRequest) != request:
            raise Conflict("client_token: was sent with another request", code="token_reused")
        if stored["state"] == "queued":  # also if a first call was cut off before it started the run
            self._start(job_id, int(stored["attempt"]))
        return as_job(self._document(job_id))

    def get(self, job_id: str) -> PredictionJob:
        """The job, a run that broke down noticed; NotFound ("no_such_job")."""
        document = self._document(job_id)
        if document["state"] not in ACTIVE:
            return as_job(document)
        if document.get("run"):
            reason = self.workflow.failure(document["run"])
            if reason is not None:
                record_failure(self.store, job_id, "workflow_failed", reason, self.clock())
        elif self.clock() - datetime.fromisoformat(document["updated_at"]) > START:
            record_failure(self.store, job_id, "not_started", NOT_STARTED, self.clock(), states=("queued",))
        return as_job(self._document(job_id))

    def page(self, query: PredictionJobsQuery) -> PredictionJobPage:
        """Jobs, newest first."""
        documents, after = self.store.recent(query.limit, query.after)
        return PredictionJobPage(jobs=[as_job(document) for document in documents], next=after)

    def cancel(self, job_id: str) -> PredictionJob:
        """Cancel a job that is not yet completing: its output will not appear. Conflict ("not_cancellable")."""
        document = self._document(job_id)
        if document["state"] != "cancelled":
            self._change(job_id, {"state": "cancelled"}, CANCELLABLE, "not_cancellable")
        if document.get("run"):
            self.workflow.stop(document["run"])
        return as_job(self._document(job_id))

    def redrive(self, job_id: str) -> PredictionJob:
        """Take up a failed job again; parts that were finished stay so. Conflict ("not_failed")."""
        self.get(job_id)
        attempt = int(self._document(job_id)["attempt"]) + 1
        fresh = {"state": "queued", "attempt": attempt, "error": None, "run": None}
        self._change(job_id, fresh, ("failed",), "not_failed")
        self._start(job_id, attempt)
        return as_job(self._document(job_id))

    def _job_id(self, request: PredictionRequest) -> str:
        if request.client_token is None:
            return self.new_id()
        import hashlib  # only who sends tokens pays for loading OpenSSL

        return "t-" + hashlib.sha256(request.client_token.encode()).hexdigest()[:32]

    def _start(self, job_id: str, attempt: int) -> None:
        try:
            run = self.workflow.start(f"{job_id}-{attempt}", job_id)
        except OmnibusError:
            record_failure(self.store, job_id, "not_started", NOT_STARTED, self.clock())
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


def as_job(document: Mapping[str, Any]) -> PredictionJob:
    """A stored document as its caller sees it."""
    request = msgspec.json.decode(document["request"], type=PredictionRequest)
    fields = {name: document[name] for name in PredictionJob.__struct_fields__ if document.get(name) is not None}
    places = {name: getattr(request, name) for name in ("model_s3_uri", "data_s3_uri", "output_s3_uri")}
    return msgspec.convert({**fields, **places}, PredictionJob)


def record_failure(
    store: JobStore, job_id: str, code: str, message: str, now: datetime, *, states: Sequence[JobState] = ACTIVE
) -> None:
    """Record why a job failed, if it is in one of `states`: by default, unless it has ended already."""
    changes = {"state": "failed", "error": {"code": code, "message": message}, "updated_at": now.isoformat()}
    store.update(job_id, changes, states=states)


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
