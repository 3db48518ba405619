"""Exact medians and quartiles, faster than sorting.

A sorted sample brackets the wanted value; one pass counts the values below the bracket, and only those inside are
partitioned. Where the bracket misses, everything is partitioned: the answer is exact either way.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from chalicelib.flights.checks.findings import Floats

SAMPLE: Final = 8_192
PLAIN_BELOW: Final = 8 * SAMPLE
"""Fewer values are partitioned as they are."""


def ranked(values: Floats, ranks: Sequence[int], present: int) -> list[float]:
    """The values with those ranks (from 0, ascending) among the `present` values that are not NaN."""
    if not 0 <= ranks[0] <= ranks[-1] < present:
        raise ValueError(f"ranks {list(ranks)} are not among {present} values")
    if len(values) >= PLAIN_BELOW:
        found = _bracketed(values, ranks, present)
        if found is not None:
            return found
    kept = values if present == len(values) else values[~np.isnan(values)]
    return _picked(kept, ranks)


def median(values: Floats, present: int) -> float:
    """The middle of the `present` values that are not NaN, or the mean of the two middle ones."""
    if present % 2:
        return ranked(values, [present // 2], present)[0]
    low, high = ranked(values, [present // 2 - 1, present // 2], present)
    return (low + high) / 2


def quartiles(values: Floats, present: int) -> tuple[float, float]:
    """The values with ranks floor((n - 1) / 4) and floor(3 (n - 1) / 4): they occur, so no engine rounds them."""
    return ranked(values, [(present - 1) // 4], present)[0], ranked(values, [3 * (present - 1) // 4], present)[0]


def _bracketed(values: Floats, ranks: Sequence[int], present: int) -> list[float] | None:
    sample = values[:: len(values) // SAMPLE]
    sample = np.sort(sample[~np.isnan(sample)])
    if not len(sample):
        return None
    margin = 2 * math.sqrt(len(sample))
    low = sample[max(0, int(ranks[0] / present * len(sample) - margin))]
    high = sample[min(len(sample) - 1, int(ranks[-1] / present * len(sample) + margin))]
    below = int(np.count_nonzero(values < low))
    if low == high:
        all_there = below <= ranks[0] and ranks[-1] < below + np.count_nonzero(values == low)
        return [float(low)] * len(ranks) if all_there else None
    inside = values[(values >= low) & (values <= high)]
    if not (below <= ranks[0] and ranks[-1] < below + len(inside)):
        return None
    return _picked(inside, [rank - below for rank in ranks])


def _picked(values: Floats, ranks: Sequence[int]) -> list[float]:
    parted = np.partition(values, ranks)
    return [float(parted[rank]) for rank in ranks]
