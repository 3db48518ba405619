"""Failures of a service that we call on a caller's behalf: always the service's, never the caller's.

`aws.translate` says what AWS said. Here everything becomes an Upstream error; and that our role is refused, or our
endpoint is missing, is one that a caller who waits for the answer need not try again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.aws import DENIED, UNDEPLOYED, error_code, translate
from chalicelib.errors import RateLimited, UpstreamError, UpstreamRejected, UpstreamUnavailable


def failure(error: Exception, what: str) -> UpstreamError:
    """A botocore error as an Upstream error; `what` names the service, e.g. "the warehouse"."""
    if isinstance(error, ClientError) and error_code(error) in DENIED | UNDEPLOYED:
        return UpstreamRejected(f"{what} refused the request")
    translated = translate(error, what)
    if isinstance(translated, UpstreamError):
        return translated
    if isinstance(translated, RateLimited):
        return UpstreamUnavailable(translated.message, retry_after=translated.retry_after)
    return UpstreamRejected(f"{what} refused the request")


@contextmanager
def dependency(what: str) -> Iterator[None]:
    """Raise Upstream errors for botocore's inside the block; the original stays the cause, for the log."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise failure(error, what) from error
