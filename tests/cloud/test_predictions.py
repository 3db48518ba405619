"""Predictions end to end on the local cloud: real workers under their own roles, S3, the distributed map."""

import gzip
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pandas as pd
import psutil
import pytest
from websockets.sync.client import connect

from chalicelib.adapters.predictions.signing import KmsKey, SharedSecret
from chalicelib.predictions.places import parse_uri
from chalicelib.predictions.publishing import artifact_of
from chalicelib.predictions.trust import MANIFEST_SUFFIX, seal
from local.cloud import PREDICTIONS_AT_ONCE, Cloud
from local.supervisor import read_state
from tests.patience import PATIENCE_S, until
from tests.sizes import sized
from tests.unit.predictions.studio import FEATURES, NOW, csv_of, rows, trained

pytestmark = pytest.mark.cloud

MIB = 1024 * 1024
STEPS = ("predict_plan", "predict_part", "predict_complete")
ENDED = ("succeeded", "failed", "cancelled")


class Predictions:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.s3 = cloud.client("s3")
        self.bucket = cloud.buckets["predictions"]
        self.models = cloud.buckets["models"]
        self.key = SharedSecret(cloud.client("secretsmanager"), cloud.outputs["ModelSigningKeyArn"])
        self.folder = uuid4().hex

    def publish(self, kind: str = "linear", key: Any = None) -> str:
        name = f"{self.folder}/{kind}.skops"
        uri = f"s3://{self.models}/{name}"
        artifact = artifact_of(trained(kind), FEATURES, parse_uri("uri", uri), "skops", NOW)
        self.s3.put_object(Bucket=self.models, Key=name, Body=artifact.content)
        sealed = seal(artifact.manifest, key or self.key)
        self.s3.put_object(Bucket=self.models, Key=name + MANIFEST_SUFFIX, Body=sealed)
        return uri

    def put(self, name: str, data: bytes) -> str:
        key = f"data/{self.folder}/{name}"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)
        return f"s3://{self.bucket}/{key}"

    def output(self, name: str) -> str:
        return f"s3://{self.bucket}/output/{self.folder}/{name}"

    def read(self, uri: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=uri.split("/", 3)[3])["Body"].read()
        return body

    def exists(self, uri: str) -> bool:
        return bool(self.s3.list_objects_v2(Bucket=self.bucket, Prefix=uri.split("/", 3)[3])["KeyCount"])

    def uploads(self) -> list[Any]:
        listed: list[Any] = self.s3.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        return [upload for upload in listed if self.folder in upload["Key"]]

    def event(self, model: str, data: str, output: str, **more: Any) -> dict[str, Any]:
        return {
            "model_s3_uri": model,
            "data_s3_uri": data,
            "output_s3_uri": output,
            "prediction_column_name": "price",
            "feature_columns": list(FEATURES),
            **more,
        }

    def predict(self, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        answer = self.cloud.invoke("predict_batch", event)
        return answer["statusCode"], json.loads(answer["body"])

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"X-Operator-Token": self.cloud.operator_token}
        return httpx.request(
            method, f"{self.cloud.rest_url}/predictions{path}", json=body, headers=headers, timeout=PATIENCE_S
        )

    def submit(self, event: dict[str, Any]) -> str:
        answer = self.call("POST", "", event)
        assert answer.status_code == 202, answer.text
        job_id: str = answer.json()["job_id"]
        return job_id

    def job(self, job_id: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            job: dict[str, Any] = self.call("GET", f"/{job_id}").json()
            return job if wanted(job) else None

        found: dict[str, Any] = until(look)
        return found

    def ended(self, job_id: str) -> dict[str, Any]:
        return self.job(job_id, lambda job: job["state"] in ENDED)

    def run_of(self, job_id: str) -> str:
        machine = self.cloud.state_machines["predictions"]
        return f"{machine.replace(':stateMachine:', ':execution:')}:{job_id}-1"

    def workers(self, function: str) -> int:
        """How many processes of a function there are; an idle one ends after a minute."""
        gate = psutil.Process(read_state(Path(self.cloud.home)).servers["ministack"].pid)  # type: ignore[union-attr]
        return sum(f"ministack-lambda-{function}-" in " ".join(child.cmdline()) for child in gate.children())

    def logged(self, function: str, text: str) -> bool:
        group = f"/aws/lambda/{self.cloud.functions[function]}"
        events = self.cloud.client("logs").filter_log_events(logGroupName=group)["events"]
        return any(text in event["message"] for event in events)

    @contextmanager
    def settings(self, function: str, **changes: str) -> Iterator[None]:
        """The function with other variables, for as long as the block runs."""
        functions = self.cloud.client("lambda")
        name = self.cloud.functions[function]
        before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": {**before, **changes}})
        try:
            yield
        finally:
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})


