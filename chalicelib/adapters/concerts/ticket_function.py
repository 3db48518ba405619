"""The embedded ticket model, asked of the function that carries scikit-learn."""

from collections.abc import Sequence
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.aws import failure
from chalicelib.concerts.values import Estimates
from chalicelib.errors import UpstreamRejected, UpstreamUnavailable

FUNCTION = "the embedded ticket model"


class FunctionTicketModel:
    """Answers TicketModel by invoking `predict_tickets`."""

    def __init__(self, client: Any, function: str) -> None:
        self._client = client
        self._function = function

    def estimate(self, rows: Sequence[Sequence[float | None]]) -> Estimates:
        """The model's revenue for each row; UpstreamRejected where the function fails or answers otherwise."""
        try:
            answer = self._client.invoke(FunctionName=self._function, Payload=msgspec.json.encode({"rows": rows}))
            content = answer["Payload"].read()
        except (ClientError, BotoCoreError) as error:
            raise failure(error, FUNCTION) from error
        if "FunctionError" in answer:
            raise UpstreamUnavailable(f"{FUNCTION} failed; try again later", retry_after=5)
        try:
            estimates = msgspec.json.decode(content, type=dict[str, Estimates])["result"]
        except (msgspec.DecodeError, KeyError):
            raise UpstreamRejected(f"{FUNCTION} answered without estimates") from None
        if len(estimates.values) != len(rows):
            raise UpstreamRejected(f"{FUNCTION} answered with {len(estimates.values)} numbers for {len(rows)} concerts")
        return estimates
