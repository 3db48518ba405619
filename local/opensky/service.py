"""OpenSky's answers, without the wire: the token endpoint and `/api/states/all` over a replayed recording."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

from local.opensky.clock import ReplayClock
from local.opensky.control import ClockChange, Control, Dirt, ExtraRows, Plan
from local.opensky.credits import DAILY, Allowance, Box, cost, seconds_to_refill
from local.opensky.dirt import soil, soilable
from local.opensky.recording import FIELDS, ICAO24, LATITUDE, LONGITUDE, Recording, StateVector

TOKEN_PATH: Final = "/auth/realms/opensky-network/protocol/openid-connect/token"
STATES_PATH: Final = "/api/states/all"
CONTROL_PATH: Final = "/_control"

HISTORY: Final = 3600
ANONYMOUS: Final = "anonymous"
BOX_PARAMETERS: Final = ("lamin", "lomin", "lamax", "lomax")

Query = Mapping[str, list[str]]
Form = Mapping[str, str]


@dataclass(frozen=True)
class Account:
    """The only client that can get a token; `kind` decides its daily credits."""

    client_id: str
    client_secret: str
    kind: str = "account"


@dataclass(frozen=True)
class Answer:
    """An answer: a status, a body, and additional headers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """A request that OpenSky refuses, with its answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class OpenSky:
    """Answers as OpenSky does; the wall clock dates tokens and credits, the replay clock dates traffic."""

    def __init__(
        self,
        recording: Recording,
        clock: ReplayClock,
        account: Account,
        *,
        wall: Callable[[], float],
        new_token: Callable[[], str],
        token_seconds: int = 1800,
    ) -> None:
        self.clock = clock
        self.plan = Plan()
        self._recording = recording
        self._account = account
        self._wall = wall
        self._new_token = new_token
        self._token_seconds = token_seconds
        self._lock = Lock()
        self._begin()

    def _begin(self) -> None:
        self._expiries: dict[str, float] = {}
        self._allowances = {
            ANONYMOUS: Allowance(DAILY["anonymous"]),
            self._account.client_id: Allowance(DAILY[self._account.kind]),
        }

    def token(self, form: Form) -> Answer:
        """The client credentials grant as Keycloak answers it."""
        grant = form.get("grant_type")
        if grant is None:
            return as_json(400, oauth_error("invalid_request", "Missing form parameter: grant_type"))
        if grant != "client_credentials":
            return as_json(400, oauth_error("unsupported_grant_type", "Unsupported grant_type"))
        if form.get("client_id") != self._account.client_id:
            return as_json(401, oauth_error("invalid_client", "Invalid client or Invalid client credentials"))
        if form.get("client_secret") != self._account.client_secret:
            return as_json(401, oauth_error("unauthorized_client", "Invalid client or Invalid client credentials"))
        token = self._new_token()
        with self._lock:
            self._expiries[token] = self._wall() + self._token_seconds
        return as_json(
            200,
            {
                "access_token": token,
                "expires_in": self._token_seconds,
                "refresh_expires_in": 0,
                "token_type": "Bearer",  # nosec B105  # a kind
                "not-before-policy": 0,
                "scope": "email profile",
            },
        )

    def states(self, query: Query, authorization: str | None, *, empty: bool = False) -> Answer:
        """`GET /api/states/all`; `empty` answers `states: null` regardless of traffic."""
        try:
            caller = self._caller(authorization)
            box = bounding_box(query)
            at = self._moment(query, caller)
            remaining = self._charge(caller, cost(box))
        except Refused as refused:
            return refused.answer
        return self._traffic(query, box, at, remaining, empty)

    def _traffic(self, query: Query, box: Box | None, at: float, remaining: int, empty: bool) -> Answer:
        headers = {"X-Rate-Limit-Remaining": str(remaining)}
        position = self.clock.position(at)
        snapshot = self._recording.at(position).moved_to(round(at - position % self._recording.step))
        addresses = {address.lower() for address in query.get("icao24", [])}
        vectors = [
            vector
            for vector in snapshot.vectors
            if (not addresses or vector[ICAO24] in addresses)
            and (box is None or box.holds(vector[LONGITUDE], vector[LATITUDE]))
        ]
        if query.get("extended") != ["1"]:
            vectors = [vector[:FIELDS] for vector in vectors]
        vectors, injected = spoil(vectors, self.plan.take_dirt())
        if injected:
            headers["X-Injected"] = injected
        return as_json(200, {"time": snapshot.time, "states": None if empty else vectors or None}, headers)

    def control(self, message: Control) -> None:
        """Apply a control message; LookupError if it names an unknown caller."""
        unknown = sorted(set(message.credits) - set(self._allowances))
        if unknown:
            raise LookupError(f"credits: no caller {unknown[0]!r}; expected one of {', '.join(self._allowances)}")
        with self._lock:
            if message.reset:
                self._begin()
                self.plan.clear()
                self.clock.reset()
            if message.expire_tokens:
                self._expiries.clear()
            for caller, amount in message.credits.items():
                self._allowances[caller].leave(amount, self._wall())
        if message.clock is not None:
            self._change_clock(message.clock)
        self.plan.add([*message.faults, *message.dirt, *([message.extra] if message.extra else [])])

    def _change_clock(self, change: ClockChange) -> None:
        if change.now is not None:
            self.clock.set(change.now)
        if change.advance is not None:
            self.clock.advance(change.advance)
        if change.position is not None:
            self.clock.seek(change.position)
        if change.rate is not None:
            self.clock.run(change.rate)

    def condition(self) -> dict[str, Any]:
        """The clock, the remaining credits, and the number of pending faults."""
        now = self.clock.now()
        with self._lock:
            left = {
                caller: allowance.remaining if allowance.day >= 0 else allowance.daily
                for caller, allowance in self._allowances.items()
            }
            tokens = sum(expiry > self._wall() for expiry in self._expiries.values())
        return {
            "clock": {"now": now, "position": self.clock.position(now) % self._recording.length},
            "recording": {"length": self._recording.length, "step": self._recording.step},
            "credits": left,
            "tokens": tokens,
            "waiting": self.plan.waiting(),
        }

    def _caller(self, authorization: str | None) -> str:
        if authorization is None:
            return ANONYMOUS
        scheme, _, token = authorization.partition(" ")
        with self._lock:
            expiry = self._expiries.get(token.strip(), 0.0)
        if scheme.lower() != "bearer" or expiry <= self._wall():
            raise Refused(unauthorized())
        return self._account.client_id

    def _moment(self, query: Query, caller: str) -> float:
        now = self.clock.now()
        asked = query.get("time")
        if not asked:
            return now
        try:
            at = int(asked[-1])
        except ValueError:
            raise Refused(bad_request("time must be an integer")) from None
        if caller == ANONYMOUS or at == 0:
            return now
        if at < now - HISTORY:
            raise Refused(bad_request("History only available for the past 1h"))
        return min(float(at), now)

    def _charge(self, caller: str, amount: int) -> int:
        now = self._wall()
        with self._lock:
            allowance = self._allowances[caller]
            if not allowance.spend(amount, now):
                raise Refused(too_many(seconds_to_refill(now)))
            return allowance.remaining


def bounding_box(query: Query) -> Box | None:
    """The query's box; None for the world. Refuses incomplete or invalid boxes."""
    given = [name for name in BOX_PARAMETERS if name in query]
    if not given:
        return None
    if len(given) < len(BOX_PARAMETERS):
        raise Refused(bad_request("Bounding box needs lamin, lomin, lamax and lomax"))
    try:
        box = Box(*(float(query[name][-1]) for name in BOX_PARAMETERS))
    except ValueError:
        raise Refused(bad_request("Bounding box must be in decimal degrees")) from None
    if not (-90 <= box.lamin <= box.lamax <= 90 and -180 <= box.lomin <= box.lomax <= 180):
        raise Refused(bad_request("Bounding box is not within latitude -90..90 and longitude -180..180"))
    return box


