"""A crowd of people, their derived data, and concurrent work, for the tests of the jobs."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg

from tests.contract.spendsense_database import seen_by_all
from tests.contract.spendsense_people import World, account, rows, transaction
from tests.patience import PATIENCE_S, until

DERIVED = ("computed_features", "persona_assignments", "recommendations", "decision_traces")


def crowd(world: World, count: int = 6) -> list[UUID]:
    statement = rows(
        [account(), account("credit card", 700.0, limit=1000.0)],
        [transaction(5 + 2 * number, 10.0 + number) for number in range(12)],
    )
    return [world.add(f"person {number}", statement) for number in range(count)]


def dump(world: World, *tables: str) -> dict[str, list[Any]]:
    """Every row, with its times, in an order of its own."""
    return {
        table: [tuple(row) for row in world.all(f"SELECT t.* FROM spendsense.{table} t ORDER BY t::text")]
        for table in tables or DERIVED
    }


def waiting(url: str, count: int) -> None:
    """Return once `count` connections wait for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(seen_by_all(url), autocommit=True) as watcher:
        until(lambda: watcher.execute(query).fetchone() == (count,), every_s=0.01)


class Aside:
    """Work in another thread; `result` joins it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._results: list[Any] = []
        self._thread = threading.Thread(target=lambda: self._results.append(work()))
        self._thread.start()

    def result(self) -> Any:
        self._thread.join(timeout=PATIENCE_S)
        assert self._results, "it raised, or did not end"
        return self._results[0]


def counts(world: World) -> dict[str, int]:
    return {table: len(found) for table, found in dump(world).items()}
