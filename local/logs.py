"""The logs of the local cloud's functions, from its CloudWatch Logs, oldest first."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from local.cloud import Cloud, CloudError

FOLLOW_S = 1.0
LATE_MS = 60_000
"""The largest delay of a line that following still shows; older lines are not read again."""
AT_ONCE = 10_000
COLOURS = {"ERROR": "\033[31m", "CRITICAL": "\033[31m", "WARNING": "\033[33m", "INFO": "\033[32m", "DEBUG": "\033[36m"}
PLAIN = "\033[0m"
SAID_OTHERWISE = frozenset(
    {"ms", "cold_start", "route", "status", "exception", "exception_name", "stack_trace", "location", "timestamp"}
    | {"service", "function_name", "function_request_id", "request_id", "xray_trace_id"}
)
"""Fields that a readable line shows elsewhere, or omits."""


def lines(cloud: Cloud, function: str = "", minutes: float = 60, *, follow: bool = False) -> Iterator[str]:
    """The lines of one function, or of all, from the last minutes; CloudError if there is no such function."""
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


def readable(line: str, *, coloured: bool = False) -> str | None:
    """A line of `lines` for a person, e.g. "14:49:08 INFO ingest_flights 776 ms cold"; None for a line of metrics."""
    moment, _, rest = line.partition(" ")
    function, _, text = rest.partition(": ")
    try:
        said = json.loads(text)
        level, message = str(said.pop("level")), str(said.pop("message"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None if text.startswith('{"_aws"') else f"{moment[:8]} {'':5} {function} {text}"
    parts = [f"{said['ms']:.0f} ms"] if "ms" in said else []
    parts += ["cold"] if said.get("cold_start") else []
    parts += [str(said[name]) for name in ("route", "status") if name in said]
    parts += [message] if message != "invocation done" else []
    parts += [f"{name}={value}" for name, value in said.items() if name not in SAID_OTHERWISE]
    trace = f"\n{said['exception']}" if "exception" in said else ""
    shown = f"{COLOURS.get(level, '')}{level:5}{PLAIN}" if coloured else f"{level:5}"
    return f"{moment[:8]} {shown} {' '.join([function, *parts])}{trace}"


def _events(client: Any, cloud: Cloud, functions: list[str], since: int) -> Iterator[tuple[int, str]]:
    for name in functions:
        try:
            for event in _logged(client, f"/aws/lambda/{cloud.functions[name]}", since):
                moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
                yield event["timestamp"], f"{moment} {name}: {event['message'].rstrip()}"
        except client.exceptions.ResourceNotFoundException:
            continue  # it has not run yet


def _logged(client: Any, group: str, since: int) -> Iterator[dict[str, Any]]:
    # MiniStack returns the oldest without a token for the rest: continue from the last moment, which may be partial.
    while len(events := client.filter_log_events(logGroupName=group, startTime=since, limit=AT_ONCE)["events"]) > 1:
        last = events[-1]["timestamp"]
        if len(events) < AT_ONCE or last == since:
            break
        yield from (event for event in events if event["timestamp"] < last)
        since = last
    yield from events
