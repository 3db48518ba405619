"""Code that both Bedrock runtimes share: failures of calls and of event streams."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.eventstream import ParserError
from botocore.exceptions import BotoCoreError, ClientError, EventStreamError
from urllib3.exceptions import HTTPError, ReadTimeoutError

from chalicelib.adapters.aws import error_code, failure
from chalicelib.errors import UpstreamError, UpstreamRejected, UpstreamTimeout, UpstreamUnavailable

ASSISTANT = "the assistant"
ASSISTANT_RETRY_AFTER_S = 5

PASSING = frozenset(
    {
        "badGatewayException",
        "dependencyFailedException",
        "internalServerException",
        "modelNotReadyException",
        "modelStreamErrorException",
        "modelTimeoutException",
        "serviceQuotaExceededException",
        "serviceUnavailableException",
        "throttlingException",
    }
)
"""Exceptions, as streams and errors name them, that may not come again."""

MAX_ROUNDS = 5
"""The number of tool rounds before a model must answer."""


@contextmanager
def assistant() -> Iterator[None]:
    """Raise Upstream errors for every way in which a call or a stream can fail."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise _failure(error) from error
    except ReadTimeoutError as error:  # the stream fell silent
        raise UpstreamTimeout(f"{ASSISTANT} did not answer in time") from error
    except (HTTPError, ParserError) as error:  # the stream broke off, or is not one
        raise UpstreamUnavailable(
            f"{ASSISTANT} was interrupted; try again", retry_after=ASSISTANT_RETRY_AFTER_S
        ) from error


def _failure(error: ClientError | BotoCoreError) -> UpstreamError:
    if not isinstance(error, ClientError):
        return failure(error, ASSISTANT)
    code = error_code(error)
    code = code[:1].lower() + code[1:]
    if code == "throttlingException":
        return UpstreamUnavailable(f"{ASSISTANT} is throttled; try again later", retry_after=ASSISTANT_RETRY_AFTER_S)
    if code in PASSING:
        return UpstreamUnavailable(f"{ASSISTANT} is unavailable; try again later", retry_after=ASSISTANT_RETRY_AFTER_S)
    if isinstance(error, EventStreamError):
        return UpstreamRejected(f"{ASSISTANT} refused to go on")
    return failure(error, ASSISTANT)
