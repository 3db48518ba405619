"""Train the ticket-sales model and save it with its encoder and its measured errors: `make train-tickets`.

    python -m local.season.train

Without `--warehouse`, it creates its own: an engine behind the Data API, and generated seasons with fixed seeds and a
fixed day, which always give the same model. It learns from LEARNT seasons, measures errors on CALIBRATED ones, and is
evaluated on JUDGED ones, with unseen artists and venues. A warehouse with one season is split by time instead.
`concerts/sql/features.sql` computes the features, with each concert seen from up to nine months ahead.

New artists, new venues and concerts without known prices are rare in a season but common in practice. Each case is
therefore learnt once as it was and once with some of these hidden, and errors are measured with each hidden.
"""

import argparse
import hashlib
import itertools
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED

import numpy as np
import sklearn
import skops.io
from msgspec import structs
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import r2_score
from sklearn.preprocessing import OrdinalEncoder

from chalicelib.adapters.concerts.ticket_artifact import ARTIFACT, MANIFEST, MODEL_FOLDER
from chalicelib.adapters.concerts.warehouse import outlook_of
from chalicelib.adapters.redshift import RedshiftData, Row
from chalicelib.concerts import sql as concert_sql
from chalicelib.concerts.features import FORECAST_GAPS, band_of, confidence_level, ticket_features_of, vector
from chalicelib.concerts.models import TICKET_FEATURES, TicketFeatures
from chalicelib.concerts.values import ConcertOutlook
from local.season.generator import generate

SEED = 20_26
LEARNT, CALIBRATED, JUDGED = (SEED, 11), (12, 13), (21, 22, 23)
"""Seeds of the seasons for learning, for measuring errors, and for evaluation."""
SEASON_DAY = date(2026, 11, 1)
SEASON_SALES = 100_000
CUT_DAYS = 180
LEVEL = 0.8
HIDDEN = [(), *(names for size in (1, 2, 3) for names in itertools.combinations(FORECAST_GAPS, size))]
"""Features of a case that may be hidden, by the names in FORECAST_GAPS."""


@dataclass(frozen=True)
class Case:
    """One completed concert as known beforehand, and its takings."""

    outlook: ConcertOutlook
    revenue: float


def cases_in(redshift: RedshiftData) -> list[Case]:
    """Every completed concert in the warehouse with reported takings."""
    sql = concert_sql.text("features").replace("{targets}", concert_sql.text("targets_training"))
    return [Case(outlook_of(row), float(str(row["revenue"]))) for row in redshift.rows(sql) if _was_reported(row)]


def _was_reported(row: Row) -> bool:
    return row["revenue"] is not None


def split(cases: Sequence[Case]) -> tuple[list[Case], list[Case], list[Case]]:
    """Cases for learning, later ones for measuring errors, and the latest for evaluation."""
    last = max(case.outlook.event_date for case in cases)
    borders = (last - timedelta(days=2 * CUT_DAYS), last - timedelta(days=CUT_DAYS))
    parts: tuple[list[Case], list[Case], list[Case]] = ([], [], [])
    for case in cases:
        parts[sum(case.outlook.event_date > border for border in borders)].append(case)
    return parts


