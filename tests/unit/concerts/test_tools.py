"""Tools: described for models, strict about arguments, and honest about failures."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from chalicelib.concerts.outcomes import FAILED, GROUNDED, UNGROUNDED, outcome_of
from chalicelib.concerts.tools import TOOL_ROWS
from chalicelib.errors import UpstreamUnavailable
from tests.fakes.season import ConcertWorld

WORLD = ConcertWorld()


@pytest.mark.parametrize("name", sorted(WORLD.toolbox.tools))
def test_schemas_are_what_bedrock_takes(name: str) -> None:
    schema = WORLD.toolbox.tools[name].schema()
    Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False


def test_they_call_the_services_of_the_routes() -> None:
    venues = WORLD.toolbox.run("popular_venues", {"top_n": 3})
    assert len(venues.data["venues"]) == 3
    concert_id = WORLD.concert().concert_id
    forecast = WORLD.toolbox.run("predict_ticket_sales", {"concert_id": concert_id})
    assert forecast.data["concert"]["concert_id"] == concert_id
    assert WORLD.toolbox.run("recommend_concerts", {"genres": ["rock"]}).data["recommendations"]
    artist = WORLD.concert().artist.name
    assert WORLD.toolbox.run("find_artists", {"q": artist}).data["artists"][0]["name"] == artist
    assert WORLD.toolbox.run("season_totals", {}).data["genres"]


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("drop_tables", {}, "unknown_tool"),
        ("popular_venues", {"top_n": True}, "invalid_arguments"),
        ("popular_venues", {"top_n": 101}, "invalid_arguments"),
        ("popular_venues", {"session_id": "chat-1"}, "invalid_arguments"),
        ("predict_ticket_sales", {}, "invalid_arguments"),
        ("predict_ticket_sales", {"concert_id": "'; DROP TABLE concerts; --"}, "invalid_arguments"),
        ("predict_ticket_sales", {"concert_id": "con-nowhere"}, "concert_not_found"),
        ("recommend_concerts", {"location": "a\x00b"}, "invalid_arguments"),
        ("recommend_concerts", {"location": "a,,b"}, "unprocessable"),
    ],
)
def test_what_is_wrong_is_an_answer(name: str, arguments: dict[str, Any], code: str) -> None:
    answer = WORLD.toolbox.run(name, arguments)
    assert answer.error is not None
    assert answer.error.code == code
    assert answer.data == {}
    assert answer.content["error"]["code"] == code


@given(st.dictionaries(st.text(max_size=20), st.none() | st.booleans() | st.integers() | st.floats() | st.text()))
def test_no_arguments_make_it_raise(arguments: dict[str, Any]) -> None:
    for name in WORLD.toolbox.tools:
        WORLD.toolbox.run(name, arguments)


def test_outcomes_follow_the_tools() -> None:
    world = ConcertWorld()
    worked = world.toolbox.run("recommend_concerts", {})
    world.warehouse.fail = UpstreamUnavailable("down")
    broken = world.toolbox.run("popular_venues", {})
    grounded = outcome_of([worked, broken])
    assert (grounded.intent, grounded.confidence) == ("concert_recommendation", GROUNDED)
    assert [one.concert_id for one in grounded.listed] == [one["concert_id"] for one in worked.data["recommendations"]]
    failed = outcome_of([broken])
    assert (failed.intent, failed.confidence) == ("venue_search", FAILED)
    assert failed.data["error"]["code"] == "upstream_unavailable"
    assert (outcome_of([]).intent, outcome_of([]).confidence) == ("general_query", UNGROUNDED)


def test_a_chat_gets_no_more_rows_than_it_reads_out() -> None:
    assert len(WORLD.toolbox.run("recommend_concerts", {"top_n": 50}).data["recommendations"]) == TOOL_ROWS
    assert len(WORLD.toolbox.run("find_concerts", {"from": "2024-01-01", "limit": 100}).data["concerts"]) == TOOL_ROWS
