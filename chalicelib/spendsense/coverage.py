"""Metrics of SpendSense's coverage."""

import logging
from collections.abc import Callable, Mapping
from datetime import date

from chalicelib.errors import OmnibusError
from chalicelib.spendsense.ports import Survey

COVERAGE_NAMESPACE = "Omnibus/Spendsense"
EmitCoverage = Callable[[str, Mapping[str, tuple[float, str]]], None]
"""Emits the metrics of a namespace: name -> value and unit."""


class CoverageMeter:
    """Measures the coverage of SpendSense's results after each run for everybody."""

    def __init__(self, everybody: Survey, emit: EmitCoverage) -> None:
        self._everybody = everybody
        self._emit = emit

    def survey(self, as_of: date) -> None:
        """Emit that the run is over, and the shares in percent; what nobody can be counted for is left out.

        The run is over whether or not the shares can be measured, so a failure is logged and no more.
        """
        self._emit(COVERAGE_NAMESPACE, {"RunsForEverybody": (1, "Count")})
        try:
            found = self._everybody.survey(as_of)
        except OmnibusError as error:
            logging.getLogger(__name__).warning("coverage was not measured: %s", error)
            return
        shares = {
            "PersonaCoverage": found.persona_coverage,
            "BehaviourCoverage": found.behaviour_coverage,
            "TraceCoverage": found.trace_coverage,
        }
        known = {name: (round(100 * share, 2), "Percent") for name, share in shares.items() if share is not None}
        self._emit(COVERAGE_NAMESPACE, {"People": (found.users, "Count"), **known})
