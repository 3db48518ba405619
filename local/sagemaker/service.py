"""A SageMaker endpoint: the runtime's limits and errors, and the model behind it."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_BODY_BYTES = 6 * 1024 * 1024
MODEL_TIMEOUT_S = 60
ENDPOINT_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")

Predict = Callable[[Sequence[Sequence[float]]], Sequence[float]]


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; as in the rest-json protocol, errors have their AWS name in a header."""

    status: int
    content: dict[str, Any] | bytes
    error: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """The next `times` answers instead of predictions: an error's name, or a body."""

    error: str = ""
    body: str = ""
    delay_s: float = 0.0
    times: int = 1


STATUS = {
    "ValidationError": 400,
    "ThrottlingException": 400,
    "AccessDeniedException": 403,
    "ModelError": 424,
    "ModelNotReadyException": 429,
    "InternalFailure": 500,
    "ServiceUnavailable": 503,
    "InternalDependencyException": 530,
}


class Runtime:
    """Serves one endpoint; `predict` is its model, `features` how many numbers a row has."""

    def __init__(self, endpoint: str, predict: Predict, *, features: int, variant: str = "AllTraffic") -> None:
        self._endpoint = endpoint
        self._predict = predict
        self._features = features
        self._variant = variant
        self.faults: list[Fault] = []
        self.invocations = 0

    def next_fault(self) -> Fault | None:
        """The fault for this call, if any."""
        if not self.faults:
            return None
        fault = self.faults[0]
        fault.times -= 1
        if fault.times <= 0:
            self.faults.pop(0)
        return fault

    def invoke(self, endpoint: str, content_type: str, body: bytes) -> Answer:
        """The answer to InvokeEndpoint."""
        self.invocations += 1
        if not ENDPOINT_NAME.fullmatch(endpoint) or endpoint != self._endpoint:
            return failed("ValidationError", f"Endpoint {endpoint} of account 000000000000 not found.")
        if len(body) > MAX_BODY_BYTES:
            return failed("ValidationError", f"Body size exceeded: the limit is {MAX_BODY_BYTES} bytes.")
        if content_type.split(";")[0].strip() != "text/csv":
            return model_error(415, f"Content type {content_type} is not supported; this model reads text/csv.")
        try:
            rows = rows_in(body, self._features)
        except ValueError as error:
            return model_error(400, str(error))
        numbers = "\n".join(repr(float(value)) for value in self._predict(rows))
        headers = {"x-Amzn-Invoked-Production-Variant": self._variant, "Content-Type": "text/csv; charset=utf-8"}
        return Answer(200, numbers.encode(), headers=headers)


def rows_in(body: bytes, features: int) -> list[list[float]]:
    """The rows of a CSV body without a header; ValueError says what is wrong with it."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ValueError("the body is not UTF-8") from None
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        row = [float(cell) for cell in line.split(",")]
        if len(row) != features:
            raise ValueError(f"row {number} has {len(row)} features, the model takes {features}")
        if any(map(math.isinf, row)):  # NaN means unknown
            raise ValueError(f"row {number} has a feature that is not finite")
        rows.append(row)
    if not rows:
        raise ValueError("the body has no rows")
    return rows


def failed(error: str, message: str) -> Answer:
    """An error of the runtime, by its AWS name."""
    return Answer(STATUS[error], {"Message": message}, error)


def model_error(status: int, message: str) -> Answer:
    """The runtime's error for a model container that answers with `status`."""
    text = f'Received client error ({status}) from primary with message "{message}".'
    return Answer(
        424,
        {
            "Message": text,
            "OriginalStatusCode": status,
            "OriginalMessage": message,
            "LogStreamArn": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/Endpoints/ticket-sales",
        },
        "ModelError",
    )
