"""Limits on what one address does."""

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


def test_an_address_may_do_as_much_as_its_limit_in_all_processes_together() -> None:
    counters, clock = FakeCounters(), Clock()
    assert passed(AddressLimits(counters, clock, {"chat": 12}), 8) == 8
    assert passed(AddressLimits(counters, clock, {"chat": 12}), 8) == 4
    assert passed(AddressLimits(counters, clock, {"chat": 12}), 8, "192.0.2.2") == 8
