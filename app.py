"""Omnibus: every route, socket, bucket event, schedule, event and queue that it reacts to.

A handler parses, calls one service, returns. How parsing, errors, CORS and retries work is in `chalicelib/entry`;
what the services are made of is in `chalicelib/bootstrap.py`.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from os import environ
from typing import Any

from chalice.app import CloudWatchEvent, Rate, WebsocketEvent
from msgspec.json import encode

from chalicelib.bootstrap import bootstrap
from chalicelib.concerts.conversation import ChatReply, ChatRequest
from chalicelib.concerts.popularity import PopularityQuery, PopularityReport
from chalicelib.concerts.recommendations import RecommendationQuery, Recommendations
from chalicelib.concerts.streaming import ChatMessage, stream_chat
from chalicelib.concerts.tickets import FeatureRows, TicketBatch, TicketBatchQuery, TicketPrediction, TicketQuery
from chalicelib.entry.events import (
    QueueBatch,
    S3Notification,
    for_each_message,
    for_each_object,
    invoked,
    report_or_raise,
)
from chalicelib.entry.invocations import proxied, seconds_left, stepped
from chalicelib.entry.models import decode_json
from chalicelib.entry.sockets import Connection, accept, dispatch, release
from chalicelib.entry.web import CORS, App, Cors, Page
from chalicelib.flights.models import (
    REPLAY,
    Latest,
    LatestQuery,
    QualityHistory,
    QualityQuery,
    ReleaseRequest,
    Replay,
    ReplayRequest,
)
from chalicelib.flights.runs import Run
from chalicelib.health import HealthQuery
from chalicelib.health import Report as HealthReport
from chalicelib.predictions.requests import PredictionRequest, parse_event
from chalicelib.predictions.views import HandedOver
from chalicelib.predictions.views import Job as PredictionJob
from chalicelib.predictions.views import JobPage as PredictionJobPage
from chalicelib.predictions.views import JobsQuery as PredictionJobsQuery
from chalicelib.predictions.views import Part as PredictionPart
from chalicelib.predictions.views import Step as PredictionStep
from chalicelib.uploads.models import (
    NewSession,
    NewSessionQuery,
    SessionQuery,
    SessionView,
    UploadPermission,
    UploadUrlQuery,
)

services = cache(bootstrap)
app = App("omnibus", origins=lambda: services().settings.cors_origins)
app.experimental_feature_flags.update(["WEBSOCKETS"])  # Chalice packages no WebSocket API without it

# -- the application itself


@app.route("/health", cors=CORS, query=HealthQuery, returns=HealthReport, headers=["X-Operator-Token"], tag="health")
def health() -> HealthReport:
    """Tell whether the application answers, and with `deep`, whether its dependencies do."""
    return services().health.report(app.query(HealthQuery), app.header("X-Operator-Token"))


@app.route("/openapi.json", cors=CORS, returns=dict, tag="health")
def openapi() -> dict[str, object]:
    """This description."""
    return app.openapi()


# -- concerts


@app.route(
    "/venues/popularity", methods=["POST"], cors=CORS, body=PopularityQuery, returns=PopularityReport, tag="concerts"
)
def venue_popularity() -> PopularityReport:
    """Rank venues by eleven features of their completed concerts; the body may be `{}`."""
    return services().venue_popularity.rank(app.body(PopularityQuery))


@app.route("/tickets/predict", methods=["POST"], cors=CORS, body=TicketQuery, returns=TicketPrediction, tag="concerts")
def predict_ticket_sales() -> TicketPrediction:
    """Forecast the sales of a scheduled concert, or of given features, with the confidence broken down."""
    return services().ticket_forecast.predict(app.body(TicketQuery))


@app.route(
    "/tickets/predict/batch", methods=["POST"], cors=CORS, body=TicketBatchQuery, returns=TicketBatch, tag="concerts"
)
def predict_ticket_sales_batch() -> TicketBatch:
    """Forecast the sales of up to a hundred concerts at once."""
    return services().ticket_forecast.predict_batch(app.body(TicketBatchQuery))


@app.route(
    "/recommendations", methods=["POST"], cors=CORS, body=RecommendationQuery, returns=Recommendations, tag="concerts"
)
def recommend_concerts() -> Recommendations:
    """Recommend scheduled concerts by genres and place, each with its reasons."""
    return services().recommender.recommend(app.body(RecommendationQuery))


@app.route("/chat", methods=["POST"], cors=CORS, body=ChatRequest, returns=ChatReply, tag="concerts")
def chat() -> ChatReply:
    """Answer a message about concerts, whole; over the WebSocket, the action `chat` answers as the words arise."""
    return services().conversation.reply(app.body(ChatRequest))


@app.lambda_function()
def predict_tickets(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer with the embedded model, for functions without scikit-learn."""
    return invoked(FeatureRows, event, lambda asked: services().ticket_model.estimate(asked.rows))


@app.schedule(Rate(1, unit=Rate.HOURS))
def refresh_venue_popularity(event: CloudWatchEvent) -> Any:
    """Replace the stored ranking of venues, as of the moment of the schedule."""
    return report_or_raise(lambda: services().venue_popularity_refresh.refresh(datetime.fromisoformat(event.time)))


