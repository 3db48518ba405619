"""Predictions at the edge: the direct invocation's contract, the state machine's steps, and the routes of jobs."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from chalice.test import Client
from msgspec.structs import replace

from chalicelib.errors import (
    Conflict,
    Forbidden,
    NotFound,
    OmnibusError,
    RateLimited,
    Unprocessable,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from chalicelib.predictions.catalogue import PredictionCatalogue
from chalicelib.predictions.jobs import PredictionJobs
from chalicelib.predictions.models import (
    Done,
    HandedOver,
    ModelFeature,
    Planned,
    PredictionEstimate,
    PredictionOutcome,
    Preview,
)
from chalicelib.predictions.trust import Manifest, seal
from chalicelib.wiring import Services
from tests.environment import OPERATOR_TOKEN
from tests.events import socket_event
from tests.fakes.clock import Clock
from tests.fakes.connections import FakeConnections
from tests.fakes.predictions import (
    MemoryHolder,
    MemoryJobs,
    MemoryKey,
    MemoryNews,
    MemoryObjects,
    MemoryShelf,
    MemoryWorkflow,
)

TOKEN = {"X-Operator-Token": OPERATOR_TOKEN}
REQUEST = {
    "model_s3_uri": "s3://models/price.skops",
    "data_s3_uri": "s3://predictions/data/rows.csv",
    "output_s3_uri": "s3://predictions/output/rows.csv",
    "prediction_column_name": "price",
    "feature_columns": ["x", "y"],
}
OUTCOME = PredictionOutcome(
    rows=3,
    bytes=40,
    model_sha256="0" * 64,
    output_s3_uri="s3://predictions/output/rows.csv",
    seconds=1.5,
    peak_mib=99.5,
)


ESTIMATE = PredictionEstimate(
    rows=9,
    rows_are_counted=True,
    rows_checked=9,
    columns=2,
    features=[ModelFeature("x"), ModelFeature("y", "text", missing=True)],
    model_sha256="0" * 64,
    seconds=0.5,
    cost_usd=0.00001,
)
HELD = {"DryRun": ESTIMATE, "PreviewOrder": Preview(predictions=[1.5, None], model_sha256="0" * 64)}


MANIFEST = Manifest(
    version=2,
    uri="s3://models/price.skops",
    sha256="0" * 64,
    bytes=9,
    format="skops",
    estimator="sklearn.linear_model.Ridge",
    libraries={},
    features=tuple(ESTIMATE.features),
    output_dtype="float64",
    created_at="2026-11-20T12:00:00+00:00",
    input="frame",
    metrics={"r2": 0.5},
)


class Answers:
    """A service that answers every call, or raises an error."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    def __call__(self, asked: Any, *more: Any, **named: Any) -> Any:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    respond = plan = score = complete = __call__


@pytest.fixture
def objects() -> MemoryObjects:
    objects = MemoryObjects()
    objects.put(REQUEST["model_s3_uri"], b"model")  # type: ignore[arg-type]
    objects.put(REQUEST["data_s3_uri"], b"x,y\n1,2\n")  # type: ignore[arg-type]
    return objects


@pytest.fixture
def jobs(services: Services, objects: MemoryObjects) -> PredictionJobs:
    places = services.predictions.places
    store, ids = MemoryJobs(), iter(f"job-{n}" for n in range(99))
    news, holder = MemoryNews().about(store), MemoryHolder(lambda asked: HELD[type(asked).__name__])
    jobs = PredictionJobs(objects, store, MemoryWorkflow(), places, Clock(), ids.__next__, news, holder)
    services.predictions.jobs = jobs
    return jobs


@pytest.fixture
def catalogue(services: Services, objects: MemoryObjects) -> PredictionCatalogue:
    places, shelf = services.predictions.places, MemoryShelf(objects)
    catalogue = PredictionCatalogue(objects, shelf, MemoryKey(), MemoryJobs(), places, Clock(), lambda: "id")
    services.predictions.catalogue = catalogue
    return catalogue


def invoke(client: Client, function: str, event: Any) -> Any:
    return client.lambda_.invoke(function, event).payload


