"""Operators: members of the user pool's group `operators`, and machines that hold the operators' token."""

from collections.abc import Callable

from chalicelib.entry import telemetry
from chalicelib.entry.limits import AddressLimits
from chalicelib.entry.signin import SignIn, groups_of
from chalicelib.errors import Forbidden, Unauthenticated

GROUP = "operators"
REFUSED = "Only operators may do this: sign in as one, or send the operators' token as X-Operator-Token."
REFUSED_METRIC = "OperatorsRefused"
MACHINE = "machine"
"""The name of a holder of the operators' token in records."""


class Operators:
    """Admits members of the group, and holders of the token that `token` returns; an empty token admits nobody."""

    def __init__(self, token: Callable[[], str], signin: SignIn, limits: AddressLimits) -> None:
        self._token = token
        self._signin = signin
        self._limits = limits

    def admit(self, token: str | None, authorization: str | None, address: str) -> str:
        """The calling operator's name: a user's subject, or `machine`.

        Raises Forbidden for a wrong token and for people who are not operators, and Unauthenticated for an invalid ID
        token. Every refusal is metered. Tokens are compared in constant time, and an address that has sent too many
        wrong ones is RateLimited. ID tokens cannot be guessed, so people behind that address can still sign in.
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
