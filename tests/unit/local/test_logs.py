"""The functions' logs: each line once, however often it is read."""

import time
from itertools import islice
from types import SimpleNamespace
from typing import Any

import pytest

from local import logs


class Groups:
    """CloudWatch Logs with one group, which gets a line before each look."""

    exceptions = SimpleNamespace(ResourceNotFoundException=KeyError)

    def __init__(self, *lines: tuple[int, str]) -> None:
        self.lines = list(lines)
        self.coming: list[tuple[int, str]] = []
        self.asked: list[int] = []
        self.given = 0

    def filter_log_events(self, *, logGroupName: str, startTime: int, limit: int) -> dict[str, Any]:  # noqa: N803
        assert logGroupName == "/aws/lambda/omnibus-local-work"
        self.asked.append(startTime)
        found = [{"timestamp": moment, "message": text} for moment, text in sorted(self.lines) if moment >= startTime]
        self.given += len(found)
        self.lines += self.coming[:1]
        del self.coming[:1]
        return {"events": found}


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(logs, "FOLLOW_S", 0)
    return int(time.time() * 1000)


def followed(groups: Groups, count: int) -> list[str]:
    cloud: Any = SimpleNamespace(functions={"work": "omnibus-local-work"}, client=lambda service: groups)
    return [line.rpartition(": ")[2] for line in islice(logs.lines(cloud, "work", follow=True), count)]


def test_each_line_is_shown_once_also_if_it_is_late_or_said_twice(moment: int) -> None:
    groups = Groups((moment - 1000, "first"), (moment - 1000, "first"))
    groups.coming = [(moment, "second"), (moment - 30_000, "late"), (moment + 1, "third")]
    assert followed(groups, 5) == ["first", "first", "second", "late", "third"]


def test_what_was_shown_long_ago_is_not_asked_for_again(moment: int) -> None:
    groups = Groups(*((moment - 600_000 + number, f"{number}") for number in range(1000)))
    groups.coming = [(moment, "new"), (moment + 1, "newer")]
    assert followed(groups, 1002)[-2:] == ["new", "newer"]
    assert groups.given <= 1000 + 1000 + 1001 + 2, "only until the first new line is everything looked at again"
    assert groups.asked[-1] > groups.asked[0]


JSON = (
    '14:49:08.123 ingest_flights: {"level":"INFO","location":"observe_event:45","message":"invocation done",'
    '"cold_start":true,"function_name":"ingest_flights","ms":776.4,"service":"omnibus","timestamp":"2026-11-29T14:49:08"}'
)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (JSON, "14:49:08 INFO  ingest_flights 776 ms cold"),
        (
            '09:00:00.000 api_handler: {"level":"WARNING","message":"record failed","route":"GET /x","status":503,'
            '"key":"k"}',
            "09:00:00 WARNING api_handler GET /x 503 record failed key=k",
        ),
        (
            '09:00:00.000 f: {"level":"ERROR","message":"bad","exception":"Traceback\\nKeyError"}',
            "09:00:00 ERROR f bad\nTraceback\nKeyError",
        ),
        ("09:00:00.000 f: START RequestId: 1", "09:00:00       f START RequestId: 1"),
        ("09:00:00.000 f: [1]", "09:00:00       f [1]"),
        ('09:00:00.000 f: {"_aws":{"Timestamp":1}}', None),
    ],
)
def test_a_line_is_readable(line: str, shown: str | None) -> None:
    assert logs.readable(line) == shown


def test_levels_are_coloured() -> None:
    assert "\033[32mINFO \033[0m" in (logs.readable(JSON, coloured=True) or "")
