"""Reprocessing of raw snapshots: asynchronous invocations of the processing function, shaped as its S3 event."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote_plus

import msgspec

from chalicelib.adapters.aws import translated
from chalicelib.flights.models import REPLAY

RECORDS_AT_ONCE = 5
"""Snapshots in one invocation: a few, since all of them share its time limit."""


class LambdaReprocessing:
    """`Reprocessing` by the function itself; its concurrency limit paces the work, its dead-letter queue keeps it."""

    def __init__(self, client: Any, function: str, bucket: str) -> None:
        self._client = client
        self._function = function
        self._bucket = bucket

    def request(self, keys: Sequence[str]) -> None:
        """Have these raw snapshots processed again."""
        for start in range(0, len(keys), RECORDS_AT_ONCE):
            records = [self._record(key) for key in keys[start : start + RECORDS_AT_ONCE]]
            with translated("the processing function"):
                self._client.invoke(
                    FunctionName=self._function,
                    InvocationType="Event",
                    Payload=msgspec.json.encode({"Records": records}),
                )

    def _record(self, key: str) -> dict[str, Any]:
        return {
            "eventName": REPLAY,
            "s3": {"bucket": {"name": self._bucket}, "object": {"key": quote_plus(key, safe="/")}},
        }
