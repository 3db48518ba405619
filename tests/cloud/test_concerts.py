"""Concerts end to end on the local cloud: the deployed functions, the warehouse, the endpoint, the socket, Bedrock."""

import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from chalicelib.adapters.concerts.bedrock_agent import BedrockAgent
from chalicelib.adapters.concerts.bedrock_converse import BedrockConverse
from chalicelib.adapters.concerts.warehouse import ConcertWarehouse
from chalicelib.adapters.redshift import RedshiftData
from chalicelib.concerts.values import ChatOutcome, Criteria, Delta, Turn
from local.cloud import Cloud
from local.season.generator import generate
from local.season.load import create_schema, load_by_copy
from local.supervisor import read_state
from tests.events import schedule_event
from tests.fakes.concerts import FakeWarehouse
from tests.fakes.season import ConcertWorld
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.cloud

SALES = 5_000


class Concerts:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def post(self, path: str, body: Any) -> httpx.Response:
        return httpx.post(f"{self.cloud.rest_url}{path}", json=body, timeout=PATIENCE_S)

    def ok(self, path: str, body: Any) -> Any:
        answer = self.post(path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def next_concert(self) -> str:
        return str(self.ok("/recommendations", {"top_n": 1})["recommendations"][0]["concert_id"])

    def fail_endpoint(self, *faults: dict[str, Any]) -> None:
        httpx.post(f"{self.cloud.sagemaker_runtime_url}/_control", json={"faults": faults}).raise_for_status()


@pytest.fixture(scope="module")
def redshift(cloud: Cloud) -> RedshiftData:
    environment = cloud.environment
    target = {
        "WorkgroupName": environment["OMNIBUS_CONCERTS_REDSHIFT_WORKGROUP"],
        "Database": environment["OMNIBUS_CONCERTS_REDSHIFT_DATABASE"],
    }
    return RedshiftData(cloud.client("redshift-data"), target, budget_s=PATIENCE_S)


@pytest.fixture(scope="module")
def concerts(cloud: Cloud, redshift: RedshiftData) -> Concerts:
    """The application over a season that came in by COPY from S3."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="season")
    season = generate(SALES, today=datetime.now(UTC).date())
    create_schema(redshift)
    load_by_copy(
        season,
        redshift,
        lambda key, content: s3.put_object(Bucket="season", Key=f"s/{key}", Body=content),
        "s3://season/s/",
        lambda *_: None,
    )
    return Concerts(cloud)


@pytest.fixture(autouse=True)
def no_faults(concerts: Concerts) -> Iterator[None]:
    yield
    concerts.fail_endpoint()


def test_copy_brought_the_whole_season(concerts: Concerts, redshift: RedshiftData) -> None:
    season = generate(SALES, today=datetime.now(UTC).date())
    for table in ("artists", "venues", "concerts", "ticket_sales"):
        assert redshift.rows(f"SELECT COUNT(*) AS n FROM {table}")[0]["n"] == season.count(table)


def test_the_deployed_ranking_is_the_one_that_plain_python_finds(concerts: Concerts) -> None:
    season = generate(SALES, today=datetime.now(UTC).date())
    report = concerts.ok("/venues/popularity", {"top_n": 5, "min_events": 1})
    until = datetime.fromisoformat(report["until"]).date()
    since = datetime.fromisoformat(report["since"]).date()
    expected = FakeWarehouse.of(season.rows).popular_venues(
        Criteria(since=since, until=until), min_events=1, top_n=5, order_by="popularity", least_first=False
    )
    assert [venue["venue_id"] for venue in report["venues"]] == [venue.venue_id for venue in expected]
    assert [venue["total_revenue"] for venue in report["venues"]] == [str(venue.total_revenue) for venue in expected]


def test_a_prediction_by_the_endpoint_and_by_the_shipped_model_is_the_same(concerts: Concerts) -> None:
    concert_id = concerts.next_concert()
    by_endpoint = concerts.ok("/tickets/predict", {"concert_id": concert_id})
    assert by_endpoint["source"] == "sagemaker"
    concerts.fail_endpoint({"error": "ModelError"})
    embedded = concerts.ok("/tickets/predict", {"concert_id": concert_id})
    assert embedded["source"] == "embedded"
    assert embedded["fallback"]
    assert embedded["predicted_sales"] == by_endpoint["predicted_sales"]


@pytest.mark.parametrize("error", ["ModelNotReadyException", "ServiceUnavailable", "ThrottlingException"])
def test_the_endpoints_passing_troubles_are_waited_out(concerts: Concerts, error: str) -> None:
    concert_id = concerts.next_concert()
    concerts.fail_endpoint({"error": error, "times": 2})
    assert concerts.ok("/tickets/predict", {"concert_id": concert_id})["source"] == "sagemaker"


def test_a_batch_of_concerts(concerts: Concerts) -> None:
    found = concerts.ok("/recommendations", {"top_n": 50})["recommendations"]
    batch = concerts.ok("/tickets/predict/batch", {"concert_ids": [one["concert_id"] for one in found]})
    assert len(batch["predictions"]) == len(found)
    assert batch["rejected"] == []


def test_the_refresh_function_stores_the_ranking(concerts: Concerts, redshift: RedshiftData) -> None:
    refreshed = concerts.cloud.invoke("refresh_venue_popularity", schedule_event())
    stored = redshift.rows("SELECT COUNT(*) AS n, MIN(popularity_rank) AS best FROM venue_popularity")[0]
    assert stored["n"] == refreshed["venues"] > 0
    assert stored["best"] == 1


def test_a_chat_over_rest_remembers(concerts: Concerts) -> None:
    first = concerts.ok("/chat", {"message": "Recommend rock concerts", "user_id": "alice"})
    assert (first["source"], first.get("remembered", True)) == ("local", True)
    asked = {"message": "Predict the sales of the first one", "session_id": first["session_id"], "user_id": "alice"}
    second = concerts.ok("/chat", asked)
    assert second["data"]["concert"]["concert_id"] == first["data"]["recommendations"][0]["concert_id"]
    stolen = concerts.post("/chat", {**asked, "user_id": "mallory"})
    assert (stolen.status_code, stolen.json()["error"]["code"]) == (404, "session_not_found")
    item = concerts.cloud.client("dynamodb").get_item(
        TableName=concerts.cloud.tables["chat-sessions"], Key={"session_id": {"S": first["session_id"]}}
    )["Item"]
    assert int(item["expires_at"]["N"]) > datetime.now(UTC).timestamp()


def test_a_chat_over_the_socket_streams(concerts: Concerts) -> None:
    with connect(f"{concerts.cloud.websocket_url}?channel=chat", open_timeout=PATIENCE_S) as socket:
        socket.send(json.dumps({"action": "chat", "message": "top 3 venues"}))
        said = [json.loads(socket.recv(timeout=PATIENCE_S))]
        while said[-1]["action"] not in {"CHAT_DONE", "ERROR"}:
            said.append(json.loads(socket.recv(timeout=PATIENCE_S)))
        assert [message["action"] for message in said[:-1]] == ["CHAT_STARTED"] + ["CHAT_DELTA"] * (len(said) - 2)
        assert [message["sequence"] for message in said] == list(range(len(said)))
        reply = said[-1]["reply"]
        assert reply["message"] == "".join(message["text"] for message in said[1:-1]).strip()
        socket.send(json.dumps({"action": "chat", "message": "", "session_id": reply["session_id"]}))
        refused = json.loads(socket.recv(timeout=PATIENCE_S))
        assert (refused["action"], refused["error"]["code"]) == ("ERROR", "invalid_input")


def test_a_chat_in_the_dark_says_at_once_that_it_is_there_and_then_what_is_missing(
    cloud: Cloud, concerts: Concerts
) -> None:
    state = read_state(Path(cloud.home))
    assert state is not None
    warehouse = state.servers["redshift"]
    with connect(f"{cloud.websocket_url}?channel=chat", open_timeout=PATIENCE_S) as socket:
        warehouse.signal_group(signal.SIGSTOP)
        try:
            socket.send(json.dumps({"action": "chat", "message": "the 7 least popular clubs in 2019"}))
            said = [json.loads(socket.recv(timeout=PATIENCE_S))]
            assert said[0]["action"] == "CHAT_STARTED"
            while said[-1]["action"] not in {"CHAT_DONE", "ERROR"}:
                said.append(json.loads(socket.recv(timeout=PATIENCE_S)))
        finally:  # the answer came while the warehouse was silent
            warehouse.signal_group(signal.SIGCONT)
    reply = said[-1]["reply"]
    assert "The concert warehouse cannot answer right now" in reply["message"]
    assert reply["question"]["since"] == "2019-01-01"


@pytest.mark.parametrize("text", ["'; DROP TABLE concerts; --", "rock' OR '1'='1", "%", "\\"])
def test_hostile_text_reaches_the_warehouse_as_text(concerts: Concerts, redshift: RedshiftData, text: str) -> None:
    before = redshift.rows("SELECT COUNT(*) AS n FROM concerts")
    assert concerts.ok("/recommendations", {"genres": [text]})["recommendations"] == []
    assert concerts.ok("/recommendations", {"location": text})["recommendations"] == []
    assert concerts.ok("/chat", {"message": f"Recommend {text} concerts"})["message"]
    assert redshift.rows("SELECT COUNT(*) AS n FROM concerts") == before


def test_health_asks_every_dependency(concerts: Concerts) -> None:
    answer = httpx.get(
        f"{concerts.cloud.rest_url}/health?deep=true",
        headers={"X-Operator-Token": concerts.cloud.operator_token},
        timeout=PATIENCE_S,
    ).json()
    asked = ("flights", "warehouse", "chat_sessions", "ticket_endpoint", "spendsense", "predictions", "uploads")
    assert {name: one["status"] for name, one in answer["dependencies"].items()} == dict.fromkeys(asked, "ok"), answer


def test_the_warehouse_answers_its_ping(redshift: RedshiftData, concerts: Concerts) -> None:
    ConcertWarehouse(redshift, fresh_for_s=0).ping()


class TestBedrock:
    """The providers against MiniStack's Bedrock runtimes: its answers are canned, its wire is AWS's."""

    def test_an_agent(self, concerts: Concerts) -> None:
        client = concerts.cloud.client("bedrock-agent-runtime")
        agent = BedrockAgent(client, "AGENT12345", "ALIAS12345", ConcertWorld().toolbox, budget_s=PATIENCE_S)
        pieces = list(agent.answer(Turn("chat-1", "hello ☂")))
        assert isinstance(pieces[0], Delta)
        assert "AGENT12345" in pieces[0].text
        assert isinstance(pieces[-1], ChatOutcome)

    def test_a_model(self, concerts: Concerts) -> None:
        client = concerts.cloud.client("bedrock-runtime")
        model = BedrockConverse(client, "amazon.nova-lite-v1:0", ConcertWorld().toolbox, budget_s=PATIENCE_S)
        pieces = list(model.answer(Turn("chat-1", "hello")))
        assert "".join(piece.text for piece in pieces if isinstance(piece, Delta)).strip()
        assert isinstance(pieces[-1], ChatOutcome)
