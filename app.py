"""Omnibus: the index of every route, socket, bucket event, schedule, event and queue.

A handler parses, calls one service and returns. `chalicelib/entry` implements parsing, errors, CORS and retries;
`chalicelib/wiring` builds the services.
"""

# ruff: noqa: E402

import gc

gc.disable()  # loading leaves hardly any garbage, and collecting it costs every cold start 8 % of the import

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from os import environ
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from chalice.app import CloudWatchEvent, Cron, Rate, Response, WebsocketEvent
from msgspec import Struct, to_builtins
from msgspec.json import encode

from chalicelib.concerts.models import (
    ArtistDetail,
    ArtistId,
    ArtistPage,
    ChatExchange,
    ChatFeedback,
    ChatMessage,
    ChatOwnerQuery,
    ChatReply,
    ChatRequest,
    ChatSessionId,
    ChatSessionList,
    ChatSessionView,
    ChatStop,
    Concert,
    ConcertId,
    ConcertPage,
    ConcertsQuery,
    Genres,
    NamesQuery,
    PopularityQuery,
    PopularityReport,
    RecommendationQuery,
    Recommendations,
    SeasonTotals,
    TicketBatch,
    TicketBatchQuery,
    TicketPrediction,
    TicketQuery,
    TicketRows,
    TotalsQuery,
    VenueDetail,
    VenueId,
    VenuePage,
    VenuesQuery,
)
from chalicelib.entry.conditional import revalidated
from chalicelib.entry.events import (
    QueueBatch,
    S3Notification,
    describing_the_api,
    detail_of,
    for_each_message,
    for_each_object,
    invoked,
    report_or_raise,
)
from chalicelib.entry.health import HealthQuery, HealthReport
from chalicelib.entry.invocations import answer_in_time, ordered, proxied, seconds_left, stepped
from chalicelib.entry.mcp import McpCaller, McpMessage
from chalicelib.entry.models import decode_json
from chalicelib.entry.openapi import GEOJSON, JSON
from chalicelib.entry.operations import Operations, Welcome
from chalicelib.entry.signin import user_pool
from chalicelib.entry.snapshots import load_for_snapshot
from chalicelib.entry.sockets import Connection, accept, dispatch, release
from chalicelib.entry.web import CORS, App, Cors, Page, Reply, to_response
from chalicelib.flights.models import (
    REPLAY,
    AircraftSearch,
    CompactionOrder,
    GuardView,
    HistoryAnswer,
    Latest,
    LatestQuery,
    PendingQuery,
    QualityHistory,
    QualityQuery,
    ReleaseOrder,
    ReleaseRecord,
    ReleaseRequest,
    Replay,
    ReplayProgress,
    ReplayRequest,
    RunDownloads,
    RunPage,
    RunsQuery,
    RunView,
    SearchQuery,
    SnapshotList,
    SnapshotQuery,
    SnapshotsQuery,
    Track,
    TrackFeatures,
    TrackQuery,
    Traffic,
    TrafficQuery,
)
from chalicelib.flights.reports import QualityReport
from chalicelib.predictions.models import (
    PREVIEW_BYTES,
    DataFileForm,
    DataFilePage,
    DataFileRequest,
    DataFilesQuery,
    HandedOver,
    JobsWatch,
    PredictionJob,
    PredictionJobPage,
    PredictionJobsQuery,
    PredictionModel,
    PredictionModelPage,
    PredictionModelsQuery,
    PredictionOutput,
    PredictionPart,
    PredictionRequest,
    PredictionStep,
    Preview,
    PreviewRequest,
    SubmitQuery,
    parse_event,
)
from chalicelib.spendsense import models as spendsense
from chalicelib.uploads.models import (
    NewSession,
    NewSessionQuery,
    SessionId,
    SessionQuery,
    SessionView,
    UploadPermission,
    UploadUrlQuery,
)
from chalicelib.wiring import bootstrap
from chalicelib.wiring.shared import answer_stack

if "AWS_CHALICE_CLI_MODE" in environ:
    from chalicelib.entry.commands import stand_in

    stand_in()
services = bootstrap
app = App(
    "omnibus",
    origins=lambda: services().settings.cors_origins,
    operators=lambda: services().operators,
    reference=Path(__file__).with_name("chalicelib") / "reference.json",
)
app.register_middleware(answer_in_time, "http")
app.register_middleware(answer_in_time, "websocket")
app.experimental_feature_flags.update(["WEBSOCKETS"])  # Chalice packages no WebSocket API without it

# -- the application itself


@app.route("/", cors=CORS, returns=Welcome, tag="health")
def welcome() -> Welcome:
    """Return links to the console and to the description of this API."""
    return Welcome(service=app.app_name, openapi=app.address("openapi.json"), console=console_url())


def console_url() -> str | None:
    """The console's address from a variable of API Gateway's stage; None if there is no console."""
    variables: Mapping[str, str] | None = app.current_request.stage_vars if app.current_request else None
    return (variables or {}).get("console")


@app.route("/operations", cors=CORS, returns=Operations, proof="operator", tag="health")
def operations() -> Operations:
    """List the deployment's alarms and dead letters. For operators."""
    return services().watch.operations()


