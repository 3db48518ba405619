"""The status of a run."""

from enum import StrEnum


class RunStatus(StrEnum):
    INGESTED = "INGESTED"
    PROCESSED = "PROCESSED"
    VALIDATED = "VALIDATED"
    QUARANTINED = "QUARANTINED"
    FAILED = "FAILED"
