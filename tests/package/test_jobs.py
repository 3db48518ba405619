"""Every workload's real job, with nothing but the pruned package on its path; what it talks to is the local cloud."""

import base64
import io
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from chalicelib.adapters.redshift import RedshiftData
from chalicelib.concerts.models import TICKET_FEATURES
from local.cloud import Cloud
from local.people.generator import generate as generate_people
from local.people.load import load as load_people
from local.season.generator import generate as generate_season
from local.season.load import create_schema, load_by_copy
from tests.cloud.test_flights import Flights
from tests.cloud.test_predictions import Predictions
from tests.cloud.test_spendsense import sign_in
from tests.events import s3_event, schedule_event, socket_event, sqs_event
from tests.package.conftest import Function
from tests.patience import PATIENCE_S
from tests.unit.predictions.studio import FEATURES, csv_of, rows, trained

pytestmark = pytest.mark.cloud

Start = Callable[[str], Function]
HEAVY = {"numpy", "pyarrow", "sklearn", "scipy", "pandas"}
JPEG = b"\xff\xd8\xff\xe0" + bytes(20_000)


class Api:
    """The REST function of the package, as API Gateway invokes it."""

    def __init__(self, function: Function) -> None:
        self.function = function

    def __call__(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        resource: str = "",
        claims: dict[str, str] | None = None,
        **headers: str,
    ) -> Any:
        parts = urlsplit(target)
        resource = resource or parts.path
        names, values = resource.split("/"), parts.path.split("/")
        query: dict[str, list[str]] = {}
        for name, value in parse_qsl(parts.query):
            query.setdefault(name, []).append(value)
        answer = self.function(
            {
                "resource": resource,
                "path": parts.path,
                "httpMethod": method,
                "headers": {"Content-Type": "application/json", "Host": "api.example.com"}
                | {name.replace("_", "-"): value for name, value in headers.items()},
                "multiValueQueryStringParameters": query or None,
                "pathParameters": {n[1:-1]: v for n, v in zip(names, values, strict=True) if n.startswith("{")} or None,
                "stageVariables": None,
                "requestContext": {
                    "resourcePath": resource,
                    "httpMethod": method,
                    "requestId": str(uuid.uuid4()),
                    "identity": {"sourceIp": "203.0.113.7"},
                    **({"authorizer": {"claims": claims}} if claims else {}),
                },
                "body": None if body is None else json.dumps(body),
                "isBase64Encoded": False,
            }
        )
        text = answer["body"]
        assert answer["statusCode"] < 300, (answer["statusCode"], text)
        return json.loads(text) if isinstance(text, str) and text.startswith(("{", "[")) else text


@pytest.fixture
def api(function: Start) -> Api:
    return Api(function("api_handler"))


@pytest.fixture(scope="module")
def season(cloud: Cloud) -> None:
    """A season in the warehouse."""
    environment = cloud.environment
    target = {
        "WorkgroupName": environment["OMNIBUS_CONCERTS_REDSHIFT_WORKGROUP"],
        "Database": environment["OMNIBUS_CONCERTS_REDSHIFT_DATABASE"],
    }
    redshift = RedshiftData(cloud.client("redshift-data"), target, budget_s=PATIENCE_S)
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="season")
    create_schema(redshift)
    load_by_copy(
        generate_season(4_000, today=datetime.now(UTC).date()),
        redshift,
        lambda key, content: s3.put_object(Bucket="season", Key=f"p/{key}", Body=content),
        "s3://season/p/",
        lambda *_: None,
    )


def test_the_rest_function_serves_every_workload_without_a_layer(
    api: Api, cloud: Cloud, season: None, function: Start
) -> None:
    operator = {"X_Operator_Token": cloud.operator_token}
    assert api("GET", "/health")["status"] == "ok"
    assert len(api("GET", "/openapi.json")["paths"]) > 20
    assert api("POST", "/venues/popularity", {"top_n": 3, "min_events": 1})["venues"]
    concert = api("POST", "/recommendations", {"top_n": 1})["recommendations"][0]["concert_id"]
    assert api("POST", "/tickets/predict", {"concert_id": concert})["predicted_sales"]
    assert api("POST", "/chat", {"message": "Which venues are popular?", "user_id": "alice"})
    assert "jobs" in api("GET", "/predictions", **operator)
    assert "runs" in api("GET", "/flights/quality")
    assert "<!doctype html>" in api("GET", "/upload").lower()
    assert function("api_handler").modules.isdisjoint(HEAVY)


