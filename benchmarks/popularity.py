"""Venue popularity: one statement in the engine, against fetching rows and ranking them in Python or pandas.

    python benchmarks/popularity.py [--json] [SALES ...]

SALES sales lines of a tenth as many concerts, all within the look-back, on PostgreSQL. Every way goes straight to the
engine by psycopg, which spares the peers the Data API's JSON; ours is also taken through the Data API. All ways must
find the same ten venues.
"""

import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import boto3
import pandas as pd
import psycopg

from benchmarks import measure
from chalicelib.adapters.concerts.warehouse import ConcertWarehouse, ranking_statement
from chalicelib.adapters.redshift import RedshiftData
from chalicelib.concerts.values import Criteria
from local.redshift.api import DataApi
from local.redshift.dialect import for_postgres
from local.redshift.server import RedshiftServer, own_engine, with_database
from local.redshift.statements import Statements
from local.season.engine import load_into_engine
from local.season.generator import generate

TODAY = date(2026, 11, 21)
SINCE = TODAY - timedelta(days=3650)
MIN_EVENTS, TOP_N = 5, 10
WEIGHTS = {
    "total_events": 0.15,
    "avg_attendance": 0.10,
    "attendance_rate": 0.20,
    "total_revenue": 0.10,
    "revenue_per_event": 0.15,
    "booking_frequency": 0.15,
    "capacity": 0.05,
    "type_demand": 0.02,
    "city_events": 0.03,
    "artists": 0.03,
    "repeat_booking": 0.02,
}
EVENTS = """
    SELECT c.concert_id, c.artist_id, c.venue_id, c.event_date, c.total_attendance, c.revenue,
           v.capacity, v.venue_type, v.city, v.country
    FROM concerts c JOIN venues v ON v.venue_id = c.venue_id
    WHERE c.status = 'completed' AND c.event_date >= %s AND c.event_date < %s
"""
SALES = "SELECT concert_id, total_amount FROM ticket_sales"


def by_statement(connection: "psycopg.Connection[Any]") -> list[str]:
    """The shipped statement."""
    parameters = {"since": str(SINCE), "until": str(TODAY), "min_events": str(MIN_EVENTS), "top_n": str(TOP_N)}
    sql = for_postgres(ranking_statement("1 = 1", "score DESC"), parameters).encode()
    return [row[1] for row in connection.execute(sql, parameters).fetchall()]


def by_python(connection: "psycopg.Connection[Any]") -> list[str]:
    """Rows fetched, ranked in Python."""
    events = connection.execute(EVENTS, [SINCE, TODAY]).fetchall()
    sold: dict[str, float] = defaultdict(float)
    for concert_id, amount in connection.execute(SALES):
        sold[concert_id] += float(amount)
    venues: dict[str, list[Any]] = defaultdict(list)
    types: dict[str, list[float]] = defaultdict(list)
    cities: dict[tuple[str, str], int] = defaultdict(int)
    for event in events:
        rate = min(event[4] / event[6], 1.0)
        venues[event[2]].append((event, rate))
        types[event[7]].append(rate)
        cities[event[9], event[8]] += 1
    found = []
    for venue_id, own in venues.items():
        if len(own) < MIN_EVENTS:
            continue
        visits: dict[str, int] = defaultdict(int)
        for event, _ in own:
            visits[event[1]] += 1
        some = own[0][0]
        revenue = sum(sold.get(event[0], float(event[5])) for event, _ in own)
        found.append(
            {
                "venue_id": venue_id,
                "total_events": len(own),
                "avg_attendance": sum(event[4] for event, _ in own) / len(own),
                "attendance_rate": sum(rate for _, rate in own) / len(own),
                "total_revenue": revenue,
                "revenue_per_event": revenue / len(own),
                "booking_frequency": len(own) * 30 / (TODAY - SINCE).days,
                "capacity": some[6],
                "type_demand": sum(types[some[7]]) / len(types[some[7]]),
                "city_events": cities[some[9], some[8]],
                "artists": len(visits),
                "repeat_booking": sum(n for n in visits.values() if n > 1) / len(own),
            }
        )
    highest = {name: max(row[name] for row in found) for name in WEIGHTS}
    for row in found:
        row["score"] = round(sum(weight * row[name] / highest[name] for name, weight in WEIGHTS.items()), 6)
    return [row["venue_id"] for row in sorted(found, key=lambda row: (-row["score"], row["venue_id"]))[:TOP_N]]


