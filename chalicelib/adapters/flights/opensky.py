"""OpenSky over HTTPS: OAuth2 client credentials, one poll, and every way that it can go as a value."""

import json
import time
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import Message
from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

import msgspec
from msgspec import Raw, Struct

from chalicelib.flights.boxes import Box
from chalicelib.flights.escapes import mended
from chalicelib.flights.outcomes import Blocked, Fetched, Malformed, PollOutcome, Throttled, Unauthorized, Unavailable

TIMEOUT_S = 20.0
DEADLINE_S = 30.0
"""Tokens, polls and reading together: with one read that hangs to its time-out, still within the function's 60 s."""
TOKEN_MARGIN_S = 60.0
"""A token is renewed this long before it expires, because it must not expire on the way."""
MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""Twenty times a real answer; reading and keeping one takes several times its size, of the function's 512 MB."""
PIECE_BYTES = 1 << 18
DEFAULT_RETRY_S = 3600
LONGEST_RETRY_S = 7 * 86_400
"""A server that asks for more is mistaken; its credits come back every day."""


class PolledSnapshot(Struct):
    """The parts of an answer that ingestion needs; the states stay unparsed."""

    time: int
    states: Raw = Raw(b"null")


class NoRedirects(HTTPRedirectHandler):
    """A redirect would carry the token elsewhere."""

    def redirect_request(self, *_args: object, **_kwargs: object) -> None:
        return None


class OpenSky:
    """`StateSource` on the REST API; with no credentials it polls anonymously, and never falls back to that."""

    def __init__(
        self,
        *,
        url: str,
        token_url: str,
        credentials: Callable[[], tuple[str, str] | None],
        clock: Callable[[], datetime],
        forget_credentials: Callable[[], None] = lambda: None,
        timeout_s: float = TIMEOUT_S,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._states_url = url.rstrip("/") + "/api/states/all"
        self._token_url = token_url
        self._credentials = credentials
        self._clock = clock
        self._forget_credentials = forget_credentials
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s
        self._ends = 0.0
        self._opener = build_opener(NoRedirects)
        self._token = ""  # nosec B105  # none yet
        self._token_ends = 0.0

    def fetch(self, box: Box | None) -> PollOutcome:
        """One poll of all state vectors in `box`, extended with categories."""
        self._ends = time.monotonic() + self._deadline_s
        try:
            credentials = self._credentials()
            outcome = self._poll(box, credentials)
            if isinstance(outcome, Unauthorized) and credentials is not None:
                # The token may have been revoked before its time, or the secret rotated: once more with fresh ones.
                self._token = ""  # nosec B105  # none
                self._forget_credentials()
                outcome = self._poll(box, self._credentials() or credentials)
            return outcome
        except (OSError, HTTPException) as error:  # URLError, TimeoutError, SSLError and lost connections are OSErrors
            return Unavailable(_reason(error))

    def _poll(self, box: Box | None, credentials: tuple[str, str] | None) -> PollOutcome:
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        if credentials is not None:
            refused = self._renew_token(credentials)
            if refused is not None:
                return refused
            headers["Authorization"] = f"Bearer {self._token}"
        parameters: dict[str, object] = {"extended": 1}
        if box is not None:
            parameters |= dict(zip(("lamin", "lomin", "lamax", "lomax"), box, strict=True))
        request = Request(f"{self._states_url}?{urlencode(parameters)}", headers=headers)
        try:
            with self._open(request) as answer:
                return self._read(answer)
        except HTTPError as error:
            with error:
                return self._refused(error.code, error.headers)

    def _renew_token(self, credentials: tuple[str, str]) -> PollOutcome | None:
        if self._token and time.monotonic() < self._token_ends - TOKEN_MARGIN_S:
            return None
        client_id, client_secret = credentials
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        request = Request(self._token_url, data=urlencode(form).encode())
        asked = time.monotonic()
        try:
            with self._open(request) as answer:
                grant = json.loads(self._body(answer))
            self._token = str(grant["access_token"])
            self._token_ends = asked + float(grant["expires_in"])
        except HTTPError as error:
            with error:
                if error.code in {400, 401}:
                    return Unauthorized("the token endpoint refuses the client's credentials")
                return self._refused(error.code, error.headers)
        except (ValueError, KeyError, TypeError):
            return Unavailable("the token endpoint answered with no token")
        return None

    def _open(self, request: Request) -> HTTPResponse:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        answer: HTTPResponse = self._opener.open(request, timeout=min(self._timeout_s, left))
        return answer

    def _body(self, answer: HTTPResponse) -> bytes:
        """At most one byte more than allowed; TimeoutError if the body continues beyond the deadline."""
        pieces: list[bytes] = []
        size = 0
        while size <= MAX_ANSWER_BYTES and (piece := answer.read1(PIECE_BYTES)):
            if time.monotonic() > self._ends:
                raise TimeoutError
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)

    def _read(self, answer: HTTPResponse) -> PollOutcome:
        body = self._body(answer)
        if len(body) > MAX_ANSWER_BYTES:
            return Malformed(f"the answer has more than {MAX_ANSWER_BYTES} bytes", b"")
        if answer.length:
            return Unavailable(f"the answer was cut off {answer.length} bytes before its end")
        if answer.headers.get("Content-Encoding") == "gzip":
            unzip = zlib.decompressobj(wbits=31)
            try:
                plain = unzip.decompress(body, MAX_ANSWER_BYTES)
            except zlib.error:
                return Malformed("the answer is not the gzip that it says it is", body)
            if unzip.unconsumed_tail or not unzip.eof:
                return Malformed("the answer's gzip is cut off or too large", body)
            body = plain
        try:
            snapshot = _snapshot(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return Malformed(f"the answer is no snapshot: {error}", body)
        if not 0 < snapshot.time < 10**11:
            return Malformed(f"the snapshot's time is {snapshot.time}", body)
        left = answer.headers.get("X-Rate-Limit-Remaining", "")
        return Fetched(
            body=body,
            time=snapshot.time,
            empty=bytes(snapshot.states) in {b"null", b"[]"},
            credits_left=int(left) if left.isdecimal() else None,
        )

    def _refused(self, status: int, headers: Message) -> PollOutcome:
        if status == 429:
            given = headers.get("X-Rate-Limit-Retry-After-Seconds") or headers.get("Retry-After") or ""
            seconds = int(given) if given.isdecimal() else DEFAULT_RETRY_S
            return Throttled(self._clock() + timedelta(seconds=min(seconds, LONGEST_RETRY_S)))
        if status == 401:
            return Unauthorized("OpenSky refuses the token")
        if status == 403:
            return Blocked("OpenSky answers 403: this network or account is blocked")
        return Unavailable(f"OpenSky answers {status}")


def _snapshot(body: bytes) -> PolledSnapshot:
    """The answer's time and states; half a surrogate pair in a row is for the conversion to refuse."""
    try:
        return msgspec.json.decode(body, type=PolledSnapshot)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        return msgspec.json.decode(mended(body), type=PolledSnapshot)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
        return "no answer in time"
    return f"the connection failed ({type(error).__name__})"
