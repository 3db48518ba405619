"""The Model Context Protocol on the local cloud, by the official SDK's client: both revisions, every tool, and a

scripted client that knows only what the tools say of themselves.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from local.cloud import Cloud
from tests.app.mcp_sdk import MODES, with_client
from tests.cloud.test_spendsense import sign_in

pytestmark = [pytest.mark.cloud, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

WITHOUT_DATA = {"latest_flights", "find_aircraft", "aircraft_track", "flight_quality_report", "prediction_job",
                "upload_session", "my_money_insights", "my_recommendations"}  # fmt: skip
"""Tools that may answer with an error here: no snapshot, job, photo or person was put in by this test."""


class Scripted:
    """Answers questions by the tools' descriptions and schemas alone: it looks for their words."""

    def __init__(self, client: Any, tools: list[Any]) -> None:
        self.client = client
        self.tools = tools

    async def ask(self, words: str, wanted: Mapping[str, Any]) -> Any:
        """Call the tool whose description has most of `words`, with those of `wanted` that its schema takes."""
        terms = words.lower().split()

        def fit(tool: Any) -> tuple[int, int]:
            takes = tool.input_schema.get("properties", {})
            told = f"{tool.name} {tool.description}".lower()
            return sum(name in takes for name in wanted) - 3 * sum(
                name not in wanted for name in tool.input_schema.get("required", [])
            ), sum(term in told for term in terms)

        tool = max(self.tools, key=lambda one: (fit(one)[1] + fit(one)[0], one.name))
        found = await self.client.call_tool(tool.name, dict(wanted))
        assert not found.is_error, (tool.name, found.content[0].text)
        return found.structured_content


@pytest.mark.parametrize("mode", MODES)
def test_every_tool_answers(cloud: Cloud, mode: str) -> None:
    async def use(client: Any) -> Any:
        tools = (await client.list_tools()).tools
        one = (await client.call_tool("recommend_concerts", {"top_n": 1})).structured_content["recommendations"][0]
        given = {**one, "icao24": "3c6444", "q": "ab", "tracking_id": "none", "job_id": "none",
                 "session_id": "a" * 22, "owner_token": "x"}  # fmt: skip
        answers = {}
        for tool in tools:
            arguments = {name: given[name] for name in tool.input_schema.get("required", [])}
            answers[tool.name] = await client.call_tool(tool.name, arguments)
        return answers

    cloud.invoke("migrate")
    token = sign_in(cloud, "olga")
    answers = with_client(f"{cloud.rest_url}/mcp", mode, use, {"Authorization": token})
    for name, found in answers.items():
        if name not in WITHOUT_DATA:
            assert not found.is_error, (name, found.content[0].text)
            assert found.structured_content, name
        else:
            assert "internal_error" not in found.content[0].text, (name, found.content[0].text)
    assert len(answers) >= 20


def test_a_client_that_reads_only_the_descriptions_answers_ten_questions(cloud: Cloud) -> None:
    today = datetime.now(UTC).date()

    async def use(client: Any) -> list[Any]:
        script = Scripted(client, (await client.list_tools()).tools)
        rank = await script.ask("rank venues popularity", {"top_n": 3})
        revenue = await script.ask("rank venues revenue", {"top_n": 1, "order_by": "revenue"})
        venue = await script.ask("venue address next concerts months", {"venue_id": rank["venues"][0]["venue_id"]})
        genres = await script.ask("every genre how many artists", {})
        jazz = await script.ask("recommend scheduled concerts genres", {"genres": ["jazz"], "top_n": 5})
        cheap = await script.ask("recommend scheduled concerts prices", {"max_price": 60, "order": "price"})
        concert = await script.ask("concert status prices", {"concert_id": jazz["recommendations"][0]["concert_id"]})
        artist = await script.ask("artist next concerts past", {"artist_id": concert["artist_id"]})
        forecast = await script.ask("forecast ticket revenue interval", {"concert_id": concert["concert_id"]})
        year = await script.ask("attendance revenue completed genre", {"since": f"{today.year - 1}-01-01"})
        return [rank, revenue, venue, genres, jazz, cheap, concert, artist, forecast, year]

    found = with_client(f"{cloud.rest_url}/mcp", "auto", use)
    rank, revenue, venue, genres, jazz, cheap, concert, artist, forecast, year = found
    assert [one["popularity_rank"] for one in rank["venues"]] == [1, 2, 3], "which are the three most popular venues?"
    assert float(revenue["venues"][0]["total_revenue"]) > 0, "which venue takes the most?"
    assert venue["address"], "where is the most popular one?"
    assert len(genres["genres"]) > 5, "what is played?"
    assert all("jazz" in one["genre"] for one in jazz["recommendations"]), "which jazz concerts are there?"
    assert all(float(one["price_from"]) <= 60 for one in cheap["recommendations"]), "what is there up to 60?"
    assert concert["price_from"], "what does the first jazz concert cost?"
    assert artist["upcoming"], "when does its artist play?"
    assert float(forecast["interval"]["low"]) < float(forecast["predicted_sales"]), "what will it take?"
    assert year["genres"], "what did each genre take since last year?"
