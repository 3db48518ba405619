"""Train the ticket-sales model and save it with its encoder: `make train-tickets`.

    python -m local.season.train

Without `--warehouse` it makes its own: an engine, the Data API before it, a generated season of a fixed seed and day.
So the same command learns the same model. Features are those of `concerts/sql/features.sql`, each concert seen from
the first of a month, one to five months ahead. Concerts of the last 180 days are the test; nothing of them is learnt.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED

import numpy as np
import sklearn
import skops.io
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.preprocessing import OrdinalEncoder

from chalicelib.adapters.concerts.ticket_artifact import ARTIFACT, MANIFEST, MODEL_FOLDER
from chalicelib.adapters.concerts.warehouse import outlook_of
from chalicelib.adapters.redshift import RedshiftData, Row
from chalicelib.concerts import sql as concert_sql
from chalicelib.concerts.features import features_of, vector
from chalicelib.concerts.models import TICKET_FEATURES
from chalicelib.concerts.values import ConcertOutlook
from local.season.generator import generate

SEED = 20_26
SEASON_DAY = date(2026, 11, 1)
SEASON_SALES = 200_000
TEST_DAYS = 180


@dataclass(frozen=True)
class Case:
    """One completed concert as it was known before, and what it took."""

    outlook: ConcertOutlook
    venue: str
    revenue: float


@dataclass(frozen=True)
class Scores:
    """How far predictions are from what was taken: mean absolute error in money, and R2."""

    mae: float
    r2: float

    @classmethod
    def of(cls, taken: "np.ndarray[Any, Any]", predicted: "np.ndarray[Any, Any]") -> "Scores":
        return cls(round(float(mean_absolute_error(taken, predicted)), 2), round(float(r2_score(taken, predicted)), 4))


def cases_in(redshift: RedshiftData) -> list[Case]:
    """Every completed concert of the warehouse that had a history to be predicted from."""
    sql = concert_sql.text("features").replace("{targets}", concert_sql.text("targets_training"))
    return [_case(row) for row in redshift.rows(sql) if row["revenue"] is not None and row["venue_total_concerts"]]


def split(cases: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """Cases to learn from and later ones to be judged by."""
    border = max(case.outlook.event_date for case in cases) - timedelta(days=TEST_DAYS)
    learnt = [case for case in cases if case.outlook.event_date <= border]
    judged = [case for case in cases if case.outlook.event_date > border]
    return learnt, judged


def fit_encoder(cases: Sequence[Case]) -> OrdinalEncoder:
    """The encoder of venue types; -1 stands for those that it never saw."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return encoder.fit(np.array([[case.outlook.venue_type] for case in cases], dtype=object))


def matrix(cases: Sequence[Case], encoder: OrdinalEncoder) -> "np.ndarray[Any, Any]":
    """One row of features for each case, in the model's order."""
    venue_types = list(encoder.categories_[0])
    return np.array([vector(features_of(case.outlook, venue_types)) for case in cases])


def fit_model(features: "np.ndarray[Any, Any]", revenue: "np.ndarray[Any, Any]") -> HistGradientBoostingRegressor:
    """Gradient boosting with a log link: revenue is positive and its errors are proportional."""
    model = HistGradientBoostingRegressor(
        loss="gamma", max_iter=220, learning_rate=0.06, max_leaf_nodes=15, min_samples_leaf=20, random_state=SEED
    )
    return model.fit(features, np.maximum(revenue, 1.0))


def venue_means(learnt: Sequence[Case], judged: Sequence[Case]) -> "np.ndarray[Any, Any]":
    """The baseline: each venue's mean revenue so far, or everyone's where it has none."""
    by_venue: dict[str, list[float]] = defaultdict(list)
    for case in learnt:
        by_venue[case.venue].append(case.revenue)
    overall = float(np.mean([case.revenue for case in learnt]))
    return np.array([np.mean(by_venue[case.venue]) if case.venue in by_venue else overall for case in judged])


