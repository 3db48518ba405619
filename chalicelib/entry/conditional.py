"""ETags: do not send an answer that the caller already has."""

from typing import Any

import msgspec
from chalice.app import Response

CACHING = "private, no-cache"


def revalidated(
    answer: Any, if_none_match: str | None, caching: str = CACHING, kind: str = "application/json"
) -> Response:
    """`answer` as JSON under an ETag of its bytes; 304 without a body if the caller names that ETag.

    `caching` is the answer's Cache-Control, `kind` its content type.
    """
    from hashlib import sha256  # only reads pay for loading OpenSSL

    body = msgspec.json.encode(answer)
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers: dict[str, str | list[str]] = {"ETag": tag, "Cache-Control": caching}
    if if_none_match is not None and _names(if_none_match, tag):
        return Response("", headers, 304)
    return Response(body.decode(), {**headers, "Content-Type": kind}, 200)


def _names(if_none_match: str, tag: str) -> bool:
    """Weak comparison, as RFC 9110 requires: a compressing gateway may have weakened the tag."""
    named = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return "*" in named or tag in named
