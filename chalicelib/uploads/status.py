"""The status of an upload session, and why it is so."""

from enum import StrEnum


class Status(StrEnum):
    """The status of a session; EXPIRED may also be derived, see `machine.status_at`."""

    AWAITING_SCAN = "AWAITING_SCAN"
    UPLOAD_REQUESTED = "UPLOAD_REQUESTED"
    COMPLETED = "COMPLETED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


class Reason(StrEnum):
    """Why an uploaded object was rejected."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_AN_IMAGE = "not_an_image"
