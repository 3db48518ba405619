"""Values of services and ports that are neither wire models nor bank rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chalicelib.spendsense.models import Evidence


@dataclass(frozen=True)
class JobProgress:
    """The progress of a run."""

    batches: int
    users: int
    finished: bool


@dataclass(frozen=True)
class Listener:
    """A person's open socket, and the endpoint that posts to it."""

    subject: UUID
    id: str
    endpoint: str


@dataclass(frozen=True)
class Deed:
    """An operator's action; `subject` is the person concerned."""

    operator: UUID
    action: str
    subject: UUID | None
    recommendation_id: UUID | None
    reason: str
    request_id: str
    acted_at: datetime


@dataclass(frozen=True)
class Insight:
    """A window's signals and persona as they are kept; `signals` is empty until they are computed."""

    currency: str
    as_of: Any
    signals: dict[str, Any]
    persona: str | None
    matched: tuple[str, ...]
    evidence: tuple[dict[str, Any], ...]
    behaviours: tuple[str, ...]


@dataclass(frozen=True)
class Recommended:
    """A recommendation as it is kept."""

    recommendation_id: UUID
    kind: Any
    item_id: str
    persona: str
    rationale: str
    created_at: datetime


def evidence_of(row: dict[str, Any]) -> Evidence:
    """A kept {signal, value, threshold} as it is shown."""
    return Evidence(signal=row["signal"], value=row["value"], threshold=row["threshold"])
