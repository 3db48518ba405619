"""The queries of docs/flights.md run, on the tables that the pipeline left."""

import re
from pathlib import Path

import pytest

from chalicelib.flights.statements import statement
from tests.unit.flights.test_history import Past

PAGE = Path(__file__).parents[3] / "docs" / "flights.md"
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def past() -> Past:
    past = Past()
    past.compact()
    return past


def test_there_are_five_and_each_bounds_the_day() -> None:
    assert len(QUERIES) == 5
    assert all("day" in query.split("states")[1] for query in QUERIES)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.split("\n")[0][:40])
def test_a_documented_query_runs(past: Past, query: str) -> None:
    query_id = past.engine.start(statement(query), reuse_s=0)
    rows = past.engine.rows(query_id, 100)
    assert rows or "squawk" in query


def test_the_last_counts_each_snapshot_once(past: Past) -> None:
    query_id = past.engine.start(statement(QUERIES[-1]), reuse_s=0)
    assert past.engine.rows(query_id, 1) == [["360", "20"]]
