"""The concerts demo: load a season, rank venues, predict and recommend concerts, and do it all again in a chat of four
turns with streamed answers.

Everything goes through the deployed application; as in AWS, the Redshift Data API loads the season into the warehouse
with COPY.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from websockets.sync.client import connect

from chalicelib.adapters.redshift import RedshiftData
from local.demo.ranking import draw_ranking
from local.season.generator import generate
from local.season.load import create_schema, load_by_copy

SALES: Final = 100_000
ANSWER_S: Final = 30.0
GENRES: Final = ("rock", "indie")
PLACE: Final = "United States"
TURNS: Final = (
    "Which venues are the most popular?",
    "Recommend some {genre} concerts in {city}",
    "Predict the sales of the first one",
    "And how did revenue develop by genre?",
)

Progress = Callable[[str], None]
Answer = dict[str, Any]


@dataclass(frozen=True)
class Concerts:
    """The deployed application as its users see it: REST and the WebSocket."""

    rest_url: str
    websocket_url: str

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """The body of a REST answer."""
        content = json.dumps(body).encode()
        request = Request(f"{self.rest_url}{path}", data=content, headers={"Content-Type": "application/json"})
        with urlopen(request, timeout=ANSWER_S) as answer:
            found: Answer = json.load(answer)
        return found

    def chat(self, message: str, session_id: str | None) -> Iterator[Answer]:
        """The socket's answers to a message, up to CHAT_DONE or ERROR."""
        asked = {"action": "chat", "message": message} | ({"session_id": session_id} if session_id else {})
        with connect(f"{self.websocket_url}?channel=chat", open_timeout=ANSWER_S) as socket:
            socket.send(json.dumps(asked))
            while True:
                said: Answer = json.loads(socket.recv(timeout=ANSWER_S))
                yield said
                if said["action"] in {"CHAT_DONE", "ERROR"}:
                    return


def run(cloud: Mapping[str, Any], out: Path, progress: Progress, console: Console | None = None) -> list[Path]:
    """Run the concerts demo and return the files that it wrote."""
    concerts, console = Concerts(cloud["rest_url"].rstrip("/"), cloud["websocket_url"]), console or Console()
    load_season(cloud, progress)
    ranking = concerts.post("/venues/popularity", {"top_n": 10})
    console.print(ranking_table(ranking))
    chart = draw_ranking(ranking["venues"], out / "popular-venues.png", since=ranking["since"], until=ranking["until"])
    found = concerts.post("/recommendations", {"genres": GENRES, "location": PLACE, "top_n": 5})["recommendations"]
    console.print(recommendations_table(found))
    prediction = concerts.post("/tickets/predict", {"concert_id": found[0]["concert_id"]})
    console.print(prediction_table(prediction))
    progress("the endpoint is told to fail: the model shipped with the application answers instead")
    console.print(*fallback_lines(cloud, concerts, found[0]["concert_id"], prediction), sep="\n", highlight=False)
    transcript = out / "chat.json"
    replies = show_chat(concerts, console, found[0])
    transcript.write_text(json.dumps(replies, indent=2) + "\n", encoding="utf-8")
    return [chart, transcript]


def load_season(cloud: Mapping[str, Any], progress: Progress) -> None:
    """Load a season of SALES sales into the warehouse, with COPY from objects in S3."""
    session = boto3.Session(
        cloud["credentials"]["AWS_ACCESS_KEY_ID"],
        cloud["credentials"]["AWS_SECRET_ACCESS_KEY"],
        region_name=cloud["region"],
    )
    bucket = "omnibus-season"
    s3 = session.client("s3", endpoint_url=cloud["aws_endpoint_url"], config=Config(s3={"addressing_style": "path"}))
    s3.create_bucket(Bucket=bucket)
    client = session.client("redshift-data", endpoint_url=cloud["redshift_data_url"], config=Config(read_timeout=40))
    environment = cloud["environment"]
    target = {
        "WorkgroupName": environment["OMNIBUS_CONCERTS_REDSHIFT_WORKGROUP"],
        "Database": environment["OMNIBUS_CONCERTS_REDSHIFT_DATABASE"],
    }
    redshift = RedshiftData(client, target, budget_s=120)
    season = generate(SALES, today=datetime.now(UTC).date())
    create_schema(redshift)
    load_by_copy(
        season,
        redshift,
        lambda key, content: s3.put_object(Bucket=bucket, Key=f"season/{key}", Body=content),
        f"s3://{bucket}/season/",
        lambda table, done, total: progress(f"{table:13} {bar(done, total)} {done:>8,} of {total:,}"),
    )
    progress("the season is in the warehouse")


def bar(done: int, total: int, width: int = 24) -> str:
    """A progress bar."""
    filled = width * done // max(1, total)
    return "[" + "#" * filled + "." * (width - filled) + "]"


