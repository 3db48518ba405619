"""A SageMaker endpoint that predicts ticket sales: CSV in, one number a row out, retried within a budget."""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError

from chalicelib.adapters.aws import THROTTLED, error_code, failure
from chalicelib.concerts.values import Estimates
from chalicelib.deadline import left, within
from chalicelib.errors import UpstreamError, UpstreamRejected, UpstreamTimeout

ENDPOINT = "the ticket model's endpoint"
ENDPOINT_BODY_BYTES = 6 * 1024 * 1024
LARGEST = 1e15
"""Beyond it no number is a revenue, nor fits the cents of one."""
ENDPOINT_FIRST_PAUSE_S = 0.1
ENDPOINT_LONGEST_PAUSE_S = 2.0

ENDPOINT_RETRIED = THROTTLED | {
    "ModelNotReadyException",
    "ServiceUnavailable",
    "InternalFailure",
    "InternalDependencyException",
}
"""Errors that may pass; ModelError is not one, because the model's container failed on this input."""


class SageMakerTicketModel:
    """Answers TicketModel through one endpoint.

    `budget_s` bounds a call with its retries; the client should make one attempt, with a read timeout within it. The
    clock is monotonic, in seconds.
    """

    def __init__(
        self,
        client: Any,
        endpoint: str,
        *,
        budget_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._endpoint = endpoint
        self._budget_s = budget_s
        self._clock = clock
        self._sleep = sleep

    def estimate(self, rows: Sequence[Sequence[float | None]]) -> Estimates:
        """The endpoint's revenue for each row.

        UpstreamRejected for a ModelError or an answer that is not one finite number a row, UpstreamUnavailable or
        UpstreamTimeout if it stays busy or silent for the budget.
        """
        body = "\n".join(",".join("nan" if value is None else repr(value) for value in row) for row in rows)
        if len(body) > ENDPOINT_BODY_BYTES:
            raise UpstreamRejected(f"{ENDPOINT} takes at most 6 MiB at once")
        answer = self._invoke(body.encode())
        variant = str(answer.get("InvokedProductionVariant") or self._endpoint)
        return Estimates(numbers_in(answer["Body"].read(), len(rows)), "sagemaker", variant)

    def ping(self) -> None:
        """Request one estimate from the endpoint; Upstream* if it does not answer."""
        self.estimate([[1.0] * 21])

    def _invoke(self, body: bytes) -> Any:
        deadline = self._clock() + left(self._budget_s)
        pause = ENDPOINT_FIRST_PAUSE_S
        while True:
            try:
                with within(max(0.0, deadline - self._clock())):
                    return self._client.invoke_endpoint(
                        EndpointName=self._endpoint, ContentType="text/csv", Accept="text/csv", Body=body
                    )
            except (ClientError, BotoCoreError) as error:
                wait = pause * random.uniform(0.5, 1.0)
                if not _may_pass(error) or self._clock() + wait >= deadline:
                    raise self._failure(error) from error
            self._sleep(wait)
            pause = min(pause * 2, ENDPOINT_LONGEST_PAUSE_S)

    def _failure(self, error: Exception) -> UpstreamError:
        if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
            return UpstreamTimeout(f"{ENDPOINT} did not answer within {self._budget_s:g} s")
        if isinstance(error, ClientError) and error_code(error) == "ModelError":
            return UpstreamRejected(f"{ENDPOINT} failed on this input")
        return failure(error, ENDPOINT)


def numbers_in(content: bytes, expected: int) -> list[float]:
    """The numbers of a CSV answer, by lines or by commas; UpstreamRejected unless `expected` that can be revenues."""
    try:
        values = [float(part) for part in content.decode().replace("\n", ",").split(",") if part.strip()]
    except (UnicodeDecodeError, ValueError):
        raise UpstreamRejected(f"{ENDPOINT} answered with something that is not a number") from None
    if len(values) != expected:
        raise UpstreamRejected(f"{ENDPOINT} answered with {len(values)} numbers for {expected} concerts")
    if not all(abs(value) <= LARGEST for value in values):  # false for what is not a number, too
        raise UpstreamRejected(f"{ENDPOINT} answered with something that is not a revenue")
    return values


def _may_pass(error: Exception) -> bool:
    if isinstance(error, ClientError):
        return error_code(error) in ENDPOINT_RETRIED
    return not isinstance(error, ConnectTimeoutError | ReadTimeoutError)