class TestDirectInvocation:
    def test_the_answer_is_a_proxys(self, client: Client, services: Services) -> None:
        services.predictions.batch = service = Answers(OUTCOME)  # type: ignore[assignment]
        answer = invoke(client, "predict_batch", REQUEST)
        assert answer["statusCode"] == 200
        assert msgspec.json.decode(answer["body"]) == msgspec.to_builtins(OUTCOME)
        assert service.asked[0].feature_columns == ("x", "y")

    def test_what_becomes_a_job_is_accepted(self, client: Client, services: Services) -> None:
        services.predictions.batch = Answers(HandedOver(job_id="job-1", reason="too large"))  # type: ignore[assignment]
        answer = invoke(client, "predict_batch", REQUEST)
        assert answer["statusCode"] == 202
        assert msgspec.json.decode(answer["body"])["job_id"] == "job-1"

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (Unprocessable("m", code="missing_column"), 400),
            (NotFound("m", code="no_such_object"), 400),
            (Forbidden("m", code="access_denied"), 400),
            (Conflict("m", code="output_exists"), 400),
            (RateLimited("m"), 429),
            (UpstreamUnavailable("m"), 503),
            (UpstreamTimeout("m"), 503),
            (OmnibusError("m", code="out_of_time"), 500),
        ],
    )
    def test_errors_have_a_status_of_the_contract_and_a_code(
        self, client: Client, services: Services, error: OmnibusError, status: int
    ) -> None:
        services.predictions.batch = Answers(error)  # type: ignore[assignment]
        answer = invoke(client, "predict_batch", REQUEST)
        assert answer["statusCode"] == status
        assert msgspec.json.decode(answer["body"])["error"]["code"] == error.code

    def test_a_missing_field_is_named(self, client: Client) -> None:
        answer = invoke(client, "predict_batch", {**REQUEST, "feature_columns": None})
        assert answer["statusCode"] == 400
        assert "feature_columns" in msgspec.json.decode(answer["body"])["error"]["message"]
        answer = invoke(client, "predict_batch", {"model_s3_uri": "s3://models/m"})
        assert msgspec.json.decode(answer["body"])["error"]["code"] == "missing_field"

    def test_the_unknown_is_opaque(self, client: Client, services: Services) -> None:
        services.predictions.batch = Answers(KeyError("secret"))  # type: ignore[assignment]
        answer = invoke(client, "predict_batch", REQUEST)
        assert answer["statusCode"] == 500
        assert "secret" not in answer["body"]
        assert "Traceback" not in answer["body"]

    def test_a_setting_that_is_wrong_is_opaque_too(self, client: Client, services: Services) -> None:
        wrong = replace(services.settings.predictions, signing_key_arn="arn:aws:s3:::no-key")
        services.predictions._settings = wrong
        answer = invoke(client, "predict_batch", REQUEST)
        assert answer["statusCode"] == 500
        assert "no-key" not in answer["body"]


class TestSteps:
    def test_a_step_answers_plain_values(self, client: Client, services: Services) -> None:
        planned = Planned(job_id="job-1", bucket="scratch", key="jobs/job-1/parts.json", parts=2)
        services.predictions.steps = Answers(planned)  # type: ignore[assignment]
        assert invoke(client, "predict_plan", {"job_id": "job-1"}) == msgspec.to_builtins(planned)
        services.predictions.steps = Answers(Done(job_id="job-1", rows=2, bytes=9))  # type: ignore[assignment]
        part = {"job_id": "job-1", "number": 1, "start": 4, "stop": 9, "first_row": 0, "rows": 2}
        assert invoke(client, "predict_part", part)["rows"] == 2
        assert invoke(client, "predict_complete", {"job_id": "job-1"})["bytes"] == 9

    def test_what_would_fail_for_ever_is_an_answer(self, client: Client, services: Services) -> None:
        services.predictions.steps = Answers(Conflict("The job is cancelled.", code="cancelled"))  # type: ignore[assignment]
        answer = invoke(client, "predict_plan", {"job_id": "job-1"})
        assert answer == {"failed": {"code": "cancelled", "message": "The job is cancelled."}}

    @pytest.mark.parametrize("error", [RateLimited("m"), UpstreamUnavailable("m"), UpstreamTimeout("m"), KeyError("m")])
    def test_what_may_pass_raises(self, client: Client, services: Services, error: Exception) -> None:
        services.predictions.steps = Answers(error)  # type: ignore[assignment]
        with pytest.raises(type(error)):
            invoke(client, "predict_complete", {"job_id": "job-1"})