def by_pandas(connection: "psycopg.Connection[Any]") -> list[str]:
    """Rows fetched, ranked in pandas."""
    with connection.cursor() as cursor:
        rows = cursor.execute(EVENTS, [SINCE, TODAY]).fetchall()
        events = pd.DataFrame(rows, columns=[column.name for column in cursor.description or ()])
        sales = pd.DataFrame(cursor.execute(SALES).fetchall(), columns=["concert_id", "amount"])
    sales["amount"] = sales["amount"].astype(float)
    events = events.merge(sales.groupby("concert_id")["amount"].sum().reset_index(), how="left", on="concert_id")
    events["amount"] = events["amount"].fillna(events["revenue"].astype(float))
    events["rate"] = (events["total_attendance"] / events["capacity"]).clip(upper=1.0)
    visits = events.groupby(["venue_id", "artist_id"]).size().reset_index(name="visits")
    visits["again"] = visits["visits"].where(visits["visits"] > 1, 0)
    per_venue = visits.groupby("venue_id").agg(artists=("visits", "size"), again=("again", "sum"))
    figures = events.groupby("venue_id").agg(
        total_events=("concert_id", "size"),
        avg_attendance=("total_attendance", "mean"),
        attendance_rate=("rate", "mean"),
        total_revenue=("amount", "sum"),
        capacity=("capacity", "first"),
        venue_type=("venue_type", "first"),
        city=("city", "first"),
        country=("country", "first"),
    )
    figures = figures[figures["total_events"] >= MIN_EVENTS].join(per_venue)
    figures["revenue_per_event"] = figures["total_revenue"] / figures["total_events"]
    figures["booking_frequency"] = figures["total_events"] * 30 / (TODAY - SINCE).days
    figures["type_demand"] = figures["venue_type"].map(events.groupby("venue_type")["rate"].mean())
    cities = events.groupby(["country", "city"]).size()
    figures["city_events"] = [cities[key] for key in zip(figures["country"], figures["city"], strict=True)]
    figures["repeat_booking"] = figures["again"] / figures["total_events"]
    score = sum(weight * figures[name] / figures[name].max() for name, weight in WEIGHTS.items())
    figures["score"] = pd.Series(score, index=figures.index).round(6)
    ranked = figures.reset_index().sort_values(["score", "venue_id"], ascending=[False, True])
    return list(ranked["venue_id"][:TOP_N])


def through_the_data_api(server: RedshiftServer) -> Callable[[], list[str]]:
    """The shipped statement by the shipped adapter."""
    client = boto3.client(
        "redshift-data",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    target = {"WorkgroupName": "omnibus", "Database": "omnibus"}
    warehouse = ConcertWarehouse(RedshiftData(client, target, budget_s=120), fresh_for_s=0)
    criteria = Criteria(since=SINCE, until=TODAY)
    asked: dict[str, Any] = {"min_events": MIN_EVENTS, "top_n": TOP_N, "order_by": "popularity", "least_first": False}
    return lambda: [venue.venue_id for venue in warehouse.popular_venues(criteria, **asked)]


def main() -> None:
    """Measure and print."""
    arguments = measure.arguments(__doc__, sizes=[1_000_000])
    report = measure.Report("popularity")
    with tempfile.TemporaryDirectory(prefix="omnibus-bench-") as folder, own_engine(Path(folder)) as engine:
        url = with_database(engine, "omnibus")
        for size in arguments.sizes:
            load_into_engine(generate(size, today=TODAY), url)
            with (
                psycopg.connect(url, autocommit=True) as connection,
                RedshiftServer(DataApi(Statements(url))) as server,
            ):
                cases: dict[str, Callable[[], list[str]]] = {
                    "one statement": lambda connection=connection: by_statement(connection),  # type: ignore[misc]
                    "one statement through the Data API": through_the_data_api(server),
                    "rows fetched, ranked in Python": lambda connection=connection: by_python(connection),  # type: ignore[misc]
                    "rows fetched, ranked in pandas": lambda connection=connection: by_pandas(connection),  # type: ignore[misc]
                }
                answers = {name: case() for name, case in cases.items()}
                if len({tuple(answer) for answer in answers.values()}) != 1:
                    raise SystemExit(f"the ways disagree: {answers}")
                report.compare(f"{size:,} sales", cases, ours="one statement", rounds=3)
    report.show(arguments.json)


if __name__ == "__main__":
    main()
