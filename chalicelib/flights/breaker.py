"""The circuit breaker around OpenSky, as a value and pure functions over it.

         5 failures in 300 s               60 s later
    CLOSED ----------------> OPEN ----------------------> HALF_OPEN
       ^                      ^                             |   |
       |                      '------- a failure -----------'   |
       '---------------- 3 successes in a row -----------------'

It lives in a table, because a Lambda's memory does not last from one poll to the next.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

FAILURES_TO_OPEN = 5
FAILURE_WINDOW = timedelta(seconds=300)
OPEN_FOR = timedelta(seconds=60)
SUCCESSES_TO_CLOSE = 3


class BreakerState(StrEnum):
    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


class Breaker(Struct, frozen=True):
    """The breaker: recent failures while closed, when it opened, and the successes since it is half open.

    `failing_since` is the first failure after the last success.
    """

    state: BreakerState = BreakerState.CLOSED
    failures: tuple[datetime, ...] = ()
    opened_at: datetime | None = None
    successes: int = 0
    failing_since: datetime | None = None

    def allows_at(self, now: datetime) -> bool:
        """May a call be made?"""
        return self.opened_at is None or self.state is not BreakerState.OPEN or now >= self.opened_at + OPEN_FOR


def before_call(breaker: Breaker, now: datetime) -> Breaker:
    """The breaker as a call begins: an open one whose time is over is half open."""
    if breaker.state is BreakerState.OPEN and breaker.allows_at(now):
        return Breaker(BreakerState.HALF_OPEN, opened_at=breaker.opened_at, failing_since=breaker.failing_since)
    return breaker


def after_failure(breaker: Breaker, now: datetime) -> Breaker:
    """The breaker after a call that failed."""
    since = breaker.failing_since or now
    recent = (*(at for at in breaker.failures if at > now - FAILURE_WINDOW), now)
    if breaker.state is BreakerState.HALF_OPEN or len(recent) >= FAILURES_TO_OPEN:
        return Breaker(BreakerState.OPEN, opened_at=now, failing_since=since)
    if breaker.state is BreakerState.OPEN:
        return breaker
    return replace(breaker, failures=recent, failing_since=since)


def after_success(breaker: Breaker) -> Breaker:
    """The breaker after a call that went well."""
    if breaker.state is BreakerState.HALF_OPEN:
        successes = breaker.successes + 1
        return (
            Breaker() if successes >= SUCCESSES_TO_CLOSE else replace(breaker, successes=successes, failing_since=None)
        )
    return breaker if breaker.state is BreakerState.OPEN else replace(breaker, failing_since=None)


def is_outage(breaker: Breaker, now: datetime) -> bool:
    """Whether operators should get an alert: it is open, or has been failing without a success for too long.

    At one poll in 5 minutes, with two retries each, 5 failures never fall into 300 s, so elapsed time must decide.
    """
    since = breaker.failing_since
    return breaker.state is BreakerState.OPEN or (since is not None and now >= since + FAILURE_WINDOW)
