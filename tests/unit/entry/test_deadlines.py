"""The deadline of a request: the sooner of what API Gateway waits and what Lambda leaves, for all that it calls."""

import threading
from contextvars import copy_context
from types import SimpleNamespace

import pytest

from chalicelib.deadline import current, grace, left, within
from chalicelib.entry.health import Health, HealthQuery
from chalicelib.entry.invocations import ANSWER_S, answer_in_time
from chalicelib.errors import UpstreamTimeout


class Ticks:
    """A monotonic clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def event_with(remaining_ms: int) -> SimpleNamespace:
    return SimpleNamespace(context=SimpleNamespace(get_remaining_time_in_millis=lambda: remaining_ms))


@pytest.mark.parametrize(("remaining_ms", "most"), [(900_000, ANSWER_S), (10_000, 9.0), (400, 0.0)])
def test_a_request_has_until_api_gateway_or_lambda_gives_up(remaining_ms: int, most: float) -> None:
    found = answer_in_time(event_with(remaining_ms), lambda _event: left())
    assert most - 1 < found <= most or found == most == 0
    assert current() is None


def test_a_part_has_no_longer_than_the_whole_and_tidying_up_has_its_own_time() -> None:
    clock = Ticks()
    with within(10, clock) as request:
        with within(4) as part:
            clock.now += 3
            assert (part.left(), request.left()) == (1, 7)
            clock.now += 2
            assert part.left() == 0
            with grace(1.5):
                assert left() == 1.5
        clock.now += 2
        with within(30):
            assert left() == 3
    assert left(12) == 12


def test_nothing_is_asked_of_an_upstream_that_has_timed_out_nor_after_the_deadline() -> None:
    clock = Ticks()
    with within(10, clock) as request:
        request.ask("warehouse")
        with within(1) as part:
            part.gave_up("warehouse")
        with pytest.raises(UpstreamTimeout, match="warehouse"):
            request.ask("warehouse")
        request.ask("table")
        clock.now += 10
        with pytest.raises(UpstreamTimeout, match="table"):
            request.ask("table")


def test_checks_of_health_share_its_deadline_though_they_run_in_threads() -> None:
    seen: list[float] = []
    health = Health({"one": lambda: seen.append(left())}, deadline_s=5)
    health.report(HealthQuery(deep=True), lambda: None)
    assert 0 < seen[0] <= 5


def test_a_thread_has_the_deadline_of_the_context_that_it_is_given() -> None:
    seen: list[float] = []
    with within(1000):
        thread = threading.Thread(target=copy_context().run, args=(lambda: seen.append(left()),))
        thread.start()
        thread.join()
    assert seen[0] <= 1000