@pytest.mark.usefixtures("jobs")
class TestJobs:
    def test_a_job_is_submitted_watched_and_cancelled(self, api: Callable[..., Any]) -> None:
        submitted = api("POST", "/predictions", REQUEST, TOKEN)
        assert (submitted.status, submitted.body["state"]) == (202, "queued")
        path = f"/predictions/{submitted.body['job_id']}"
        assert api("GET", path, headers=TOKEN).body == submitted.body
        assert api("GET", "/predictions?limit=1", headers=TOKEN).body == {"jobs": [submitted.body], "next": None}
        assert api("DELETE", path, headers=TOKEN).body["state"] == "cancelled"

    def test_the_same_token_twice_is_one_job(self, api: Callable[..., Any], jobs: PredictionJobs) -> None:
        answers = [api("POST", "/predictions", {**REQUEST, "client_token": "t"}, TOKEN) for _ in range(2)]
        assert answers[0].body == answers[1].body
        assert len(jobs.workflow.started) == 1  # type: ignore[attr-defined]

    def test_a_failed_job_is_redriven(self, api: Callable[..., Any], jobs: PredictionJobs) -> None:
        job_id = api("POST", "/predictions", REQUEST, TOKEN).body["job_id"]
        assert api("POST", f"/predictions/{job_id}/redrive", headers=TOKEN).status == 409
        jobs.store.update(job_id, {"state": "failed"}, states=["queued"])
        answer = api("POST", f"/predictions/{job_id}/redrive", headers=TOKEN)
        assert (answer.status, answer.body["attempt"]) == (202, 2)

    def test_a_dry_run_starts_nothing(self, api: Callable[..., Any], jobs: PredictionJobs) -> None:
        answer = api("POST", "/predictions?dry_run=true", REQUEST, TOKEN)
        assert (answer.status, answer.body["state"], answer.body["estimate"]["rows"]) == (202, "checked", 9)
        assert jobs.workflow.started == []  # type: ignore[attr-defined]

    def test_a_preview_is_mlflows(self, api: Callable[..., Any]) -> None:
        rows = {"dataframe_split": {"columns": ["x", "y"], "data": [[1, 2], [3, None]]}}
        answer = api("POST", "/predictions/preview", {"model_s3_uri": "s3://models/m.skops", **rows}, TOKEN)
        assert (answer.status, answer.body["predictions"]) == (200, [1.5, None])
        many = {"dataframe_records": [{"x": 1}] * 101, "model_s3_uri": "s3://models/m.skops"}
        assert api("POST", "/predictions/preview", many, TOKEN).status == 400

    def test_a_job_knows_its_submitter_and_the_list_filters_by_state(self, api: Callable[..., Any]) -> None:
        job = api("POST", "/predictions", REQUEST, TOKEN).body
        assert job["submitted_by"] == "machine"
        assert api("GET", "/predictions?state=queued", headers=TOKEN).body["jobs"] == [job]
        assert api("GET", "/predictions?state=failed", headers=TOKEN).body["jobs"] == []

    def test_an_event_starts_a_job_once(self, client: Client, jobs: PredictionJobs) -> None:
        event = {"id": "e-1", "source": "predictions", "detail-type": "Prediction Requested", "detail": REQUEST}
        event |= {"account": "1", "time": "2026-11-21T12:00:00Z", "region": "eu-west-1", "resources": []}
        event["version"] = "0"
        for _ in range(2):
            assert invoke(client, "predict_batch", event)["submitted_by"] == "event"
        assert len(jobs.workflow.started) == 1  # type: ignore[attr-defined]
        assert invoke(client, "predict_batch", {**event, "detail": {"surprise": 1}}) is None

    def test_output_of_a_job_that_has_none(self, api: Callable[..., Any], catalogue: PredictionCatalogue) -> None:
        job = api("POST", "/predictions", REQUEST, TOKEN).body
        answer = api("GET", f"/predictions/{job['job_id']}/output", headers=TOKEN)
        assert (answer.status, answer.body["error"]["code"]) == (409, "not_succeeded")

    def test_models_and_data(
        self, api: Callable[..., Any], objects: MemoryObjects, catalogue: PredictionCatalogue
    ) -> None:
        content = seal(MANIFEST, MemoryKey())
        objects.put("s3://models/price.skops.manifest.json", content)
        objects.put("s3://models/forged.skops.manifest.json", content)
        page = api("GET", "/predictions/models", headers=TOKEN).body
        (model,) = page["models"]
        assert (model["name"], model["features"][1]["type"], model["metrics"]) == ("price", "text", {"r2": 0.5})
        assert api("GET", f"/predictions/models/{model['model_id']}", headers=TOKEN).body == model
        for wrong in ("none", "czM6Ly9lbHNld2hlcmUvbQ", "%ff"):
            assert api("GET", f"/predictions/models/{wrong}", headers=TOKEN).status in (400, 404)
        form = api("POST", "/predictions/data", {"name": "rows.csv"}, TOKEN)
        assert (form.status, form.body["data_s3_uri"]) == (201, "s3://predictions/data/uploads/id/rows.csv")
        assert api("POST", "/predictions/data", {"name": "rows.xlsx"}, TOKEN).status == 400
        assert api("POST", "/predictions/data", {"name": "../rows.csv"}, TOKEN).status == 400
        files = api("GET", "/predictions/data", headers=TOKEN).body["files"]
        assert [it["data_s3_uri"] for it in files] == ["s3://predictions/data/rows.csv"]

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", ""),
            ("GET", ""),
            ("GET", "/job-1"),
            ("DELETE", "/job-1"),
            ("POST", "/job-1/redrive"),
            ("GET", "/models"),
            ("GET", "/data"),
            ("GET", "/job-1/output"),
        ],
    )
    def test_jobs_are_for_operators(self, api: Callable[..., Any], method: str, path: str) -> None:
        for headers in ({}, {"X-Operator-Token": "guessed"}):
            answer = api(method, f"/predictions{path}", REQUEST if method == "POST" else None, headers)
            assert (answer.status, answer.body["error"]["code"]) == (403, "forbidden")

    @pytest.mark.parametrize(
        ("changes", "status", "code"),
        [
            ({"data_s3_uri": "gs://predictions/data/rows.csv"}, 400, "malformed_uri"),
            ({"data_s3_uri": None}, 400, "invalid_input"),
            ({"surprise": 1}, 400, "invalid_input"),
            ({"feature_columns": []}, 400, "invalid_input"),
            ({"client_token": "with a blank"}, 400, "invalid_input"),
            ({"data_s3_uri": "s3://predictions/data/rows.xlsx"}, 400, "unknown_format"),
            ({"data_s3_uri": "s3://elsewhere/data/rows.csv"}, 403, "not_allowed"),
            ({"data_s3_uri": "s3://predictions/data/none.csv"}, 404, "no_such_object"),
            ({"output_s3_uri": "s3://predictions/output/there.csv"}, 409, "output_exists"),
            ({"prediction_column_name": "x"}, 422, "column_exists"),
        ],
    )
    def test_bad_requests_have_their_status_and_code(
        self, api: Callable[..., Any], objects: MemoryObjects, changes: dict[str, Any], status: int, code: str
    ) -> None:
        objects.put("s3://predictions/output/there.csv", b"precious")
        answer = api("POST", "/predictions", {**REQUEST, **changes}, TOKEN)
        assert (answer.status, answer.body["error"]["code"]) == (status, code)

    def test_a_job_that_is_not_there(self, api: Callable[..., Any]) -> None:
        answer = api("GET", "/predictions/none", headers=TOKEN)
        assert (answer.status, answer.body["error"]["code"]) == (404, "no_such_job")

    @pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "after=", "more=1"])
    def test_bad_queries(self, api: Callable[..., Any], query: str) -> None:
        assert api("GET", f"/predictions?{query}", headers=TOKEN).status == 400


