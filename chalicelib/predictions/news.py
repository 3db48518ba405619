"""News of a job for the subscribed sockets and, at its end, for the event bus."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from chalicelib.errors import Gone, OmnibusError
from chalicelib.predictions.models import JobState, PredictionJob, PredictionRequest
from chalicelib.predictions.ports import JobAnnouncements, JobStore, JobWatcher

ACTIVE: tuple[JobState, ...] = ("queued", "planning", "running", "completing")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobNews:
    """Sends news of jobs; `post` sends a message to a socket."""

    store: JobStore
    events: JobAnnouncements
    post: Callable[[JobWatcher, Mapping[str, Any]], object]

    def progress(self, job_id: str) -> None:
        """Send a job's progress to the subscribers; disconnected ones are removed, and failures are only logged."""
        watchers = self.store.watchers()
        job = self._job(job_id) if watchers else None
        if job is None:
            return
        message = {"action": "JOB", "job": msgspec.to_builtins(job)}
        for watcher in watchers:
            try:
                self.post(watcher, message)
            except Gone:
                self.store.unwatch(watcher.id)
            except OmnibusError as error:
                _log.warning("cannot tell a socket of job %s: %s", job_id, error)

    def end(self, job_id: str) -> None:
        """Announce that a job has ended, at least once; what `JobAnnouncements` raises."""
        job = self._job(job_id)
        if job is None or job.state in ACTIVE:
            return
        self.events.announce(f"Prediction {job.state.capitalize()}", msgspec.to_builtins(job))
        self.progress(job_id)

    def _job(self, job_id: str) -> PredictionJob | None:
        document = self.store.get(job_id)
        return None if document is None else as_job(document)


def as_job(document: Mapping[str, Any]) -> PredictionJob:
    """A stored document as its caller sees it."""
    request = msgspec.json.decode(document["request"], type=PredictionRequest)
    fields = {name: document[name] for name in PredictionJob.__struct_fields__ if document.get(name) is not None}
    places = {name: getattr(request, name) for name in ("model_s3_uri", "data_s3_uri", "output_s3_uri")}
    job = msgspec.convert({**fields, **places}, PredictionJob)
    if job.state in ACTIVE:
        return job
    return msgspec.structs.replace(job, seconds=round((job.updated_at - job.created_at).total_seconds(), 3))


def record_failure(
    store: JobStore, job_id: str, code: str, message: str, now: datetime, *, states: Sequence[JobState] = ACTIVE
) -> bool:
    """Record why a job failed, if it is in one of `states`: by default, unless it has ended already."""
    changes = {"state": "failed", "error": {"code": code, "message": message}, "updated_at": now.isoformat()}
    return store.update(job_id, changes, states=states)
