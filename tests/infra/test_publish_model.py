"""The commands around models: functions accept published models, and Batch Transform gets them."""

import importlib.util
import io
import json
import sys
import tarfile
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from botocore.exceptions import NoRegionError
from moto import mock_aws

from chalicelib.adapters.predictions.jobs import DynamoJobs
from chalicelib.adapters.predictions.objects import S3Objects
from chalicelib.adapters.predictions.signing import KmsKey
from chalicelib.errors import Conflict, Unprocessable
from chalicelib.predictions.estimators import Models
from chalicelib.predictions.places import ObjectUri
from chalicelib.predictions.trust import MANIFEST_SUFFIX
from infra.operate import batch_transform, publish_model
from tests.infra.template import table_definition
from tests.unit.predictions.studio import Studio, rows, trained

PLACE, URI = "s3://models/price.skops", ObjectUri("models", "price.skops")
TABLE = "jobs"


@pytest.fixture
def key() -> Iterator[str]:
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="models", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        made = boto3.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        table = table_definition("predictions", "PredictionJobsTable")
        boto3.client("dynamodb").create_table(**{**table, "TableName": TABLE})
        yield made["KeyMetadata"]["Arn"]


@pytest.fixture
def trained_file(tmp_path: Path) -> Path:
    path = tmp_path / "price.joblib"
    joblib.dump(trained("forest"), path)
    return path


def publish(*arguments: object, answer: str = "y") -> tuple[int, str]:
    said: list[str] = []
    given = [*map(str, arguments), "--table", TABLE]
    status = publish_model.main(given, said.append, lambda question: answer)
    return status, "\n".join(said)


def test_what_is_published_is_accepted(key: str, trained_file: Path) -> None:
    status, said = publish(trained_file, PLACE, "--features", "x,y", "--key", key)

    assert status == 0
    for fact in (
        "RandomForestRegressor",
        "  x  number     may be missing",
        "5, all sound",
        "sklearn.tree._tree.Tree",
        key,
        "published",
    ):
        assert fact in said
    model = models_of(key).open(URI, Studio().request())
    np.testing.assert_array_equal(model.predict(rows(9)), trained("forest").predict(rows(9)))


def models_of(key: str) -> Models:
    floors = DynamoJobs(boto3.client("dynamodb"), TABLE)
    return Models(S3Objects(boto3.client("s3")), KmsKey(boto3.client("kms"), key), floors)


def test_a_writer_of_the_bucket_cannot_put_an_older_model_back(key: str, trained_file: Path, tmp_path: Path) -> None:
    s3 = boto3.client("s3")
    arguments = (PLACE, "--features", "x,y", "--key", key, "--yes", "--overwrite")
    names = ("price.skops", f"price.skops{MANIFEST_SUFFIX}")
    assert publish(trained_file, *arguments)[0] == 0
    older = {name: s3.get_object(Bucket="models", Key=name)["Body"].read() for name in names}
    joblib.dump(trained("linear"), tmp_path / "newer.joblib")
    assert publish(tmp_path / "newer.joblib", *arguments)[0] == 0
    assert models_of(key).open_any(URI).manifest.estimator.endswith("LinearRegression")

    for name, content in older.items():
        s3.put_object(Bucket="models", Key=name, Body=content)

    with pytest.raises(Unprocessable) as refused:
        models_of(key).open_any(URI)
    assert refused.value.code == "model_superseded"
    assert publish(trained_file, *arguments)[0] == 0  # its publisher may go back to it
    assert models_of(key).open_any(URI).manifest.estimator.endswith("RandomForestRegressor")


def test_a_publisher_whose_clock_is_behind_gets_a_higher_serial(key: str, trained_file: Path) -> None:
    ahead = 2**42  # the year 2109, in ms
    floors = DynamoJobs(boto3.client("dynamodb"), TABLE)
    floors.raise_floor(URI, ahead)

    assert publish(trained_file, PLACE, "--features", "x,y", "--key", key, "--yes")[0] == 0

    assert models_of(key).open_any(URI).manifest.serial == floors.floor(URI) == ahead + 1
    with pytest.raises(Conflict):
        floors.raise_floor(URI, ahead)


