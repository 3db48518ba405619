"""The exceptions that Omnibus raises on purpose.

    OmnibusError
    ├── InvalidInput            400  the caller can correct the request
    │   ├── Unprocessable       422  well-formed, but unacceptable
    │   └── TooLarge            413  over a stated limit
    ├── Unauthenticated         401
    ├── Forbidden               403
    ├── NotFound                404
    ├── Conflict                409
    ├── Gone                    410
    ├── RateLimited             429  with retry_after
    ├── NotConfigured           503  outside AWS: a service is not running
    └── UpstreamError                a dependency failed
        ├── UpstreamRejected    502  it refused, and a retry will not help
        ├── UpstreamUnavailable 503  a retry may help
        └── UpstreamTimeout     504  it did not answer in time

Messages are for the caller: they name the field or the resource and the expected value, and reveal no internals.
`entry.web` turns errors into HTTP responses; `entry.events` decides which of them to retry.
"""

from collections.abc import Sequence

from msgspec import Struct


class Problem(Struct, frozen=True):
    """One problem of an input: the field, the problem, and the expected value."""

    field: str
    problem: str
    expected: str


class OmnibusError(Exception):
    """Base class; `code` is stable and machine-readable, `message` is for a person."""

    status = 500
    code = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        problems: Sequence[Problem] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.problems = tuple(problems)
        self.retry_after = retry_after


class InvalidInput(OmnibusError):
    status = 400
    code = "invalid_input"

    @classmethod
    def of(cls, field: str, problem: str, expected: str, *, code: str | None = None) -> "InvalidInput":
        """The error for a single field, with a message from the three parts."""
        return cls(f"{field}: {problem}; expected {expected}", code=code, problems=[Problem(field, problem, expected)])


class Unprocessable(InvalidInput):
    status = 422
    code = "unprocessable"


class TooLarge(InvalidInput):
    status = 413
    code = "too_large"


class Unauthenticated(OmnibusError):
    status = 401
    code = "unauthenticated"


class Forbidden(OmnibusError):
    status = 403
    code = "forbidden"


class NotFound(OmnibusError):
    status = 404
    code = "not_found"


class Conflict(OmnibusError):
    status = 409
    code = "conflict"


class Gone(OmnibusError):
    status = 410
    code = "gone"


class RateLimited(OmnibusError):
    status = 429
    code = "rate_limited"


class NotConfigured(OmnibusError):
    status = 503
    code = "not_configured"


class UpstreamError(OmnibusError):
    status = 502
    code = "upstream_error"


class UpstreamRejected(UpstreamError):
    code = "upstream_rejected"


class UpstreamUnavailable(UpstreamError):
    status = 503
    code = "upstream_unavailable"


class UpstreamTimeout(UpstreamError):
    status = 504
    code = "upstream_timeout"
