"""The sample events: one for every function, each as its trigger sends it."""

import json
import re
from typing import Any

import msgspec
import pytest
from chalice.app import CloudWatchEvent, CloudWatchEventConfig, ScheduledEventConfig, WebsocketEvent

import app as application
from chalicelib.entry.events import QueueBatch, S3Notification, detail_of
from chalicelib.entry.sockets import connection_of
from chalicelib.predictions.models import PredictionStep
from chalicelib.spendsense.models import FeaturesOrder, MigrateOrder, StageDone
from local.samples import EVENTS, PLACEHOLDER, RESOLVERS, read_event, sample_of

CONFIG = json.loads((EVENTS.parents[1] / ".chalice" / "config.json").read_text())
FUNCTIONS = sorted(CONFIG["lambda_functions"])
S3 = {trigger.function: trigger for trigger in application.app.s3_triggers}
KINDS = {
    source.name: {ScheduledEventConfig: "schedule", CloudWatchEventConfig: "cloudwatch_event"}[type(source)]
    for source in application.app.event_sources
    if isinstance(source, ScheduledEventConfig | CloudWatchEventConfig)
}
NOW = "2026-11-21T12:00:00Z"


def event_of(function: str, keep: str = "nothing") -> Any:
    """The sample with something in every placeholder but those that begin with `keep`."""

    def value(found: re.Match[str]) -> str:
        return found[0] if found[1].startswith(keep) else NOW if found[1] == "now" else "2026-11-21"

    return json.loads(PLACEHOLDER.sub(value, sample_of(function).read_text()))


def test_there_is_a_sample_for_every_function_and_for_nothing_else() -> None:
    app = application.app
    own = {function.name for function in (*app.pure_lambda_functions, *app.event_sources)}
    declared = own | {"api_handler", *(f"websocket_{name}" for name in ("connect", "message", "disconnect"))}
    assert {path.stem for path in EVENTS.iterdir()} == declared == set(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_placeholder_is_known(function: str) -> None:
    top_level = {"buckets", "outputs", "region", "operator_token"}
    for name in PLACEHOLDER.findall(sample_of(function).read_text()):
        assert name.partition(":")[0] in RESOLVERS or name.partition(".")[0] in top_level, name
    assert read_event(sample_of(function)) is not None


@pytest.mark.parametrize("function", sorted(S3))
def test_bucket_events(function: str) -> None:
    (record,) = S3Notification(event_of(function, keep="newest"), None)
    pattern = record.key.rsplit(":", 1)[1].rstrip("}")
    assert pattern.startswith(S3[function].prefix)
    assert pattern.rstrip("*").endswith(S3[function].suffix) or not S3[function].suffix
    assert record.event_name.startswith("ObjectCreated:")


@pytest.mark.parametrize("function", sorted(KINDS))
def test_events_of_rules(function: str) -> None:
    event = event_of(function)
    assert {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"} == set(event)
    assert (event["detail-type"] == "Scheduled Event") == (KINDS[function] == "schedule")
    if KINDS[function] == "cloudwatch_event":
        (pattern,) = (
            source.event_pattern for source in application.app.event_sources if getattr(source, "name", "") == function
        )
        assert event["source"] in pattern["source"]
        assert event["detail-type"] in pattern["detail-type"]


@pytest.mark.parametrize("function", ["websocket_connect", "websocket_message", "websocket_disconnect"])
def test_events_of_sockets(function: str) -> None:
    event = event_of(function)
    assert connection_of(WebsocketEvent(event, None)).id
    assert event["requestContext"]["eventType"].lower() in function.replace("websocket_", "")


def test_an_event_of_the_queue() -> None:
    (record,) = QueueBatch(event_of("notify_uploads"), None)
    assert set(json.loads(record.body)) == {"sessionId"}


def test_events_of_direct_invocations() -> None:
    msgspec.convert(event_of("migrate"), MigrateOrder)
    for function in ("predict_plan", "predict_complete"):
        msgspec.convert(event_of(function), PredictionStep)
    rows = event_of("predict_tickets")["rows"]
    assert all(len(row) == 21 for row in rows)


def test_the_request_is_one_of_a_route() -> None:
    event = event_of("api_handler")
    assert event["requestContext"]["httpMethod"] in application.app.routes[event["requestContext"]["resourcePath"]]


@pytest.mark.parametrize(
    ("function", "model"),
    [("compute_features", FeaturesOrder), ("assign_persona", StageDone), ("generate_recommendations", StageDone)],
)
def test_details_are_what_the_function_takes(function: str, model: type[msgspec.Struct]) -> None:
    event = json.loads(json.dumps(event_of(function)).replace('"subject": "2026-11-21"', '"subject": null'))
    assert detail_of(CloudWatchEvent(event, None), model) is not None