# -- predictions


@app.lambda_function()
def predict_batch(event: Any, context: Any) -> dict[str, Any]:
    """Score an object in S3 in one call, or hand it over to a job if it is too large for one."""
    predict = partial(services().batch_predictions.predict, seconds_left=seconds_left(context))
    return proxied(event, context, parse=parse_event, handle=predict, accepted=HandedOver)


@app.lambda_function()
def predict_plan(event: Any, context: Any) -> Any:
    """Check a job and cut its data into parts; the state machine's first step."""
    return stepped(event, PredictionStep, services().prediction_steps.plan)


@app.lambda_function()
def predict_part(event: Any, context: Any) -> Any:
    """Score one part of a job; what the state machine maps."""
    return stepped(
        event, PredictionPart, partial(services().prediction_steps.score, seconds_left=seconds_left(context))
    )


@app.lambda_function()
def predict_complete(event: Any, context: Any) -> Any:
    """Put a job's parts together at its output; the state machine's last step."""
    return stepped(event, PredictionStep, services().prediction_steps.complete)


@app.route(
    "/predictions",
    methods=["POST"],
    cors=CORS,
    body=PredictionRequest,
    returns=PredictionJob,
    status=202,
    headers=["X-Operator-Token"],
    tag="predictions",
)
def submit_prediction() -> PredictionJob:
    """Start a job that scores an object in S3; sent twice with one `client_token`, it is one job. For operators."""
    services().operators.admit(app.header("X-Operator-Token"))
    return services().prediction_jobs.submit(app.body(PredictionRequest))


@app.route(
    "/predictions",
    cors=CORS,
    query=PredictionJobsQuery,
    returns=PredictionJobPage,
    headers=["X-Operator-Token"],
    tag="predictions",
)
def list_predictions() -> PredictionJobPage:
    """Jobs, newest first, a page at a time. For operators."""
    services().operators.admit(app.header("X-Operator-Token"))
    return services().prediction_jobs.page(app.query(PredictionJobsQuery))


@app.route("/predictions/{job_id}", cors=CORS, returns=PredictionJob, headers=["X-Operator-Token"], tag="predictions")
def prediction_job(job_id: str) -> PredictionJob:
    """A job: its state, the rows and parts that are done, its output or its error. For operators."""
    services().operators.admit(app.header("X-Operator-Token"))
    return services().prediction_jobs.get(job_id)


@app.route(
    "/predictions/{job_id}",
    methods=["DELETE"],
    cors=CORS,
    returns=PredictionJob,
    headers=["X-Operator-Token"],
    tag="predictions",
)
def cancel_prediction(job_id: str) -> PredictionJob:
    """Cancel a job that is not yet completing: its output will not appear. For operators."""
    services().operators.admit(app.header("X-Operator-Token"))
    return services().prediction_jobs.cancel(job_id)


@app.route(
    "/predictions/{job_id}/redrive",
    methods=["POST"],
    cors=CORS,
    returns=PredictionJob,
    status=202,
    headers=["X-Operator-Token"],
    tag="predictions",
)
def redrive_prediction(job_id: str) -> PredictionJob:
    """Take up a failed job again, from the parts that it has finished. For operators."""
    services().operators.admit(app.header("X-Operator-Token"))
    return services().prediction_jobs.redrive(job_id)


# -- flights


@app.schedule(Rate(5, unit=Rate.MINUTES))
def ingest_flights(event: CloudWatchEvent) -> Any:
    """Poll OpenSky once, as far as the throttle, the breaker and the day's credits allow."""
    return report_or_raise(services().ingestion.poll)


@app.on_s3_event(bucket=environ.get("OMNIBUS_FLIGHTS_BUCKET", "flights"), prefix="raw/", suffix=".json.gz")
def process_flights(event: S3Notification) -> None:
    """Convert raw snapshots to Parquet."""
    for_each_object(event, lambda record: services().processing.process(record.key, again=record.event_name == REPLAY))


@app.on_s3_event(bucket=environ.get("OMNIBUS_FLIGHTS_BUCKET", "flights"), prefix="processed/", suffix=".parquet")
def validate_flights(event: S3Notification) -> None:
    """Judge processed snapshots by the 16 checks; quarantine those that fail."""
    for_each_object(event, lambda record: services().validation.validate(record.key))