PROOFS = ("X-Operator-Token", "Authorization")
MCP_CORS = Cors(headers=(*CORS.headers, "Accept", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"))
PEOPLE = user_pool("people", resource="SpendsenseUserPool", variable="OMNIBUS_SPENDSENSE_USER_POOL_ARN")


@app.route(
    "/health",
    cors=CORS,
    query=HealthQuery,
    returns=HealthReport,
    headers=["X-Operator-Token", "Authorization"],
    tag="health",
)
def health() -> HealthReport:
    """Report whether the application is healthy and, with `deep`, whether its dependencies are."""
    return services().health.report(app.query(HealthQuery), app.operator)


@app.route("/openapi.json", cors=CORS, returns=dict, tag="health")
def openapi() -> dict[str, object]:
    """This description."""
    return app.openapi()


@app.route(
    "/mcp",
    methods=["POST"],
    cors=MCP_CORS,
    returns=dict,
    headers=PROOFS,
    accepts={"application/json": McpMessage},
    tag="mcp",
)
def mcp() -> Response:
    """Answer one Model Context Protocol message; docs/mcp.md explains how clients connect."""
    caller = McpCaller(app.header("Authorization"), app.header("X-Operator-Token"), app.source_ip(), app.request_id())
    answer = services().mcp.answer(app.raw_body(), app.header, caller)
    return to_response(Reply(answer.message, answer.status), answer.status)


@app.route("/mcp", methods=["GET", "DELETE"], returns=None, status=405, tag="mcp")
def mcp_without_streams() -> Response:
    """Refuse streams and sessions: each POST gets its whole answer."""
    return Response("", {"Allow": "POST"}, 405)


# -- concerts


@app.route(
    "/venues/popularity", methods=["POST"], cors=CORS, body=PopularityQuery, returns=PopularityReport, tag="concerts"
)
def venue_popularity() -> PopularityReport:
    """Rank venues by eleven features of their completed concerts, each with its share; the body may be `{}`."""
    return services().concerts.popularity.rank(app.body(PopularityQuery))


@app.route("/tickets/predict", methods=["POST"], cors=CORS, body=TicketQuery, returns=TicketPrediction, tag="concerts")
def predict_ticket_sales() -> TicketPrediction:
    """Forecast the sales of a scheduled concert, or of given features, with an interval and the unknown facts."""
    return services().concerts.forecast.predict(app.body(TicketQuery))


@app.route(
    "/tickets/predict/batch", methods=["POST"], cors=CORS, body=TicketBatchQuery, returns=TicketBatch, tag="concerts"
)
def predict_ticket_sales_batch() -> TicketBatch:
    """Forecast the sales of up to a hundred concerts."""
    return services().concerts.forecast.predict_batch(app.body(TicketBatchQuery))


@app.route(
    "/recommendations", methods=["POST"], cors=CORS, body=RecommendationQuery, returns=Recommendations, tag="concerts"
)
def recommend_concerts() -> Recommendations:
    """Recommend scheduled concerts by genres, places, days and prices, each with its reasons."""
    return services().concerts.recommender.recommend(app.body(RecommendationQuery))


@app.route("/chat", methods=["POST"], cors=CORS, body=ChatRequest, returns=ChatReply, tag="concerts")
def chat() -> ChatReply:
    """Answer a message about concerts in one piece; the WebSocket action `chat` streams the answer instead."""
    services().limits.spend("chat", app.source_ip())
    return services().concerts.conversation.reply(app.body(ChatRequest))


@app.route("/chat/sessions", cors=CORS, authorizer=PEOPLE, returns=ChatSessionList, tag="concerts")
def chat_sessions() -> ChatSessionList:
    """List the signed-in user's chat sessions (their `user_id` is the token's subject), the latest first."""
    return services().concerts.conversation.sessions_of(str(app.principal()["sub"]))


@app.route(
    "/chat/sessions/{session_id}",
    cors=CORS,
    query=ChatOwnerQuery,
    returns=ChatSessionView,
    where={"session_id": ChatSessionId},
    tag="concerts",
)
def chat_session(session_id: str) -> ChatSessionView:
    """Return a session's messages; the caller needs the ids of the session and of its owner."""
    return services().concerts.conversation.session(session_id, app.query(ChatOwnerQuery).user_id)


@app.route(
    "/chat/sessions/{session_id}",
    methods=["DELETE"],
    cors=CORS,
    query=ChatOwnerQuery,
    returns=None,
    status=204,
    where={"session_id": ChatSessionId},
    tag="concerts",
)
def forget_chat_session(session_id: str) -> None:
    """Delete a session."""
    services().concerts.conversation.forget(session_id, app.query(ChatOwnerQuery).user_id)


@app.route(
    "/chat/sessions/{session_id}/feedback",
    methods=["POST"],
    cors=CORS,
    body=ChatFeedback,
    returns=ChatExchange,
    where={"session_id": ChatSessionId},
    tag="concerts",
)
def judge_chat_answer(session_id: str) -> ChatExchange:
    """Record whether an answer helped; the latest feedback counts."""
    return services().concerts.conversation.judge(session_id, app.body(ChatFeedback))


@app.route("/concerts", cors=CORS, query=ConcertsQuery, returns=ConcertPage, tag="concerts")
def list_concerts() -> ConcertPage:
    """List concerts by date, from today on, a page at a time."""
    return services().concerts.guide.concerts(app.query(ConcertsQuery))


@app.route("/concerts/totals", cors=CORS, query=TotalsQuery, returns=SeasonTotals, tag="concerts")
def concert_totals() -> SeasonTotals:
    """Summarize completed concerts by genre (number, occupancy, takings), by default for the last year."""
    return services().concerts.totals.sum_up(app.query(TotalsQuery))


@app.route("/concerts/{concert_id}", cors=CORS, returns=Concert, where={"concert_id": ConcertId}, tag="concerts")
def one_concert(concert_id: str) -> Concert:
    """Return a concert, whatever its status."""
    return services().concerts.guide.concert(concert_id)


@app.route("/artists", cors=CORS, query=NamesQuery, returns=ArtistPage, tag="concerts")
def list_artists() -> ArtistPage:
    """List artists by name, each with the next concert."""
    return services().concerts.guide.artists(app.query(NamesQuery))


@app.route("/artists/{artist_id}", cors=CORS, returns=ArtistDetail, where={"artist_id": ArtistId}, tag="concerts")
def one_artist(artist_id: str) -> ArtistDetail:
    """Return an artist, with the next concerts and the results of the last two years."""
    return services().concerts.guide.artist(artist_id)


@app.route("/venues", cors=CORS, query=VenuesQuery, returns=VenuePage, tag="concerts")
def list_venues() -> VenuePage:
    """List venues by name, place and type."""
    return services().concerts.guide.venues(app.query(VenuesQuery))


@app.route("/venues/{venue_id}", cors=CORS, returns=VenueDetail, where={"venue_id": VenueId}, tag="concerts")
def one_venue(venue_id: str) -> VenueDetail:
    """Return a venue, with its next concerts and its last two years by month."""
    return services().concerts.guide.venue(venue_id)


@app.route("/genres", cors=CORS, returns=Genres, tag="concerts")
def list_genres() -> Genres:
    """List every genre, with the numbers of its artists and scheduled concerts."""
    return services().concerts.guide.genres()


@app.lambda_function()
def predict_tickets(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer with the embedded model, for functions without scikit-learn."""
    return invoked(TicketRows, event, lambda asked: services().concerts.ticket_model.estimate(asked.rows))


@app.schedule(Rate(1, unit=Rate.HOURS))
def refresh_venue_popularity(event: CloudWatchEvent) -> Any:
    """Replace the stored ranking of venues, computed for the schedule's time."""
    moment = datetime.fromisoformat(event.time)
    return report_or_raise(lambda: to_builtins(services().concerts.popularity_refresh.refresh(moment)))


# -- predictions


@app.lambda_function()
def predict_batch(event: Any, context: Any) -> Any:
    """Score an object in S3 in one call, or as a job if it is large; also preview, dry run, and jobs from events."""
    if isinstance(event, dict) and "detail-type" in event:
        return report_or_raise(lambda: services().predictions.jobs.submit_event(event["id"], event["detail"]))
    return proxied(event, context, parse=parse_event, handle=services().predictions.respond, accepted=HandedOver)


@app.lambda_function()
def predict_plan(event: Any, context: Any) -> Any:
    """Check a job and split its data into parts; the state machine's first step."""
    return stepped(event, context, PredictionStep, services().predictions.steps.plan)


@app.lambda_function()
def predict_part(event: Any, context: Any) -> Any:
    """Score one part of a job; the step that the state machine maps."""
    return stepped(event, context, PredictionPart, services().predictions.steps.score)


@app.lambda_function()
def predict_complete(event: Any, context: Any) -> Any:
    """Join a job's parts into its output; the state machine's last step."""
    return stepped(event, context, PredictionStep, services().predictions.steps.complete)


@app.route(
    "/predictions",
    methods=["POST"],
    cors=CORS,
    body=PredictionRequest,
    query=SubmitQuery,
    returns=PredictionJob,
    status=202,
    proof="operator",
    tag="predictions",
)
def submit_prediction() -> PredictionJob:
    """Start a job that scores an object in S3; requests with the same `client_token` start one job. For operators.

    With `dry_run`, check the request, the model and the first rows, estimate time and cost, and start nothing.
    """
    jobs, request = services().predictions.jobs, app.body(PredictionRequest)
    return jobs.check(request) if app.query(SubmitQuery).dry_run else jobs.submit(request, app.caller(str))


@app.route(
    "/predictions/preview",
    methods=["POST"],
    cors=CORS,
    body=PreviewRequest,
    returns=Preview,
    proof="operator",
    max_body_bytes=PREVIEW_BYTES,
    tag="predictions",
)
def preview_predictions() -> Preview:
    """Score at most 100 rows, in the format of MLflow's scoring protocol. For operators."""
    return services().predictions.jobs.preview(app.body(PreviewRequest))


@app.route(
    "/predictions/models",
    cors=CORS,
    query=PredictionModelsQuery,
    returns=PredictionModelPage,
    proof="operator",
    tag="predictions",
)
def prediction_models() -> PredictionModelPage:
    """List published models with their features, figures and age, a page at a time. For operators."""
    return services().predictions.catalogue.models(app.query(PredictionModelsQuery))


@app.route("/predictions/models/{model_id}", cors=CORS, returns=PredictionModel, proof="operator", tag="predictions")
def prediction_model(model_id: str) -> PredictionModel:
    """Return one published model. For operators."""
    return services().predictions.catalogue.model(model_id)


@app.route(
    "/predictions/data",
    methods=["POST"],
    cors=CORS,
    body=DataFileRequest,
    returns=DataFileForm,
    status=201,
    proof="operator",
    tag="predictions",
)
def permit_prediction_data() -> DataFileForm:
    """Return a form for one upload of a data file; it fixes the place, type and size. For operators."""
    return services().predictions.catalogue.permit(app.body(DataFileRequest))


@app.route(
    "/predictions/data", cors=CORS, query=DataFilesQuery, returns=DataFilePage, proof="operator", tag="predictions"
)
def prediction_data() -> DataFilePage:
    """List data files, a page at a time. For operators."""
    return services().predictions.catalogue.data(app.query(DataFilesQuery))


@app.route(
    "/predictions",
    cors=CORS,
    query=PredictionJobsQuery,
    returns=PredictionJobPage,
    proof="operator",
    tag="predictions",
)
def list_predictions() -> PredictionJobPage:
    """List jobs, newest first, a page at a time. For operators."""
    return services().predictions.jobs.page(app.query(PredictionJobsQuery))


@app.route("/predictions/{job_id}", cors=CORS, returns=PredictionJob, proof="operator", tag="predictions")
def prediction_job(job_id: str) -> PredictionJob:
    """Return a job: its state, finished rows and parts, and its output or error. For operators."""
    return services().predictions.jobs.get(job_id)


@app.route(
    "/predictions/{job_id}",
    methods=["DELETE"],
    cors=CORS,
    returns=PredictionJob,
    proof="operator",
    tag="predictions",
)
def cancel_prediction(job_id: str) -> PredictionJob:
    """Cancel a job that is not yet completing; its output will not appear. For operators."""
    return services().predictions.jobs.cancel(job_id)


@app.route("/predictions/{job_id}/output", cors=CORS, returns=PredictionOutput, proof="operator", tag="predictions")
def prediction_output(job_id: str) -> PredictionOutput:
    """Return a link to a successful job's output, and its first rows. For operators."""
    return services().predictions.catalogue.output(services().predictions.jobs.get(job_id))


@app.route(
    "/predictions/{job_id}/redrive",
    methods=["POST"],
    cors=CORS,
    returns=PredictionJob,
    status=202,
    proof="operator",
    tag="predictions",
)
def redrive_prediction(job_id: str) -> PredictionJob:
    """Redrive a failed job; it keeps its finished parts. For operators."""
    return services().predictions.jobs.redrive(job_id)


# -- flights


@app.schedule(Rate(5, unit=Rate.MINUTES))
def ingest_flights(event: CloudWatchEvent) -> Any:
    """Poll OpenSky once, if the throttle, the breaker and the day's credits allow it."""
    return report_or_raise(services().flights.ingestion.poll)


@app.on_s3_event(bucket=environ.get("OMNIBUS_FLIGHTS_BUCKET", "flights"), prefix="raw/", suffix=".json.gz")
def process_flights(event: S3Notification) -> None:
    """Convert raw snapshots to Parquet."""
    process = services().flights.processing.process
    for_each_object(event, lambda record: process(record.key, again=record.event_name == REPLAY))


@app.on_s3_event(bucket=environ.get("OMNIBUS_FLIGHTS_BUCKET", "flights"), prefix="processed/", suffix=".parquet")
def validate_flights(event: S3Notification) -> None:
    """Judge processed snapshots by the 16 checks and quarantine failed ones."""
    for_each_object(event, lambda record: services().flights.validation.validate(record.key))


@app.schedule(Cron(12, "*", "*", "*", "?", "*"))
def compact_flights(event: CloudWatchEvent) -> Any:
    """Compact each hour with new snapshots into one Parquet file; an event with `from` and `to` names the hours."""
    run, left = services().flights.compaction.run, seconds_left(cast(Any, event.context))
    return report_or_raise(lambda: run(detail_of(event, CompactionOrder), left))


@app.lambda_function()
def release_flights(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Release a snapshot from quarantine; an operator invokes this function directly."""
    return invoked(ReleaseRequest, event, services().flights.review.release)


@app.route("/flights/latest", cors=CORS, query=LatestQuery, returns=Latest, headers=["If-None-Match"], tag="flights")
def latest_flights() -> Response:
    """List aircraft of the newest valid snapshot, by box, flight phase, altitude, speed and callsign."""
    latest = services().flights.queries.latest(app.query(LatestQuery))
    return revalidated(latest, app.header("If-None-Match"), "public, max-age=30")


@app.route("/flights/snapshots", cors=CORS, query=SnapshotsQuery, returns=SnapshotList, tag="flights")
def flights_snapshots() -> SnapshotList | Response:
    """List the valid snapshots of a period, oldest first. Those older than 90 days come from the history."""
    query = app.query(SnapshotsQuery)
    found = services().flights.queries.snapshots(query)
    return of_history(services().flights.history.snapshots(query)) if found is None else found


@app.route(
    "/flights/snapshots/{tracking_id}/aircraft",
    cors=CORS,
    query=SnapshotQuery,
    returns=Latest,
    headers=["If-None-Match"],
    tag="flights",
)
def snapshot_aircraft(tracking_id: str) -> Response:
    """List the aircraft of one valid snapshot. After a week they come from the history, at times by 202."""
    query = app.query(SnapshotQuery)
    found = services().flights.queries.aircraft(tracking_id, query)
    return (
        of_history(services().flights.history.aircraft(tracking_id, query))
        if found is None
        else revalidated(found, app.header("If-None-Match"), "public, max-age=3600")
    )


@app.route(
    "/flights/aircraft", cors=CORS, query=SearchQuery, returns=AircraftSearch, headers=["If-None-Match"], tag="flights"
)
def flights_aircraft() -> Response:
    """Find aircraft of a period by the start of their address or callsign; 202 with a query to poll if this is slow."""
    return of_history(services().flights.history.search(app.query(SearchQuery)))


@app.route(
    "/flights/aircraft/{icao24}/track",
    cors=CORS,
    query=TrackQuery,
    returns=Track,
    produces=(JSON, GEOJSON),
    headers=["If-None-Match"],
    tag="flights",
)
def aircraft_track(icao24: str) -> Response:
    """Return an aircraft's positions, split into flights, or as GeoJSON; 202 with a query to poll if this is slow."""
    return of_history(services().flights.history.track(icao24, app.query(TrackQuery)))


@app.route("/flights/traffic", cors=CORS, query=TrafficQuery, returns=Traffic, headers=["If-None-Match"], tag="flights")
def flights_traffic() -> Response:
    """Count aircraft and rows by hour, day, country and so on; 202 with a query to poll if this is slow."""
    return of_history(services().flights.history.traffic(app.query(TrafficQuery)))


def of_history(found: HistoryAnswer) -> Response:
    """An answer from the history: cacheable for a day if its period is closed, 202 while the query runs."""
    if isinstance(found.answer, PendingQuery):
        return to_response(Reply(found.answer, 202, {"Retry-After": str(found.answer.retry_after)}), 202)
    caching = "public, max-age=86400" if found.closed else "public, max-age=60"
    kind = GEOJSON if isinstance(found.answer, TrackFeatures) else JSON
    return revalidated(found.answer, app.header("If-None-Match"), caching, kind)


@app.route("/flights/quality", cors=CORS, query=QualityQuery, returns=QualityHistory, tag="flights")
def flights_quality() -> QualityHistory:
    """Return the verdicts of up to 92 days: by day, by check, and a page of the runs."""
    return services().flights.operations.quality(app.query(QualityQuery))


@app.route("/flights/runs", cors=CORS, query=RunsQuery, returns=RunPage, tag="flights")
def flights_runs() -> RunPage:
    """List runs by period and status, the latest snapshot first, a page at a time."""
    return services().flights.operations.page(app.query(RunsQuery))


@app.route("/flights/runs/{tracking_id}", cors=CORS, returns=RunView, tag="flights")
def flights_run(tracking_id: str) -> RunView:
    """Return one snapshot's run through the pipeline."""
    return services().flights.operations.run(tracking_id)


@app.route("/flights/runs/{tracking_id}/report", cors=CORS, returns=QualityReport, tag="flights")
def flights_run_report(tracking_id: str) -> QualityReport:
    """Return a run's quality report: all 16 checks, with counts and sample rows."""
    return services().flights.operations.report(tracking_id)


@app.route("/flights/runs/{tracking_id}/downloads", cors=CORS, returns=RunDownloads, proof="operator", tag="flights")
def flights_run_downloads(tracking_id: str) -> RunDownloads:
    """Return links to a run's raw response, Parquet file and report, valid for 15 minutes. For operators."""
    return services().flights.operations.downloads(tracking_id)


@app.route("/flights/runs/{tracking_id}/release", cors=CORS, returns=ReleaseRecord, proof="operator", tag="flights")
def flights_release_record(tracking_id: str) -> ReleaseRecord:
    """Return who released a run's snapshot from quarantine, and why. For operators."""
    return services().flights.operations.release(tracking_id)


@app.route(
    "/flights/runs/{tracking_id}/release",
    methods=["POST"],
    cors=CORS,
    body=ReleaseOrder,
    returns=ReleaseRecord,
    proof="operator",
    tag="flights",
)
def release_flights_run(tracking_id: str) -> ReleaseRecord:
    """Release a snapshot from quarantine after review; a second release changes nothing. For operators."""
    services().flights.review.release(app.body(ReleaseOrder).of(tracking_id, app.caller(str)))
    return services().flights.operations.release(tracking_id)


@app.route("/flights/guard", cors=CORS, returns=GuardView, proof="operator", tag="flights")
def flights_guard() -> GuardView:
    """Return the limits on polling: the day's credits, the circuit breaker, OpenSky's throttle. For operators."""
    return services().flights.operations.guard()


@app.route(
    "/flights/replays",
    methods=["POST"],
    cors=CORS,
    body=ReplayRequest,
    returns=Replay,
    status=202,
    proof="operator",
    tag="flights",
)
def replay_flights() -> Replay:
    """Process the raw snapshots of a time range again; a second replay changes nothing. For operators."""
    return services().flights.replays.start(app.body(ReplayRequest))


@app.route("/flights/replays/{replay_id}", cors=CORS, returns=ReplayProgress, proof="operator", tag="flights")
def replay_progress(replay_id: str) -> ReplayProgress:
    """Return a replay's progress: how many of its snapshots have a new verdict. For operators."""
    return services().flights.replays.progress(replay_id)


# -- spendsense

if describing_the_api():  # API Gateway decodes other bodies as UTF-8 before the application runs; answers stay text
    app.api.binary_types.append("text/csv")


def admit_person() -> UUID:
    """The signed-in person; Unauthenticated for a token of another pool or application."""
    return services().spendsense.doorkeeper.person(app.principal())


def admit_operator() -> spendsense.Operator:
    """The signed-in operator; Forbidden, with an audit record, for anybody else."""
    request = app.current_request
    resource = f"{request.method} {request.path}" if request else ""
    return services().spendsense.doorkeeper.operator(app.principal(), app.request_id(), resource)


SIGNED_IN: dict[str, Any] = {"cors": CORS, "authorizer": PEOPLE, "admit": admit_person, "tag": "spendsense"}
FOR_OPERATORS: dict[str, Any] = {**SIGNED_IN, "admit": admit_operator}
person = partial(app.caller, UUID)
operator = partial(app.caller, spendsense.Operator)


def unless_known(answer: Struct) -> Response:
    """`answer`, or 304 if the caller has it already."""
    return revalidated(answer, app.header("If-None-Match"))


@app.schedule(Cron(0, 1, "*", "*", "?", "*"))
def compute_features(event: CloudWatchEvent) -> Any:
    """Compute the features of people with new rows every night; announce Features Computed."""
    return report_or_raise(lambda: run_features(event, nightly=True))


@app.on_cw_event({"source": ["spendsense"], "detail-type": ["User Signup", "Consent Granted", "Transactions Ingested"]})
def recompute_features(event: CloudWatchEvent) -> Any:
    """Compute one person's features; announce Features Computed."""
    return report_or_raise(lambda: run_features(event, nightly=False))


def run_features(event: CloudWatchEvent, *, nightly: bool) -> spendsense.JobRunOutcome:
    """Compute the features that an event requests."""
    wanted, left = detail_of(event, spendsense.FeaturesOrder), seconds_left(cast(Any, event.context))
    return services().spendsense.jobs.compute(event.event_id, wanted, left, nightly=nightly)


@app.on_cw_event({"source": ["spendsense"], "detail-type": ["Features Computed"]})
def assign_persona(event: CloudWatchEvent) -> Any:
    """Assign personas from computed features; announce Persona Assigned."""
    run, left = services().spendsense.jobs.follow, seconds_left(cast(Any, event.context))
    return report_or_raise(lambda: run("assign_persona", detail_of(event, spendsense.StageDone), left))


@app.on_cw_event({"source": ["spendsense"], "detail-type": ["Persona Assigned"]})
def generate_recommendations(event: CloudWatchEvent) -> Any:
    """Generate recommendations by persona, within the guardrails, with traces; announce Recommendations Generated."""
    run, left = services().spendsense.jobs.follow, seconds_left(cast(Any, event.context))
    return report_or_raise(lambda: run("generate_recommendations", detail_of(event, spendsense.StageDone), left))


@app.lambda_function()
def migrate(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Migrate the database's schema before new versions get traffic; a second run changes nothing."""

    def migrated(order: Mapping[str, Any]) -> dict[str, Any]:
        return invoked(spendsense.MigrateOrder, order, lambda _: services().spendsense.migrations.migrate())

    return ordered(event, migrated, answer_stack)


@app.route("/api/v1/health", cors=CORS, returns=spendsense.ServiceHealth, tag="spendsense")
def spendsense_health() -> spendsense.ServiceHealth:
    """Report that the service is healthy."""
    return spendsense.ServiceHealth(status="ok")


@app.route("/api/v1/users/me/profile", returns=spendsense.Profile, headers=["If-None-Match"], **SIGNED_IN)
def own_profile() -> Response:
    """Return the caller's profile."""
    return unless_known(services().spendsense.profiles.profile(person()))


@app.route(
    "/api/v1/users/me/profile",
    methods=["PUT"],
    body=spendsense.ProfileChange,
    returns=spendsense.Profile,
    **SIGNED_IN,
)
def save_own_profile() -> spendsense.Profile:
    """Create or change the caller's profile."""
    return services().spendsense.profiles.register(person(), app.body(spendsense.ProfileChange))


@app.route("/api/v1/users/me/profile", methods=["DELETE"], status=204, **SIGNED_IN)
def delete_own_profile() -> None:
    """Delete all of the caller's data immediately."""
    services().spendsense.profiles.erase(person())


@app.route("/api/v1/users/me/accounts", returns=spendsense.Accounts, headers=["If-None-Match"], **SIGNED_IN)
def own_accounts() -> Response:
    """List the caller's accounts."""
    return unless_known(services().spendsense.own.accounts(person()))


@app.route(
    "/api/v1/users/me/transactions",
    query=spendsense.TransactionsQuery,
    returns=spendsense.Transactions,
    headers=["If-None-Match"],
    **SIGNED_IN,
)
def own_transactions() -> Response:
    """List the caller's transactions, the latest first, a page at a time."""
    query = app.query(spendsense.TransactionsQuery)
    return unless_known(services().spendsense.own.transactions(person(), query, app.request_id()))


@app.route("/api/v1/users/me/progress", returns=spendsense.OwnProgress, headers=["If-None-Match"], **SIGNED_IN)
def own_progress() -> Response:
    """Return the work that the jobs still have to do for the caller."""
    return unless_known(services().spendsense.own.progress(person()))


@app.route(
    "/api/v1/users/me/spending",
    query=spendsense.SpendingQuery,
    returns=spendsense.Spending,
    headers=["If-None-Match"],
    **SIGNED_IN,
)
def own_spending() -> Response:
    """Return the caller's spending by month and category; `transactions?spending=true` lists the underlying rows."""
    return unless_known(services().spendsense.own.spending(person(), app.query(spendsense.SpendingQuery)))


@app.route("/api/v1/users/me/export", query=spendsense.ExportQuery, returns=spendsense.Export, **SIGNED_IN)
def own_export() -> spendsense.Export:
    """Export everything stored about the caller, with the transactions a page at a time."""
    return services().spendsense.own.export(person(), app.query(spendsense.ExportQuery))


@app.route("/api/v1/users/me/export/csv", query=spendsense.ExportQuery, produces=("text/csv",), **SIGNED_IN)
def own_export_as_csv() -> Page:
    """Return one part of the export as CSV."""
    text = services().spendsense.own.export_csv(person(), app.query(spendsense.ExportQuery))
    return Page(text, "text/csv; charset=utf-8", {"Content-Disposition": 'attachment; filename="spendsense.csv"'})


@app.route(
    "/api/v1/users/me/imports",
    methods=["POST"],
    query=spendsense.ImportQuery,
    returns=spendsense.Imported,
    accepts={"application/json": spendsense.BankFile, "text/csv": str},
    max_body_bytes=spendsense.MAX_IMPORT_BYTES,
    **SIGNED_IN,
)
def import_own_bank_file() -> spendsense.Imported:
    """Take in the caller's accounts, transactions and liabilities in Plaid's shapes, JSON or CSV."""
    raw, kind = app.raw_body(), app.header("Content-Type") or ""
    by = spendsense.Operator(operator=person(), request_id=app.request_id())
    return services().spendsense.imports.take(person(), raw, kind, app.query(spendsense.ImportQuery), by)


@app.route(
    "/api/v1/users/me/insights",
    query=spendsense.WindowQuery,
    returns=spendsense.Insights,
    headers=["If-None-Match"],
    **SIGNED_IN,
)
def own_insights() -> Response:
    """Return the caller's signals, behaviours and persona in a window."""
    return unless_known(services().spendsense.own.insights(person(), app.query(spendsense.WindowQuery)))


@app.route(
    "/api/v1/users/me/recommendations",
    query=spendsense.WindowQuery,
    returns=spendsense.RecommendationSet,
    headers=["If-None-Match"],
    **SIGNED_IN,
)
def own_recommendations() -> Response:
    """List the caller's recommendations in a window, each with its reason."""
    return unless_known(services().spendsense.own.recommendations(person(), app.query(spendsense.WindowQuery)))


@app.route(
    "/api/v1/users/me/recommendations/{recommendation_id}",
    returns=spendsense.ExplainedRecommendation,
    headers=["If-None-Match"],
    **SIGNED_IN,
)
def own_recommendation(recommendation_id: str) -> Response:
    """Return one of the caller's recommendations, with the trace of the decision."""
    return unless_known(services().spendsense.own.recommendation(person(), recommendation_id, app.request_id()))


@app.route("/api/v1/users/me/consent", returns=spendsense.Consent, headers=["If-None-Match"], **SIGNED_IN)
def own_consent() -> Response:
    """Return the caller's consent and its history."""
    return unless_known(services().spendsense.profiles.consent(person()))


@app.route(
    "/api/v1/users/me/consent",
    methods=["PUT"],
    body=spendsense.ConsentChange,
    returns=spendsense.Consent,
    **SIGNED_IN,
)
def decide_own_consent() -> spendsense.Consent:
    """Grant or revoke consent; revoking erases derived data immediately."""
    return services().spendsense.profiles.decide(person(), app.body(spendsense.ConsentChange))


@app.route("/api/v1/catalogue", returns=spendsense.CatalogueView, headers=["If-None-Match"], **SIGNED_IN)
def spendsense_catalogue() -> Response:
    """Return personas, articles, offers, signals with their units, and categories, by the ids that answers use."""
    return unless_known(services().spendsense.catalogue.view())


@app.route(
    "/api/v1/feedback",
    methods=["POST"],
    body=spendsense.FeedbackGiven,
    returns=spendsense.Feedback,
    status=201,
    **SIGNED_IN,
)
def give_feedback() -> spendsense.Feedback:
    """Record whether a recommendation helped; the latest feedback counts."""
    return services().spendsense.own.give_feedback(person(), app.body(spendsense.FeedbackGiven), app.request_id())


@app.route(
    "/api/v1/operator/users",
    query=spendsense.UsersQuery,
    returns=spendsense.Users,
    headers=["If-None-Match"],
    **FOR_OPERATORS,
)
def list_users() -> Response:
    """List people, all or of one persona, a page at a time. For operators."""
    return unless_known(services().spendsense.desk.users(operator(), app.query(spendsense.UsersQuery)))


@app.route("/api/v1/operator/users/{user_id}", returns=spendsense.UserDetail, **FOR_OPERATORS)
def read_user(user_id: str) -> spendsense.UserDetail:
    """Return one person: profile, personas, and operators' actions, including this request. For operators."""
    return services().spendsense.desk.user(operator(), user_id)


@app.route("/api/v1/operator/users/{user_id}", methods=["DELETE"], status=204, **FOR_OPERATORS)
def delete_user(user_id: str) -> None:
    """Delete all of a person's data immediately. For operators."""
    services().spendsense.desk.erase(operator(), user_id)


@app.route(
    "/api/v1/operator/users/{user_id}/signals", returns=spendsense.Signals, headers=["If-None-Match"], **FOR_OPERATORS
)
def read_user_signals(user_id: str) -> Response:
    """Return one person's signals in every window. For operators."""
    return unless_known(services().spendsense.desk.signals(operator(), user_id))


@app.route(
    "/api/v1/operator/users/{user_id}/recommendations",
    query=spendsense.WindowQuery,
    returns=spendsense.ReviewItems,
    headers=["If-None-Match"],
    **FOR_OPERATORS,
)
def read_user_recommendations(user_id: str) -> Response:
    """List one person's recommendations in a window, with titles and status. For operators."""
    query = app.query(spendsense.WindowQuery)
    return unless_known(services().spendsense.desk.recommendations(operator(), user_id, query))


@app.route(
    "/api/v1/operator/users/{user_id}/traces/{recommendation_id}",
    returns=spendsense.Trace,
    headers=["If-None-Match"],
    **FOR_OPERATORS,
)
def read_user_trace(user_id: str, recommendation_id: str) -> Response:
    """Explain why an item was recommended to a person, or withheld. For operators."""
    return unless_known(services().spendsense.desk.trace(operator(), user_id, recommendation_id))


@app.route(
    "/api/v1/operator/users/{user_id}/imports",
    methods=["POST"],
    query=spendsense.ImportQuery,
    returns=spendsense.Imported,
    accepts={"application/json": spendsense.BankFile, "text/csv": str},
    max_body_bytes=spendsense.MAX_IMPORT_BYTES,
    **FOR_OPERATORS,
)
def import_bank_file(user_id: str) -> spendsense.Imported:
    """Import a person's accounts, transactions and liabilities in Plaid's formats, JSON or CSV. For operators."""
    raw, kind = app.raw_body(), app.header("Content-Type") or ""
    return services().spendsense.desk.take(operator(), user_id, raw, kind, app.query(spendsense.ImportQuery))


@app.route(
    "/api/v1/operator/review",
    query=spendsense.ReviewQuery,
    returns=spendsense.ReviewPage,
    headers=["If-None-Match"],
    **FOR_OPERATORS,
)
def list_review() -> Response:
    """List recommendations in a review state, a page at a time. For operators."""
    return unless_known(services().spendsense.desk.waiting(operator(), app.query(spendsense.ReviewQuery)))


@app.route(
    "/api/v1/operator/review",
    methods=["POST"],
    body=spendsense.ReviewVerdict,
    returns=spendsense.Reviewed,
    **FOR_OPERATORS,
)
def judge_recommendation() -> spendsense.Reviewed:
    """Approve, override (with a reason) or flag a recommendation. For operators."""
    return services().spendsense.desk.judge(operator(), app.body(spendsense.ReviewVerdict))


@app.route(
    "/api/v1/operator/review/bulk",
    methods=["POST"],
    body=spendsense.BulkVerdict,
    returns=spendsense.BulkReviewed,
    **FOR_OPERATORS,
)
def judge_recommendations() -> spendsense.BulkReviewed:
    """Give up to 100 recommendations the same verdict. For operators."""
    return services().spendsense.desk.judge_all(operator(), app.body(spendsense.BulkVerdict))


@app.route(
    "/api/v1/operator/metrics/history",
    query=spendsense.MetricsHistoryQuery,
    returns=spendsense.MetricsHistory,
    headers=["If-None-Match"],
    **FOR_OPERATORS,
)
def spendsense_metrics_history() -> Response:
    """Return the history of the metrics by day. For operators."""
    return unless_known(services().spendsense.desk.history(operator(), app.query(spendsense.MetricsHistoryQuery)))


@app.route("/api/v1/operator/metrics", returns=spendsense.Metrics, headers=["If-None-Match"], **FOR_OPERATORS)
def spendsense_metrics() -> Response:
    """Return coverage, explainability, fairness, feedback and the last runs. For operators."""
    return unless_known(services().spendsense.desk.metrics(operator()))


# -- uploads

UPLOADS_CORS = Cors(headers=(*CORS.headers, "X-Owner-Token", "X-Upload-Token"))


@app.route(
    "/sessions",
    methods=["POST"],
    cors=UPLOADS_CORS,
    query=NewSessionQuery,
    returns=NewSession,
    status=201,
    own_pages=True,
    tag="uploads",
)
def open_upload_session() -> NewSession:
    """Open an upload session for a desktop; only this answer shows its tokens and QR code."""
    phone_page = app.query(NewSessionQuery).phone_page or own_phone_page()
    return services().uploads.sessions.open(app.source_ip(), phone_page)


def own_phone_page() -> str:
    """The phone's page at the console's address, or at this API's own if there is no console."""
    console = console_url()
    return f"{console}api/u" if console else app.address("u")


@app.route(
    "/sessions/{session_id}",
    cors=UPLOADS_CORS,
    query=SessionQuery,
    returns=SessionView,
    headers=["X-Owner-Token", "X-Upload-Token"],
    where={"session_id": SessionId},
    tag="uploads",
)
def upload_session(session_id: str) -> SessionView:
    """Return a session's status for either token; only the owner's token gets the image's URL."""
    query = app.query(SessionQuery)
    owner, upload = app.header("X-Owner-Token"), app.header("X-Upload-Token")
    return services().uploads.sessions.view(session_id, owner or query.owner_token, upload or query.upload_token)


@app.route(
    "/sessions/{session_id}",
    methods=["DELETE"],
    cors=UPLOADS_CORS,
    returns=None,
    status=204,
    headers=["X-Owner-Token"],
    where={"session_id": SessionId},
    tag="uploads",
)
def end_upload_session(session_id: str) -> None:
    """Delete a session and its image."""
    services().uploads.sessions.end(session_id, app.header("X-Owner-Token"))


@app.route(
    "/upload-url",
    cors=UPLOADS_CORS,
    query=UploadUrlQuery,
    returns=UploadPermission,
    headers=["X-Upload-Token"],
    tag="uploads",
)
def upload_url() -> UploadPermission:
    """Permit one upload for five minutes, by PUT or by form; it supersedes the permissions before it."""
    return services().uploads.sessions.permit(app.query(UploadUrlQuery), app.header("X-Upload-Token"))


@app.route("/upload", produces=("text/html",), tag="uploads")
def upload_desktop_page() -> Page:
    """Serve the desktop's page, which shows the QR code, then the photo."""
    return Page(*services().uploads.site.desktop())


@app.route("/u", produces=("text/html",), tag="uploads")
def upload_phone_page() -> Page:
    """Serve the phone's page, which takes and uploads the photo; its URL's fragment has the token."""
    return Page(*services().uploads.site.phone())


@app.route("/upload/assets/{name}", produces=("text/css", "text/javascript"), tag="uploads")
def upload_asset(name: str) -> Page:
    """Serve a style sheet or module of the two pages."""
    return Page(*services().uploads.site.asset(name))


@app.on_s3_event(bucket=environ.get("OMNIBUS_UPLOADS_BUCKET", "uploads"), prefix="session-uploads/")
def upload_completed(event: S3Notification) -> None:
    """Examine an uploaded object, decide its session, notify the desktop."""
    for_each_object(event, lambda it: services().uploads.completion.arrived(it.key, it.version_id or "", it.sequencer))


@app.on_sqs_message(queue=environ.get("OMNIBUS_UPLOADS_OUTBOX", "upload-notices"), batch_size=10)
def notify_uploads(batch: QueueBatch) -> dict[str, Any]:
    """Retry notifications to desktops."""
    return for_each_message(batch, lambda it: services().uploads.notices.retry_message(it.body.encode()))


# -- sockets: one WebSocket API; a connection is the uploads' unless it says `channel=chat`, `jobs`, `me` or `runs`


@app.on_ws_connect()
def connect(event: WebsocketEvent) -> dict[str, Any]:
    """Bind a desktop to its upload session; a chat's socket has no session."""
    return accept(event, admit)


def admit(connection: Connection) -> None:
    """Admit a socket: subscribe it to verdicts, or bind it to its upload session; others say more in their messages."""
    services().doorman.connect(connection)
    channel = connection.query.get("channel")
    if channel == "runs":
        services().flights.feed.watch(connection.id, connection.endpoint)
    elif channel not in {"chat", "jobs", "me"}:
        services().uploads.presence.admit(connection, connection.query)


@app.on_ws_message()
def message(event: WebsocketEvent) -> dict[str, Any]:
    """Answer a socket's message: `sync` and `ping` for uploads, `chat`, `chat_stop`, `watch_jobs`, `watch_me`."""
    presence, post = services().uploads.presence, services().shared.connections.post
    actions = {"chat": chat_over_socket, "chat_stop": stop_chat, "watch_jobs": watch_jobs, "watch_me": watch_me}
    return dispatch(event, {"sync": presence.sync, "ping": presence.ping, **actions}, post)


def chat_over_socket(connection: Connection, message: Mapping[str, Any]) -> None:
    """Stream the answer to a chat message."""
    services().doorman.chat(connection)
    asked = decode_json(encode(message), ChatMessage)
    send = partial(services().shared.connections.post, connection)
    services().concerts.conversation.answer_through(send, asked, connection.id)


def stop_chat(connection: Connection, message: Mapping[str, Any]) -> None:
    """Stop the answer that is streaming to the socket."""
    decode_json(encode(message), ChatStop)
    services().concerts.conversation.stop(connection.id)


def watch_jobs(connection: Connection, message: Mapping[str, Any]) -> None:
    """Subscribe an operator's socket to jobs; the proof is in the message, because URLs end up in logs."""
    proof = decode_json(encode(message), JobsWatch)
    services().operators.admit(proof.operator_token, proof.authorization, connection.source_ip)
    services().predictions.jobs.watch(connection.id, connection.endpoint)
    services().shared.connections.post(connection, {"action": "JOBS_WATCHED"})


def watch_me(connection: Connection, message: Mapping[str, Any]) -> None:
    """Subscribe a person's socket to the progress of their jobs."""
    asked = decode_json(encode(message), spendsense.ProgressWatch)
    caller = services().spendsense.doorkeeper.person(services().signin.claims(asked.authorization))
    services().spendsense.progress.listen(caller, connection.id, connection.endpoint)


@app.on_ws_disconnect()
def disconnect(event: WebsocketEvent) -> dict[str, Any]:
    """Remove a closed socket."""
    return release(event, lambda it: services().uploads.presence.forget(it.id))


load_for_snapshot(environ, lambda function: services().load(function))
gc.freeze()  # loaded modules stay, so later collections can skip them
gc.enable()
