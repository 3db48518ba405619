"""An SNS topic that operators subscribe to."""

from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.adapters.aws import translated

LONGEST_SUBJECT = 100
"""Characters that SNS allows in a subject."""


class Topic:
    """Sends JSON messages to one topic."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn

    def send(self, subject: str, message: Mapping[str, Any]) -> None:
        """Publish `message` as JSON."""
        with translated("the alerts topic"):
            self._client.publish(
                TopicArn=self._arn,
                Subject=subject[:LONGEST_SUBJECT],
                Message=msgspec.json.encode(message).decode(),
            )
