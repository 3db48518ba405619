"""The public keys that verify a Cognito user pool's tokens."""

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import NamedTuple
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from chalicelib.deadline import left
from chalicelib.errors import UpstreamUnavailable

TIMEOUT_S = 3.0
RENEWAL_S = 60.0
MAX_BYTES = 64 * 1024


class RsaKey(NamedTuple):
    """An RSA public key."""

    modulus: int
    exponent: int


class PoolKeys:
    """Reads a pool's keys once, and again for an unknown id, at most once in RENEWAL_S.

    `endpoint` replaces the issuer's host, because a local Cognito issues tokens in the name of AWS.
    """

    def __init__(self, endpoint: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._known: dict[str, RsaKey] = {}
        self._read_at: float | None = None

    def find(self, issuer: str, key_id: str) -> RsaKey | None:
        """The key with that id, or None; UpstreamUnavailable if the keys cannot be read."""
        stale = self._read_at is None or self._clock() - self._read_at >= RENEWAL_S
        if key_id not in self._known and stale:
            self._known = self._read(issuer)
            self._read_at = self._clock()
        return self._known.get(key_id)

    def _read(self, issuer: str) -> dict[str, RsaKey]:
        base = self._endpoint + urlsplit(issuer).path if self._endpoint else issuer
        try:
            with urlopen(f"{base}/.well-known/jwks.json", timeout=left(TIMEOUT_S)) as answer:
                keys = json.loads(answer.read(MAX_BYTES))["keys"]
            return {key["kid"]: RsaKey(_number(key["n"]), _number(key["e"])) for key in keys if key["kty"] == "RSA"}
        except (URLError, OSError, ValueError, KeyError, TypeError) as error:
            raise UpstreamUnavailable("The user pool's keys cannot be read; try again later", retry_after=5) from error


def _number(text: str) -> int:
    return int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
