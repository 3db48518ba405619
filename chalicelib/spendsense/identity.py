"""The caller, from the claims that the authorizer accepted, checked once more against our own pool.

The authorizer checks signature, expiry and issuer. It does not check which application the token was made for, nor
that it is an ID token, and it is configuration that somebody may change: so all that a claim can tell is asked again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from chalicelib.errors import Forbidden, Unauthenticated
from chalicelib.spendsense.models import Operator
from chalicelib.spendsense.ports import Audit

OPERATORS_GROUP = "operators"


@dataclass(frozen=True)
class Pool:
    """The user pool whose ID tokens count: its issuer, and the applications they may be made for."""

    issuer: str
    client_ids: frozenset[str]


class Pools(Protocol):
    """The store of the pool's settings."""

    def pool(self) -> Pool: ...

    def renewed(self) -> Pool:
        """The settings, read again unless they were just read."""
        ...


class Doorkeeper:
    """Lets people in as themselves, and operators as operators."""

    def __init__(self, *, pools: Pools, audit: Audit, clock: Callable[[], datetime]) -> None:
        self._pools = pools
        self._audit = audit
        self._clock = clock

    def person(self, claims: Mapping[str, Any]) -> UUID:
        """The caller's subject; Unauthenticated for a token that is not an ID token of our pool and applications."""
        if claims.get("token_use") != "id":
            raise Unauthenticated("The token is not an ID token.")
        pool = self._pools.pool()
        if not _fits(claims, pool):
            pool = self._pools.renewed()  # a pool or an application may have come since they were read
        if not _fits(claims, pool):
            raise Unauthenticated("The token is not of our user pool and applications.")
        try:
            return UUID(claims["sub"])
        except (KeyError, ValueError):
            raise Unauthenticated("The token does not say who you are.") from None

    def operator(self, claims: Mapping[str, Any], request_id: str, resource: str) -> Operator:
        """The caller as an operator; Forbidden, on record, for anybody else."""
        subject = self.person(claims)
        groups = claims.get("cognito:groups")
        if not isinstance(groups, list) or OPERATORS_GROUP not in groups:
            self._audit.denied(subject, resource, "not an operator", request_id, self._clock())
            raise Forbidden("This is for operators.")
        return Operator(operator=subject, request_id=request_id)


def _fits(claims: Mapping[str, Any], pool: Pool) -> bool:
    return claims.get("iss") == pool.issuer and claims.get("aud") in pool.client_ids