@app.lambda_function()
def release_flights(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Release a snapshot from quarantine, by an operator's direct invocation."""
    return invoked(ReleaseRequest, event, services().flight_review.release)


@app.route("/flights/latest", cors=CORS, query=LatestQuery, returns=Latest, tag="flights")
def latest_flights() -> Latest:
    """The aircraft of the newest snapshot that passed validation, in a box and a flight phase."""
    return services().flights.latest(app.query(LatestQuery))


@app.route("/flights/quality", cors=CORS, query=QualityQuery, returns=QualityHistory, tag="flights")
def flights_quality() -> QualityHistory:
    """The verdicts of the last days, and the checks that failed most."""
    return services().flights.quality(app.query(QualityQuery))


@app.route("/flights/runs/{tracking_id}", cors=CORS, returns=Run, tag="flights")
def flights_run(tracking_id: str) -> Run:
    """One snapshot's way through the pipeline."""
    return services().flights.run(tracking_id)


@app.route(
    "/flights/replays",
    methods=["POST"],
    cors=CORS,
    body=ReplayRequest,
    returns=Replay,
    status=202,
    headers=["X-Operator-Token"],
    tag="flights",
)
def replay_flights() -> Replay:
    """Process the raw snapshots of a time range again; doing it twice changes nothing. For operators."""
    services().operators.admit(app.header("X-Operator-Token"))
    return services().flight_replays.start(app.body(ReplayRequest))


# -- spendsense

# -- uploads

UPLOADS_CORS = Cors(headers=(*CORS.headers, "X-Owner-Token", "X-Upload-Token"))


@app.route(
    "/sessions",
    methods=["POST"],
    cors=UPLOADS_CORS,
    query=NewSessionQuery,
    returns=NewSession,
    status=201,
    tag="uploads",
)
def open_upload_session() -> NewSession:
    """Open an upload session for the desktop; the answer alone shows its tokens and its QR code."""
    phone_page = app.query(NewSessionQuery).phone_page or app.address("u/")
    return services().upload_sessions.open(app.source_ip(), phone_page)


@app.route(
    "/sessions/{session_id}",
    cors=UPLOADS_CORS,
    query=SessionQuery,
    returns=SessionView,
    headers=["X-Owner-Token", "X-Upload-Token"],
    tag="uploads",
)
def upload_session(session_id: str) -> SessionView:
    """Tell where a session stands, to either side's token; the image's address to the owner's only."""
    query = app.query(SessionQuery)
    owner, upload = app.header("X-Owner-Token"), app.header("X-Upload-Token")
    return services().upload_sessions.view(session_id, owner or query.owner_token, upload or query.upload_token)


@app.route(
    "/sessions/{session_id}",
    methods=["DELETE"],
    cors=UPLOADS_CORS,
    returns=None,
    status=204,
    headers=["X-Owner-Token"],
    tag="uploads",
)
def end_upload_session(session_id: str) -> None:
    """Forget a session and delete its image."""
    services().upload_sessions.end(session_id, app.header("X-Owner-Token"))


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
    return services().upload_sessions.permit(app.query(UploadUrlQuery), app.header("X-Upload-Token"))


@app.route("/upload", produces="text/html", tag="uploads")
def upload_desktop_page() -> Page:
    """The desktop's page: shows the QR code, then the photo."""
    return Page(*services().upload_site.desktop())


@app.route("/u/{token}", produces="text/html", tag="uploads")
def upload_phone_page(token: str) -> Page:
    """The phone's page: takes the photo and sends it."""
    return Page(*services().upload_site.phone())


@app.route("/upload/assets/{name}", produces="text/plain", tag="uploads")
def upload_asset(name: str) -> Page:
    """A style sheet or module of the two pages."""
    return Page(*services().upload_site.asset(name))


@app.on_s3_event(bucket=environ.get("OMNIBUS_UPLOADS_BUCKET", "uploads"), prefix="session-uploads/")
def upload_completed(event: S3Notification) -> None:
    """Look at what was uploaded, decide its session, tell the desktop."""
    for_each_object(event, lambda it: services().upload_completion.arrived(it.key, it.version_id or "", it.sequencer))


@app.on_sqs_message(queue=environ.get("OMNIBUS_UPLOADS_OUTBOX", "upload-notices"), batch_size=10)
def notify_uploads(batch: QueueBatch) -> dict[str, Any]:
    """Tell desktops what could not be told at once."""
    return for_each_message(batch, lambda it: services().upload_notices.retry_message(it.body.encode()))


# -- sockets: one WebSocket API; a connection is the uploads' unless it says `channel=chat`


@app.on_ws_connect()
def connect(event: WebsocketEvent) -> dict[str, Any]:
    """Bind a desktop to its upload session; a chat's socket is bound to nothing."""
    return accept(event, admit)


def admit(connection: Connection) -> None:
    """Let a chat's socket in, and an upload's to its session."""
    if connection.query.get("channel") != "chat":
        services().upload_presence.admit(connection, connection.query)


@app.on_ws_message()
def message(event: WebsocketEvent) -> dict[str, Any]:
    """Answer what a socket asks: `sync` and `ping` for uploads, `chat`."""
    presence, post = services().upload_presence, services().connections.post
    return dispatch(event, {"sync": presence.sync, "ping": presence.ping, "chat": chat_over_socket}, post)


def chat_over_socket(connection: Connection, message: Mapping[str, Any]) -> None:
    """Answer a chat message as the words arise."""
    asked = decode_json(encode(message), ChatMessage)
    stream_chat(services().conversation, asked, partial(services().connections.post, connection))


@app.on_ws_disconnect()
def disconnect(event: WebsocketEvent) -> dict[str, Any]:
    """Forget a socket."""
    return release(event, lambda it: services().upload_presence.forget(it.id))
