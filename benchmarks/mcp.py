"""A tool's call over MCP against the REST route that it stands for, in one process.

    python benchmarks/mcp.py [--json]

Both through Chalice as Lambda would call it, over the same services on a season in memory: what the protocol adds.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import measure
from tests.environment import ENVIRONMENT
from tests.fakes.season import ConcertWorld
from tests.fakes.uploads import FakeCounters

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "popular_venues": ("/venues/popularity", {"top_n": 10}),
    "recommend_concerts": ("/recommendations", {"genres": ["rock"], "top_n": 10}),
}


class Context:
    """What Lambda passes along."""

    aws_request_id = "00000000-0000-0000-0000-000000000000"
    function_name = "api_handler"
    memory_limit_in_mb = 512

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Plenty."""
        return 30_000


def event(path: str, body: dict[str, Any]) -> dict[str, Any]:
    """A POST as API Gateway passes it on."""
    return {
        "resource": path,
        "path": path,
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "resourcePath": path,
            "httpMethod": "POST",
            "path": f"/api{path}",
            "stage": "api",
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def called(event: dict[str, Any]) -> Callable[[], Any]:
    """One invocation."""
    import app as application

    return lambda: application.app(event, Context())


def main() -> None:
    """Measure and print."""
    arguments = measure.arguments(__doc__)
    os.environ.update(ENVIRONMENT)
    sys.stdout, printed = open(os.devnull, "w", encoding="utf-8"), sys.stdout  # noqa: SIM115  # the log of each call
    import app as application

    world, services = ConcertWorld(), application.services()
    services.shared.counters = FakeCounters()  # type: ignore[assignment]
    services.concerts.popularity, services.concerts.recommender = world.popularity, world.recommender
    services.concerts.toolbox = world.toolbox
    report = measure.Report("mcp")
    for name, (path, asked) in CASES.items():
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": asked}}
        cases = {"the REST route": called(event(path, asked)), "tools/call": called(event("/mcp", call))}
        for case in cases.values():
            if case()["statusCode"] != 200:
                raise SystemExit(f"{name} failed")
        report.compare(name, cases, ours="the REST route", rounds=40)
    sys.stdout = printed
    report.show(arguments.json)


if __name__ == "__main__":
    main()
