"""Metrics of scoring: rows, seconds and memory."""

import resource
from pathlib import Path

from chalicelib.entry.telemetry import emit

NAMESPACE = "Omnibus/Predictions"
STATUS = Path("/proc/self/status")


class ScoringMeter:
    """The predictions' `Meter`: one EMF line for each scored block."""

    def peak_mib(self) -> float:
        """This process's peak memory; outside Linux it is `ru_maxrss`, which includes a parent's."""
        if STATUS.exists():
            line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
            return int(line.split()[1]) / 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)

    def scored(self, rows: int, seconds: float) -> None:
        """Emit the rows and the seconds."""
        emit(NAMESPACE, {"RowsScored": (rows, "Count"), "ScoringSeconds": (seconds, "Seconds")})
