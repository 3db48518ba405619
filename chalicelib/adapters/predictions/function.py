"""The function that has the models, asked by the API, which has neither Arrow nor scikit-learn."""

from collections.abc import Mapping
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.aws import failure
from chalicelib.errors import (
    Forbidden,
    NotFound,
    OmnibusError,
    RateLimited,
    Unprocessable,
    UpstreamRejected,
    UpstreamUnavailable,
)

WHAT = "the function that scores"
NAMED: Mapping[str, type[OmnibusError]] = {
    "not_allowed": Forbidden,
    "access_denied": Forbidden,
    "no_such_object": NotFound,
}
"""Refusals that REST knows by another status than 422."""


class ScoringFunction:
    """`ports.ModelHolder` by invoking `predict_batch`."""

    def __init__(self, client: Any, function: str) -> None:
        self._client = client
        self._function = function

    def ask(self, event: Mapping[str, Any]) -> bytes:
        """The body of its answer; raises its refusal as the original error, or UpstreamRejected for other answers."""
        try:
            answer = self._client.invoke(FunctionName=self._function, Payload=msgspec.json.encode(event))
            content = answer["Payload"].read()
        except (ClientError, BotoCoreError) as error:
            raise failure(error, WHAT) from error
        if "FunctionError" in answer:
            raise UpstreamUnavailable(f"{WHAT} failed; try again later", retry_after=5)
        try:
            status, body = (msgspec.json.decode(content)[name] for name in ("statusCode", "body"))
            if status == 200:
                return str(body).encode()
            refusal = msgspec.json.decode(body)["error"]
            code, message = str(refusal["code"]), str(refusal["message"])
        except (msgspec.DecodeError, KeyError, TypeError):
            raise UpstreamRejected(f"{WHAT} answered without a result") from None
        if status == 429:
            raise RateLimited(message)
        if status >= 500:
            raise UpstreamUnavailable(f"{WHAT} failed; try again later", retry_after=5)
        raise NAMED.get(code, Unprocessable)(message, code=code)
