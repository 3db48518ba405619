"""The training of the ticket model, on a small season in the warehouse: an honest split, a repeatable result."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.adapters.concerts.ticket_artifact import ArtifactTicketModel
from chalicelib.adapters.redshift import RedshiftData
from chalicelib.concerts.features import HORIZON_DAYS, LOOKBACK_DAYS
from chalicelib.concerts.models import TICKET_FEATURES
from local.redshift.server import with_database
from local.season.engine import load_into_engine
from local.season.generator import generate
from local.season.train import baseline, cases_in, features_in, fit_encoder, report, split, train
from tests.contract.warehouse import adapter, engine, served
from tests.fakes.season import TODAY
from tests.patience import PATIENCE_S


@pytest.fixture(scope="module")
def redshift() -> Iterator[RedshiftData]:
    load_into_engine(generate(20_000, today=TODAY, seed=3), with_database(engine(), "training"))
    with served("training") as server:
        yield adapter(server.url, budget_s=PATIENCE_S)


def test_each_case_is_seen_from_the_first_of_an_earlier_month(redshift: RedshiftData) -> None:
    cases = cases_in(redshift)
    assert len(cases) > 500
    leads = {(case.outlook.event_date - case.outlook.as_of).days for case in cases}
    assert all(case.outlook.as_of.day == 1 for case in cases)
    assert min(leads) == 0, "the model learns from the day itself"
    assert HORIZON_DAYS - 30 < max(leads) <= HORIZON_DAYS + 31
    assert LOOKBACK_DAYS == 730


def test_cases_without_a_history_are_learnt_from_too(redshift: RedshiftData) -> None:
    assert any(case.outlook.venue_total_concerts == 0 for case in cases_in(redshift))


def test_nothing_that_is_judged_was_learnt(redshift: RedshiftData) -> None:
    parts = split(cases_in(redshift))
    assert all(parts)
    days = [[case.outlook.event_date for case in part] for part in parts]
    assert max(days[0]) < min(days[1]) <= max(days[1]) < min(days[2])


def test_the_baseline_is_each_venues_mean(redshift: RedshiftData) -> None:
    learnt = split(cases_in(redshift))[0]
    features = features_in(learnt, fit_encoder(learnt))
    means = baseline(features, "historical_avg_sales")
    known = next(number for number, one in enumerate(features) if one.historical_avg_sales is not None)
    assert means[known] == features[known].historical_avg_sales


def test_the_same_season_gives_the_same_model_and_it_beats_the_baseline(redshift: RedshiftData, tmp_path: Path) -> None:
    learnt, calibrated, judged = split(cases_in(redshift))
    first = train(learnt, calibrated, {"last": judged}, tmp_path / "first")
    second = train(learnt, calibrated, {"last": judged}, tmp_path / "second")
    assert {**first, "sha256": ""} == {**second, "sha256": ""}
    season = first["judged_by"]["last"]
    assert season["model"]["median_error"] < season["venue_mean"]["median_error"]
    assert "mean of the artist" in report(first)
    row = [[float(number) for number in range(1, len(TICKET_FEATURES) + 1)]]
    one, other = (ArtifactTicketModel(tmp_path / name).estimate(row) for name in ("first", "second"))
    assert one == other
    unknown = ArtifactTicketModel(tmp_path / "first").estimate([[None, *row[0][1:]]])
    assert unknown.values[0] > 0
