"""A session as its two sides, the desktop and the phone, see it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import UNSET

from chalicelib.uploads.machine import Session, status_at
from chalicelib.uploads.models import SessionView
from chalicelib.uploads.status import Status


def view_of(session: Session, now: datetime, image_url: str | None) -> SessionView:
    """A session at `now` for its two sides."""
    outcome = session.outcome
    return SessionView(
        session_id=session.id,
        status=status_at(session, now),
        created_at=int(session.created_at.timestamp()),
        expires_at=int(session.expires_at.timestamp()),
        upload_key=session.key or UNSET,
        completed_at=int(outcome.at.timestamp()) if outcome else UNSET,
        content_type=(outcome.content_type if outcome else None) or UNSET,
        size=outcome.size if outcome else UNSET,
        reason=outcome.reason if outcome and outcome.reason else UNSET,
        image_url=image_url or UNSET,
    )


def outcome_message(session: Session) -> Mapping[str, Any]:
    """The notification of a completed or rejected session for the desktop's socket."""
    if session.outcome is None or session.key is None:
        raise ValueError("a session without an outcome has no notification")
    completed = session.status is Status.COMPLETED
    message: dict[str, Any] = {
        "action": "UPLOAD_COMPLETED" if completed else "UPLOAD_REJECTED",
        "sessionId": session.id,
        "uploadKey": session.key,
        "timestamp": session.outcome.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "size": session.outcome.size,
    }
    if session.outcome.content_type is not None:
        message["contentType"] = session.outcome.content_type
    if session.outcome.reason is not None:
        message["reason"] = str(session.outcome.reason)
    return message
