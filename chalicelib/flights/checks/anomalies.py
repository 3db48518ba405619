"""Unforeseen faults: anomaly_detection."""

from typing import Final

import numpy as np

from chalicelib.flights.checks.findings import MAX_SAMPLES, Tally, marked
from chalicelib.flights.checks.gathering import Snapshot
from chalicelib.flights.checks.order import median
from chalicelib.flights.checks.thresholds import Thresholds
from chalicelib.flights.columns import FLIGHT_PHASES

FEATURES: Final = ("velocity", "vertical_rate")
GROUND: Final = FLIGHT_PHASES[0]
NORMAL_QUARTILE: Final = 0.6745
"""The standard normal's upper quartile: what makes the MAD of normal values their standard deviation."""


def anomaly_detection(snapshot: Snapshot, limits: Thresholds) -> Tally:
    """Whether an aircraft moves like the others in its phase of flight.

    Why: 250 m/s is normal in cruise and absurd on the ground; the robust z-score finds it without a fixed limit, and
    the outliers themselves do not distort it.
    Formula: z = 0.6745 |x - median| / max(MAD, 2 m/s) <= 6, for velocity and vertical_rate, by flight_phase, where at
    least 10 finite values are present; of the rows judged by either, failing in either. On the ground the median and
    the MAD of velocity are those of moving aircraft (1 m/s or faster), if there are at least 10: parked ones say
    nothing about taxiing, and are not judged.
    Pass mark: 0.95. Source: Iglewicz and Hoaglin, How to Detect and Handle Outliers (ASQC, 1993).
    """
    parts: dict[str, tuple[int, int]] = {}
    examples: list[int] = []
    for code, phase in enumerate(FLIGHT_PHASES):
        rows = np.flatnonzero(snapshot.phases == code)
        if len(rows) < limits.anomaly_min_values:
            continue
        judged = np.zeros(len(rows), np.bool_)
        failing = np.zeros(len(rows), np.bool_)
        for feature in FEATURES:
            values = snapshot.values(feature)[rows]
            values[np.isinf(values)] = np.nan
            missing = np.isnan(values)
            present = len(values) - marked(missing)
            if present < limits.anomaly_min_values:
                continue
            if phase == GROUND and feature == "velocity":
                still = values < limits.moving_mps
                if present - marked(still) >= limits.anomaly_min_values:
                    missing |= still
                    values[still] = np.nan
                    present -= marked(still)
            deviation = np.abs(values - median(values, present))
            spread = max(median(deviation, present), limits.anomaly_spread_mps)
            judged |= ~missing
            failing |= NORMAL_QUARTILE * deviation > limits.anomaly_z * spread
        if judged.any():
            parts[phase.lower()] = (marked(judged), marked(failing))
            examples += rows[failing][:MAX_SAMPLES].tolist()
    checked, failed = (sum(column) for column in zip(*parts.values(), strict=True)) if parts else (0, 0)
    return Tally(checked, failed, np.array(sorted(examples)[:MAX_SAMPLES], np.intp), parts)
