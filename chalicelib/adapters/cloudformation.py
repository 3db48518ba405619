"""Responses to CloudFormation's requests for custom resources."""

from collections.abc import Mapping
from typing import Any
from urllib.request import Request, urlopen

import msgspec

ANSWER_S = 30.0


def tell_stack(url: str, answer: Mapping[str, Any]) -> None:
    """Send the response to CloudFormation's presigned URL."""
    # The URL is signed without a content type, and urllib would add its own.
    request = Request(url, msgspec.json.encode(answer), {"Content-Type": ""}, method="PUT")
    with urlopen(request, timeout=ANSWER_S):
        pass
