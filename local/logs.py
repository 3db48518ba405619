"""What the functions of the local cloud logged, from its CloudWatch Logs, oldest first."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from local.cloud import Cloud, CloudError

FOLLOW_S = 1.0
LATE_MS = 60_000
"""How late a line may come to be shown while following; what is older is not asked for again."""
AT_ONCE = 10_000


def lines(cloud: Cloud, function: str = "", minutes: float = 60, *, follow: bool = False) -> Iterator[str]:
    """The lines of one function, or of all, of the last minutes; CloudError if there is no such function."""
    if function and function not in cloud.functions:
        known = ", ".join(sorted(cloud.functions))
        raise CloudError(f"there is no function {function}; these are: {known}")
    shown = [function] if function else sorted(cloud.functions)
    client = cloud.client("logs")
    since = int((time.time() - minutes * 60) * 1000)
    seen: Counter[tuple[int, str]] = Counter()
    while True:
        found = Counter(_events(client, cloud, shown, since))
        yield from (line for _, line in sorted((found - seen).elements(), key=itemgetter(0)))
        if not follow:
            return
        since = max([since, *(moment - LATE_MS for moment, _ in found)])
        seen = Counter({line: count for line, count in (seen | found).items() if line[0] >= since})
        time.sleep(FOLLOW_S)


def _events(client: Any, cloud: Cloud, functions: list[str], since: int) -> Iterator[tuple[int, str]]:
    for name in functions:
        try:
            for event in _logged(client, f"/aws/lambda/{cloud.functions[name]}", since):
                moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
                yield event["timestamp"], f"{moment} {name}: {event['message'].rstrip()}"
        except client.exceptions.ResourceNotFoundException:
            continue  # it has not run yet


def _logged(client: Any, group: str, since: int) -> Iterator[dict[str, Any]]:
    # MiniStack gives the oldest, and no token for the rest: we go on from the last moment, which may not be whole.
    while len(events := client.filter_log_events(logGroupName=group, startTime=since, limit=AT_ONCE)["events"]) > 1:
        last = events[-1]["timestamp"]
        if len(events) < AT_ONCE or last == since:
            break
        yield from (event for event in events if event["timestamp"] < last)
        since = last
    yield from events