def test_flights_from_opensky_to_a_verdict(function: Start, cloud: Cloud, api: Api) -> None:
    flights = Flights(cloud)
    flights.forget()
    flights.turn_the_clock()
    fetched = function("ingest_flights")(schedule_event())
    assert fetched["outcome"] == "fetched"
    bucket = cloud.buckets["flights"]
    listed = cloud.client("s3").list_objects_v2(Bucket=bucket, Prefix="raw/")["Contents"]
    (raw,) = (each["Key"] for each in listed if fetched["tracking_id"] in each["Key"])
    function("process_flights")(s3_event(raw, bucket=bucket))
    run = api("GET", f"/flights/runs/{fetched['tracking_id']}", resource="/flights/runs/{tracking_id}")
    parquet = cloud.client("s3").get_object(Bucket=bucket, Key=run["processed_key"])["Body"].read()
    assert pq.read_table(io.BytesIO(parquet)).num_rows == run["rows"] > 10
    function("validate_flights")(s3_event(run["processed_key"], bucket=bucket))
    run = api("GET", f"/flights/runs/{fetched['tracking_id']}", resource="/flights/runs/{tracking_id}")
    assert run["status"] == "VALIDATED"
    assert function("process_flights").modules.isdisjoint({"sklearn", "scipy", "pandas"})
    assert api("GET", "/flights/latest?limit=3")["aircraft"]


