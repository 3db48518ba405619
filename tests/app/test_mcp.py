"""The Model Context Protocol at the edge, by the official SDK's client: both revisions, every tool of the fakes."""

from collections.abc import Iterator
from typing import Any

import pytest
from chalice.test import Client as ChaliceClient
from jsonschema import Draft202012Validator

from chalicelib.predictions.models import PredictionJobPage
from chalicelib.wiring import Services
from chalicelib.wiring.mcp import CONCERT_ANSWERS
from tests.app.mcp_sdk import MODES, served, with_client
from tests.app.test_concerts import wire
from tests.environment import OPERATOR_TOKEN
from tests.fakes.season import ConcertWorld
from tests.unit.flights.world import World

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def world(services: Services) -> ConcertWorld:
    world = wire(services, ConcertWorld())
    services.concerts.toolbox = world.toolbox
    return world


@pytest.fixture
def url(client: ChaliceClient, world: ConcertWorld) -> Iterator[str]:
    with served(client) as address:
        yield f"{address}/mcp"


def call(url: str, mode: str, name: str, arguments: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    async def use(client: Any) -> Any:
        return await client.call_tool(name, arguments)

    return with_client(url, mode, use, headers)


@pytest.mark.parametrize("mode", MODES)
def test_the_sdk_connects_and_lists_the_tools_of_all_workloads(url: str, mode: str) -> None:
    async def use(client: Any) -> Any:
        return client.protocol_version, (await client.list_tools()).tools

    version, tools = with_client(url, mode, use)
    assert version == ("2025-11-25" if mode == "legacy" else "2026-07-28")
    names = {tool.name for tool in tools}
    assert names > {*CONCERT_ANSWERS, "latest_flights", "my_money_insights", "prediction_job", "upload_session"}
    for tool in tools:
        Draft202012Validator.check_schema(tool.input_schema)
        Draft202012Validator.check_schema(tool.output_schema)
        assert tool.annotations.read_only_hint
        assert tool.description


@pytest.mark.parametrize("mode", MODES)
def test_every_concert_tool_answers_what_its_schema_says(url: str, mode: str, world: ConcertWorld) -> None:
    concert = world.concert()
    asked: dict[str, dict[str, Any]] = {
        "popular_venues": {"top_n": 3, "locations": ["USA"]},
        "predict_ticket_sales": {"concert_id": concert.concert_id},
        "recommend_concerts": {"genres": ["rock"], "top_n": 3},
        "find_concerts": {"from": "2026-12-01", "to": "2026-12-31", "limit": 3},
        "concert_details": {"concert_id": concert.concert_id},
        "find_artists": {"q": concert.artist.name.split()[0]},
        "artist_details": {"artist_id": concert.artist.artist_id},
        "find_venues": {"place": [concert.venue.city]},
        "venue_details": {"venue_id": concert.venue.venue_id},
        "season_totals": {"since": "2026-01-01"},
        "list_genres": {},
    }
    assert set(asked) == set(CONCERT_ANSWERS)

    async def use(client: Any) -> Any:
        await client.list_tools()
        return {name: await client.call_tool(name, arguments) for name, arguments in asked.items()}

    for name, found in with_client(url, mode, use).items():
        assert not found.is_error, (name, found.content)
        assert found.structured_content, name


@pytest.mark.parametrize("mode", MODES)
def test_errors_are_results(url: str, mode: str) -> None:
    for name, arguments, word in (
        ("concert_details", {"concert_id": "con-none"}, "concert_not_found"),
        ("popular_venues", {"top_n": "many"}, "invalid_input"),
        ("my_money_insights", {}, "unauthenticated"),
        ("list_prediction_jobs", {}, "forbidden"),
        ("recommendations_to_review", {}, "unauthenticated"),
        ("upload_session", {"session_id": "a" * 22, "owner_token": "x"}, "error"),
    ):
        found = call(url, mode, name, arguments)
        assert found.is_error
        assert word in found.content[0].text


def test_flights_and_jobs(url: str, services: Services) -> None:
    flights = World()
    services.flights.queries, services.flights.operations = flights.flights, flights.operations
    assert call(url, "auto", "flight_data_quality", {"days": 1}).structured_content["runs"] == []
    assert "error" in call(url, "auto", "latest_flights", {}).content[0].text
    services.predictions.jobs = Answering(PredictionJobPage(jobs=[]))  # type: ignore[assignment]
    operator = {"X-Operator-Token": OPERATOR_TOKEN}
    assert call(url, "auto", "list_prediction_jobs", {}, operator).structured_content["jobs"] == []
    wrong = call(url, "auto", "list_prediction_jobs", {}, {"X-Operator-Token": "wrong"})
    assert wrong.is_error


class Answering:
    """A service that answers every call."""

    def __init__(self, answer: Any) -> None:
        self.page = self.get = lambda asked: answer


def test_there_is_no_stream_and_no_session(world: ConcertWorld, api: Any) -> None:
    for method in ("GET", "DELETE"):
        answer = api(method, "/mcp")
        assert (answer.status, answer.headers["allow"]) == (405, "POST")
    note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert api("POST", "/mcp", note).status == 202


def test_loading_the_application_loads_no_tools(services: Services) -> None:
    assert "mcp" not in vars(services)
