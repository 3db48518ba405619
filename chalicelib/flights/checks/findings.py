"""Findings of a check: counts and examples."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

MAX_SAMPLES: Final = 5

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
RowPlaces = npt.NDArray[np.intp]

NONE: Final[RowPlaces] = np.empty(0, np.intp)


@dataclass(frozen=True, slots=True)
class Tally:
    """The numbers of checked and failing rows (or values), and the positions of the first failing rows."""

    checked: int
    failing: int
    examples: RowPlaces = field(default_factory=lambda: NONE)
    parts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Checked and failing by field, rule, source or phase, whichever the check tells apart."""

    @classmethod
    def of(cls, checked: int, failing: Mask | None, parts: Mapping[str, tuple[int, int]] | None = None) -> "Tally":
        """The tally of a check that judges rows: `failing` marks them, None says that there are none."""
        return cls(checked, marked(failing), first(failing), parts or {})


def marked(mask: Mask | None) -> int:
    """The number of marks; None marks nothing."""
    return 0 if mask is None else int(np.count_nonzero(mask))


def first(mask: Mask | None) -> RowPlaces:
    """The positions of the first few marks."""
    found: list[int] = []
    start = 0
    while mask is not None and len(found) < MAX_SAMPLES and start < len(mask):
        start += int(mask[start:].argmax())
        if not mask[start]:
            break
        found.append(start)
        start += 1
    return np.array(found, np.intp)


def either(*masks: Mask | None) -> Mask | None:
    """Marked in any of them."""
    joined: Mask | None = None
    for mask in masks:
        if mask is not None:
            joined = mask if joined is None else joined | mask
    return joined
