"""The breaker's invariants under any sequence of calls."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.flights.breaker import (
    FAILURE_WINDOW,
    FAILURES_TO_OPEN,
    OPEN_FOR,
    Breaker,
    BreakerState,
    after_failure,
    after_success,
    before_call,
    is_outage,
)

START = datetime(2026, 11, 21, tzinfo=UTC)
STEPS = st.lists(st.tuples(st.sampled_from(["ok", "failed"]), st.integers(0, 200)), max_size=60)


@given(STEPS)
def test_it_never_opens_without_cause_and_never_calls_while_open(steps: list[tuple[str, int]]) -> None:
    breaker, now = Breaker(), START
    failures: list[datetime] = []
    since: datetime | None = None
    for result, seconds in steps:
        now += timedelta(seconds=seconds)
        was_open_until = (
            breaker.opened_at + OPEN_FOR if breaker.state is BreakerState.OPEN and breaker.opened_at else None
        )
        breaker = before_call(breaker, now)
        assert breaker.allows_at(now) == (was_open_until is None or now >= was_open_until)
        if not breaker.allows_at(now):
            continue
        half_open = breaker.state is BreakerState.HALF_OPEN
        if result == "failed":
            failures.append(now)
            since = since or now
            breaker = after_failure(breaker, now)
            if breaker.state is BreakerState.OPEN and not half_open:
                assert sum(at > now - FAILURE_WINDOW for at in failures) >= FAILURES_TO_OPEN
            if half_open:
                assert breaker.state is BreakerState.OPEN
        else:
            since = None
            breaker = after_success(breaker)
            assert breaker.state is not BreakerState.OPEN
        assert breaker.failing_since == since
        assert is_outage(breaker, now) == (breaker.state is BreakerState.OPEN or (since or now) <= now - FAILURE_WINDOW)
