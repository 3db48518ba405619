"""Who may do what operators do: whoever holds the operators' token."""

from chalicelib.errors import Forbidden


class Operators:
    """Admits holders of `token`; an empty one admits nobody."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def admit(self, token: str | None) -> None:
        """Return for the right token, compared in constant time; raise Forbidden for any other."""
        import hmac  # only operators pay for loading OpenSSL

        if not self._token or not hmac.compare_digest(self._token, (token or "").encode()):
            raise Forbidden("This is for operators: send their token as X-Operator-Token.")
