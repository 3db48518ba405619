"""The flights routes and functions through Chalice."""

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from chalice.test import Client

import app as application
from chalicelib.entry.sockets import Connection
from chalicelib.errors import RateLimited, UpstreamUnavailable
from chalicelib.flights import keys
from chalicelib.flights.history import FlightHistory
from chalicelib.flights.status import RunStatus
from chalicelib.settings import Settings, SettingsError
from chalicelib.wiring import Services
from tests.environment import ENVIRONMENT, OPERATOR_TOKEN
from tests.events import s3_event, s3_test_event, schedule_event
from tests.fakes.history import FakeEngine
from tests.unit.flights.vectors import TIME, bad, good
from tests.unit.flights.world import World

OPERATOR = {"X-Operator-Token": OPERATOR_TOKEN}
ID, RAW, PROCESSED = keys.tracking_id(TIME), keys.raw_key(TIME), keys.processed_key(TIME)


@pytest.fixture
def world(services: Services) -> World:
    world = World()
    services.flights.processing = world.processing
    services.flights.validation = world.validation
    services.flights.queries = world.flights
    services.flights.review = world.review
    services.flights.operations = world.operations
    services.flights.replays = world.replays
    return world


def invoke(client: Client, function: str, event: Any) -> Any:
    return client.lambda_.invoke(function, event).payload


def test_events_carry_a_snapshot_through_and_routes_show_it(world: World, client: Client, api: Any) -> None:
    world.put(good())
    invoke(client, "process_flights", s3_event(RAW))
    invoke(client, "validate_flights", s3_event(PROCESSED))
    run = api("GET", f"/flights/runs/{ID}")
    assert (run.status, run.body["status"], run.body["rows"]) == (200, "VALIDATED", 20)
    latest = api("GET", "/flights/latest?phase=CRUISE&limit=2")
    assert latest.status == 200
    assert (latest.body["tracking_id"], latest.body["matching"], len(latest.body["aircraft"])) == (ID, 20, 2)
    world.clock.now = world.clock.now.replace(year=2025)
    quality = api("GET", "/flights/quality")
    assert [judged["tracking_id"] for judged in quality.body["runs"]] == [ID]


def test_a_test_event_is_no_snapshot(world: World, client: Client) -> None:
    for function in ("process_flights", "validate_flights"):
        assert invoke(client, function, s3_test_event()) is None
    assert not world.runs.runs


def test_every_record_of_an_event_counts_whatever_its_neighbours(world: World, client: Client) -> None:
    other = TIME + 300
    world.put(good())
    world.put(
        gzip.compress(gzip.decompress(good()).replace(str(TIME).encode(), str(other).encode())), keys.raw_key(other)
    )
    broken = keys.raw_key(TIME + 600)
    world.put(b"broken", broken)
    invoke(client, "process_flights", s3_event(broken, "raw/a key+with é.json.gz", RAW, keys.raw_key(other)))
    assert {run.status for run in world.runs.of_day("2025-11-21", 10)} == {RunStatus.PROCESSED, RunStatus.FAILED}
    assert world.runs.find(keys.tracking_id(other)).rows == 20  # type: ignore[union-attr]


def test_what_may_pass_later_is_raised_so_that_lambda_retries(world: World, client: Client) -> None:
    world.put(good())
    world.bucket.fail_next("open", UpstreamUnavailable("S3 is down"))
    with pytest.raises(UpstreamUnavailable):
        invoke(client, "process_flights", s3_event(RAW))
    invoke(client, "process_flights", s3_event(RAW))
    assert world.run().status is RunStatus.PROCESSED


