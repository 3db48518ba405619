"""Reuse of finished work: the same request on the same model and data returns the existing output."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import structs

from chalicelib.errors import NotFound, OmnibusError
from chalicelib.predictions.models import PredictionJob, PredictionOutcome, PredictionRequest
from chalicelib.predictions.news import as_job
from chalicelib.predictions.places import ObjectUri, PredictionOrder
from chalicelib.predictions.ports import JobStore, PredictionObjects

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FinishedWork:
    """Finds the job or the call that did a piece of work; a finished call is kept as a job that succeeded."""

    objects: PredictionObjects
    store: JobStore
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def fingerprint(self, order: PredictionOrder) -> str:
        """A digest of what decides the output: the versions of data and model, and most of the request."""
        import hashlib  # loads OpenSSL, as the next one does

        from chalicelib.predictions.trust import MANIFEST_SUFFIX

        request = structs.replace(order.request, client_token=None, overwrite=False, fresh=False)
        manifest = ObjectUri(order.model.bucket, order.model.key + MANIFEST_SUFFIX)
        versions = [self._version(uri) for uri in (order.data, order.model, manifest)]
        return hashlib.sha256(msgspec.json.encode([request, *versions])).hexdigest()

    def find(self, fingerprint: str, order: PredictionOrder) -> PredictionJob | None:
        """The job with this fingerprint, if its output still exists."""
        job_id = self.store.remembered(fingerprint)
        document = self.store.get(job_id) if job_id else None
        if not job_id or document is None or document["state"] != "succeeded":
            return None
        return structs.replace(as_job(document), reused=True) if is_written(self.objects, order, job_id) else None

    def record(self, fingerprint: str, job_id: str, request: PredictionRequest, done: PredictionOutcome) -> None:
        """Store a finished call as a job; a failure is only logged, because the output is written."""
        now = self.clock()
        document: dict[str, Any] = {
            "job_id": job_id,
            "state": "succeeded",
            "attempt": 1,
            "request": msgspec.json.encode(request).decode(),
            "created_at": (now - timedelta(seconds=done.seconds)).isoformat(),
            "updated_at": now.isoformat(),
            "submitted_by": "call",
            "rows_done": done.rows,
            "rows_total": done.rows,
            "output_bytes": done.bytes,
            "model_sha256": done.model_sha256,
        }
        try:
            self.store.add(job_id, document)
            self.store.remember(fingerprint, job_id)
        except OmnibusError as error:
            _log.warning("cannot store the call that wrote %s: %s", request.output_s3_uri, error)

    def _version(self, uri: ObjectUri) -> str | None:
        """The ETag of an object; None if it does not exist, which is an error only when it is read."""
        try:
            return self.objects.pin(uri).etag
        except NotFound:
            return None


def is_written(objects: PredictionObjects, order: PredictionOrder, job_id: str) -> bool:
    """Whether the output exists and this job wrote it."""
    try:
        return objects.pin(order.output).mark == job_id
    except NotFound:
        return False
