"""botocore clients with timeouts, and botocore's errors translated to ours."""

import functools
import math
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, cast

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.session import Session
from urllib3.util import Timeout

from chalicelib import deadline
from chalicelib.errors import (
    NotFound,
    OmnibusError,
    RateLimited,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from chalicelib.settings import AwsSettings

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 10.0
MAX_ATTEMPTS = 3
REGIONAL: Any = {"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
"""Buckets at BUCKET.s3.REGION.amazonaws.com. BUCKET.s3.amazonaws.com redirects for new buckets, which a browser's
preflight may not follow, and refuses regions that were launched after March 2019."""
SHORTEST_S = 0.01
"""The shortest timeout of a call: urllib3 does not accept 0."""

NOBODYS: dict[str, Any] = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""Session variables that keep botocore from reading a developer's settings."""

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
MISSING_OBJECT = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NoSuchVersion", "NotFound"})
"""S3's codes for a missing object."""
UNDEPLOYED = frozenset({"ResourceNotFoundException", "NotFoundException"})
"""Other services' codes for a missing table, function or secret of ours."""
DENIED = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "KMS.AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""A missing permission, and credentials that have expired or that the service does not know (yet)."""


class Clients:
    """The AWS clients of one account, region and endpoint: each made once for each set of options.

    If `account` has no access key, botocore finds the credentials of the function's role itself. If it has an endpoint,
    as in the local cloud, the clients ignore the developer's AWS settings: profiles, files and proxies.
    """

    def __init__(self, account: AwsSettings) -> None:
        self._account = account
        self._lock = threading.Lock()
        self._asked: dict[tuple[str, tuple[tuple[str, Any], ...]], DeferredClient] = {}

    @functools.cached_property
    def _session(self) -> Any:
        account = self._account
        session = Session(session_vars=NOBODYS if account.endpoint else None)
        if account.access_key_id:
            session.set_credentials(account.access_key_id, account.secret_access_key, account.session_token or None)
        if account.region:
            session.set_config_variable("region", account.region)
        return session

    def __call__(self, service: str, **options: Any) -> Any:
        """The client of a service, made on first use.

        Options: `read_timeout` (s), `max_attempts`, `signature_version`, and options of `create_client`, such as
        `endpoint_url`.
        """
        key = (service, tuple(sorted(options.items())))
        return self._asked.setdefault(key, DeferredClient(lambda: self._new(service, options), self._lock))

    def make(self) -> None:
        """Make every requested client; this opens no connection."""
        for client in self._asked.values():
            _ = client.meta

    def _new(self, service: str, options: Mapping[str, Any]) -> Any:
        endpoint, given = self._account.endpoint_of(service), dict(options)
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=given.pop("read_timeout", READ_TIMEOUT_S),
            retries={"mode": "standard", "total_max_attempts": given.pop("max_attempts", MAX_ATTEMPTS)},
            signature_version=given.pop("signature_version", None),
            s3=None if endpoint else REGIONAL,
            proxies={} if self._account.endpoint else None,  # a developer's proxy does not reach the local cloud
        )
        client = self._session.create_client(service, config=config, **{"endpoint_url": endpoint, **given})
        _bound(client)
        return client


class DeferredClient:
    """A client that is made when it is first used: each that is not used spares a cold start from 3 to 20 ms."""

    def __init__(self, make: Callable[[], Any], lock: threading.Lock) -> None:
        self._make = make
        self._lock = lock  # using a client is thread-safe, creating one is not

    def __getattr__(self, name: str) -> Any:  # for what is not found: the client's own
        with self._lock:
            if "_client" not in self.__dict__:
                self._client = self._make()
        value = getattr(self._client, name)
        setattr(self, name, value)
        return value


class RequestTimeout(Timeout):
    """A client's timeouts, which bound each call by the request's remaining time."""

    def clone(self) -> Timeout:
        """The timeouts of one call; urllib3 asks for them before it connects."""
        left = deadline.left()
        total = None if left == math.inf else max(left, SHORTEST_S)
        return Timeout(connect=self._connect, read=self._read, total=total)


def _bound(client: Any) -> None:
    """Bound a client's calls by the deadline of the current request."""
    http, timeouts = client._endpoint.http_session, client.meta.config
    # botocore fixes a client's timeouts when it creates the client; urllib3 asks its pool for them at each call.
    http._timeout = RequestTimeout(connect=timeouts.connect_timeout, read=timeouts.read_timeout)
    http._manager.connection_pool_kw["timeout"] = http._timeout
    client.meta.events.register("before-send", _ask)
    client.meta.events.register_first("needs-retry", _give_up)


def _ask(event_name: str, **_: Any) -> None:
    """Refuse to send if the request has no time left, or if the service has just timed out."""
    if request := deadline.current():
        request.ask(_service(event_name))


def _give_up(event_name: str, caught_exception: Exception | None = None, **_: Any) -> None:
    """Within a request, raise a timeout instead of letting botocore retry."""
    request = deadline.current()
    if request is None:
        return
    if isinstance(caught_exception, UpstreamTimeout):
        raise caught_exception
    if isinstance(caught_exception, ConnectTimeoutError | ReadTimeoutError):
        request.gave_up(_service(event_name))
        raise caught_exception
    if caught_exception is not None and not request.left():
        raise caught_exception


def _service(event_name: str) -> str:
    """The service of an event such as "before-send.dynamodb.GetItem"."""
    return event_name.split(".")[1]


def timely(events: Any, budget_left: Callable[[], float]) -> Iterator[Any]:
    """The events of a botocore event stream; wait for each within the remaining time and budget."""
    following = iter(events)
    while True:
        if (left := deadline.left(budget_left())) != math.inf:
            with suppress(AttributeError):  # botocore has released the socket of a finished stream
                events._raw_stream._fp.fp.raw._sock.settimeout(max(left, SHORTEST_S))
        try:
            event = next(following)
        except StopIteration:
            return
        yield event


def error_code(error: ClientError) -> str:
    """The service's own code of a failed call, e.g. "NoSuchKey"."""
    return str(error.response.get("Error", {}).get("Code", ""))


Told = tuple[type[OmnibusError], str, int | None]
"""One of our errors, its text about the resource, and the seconds to wait before a retry."""
REFUSED: Told = (UpstreamRejected, "refused the request", None)
UNAVAILABLE: Told = (UpstreamUnavailable, "is unavailable; try again later", 5)
THROTTLING = "is throttled; try again later"
FAILURES: Mapping[str, tuple[Told, Told]] = {
    "missing": ((NotFound, "does not exist", None), REFUSED),
    "throttled": ((RateLimited, THROTTLING, 1), (UpstreamUnavailable, THROTTLING, 1)),
    # A missing permission of our role is not the caller's 403, and events are retried until somebody has fixed it.
    "denied": ((UpstreamUnavailable, "refuses access", None), REFUSED),
    "undeployed": ((UpstreamUnavailable, "does not exist", None), REFUSED),
    "unavailable": (UNAVAILABLE, UNAVAILABLE),
    "rejected": ((UpstreamRejected, "rejected the request", None),) * 2,
    "late": ((UpstreamTimeout, "did not answer in time", None),) * 2,
    "unreachable": ((UpstreamUnavailable, "cannot be reached; try again later", 5),) * 2,
}
"""Kind of failed call -> the error for a caller that named the resource (`translate`), and for others (`failure`)."""


def kind_of(error: Exception) -> str:
    """The kind of a failed call: a key of FAILURES."""
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return "late"
    if isinstance(error, EndpointConnectionError):
        return "unreachable"
    if not isinstance(error, ClientError):
        return "unavailable"
    code, status = error_code(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    for kind, codes in (
        ("missing", MISSING_OBJECT),
        ("throttled", THROTTLED),
        ("denied", DENIED),
        ("undeployed", UNDEPLOYED),
    ):
        if code in codes:
            return kind
    return "throttled" if status == 429 else "unavailable" if status >= 500 else "rejected"


def translate(error: Exception, what: str) -> OmnibusError:
    """A botocore error as one of ours; `what` names the resource for the caller, e.g. "the flights bucket"."""
    kind, words, retry_after = FAILURES[kind_of(error)][0]
    return kind(f"{what} {words}", retry_after=retry_after)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Translate botocore's errors inside the block to ours; the original stays the cause, for the log."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise translate(error, what) from error


def failure(error: Exception, what: str) -> UpstreamError:
    """A botocore error as an UpstreamError: a service that we call on a caller's behalf failed.

    It is never the caller's fault. A retry does not help if our role lacks a permission or our endpoint is missing.
    `what` names the service, e.g. "the warehouse".
    """
    kind, words, retry_after = FAILURES[kind_of(error)][1]
    return cast(UpstreamError, kind(f"{what} {words}", retry_after=retry_after))


@contextmanager
def dependency(what: str) -> Iterator[None]:
    """Translate botocore's errors inside the block to UpstreamErrors; the original stays the cause, for the log."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise failure(error, what) from error
