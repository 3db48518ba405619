"""Forecasts: coverage by the formula, intervals and levels, models in order, concerts that cannot be predicted."""

import math
from decimal import Decimal

import pytest
from msgspec import structs

from chalicelib.adapters.concerts.ticket_artifact import error_bands, manifest
from chalicelib.concerts.features import FORECAST_GAPS, ticket_features_of, vector
from chalicelib.concerts.models import TICKET_FEATURES, TicketBatchQuery, TicketFeatures, TicketQuery
from chalicelib.concerts.tickets import coverage_parts
from chalicelib.errors import InvalidInput, NotFound, Unprocessable, UpstreamRejected, UpstreamUnavailable
from tests.fakes.concerts import ERROR_BANDS, FakeTicketModel
from tests.fakes.season import TODAY, VENUE_TYPES, ConcertWorld


@pytest.fixture
def features() -> TicketFeatures:
    world = ConcertWorld()
    return ticket_features_of(world.warehouse.outlooks([world.concert().concert_id], TODAY)[0], VENUE_TYPES)


def value(features: TicketFeatures, part: str, **changes: float) -> float:
    parts = {one.name: one for one in coverage_parts(structs.replace(features, **changes))}
    assert sum(one.weight for one in parts.values()) == pytest.approx(1)
    return parts[part].value


class TestCoverage:
    @pytest.mark.parametrize(("concerts", "expected"), [(0, 0.3), (1, 0.05), (10, 0.5), (20, 1.0), (90, 1.0)])
    def test_artist(self, features: TicketFeatures, concerts: int, expected: float) -> None:
        assert value(features, "artist", artist_total_concerts=concerts) == expected

    @pytest.mark.parametrize(("venue", "similar", "expected"), [(1, 1, 1.0), (1, 0, 0.7), (0, 1, 0.7), (0, 0, 0.4)])
    def test_history(self, features: TicketFeatures, venue: float, similar: float, expected: float) -> None:
        changes = {"historical_avg_sales": venue, "similar_concert_avg_sales": similar}
        assert value(features, "history", **changes) == expected

    @pytest.mark.parametrize(("rate", "expected"), [(0.0, 0.5), (0.25, 0.25), (1.0, 1.0)])
    def test_attendance(self, features: TicketFeatures, rate: float, expected: float) -> None:
        assert value(features, "attendance", venue_avg_attendance_rate=rate) == expected

    @pytest.mark.parametrize(
        ("days", "expected"), [(0, 1.0), (30, 1.0), (31, 0.9), (90, 0.9), (91, 0.8), (180, 0.8), (181, 0.6)]
    )
    def test_time(self, features: TicketFeatures, days: int, expected: float) -> None:
        assert value(features, "time", days_until_event=days) == expected

    @pytest.mark.parametrize(("price", "expected"), [(0.0, 0.5), (12.5, 1.0)])
    def test_prices(self, features: TicketFeatures, price: float, expected: float) -> None:
        assert value(features, "prices", avg_ticket_price=price) == expected

    def test_it_is_the_sum_of_its_parts(self, features: TicketFeatures) -> None:
        prediction = ConcertWorld().forecast.predict(TicketQuery(features=veiled(features)))
        assert prediction.data_coverage == pytest.approx(0.25 * 0.3 + 0.25 * 0.4 + 0.2 * 0.5 + 0.15 * 0.6 + 0.15 * 0.5)
        assert sum(part.contribution for part in prediction.coverage_parts) == pytest.approx(prediction.data_coverage)


def veiled(features: TicketFeatures) -> TicketFeatures:
    """The same concert with everything unknown."""
    hidden = {name: None for names in FORECAST_GAPS.values() for name in names}
    return structs.replace(
        features, **hidden, artist_total_concerts=0, similar_concert_avg_sales=None, days_until_event=200
    )


class TestConfidence:
    @pytest.mark.parametrize("what", [*FORECAST_GAPS])
    def test_what_is_unknown_is_named_and_makes_it_low(self, features: TicketFeatures, what: str) -> None:
        hidden = structs.replace(features, **dict.fromkeys(FORECAST_GAPS[what], None))
        prediction = ConcertWorld().forecast.predict(TicketQuery(features=hidden))
        assert prediction.unknown == [what]
        assert prediction.confidence_level == "low"

    @pytest.mark.parametrize(
        ("changes", "level"),
        [
            ({"artist_total_concerts": 9}, "high"),
            ({"artist_total_concerts": 2}, "medium"),
            ({"days_until_event": 300}, "low"),
            ({"venue_type_encoded": -1}, "low"),
        ],
    )
    def test_levels(self, features: TicketFeatures, changes: dict[str, int], level: str) -> None:
        known = structs.replace(features, **{"artist_total_concerts": 9, "days_until_event": 30, **changes})
        assert ConcertWorld().forecast.predict(TicketQuery(features=known)).confidence_level == level

    def test_unknown_is_not_zero_to_the_model(self, features: TicketFeatures) -> None:
        numbers = dict(zip(TICKET_FEATURES, vector(veiled(features)), strict=True))
        unknown = [name for name, value in numbers.items() if math.isnan(value)]
        assert set(unknown) == {name for names in FORECAST_GAPS.values() for name in names} | {
            "similar_concert_avg_sales"
        }

    def test_the_interval_is_the_bands_and_says_how_often_it_held(self, features: TicketFeatures) -> None:
        prediction = ConcertWorld().forecast.predict(TicketQuery(features=features))
        assert prediction.interval.low < prediction.predicted_sales < prediction.interval.high
        assert prediction.interval.low == (prediction.predicted_sales * Decimal("0.75")).quantize(Decimal("0.01"))
        assert (prediction.interval.level, prediction.interval.measured) == (0.8, 0.8)

    def test_every_band_of_the_shipped_model_holds_what_it_says(self) -> None:
        shipped = error_bands()
        assert set(shipped.bands) >= set(ERROR_BANDS.bands)
        assert all(0.75 <= band.measured <= 0.85 for band in shipped.bands.values())
        assert all(band.low < 1 < band.high for band in shipped.bands.values())
        for season in manifest()["judged_by"].values():
            assert all(0.75 <= level["coverage"] <= 0.85 for level in season["levels"].values())
            assert season["model"]["median_error"] < season["venue_mean"]["median_error"] / 2


