"""An SQS queue of notices to be tried again."""

import msgspec

from chalicelib.adapters import aws
from chalicelib.uploads.models import NoticeDue

LONGEST_DELAY_S = 900


class SqsOutbox:
    """The outbox on an SQS queue; its consumer gets `NoticeDue` messages."""

    def __init__(self, queue_url: str) -> None:
        self._queue_url = queue_url

    def put(self, session_id: str, delay_s: int) -> None:
        """Queue the session's notice, to be seen after `delay_s` seconds (SQS allows 900)."""
        body = msgspec.json.encode(NoticeDue(session_id=session_id)).decode()
        with aws.translated("The uploads outbox"):
            aws.client("sqs").send_message(
                QueueUrl=self._queue_url, MessageBody=body, DelaySeconds=min(delay_s, LONGEST_DELAY_S)
            )
