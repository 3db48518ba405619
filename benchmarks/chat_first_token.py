"""A chat's first words over the socket against its whole reply over REST.

    python benchmarks/chat_first_token.py [--json]

Through the local cloud, warm: the deployed functions, API Gateway's WebSocket and REST, the local router. In process:
the Converse provider on a model that streams 40 words at 25 a second over HTTP, as models do; there is where streaming
pays, because the reader waits for the first word and not for the last.
"""

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).parents[1]))

from websockets.sync.client import connect

from benchmarks import measure
from chalicelib.adapters.concerts.bedrock_converse import BedrockConverse
from chalicelib.concerts.models import ChatRequest
from chalicelib.concerts.values import Delta
from local.cloud import Cloud
from local.supervisor import read_state
from tests.contract.eventstreams import bedrock, event
from tests.fakes.season import ConcertWorld

MESSAGE = "Which venues are the most popular?"
WORDS = 40
PACE_S = 0.04


def over_rest(cloud: Cloud) -> None:
    """The whole reply."""
    body = json.dumps({"message": MESSAGE}).encode()
    request = Request(f"{cloud.rest_url}/chat", data=body, headers={"Content-Type": "application/json"})
    with urlopen(request, timeout=30) as answer:
        answer.read()


def bare_route(cloud: Cloud) -> None:
    """A route that answers from nothing."""
    with urlopen(f"{cloud.rest_url}/health", timeout=30) as answer:
        answer.read()


def first_words(socket: Any) -> None:
    """Up to the first CHAT_DELTA; the rest is read before the next round."""
    socket.send(json.dumps({"action": "chat", "message": MESSAGE}))
    for wanted in ("CHAT_STARTED", "CHAT_DELTA"):
        said = json.loads(socket.recv(timeout=30))
        if said["action"] != wanted:
            raise SystemExit(f"the socket answered {said}")


def to_the_end(socket: Any) -> None:
    """What is left of a reply."""
    while json.loads(socket.recv(timeout=30))["action"] != "CHAT_DONE":
        pass


def through_the_cloud(report: measure.Report, rounds: int = 50) -> None:
    """Both ways in turn, on one cloud; an address may chat 120 times in ten minutes."""
    with (
        measure.local_cloud() as cloud,
        connect(f"{cloud.websocket_url}?channel=chat", open_timeout=30) as socket,
    ):
        times: dict[str, list[float]] = {"first words, socket": [], "whole reply, REST": [], "GET /health": []}
        for _ in range(rounds):
            started = time.perf_counter()
            bare_route(cloud)
            times["GET /health"].append(time.perf_counter() - started)
            started = time.perf_counter()
            first_words(socket)
            times["first words, socket"].append(time.perf_counter() - started)
            to_the_end(socket)
            started = time.perf_counter()
            over_rest(cloud)
            times["whole reply, REST"].append(time.perf_counter() - started)
        in_the_dark(report, Path(cloud.home), socket)
    keep(report, "local router through the local cloud", times)


def in_the_dark(report: measure.Report, home: Path, socket: Any) -> None:
    """With a warehouse that does not answer: the first sign of life, and the whole answer, which says so."""
    state = read_state(home)
    assert state is not None
    state.servers["redshift"].signal_group(signal.SIGSTOP)
    try:
        started = time.perf_counter()
        socket.send(json.dumps({"action": "chat", "message": "the 7 least popular clubs in 2019"}))
        socket.recv(timeout=30)
        report.medians["warehouse silent: first sign of life"] = round(1000 * (time.perf_counter() - started), 1)
        to_the_end(socket)
        report.medians["warehouse silent: whole answer"] = round(1000 * (time.perf_counter() - started), 1)
    finally:
        state.servers["redshift"].signal_group(signal.SIGCONT)


def with_a_paced_model(report: measure.Report, rounds: int = 3) -> None:
    """Both ways in turn, on one model."""
    times: dict[str, list[float]] = {"first words, socket": [], "whole reply, REST": []}
    for _ in range(rounds):
        for name in times:
            with bedrock(PacedAnswer()) as script:
                provider = BedrockConverse(
                    script.client("bedrock-runtime"), "a.model-v1:0", ConcertWorld().toolbox, budget_s=60
                )
                conversation = ConcertWorld(providers=(provider,)).conversation
                started = time.perf_counter()
                for said in conversation.stream(ChatRequest(message=MESSAGE)):
                    if isinstance(said, Delta) and name == "first words, socket":
                        times[name].append(time.perf_counter() - started)
                        break
                else:
                    times[name].append(time.perf_counter() - started)
    keep(report, f"model at {1 / PACE_S:.0f} words a second, in process", times)


class PacedAnswer(list[bytes]):
    """A model's stream, one word after the other."""

    def __init__(self) -> None:
        word = event("contentBlockDelta", {"delta": {"text": "venue "}, "contentBlockIndex": 0})
        end = event("messageStop", {"stopReason": "end_turn"})
        super().__init__([event("messageStart", {"role": "assistant"}), *[word] * WORDS, end])

    def __iter__(self) -> Any:
        for part in super().__iter__():
            time.sleep(PACE_S)
            yield part


def keep(report: measure.Report, label: str, times: dict[str, list[float]]) -> None:
    """The medians; how many first words fit in a whole reply, and how many bare routes."""
    medians = {name: sorted(values)[len(values) // 2] * 1000 for name, values in times.items()}
    for name, median in medians.items():
        report.medians[f"{label}: {name}"] = round(median, 2)
    whole, first = medians["whole reply, REST"], medians["first words, socket"]
    report.ratios[f"{label}: whole reply, REST"] = round(whole / first, 2)
    if bare := medians.get("GET /health"):
        report.ratios[f"{label}: whole reply, REST, over GET /health"] = round(whole / bare, 2)


def main() -> None:
    """Measure and print."""
    arguments = measure.arguments(__doc__)
    report = measure.Report("chat_first_token")
    with_a_paced_model(report)
    through_the_cloud(report)
    report.show(arguments.json)


if __name__ == "__main__":
    main()