def ranking_table(ranking: Answer) -> Table:
    """The ten most popular venues."""
    table = Table(
        title=f"The ten most popular venues, {ranking['since']} to {ranking['until']}",
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("", justify="right")
    table.add_column("venue", no_wrap=True)
    for heading in ("seats", "concerts", "full", "per concert", "score"):
        table.add_column(heading, justify="right")
    for venue in ranking["venues"]:
        table.add_row(
            str(venue["popularity_rank"]),
            f"{venue['name']}\n[dim]{venue['city']}, {venue['venue_type']}[/]",
            f"{venue['capacity']:,}",
            str(venue["total_events"]),
            f"{venue['avg_attendance_rate']:.0%}",
            money(venue["revenue_per_event"]),
            f"{venue['score']:.3f}",
        )
    return table


def recommendations_table(found: Sequence[Answer]) -> Table:
    """The recommendations and their reasons."""
    table = Table(
        title=f"Recommended in the {PLACE} for someone who likes {' and '.join(GENRES)}",
        title_justify="left",
        title_style="bold",
        show_lines=True,
    )
    table.add_column("concert")
    table.add_column("score", justify="right")
    table.add_column("because", overflow="fold")
    for one in found:
        what = f"{one['artist']}\n{one['venue']}, {one['city']}\n{one['event_date']}, {one['concert_id']}"
        table.add_row(what, f"{one['score']:.3f}", "\n".join(f"- {reason}" for reason in one["reasons"]))
    return table


def prediction_table(prediction: Answer) -> Table:
    """A forecast with its interval and data coverage."""
    concert = prediction["concert"]
    title = f"{concert['artist']} at {concert['venue']}, {concert['city']}, on {concert['event_date']}"
    made_by = f"{prediction['source']}, {prediction['model_version']}"
    table = Table(
        title=f"{title}: {money(prediction['predicted_sales'])} predicted by {made_by}",
        caption=(
            f"{prediction['interval']['level']:.0%} of such concerts take {money(prediction['interval']['low'])} to "
            f"{money(prediction['interval']['high'])}; confidence {prediction['confidence_level']}; "
            f"data coverage {prediction['data_coverage']:.0%}"
        ),
        title_justify="left",
        caption_justify="left",
        title_style="bold",
    )
    table.add_column("data")
    for heading in ("weight", "value", "contributes"):
        table.add_column(heading, justify="right")
    table.add_column("because")
    for part in prediction["coverage_parts"]:
        numbers = (f"{part[name]:.2f}" for name in ("weight", "value", "contribution"))
        table.add_row(part["name"], *numbers, part["reason"])
    return table


def fallback_lines(cloud: Mapping[str, Any], concerts: Concerts, concert_id: str, before: Answer) -> Iterator[str]:
    """The same prediction while the endpoint fails."""
    control = f"{cloud['sagemaker_runtime_url']}/_control"
    try:
        tell(control, [{"error": "ModelError", "times": 1}])
        again = concerts.post("/tickets/predict", {"concert_id": concert_id})
    finally:
        tell(control, [])
    same = "the same number" if again["predicted_sales"] == before["predicted_sales"] else "another number"
    yield f"  {money(again['predicted_sales'])}, {same}; source: {again['source']}; fallback: {again['fallback']}"


def tell(control: str, faults: Sequence[Mapping[str, Any]]) -> None:
    """Make the local SageMaker fail, or stop failing."""
    with urlopen(Request(control, data=json.dumps({"faults": faults}).encode()), timeout=10) as answer:
        answer.read()


def show_chat(concerts: Concerts, console: Console, concert: Answer) -> list[Answer]:
    """Hold a conversation of four turns over the socket, print the words as they arrive, and return the replies."""
    replies: list[Answer] = []
    console.print("\n[bold]A chat over the WebSocket[/]")
    for turn in TURNS:
        message = turn.format(city=concert["city"], genre=concert["genre"].split("/")[0])
        console.print(f"\n[cyan]> {escape(message)}[/]")
        started, first = time.monotonic(), 0.0
        for said in concerts.chat(message, replies[-1]["session_id"] if replies else None):
            if said["action"] == "CHAT_DELTA":
                first = first or time.monotonic() - started
                console.print(escape(said["text"]), end="", highlight=False)
            elif said["action"] == "CHAT_DONE":
                replies.append(said["reply"])
            elif said["action"] != "CHAT_STARTED":
                raise RuntimeError(f"the chat answered {said}")
        reply = replies[-1]
        took = f"first words after {first * 1000:.0f} ms, all after {(time.monotonic() - started) * 1000:.0f}"
        console.print(f"\n[dim]{reply['intent']}, {reply['confidence']:.0%} sure, source {reply['source']}; {took}[/]")
    return replies


def money(amount: str) -> str:
    """A formatted amount."""
    return f"${float(amount):,.0f}"