def test_nothing_is_published_unless_it_is_wanted(key: str, trained_file: Path) -> None:
    status, said = publish(trained_file, PLACE, "--features", "x,y", "--key", key, answer="")
    assert (status, "nothing was published" in said) == (1, True)
    assert boto3.client("s3").list_objects_v2(Bucket="models")["KeyCount"] == 0


def test_a_model_is_not_replaced_unasked(key: str, trained_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (trained_file, PLACE, "--features", "x,y", "--key", key, "--yes")
    assert publish(*arguments)[0] == 0
    assert publish(*arguments)[0] == 1
    assert "exists" in capsys.readouterr().err
    assert publish(*arguments, "--overwrite")[0] == 0


def test_a_skops_file_and_joblib_on_request(key: str, tmp_path: Path) -> None:
    path = tmp_path / "price.skops"
    skops.io.dump(trained("linear"), path)
    status, said = publish(
        path, "s3://models/price.joblib", "--features", "x,y", "--format", "joblib", "--key", key, "--yes"
    )
    assert status == 0
    assert "joblib runs what it holds" in said


def test_features_are_asked_for_where_the_estimator_does_not_know_them(
    key: str, trained_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish(trained_file, PLACE, "--key", key)[0] == 1
    assert "--features" in capsys.readouterr().err


def test_what_goes_wrong_is_told_without_a_traceback(
    key: str,
    tmp_path: Path,
    trained_file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def client(service: str) -> Any:
        raise NoRegionError

    foreign, onnx = tmp_path / "foreign.skops", tmp_path / "price.onnx"
    skops.io.dump({"foreign": np.random.default_rng}, foreign)
    onnx.write_bytes(b"")
    assert publish(foreign, PLACE, "--features", "x,y", "--key", key)[0] == 1
    assert publish(onnx, PLACE, "--key", key)[0] == 1
    monkeypatch.setattr(boto3, "client", client)
    assert publish(trained_file, PLACE, "--features", "x,y", "--key", key, "--yes")[0] == 1
    untrusted, unnamed, nowhere = capsys.readouterr().err.splitlines()
    assert untrusted.startswith("publish_model: Untrusted types")
    assert "--features" in unnamed
    assert nowhere == "publish_model: You must specify a region."


def refused(capsys: pytest.CaptureFixture[str], key: str, path: Path, *more: str) -> str:
    assert publish(path, PLACE, "--features", "x,y", "--key", key, "--yes", *more)[0] == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said


def test_a_sample_tells_the_types_and_the_command_shows_them(key: str, tmp_path: Path) -> None:
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    rows = pd.DataFrame({"town": ["Bern", "Lugano", None], "rooms": [1, 2, 3], "rent": [9, 8, 7]})
    towns = make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough")
    joblib.dump(
        make_pipeline(towns, LinearRegression()).fit(rows[["town", "rooms"]], rows["rent"]), tmp_path / "m.joblib"
    )
    rows.to_csv(tmp_path / "rows.csv", index=False)
    more = ("--sample", tmp_path / "rows.csv", "--metric", "r2=0.5", "--key", key, "--yes")
    status, said = publish(tmp_path / "m.joblib", PLACE, *more)
    assert status == 0
    assert "  town   text       may be missing  Bern, Lugano; 1 of 3 missing" in said.splitlines()
    assert "  rooms  integer    never missing   1, 2, 3" in said.splitlines()
    assert "metrics     r2 0.5" in said


def test_what_a_publisher_can_mend_is_explained(
    key: str, tmp_path: Path, trained_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = tmp_path / "cut.joblib"
    cut.write_bytes(trained_file.read_bytes()[:1000])
    assert "is cut short or damaged" in refused(capsys, key, cut)

    old = tmp_path / "old.joblib"
    with monkeypatch.context() as past:
        past.setattr("sklearn.base.__version__", "1.2.3")
        joblib.dump(trained("linear"), old)
    assert "trained with scikit-learn 1.2.3; this machine and the functions have 1." in refused(capsys, key, old)

    module = types.ModuleType("strange_library")
    module.Model = type("Model", (), {"__module__": "strange_library", "__qualname__": "Model"})  # type: ignore[attr-defined]
    strange = tmp_path / "strange.joblib"
    with monkeypatch.context() as there:
        there.setitem(sys.modules, "strange_library", module)
        joblib.dump(module.Model(), strange)
    assert "needs strange_library, which neither" in refused(capsys, key, strange)
    assert "the sample cannot be read" in refused(capsys, key, trained_file, "--sample", str(_empty(tmp_path)))


def _empty(folder: Path) -> Path:
    (folder / "empty.csv").write_text("")
    return folder / "empty.csv"


@pytest.fixture
def options(key: str, trained_file: Path) -> list[str]:
    publish(trained_file, PLACE, "--features", "x,y", "--key", key, "--yes")
    places = [PLACE, "s3://data/rows/", "s3://output/rows/"]
    role = "arn:aws:iam::123456789012:role/transform"
    return [*places, "--name", "price", "--role", role, "--image", "sklearn:1", "--key", key, "--table", TABLE]


def test_batch_transform_is_called_with_the_verified_artifact(options: list[str]) -> None:
    said: list[str] = []
    assert batch_transform.main([*options, "--dry-run"], said.append) == 0
    (model, job) = json.loads(said[1])
    container = model["create_model"]["PrimaryContainer"]
    assert container["ModelDataUrl"].startswith("s3://models/price.skops.")
    assert container["Environment"]["OMNIBUS_MODEL_URI"] == PLACE
    given = job["create_transform_job"]
    assert given["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == "s3://data/rows/"
    assert given["TransformJobName"] == model["create_model"]["ModelName"]


def test_batch_transform_really_creates_the_job(options: list[str]) -> None:
    said: list[str] = []
    assert batch_transform.main(options, said.append) == 0
    names = boto3.client("sagemaker").list_transform_jobs()["TransformJobSummaries"]
    assert names[0]["TransformJobName"].startswith("price-")


def test_batch_transform_refuses_what_the_functions_refuse(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("s3").put_object(Bucket="models", Key="price.skops", Body=b"another")
    assert batch_transform.main(options) == 1
    assert "refused" in capsys.readouterr().err


def test_the_container_scores_as_the_engine_does(
    key: str, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = KmsKey(boto3.client("kms"), key)
    floors = DynamoJobs(boto3.client("dynamodb"), TABLE)
    content, _ = batch_transform.bundle(S3Objects(boto3.client("s3")), verifier, floors, URI)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(tmp_path, filter="data")
    assert (tmp_path / "code/chalicelib/predictions/estimators.py").exists()
    monkeypatch.setenv("OMNIBUS_SIGNING_KEY_ARN", key)
    monkeypatch.setenv("OMNIBUS_MODEL_URI", PLACE)
    inference = imported(tmp_path / "code" / "inference.py", monkeypatch)

    model = inference.model_fn(str(tmp_path))
    answer, kind = inference.output_fn(inference.predict_fn(inference.input_fn("1,2\n3,4\n", "text/csv"), model), "*/*")

    expected = trained("forest").predict([[1.0, 2.0], [3.0, 4.0]])
    assert kind == "text/csv"
    assert [float(line.split(b",")[-1]) for line in answer.splitlines()] == expected.tolist()
    assert answer.startswith(b"1,2,")
    (tmp_path / "model").write_bytes(b"swapped")
    with pytest.raises(Exception, match="SHA-256"):
        inference.model_fn(str(tmp_path))


def imported(path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec = importlib.util.spec_from_file_location("sagemaker_inference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