@pytest.fixture
def predictions(cloud: Cloud) -> Predictions:
    return Predictions(cloud)


@pytest.fixture(scope="class")
def in_parts(cloud: Cloud) -> Iterator[None]:
    """Jobs in parts of a megabyte; changed once for a class, because each change starts the function anew."""
    small = {"OMNIBUS_PREDICTIONS_SINGLE_CALL_BYTES": "1000", "OMNIBUS_PREDICTIONS_PART_BYTES": str(MIB)}
    with Predictions(cloud).settings("predict_plan", **small):
        yield


def prices(data: bytes) -> Any:
    return pd.read_csv(io.BytesIO(data))["price"].to_numpy()


def test_one_call_scores_what_the_model_predicts(predictions: Predictions) -> None:
    data = predictions.put("rows.csv", csv_of(rows(50_000)))
    output = predictions.output("rows.csv")

    status, body = predictions.predict(predictions.event(predictions.publish(), data, output))

    assert (status, body["rows"]) == (200, 50_000)
    scored = predictions.read(output)
    assert body["bytes"] == len(scored)
    np.testing.assert_array_equal(prices(scored), trained("linear").predict(rows(50_000)))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"data_s3_uri": "s3://{bucket}/data/none.csv"}, "no_such_object"),
        ({"data_s3_uri": "s3://another-bucket/data/rows.csv"}, "not_allowed"),
        ({"model_s3_uri": "s3://{models}/none.skops"}, "manifest_missing"),
        ({"feature_columns": ["x"]}, "features_mismatch"),
        ({"prediction_column_name": "id"}, "column_exists"),
    ],
)
def test_refusals_are_named(predictions: Predictions, changes: dict[str, Any], code: str) -> None:
    event = predictions.event(
        predictions.publish(), predictions.put("rows.csv", csv_of(rows(5))), predictions.output("rows.csv")
    )
    names = {"bucket": predictions.bucket, "models": predictions.models}
    given = {key: value.format(**names) if isinstance(value, str) else value for key, value in changes.items()}
    status, body = predictions.predict({**event, **given})
    assert (status, body["error"]["code"]) == (400, code)
    assert not predictions.exists(predictions.output("rows.csv"))


def test_a_bucket_writer_without_the_key_publishes_nothing(predictions: Predictions) -> None:
    class Forger:
        key_name = "forged"

        def sign(self, message: bytes) -> bytes:
            return b"\0" * 32

    event = predictions.event(
        predictions.publish(key=Forger()), predictions.put("rows.csv", csv_of(rows(5))), predictions.output("rows.csv")
    )
    status, body = predictions.predict(event)
    assert (status, body["error"]["code"]) == (400, "signature_invalid")


