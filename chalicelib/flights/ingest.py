"""Ingestion: one poll of OpenSky, as far as the throttle, the breaker and the day's credits allow it."""

import gzip
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.errors import OmnibusError, UpstreamUnavailable
from chalicelib.flights import keys
from chalicelib.flights.boxes import Box, square_degrees
from chalicelib.flights.breaker import Breaker, BreakerState, after_failure, after_success, before_call, is_outage
from chalicelib.flights.outcomes import Blocked, Fetched, Malformed, PollOutcome, Throttled, Unauthorized, Unavailable
from chalicelib.flights.ports import (
    Alerts,
    EmitMetrics,
    Guard,
    ObjectWriter,
    RunBook,
    StateSource,
    Throttle,
    TroubleNotices,
)
from chalicelib.flights.runs import begun

NAMESPACE = "FlightDataPipeline/Ingestion"
NOTICE_LASTS = timedelta(days=1)
CLAIM_LASTS = timedelta(seconds=45)
"""Less than the wait before a retry: who claimed the telling and died has not kept the others from it."""
UNITS = {"SnapshotsFetched": "Count", "BreakerOpen": "Count", "CreditsUsed": "Percent"}
REFUSALS = ("throttled", "unauthorized", "blocked", "malformed")
OUTAGE = "unavailable"


def poll_cost(box: Box | None) -> int:
    """Credits that one poll costs, by the box's area in square degrees: <= 25 1, <= 100 2, <= 400 3, else 4."""
    if box is None:
        return 4
    area = square_degrees(box)
    return next((cost for limit, cost in ((25, 1), (100, 2), (400, 3)) if area <= limit), 4)


