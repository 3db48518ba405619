"""boto3, held in one place: one session, one client a service, timeouts, and errors in our words."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from chalicelib.errors import (
    NotFound,
    OmnibusError,
    RateLimited,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 10.0
MAX_ATTEMPTS = 3

THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "ProvisionedThroughputExceededException",
        "SlowDown",
        "LimitExceededException",
    }
)
MISSING = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NoSuchVersion", "NotFound"})
"""What S3 calls an object that is not there."""
UNDEPLOYED = frozenset({"ResourceNotFoundException", "NotFoundException"})
"""What services call a table, function or secret of our own that is not there."""
DENIED = frozenset({"403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "KMS.AccessDeniedException"})

_lock = threading.Lock()
_session: Any = boto3.Session()


@functools.cache
def _client(service: str, options: tuple[tuple[str, Any], ...]) -> Any:
    given = dict(options)
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=given.pop("read_timeout", READ_TIMEOUT_S),
        retries={"mode": "standard", "total_max_attempts": given.pop("max_attempts", MAX_ATTEMPTS)},
        signature_version=given.pop("signature_version", None),
        s3={"addressing_style": "path"} if service == "s3" and given.pop("path_style", False) else None,
    )
    with _lock:  # creating a client is not thread-safe, using one is
        return _session.client(service, config=config, **given)


def client(service: str, **options: Any) -> Any:
    """The client of an AWS service, made once for each set of options.

    Options: `read_timeout` (s), `max_attempts`, `signature_version`, and what `Session.client` takes, such as
    `endpoint_url`. Without that, boto3 itself honours AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE>.
    """
    return _client(service, tuple(sorted(options.items())))


def error_code(error: ClientError) -> str:
    """The service's own code of a failed call, e.g. "NoSuchKey"."""
    return str(error.response.get("Error", {}).get("Code", ""))


def translate(error: Exception, what: str) -> OmnibusError:
    """A botocore error as ours; `what` names the resource for the caller, e.g. "the flights bucket"."""
    if isinstance(error, ClientError):
        code = error_code(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in MISSING:
            return NotFound(f"{what} does not exist")
        if code in THROTTLED or status == 429:
            return RateLimited(f"{what} is throttled; try again later", retry_after=1)
        if code in DENIED:  # what our role lacks is no caller's 403, and an event waits until somebody has mended it
            return UpstreamUnavailable(f"{what} refuses access")
        if code in UNDEPLOYED:
            return UpstreamUnavailable(f"{what} does not exist")
        if status >= 500:
            return UpstreamUnavailable(f"{what} is unavailable; try again later", retry_after=5)
        return UpstreamRejected(f"{what} rejected the request")
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return UpstreamTimeout(f"{what} did not answer in time")
    if isinstance(error, EndpointConnectionError):
        return UpstreamUnavailable(f"{what} cannot be reached; try again later", retry_after=5)
    return UpstreamUnavailable(f"{what} is unavailable; try again later", retry_after=5)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise our errors for botocore's inside the block; the original stays the cause, for the log."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise translate(error, what) from error
