"""Sales forecasts of concerts, and their reliability."""

import math
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal

from chalicelib.concerts.features import band_of, confidence_level, ticket_features_of, unknown_in, vector
from chalicelib.concerts.models import (
    ConcertSummary,
    CoveragePart,
    RejectedConcert,
    SalesInterval,
    TicketBatch,
    TicketBatchQuery,
    TicketFeatures,
    TicketPrediction,
    TicketQuery,
)
from chalicelib.concerts.ports import Outlooks, TicketModel
from chalicelib.concerts.values import ConcertOutlook, ErrorBands, Estimates
from chalicelib.errors import InvalidInput, NotFound, OmnibusError, Unprocessable, UpstreamError, UpstreamUnavailable

ARTIST_CONCERTS_FOR_CERTAINTY = 20


class TicketForecast:
    """Predicts with the first of `models` that answers; `venue_types` and `errors` were saved with the model."""

    def __init__(
        self,
        outlooks: Outlooks,
        models: Sequence[TicketModel],
        venue_types: Sequence[str],
        errors: ErrorBands,
        clock: Callable[[], datetime],
        currency: str = "USD",
    ) -> None:
        self._outlooks = outlooks
        self._models = models
        self._venue_types = venue_types
        self._errors = errors
        self._clock = clock
        self._currency = currency

    def predict(self, query: TicketQuery) -> TicketPrediction:
        """The forecast for one concert.

        InvalidInput unless exactly one of the two is given; NotFound, Unprocessable for one that is over or off.
        """
        if (query.concert_id is None) == (query.features is None):
            problem = "are both given" if query.features is not None else "are both missing"
            raise InvalidInput.of("concert_id, features", problem, "exactly one of them")
        today = self._clock().date()
        if query.features is not None:
            return self._predictions([(query.features, None)], today)[0]
        assert query.concert_id is not None
        outlooks = self._outlooks.outlooks([query.concert_id], today)
        if not outlooks:
            raise NotFound(f"concert_id: there is no concert {query.concert_id}", code="concert_not_found")
        if problem_found := _unpredictable(outlooks[0], today):
            raise problem_found
        return self._predictions(
            [(ticket_features_of(outlooks[0], self._venue_types, self._currency), outlooks[0])], today
        )[0]

    def predict_batch(self, query: TicketBatchQuery) -> TicketBatch:
        """The forecasts for many concerts, by one question to the warehouse and one to the model."""
        today = self._clock().date()
        concert_ids = list(dict.fromkeys(query.concert_ids))
        known = {outlook.concert_id: outlook for outlook in self._outlooks.outlooks(concert_ids, today)}
        rejected: list[RejectedConcert] = []
        accepted: list[tuple[TicketFeatures, ConcertOutlook | None]] = []
        for concert_id in concert_ids:
            outlook = known.get(concert_id)
            error: OmnibusError | None = (
                NotFound(f"there is no concert {concert_id}", code="concert_not_found")
                if outlook is None
                else _unpredictable(outlook, today)
            )
            if error is not None:
                rejected.append(RejectedConcert(concert_id=concert_id, code=error.code, message=error.message))
            elif outlook is not None:
                accepted.append((ticket_features_of(outlook, self._venue_types, self._currency), outlook))
        return TicketBatch(predictions=self._predictions(accepted, today) if accepted else [], rejected=rejected)

    def _predictions(
        self, cases: Sequence[tuple[TicketFeatures, ConcertOutlook | None]], today: date
    ) -> list[TicketPrediction]:
        estimates, fallback = self._estimate([vector(features) for features, _ in cases])
        return [
            self._prediction(features, outlook, value, estimates, fallback, today)
            for (features, outlook), value in zip(cases, estimates.values, strict=True)
        ]

    def _prediction(
        self,
        features: TicketFeatures,
        outlook: ConcertOutlook | None,
        value: float,
        estimates: Estimates,
        fallback: str,
        today: date,
    ) -> TicketPrediction:
        parts = coverage_parts(features)
        value = max(0.0, value)
        band = self._errors.bands[band_of(features)]
        return TicketPrediction(
            predicted_sales=_cents(value),
            currency=self._currency,
            interval=SalesInterval(
                low=_cents(value * band.low),
                high=_cents(value * band.high),
                level=self._errors.level,
                measured=band.measured,
            ),
            confidence_level=confidence_level(features),
            unknown=unknown_in(features),
            data_coverage=round(math.fsum(part.contribution for part in parts), 4),
            coverage_parts=parts,
            features=features,
            source=estimates.source,
            model_version=estimates.version,
            as_of=today,
            concert=None if outlook is None else _summary(outlook),
            fallback=fallback,
        )

    def _estimate(self, rows: Sequence[Sequence[float]]) -> tuple[Estimates, str]:
        reason = ""
        for model in self._models:
            try:
                return model.estimate(rows), reason
            except UpstreamError as error:
                reason = reason or error.message
        raise UpstreamUnavailable("No ticket model can answer now; try again later.", retry_after=30)


def coverage_parts(features: TicketFeatures) -> list[CoveragePart]:
    """The five parts of a forecast's data coverage: artist, history, attendance, time to go, prices."""
    artist = features.artist_total_concerts
    histories = bool(features.historical_avg_sales) + bool(features.similar_concert_avg_sales)
    attendance = features.venue_avg_attendance_rate
    days = features.days_until_event
    priced = bool(features.avg_ticket_price)
    return [
        _part(
            "artist",
            0.25,
            min(artist / ARTIST_CONCERTS_FOR_CERTAINTY, 1.0) if artist else 0.3,
            f"{artist} earlier concerts of the artist" if artist else "an artist without earlier concerts",
        ),
        _part(
            "history",
            0.25,
            (0.4, 0.7, 1.0)[histories],
            (
                "neither the venue nor similar concerts have sales",
                "either the venue or similar concerts have sales",
                "both the venue and similar concerts have sales",
            )[histories],
        ),
        _part(
            "attendance",
            0.20,
            attendance or 0.5,
            f"the venue fills {attendance:.0%} of its seats" if attendance else "the venue's attendance is unknown",
        ),
        _part("time", 0.15, _certainty_by_days(days), f"{days} days to go"),
        _part("prices", 0.15, 1.0 if priced else 0.5, "prices are known" if priced else "prices are unknown"),
    ]


def _certainty_by_days(days: int) -> float:
    for beyond, certainty in ((180, 0.6), (90, 0.8), (30, 0.9)):
        if days > beyond:
            return certainty
    return 1.0


def _part(name: str, weight: float, value: float, reason: str) -> CoveragePart:
    return CoveragePart(
        name=name, weight=weight, value=round(value, 4), contribution=round(weight * value, 4), reason=reason
    )


def _cents(amount: float) -> Decimal:
    return Decimal(str(amount)).quantize(Decimal("0.01"))


def _summary(outlook: ConcertOutlook) -> ConcertSummary:
    return ConcertSummary(
        concert_id=outlook.concert_id,
        artist_id=outlook.artist_id,
        artist=outlook.artist_name,
        venue_id=outlook.venue_id,
        venue=outlook.venue_name,
        city=outlook.city,
        event_date=outlook.event_date,
    )


def _unpredictable(outlook: ConcertOutlook, today: date) -> InvalidInput | None:
    name = outlook.concert_id
    if outlook.event_date < today:
        return Unprocessable.of(
            "concert_id", f"{name} was on {outlook.event_date}", "a concert to come", code="past_concert"
        )
    if outlook.status != "scheduled":
        return Unprocessable.of(
            "concert_id", f"{name} is {outlook.status}", "a scheduled concert", code="concert_not_scheduled"
        )
    return None
