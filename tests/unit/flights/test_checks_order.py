"""Medians and quartiles against sorting, also where the short cut applies, misses, or meets ties."""

from statistics import median as plain_median
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.flights.checks import order

VALUES = st.lists(st.sampled_from([0.0, 1.0, 2.0]) | st.floats(allow_nan=False, width=32), min_size=1, max_size=200)


@given(VALUES, st.integers(0, 5), st.booleans())
def test_median_and_quartiles_are_those_of_the_sorted_values(values: list[float], missing: int, small: bool) -> None:
    present, ordered = len(values), sorted(values)
    array = np.array([np.nan] * missing + values)
    with (
        patch.object(order, "SAMPLE", 8 if small else 8192),
        patch.object(order, "PLAIN_BELOW", 16 if small else 65536),
    ):
        if np.isfinite(values).all():
            assert order.median(array, present) == plain_median(values)
        assert order.quartiles(array, present) == (ordered[(present - 1) // 4], ordered[3 * (present - 1) // 4])


def test_a_sample_that_misleads_costs_time_and_nothing_else() -> None:
    """Every value that the sample sees is far below the rest."""
    values = np.arange(order.PLAIN_BELOW * 2, dtype=float) + 1e6
    values[:: len(values) // order.SAMPLE] = 0
    assert order.median(values, len(values)) == np.median(values)


def test_a_sample_of_nothing_but_gaps() -> None:
    values = np.arange(order.PLAIN_BELOW * 2, dtype=float)
    values[:: len(values) // order.SAMPLE] = np.nan
    assert order.median(values, int((~np.isnan(values)).sum())) == np.nanmedian(values)


def test_the_values_are_left_as_they_are() -> None:
    values = np.random.default_rng(1).normal(size=order.PLAIN_BELOW + 7)
    before = values.copy()
    order.quartiles(values, len(values))
    assert (values == before).all()


@pytest.mark.parametrize("rank", [-1, 3])
def test_a_rank_that_no_value_has_is_refused(rank: int) -> None:
    with pytest.raises(ValueError, match="not among 3 values"):
        order.ranked(np.array([1.0, 2.0, 3.0]), [rank], 3)
