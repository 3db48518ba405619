"""The guard table, key `guard_id`: the breaker, each day's credits, the throttle, and sent alerts."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.adapters.aws import translated
from chalicelib.adapters.dynamodb import condition_failed, from_item, to_item
from chalicelib.errors import RateLimited, UpstreamUnavailable
from chalicelib.flights.breaker import Breaker, BreakerState
from chalicelib.flights.ports import Watcher

WHAT = "the guard table"
BREAKER, THROTTLE, WATCHERS = "breaker", "throttle", "watchers"
ATTEMPTS = 8
LEDGER_KEPT_FOR = timedelta(days=7)


class FlightGuard:
    """`Guard`, `Throttle` and `Notices` on DynamoDB; every change is a conditional write."""

    def __init__(self, client: Any, table: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def change_breaker(self, change: Callable[[Breaker], Breaker]) -> Breaker:
        """Apply a pure change to the stored breaker, again if another wrote in between."""
        for _ in range(ATTEMPTS):
            stored = self._get(BREAKER)
            before = _breaker(stored)
            after = change(before)
            if after == before:
                return after
            if self._put_breaker(after, stored.get("version", 0)):
                return after
        raise UpstreamUnavailable("the circuit breaker is contended; try again later", retry_after=1)

    def _put_breaker(self, breaker: Breaker, version: int) -> bool:
        item = {
            "guard_id": BREAKER,
            "version": version + 1,
            "state": breaker.state.value,
            "failures": [at.isoformat() for at in breaker.failures],
            "opened_at": breaker.opened_at.isoformat() if breaker.opened_at else None,
            "successes": breaker.successes,
            "failing_since": breaker.failing_since.isoformat() if breaker.failing_since else None,
        }
        condition = "version = :seen" if version else "attribute_not_exists(guard_id)"
        values = {"ExpressionAttributeValues": {":seen": {"N": str(version)}}} if version else {}
        written = self._attempt("put_item", Item=to_item(item), ConditionExpression=condition, **values)
        return written is not None

    def reserve_credits(self, day: str, cost: int, limit: int) -> int | None:
        """Take `cost` from the day's `limit`; the use that makes, or None, with nothing taken, if it is not there."""
        if cost > limit:
            return None
        answer = self._attempt(
            "update_item",
            Key=_key(f"credits {day}"),
            UpdateExpression="ADD used :cost SET expires_at = if_not_exists(expires_at, :expires)",
            ConditionExpression="attribute_not_exists(used) OR used <= :room",
            ExpressionAttributeValues={
                ":cost": {"N": str(cost)},
                ":room": {"N": str(limit - cost)},
                ":expires": self._expiry(self._clock() + LEDGER_KEPT_FOR),
            },
            ReturnValues="UPDATED_NEW",
        )
        return None if answer is None else int(answer["Attributes"]["used"]["N"])

    def settle_credits(self, day: str, used: int, *, reserved: int) -> None:
        """Set the day's use to what the server says; no lower where others took credits after the use `reserved`."""
        self._attempt(
            "update_item",
            Key=_key(f"credits {day}"),
            UpdateExpression="SET used = :used",
            ConditionExpression="used = :reserved OR used < :used",
            ExpressionAttributeValues={":used": {"N": str(used)}, ":reserved": {"N": str(reserved)}},
        )

    def refund_credits(self, day: str, cost: int) -> None:
        """Return the credits of a call that cost nothing."""
        self._attempt(
            "update_item",
            Key=_key(f"credits {day}"),
            UpdateExpression="ADD used :back",
            ExpressionAttributeValues={":back": {"N": str(-cost)}},
        )

    def breaker(self) -> Breaker:
        """The breaker as it is stored."""
        return _breaker(self._get(BREAKER))

    def credits_used(self, day: str) -> int:
        """The credits used on `day` (YYYY-MM-DD), from the ledger."""
        return int(self._get(f"credits {day}").get("used", 0))

    def throttled_until(self) -> datetime | None:
        """The time when OpenSky will answer again, if it said so."""
        until = self._get(THROTTLE).get("until")
        return datetime.fromisoformat(until) if until else None

    def throttle(self, until: datetime) -> None:
        """Remember that OpenSky will not talk to us before `until`."""
        item = {
            "guard_id": THROTTLE,
            "until": until.isoformat(),
            "expires_at": int((until + LEDGER_KEPT_FOR).timestamp()),
        }
        self._attempt("put_item", Item=to_item(item))

    def first(self, subject: str, until: datetime) -> bool:
        """True for the first to ask about `subject` until then."""
        claimed = self._attempt(
            "put_item",
            Item=self._notice(subject, until),
            ConditionExpression="attribute_not_exists(guard_id) OR expires_at <= :now",
            ExpressionAttributeValues={":now": self._expiry(self._clock())},
        )
        return claimed is not None

    def hold(self, subject: str, until: datetime) -> None:
        """Let nobody be the first to ask about `subject` until then."""
        self._attempt("put_item", Item=self._notice(subject, until))

    def forget(self, subjects: Sequence[str]) -> None:
        """Let the next occurrence of each subject be told again."""
        for subject in subjects:
            self._attempt("delete_item", Key=_key(f"notice {subject}"))

    def watch(self, connection_id: str, endpoint: str, most: int) -> None:
        """Remember a socket; RateLimited where `most` are remembered already."""
        added = self._attempt(
            "update_item",
            Key=_key(WATCHERS),
            UpdateExpression="ADD sockets :socket SET endpoint = :endpoint",
            ConditionExpression="attribute_not_exists(sockets) OR size(sockets) < :most",
            ExpressionAttributeValues={
                ":socket": {"SS": [connection_id]},
                ":endpoint": {"S": endpoint},
                ":most": {"N": str(most)},
            },
        )
        if added is None:
            raise RateLimited("too many sockets listen already", retry_after=60)

    def unwatch(self, connection_id: str) -> None:
        """Forget a socket."""
        self._attempt(
            "update_item",
            Key=_key(WATCHERS),
            UpdateExpression="DELETE sockets :socket",
            ExpressionAttributeValues={":socket": {"SS": [connection_id]}},
        )

    def watchers(self) -> list[Watcher]:
        """The sockets that are remembered."""
        stored = self._get(WATCHERS)
        return [Watcher(socket, stored["endpoint"]) for socket in sorted(stored.get("sockets", ()))]

    def _notice(self, subject: str, until: datetime) -> dict[str, Any]:
        return {"guard_id": {"S": f"notice {subject}"}, "expires_at": self._expiry(until)}

    def _expiry(self, at: datetime) -> dict[str, str]:
        return {"N": str(int(at.astimezone(UTC).timestamp()))}

    def _get(self, guard_id: str) -> dict[str, Any]:
        with translated(WHAT):
            answer = self._client.get_item(TableName=self._table, Key=_key(guard_id), ConsistentRead=True)
        return from_item(answer.get("Item", {}))

    def _attempt(self, operation: str, **arguments: Any) -> dict[str, Any] | None:
        """The answer to a write; None if its condition is false."""
        with translated(WHAT):
            try:
                answer: dict[str, Any] = getattr(self._client, operation)(TableName=self._table, **arguments)
            except ClientError as error:
                if condition_failed(error):
                    return None
                raise
        return answer


def _key(guard_id: str) -> dict[str, Any]:
    return {"guard_id": {"S": guard_id}}


def _breaker(stored: dict[str, Any]) -> Breaker:
    if not stored:
        return Breaker()
    opened_at, failing_since = (
        datetime.fromisoformat(at) if (at := stored.get(name)) else None for name in ("opened_at", "failing_since")
    )
    return Breaker(
        state=BreakerState(stored["state"]),
        failures=tuple(datetime.fromisoformat(at) for at in stored["failures"]),
        opened_at=opened_at,
        successes=stored["successes"],
        failing_since=failing_since,
    )
