"""Metrics that take more than a count: of scoring and the memory that it took, of SpendSense's coverage."""

import resource
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from chalicelib.entry.telemetry import emit, logger
from chalicelib.errors import OmnibusError

if TYPE_CHECKING:
    from chalicelib.spendsense.ports import Survey

NAMESPACE = "Omnibus/Predictions"
COVERAGE_NAMESPACE = "Omnibus/Spendsense"
STATUS = Path("/proc/self/status")


class ScoringMeter:
    """The predictions' `Meter`: one EMF line for each stretch that was scored."""

    def peak_mib(self) -> float:
        """This process's high-water mark; `ru_maxrss`, used where Linux's is missing, remembers a parent's too."""
        if STATUS.exists():
            line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
            return int(line.split()[1]) / 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)

    def scored(self, rows: int, seconds: float) -> None:
        """Emit the rows and the seconds."""
        emit(NAMESPACE, {"RowsScored": (rows, "Count"), "ScoringSeconds": (seconds, "Seconds")})


class CoverageMeter:
    """Tells how much of what SpendSense promises is there, whenever a run for everybody is over."""

    def __init__(self, everybody: "Survey") -> None:
        self._everybody = everybody

    def survey(self, as_of: date) -> None:
        """Emit that the run is over, and the shares in percent; what nobody can be counted for is left out.

        The run is over whether or not the shares can be measured, so a failure is logged and no more.
        """
        emit(COVERAGE_NAMESPACE, {"RunsForEverybody": (1, "Count")})
        try:
            found = self._everybody.survey(as_of)
        except OmnibusError as error:
            logger.warning("coverage was not measured: %s", error)
            return
        shares = {
            "PersonaCoverage": found.persona_coverage,
            "BehaviourCoverage": found.behaviour_coverage,
            "TraceCoverage": found.trace_coverage,
        }
        known = {name: (round(100 * share, 2), "Percent") for name, share in shares.items() if share is not None}
        emit(COVERAGE_NAMESPACE, {"People": (found.users, "Count"), **known})
