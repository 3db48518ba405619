"""The flights demo's own logic: stepping the clock, waiting for verdicts, what the tables say."""

import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from local.demo import flights, history
from local.demo.flights import SNAPSHOTS, SPOILED, STEP, checks_table, replay_hour, runs_table, verdict, worst_report


class ScriptedPipeline:
    """A pipeline whose runs reach their verdict after so many looks; remembers what OpenSky was told."""

    def __init__(self, *, looks: int = 0, status: str = "VALIDATED") -> None:
        self.looks = looks
        self.status = status
        self.told: list[dict[str, Any]] = []
        self.polls = 0

    def control_opensky(self, **message: Any) -> None:
        self.told.append(message)

    def ingest(self) -> dict[str, Any]:
        self.polls += 1
        return {"outcome": "fetched", "tracking_id": f"states_{self.polls}"}

    def run(self, tracking_id: str) -> dict[str, Any] | None:
        self.looks -= 1
        if self.looks >= 0:
            return None if self.looks % 2 else {"tracking_id": tracking_id, "status": "PROCESSED"}
        return {"tracking_id": tracking_id, "status": self.status}

    def report(self, run: dict[str, Any]) -> dict[str, Any]:
        return {"of": run["tracking_id"], "checks": []}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flights.time, "sleep", lambda _: None)


