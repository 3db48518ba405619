"""Direct invocations with their own contracts: proxy responses, and the steps of a state machine."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec

from chalicelib.deadline import within
from chalicelib.entry import telemetry
from chalicelib.entry.events import disposition
from chalicelib.entry.models import Model, decode_json, error_content
from chalicelib.errors import OmnibusError

ANSWER_S = 25.0
"""The deadline of an interactive answer: API Gateway waits 29 s, including a cold start."""
REASON_CHARACTERS = 1000
"""CloudFormation takes answers of 4 KB."""
MARGIN_S = 1.0
"""The time that a function keeps to answer after its last call has timed out."""

Request = TypeVar("Request")


class Context(Protocol):
    """Lambda's context of an invocation."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Time until Lambda ends the function."""


def seconds_left(context: Context) -> Callable[[], float]:
    """A function that returns the invocation's remaining seconds."""
    return lambda: context.get_remaining_time_in_millis() / 1000


def answer_in_time(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Middleware: give all calls of a request one deadline, which ends before API Gateway or Lambda gives up."""
    context: Any = getattr(event, "lambda_context", None) or getattr(event, "context", None)
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    most = remaining() / 1000 - MARGIN_S if remaining else ANSWER_S
    with within(min(ANSWER_S, most)):
        return get_response(event)


def proxied(
    event: Any,
    context: Context,
    *,
    parse: Callable[[Any], Request],
    handle: Callable[[Request, Callable[[], float]], msgspec.Struct],
    accepted: type[msgspec.Struct],
) -> dict[str, Any]:
    """Answer as a Lambda proxy does: `statusCode`, and a JSON `body` that is the result or the one error body.

    `handle` gets the parsed event and the seconds that are left.

    200, or 202 for a result of the type `accepted`. 400 for any error that the caller can fix, whatever its REST
    status; 429 and 503 pass through; anything else is an opaque 500.
    """
    try:
        result = handle(parse(event), seconds_left(context))
        return _proxy(202 if isinstance(result, accepted) else 200, msgspec.json.encode(result))
    except OmnibusError as error:
        return _proxy(proxy_status(error), msgspec.json.encode({"error": error_content(error, context.aws_request_id)}))
    except Exception:  # noqa: BLE001  # the edge: the caller gets an opaque 500
        telemetry.logger.exception("unhandled error in a direct invocation")
        unknown = OmnibusError("An internal error occurred.")
        return _proxy(500, msgspec.json.encode({"error": error_content(unknown, context.aws_request_id)}))


def stepped(
    event: Any, context: Context, model: type[Model], handle: Callable[[Model, Callable[[], float]], msgspec.Struct]
) -> Any:
    """Run a step of a state machine: pass its input as a `model` and the remaining seconds, return its output as JSON.

    An error that may pass is raised, and the engine retries the step; an error that would recur becomes an answer with
    "failed", which ends the execution.
    """
    try:
        return msgspec.to_builtins(handle(decode_json(msgspec.json.encode(event), model), seconds_left(context)))
    except OmnibusError as error:
        if disposition(error) == "retry":
            raise
        telemetry.logger.error("step failed: %s", error)
        return {"failed": error_content(error)}


def ordered(
    event: Mapping[str, Any],
    handle: Callable[[Mapping[str, Any]], dict[str, Any]],
    tell_stack: Callable[[str, Mapping[str, Any]], None],
) -> dict[str, Any]:
    """Answer a direct invocation by `handle`; if it is a CloudFormation resource request, report success or failure.

    On a rollback, CloudFormation requests the previous version again: there is nothing to do then, nor for a
    deletion. Without an answer it waits for an hour, so it gets one for every error.
    """
    if "ResponseURL" not in event:
        return handle(event)
    answer: dict[str, Any] = {}
    if event["RequestType"] != "Delete" and not _taken_back(event):
        try:
            answer = handle({})
        except Exception as error:  # noqa: BLE001  # the stack must not wait, whatever failed
            telemetry.logger.exception("unhandled error in a CloudFormation resource request")
            answer = {"error": {"code": "internal_error", "message": type(error).__name__}}
    reason = json.dumps(answer["error"])[:REASON_CHARACTERS] if "error" in answer else ""
    echoed = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    status = "FAILED" if reason else "SUCCESS"
    told = {**echoed, "Status": status, "Reason": reason, "PhysicalResourceId": event["LogicalResourceId"]}
    tell_stack(event["ResponseURL"], told)
    return answer


def _taken_back(event: Mapping[str, Any]) -> bool:
    """Is CloudFormation rolling back to a version older than the one it has?"""
    wanted, there = (event.get(name, {}).get("Version", 0) for name in ("ResourceProperties", "OldResourceProperties"))
    return int(wanted) < int(there)


def proxy_status(error: OmnibusError) -> int:
    """The status of an error in the direct-invoke contract."""
    if error.status in (429, 503):
        return error.status
    if error.status == 504:
        return 503
    return 400 if 400 <= error.status < 500 else 500


def _proxy(status: int, body: bytes) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": body.decode()}