def test_kms_vouches_for_a_model_too(predictions: Predictions) -> None:
    kms = predictions.cloud.client("kms")
    key = KmsKey(kms, kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"])
    message = b"omnibus " * 1000
    assert key.verify(message, key.sign(message))
    assert not key.verify(message + b"!", key.sign(message))


@pytest.mark.usefixtures("in_parts")
class TestDistributedMap:
    @pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz", "rows.parquet"])
    def test_its_bytes_are_those_of_a_single_call(self, predictions: Predictions, name: str) -> None:
        table = csv_of(rows(150_000)).replace(b"r77,", b'"r,\n""77""",')
        data, model = predictions.put("rows.csv", table), predictions.publish("boosting")
        alone, together = predictions.output(f"alone/{name}"), predictions.output(f"together/{name}")
        assert predictions.predict(predictions.event(model, data, alone))[0] == 200

        job = predictions.ended(predictions.submit(predictions.event(model, data, together)))

        assert job["state"] == "succeeded", job
        assert (job["rows_done"], job["rows_total"]) == (150_000, 150_000)
        assert job["parts_done"] == job["parts_total"] >= 3
        assert predictions.read(together) == predictions.read(alone)
        assert job["output_bytes"] == len(predictions.read(alone))
        assert predictions.uploads() == []

    def test_the_engine_ran_a_map(self, predictions: Predictions) -> None:
        event = predictions.event(
            predictions.publish(), predictions.put("rows.csv", csv_of(rows(100_000))), predictions.output("rows.csv")
        )
        job = predictions.ended(predictions.submit(event))
        states, run = predictions.cloud.client("stepfunctions"), predictions.run_of(job["job_id"])
        (map_run,) = states.list_map_runs(executionArn=run)["mapRuns"]
        counted = states.describe_map_run(mapRunArn=map_run["mapRunArn"])
        assert counted["itemCounts"]["succeeded"] == job["parts_total"]
        assert counted["maxConcurrency"] == PREDICTIONS_AT_ONCE

    def test_an_operators_socket_hears_of_a_job(self, predictions: Predictions) -> None:
        url, machine = f"{predictions.cloud.websocket_url}?channel=jobs", predictions.cloud.operator_token
        with connect(url, open_timeout=PATIENCE_S) as socket:
            socket.send(json.dumps({"action": "watch_jobs", "operator_token": machine}))
            assert json.loads(socket.recv(timeout=PATIENCE_S)) == {"action": "JOBS_WATCHED"}
            event = predictions.event(
                predictions.publish(), predictions.put("rows.csv", csv_of(rows(500))), predictions.output("rows.csv")
            )
            job_id, states = predictions.submit(event), []
            while "succeeded" not in states:
                told = json.loads(socket.recv(timeout=PATIENCE_S))
                assert told["action"] == "JOB"
                if told["job"]["job_id"] == job_id:
                    states.append(told["job"]["state"])
        assert states[0] == "running"

    def test_the_same_token_twice_is_one_job(self, predictions: Predictions) -> None:
        event = predictions.event(
            predictions.publish(),
            predictions.put("rows.csv", csv_of(rows(1000))),
            predictions.output("rows.csv"),
            client_token=predictions.folder,
        )
        first = predictions.submit(event)
        predictions.ended(first)
        assert predictions.submit(event) == first
        other = predictions.call("POST", "", {**event, "prediction_column_name": "cost"})
        assert (other.status_code, other.json()["error"]["code"]) == (409, "token_reused")

    def test_a_bad_row_fails_the_job_and_is_named(self, predictions: Predictions) -> None:
        table = csv_of(rows(100_000)).replace(b"r70000,", b"r70000,x", 1)
        output = predictions.output("rows.csv")
        event = predictions.event(predictions.publish(), predictions.put("rows.csv", table), output)
        job = predictions.ended(predictions.submit(event))
        assert (job["state"], job["error"]["code"]) == ("failed", "non_numeric_feature")
        assert job["error"]["message"].startswith("row 70001, column 'x'")
        assert not predictions.exists(output)
        assert predictions.uploads() == []

    def test_parts_that_fail_for_a_while_are_retried(self, predictions: Predictions) -> None:
        output = predictions.output("rows.csv")
        event = predictions.event(predictions.publish(), predictions.put("rows.csv", csv_of(rows(60_000))), output)
        broken = f"broken:{predictions.folder}"
        with predictions.settings("predict_part", OMNIBUS_PREDICTIONS_SIGNING_KEY_ARN=broken):
            job_id = predictions.submit(event)
            predictions.job(job_id, lambda job: predictions.logged("predict_part", broken))
            assert predictions.call("GET", f"/{job_id}").json()["state"] == "running"
        job = predictions.ended(job_id)
        assert job["state"] == "succeeded", job
        assert predictions.exists(output)

    def test_a_failed_job_is_taken_up_again(self, predictions: Predictions) -> None:
        model, output = predictions.publish(), predictions.output("rows.csv")
        event = predictions.event(model, predictions.put("rows.csv", csv_of(rows(60_000))), output)
        self.hide_the_key(predictions, model)
        job = predictions.ended(job_id := predictions.submit(event))
        assert (job["state"], job["error"]["code"]) == ("failed", "manifest_missing")

        assert predictions.publish() == model
        again = predictions.call("POST", f"/{job_id}/redrive")

        assert (again.status_code, again.json()["attempt"]) == (202, 2)
        job = predictions.ended(job_id)
        assert (job["state"], job["error"]) == ("succeeded", None)
        np.testing.assert_array_equal(prices(predictions.read(output)), trained("linear").predict(rows(60_000)))

    def hide_the_key(self, predictions: Predictions, model: str) -> None:
        predictions.s3.delete_object(Bucket=predictions.models, Key=model.split("/", 3)[3] + MANIFEST_SUFFIX)

    def test_a_cancelled_job_writes_nothing(self, predictions: Predictions) -> None:
        output = predictions.output("rows.csv")
        data = predictions.put("rows.csv", csv_of(rows(400_000)))
        job_id = predictions.submit(predictions.event(predictions.publish("forest"), data, output))
        predictions.job(job_id, lambda job: job["state"] == "running")

        cancelled = predictions.call("DELETE", f"/{job_id}")

        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
        states, run = predictions.cloud.client("stepfunctions"), predictions.run_of(job_id)
        until(lambda: not self.open_parts(states, run))  # the emulator lets the parts of a stopped run go on
        status = states.describe_execution(executionArn=run)["status"]
        assert status in ("ABORTED", "SUCCEEDED")  # stopped, or ended by its steps' answers; FAILED would alarm
        predictions.cloud.invoke("predict_complete", {"job_id": job_id})  # a step that was on its way
        assert predictions.ended(job_id)["state"] == "cancelled"
        assert not predictions.exists(output)
        assert predictions.uploads() == []

    def open_parts(self, states: Any, run: str) -> int:
        runs = states.list_map_runs(executionArn=run)["mapRuns"]
        counted = [states.describe_map_run(mapRunArn=it["mapRunArn"])["itemCounts"] for it in runs]
        return sum(it["pending"] + it["running"] for it in counted)


@pytest.mark.load
def test_many_jobs_wait_for_the_functions_that_score_them(predictions: Predictions) -> None:
    """Each of these functions takes hundreds of megabytes of the machine, whoever started how many jobs."""
    functions = [predictions.cloud.functions[name] for name in STEPS]
    for name in functions:
        granted = predictions.cloud.client("lambda").get_function_concurrency(FunctionName=name)
        assert granted["ReservedConcurrentExecutions"] == PREDICTIONS_AT_ONCE
    data, model = predictions.put("rows.csv", csv_of(rows(200))), predictions.publish()
    jobs = [
        predictions.submit(predictions.event(model, data, predictions.output(f"{number}.csv")))
        for number in range(sized(8, 50))
    ]
    assert [predictions.ended(job_id)["state"] for job_id in jobs] == ["succeeded"] * len(jobs)
    begun = [predictions.workers(name) for name in functions]
    assert all(count <= PREDICTIONS_AT_ONCE for count in begun), begun


def test_what_is_too_large_for_one_call_is_handed_over(predictions: Predictions) -> None:
    output = predictions.output("rows.csv")
    event = predictions.event(predictions.publish(), predictions.put("rows.csv", csv_of(rows(2000))), output)
    with predictions.settings("predict_batch", OMNIBUS_PREDICTIONS_SINGLE_CALL_BYTES="1000"):
        status, body = predictions.predict(event)
    assert status == 202
    assert predictions.ended(body["job_id"])["state"] == "succeeded"
    assert predictions.exists(output)


def test_gzip_goes_in_and_out(predictions: Predictions) -> None:
    data = predictions.put("rows.csv.gz", gzip.compress(csv_of(rows(5000))))
    output = predictions.output("rows.csv.gz")
    assert predictions.predict(predictions.event(predictions.publish(), data, output))[0] == 200
    expected = trained("linear").predict(rows(5000))
    np.testing.assert_array_equal(prices(gzip.decompress(predictions.read(output))), expected)


def test_functions_may_not_read_outside_their_places(predictions: Predictions) -> None:
    """The role, not only the allow-list, keeps a function to its places."""
    iam = predictions.cloud.client("iam")
    arn = predictions.cloud.client("lambda").get_function_configuration(
        FunctionName=predictions.cloud.functions["predict_part"]
    )["Role"]
    role = arn.rsplit("/", 1)[1]
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    assert names
    for name in names:
        document = json.dumps(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        assert "output/" not in document
        assert "kms:Sign" not in document