def fit_encoder(cases: Sequence[Case]) -> OrdinalEncoder:
    """The encoder of venue types; unseen types become -1."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return encoder.fit(np.array([[case.outlook.venue_type] for case in cases], dtype=object))


def features_in(cases: Sequence[Case], encoder: OrdinalEncoder) -> list[TicketFeatures]:
    """The features of each case."""
    venue_types = list(encoder.categories_[0])
    return [ticket_features_of(case.outlook, venue_types) for case in cases]


def without(features: TicketFeatures, hidden: Sequence[str]) -> TicketFeatures:
    """The features of the same concert with the hidden ones unknown."""
    changes: dict[str, Any] = {name: None for what in hidden for name in FORECAST_GAPS[what]}
    if "artist history" in hidden:
        changes["artist_total_concerts"] = 0
    return structs.replace(features, **changes)


def fit_model(features: Sequence[TicketFeatures], revenue: "np.ndarray[Any, Any]") -> HistGradientBoostingRegressor:
    """Gradient boosting with a log link: revenue is positive and its errors are proportional."""
    random = np.random.default_rng(SEED)
    veiled = [
        without(one, HIDDEN[choice])
        for one, choice in zip(features, random.integers(1, len(HIDDEN), len(features)), strict=True)
    ]
    model = HistGradientBoostingRegressor(
        loss="gamma", max_iter=260, learning_rate=0.06, max_leaf_nodes=15, min_samples_leaf=20, random_state=SEED
    )
    taken = np.maximum(revenue, 1.0)
    return model.fit(np.array([vector(one) for one in (*features, *veiled)]), np.concatenate([taken, taken]))


@dataclass(frozen=True)
class Judged:
    """Cases with the model's answers: each case as it was, and with each thing hidden."""

    features: list[TicketFeatures]
    taken: "np.ndarray[Any, Any]"
    predicted: "np.ndarray[Any, Any]"
    whole: int
    """Number of unmodified cases, which come first."""

    @classmethod
    def of(cls, cases: Sequence[Case], encoder: OrdinalEncoder, model: HistGradientBoostingRegressor) -> "Judged":
        known = features_in(cases, encoder)
        features = [without(one, hidden) for hidden in HIDDEN for one in known]
        taken = np.tile(np.array([case.revenue for case in cases]), len(HIDDEN))
        return cls(features, taken, model.predict(np.array([vector(one) for one in features])), len(known))

    def by(self, name: Any) -> Mapping[str, "np.ndarray[Any, Any]"]:
        """Indexes of the cases, grouped by the name that `name` gives their features."""
        places: dict[str, list[int]] = defaultdict(list)
        for place, features in enumerate(self.features):
            places[name(features)].append(place)
        return {key: np.array(found) for key, found in sorted(places.items())}

    def covered(self, bands: Mapping[str, Mapping[str, float]]) -> "np.ndarray[Any, Any]":
        """Whether each case's takings are in its band's interval."""
        factors = np.array([(bands[band_of(one)]["low"], bands[band_of(one)]["high"]) for one in self.features])
        inside: np.ndarray[Any, Any] = (self.taken >= self.predicted * factors[:, 0]) & (
            self.taken <= self.predicted * factors[:, 1]
        )
        return inside


def bands_of(calibrated: Judged) -> dict[str, dict[str, float]]:
    """For each band, the factors of the model's answer between which LEVEL of the takings lie."""
    ratios = calibrated.taken / calibrated.predicted
    tail = (1 - LEVEL) / 2
    return {
        band: {
            "low": round(float(np.quantile(ratios[places], tail)), 4),
            "high": round(float(np.quantile(ratios[places], 1 - tail)), 4),
        }
        for band, places in calibrated.by(band_of).items()
    }


def scores(taken: "np.ndarray[Any, Any]", predicted: "np.ndarray[Any, Any]") -> dict[str, float]:
    """The median of the errors as shares of the takings, and R2."""
    errors = np.abs(predicted - taken) / np.maximum(taken, 1.0)
    return {"median_error": round(float(np.median(errors)), 4), "r2": round(float(r2_score(taken, predicted)), 4)}


def baseline(features: Sequence[TicketFeatures], name: str) -> "np.ndarray[Any, Any]":
    """A mean from the features as the forecast, or the overall mean if a case has none."""
    means = np.array([np.nan if getattr(one, name) is None else getattr(one, name) for one in features])
    return np.where(np.isnan(means), np.nanmean(means), means)