def text_of(table: Table, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_hour_is_stepped_through_up_to_now_and_one_snapshot_is_spoiled() -> None:
    pipeline, said = ScriptedPipeline(), list[str]()

    runs = replay_hour(pipeline, said.append)  # type: ignore[arg-type]

    times = [message["clock"]["now"] for message in pipeline.told]
    assert [run["tracking_id"] for run in runs] == [f"states_{n}" for n in range(1, SNAPSHOTS + 1)]
    assert {round(later - earlier) for earlier, later in pairwise(times)} == {STEP}
    assert flights.time.time() - 5 < times[-1] <= flights.time.time()
    assert [n for n, message in enumerate(pipeline.told, 1) if message["dirt"]] == [SPOILED]
    assert ["position" in message["clock"] for message in pipeline.told] == [True] + [False] * (SNAPSHOTS - 1)
    assert len(said) == SNAPSHOTS
    assert f"states_{SNAPSHOTS}  VALIDATED" in said[-1]


def test_a_run_is_followed_to_its_verdict() -> None:
    pipeline = ScriptedPipeline(looks=5, status="QUARANTINED")

    assert verdict(pipeline, "states_1")["status"] == "QUARANTINED"  # type: ignore[arg-type]
    assert pipeline.looks < 0


@pytest.mark.parametrize(("looks", "stands"), [(1, "PROCESSED"), (2, "not known")])
def test_waiting_ends_at_the_deadline_and_says_where_the_run_stands(
    monkeypatch: pytest.MonkeyPatch, looks: int, stands: str
) -> None:
    monkeypatch.setattr(flights, "DEADLINE", -1.0)

    with pytest.raises(TimeoutError, match=f"states_1: .*{stands}"):
        verdict(ScriptedPipeline(looks=looks), "states_1")  # type: ignore[arg-type]


def run(**facts: Any) -> dict[str, Any]:
    return {"tracking_id": "states_1", "status": "VALIDATED", "snapshot_time": 1_795_236_620} | facts


def test_the_report_shown_is_of_the_quarantined_run_else_of_the_lowest_score() -> None:
    good = run(tracking_id="good", score=0.99, report_key="g")
    poor = run(tracking_id="poor", score=0.81, report_key="p")
    aside = run(tracking_id="aside", score=0.93, report_key="a", status="QUARANTINED")

    def shown(*runs: dict[str, Any]) -> Any:
        found = worst_report(ScriptedPipeline(), runs)  # type: ignore[arg-type]
        return found and found[1]["of"]

    assert shown(good, poor) == "poor"
    assert shown(good, aside, poor) == "aside"
    assert shown(run(status="FAILED")) is None


def test_the_runs_table_shows_zeros_and_what_is_missing() -> None:
    whole = run(rows=1234, rejected=0, score=0.9512, grade="A", bytes_raw=5000, failed_checks=["uniqueness"])

    text = text_of(runs_table([whole, run(status="FAILED")]))

    (line,) = [line.split() for line in text.splitlines() if "1,234" in line]
    assert line == ["04:50:20", "VALIDATED", "1,234", "0", "0.951", "A", "1", "-,", "-", "5,", "-"]
    assert any("-" in line for line in text.splitlines() if "FAILED" in line)


def test_the_tables_fit_80_columns_whole() -> None:
    facts = {"rows": 12_345, "rejected": 123, "score": 0.9512, "grade": "A", "processing_ms": 1234}
    facts |= {"validation_ms": 1234, "bytes_raw": 1_234_567, "bytes_parquet": 1_234_567, "failed_checks": ["a"] * 10}
    sample = {"icao24": "39cea2", "callsign": "AFR1234", "longitude": -123.4567, "latitude": 47.1234, "velocity": 211.5}
    check = {"name": "timestamp_consistency", "verdict": "failed", "score": 0.5, "pass_mark": 0.9, "failing": 12_345}
    quarantined = run(**facts | {"status": "QUARANTINED", "quarantine_key": "quarantine/x"})
    report = {"checks": [check | {"checked": 12_345, "samples": [sample] * 3}]}
    counts = [{"key": "2026-11-21T12:00:00Z", "aircraft": 12_345, "rows": 123_456}]
    tables = [
        runs_table([quarantined]),
        checks_table(quarantined, report),
        history.traffic_table({"counts": counts, "bytes_scanned": 123_456_789}),
    ]
    for table in tables:
        text = text_of(table, 80)
        assert "…" not in text
        assert max(map(len, text.splitlines())) <= 80
    assert "1,234, 1,234" in text_of(tables[0], 80)
    assert "timestamp_consistency" in text_of(tables[1], 80)


def test_the_checks_table_shows_failed_checks_with_samples_as_they_are() -> None:
    check = {"name": "callsign_format", "verdict": "failed", "score": 0.5, "pass_mark": 0.9, "failing": 1, "checked": 2}
    report = {
        "checks": [
            check | {"samples": [{"icao24": "39cea2", "callsign": "[red]x", "last_contact": 1795236620, "spi": True}]},
            check | {"name": "uniqueness", "verdict": "passed"},
            check | {"name": "altitude_consistency", "verdict": "unknown"},
        ]
    }

    text = text_of(checks_table(run(status="QUARANTINED", quarantine_key="quarantine/x", alert="SENT"), report))

    assert "QUARANTINED at 04:50:20: 1 of 3 checks failed, 1 unknown" in text
    assert "icao24 39cea2  callsign [red]x  last_contact 1795236620  spi yes" in text
    assert "1 of 2" in text
    assert "Moved to quarantine/x, alert SENT" in text
    assert "uniqueness" not in text


def test_the_history_is_polled_until_it_answers() -> None:
    answers = [
        {"query": "q", "from": "a", "to": "b", "status": "RUNNING", "retry_after": 2},
        {"by": "hour", "counts": []},
    ]
    asked: list[str] = []

    def get(path: str) -> dict[str, Any]:
        asked.append(path)
        return answers[len(asked) - 1]

    assert history.ask(get, "/flights/traffic", {"by": "hour"}) == answers[1]
    assert asked == ["/flights/traffic?by=hour", "/flights/traffic?by=hour&query=q&from=a&to=b"]


def test_pictures_of_a_flight_and_of_traffic_are_drawn(tmp_path: Path) -> None:
    points = [
        {"time": 60 * n, "longitude": n, "latitude": 47, "baro_altitude_ft": 1000.0 * n or None} for n in range(3)
    ]
    flight = {"callsign": None, "distance_nm": 82.1, "duration_s": 120, "highest_altitude_ft": None, "points": points}
    drawn = history.draw_flight({"icao24": "3c6444", "bytes_scanned": 5}, flight, tmp_path / "track.png")
    assert drawn.read_bytes().startswith(b"\x89PNG")
    counts = [{"key": "2026-11-21T12:00:00Z", "aircraft": 5, "rows": 9}]
    traffic = {"by": "hour", "from": "a", "to": "b", "counts": counts, "bytes_scanned": 5}
    assert history.draw_traffic(traffic, tmp_path / "traffic.png").stat().st_size > 1000
    assert "2026-11-21T12:00:00Z" in text_of(history.traffic_table(traffic))
