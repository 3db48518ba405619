"""The checks of a whole snapshot keep their rows unchanged."""

from typing import Any

import pytest

from chalicelib.flights.checks.gathering import GATHERED, NEEDED, Snapshot
from chalicelib.flights.checks.reading import opened
from chalicelib.flights.reports import Cell
from tests.unit.flights.quality_reference import Row, written
from tests.unit.flights.test_quality import aircraft


def gathered(rows: list[Row], **how: Any) -> list[dict[str, Cell]]:
    names = tuple(sorted(GATHERED))
    with opened(written(rows, **how)) as source:
        snapshot = Snapshot(source)
        for group in range(source.groups):
            for batch in source.batches(group, NEEDED):
                snapshot.add(batch)
        return [snapshot.shown(row, names) for row in range(len(rows))]


ROWS = [
    aircraft(1),
    aircraft(2, on_ground=True, velocity=3.0, baro_altitude=None, flight_phase="GROUND"),
    aircraft(3, on_ground=None, flight_phase=None),
    aircraft(4, icao24="NOTHEX", velocity=None, vertical_rate=-0.0),
    aircraft(5, icao24=None),
]


@pytest.mark.parametrize("rows_a_group", [1, 2, 5])
def test_a_sample_shows_what_its_row_says(rows_a_group: int) -> None:
    shown = gathered(ROWS, row_group_size=rows_a_group)
    assert shown == [{name: row.get(name) for name in sorted(GATHERED)} for row in ROWS]


@pytest.mark.parametrize("said", [True, False, None])
def test_a_flag_that_all_rows_share_is_shown_although_it_is_not_read(said: bool | None) -> None:
    rows = [aircraft(number, on_ground=said) for number in range(3)]
    assert [row["on_ground"] for row in gathered(rows)] == [said] * 3
