"""Operators: members of the user pool's group `operators`, and machines that hold the operators' token."""

from collections.abc import Callable

from chalicelib.entry import telemetry
from chalicelib.entry.limits import AddressLimits
from chalicelib.entry.signin import SignIn, groups_of
from chalicelib.errors import Forbidden, Unauthenticated

GROUP = "operators"
REFUSED = "This is for operators: sign in as one, or send the operators' token as X-Operator-Token."
REFUSED_METRIC = "OperatorsRefused"
MACHINE = "machine"
"""The name that stands in records for a holder of the operators' token."""


class Operators:
    """Admits members of the group, and holders of the token that `token` reads; an empty one admits nobody."""

    def __init__(self, token: Callable[[], str], signin: SignIn, limits: AddressLimits) -> None:
        self._token = token
        self._signin = signin
        self._limits = limits

    def admit(self, token: str | None, authorization: str | None, address: str) -> str:
        """The name of the operator who calls: a user's subject, or `machine`.

        Forbidden for a wrong token and for people who are not operators, Unauthenticated for an ID token that is not
        valid. Every refusal is metered. A token is compared in constant time, and RateLimited for an address that has
        sent too many wrong ones; an ID token cannot be guessed, so people sign in whatever their neighbours send.
        """
        if token is None and authorization is None:
            raise Forbidden(REFUSED)
        if token is not None:
            self._limits.check("refusal", address)
        try:
            return self._admitted(token, authorization)
        except (Forbidden, Unauthenticated):
            telemetry.count(REFUSED_METRIC)
            if token is not None:
                self._limits.spend("refusal", address)
            raise

    def _admitted(self, token: str | None, authorization: str | None) -> str:
        import hmac  # only operators pay for loading OpenSSL

        if token is not None:
            known = self._token()
            if known and hmac.compare_digest(known.encode(), token.encode()):
                return MACHINE
        elif authorization is not None:
            claims = self._signin.claims(authorization)
            if GROUP in groups_of(claims):
                return str(claims["sub"])
        raise Forbidden(REFUSED)