def test_thresholds_that_are_none_park_no_event(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    mistaken = {**ENVIRONMENT, "OMNIBUS_FLIGHTS_THRESHOLDS": '{"pass_mark": {}}'}
    services = Services(Settings.from_environ(mistaken))
    monkeypatch.setattr(application, "services", lambda: services)
    with pytest.raises(SettingsError, match="OMNIBUS_FLIGHTS_THRESHOLDS: thresholds: pass_mark is not a threshold"):
        invoke(client, "validate_flights", s3_event(PROCESSED))


def test_a_replayed_record_is_processed_again(world: World, client: Client) -> None:
    world.put(good())
    invoke(client, "process_flights", s3_event(RAW))
    writes = len(world.bucket.writes)
    invoke(client, "process_flights", s3_event(RAW))
    assert len(world.bucket.writes) == writes, "a repeated event"
    invoke(client, "process_flights", s3_event(RAW, event_name="ObjectCreated:Replay"))
    assert len(world.bucket.writes) > writes


def test_the_schedule_reports_or_raises(services: Services, client: Client) -> None:
    class Ingestion:
        error: Exception | None = None

        def poll(self) -> dict[str, str]:
            if self.error:
                raise self.error
            return {"outcome": "fetched"}

    services.flights.ingestion = Ingestion()  # type: ignore[assignment]
    assert invoke(client, "ingest_flights", schedule_event()) == {"outcome": "fetched"}
    services.flights.ingestion.error = RateLimited("DynamoDB is throttled")
    with pytest.raises(RateLimited):
        invoke(client, "ingest_flights", schedule_event())


def test_a_release_answers_the_run_or_the_error(world: World, client: Client) -> None:
    world.run_through(bad())
    released = invoke(client, "release_flights", {"tracking_id": ID, "released_by": "Ada", "reason": "reviewed"})
    assert released["result"]["status"] == "VALIDATED"
    for event, code in [
        ({"tracking_id": "states_1", "released_by": "Ada", "reason": "reviewed"}, "not_found"),
        ({"tracking_id": ID, "released_by": "Ada"}, "invalid_input"),
        ({"tracking_id": "../etc", "released_by": "Ada", "reason": "x"}, "invalid_input"),
    ]:
        assert invoke(client, "release_flights", event)["error"]["code"] == code


def test_a_replay_is_for_operators_and_answers_202(world: World, api: Any) -> None:
    world.put(good())
    body = {"from": "2025-11-21T12:00:00Z", "to": "2025-11-21T13:00:00Z"}
    assert api("POST", "/flights/replays", body).status == 403
    answer = api("POST", "/flights/replays", body, OPERATOR)
    assert (answer.status, answer.body["tracking_ids"]) == (202, [ID])
    assert world.reprocessing.requested == [RAW]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"from": "2025-11-21T12:00:00Z"}, 400, "to"),
        ({"from": "yesterday", "to": "2025-11-21T13:00:00Z"}, 400, "from"),
        ({"from": "2025-11-21T12:00:00", "to": "2025-11-21T13:00:00Z"}, 400, "from"),
        ({"from": "2025-11-21T12:00:00Z", "to": "2025-11-21T11:00:00Z"}, 422, "to"),
        ({"from": "2025-11-21T12:00:00Z", "to": "2025-11-21T13:00:00Z", "force": True}, 400, "force"),
    ],
)
def test_a_bad_range_names_its_field(world: World, api: Any, body: dict[str, Any], status: int, field: str) -> None:
    answer = api("POST", "/flights/replays", body, OPERATOR)
    assert answer.status == status
    assert answer.body["error"]["details"][0]["field"] == field


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("?limit=0", 400, "limit"),
        ("?limit=15001", 400, "limit"),
        ("?callsign=DLH%25", 400, "callsign"),
        ("?altitude_min_ft=2&altitude_max_ft=1", 422, "altitude_max_ft"),
        ("?phase=HOVER", 400, "phase"),
        ("?lamin=91&lomin=0&lamax=92&lomax=1", 400, "lamin"),
        ("?lamin=1", 422, "lomin"),
        ("?lamin=nan&lomin=0&lamax=1&lomax=1", 400, "lamin"),
    ],
)
def test_a_bad_question_names_its_field(world: World, api: Any, query: str, status: int, field: str) -> None:
    answer = api("GET", "/flights/latest" + query)
    assert answer.status == status
    assert answer.body["error"]["details"][0]["field"] == field


def test_what_is_not_there_is_a_404(world: World, api: Any) -> None:
    assert api("GET", "/flights/runs/states_1").status == 404
    assert api("GET", "/flights/runs/%2e%2e%2fetc").status == 404
    assert api("GET", "/flights/latest").status == 404
    assert json.dumps(api("GET", "/flights/quality").body["runs"]) == "[]"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/flights/guard", None),
        ("GET", f"/flights/runs/{ID}/downloads", None),
        ("GET", f"/flights/runs/{ID}/release", None),
        ("POST", f"/flights/runs/{ID}/release", {"reason": "reviewed", "released_by": "Ada"}),
        ("GET", "/flights/replays/0123456789abcdef", None),
    ],
)
def test_what_changes_or_reveals_is_for_operators(
    world: World, api: Any, method: str, path: str, body: dict[str, str] | None
) -> None:
    world.run_through(bad())
    assert api(method, path, body).status == 403
    assert world.run().status is RunStatus.QUARANTINED
    assert api(method, path, body, OPERATOR).status in {200, 404}


