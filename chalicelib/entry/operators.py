"""Operators: members of the user pool's group `operators`, and machines that hold the operators' token."""

from chalicelib.entry.signin import SignIn, groups_of
from chalicelib.errors import Forbidden

GROUP = "operators"
MACHINE = "machine"
"""The name that stands in records for a holder of the operators' token."""


class Operators:
    """Admits members of the group, and holders of `token`; an empty token admits nobody."""

    def __init__(self, token: str, signin: SignIn) -> None:
        self._token = token.encode()
        self._signin = signin

    def admit(self, token: str | None, authorization: str | None) -> str:
        """The name of the operator who calls: a user's subject, or `machine`.

        Forbidden for a wrong token and for people who are not operators, Unauthenticated for an ID token that is not
        valid. A token is compared in constant time.
        """
        import hmac  # only operators pay for loading OpenSSL

        if token is not None:
            if self._token and hmac.compare_digest(self._token, token.encode()):
                return MACHINE
        elif authorization is not None:
            claims = self._signin.claims(authorization)
            if GROUP in groups_of(claims):
                return str(claims["sub"])
        raise Forbidden("This is for operators: sign in as one, or send the operators' token as X-Operator-Token.")
