"""Secrets Manager: JSON secrets by ARN, cached until a caller reports that they no longer work."""

from typing import Any

import msgspec

from chalicelib.adapters.aws import translated
from chalicelib.errors import UpstreamRejected


class Secrets:
    """Reads each secret once in the life of the process, and again after `forget`."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._known: dict[str, dict[str, Any]] = {}

    def read(self, arn: str) -> dict[str, Any]:
        """The JSON object that the secret holds."""
        if arn not in self._known:
            with translated("the secret"):
                text = self._client.get_secret_value(SecretId=arn).get("SecretString", "")
            try:
                self._known[arn] = msgspec.json.decode(text, type=dict[str, Any])
            except msgspec.DecodeError:
                raise UpstreamRejected("the secret is not a JSON object") from None
        return self._known[arn]

    def write(self, arn: str, content: dict[str, Any]) -> None:
        """Keep `content` as what the secret holds from now on."""
        with translated("the secret"):
            self._client.put_secret_value(SecretId=arn, SecretString=msgspec.json.encode(content).decode())
        self._known[arn] = content

    def forget(self, arn: str) -> None:
        """Read the secret again the next time: it was rotated."""
        self._known.pop(arn, None)