class TestPrediction:
    def test_by_concert(self) -> None:
        world = ConcertWorld()
        concert = world.concert()
        prediction = world.forecast.predict(TicketQuery(concert_id=concert.concert_id))
        assert prediction.concert is not None
        assert prediction.concert.artist == concert.artist.name
        assert prediction.predicted_sales == concert.venue.capacity * 10
        assert (prediction.source, prediction.model_version, prediction.fallback) == ("sagemaker", "fake-1", "")

    def test_what_comes_back_can_be_sent_again(self) -> None:
        world = ConcertWorld()
        first = world.forecast.predict(TicketQuery(concert_id=world.concert().concert_id))
        again = world.forecast.predict(TicketQuery(features=first.features))
        assert again.concert is None
        assert structs.replace(again, concert=first.concert) == first

    def test_exactly_one_of_concert_and_features(self, features: TicketFeatures) -> None:
        world = ConcertWorld()
        for query in (TicketQuery(), TicketQuery(concert_id="con-000001", features=features)):
            with pytest.raises(InvalidInput, match="exactly one"):
                world.forecast.predict(query)

    def test_an_unknown_concert(self) -> None:
        with pytest.raises(NotFound) as caught:
            ConcertWorld().forecast.predict(TicketQuery(concert_id="con-nowhere"))
        assert caught.value.code == "concert_not_found"

    @pytest.mark.parametrize(
        ("status", "past", "code"),
        [("completed", True, "past_concert"), ("cancelled", False, "concert_not_scheduled")],
    )
    def test_a_concert_that_is_over_or_off(self, status: str, past: bool, code: str) -> None:
        world = ConcertWorld()
        concert = world.concert(status, past=past)
        with pytest.raises(Unprocessable if status == "cancelled" else InvalidInput) as caught:
            world.forecast.predict(TicketQuery(concert_id=concert.concert_id))
        assert (caught.value.status, caught.value.code) == (422, code)

    def test_the_next_model_answers_where_the_first_fails_and_says_so(self) -> None:
        broken = FakeTicketModel(fail=UpstreamRejected("the ticket model's endpoint failed on this input"))
        world = ConcertWorld(broken, FakeTicketModel("embedded"))
        prediction = world.forecast.predict(TicketQuery(concert_id=world.concert().concert_id))
        assert prediction.source == "embedded"
        assert prediction.fallback == "the ticket model's endpoint failed on this input"

    def test_without_any_model_there_is_no_number(self) -> None:
        down = FakeTicketModel(fail=UpstreamUnavailable("down"))
        world = ConcertWorld(down, down)
        with pytest.raises(UpstreamUnavailable) as caught:
            world.forecast.predict(TicketQuery(concert_id=world.concert().concert_id))
        assert caught.value.retry_after

    def test_a_model_cannot_predict_less_than_nothing(self) -> None:
        world = ConcertWorld(FakeTicketModel(per_seat=-3.0))
        assert world.forecast.predict(TicketQuery(concert_id=world.concert().concert_id)).predicted_sales == 0

    def test_a_batch_is_one_call_and_tells_what_it_could_not_predict(self) -> None:
        model = FakeTicketModel()
        world = ConcertWorld(model)
        ids = [one.concert_id for one in world.warehouse.concerts.values() if one.status == "scheduled"][:5]
        over = world.concert("completed", past=True).concert_id
        batch = world.forecast.predict_batch(TicketBatchQuery(concert_ids=[*ids, over, "con-nowhere", ids[0]]))
        assert [one.concert.concert_id for one in batch.predictions if one.concert] == ids
        assert {(one.concert_id, one.code) for one in batch.rejected} == {
            (over, "past_concert"),
            ("con-nowhere", "concert_not_found"),
        }
        assert len(model.calls) == 1

    def test_a_batch_of_nothing_predictable_asks_no_model(self) -> None:
        model = FakeTicketModel()
        batch = ConcertWorld(model).forecast.predict_batch(TicketBatchQuery(concert_ids=["con-nowhere"]))
        assert (batch.predictions, model.calls) == ([], [])
