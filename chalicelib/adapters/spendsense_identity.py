"""The user pool's settings, from a secret."""

from typing import Protocol

from chalicelib.errors import UpstreamRejected
from chalicelib.spendsense.identity import Pool


class SecretReader(Protocol):
    """Where secrets are kept."""

    def read(self, arn: str) -> dict[str, object]: ...


class SecretPools:
    """Reads `{"issuer", "client_ids"}`."""

    def __init__(self, secrets: SecretReader, arn: str) -> None:
        self._secrets = secrets
        self._arn = arn

    def pool(self) -> Pool:
        """The pool; UpstreamRejected if the secret does not describe one."""
        secret = self._secrets.read(self._arn)
        issuer, client_ids = secret.get("issuer"), secret.get("client_ids")
        if not isinstance(issuer, str) or not isinstance(client_ids, list):
            raise UpstreamRejected("the Cognito secret needs issuer and client_ids")
        return Pool(issuer, frozenset(map(str, client_ids)))
