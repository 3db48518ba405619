"""Invoke a function of the local cloud: `python -m local.invoke FUNCTION [EVENT]`.

EVENT is a file; the default is the function's sample. Prints the answer, the function's log (the last 4 KB, which is
all that Lambda returns) and the duration; the exit status is 1 if the function failed.
"""

import argparse
import base64
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.config import Config

from local import cloud as clouds
from local.cloud import Cloud, CloudError
from local.samples import filled, read_event, sample_of

LONGEST_S = 900


@dataclass(frozen=True)
class Invocation:
    """The result of one invocation; `failed` if the function raised, was killed, or could not start."""

    answer: Any
    failed: bool
    log: tuple[str, ...]
    ms: float


def invoke(cloud: Cloud, function: str, event: Any) -> Invocation:
    """Send `event` to a function and wait for its answer; CloudError if there is no such function."""
    if function not in cloud.functions:
        raise CloudError(f"there is no function {function!r}; there are {', '.join(sorted(cloud.functions))}")
    # Functions may be slow, and a retry would be a second invocation.
    config = Config(read_timeout=LONGEST_S + 10, retries={"total_max_attempts": 1})
    client = cloud.client("lambda", config)
    payload = json.dumps(event).encode()
    started = time.perf_counter()
    answer = client.invoke(FunctionName=cloud.functions[function], Payload=payload, LogType="Tail")
    ms = 1000 * (time.perf_counter() - started)
    log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
    return Invocation(json.load(answer["Payload"]), "FunctionError" in answer, tuple(log.splitlines()), ms)


def report(function: str, done: Invocation) -> str:
    """An invocation as text: the answer, the log, the result."""
    lines = [json.dumps(done.answer, indent=2, ensure_ascii=False)]
    lines += ["", "log:", *(f"  {line}" for line in done.log)]
    lines += ["", f"{function} {'failed' if done.failed else 'answered'} after {done.ms:,.0f} ms"]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Invoke the function that the command line names; 1 if it failed, 2 if it could not be invoked."""
    parser = argparse.ArgumentParser(prog="python -m local.invoke", description="Invoke a function of the local cloud.")
    parser.add_argument("function", nargs="?", default="", help="its name in app.py, e.g. process_flights")
    parser.add_argument("event", nargs="?", type=Path, help="a JSON file (default: its sample in local/events)")
    parser.add_argument("--home", type=Path, default=clouds.HOME, help="the cloud's folder (default: .local)")
    options = parser.parse_args(arguments)
    try:
        cloud = clouds.read(options.home)
        if options.function in cloud.functions:
            event = filled(read_event(options.event or sample_of(options.function)), cloud)
        else:
            event = None
        done = invoke(cloud, options.function, event)
    except CloudError as error:
        print(f"invoke: {error}", file=sys.stderr)
        return 2
    print(report(options.function, done))
    return 1 if done.failed else 0


if __name__ == "__main__":
    sys.exit(main())
