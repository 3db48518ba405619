"""The history's engine in memory: DuckDB over the bucket's Parquet, with Athena's states."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow.parquet as pq

from chalicelib.errors import NotFound, OmnibusError
from chalicelib.flights import keys
from chalicelib.flights.ports import QueryState
from chalicelib.flights.statements import Statement
from tests.fakes.flights import FakeBucket

TABLES = {"snapshots": keys.PROCESSED, "states": keys.HISTORY}


class FakeEngine:
    """`HistoryEngine`; `slow` is how many times a query is still running when it is asked for."""

    def __init__(self, bucket: FakeBucket, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._bucket = bucket
        self._clock = clock
        self.asked: list[Statement] = []
        self.reuse: list[int] = []
        self.results: list[list[list[str | None]]] = []
        self.cancelled: list[str] = []
        self.slow = 0
        self.ended: tuple[Any, str] = ("SUCCEEDED", "")
        self.error: OmnibusError | None = None

    def start(self, statement: Statement, *, reuse_s: int) -> str:
        if self.error:
            raise self.error
        self.asked.append(statement)
        self.reuse.append(reuse_s)
        self.results.append(self._run(statement.spelled_out()))
        return f"{len(self.asked) - 1:036x}"

    def state(self, query_id: str) -> QueryState:
        if int(query_id, 16) >= len(self.asked):
            raise NotFound("there is no such query")
        asked = self.asked[int(query_id, 16)]
        self.slow -= 1
        status, reason = ("RUNNING", "") if self.slow >= 0 else self.ended
        return QueryState(status, tuple(asked), self._clock(), 4096, reason)

    def answers(self, state: QueryState, statement: Statement) -> bool:
        return state.asked == tuple(statement)

    def rows(self, query_id: str, limit: int) -> list[list[str | None]]:
        return self.results[int(query_id, 16)][:limit]

    def cancel(self, query_id: str) -> None:
        self.cancelled.append(query_id)

    def _run(self, sql: str) -> list[list[str | None]]:
        with duckdb.connect() as connection:
            for name, prefix in TABLES.items():
                tables = []
                for key in self._bucket.keys(prefix):
                    table = pq.read_table(io.BytesIO(self._bucket.objects[key]), partitioning=None)
                    day = key.split("day=")[1][:10] if "day=20" in key else ""
                    tables.append(table.append_column("day", [[day] * table.num_rows]))
                if not tables:
                    continue
                union = " UNION ALL BY NAME ".join(f"SELECT * FROM {name}_{n}" for n in range(len(tables)))
                for number, table in enumerate(tables):
                    connection.register(f"{name}_{number}", table)
                connection.execute(f"CREATE VIEW {name} AS {union}")
            for name, other in (("snapshots", "states"), ("states", "snapshots")):
                if not any(self._bucket.keys(TABLES[name])):
                    if not any(self._bucket.keys(TABLES[other])):
                        return []
                    connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {other} WHERE false")
            found = connection.execute(sql).fetchall()
        return [[_text(value) for value in row] for row in found]


def _text(value: Any) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
