"""botocore's errors as ours: each names the party at fault."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from chalicelib.adapters.aws import translate
from chalicelib.entry.events import disposition
from chalicelib.errors import NotFound, RateLimited, UpstreamRejected, UpstreamTimeout, UpstreamUnavailable


def refused(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refused("AccessDenied", 403), UpstreamUnavailable),
        (refused("AccessDeniedException"), UpstreamUnavailable),
        (refused("KMS.AccessDeniedException"), UpstreamUnavailable),
        (refused("ExpiredTokenException"), UpstreamUnavailable),
        (refused("InvalidSignatureException"), UpstreamUnavailable),
        (refused("UnrecognizedClientException"), UpstreamUnavailable),
        (refused("ResourceNotFoundException"), UpstreamUnavailable),
        (refused("ValidationException"), UpstreamRejected),
        (refused("NoSuchKey", 404), NotFound),
        (refused("404", 404), NotFound),
        (refused("ThrottlingException"), RateLimited),
        (refused("SlowDown", 503), RateLimited),
        (refused("InternalError", 500), UpstreamUnavailable),
        (ReadTimeoutError(endpoint_url="https://x"), UpstreamTimeout),
        (EndpointConnectionError(endpoint_url="https://x"), UpstreamUnavailable),
    ],
)
def test_what_our_own_role_or_stack_lacks_is_no_fault_of_the_caller(error: Exception, kind: type[Exception]) -> None:
    ours = translate(error, "the table of runs")
    assert type(ours) is kind
    assert ours.message.startswith("the table of runs ")


def test_events_wait_for_a_policy_that_is_mended() -> None:
    assert disposition(translate(refused("AccessDenied", 403), "the flights bucket")) == "retry"