class TestSocket:
    @pytest.mark.parametrize(
        ("proof", "code"),
        [
            ({"operator_token": OPERATOR_TOKEN}, None),
            ({"operator_token": "guessed"}, "forbidden"),
            ({"authorization": "Bearer guessed"}, "unauthenticated"),
            ({}, "forbidden"),
            ({"operator_token": 1}, "invalid_input"),
        ],
    )
    def test_operators_alone_hear_of_jobs(
        self, client: Client, services: Services, jobs: PredictionJobs, proof: dict[str, Any], code: str | None
    ) -> None:
        services.shared.connections = connections = FakeConnections()  # type: ignore[assignment]
        asked = msgspec.json.encode({"action": "watch_jobs", **proof}).decode()
        client.lambda_.invoke("message", socket_event("$default", body=asked))
        ((_, answer),) = connections.sent
        assert answer.get("error", {}).get("code") == code
        assert (answer["action"] == "JOBS_WATCHED") == (code is None) == bool(jobs.store.watchers())

    def test_no_proof_is_taken_from_the_url(self, client: Client, jobs: PredictionJobs) -> None:
        query = {"channel": "jobs", "operator_token": OPERATOR_TOKEN}
        answer = client.lambda_.invoke("connect", socket_event("$connect", query=query)).payload
        assert answer["statusCode"] == 200
        assert not jobs.store.watchers()
