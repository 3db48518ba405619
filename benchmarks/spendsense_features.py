"""SpendSense's features: one set-based statement against pandas and against SQL for each person.

The whole population is computed by our statement, batch by batch, as the job does. The peers are measured on samples
of people and multiplied to the population, since their cost is per person; the labels say so. pandas: rows fetched from
PostgreSQL into a DataFrame, then `groupby("user_id").apply` of the same features, then written back. SQL for each
person: the same statement, prepared, for one person at a time in one transaction. Ours and pandas agree on the sample,
or the benchmark stops.

The ordinary night: a run that finds only some people with new rows.
"""

import io
import sys
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import pandas as pd

from benchmarks import measure
from benchmarks.spendsense_pandas import features_by_person
from benchmarks.spendsense_population import NOW, TODAY, dropped, populated
from chalicelib.adapters.postgres import Cursor, Postgres
from chalicelib.adapters.spendsense.pipeline import BATCH_SETTINGS, PostgresPipeline
from chalicelib.spendsense import sql
from chalicelib.spendsense.catalogue import packaged_catalogue
from chalicelib.spendsense.jobs import BATCH
from chalicelib.spendsense.orders import JobOrder
from local.people.load import FixedUrl

ROWS_EACH = 500
SAMPLE = 200
NIGHTS = (0.001, 0.01, 0.1)
ROUNDS = 3

ROWS = """
COPY (
    SELECT
        t.user_id, t.account_id, t.merchant_id, t.posted_on, t.amount_cents, c.flow, a.subtype
    FROM spendsense.transactions t
    JOIN spendsense.accounts a USING (user_id, account_id)
    JOIN spendsense.categories c USING (category_id)
    WHERE t.user_id <= {people} AND NOT t.pending AND t.posted_on > DATE '{today}' - 558 AND t.posted_on <= '{today}'
) TO STDOUT WITH (FORMAT csv, HEADER)
"""
ACCOUNTS = """
COPY (
    SELECT a.user_id, a.subtype, a.current_cents, a.limit_cents, l.is_overdue
    FROM spendsense.accounts a LEFT JOIN spendsense.liabilities l USING (user_id, account_id)
    WHERE a.user_id <= {people}
) TO STDOUT WITH (FORMAT csv, HEADER)
"""
AGREED = (
    "transactions",
    "spend_cents",
    "monthly_expenses_cents",
    "recurring_merchants",
    "recurring_spend_cents",
    "monthly_recurring_cents",
    "savings_inflow_cents",
    "monthly_savings_inflow_cents",
    "monthly_income_cents",
    "interest_cents",
    "cards_at_50",
    "overdue_cards",
    "pay_dates",
    "savings_balance_cents",
)
NEW_ROWS = """
UPDATE spendsense.standings SET features_due = true WHERE user_id %% %(every)s = 0
"""
EVERYBODY = "UPDATE spendsense.standings SET features_due = true"
FORGET = "TRUNCATE spendsense.computed_features"


