"""The order for a job's run, from its event."""

from datetime import date
from typing import Literal
from uuid import UUID

from msgspec import Struct

from chalicelib.errors import InvalidInput
from chalicelib.spendsense.models import FeaturesOrder, StageDone

JobName = Literal["compute_features", "assign_persona", "generate_recommendations"]


class JobOrder(Struct, frozen=True):
    """The order for a run: for one person or everybody who is due, as of the end of day `as_of`.

    With `everyone`, all who consented are due, as after a change of formulas, rules or the catalogue. A `nightly` run
    also includes people whose features are REFRESH_DAYS old.
    """

    run_id: str
    as_of: date
    subject: UUID | None = None
    everyone: bool = False
    nightly: bool = False


def order_of(event_id: str, today: date, wanted: FeaturesOrder, *, nightly: bool) -> JobOrder:
    """The order of an event; its id is the run's, so that a repeated delivery is the same run.

    Unless the event names a day, the run is as of `today`, however old the event is: a redriven event must not set
    features back. InvalidInput for a future day, whose features would count as fresh until then.
    """
    as_of = _not_to_come(wanted.as_of or today, today)
    return JobOrder(event_id, as_of, subject=wanted.subject, everyone=wanted.everyone, nightly=nightly)


def order_after(done: StageDone, today: date) -> JobOrder:
    """The order for the next stage of the same run; InvalidInput for a future day."""
    return JobOrder(done.run_id, _not_to_come(done.as_of, today), subject=done.subject)


def _not_to_come(as_of: date, today: date) -> date:
    if as_of > today:
        raise InvalidInput.of("as_of", f"is {as_of}, which is in the future", f"a day not after {today}")
    return as_of
