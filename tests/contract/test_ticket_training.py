"""The training of the ticket model, on a small season in the warehouse: an honest split, a repeatable result."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.adapters.concerts.ticket_artifact import ArtifactTicketModel
from chalicelib.adapters.redshift import RedshiftData
from chalicelib.concerts.features import LOOKBACK_DAYS, TICKET_FEATURES
from local.redshift.server import with_database
from local.season.engine import load_into_engine
from local.season.generator import generate
from local.season.train import TEST_DAYS, cases_in, report, split, train, venue_means
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
    assert min(leads) >= 30
    assert max(leads) <= 30 * 5 + 31
    assert max(leads) - min(leads) > 60, "concerts are seen from near and from far"
    assert LOOKBACK_DAYS == 730


def test_nothing_that_is_judged_was_learnt(redshift: RedshiftData) -> None:
    learnt, judged = split(cases_in(redshift))
    assert learnt
    assert judged
    border = max(case.outlook.event_date for case in learnt)
    assert border < min(case.outlook.event_date for case in judged)
    assert max(case.outlook.event_date for case in judged) - border >= timedelta(days=TEST_DAYS)


def test_the_baseline_is_each_venues_mean(redshift: RedshiftData) -> None:
    learnt, judged = split(cases_in(redshift))
    means = venue_means(learnt, judged)
    venue = judged[0].venue
    own = [case.revenue for case in learnt if case.venue == venue]
    assert own
    assert means[0] == pytest.approx(sum(own) / len(own))


def test_the_same_season_gives_the_same_model_and_it_beats_the_baseline(redshift: RedshiftData, tmp_path: Path) -> None:
    first = train(redshift, tmp_path / "first")
    second = train(redshift, tmp_path / "second")
    assert {**first, "sha256": ""} == {**second, "sha256": ""}
    assert first["model"]["mae"] < first["baseline_venue_mean"]["mae"]
    assert "mean of the venue" in report(first)
    row = [[float(number) for number in range(1, len(TICKET_FEATURES) + 1)]]
    one, other = (ArtifactTicketModel(tmp_path / name).estimate(row) for name in ("first", "second"))
    assert one == other
