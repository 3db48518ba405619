"""What a request costs besides the warehouse, against bare Chalice and against FastAPI with Mangum.

    python benchmarks/handler_overhead.py [--json]

The same API Gateway event, `POST /venues/popularity {"top_n": 10}`, and the same ten venues as the answer. Ours does
all that it does in AWS: strict parsing, validation, the service, encoding, CORS and security headers, a request id, and
one line of log. Bare Chalice parses and returns a dict; FastAPI validates by the same rules in pydantic. Times are of a
thousand requests: milliseconds of a thousand are microseconds of one.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).parents[1]))

from chalice.app import Chalice
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel, ConfigDict, Field

from benchmarks import measure
from chalicelib.concerts.lexicon import Lexicon
from chalicelib.concerts.models import OrderBy, ScorePart, VenueStanding
from chalicelib.concerts.popularity import VenuePopularity
from chalicelib.concerts.values import SCORE_WEIGHTS, Criteria, Vocabulary
from tests.environment import ENVIRONMENT

REQUESTS = 1000
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "resource": "/venues/popularity",
    "path": "/venues/popularity",
    "httpMethod": "POST",
    "headers": {"Content-Type": "application/json", "Origin": "https://app.example.com", "Host": "api.example.com"},
    "multiValueHeaders": {"Content-Type": ["application/json"], "Origin": ["https://app.example.com"]},
    "queryStringParameters": None,
    "multiValueQueryStringParameters": None,
    "pathParameters": None,
    "stageVariables": None,
    "requestContext": {
        "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        "resourcePath": "/venues/popularity",
        "httpMethod": "POST",
        "path": "/api/venues/popularity",
        "stage": "api",
        "identity": {"sourceIp": "192.0.2.1"},
    },
    "body": json.dumps({"top_n": 10}),
    "isBase64Encoded": False,
}
VENUES = [
    VenueStanding(
        popularity_rank=rank,
        venue_id=f"ven-{rank:04d}",
        name="Gateway Coliseum",
        city="Minneapolis",
        state="Minnesota",
        country="United States",
        latitude=44.9778,
        longitude=-93.265,
        venue_type="arena",
        capacity=9520,
        score=0.718883,
        contributions=[
            ScorePart(name=name, weight=weight, contribution=0.7 * weight) for name, weight in SCORE_WEIGHTS.items()
        ],
        reported_events=12,
        total_events=12,
        avg_attendance=7610.25,
        avg_attendance_rate=0.799396,
        total_revenue=Decimal("13413351.00"),
        revenue_per_event=Decimal("1117779.25"),
        booking_frequency=1.0286,
        distinct_artists=8,
        repeat_booking=0.5,
    )
    for rank in range(1, 11)
]


class Context:
    """What Lambda passes along."""

    aws_request_id = "00000000-0000-0000-0000-000000000000"
    function_name = "api_handler"
    memory_limit_in_mb = 512

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Plenty."""
        return 30_000


class AnsweredRanking:
    """The warehouse, answering at once."""

    def popular_venues(
        self, criteria: Criteria, *, min_events: int, top_n: int, order_by: OrderBy, least_first: bool
    ) -> list[VenueStanding]:
        """Ten venues."""
        return VENUES

    def store_popularity(self, since: date, until: date, min_events: int, calculated_at: datetime) -> int:
        """Never asked here."""
        raise NotImplementedError


def ours() -> Callable[[], Any]:
    """The application's own route."""
    os.environ.update(ENVIRONMENT)
    import app as application

    application.services().concerts.popularity = VenuePopularity(
        AnsweredRanking(), lambda: Lexicon(Vocabulary()), lambda: NOW, "USD"
    )
    return lambda: application.app(EVENT, Context())


def bare_chalice(answer: dict[str, Any]) -> Callable[[], Any]:
    """A route that reads its body and returns a dict."""
    bare = Chalice("bare")

    @bare.route("/venues/popularity", methods=["POST"])
    def popularity() -> dict[str, Any]:
        body = cast(Any, bare.current_request).json_body
        return answer if body["top_n"] else {}

    return lambda: bare(EVENT, Context())


def fastapi(answer: dict[str, Any]) -> Callable[[], Any]:
    """A route with a validated body, behind Mangum."""

    class Query(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)
        top_n: int = Field(10, ge=1, le=100)
        min_events: int = Field(5, ge=1, le=10_000)
        lookback_days: int = Field(365, ge=1, le=3650)

    api = FastAPI()

    @api.post("/venues/popularity")
    def popularity(query: Query) -> dict[str, Any]:
        return answer if query.top_n else {}

    handler = Mangum(api, lifespan="off")
    return lambda: handler(EVENT, cast(Any, Context()))


def repeated(call: Callable[[], Any]) -> Callable[[], None]:
    """REQUESTS calls."""

    def run() -> None:
        for _ in range(REQUESTS):
            call()

    return run


def without_log(call: Callable[[], Any]) -> Callable[[], Any]:
    """The call with the log level that drops the line of each request."""
    from chalicelib.entry.telemetry import logger

    def run() -> Any:
        logger.setLevel("WARNING")
        try:
            return call()
        finally:
            logger.setLevel("INFO")

    return run


@contextmanager
def unheard() -> Iterator[None]:
    """Nothing reaches the terminal: the logger holds the stream itself, so the descriptor is turned away."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def main() -> None:
    """Measure and print."""
    arguments = measure.arguments(__doc__)
    report = measure.Report("handler_overhead")
    with unheard():
        own = ours()
        answer = json.loads(own()["body"])
        calls = {
            "ours": own,
            "ours, no log line": without_log(own),
            "bare Chalice": bare_chalice(answer),
            "FastAPI with Mangum": fastapi(answer),
        }
        for name, call in calls.items():
            got = call()
            if got["statusCode"] != 200 or json.loads(got["body"]) != answer:
                raise SystemExit(f"{name} answers something else: {got}")
        cases = {name: repeated(call) for name, call in calls.items()}
        report.compare("1000 requests (ms) = 1 request (us)", cases, ours="ours", rounds=7)
    report.show(arguments.json)


if __name__ == "__main__":
    main()
