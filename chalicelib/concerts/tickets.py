"""How much will a concert sell, and how far is the answer to be trusted?"""

import math
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal

from chalicelib.concerts.features import features_of, vector
from chalicelib.concerts.models import (
    ConcertSummary,
    ConfidencePart,
    RejectedConcert,
    TicketBatch,
    TicketBatchQuery,
    TicketFeatures,
    TicketPrediction,
    TicketQuery,
)
from chalicelib.concerts.ports import Outlooks, TicketModel
from chalicelib.concerts.values import ConcertOutlook, Estimates
from chalicelib.errors import InvalidInput, NotFound, OmnibusError, Unprocessable, UpstreamError, UpstreamUnavailable

LOW_CONFIDENCE = 0.7
ARTIST_CONCERTS_FOR_CERTAINTY = 20


class TicketForecast:
    """Predicts with the first of `models` that answers; `venue_types` is the encoder saved with the model."""

    def __init__(
        self,
        outlooks: Outlooks,
        models: Sequence[TicketModel],
        venue_types: Sequence[str],
        clock: Callable[[], datetime],
    ) -> None:
        self._outlooks = outlooks
        self._models = models
        self._venue_types = venue_types
        self._clock = clock

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
        return self._predictions([(features_of(outlooks[0], self._venue_types), outlooks[0])], today)[0]

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
                accepted.append((features_of(outlook, self._venue_types), outlook))
        return TicketBatch(predictions=self._predictions(accepted, today) if accepted else [], rejected=rejected)

    def _predictions(
        self, cases: Sequence[tuple[TicketFeatures, ConcertOutlook | None]], today: date
    ) -> list[TicketPrediction]:
        estimates, fallback = self._estimate([vector(features) for features, _ in cases])
        return [
            _prediction(features, outlook, value, estimates, fallback, today)
            for (features, outlook), value in zip(cases, estimates.values, strict=True)
        ]

    def _estimate(self, rows: Sequence[Sequence[float]]) -> tuple[Estimates, str]:
        reason = ""
        for model in self._models:
            try:
                return model.estimate(rows), reason
            except UpstreamError as error:
                reason = reason or error.message
        raise UpstreamUnavailable("No ticket model can answer now; try again later.", retry_after=30)


def confidence_parts(features: TicketFeatures) -> list[ConfidencePart]:
    """The five parts of a forecast's confidence: artist, history, attendance, time to go, prices."""
    artist = features.artist_total_concerts
    histories = (features.historical_avg_sales > 0) + (features.similar_concert_avg_sales > 0)
    attendance = features.venue_avg_attendance_rate
    days = features.days_until_event
    priced = features.avg_ticket_price > 0
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


def _part(name: str, weight: float, value: float, reason: str) -> ConfidencePart:
    return ConfidencePart(
        name=name, weight=weight, value=round(value, 4), contribution=round(weight * value, 4), reason=reason
    )


def _prediction(
    features: TicketFeatures,
    outlook: ConcertOutlook | None,
    value: float,
    estimates: Estimates,
    fallback: str,
    today: date,
) -> TicketPrediction:
    parts = confidence_parts(features)
    confidence = round(math.fsum(part.contribution for part in parts), 4)
    return TicketPrediction(
        predicted_sales=Decimal(str(max(0.0, value))).quantize(Decimal("0.01")),
        confidence=confidence,
        confidence_level="low" if confidence < LOW_CONFIDENCE else "high",
        confidence_parts=parts,
        features=features,
        source=estimates.source,
        model_version=estimates.version,
        as_of=today,
        concert=None if outlook is None else _summary(outlook),
        fallback=fallback,
    )


def _summary(outlook: ConcertOutlook) -> ConcertSummary:
    return ConcertSummary(
        concert_id=outlook.concert_id,
        artist=outlook.artist_name,
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