def train(redshift: RedshiftData, folder: Path) -> dict[str, Any]:
    """Fit, judge and save; the manifest that was written."""
    learnt, judged = split(cases_in(redshift))
    encoder = fit_encoder(learnt)
    revenue = np.array([case.revenue for case in learnt])
    model = fit_model(matrix(learnt, encoder), revenue)
    taken = np.array([case.revenue for case in judged])
    scores = Scores.of(taken, model.predict(matrix(judged, encoder)))
    baseline = Scores.of(taken, venue_means(learnt, judged))
    version = f"{SEASON_DAY:%Y.%m}-{len(learnt)}"
    folder.mkdir(parents=True, exist_ok=True)
    bundle = {"model": model, "encoder": encoder, "features": list(TICKET_FEATURES), "version": version}
    skops.io.dump(bundle, folder / ARTIFACT, compression=ZIP_DEFLATED, compresslevel=9)
    manifest = {
        "name": "ticket_sales",
        "version": version,
        "sha256": hashlib.sha256((folder / ARTIFACT).read_bytes()).hexdigest(),
        "features": list(TICKET_FEATURES),
        "venue_types": [str(name) for name in encoder.categories_[0]],
        "target": "revenue",
        "seed": SEED,
        "scikit_learn": sklearn.__version__,
        "learnt_from": {"concerts": len(learnt), "until": str(max(case.outlook.event_date for case in learnt))},
        "judged_by": {"concerts": len(judged), "from": str(min(case.outlook.event_date for case in judged))},
        "model": {"mae": scores.mae, "r2": scores.r2},
        "baseline_venue_mean": {"mae": baseline.mae, "r2": baseline.r2},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def report(manifest: dict[str, Any]) -> str:
    """The manifest's scores, to be read."""
    model, baseline = manifest["model"], manifest["baseline_venue_mean"]
    return "\n".join(
        [
            f"ticket_sales {manifest['version']}",
            f"learnt from {manifest['learnt_from']['concerts']:,} concerts until {manifest['learnt_from']['until']},"
            f" judged by {manifest['judged_by']['concerts']:,} later ones",
            f"{'':24}{'MAE':>14}{'R2':>9}",
            f"{'model':24}{model['mae']:>14,.0f}{model['r2']:>9.3f}",
            f"{'mean of the venue':24}{baseline['mae']:>14,.0f}{baseline['r2']:>9.3f}",
            f"error against the baseline's: {model['mae'] / baseline['mae']:.0%}",
        ]
    )


def _case(row: Row) -> Case:
    outlook = outlook_of(row)
    return Case(outlook, f"{outlook.venue_name}, {outlook.city}", float(str(row["revenue"])))


def _own_warehouse(stack: ExitStack, sales: int) -> RedshiftData:
    import boto3

    from local.redshift.api import DataApi
    from local.redshift.server import RedshiftServer, own_engine, with_database
    from local.redshift.statements import Statements
    from local.season.load import create_schema, load_by_inserts, show_progress

    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="omnibus-train-"))
    statements = Statements(with_database(stack.enter_context(own_engine(Path(folder))), "omnibus"))
    server = stack.enter_context(RedshiftServer(DataApi(statements)))
    client = boto3.client(
        "redshift-data",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # nosec B106  # of an emulator
    )
    redshift = RedshiftData(client, {"WorkgroupName": "omnibus", "Database": "omnibus"}, budget_s=600)
    create_schema(redshift)
    load_by_inserts(generate(sales, today=SEASON_DAY, seed=SEED), redshift, show_progress)
    return redshift


def main() -> None:
    """Train and print the report."""
    parser = argparse.ArgumentParser(description="Train the ticket-sales model")
    parser.add_argument("--warehouse", action="store_true", help="learn from the warehouse of the environment")
    parser.add_argument("--sales", type=int, default=SEASON_SALES, help="size of the generated season")
    parser.add_argument("--folder", type=Path, default=MODEL_FOLDER)
    options = parser.parse_args()
    with ExitStack() as stack:
        if options.warehouse:
            from chalicelib.wiring import bootstrap

            redshift = bootstrap().concerts.loading
        else:
            redshift = _own_warehouse(stack, options.sales)
        print("training", file=sys.stderr)
        print(report(train(redshift, options.folder)))


if __name__ == "__main__":
    main()
