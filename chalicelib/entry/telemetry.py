"""Structured logs, EMF metrics and traces, the same for every function.

Each log line carries the Lambda request id, the function, and the fields that `observe_event` adds. We never log
headers, tokens and bodies. Powertools does the work; we import it narrowly, because every cold start pays for it.
"""

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit
from chalice.app import Request, Response

SERVICE_NAMESPACE = "Omnibus"

logger = Logger(service=os.environ.get("POWERTOOLS_SERVICE_NAME", "omnibus"), use_rfc3339=True)

_cold = True


def observe_event(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Middleware: log one line for each invocation, with its outcome and duration in ms."""
    global _cold
    context = event.lambda_context if isinstance(event, Request) else getattr(event, "context", None)
    keys: dict[str, Any] = {"cold_start": _cold}
    _cold = False
    if request_id := getattr(context, "aws_request_id", None):
        keys["function_request_id"] = request_id
    if name := getattr(context, "function_name", None):
        keys["function_name"] = name
    if isinstance(event, Request):
        keys |= {"route": f"{event.method} {event.path}"}
        if api_request_id := event.context.get("requestId"):
            keys["request_id"] = api_request_id
    started = time.perf_counter()
    with logger.append_context_keys(**keys):
        try:
            response = get_response(event)
        except Exception:
            logger.exception("invocation failed", extra={"ms": _ms_since(started)})
            raise
        status = {"status": response.status_code} if isinstance(response, Response) else {}
        logger.info("invocation done", extra={"ms": _ms_since(started), **status})
        return response


def emit(namespace: str, metrics: Mapping[str, tuple[float, str]], **dimensions: str) -> None:
    """Write one EMF line: `metrics` maps a name to its value and CloudWatch unit, e.g. "Milliseconds"."""
    line = Metrics(namespace=namespace, service=logger.service)
    for dimension, text in dimensions.items():
        line.add_dimension(dimension, text)
    for name, (value, unit) in metrics.items():
        line.add_metric(name=name, unit=MetricUnit(unit), value=value)
    line.flush_metrics()


def count(name: str, value: int = 1, **dimensions: str) -> None:
    """Count something in the service's own namespace."""
    emit(SERVICE_NAMESPACE, {name: (value, "Count")}, **dimensions)


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
