"""Limits on what one address does: all actions are counted, or one in so many for as many."""

import pytest

from chalicelib.entry.limits import AddressLimits
from chalicelib.errors import RateLimited
from tests.fakes.clock import Clock
from tests.fakes.uploads import FakeCounters


def passed(limits: AddressLimits, calls: int, address: str = "192.0.2.1") -> int:
    """How many of some calls are let through."""
    through = 0
    for _ in range(calls):
        try:
            limits.spend("chat", address)
        except RateLimited:
            continue
        through += 1
    return through


@pytest.mark.parametrize("one_in", [1, 4])
def test_an_address_may_do_as_much_as_its_limit_and_no_more(one_in: int) -> None:
    limits = AddressLimits(FakeCounters(), Clock(), {"chat": 12}, {"chat": one_in})
    assert passed(limits, 40) == 12
    assert passed(limits, 40, "192.0.2.2") == 12


def test_only_one_in_so_many_is_counted() -> None:
    counters = FakeCounters()
    assert passed(AddressLimits(counters, Clock(), {"chat": 100}, {"chat": 4}), 40) == 40
    assert list(counters.counts.values()) == [10]


def test_one_process_after_another_counts_its_first() -> None:
    counters = FakeCounters()
    for _ in range(3):
        passed(AddressLimits(counters, Clock(), {"chat": 100}, {"chat": 4}), 1)
    assert list(counters.counts.values()) == [3]
