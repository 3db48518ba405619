"""The user pool's settings, from a secret."""

import time
from collections.abc import Callable
from typing import Protocol

from chalicelib.errors import UpstreamRejected
from chalicelib.spendsense.identity import Pool

RENEWAL_S = 60.0


class SecretReader(Protocol):
    """The store of secrets."""

    def read(self, arn: str) -> dict[str, object]: ...

    def forget(self, arn: str) -> None: ...


class SecretPools:
    """Reads `{"issuer", "client_ids"}`, and again on request, at most once in RENEWAL_S.

    The old value stays valid until a newer one is read: a secret that cannot be read now shuts nobody out.
    """

    def __init__(self, secrets: SecretReader, arn: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._secrets = secrets
        self._arn = arn
        self._clock = clock
        self._renewed_at: float | None = None
        self._known: Pool | None = None

    def pool(self) -> Pool:
        """The pool; UpstreamRejected if the secret does not describe one."""
        if self._known is None:
            self._known = self._read()
        return self._known

    def renewed(self) -> Pool:
        """The pool as the secret has it now, or had it less than RENEWAL_S ago."""
        if self._renewed_at is None or self._clock() - self._renewed_at >= RENEWAL_S:
            self._renewed_at = self._clock()
            self._secrets.forget(self._arn)
            self._known = self._read()
        return self.pool()

    def _read(self) -> Pool:
        secret = self._secrets.read(self._arn)
        issuer, client_ids = secret.get("issuer"), secret.get("client_ids")
        if not isinstance(issuer, str) or not isinstance(client_ids, list):
            raise UpstreamRejected("the Cognito secret needs issuer and client_ids")
        return Pool(issuer, frozenset(map(str, client_ids)))
