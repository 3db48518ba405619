"""Forecasts: confidence by the formula, models in order, concerts that cannot be predicted."""

import pytest
from msgspec import structs

from chalicelib.concerts.features import features_of
from chalicelib.concerts.models import TicketBatchQuery, TicketFeatures, TicketQuery
from chalicelib.concerts.tickets import confidence_parts
from chalicelib.errors import InvalidInput, NotFound, Unprocessable, UpstreamRejected, UpstreamUnavailable
from tests.fakes.concerts import FakeTicketModel
from tests.fakes.season import TODAY, VENUE_TYPES, ConcertWorld


@pytest.fixture
def features() -> TicketFeatures:
    world = ConcertWorld()
    return features_of(world.warehouse.outlooks([world.concert().concert_id], TODAY)[0], VENUE_TYPES)


def value(features: TicketFeatures, part: str, **changes: float) -> float:
    parts = {one.name: one for one in confidence_parts(structs.replace(features, **changes))}
    assert sum(one.weight for one in parts.values()) == pytest.approx(1)
    return parts[part].value


class TestConfidence:
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

    def test_it_is_the_sum_of_its_parts_and_low_below_seventy_per_cent(self, features: TicketFeatures) -> None:
        weak = structs.replace(
            features,
            artist_total_concerts=0,
            historical_avg_sales=0.0,
            similar_concert_avg_sales=0.0,
            venue_avg_attendance_rate=0.0,
            days_until_event=200,
            avg_ticket_price=0.0,
        )
        prediction = ConcertWorld().forecast.predict(TicketQuery(features=weak))
        assert prediction.confidence == pytest.approx(0.25 * 0.3 + 0.25 * 0.4 + 0.2 * 0.5 + 0.15 * 0.6 + 0.15 * 0.5)
        assert prediction.confidence_level == "low"
        assert sum(part.contribution for part in prediction.confidence_parts) == pytest.approx(prediction.confidence)


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
