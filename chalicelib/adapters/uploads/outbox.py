"""An SQS queue of notices to retry."""

from typing import Any

import msgspec

from chalicelib.adapters import aws
from chalicelib.uploads.models import NoticeDue

LONGEST_DELAY_S = 900


class NoticeOutbox:
    """The outbox on an SQS queue; its consumer gets `NoticeDue` messages."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._sqs = client
        self._queue_url = queue_url

    def put(self, session_id: str, delay_s: int) -> None:
        """Queue the session's notice for delivery after `delay_s` seconds (SQS allows 900)."""
        body = msgspec.json.encode(NoticeDue(session_id=session_id)).decode()
        with aws.translated("The uploads outbox"):
            self._sqs.send_message(
                QueueUrl=self._queue_url, MessageBody=body, DelaySeconds=min(delay_s, LONGEST_DELAY_S)
            )
