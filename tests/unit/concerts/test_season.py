"""The generated season: the same each time, of the size asked for, and consistent with itself."""

import json
from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal

import pytest

from local.season.generator import COLUMNS, FUTURE_DAYS, PAST_DAYS, generate
from local.season.load import MAX_STATEMENT_BYTES, literal, statements_of
from local.season.load import _inserts as inserts
from local.season.places import CITIES
from tests.fakes.season import TODAY, small_season


def test_the_same_seed_is_the_same_season() -> None:
    one, again, other = (generate(1_000, today=TODAY, seed=seed) for seed in (1, 1, 2))
    for table in COLUMNS:
        assert list(one.rows(table)) == list(again.rows(table))
    assert list(one.rows("concerts")) != list(other.rows("concerts"))


@pytest.mark.parametrize("sales", [1_000, 1_003, 4_000])
def test_it_has_the_size_that_was_asked_for(sales: int) -> None:
    season = generate(sales, today=TODAY)
    assert season.count("ticket_sales") == len(list(season.rows("ticket_sales"))) == sales
    assert season.count("concerts") == sales // 10


@pytest.mark.parametrize("sales", [0, 999, 1_000_001])
def test_sizes_out_of_range_are_refused(sales: int) -> None:
    with pytest.raises(ValueError, match="1,000 to 1,000,000"):
        generate(sales, today=TODAY)


def test_rows_have_the_columns_of_the_schema() -> None:
    season = small_season()
    for table, columns in COLUMNS.items():
        assert {len(row) for row in season.rows(table)} == {len(columns)}


def test_revenue_and_attendance_are_what_was_sold() -> None:
    season = small_season()
    capacity = {row[0]: row[9] for row in season.venues}
    amount: dict[str, Decimal] = defaultdict(Decimal)
    heads: Counter[str] = Counter()
    for row in season.rows("ticket_sales"):
        assert row[5] == row[3] * row[4]
        amount[row[1]] += row[5]
        heads[row[1]] += row[3]
    completed = [row for row in season.concerts if row[7] == "completed"]
    assert completed
    for row in completed:
        assert row[6] == amount[row[0]]
        assert row[5] == min(heads[row[0]], capacity[row[2]])


def test_days_statuses_and_prices_make_sense() -> None:
    season = small_season()
    for concert in season.concerts:
        day, prices, status = concert[3], json.loads(concert[4]), concert[7]
        assert TODAY - timedelta(days=PAST_DAYS) <= day <= TODAY + timedelta(days=FUTURE_DAYS + 6)
        assert status in ({"completed", "cancelled", "postponed"} if day < TODAY else {"scheduled", "cancelled"})
        assert (concert[6] is None) == (status != "completed")
        assert Decimal(prices["standard"]) < Decimal(prices["premium"]) < Decimal(prices["vip"])
    assert {status for *_, status in season.concerts} == {"completed", "cancelled", "postponed", "scheduled"}
    days = {row[0]: row[3] for row in season.concerts}
    assert all(row[6].date() <= days[row[1]] for row in season.rows("ticket_sales"))


def test_places_are_real() -> None:
    known = {(city.name, city.country): city for city in CITIES}
    for venue in small_season().venues:
        city = known[venue[3], venue[5]]
        assert abs(venue[7] - city.latitude) < 0.3
        assert abs(venue[8] - city.longitude) < 0.3


def test_inserts_fit_the_data_api() -> None:
    season = generate(10_000, today=TODAY)
    total = 0
    for sql, rows in inserts("ticket_sales", season.rows("ticket_sales")):
        assert len(sql.encode()) <= MAX_STATEMENT_BYTES
        total += rows
    assert total == 10_000


def test_literals_are_quoted() -> None:
    assert literal("O'Neill") == "'O''Neill'"
    assert literal(None) == "NULL"
    assert literal(Decimal("12.50")) == "12.50"


def test_a_script_is_its_statements() -> None:
    assert list(statements_of("-- a; comment\nSELECT 1;\n\nSELECT 2")) == ["SELECT 1", "SELECT 2"]