@pytest.mark.parametrize("kind", ["linear", "forest", "boosting", "numbers"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_predictions_are_the_models_own(function: Start, cloud: Cloud, kind: str, form: str) -> None:
    predictions = Predictions(cloud)
    model = predictions.publish(kind)
    matrix = rows(500)
    data = csv_of(matrix)
    if form == "parquet":
        sink = io.BytesIO()
        pq.write_table(pa.csv.read_csv(io.BytesIO(data)), sink)
        data = sink.getvalue()
    output = predictions.output(f"{kind}.{form}")
    event = predictions.event(model, predictions.put(f"{kind}.{form}", data), output)
    answer = function("predict_batch")(event)
    assert answer["statusCode"] == 200, answer
    scored = predictions.read(output)
    table = pq.read_table(io.BytesIO(scored)) if form == "parquet" else pa.csv.read_csv(io.BytesIO(scored))
    expected = trained(kind).predict(matrix)
    np.testing.assert_allclose(table["price"].to_numpy(), expected, rtol=1e-12)
    if (kind, form) == ("linear", "csv"):  # the process's first
        assert function("predict_batch").modules.isdisjoint({"boto3", "asyncio", "pandas"})


def test_a_model_whose_parts_were_rewritten(function: Start, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quantiles are scipy.stats's, which scikit-learn loads in the package when it calls it."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer

    matrix = rows(300)
    quantiles = QuantileTransformer(n_quantiles=20, output_distribution="normal")
    estimator = make_pipeline(quantiles, Ridge()).fit(matrix, matrix[:, 0] * 3)
    monkeypatch.setattr("tests.cloud.test_predictions.trained", lambda _kind: estimator)
    predictions = Predictions(cloud)
    output = predictions.output("quantiles.csv")
    event = predictions.event(
        predictions.publish("quantiles"), predictions.put("quantiles.csv", csv_of(matrix)), output
    )
    assert function("predict_batch")(event)["statusCode"] == 200
    table = pa.csv.read_csv(io.BytesIO(predictions.read(output)))
    np.testing.assert_allclose(table["price"].to_numpy(), estimator.predict(matrix), rtol=1e-12)


def test_a_model_of_named_columns_has_its_frame(function: Start, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    matrix = rows(300)
    frame = pd.DataFrame(matrix, columns=list(FEATURES))
    scaled = ColumnTransformer([("scaled", StandardScaler(), ["x"])], remainder="passthrough")
    estimator = make_pipeline(scaled, Ridge()).fit(frame, matrix[:, 0] * 3)
    monkeypatch.setattr("tests.cloud.test_predictions.trained", lambda _kind: estimator)
    predictions = Predictions(cloud)
    output = predictions.output("named.csv")
    event = predictions.event(predictions.publish("named"), predictions.put("named.csv", csv_of(matrix)), output)
    assert function("predict_batch")(event)["statusCode"] == 200
    table = pa.csv.read_csv(io.BytesIO(predictions.read(output)))
    np.testing.assert_allclose(table["price"].to_numpy(), estimator.predict(frame), rtol=1e-12)


def test_a_job_in_parts(function: Start, cloud: Cloud) -> None:
    predictions = Predictions(cloud)
    model, output, matrix = predictions.publish("linear"), predictions.output("job.csv"), rows(500)
    predictions.s3.delete_object(Bucket=predictions.models, Key=model.split("/", 3)[3] + ".manifest.json")
    job_id = predictions.submit(predictions.event(model, predictions.put("job.csv", csv_of(matrix)), output))
    assert predictions.ended(job_id)["state"] == "failed", "nothing runs it now but the package"
    predictions.publish("linear")

    planned = function("predict_plan")({"job_id": job_id})
    parts = json.loads(predictions.s3.get_object(Bucket=planned["bucket"], Key=planned["key"])["Body"].read())
    assert sum(function("predict_part")(part)["rows"] for part in parts) == 500
    assert function("predict_complete")({"job_id": job_id})["rows"] == 500
    table = pa.csv.read_csv(io.BytesIO(predictions.read(output)))
    np.testing.assert_allclose(table["price"].to_numpy(), trained("linear").predict(matrix), rtol=1e-12)


def test_tickets_by_the_embedded_model(function: Start) -> None:
    answer = function("predict_tickets")({"rows": [[1.0] * len(TICKET_FEATURES)] * 2})
    assert len(answer["result"]["values"]) == 2
    assert answer["result"]["source"] == "embedded"


def test_the_ranking_is_refreshed(function: Start, season: None) -> None:
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    assert function("refresh_venue_popularity")({**schedule_event(), "time": moment})["venues"] > 0


def test_a_nights_features_personas_and_recommendations(function: Start, cloud: Cloud, api: Api) -> None:
    assert function("migrate")({})["result"]["version"] >= 4
    now = datetime.now(UTC)
    people = generate_people(100, seed=12, today=now.date())  # not those of the cloud tests
    somebody = next(each for each in people if each.persona == "high_utilization")
    assert cloud.database_url is not None
    load_people(cloud.database_url, [somebody], now)
    event = {**schedule_event(), "id": str(uuid.uuid4()), "time": now.isoformat(timespec="seconds")}
    outcome = function("compute_features")({**event, "detail": {"everyone": True}})
    assert (outcome["run_id"], outcome["users"] > 0) == (event["id"], True)
    single = {**event, "source": "spendsense", "detail-type": "User Signup", "id": str(uuid.uuid4())}
    assert function("recompute_features")({**single, "detail": {"subject": str(somebody.subject)}})["run_id"]
    stage = {"run_id": event["id"], "as_of": outcome["as_of"]}
    for job in ("assign_persona", "generate_recommendations"):
        done = function(job)({**event, "source": "spendsense", "detail-type": "Stage", "detail": stage})
        assert done["run_id"] == event["id"]


def test_somebody_signed_in(cloud: Cloud, api: Api, function: Start) -> None:
    function("migrate")({})
    token = sign_in(cloud, "alice")
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims = {name: " ".join(value) if isinstance(value, list) else str(value) for name, value in claims.items()}
    api("PUT", "/api/v1/users/me/profile", {"display_name": "Alice"}, claims=claims, Authorization=token)
    assert api("GET", "/api/v1/users/me/profile", claims=claims, Authorization=token)["display_name"] == "Alice"
    assert function("api_handler").modules.isdisjoint(HEAVY)


def test_a_photo_from_the_link_to_the_socket(function: Start, cloud: Cloud, api: Api) -> None:
    session = api("POST", "/sessions", X_Forwarded_For="203.0.113.7")
    session_id = session["sessionId"]
    query = {"sessionId": session_id, "ownerToken": session["ownerToken"]}
    connected = function("websocket_connect")(socket_event("$connect", connection_id="none-1", query=query))
    assert connected["statusCode"] == 200
    asked = json.dumps({"action": "ping", "sessionId": session_id})
    assert (
        function("websocket_message")(socket_event("message", connection_id="none-1", body=asked))["statusCode"] == 200
    )
    permission = api("GET", f"/upload-url?sessionId={session_id}", X_Upload_Token=session["uploadToken"])
    bucket, key = cloud.buckets["uploads"], permission["uploadKey"]
    stored = cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=JPEG, ContentType="image/jpeg")
    arrived = s3_event(key, bucket=bucket, size=len(JPEG))
    arrived["Records"][0]["s3"]["object"]["versionId"] = stored["VersionId"]
    function("upload_completed")(arrived)
    state = api(
        "GET", f"/sessions/{session_id}", resource="/sessions/{session_id}", X_Owner_Token=session["ownerToken"]
    )
    assert (state["status"], state["size"]) == ("COMPLETED", len(JPEG))
    outbox = json.dumps({"session_id": session_id})
    assert function("notify_uploads")(sqs_event(outbox))["batchItemFailures"] == []
    gone = function("websocket_disconnect")(socket_event("$disconnect", connection_id="none-1"))
    assert gone["statusCode"] == 200