def test_an_operator_reviews_and_releases_over_rest(world: World, api: Any) -> None:
    world.run_through(bad())
    report = api("GET", f"/flights/runs/{ID}/report")
    assert (report.status, len(report.body["checks"])) == (200, 16)
    released = api(
        "POST", f"/flights/runs/{ID}/release", {"reason": "a known receiver", "released_by": "Ada"}, OPERATOR
    )
    assert (released.status, released.body["released_by"]) == (200, "Ada (machine)")
    run = api("GET", f"/flights/runs/{ID}")
    assert run.body["status"] == "VALIDATED"
    assert {"released_by", "release_reason"}.isdisjoint(run.body)
    assert api("POST", "/flights/runs/states_1/release", {"reason": "x", "released_by": "x"}, OPERATOR).status == 404
    assert api("POST", f"/flights/runs/{ID}/release", {"reason": ""}, OPERATOR).status == 400


def test_the_latest_is_not_sent_twice(world: World, api: Any) -> None:
    world.run_through(good())
    first = api("GET", "/flights/latest?limit=1")
    assert first.headers["cache-control"] == "public, max-age=30"
    aircraft = first.body["aircraft"][0]
    assert (aircraft["squawk"], aircraft["category"], aircraft["position_source"]) == ("0012", 4, 0)
    assert aircraft["geo_altitude_ft"] == 33136
    again = api("GET", "/flights/latest?limit=1", None, {"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert api("GET", f"/flights/snapshots/{ID}/aircraft?limit=1").headers["etag"] == first.headers["etag"]


def test_lists_of_runs_and_snapshots(world: World, api: Any) -> None:
    world.run_through(good())
    period = "from=2025-11-21T11:00:00Z&to=2025-11-21T13:00:00Z"
    assert [run["tracking_id"] for run in api("GET", f"/flights/runs?{period}").body["runs"]] == []
    world.clock.now = world.clock.now.replace(year=2025)
    assert [run["tracking_id"] for run in api("GET", f"/flights/runs?{period}").body["runs"]] == [ID]
    assert api("GET", f"/flights/runs?{period}&status=VALIDATED&limit=1").body["cursor"] is None
    assert api("GET", f"/flights/snapshots?{period}").body["snapshots"][0]["tracking_id"] == ID
    for query, status in [("status=LOST", 400), ("from=then", 400), ("cursor=-1", 400), ("limit=501", 400)]:
        assert api("GET", f"/flights/runs?{query}").status == status
    assert api("GET", "/flights/snapshots").status == 400


def test_a_socket_of_the_channel_runs_hears_of_verdicts(world: World, services: Services) -> None:
    services.flights.feed = world.feed
    application.admit(Connection("socket-1", "https://sockets", {"channel": "runs"}))
    world.run_through(good())
    assert [socket for socket, _ in world.posted] == ["socket-1"]


def test_a_snapshot_of_more_than_a_week_ago_comes_from_the_history(
    world: World, services: Services, client: Client, api: Any
) -> None:
    engine = FakeEngine(world.bucket, world.clock)
    services.flights.history = FlightHistory(engine, clock=world.clock, sleep=lambda seconds: None)
    world.run_through(good())
    path = f"/flights/snapshots/{ID}/aircraft?limit=2"
    kept = api("GET", path)
    del world.bucket.objects[keys.index_key(TIME)]
    found = api("GET", path)
    assert (found.status, found.body.pop("bytes_scanned")) == (200, 4096)
    assert found.body == kept.body
    world.clock.now += timedelta(days=100)
    listed = api("GET", "/flights/snapshots?from=2025-11-21T00:00:00Z&to=2025-11-22T00:00:00Z").body
    assert [snapshot["tracking_id"] for snapshot in listed["snapshots"]] == [ID]
    engine.slow = 10_000
    services.flights.history = FlightHistory(engine, clock=world.clock, budget_s=0)
    pending = api("GET", path)
    assert (pending.status, pending.headers["retry-after"]) == (202, "2")
    engine.slow = 0
    assert api("GET", f"{path}&query={pending.body['query']}&from={pending.body['from']}").status == 200
