"""Reviews by operators, who release snapshots from quarantine."""

from collections.abc import Callable
from datetime import datetime

from chalicelib.errors import Conflict, NotFound
from chalicelib.flights import keys
from chalicelib.flights.models import ReleaseRequest
from chalicelib.flights.ports import ObjectWriter, RunBook
from chalicelib.flights.runs import Run
from chalicelib.flights.status import RunStatus


class QuarantineReview:
    """Releases snapshots from quarantine."""

    def __init__(self, *, bucket: ObjectWriter, runs: RunBook, clock: Callable[[], datetime]) -> None:
        self._bucket = bucket
        self._runs = runs
        self._clock = clock

    def release(self, request: ReleaseRequest) -> Run:
        """Put the snapshot back among the processed ones as VALIDATED, and return its run.

        The release is recorded before the move: moving fires validation, which leaves released snapshots alone.
        Raises NotFound for an unknown run, Conflict for one that is not in quarantine.
        """
        run = self._runs.find(request.tracking_id) if keys.is_tracking_id(request.tracking_id) else None
        if run is None:
            raise NotFound("there is no such run")
        now = self._clock().isoformat()
        if run.released_at is None:
            facts = {
                "released_at": now,
                "released_by": request.released_by,
                "release_reason": request.reason,
                "updated_at": now,
            }
            if not self._runs.advance(run.tracking_id, RunStatus.VALIDATED, (RunStatus.QUARANTINED,), facts):
                raise Conflict(f"{run.tracking_id} is {run.status}, not QUARANTINED: there is nothing to release")
        self._bucket.move(keys.quarantine_key(run.snapshot_time), keys.processed_key(run.snapshot_time))
        released = self._runs.find(run.tracking_id)
        return released or run
