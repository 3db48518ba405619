"""Sign-in through a Cognito user pool: the authorizer of routes, and our own verification of ID tokens.

API Gateway's authorizer verifies the token on routes for signed-in people only. A route that also takes the operators'
token has no authorizer, so this module verifies its ID tokens: RS256 as in RFC 7518, section 3.3.
"""

from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from datetime import datetime
from os import environ
from typing import Any, Protocol

import msgspec
from chalice.app import CognitoUserPoolAuthorizer
from msgspec import Struct

from chalicelib.entry.events import packaging_for_cloudformation
from chalicelib.errors import Unauthenticated

SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""The DER prefix of a SHA-256 digest in an RSA signature; RFC 8017, section 9.2, note 1."""


def user_pool(name: str, *, resource: str, variable: str) -> CognitoUserPoolAuthorizer:
    """The authorizer of a pool: the template's `resource` when packaging, else the ARN in the variable.

    API Gateway needs the pool's ARN during deployment, but a template that makes the pool knows only its name.
    """
    arn: Any = {"Fn::GetAtt": [resource, "Arn"]} if packaging_for_cloudformation() else environ.get(variable, "")
    return CognitoUserPoolAuthorizer(name, provider_arns=[arn])


class UserPool(Protocol):
    """The user pool whose ID tokens are valid: its issuer, and the applications that may use them."""

    @property
    def issuer(self) -> str: ...

    @property
    def client_ids(self) -> frozenset[str]: ...


class PublicKey(Protocol):
    """An RSA public key."""

    @property
    def modulus(self) -> int: ...

    @property
    def exponent(self) -> int: ...


FindKey = Callable[[str, str], PublicKey | None]


class IdToken(Struct, frozen=True):
    """The parts of a token, unverified."""

    key_id: str
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


class _Header(Struct):
    alg: str = ""
    kid: str = ""


def read_token(authorization: str | None) -> IdToken:
    """The token of an Authorization header, with or without "Bearer"; Unauthenticated if it is not a JSON Web Token."""
    text = (authorization or "").removeprefix("Bearer ").strip()
    try:
        header, payload, signature = text.encode("ascii").split(b".")
        head = msgspec.json.decode(_decoded(header), type=_Header)
        claims = msgspec.json.decode(_decoded(payload), type=dict[str, Any])
        return IdToken(head.kid if head.alg == "RS256" else "", claims, header + b"." + payload, _decoded(signature))
    except (ValueError, msgspec.MsgspecError, RecursionError):
        raise Unauthenticated("The Authorization header holds no ID token: sign in and send one.") from None


def groups_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """The groups of a token's claims: Cognito's own list, never parsed from a text."""
    groups = claims.get("cognito:groups")
    return frozenset(group for group in groups if isinstance(group, str)) if isinstance(groups, list) else frozenset()


class SignIn:
    """Verifies ID tokens of one user pool.

    `pool` returns its settings, `key` the public key of an id, or None.
    """

    def __init__(
        self,
        *,
        pool: Callable[[], UserPool],
        key: Callable[[str, str], PublicKey | None],
        clock: Callable[[], datetime],
    ) -> None:
        self._pool = pool
        self._key = key
        self._clock = clock

    def claims(self, authorization: str | None) -> Mapping[str, Any]:
        """The claims of a valid ID token; Unauthenticated for any other."""
        token, pool = read_token(authorization), self._pool()
        claims = token.claims
        if claims.get("iss") != pool.issuer or claims.get("aud") not in pool.client_ids:
            raise Unauthenticated("The token is not from our user pool and applications.")
        if claims.get("token_use") != "id" or not isinstance(claims.get("sub"), str):
            raise Unauthenticated("The token is not an ID token.")
        key = self._key(pool.issuer, token.key_id) if token.key_id else None
        if key is None or not _signed_by(key, token):
            raise Unauthenticated("The token's signature is not our user pool's.")
        expires = claims.get("exp")
        if not isinstance(expires, int) or expires <= self._clock().timestamp():
            raise Unauthenticated("The token has expired: sign in again.")
        return claims


def _signed_by(key: PublicKey, token: IdToken) -> bool:
    """Compare the whole padded digest (RFC 8017, section 8.2.2): code that parses no padding cannot misparse it."""
    import hashlib  # only operators pay for loading OpenSSL

    size = (key.modulus.bit_length() + 7) // 8
    digest = SHA256_DIGEST_INFO + hashlib.sha256(token.signed).digest()
    wanted = b"\x00\x01" + b"\xff" * (size - 3 - len(digest)) + b"\x00" + digest
    number = int.from_bytes(token.signature, "big")
    if len(token.signature) != size or number >= key.modulus:
        return False
    return pow(number, key.exponent, key.modulus).to_bytes(size, "big") == wanted


def _decoded(part: bytes) -> bytes:
    return urlsafe_b64decode(part + b"=" * (-len(part) % 4))