def judgement(judged: Judged, bands: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The model's scores on one season, next to both baselines, and by level of confidence."""
    known = judged.features[: judged.whole]
    taken = judged.taken[: judged.whole]
    covered = judged.covered(bands)
    return {
        "concerts": judged.whole,
        "model": scores(taken, judged.predicted[: judged.whole]),
        "venue_mean": scores(taken, baseline(known, "historical_avg_sales")),
        "artist_mean": scores(taken, baseline(known, "artist_avg_revenue")),
        "levels": {
            level: {
                **scores(judged.taken[places], judged.predicted[places]),
                "bias": round(float(judged.predicted[places].sum() / judged.taken[places].sum()) - 1, 4),
                "coverage": round(float(covered[places].mean()), 4),
            }
            for level, places in judged.by(confidence_level).items()
        },
    }


def train(
    learnt: Sequence[Case], calibrated: Sequence[Case], judged: Mapping[str, Sequence[Case]], folder: Path
) -> dict[str, Any]:
    """Fit, measure, evaluate and save; return the manifest."""
    encoder = fit_encoder(learnt)
    model = fit_model(features_in(learnt, encoder), np.array([case.revenue for case in learnt]))
    bands = bands_of(Judged.of(calibrated, encoder, model))
    seasons = {name: Judged.of(cases, encoder, model) for name, cases in judged.items()}
    for name, band in bands.items():
        inside = [
            judgement.covered(bands)[places[name]]
            for judgement in seasons.values()
            if name in (places := judgement.by(band_of))
        ]
        band["measured"] = round(float(np.concatenate(inside).mean()), 4) if inside else LEVEL
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
        "interval": {"level": LEVEL, "bands": bands},
        "judged_by": {name: judgement(season, bands) for name, season in seasons.items()},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def report(manifest: dict[str, Any]) -> str:
    """The manifest's scores as readable text."""
    lines = [
        f"ticket_sales {manifest['version']}, learnt from {manifest['learnt_from']['concerts']:,} concerts",
        f"{'':34}{'median error':>14}{'R2':>9}{'bias':>9}{'in 80 %':>9}",
    ]
    for name, season in manifest["judged_by"].items():
        for label, key in (
            ("model", "model"),
            ("mean of the venue", "venue_mean"),
            ("mean of the artist", "artist_mean"),
        ):
            lines.append(f"{name + ': ' + label:34}{season[key]['median_error']:>14.1%}{season[key]['r2']:>9.3f}")
        for level, found in season["levels"].items():
            lines.append(
                f"{name + ': confidence ' + level:34}{found['median_error']:>14.1%}{found['r2']:>9.3f}"
                f"{found['bias']:>9.1%}{found['coverage']:>9.1%}"
            )
    return "\n".join(lines)


def seasons_of(stack: ExitStack, seeds: Sequence[int], sales: int) -> Iterator[list[Case]]:
    """The cases of each seed's season, one after the other through one warehouse of our own."""
    import boto3

    from local.redshift.api import DataApi
    from local.redshift.server import RedshiftServer, own_engine, with_database
    from local.redshift.statements import Statements
    from local.season.engine import load_into_engine

    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="omnibus-train-"))
    database = with_database(stack.enter_context(own_engine(Path(folder))), "omnibus")
    server = stack.enter_context(RedshiftServer(DataApi(Statements(database))))
    client = boto3.client(
        "redshift-data",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # nosec B106  # of an emulator
    )
    redshift = RedshiftData(client, {"WorkgroupName": "omnibus", "Database": "omnibus"}, budget_s=600)
    for seed in seeds:
        print(f"season {seed}", file=sys.stderr)
        load_into_engine(generate(sales, today=SEASON_DAY, seed=seed), database)
        yield cases_in(redshift)


def main() -> None:
    """Train and print the report."""
    parser = argparse.ArgumentParser(description="Train the ticket-sales model")
    parser.add_argument("--warehouse", action="store_true", help="learn from the warehouse of the environment")
    parser.add_argument("--sales", type=int, default=SEASON_SALES, help="size of each generated season")
    parser.add_argument("--folder", type=Path, default=MODEL_FOLDER)
    options = parser.parse_args()
    with ExitStack() as stack:
        if options.warehouse:
            from chalicelib.wiring import bootstrap

            learnt, calibrated, latest = split(cases_in(bootstrap().concerts.loading))
            judged = {f"the last {CUT_DAYS} days": latest}
        else:
            seasons = iter(seasons_of(stack, (*LEARNT, *CALIBRATED, *JUDGED), options.sales))
            learnt = [case for _ in LEARNT for case in next(seasons)]
            calibrated = [case for _ in CALIBRATED for case in next(seasons)]
            judged = {f"season {seed}": next(seasons) for seed in JUDGED}
        print("training", file=sys.stderr)
        print(report(train(learnt, calibrated, judged, options.folder)))


if __name__ == "__main__":
    main()