class Population:
    """The people, and the ways of computing them."""

    def __init__(self, url: str, people: int) -> None:
        self.database = Postgres(FixedUrl(url), statement_timeout_ms=3_600_000)
        self.people = people
        self._pipeline = PostgresPipeline(self.database, packaged_catalogue())
        self._runs = 0

    def execute(self, text: str, **parameters: Any) -> Any:
        """Run a statement, and commit."""
        return self.database.run(lambda cursor: cursor.execute(text, parameters).rowcount)

    def compute_due(self) -> int:
        """What the job does, until nobody is due."""
        self._runs += 1
        order = JobOrder(f"run {self._runs}", TODAY + timedelta(days=self._runs % 2))
        self._pipeline.begin("compute_features", order, NOW)
        done = 0
        while batch := self._pipeline.advance("compute_features", order, BATCH["compute_features"], NOW):
            done += batch
        return done

    def compute_all(self) -> None:
        """Everybody anew."""
        self.execute(FORGET)
        self.execute(EVERYBODY)
        self.compute_due()

    def one_by_one(self, sample: int) -> None:
        """The same statement for one person at a time."""

        def each(cursor: Cursor) -> None:
            cursor.connection.prepare_threshold = 0
            for user in range(1, sample + 1):
                parameters = {"users": [user], "as_of": TODAY}
                cursor.execute(sql.text("compute_features"), parameters).fetchall()
            cursor.connection.prepare_threshold = None

        self.execute(FORGET)
        # One person needs no protection from nested loops, so the peer is spared it.
        self.database.run(each, settings={**BATCH_SETTINGS, "enable_nestloop": "on", "enable_mergejoin": "on"})

    def by_pandas(self, sample: int) -> pd.DataFrame:
        """Fetch, group and apply, write back."""
        rows = self._fetched(ROWS.format(people=sample, today=TODAY))
        accounts = self._fetched(ACCOUNTS.format(people=sample))
        found = features_by_person(rows, accounts, pd.Timestamp(TODAY))

        def write(cursor: Cursor) -> None:
            columns = ", ".join(found.columns)
            cursor.execute(
                f"CREATE TEMP TABLE by_pandas ON COMMIT DROP AS "
                f"SELECT {columns} FROM spendsense.computed_features WITH NO DATA"
            )
            with cursor.copy(f"COPY by_pandas ({columns}) FROM STDIN WITH (FORMAT csv)") as copy:
                copy.write(found.to_csv(index=False, header=False))

        self.database.run(write)
        return found

    def agree(self, sample: int) -> None:
        """RuntimeError unless the last full computation says what pandas says."""
        found = self.by_pandas(sample).set_index(["user_id", "window_days"]).sort_index()
        text = f"SELECT user_id, window_days, {', '.join(AGREED)} FROM spendsense.computed_features WHERE user_id <= %s"
        ours = self.database.run(lambda cursor: cursor.execute(text, [sample]).fetchall())
        for row in ours:
            theirs = found.loc[(row.user_id, row.window_days)]
            for name in AGREED:
                if int(getattr(row, name)) != int(theirs[name]):
                    raise RuntimeError(f"user {row.user_id}, {row.window_days} days: {name} differs")

    def _fetched(self, query: str) -> pd.DataFrame:
        def fetch(cursor: Cursor) -> bytes:
            with cursor.copy(query.encode()) as copy:
                return b"".join(bytes(part) for part in copy)

        content = io.BytesIO(self.database.run(fetch))
        dates = ["posted_on"] if "posted_on" in query else []
        return pd.read_csv(content, parse_dates=dates)


def main() -> None:
    """Compare on populations of the given sizes."""
    arguments = measure.arguments(__doc__, sizes=[10_000])
    report = measure.Report("spendsense_features")
    for people in arguments.sizes:
        url = populated(people, ROWS_EACH)
        population = Population(url, people)
        with closing(population.database):
            _compare(report, population)
            _nights(report, population)
        dropped(url)
    report.show(arguments.json)


def _compare(report: measure.Report, population: Population) -> None:
    people, sample = population.people, min(SAMPLE, population.people)
    label = f"{people:,} people x {ROWS_EACH}"
    population.execute(EVERYBODY)
    population.execute(FORGET)
    order = JobOrder("agreement", TODAY)
    pipeline = PostgresPipeline(population.database, packaged_catalogue())
    pipeline.begin("compute_features", order, NOW)
    while pipeline.advance("compute_features", order, BATCH["compute_features"], NOW):
        pass
    population.agree(sample)
    peers = {
        f"pandas groupby.apply, of {sample} people": lambda: population.by_pandas(sample),
        f"SQL for each person, of {sample} people": lambda: population.one_by_one(sample),
    }
    medians = measure.interleaved({"ours": population.compute_all, **peers}, ROUNDS)
    report.medians[f"{label}: one statement"] = round(medians.pop("ours"), 1)
    for name, median in medians.items():
        whole = median * people / sample
        report.medians[f"{label}: {name}, multiplied"] = round(whole, 1)
        report.ratios[f"{label}: {name}, multiplied"] = round(whole / report.medians[f"{label}: one statement"], 2)


def _nights(report: measure.Report, population: Population) -> None:
    """Runs after which only a share of the people has new rows; each ratio is to the full run's time."""
    population.compute_all()
    whole = report.medians[f"{population.people:,} people x {ROWS_EACH}: one statement"]
    for share in NIGHTS:
        times = []
        for _ in range(ROUNDS):
            count = population.execute(NEW_ROWS, every=round(1 / share))
            started = time.perf_counter()
            done = population.compute_due()
            times.append(1000 * (time.perf_counter() - started))
            if done != count:
                raise RuntimeError(f"{done} people computed, {count} were due")
        median = sorted(times)[len(times) // 2]
        label = (
            f"{population.people:,} people x {ROWS_EACH}: a night with new rows of {share:.1%} (ratio: to the full run)"
        )
        report.medians[label] = round(median, 1)
        report.ratios[label] = round(median / whole, 4)


if __name__ == "__main__":
    main()
