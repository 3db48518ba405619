"""The alarms and the dead-letter queues of the stack, from CloudWatch and SQS."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chalicelib.adapters.aws import dependency

DEAD = "-dead"
AT_ONCE = 8


class StackWatch:
    """Finds resources by their names, which begin with the stack's."""

    def __init__(self, cloudwatch: Any, sqs: Any, stack: str) -> None:
        self._cloudwatch = cloudwatch
        self._sqs = sqs
        self._stack = stack

    def alarms(self) -> Sequence[dict[str, Any]]:
        """Every alarm, active ones first: name without the stack, state, reason, and start time."""
        with dependency("CloudWatch"):
            pages = self._cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{self._stack}-")
            found = [alarm for page in pages for alarm in page.get("MetricAlarms", [])]
        told = [
            {
                "name": alarm["AlarmName"].removeprefix(f"{self._stack}-"),
                "state": alarm["StateValue"],
                "reason": alarm.get("StateReason", ""),
                "since": alarm.get("StateUpdatedTimestamp"),
            }
            for alarm in found
        ]
        return sorted(told, key=lambda alarm: (alarm["state"] != "ALARM", alarm["name"]))

    def dead_letters(self) -> Sequence[dict[str, Any]]:
        """Every dead-letter queue with its number of messages, the fullest first."""
        with dependency("SQS"):
            pages = self._sqs.get_paginator("list_queues").paginate(QueueNamePrefix=f"{self._stack}-")
            urls = [url for page in pages for url in page.get("QueueUrls", []) if url.endswith(DEAD)]
            with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
                counts = list(pool.map(self._messages, urls))
        names = [url.rsplit("/", 1)[-1].removeprefix(f"{self._stack}-") for url in urls]
        told = [
            {"queue": name, "function": name.removesuffix(DEAD), "messages": count}
            for name, count in zip(names, counts, strict=True)
        ]
        return sorted(told, key=lambda queue: (-queue["messages"], queue["queue"]))

    def _messages(self, url: str) -> int:
        wanted = "ApproximateNumberOfMessages"
        return int(self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[wanted])["Attributes"][wanted])