def spoil(vectors: list[StateVector], dirt: list[Dirt | ExtraRows]) -> tuple[list[StateVector], str]:
    """The corrupted vectors, and a label that names each kind with its number of rows.

    Each kind takes aircraft that earlier kinds have not taken, if any are left.
    """
    labels, candidates, taken = [], soilable(vectors), 0
    for item in dirt:
        if isinstance(item, ExtraRows):
            vectors = [*vectors, *item.rows]
            labels.append(f"extra={len(item.rows)}")
            continue
        count = min(item.rows, len(candidates))
        chosen = [candidates[(taken + n) % len(candidates)] for n in range(count)]
        vectors, taken = soil(vectors, item.kind, chosen), taken + count
        labels.append(f"{item.kind}={count}")
    return vectors, ", ".join(labels)


def as_json(status: int, content: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """A compact JSON answer."""
    body = json.dumps(content, separators=(",", ":")).encode()
    return Answer(status, body, {"Content-Type": "application/json", **(headers or {})})


def oauth_error(error: str, description: str) -> dict[str, str]:
    """The error body of RFC 6749, section 5.2."""
    return {"error": error, "error_description": description}


def bad_request(message: str) -> Answer:
    """400 with a body that names the mistake."""
    return as_json(400, {"status": 400, "error": "Bad Request", "message": message, "path": STATES_PATH})


def unauthorized() -> Answer:
    """401 for a bearer token that is unknown or has expired (RFC 6750, section 3)."""
    challenge = 'Bearer error="invalid_token", error_description="Jwt expired or unknown"'
    return Answer(401, b"", {"WWW-Authenticate": challenge})


def forbidden() -> Answer:
    """403 as for an address that OpenSky blocks."""
    return Answer(403, b"<html><body><h1>403 Forbidden</h1></body></html>", {"Content-Type": "text/html"})


def too_many(retry_after: int) -> Answer:
    """429; the caller may retry after this many seconds."""
    headers = {"Content-Type": "text/plain", "X-Rate-Limit-Retry-After-Seconds": str(retry_after)}
    return Answer(429, b"Too many requests", headers)
