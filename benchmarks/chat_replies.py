"""What a reply of the local chat costs besides its warehouse and its table, against bare Chalice.

    python benchmarks/chat_replies.py [--json]

`POST /chat` through Chalice as Lambda would call it, in one process, over a season in memory: each question is asked of
the warehouse once, before the measurement, and answered from memory from then on. A conversation of one message, and
one that goes on. Bare Chalice reads the body and returns the same reply as a dict. Times are of a hundred requests.

The chat before the router read messages (commit d22c088) took 4.0 to 17.5 times bare Chalice here.
"""

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).parents[1]))

from chalice.app import Chalice

from benchmarks import measure
from benchmarks.handler_overhead import Context, unheard
from benchmarks.mcp import event
from tests.environment import ENVIRONMENT
from tests.fakes.season import ConcertWorld

REQUESTS = 100
MESSAGES = {
    "a greeting": "hello",
    "venues": "Which venues are the most popular?",
    "concerts": "Recommend jazz concerts",
    "a forecast": "Will con-000332 sell out?",
}


class Remembered:
    """Answers each call of `source` with its first answer."""

    def __init__(self, source: object) -> None:
        self._source = source
        self._answers: dict[tuple[object, ...], object] = {}

    def __getattr__(self, name: str) -> Callable[..., object]:
        def ask(*given: object, **named: object) -> object:
            question = (name, repr(given), repr(named))
            if question not in self._answers:
                self._answers[question] = getattr(self._source, name)(*given, **named)
            return self._answers[question]

        return ask


class Unlimited:
    """Counts nothing, so that no limit is reached."""

    def add(self, name: str, ends_at: datetime) -> int:
        """The first of the period."""
        return 1

    def count(self, name: str) -> int:
        """None so far."""
        return 0


def bare_chalice(answer: dict[str, Any]) -> Callable[[dict[str, Any]], Any]:
    """A route that reads its body and returns a dict."""
    bare = Chalice("bare")

    @bare.route("/chat", methods=["POST"])
    def chat() -> dict[str, Any]:
        body = cast(Any, bare.current_request).json_body
        return answer if body["message"] else {}

    return lambda asked: bare(asked, Context())


def remembering(world: ConcertWorld) -> None:
    """Let the services of a world ask its warehouse each thing once."""
    warehouse, listings = Remembered(world.warehouse), Remembered(world.listings)
    for service in (world.popularity, world.totals, world.forecast, world.recommender, world.guide, world.lexicons):
        for name, port in vars(service).items():
            if port is world.warehouse:
                setattr(service, name, warehouse)
            elif port is world.listings:
                setattr(service, name, listings)


def repeated(call: Callable[[dict[str, Any]], Any], asked: dict[str, Any]) -> Callable[[], None]:
    """REQUESTS calls."""

    def run() -> None:
        for _ in range(REQUESTS):
            call(asked)

    return run


def main() -> None:
    """Measure and print."""
    arguments = measure.arguments(__doc__)
    report = measure.Report("chat_replies")
    os.environ.update(ENVIRONMENT)
    with unheard():
        import app as application

        world = ConcertWorld()
        remembering(world)
        application.services().shared.counters = Unlimited()  # type: ignore[assignment]
        application.services().concerts.conversation = world.conversation

        def ours(asked: dict[str, Any]) -> Any:
            return application.app(asked, Context())

        for name, message in MESSAGES.items():
            for kind in ("first", "later"):
                body = {"message": message}
                answer = json.loads(ours(event("/chat", body))["body"])
                if kind == "later":
                    body["session_id"] = answer["session_id"]
                asked = event("/chat", body)
                if ours(asked)["statusCode"] != 200:
                    raise SystemExit(f"{name} failed")
                cases = {"ours": repeated(ours, asked), "bare Chalice": repeated(bare_chalice(answer), asked)}
                medians = measure.interleaved(cases, 9)
                label = f"{name}, {kind} message"
                report.medians[label] = round(medians["ours"], 1)
                report.ratios[label] = round(medians["ours"] / medians["bare Chalice"], 2)
    report.show(arguments.json)


if __name__ == "__main__":
    main()