class Ingestion:
    """Polls, keeps the exact bytes, and begins the snapshot's run; says what happened as a plain mapping."""

    def __init__(
        self,
        *,
        source: StateSource,
        bucket: ObjectWriter,
        runs: RunBook,
        guard: Guard,
        throttle: Throttle,
        notices: TroubleNotices,
        alerts: Alerts,
        emit: EmitMetrics,
        box: Box | None,
        daily_credits: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._source = source
        self._bucket = bucket
        self._runs = runs
        self._guard = guard
        self._throttle = throttle
        self._notices = notices
        self._alerts = alerts
        self._emit = emit
        self._box = box
        self._daily_credits = daily_credits
        self._clock = clock

    def poll(self) -> dict[str, Any]:
        """Poll once. Raises UpstreamUnavailable when OpenSky is down, which makes the schedule retry."""
        now = self._clock()
        if refusal := self._refusal(now):
            self._measure(SnapshotsFetched=0)
            return {"outcome": "skipped", **refusal}
        cost = poll_cost(self._box)
        day = now.date().isoformat()
        reserved = self._guard.reserve_credits(day, cost, self._daily_credits)
        if reserved is None:
            self._tell_once("throttled", now, {"reason": f"the {self._daily_credits} credits of {day} are used up"})
            self._measure(SnapshotsFetched=0, CreditsUsed=100)
            return {"outcome": "skipped", "reason": "no credits left today"}
        try:
            outcome = self._source.fetch(self._box)
        except OmnibusError:  # no call was made: its credentials could not be read
            self._guard.refund_credits(day, cost)
            raise
        try:
            return self._act(outcome, self._clock())
        finally:  # the snapshot first: a ledger that cannot be written must not lose it
            self._settle(outcome, day, cost, reserved)
            self._measure_outcome(outcome)

    def _refusal(self, now: datetime) -> dict[str, Any] | None:
        until = self._throttle.throttled_until()
        if until is not None and until > now:
            self._tell_of_throttle(until, now)  # the invocation that recorded it may have died before the alert
            return {"reason": "throttled", "until": until.isoformat()}
        breaker = self._guard.change_breaker(lambda stored: before_call(stored, now))
        if not breaker.allows_at(now):
            self._measure(BreakerOpen=1)
            return {"reason": "the circuit breaker is open"}
        return None

    def _settle(self, outcome: PollOutcome, day: str, cost: int, reserved: int) -> None:
        """Make the ledger agree with the server: its own count where it gives one, no charge for no answer."""
        match outcome:
            case Fetched(credits_left=int(left)):
                self._guard.settle_credits(day, max(0, self._daily_credits - left), reserved=reserved)
            case Unavailable() | Unauthorized() | Blocked() | Throttled():
                self._guard.refund_credits(day, cost)

    def _measure_outcome(self, outcome: PollOutcome) -> None:
        """The day's credits, only if the server says how many are left, or that none are."""
        match outcome:
            case Fetched(credits_left=int(left)):
                used = 100 * (1 - left / self._daily_credits)
                self._measure(SnapshotsFetched=1, CreditsUsed=round(max(0.0, used), 2))
            case Fetched():
                self._measure(SnapshotsFetched=1)
            case Throttled():
                self._measure(SnapshotsFetched=0, CreditsUsed=100)
            case _:
                self._measure(SnapshotsFetched=0)

    def _measure(self, **values: float) -> None:
        self._emit(NAMESPACE, {name: (value, UNITS[name]) for name, value in values.items()})

    def _act(self, outcome: PollOutcome, now: datetime) -> dict[str, Any]:
        match outcome:
            case Fetched():
                return self._keep(outcome, now)
            case Throttled(until):
                self._throttle.throttle(until)
                self._tell_of_throttle(until, now)
                return {"outcome": "throttled", "until": until.isoformat()}
            case Unauthorized(reason):
                self._tell_once("unauthorized", now, {"reason": reason})
                return {"outcome": "unauthorized", "reason": reason}
            case Blocked(reason):
                self._tell_once("blocked", now, {"reason": reason})
                return {"outcome": "blocked", "reason": reason}
            case Malformed(reason, body):
                key = keys.malformed_key(now)
                self._bucket.write(key, gzip.compress(body, mtime=0), "application/gzip")
                self._fail(now)
                self._tell_once("malformed", now, {"reason": reason, "key": key})
                return {"outcome": "malformed", "reason": reason, "key": key}
            case Unavailable(reason):
                if is_outage(self._fail(now), now):
                    self._tell_once(OUTAGE, now, {"reason": "OpenSky keeps failing; polls recover by themselves"})
                raise UpstreamUnavailable(f"OpenSky is unavailable: {reason}")

    def _keep(self, snapshot: Fetched, now: datetime) -> dict[str, Any]:
        key = keys.raw_key(snapshot.time)
        compressed = gzip.compress(snapshot.body, 6, mtime=0)
        new = self._bucket.write_new(key, compressed, "application/gzip")
        run = begun(snapshot.time, now, bytes_raw=len(compressed))
        self._runs.begin(run)
        breaker = self._guard.change_breaker(after_success)
        self._measure(BreakerOpen=int(breaker.state is BreakerState.OPEN))
        # A half-open breaker may open again: that is still the outage of the earlier alert.
        self._notices.forget((*REFUSALS, OUTAGE) if breaker.state is BreakerState.CLOSED else REFUSALS)
        outcome = "empty" if snapshot.empty else "fetched"
        return {"outcome": outcome, "tracking_id": run.tracking_id, "key": key, "new": new}

    def _fail(self, now: datetime) -> Breaker:
        breaker = self._guard.change_breaker(lambda stored: after_failure(stored, now))
        self._measure(BreakerOpen=int(breaker.state is BreakerState.OPEN))
        return breaker

    def _tell_of_throttle(self, until: datetime, now: datetime) -> None:
        self._tell_once("throttled", now, {"until": until.isoformat()}, until=until)

    def _tell_once(
        self, subject: str, now: datetime, facts: Mapping[str, Any], *, until: datetime | None = None
    ) -> None:
        if not self._notices.first(subject, now + CLAIM_LASTS):
            return
        message = {"type": "FLIGHTS_INGESTION_ISSUE", "issue": subject, "at": now.isoformat(), **facts}
        try:
            self._alerts.send(f"Flights ingestion: {subject}", message)
        except OmnibusError:
            self._notices.forget([subject])
            raise
        self._notices.hold(subject, until or now + NOTICE_LASTS)
