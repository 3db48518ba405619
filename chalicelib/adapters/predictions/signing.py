"""Keys that sign models: an asymmetric KMS key or, without one, a secret that both sides know."""

import functools
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from botocore.session import get_session

from chalicelib.adapters.aws import dependency, error_code
from chalicelib.predictions.ports import Signer, Verifier

ALGORITHM = "ECDSA_SHA_256"
MIN_SECRET_BYTES = 32


class KmsKey:
    """Signs and verifies with a KMS key (ECC_NIST_P256); its policy and IAM decide who can do which."""

    def __init__(self, kms: Any, arn: str) -> None:
        self._kms = kms
        self._arn = arn

    @property
    def key_name(self) -> str:
        """The key's ARN."""
        return self._arn

    def sign(self, message: bytes) -> bytes:
        """A DER-encoded ECDSA signature over the SHA-256 of `message`."""
        with dependency("the signing key"):
            answer = self._kms.sign(SigningAlgorithm=ALGORITHM, **self._digest(message))
        return bytes(answer["Signature"])

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Is it this key's signature? Anything that is none is False, an outage raises."""
        if not signature:
            return False
        try:
            with dependency("the signing key"):
                answer = self._kms.verify(SigningAlgorithm=ALGORITHM, Signature=signature, **self._digest(message))
        except Exception as error:
            if (
                isinstance(error.__cause__, ClientError)
                and error_code(error.__cause__) == "KMSInvalidSignatureException"
            ):
                return False
            raise
        return bool(answer["SignatureValid"])

    def _digest(self, message: bytes) -> dict[str, Any]:
        return {"KeyId": self._arn, "MessageType": "DIGEST", "Message": hashlib.sha256(message).digest()}


class SharedSecret:
    """HMAC-SHA-256 with a secret from Secrets Manager: only for a local cloud, because verifiers could also sign."""

    def __init__(self, secrets: Any, arn: str) -> None:
        self._secrets = secrets
        self._arn = arn

    @property
    def key_name(self) -> str:
        """The secret's ARN or name."""
        return self._arn

    def sign(self, message: bytes) -> bytes:
        """The HMAC of `message`."""
        return hmac.digest(self._secret, message, "sha256")

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Is it the HMAC of `message`? Compared in constant time."""
        return hmac.compare_digest(self.sign(message), signature)

    @functools.cached_property
    def _secret(self) -> bytes:
        with dependency("the signing secret"):
            text = self._secrets.get_secret_value(SecretId=self._arn)["SecretString"]
        if len(text) < MIN_SECRET_BYTES:
            raise ValueError(f"the signing secret is shorter than {MIN_SECRET_BYTES} characters")
        return str(text).encode()


def signing_key(name: str, client: Callable[..., Any] | None = None) -> KmsKey | SharedSecret:
    """The key that `name` names: the ARN of a KMS key, or the ARN or name of a secret; `client` makes its client."""
    client = client or get_session().create_client
    service = name.split(":")[2] if name.count(":") >= 5 else ""
    if service == "kms":
        return KmsKey(client("kms"), name)
    if service == "secretsmanager" or ":" not in name:
        return SharedSecret(client("secretsmanager"), name)
    raise ValueError(f"{name!r} names neither a KMS key nor a secret")


_VERIFIES: tuple[type[Verifier], ...] = (KmsKey, SharedSecret)
_SIGNS: tuple[type[Signer], ...] = (KmsKey, SharedSecret)
