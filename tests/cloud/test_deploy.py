"""`make deploy` and `make destroy` against the local cloud: create, nothing to do, change, fail and roll back, delete.

One stack goes through it all, in the order of the tests.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.deployment import release, removal
from infra.deployment.problems import DeploymentError
from infra.package import package
from local.cloud import Cloud
from tests.cloud.deployment import Deployment, forget, forget_buckets

pytestmark = pytest.mark.cloud

STACK = "omnibus-dev"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    package("dev", out)
    for name in ("arrow", "ml"):  # the layers, which the local cloud does not use
        content = io.BytesIO()
        zipfile.ZipFile(content, "w").close()
        (out / f"{name}.zip").write_bytes(content.getvalue())
    return out


@pytest.fixture(scope="module")
def deployment(cloud: Cloud) -> Iterator[Deployment]:
    made = Deployment(cloud)
    yield made
    made.site.stack.delete()
    forget(cloud, STACK)


@pytest.fixture
def fresh(deployment: Deployment) -> Deployment:
    """The same stack, without output yet."""
    return deployment.with_parameters()


def destroy(deployment: Deployment, **options: Any) -> None:
    asked = {"confirmed": STACK, "asked": lambda _question: "", "empty": False, "second_word": ""}
    removal.destroy(deployment.site, **{**asked, **options})


def variables(cloud: Cloud) -> dict[str, str]:
    """The environment of the version that callers reach."""
    found = cloud.client("lambda").get_function_configuration(FunctionName=f"{STACK}-api_handler", Qualifier="live")
    own: dict[str, str] = found["Environment"]["Variables"]
    return own


def with_resource(name: str, resource: dict[str, Any]) -> Any:
    return lambda template: {**template, "Resources": {**template["Resources"], name: resource}}


def test_a_first_deployment_makes_the_bucket_and_the_stack_and_sees_it_answer(
    fresh: Deployment, dist: Path, cloud: Cloud
) -> None:
    outputs = release.deploy(fresh.site, dist)

    assert fresh.site.stack.status() == "CREATE_COMPLETE"
    assert httpx.get(f"{fresh.site.address(outputs)}/health").status_code == 200
    assert "CREATE_COMPLETE              FlightsBucket" in fresh.said
    assert f"RestAPIId = {outputs['RestAPIId']}" in fresh.said
    assert f"chalice url:     {fresh.site.address(outputs)}" in fresh.said, "what people would type finds nothing"
    function = cloud.client("lambda").get_function_configuration(FunctionName=f"{STACK}-ingest_flights")
    assert function["Environment"]["Variables"]["OMNIBUS_FLIGHTS_BUCKET"] == outputs["FlightsBucket"]


def test_the_artifact_bucket_is_closed(cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    bucket = {"Bucket": "omnibus-artifacts-000000000000-us-east-1"}
    assert all(s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"].values())
    assert s3.get_bucket_versioning(**bucket)["Status"] == "Enabled"
    rules = s3.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert "aws:SecureTransport" in s3.get_bucket_policy(**bucket)["Policy"]


def test_deployed_again_nothing_changes_and_nothing_is_uploaded(fresh: Deployment, dist: Path) -> None:
    release.deploy(fresh.site, dist)
    assert f"{STACK}: no changes" in fresh.said
    assert "uploaded" not in fresh.said
    assert fresh.site.stack.status() == "CREATE_COMPLETE"


def test_a_changed_parameter_is_deployed_and_a_secret_that_is_not_given_stays(
    deployment: Deployment, dist: Path, cloud: Cloud
) -> None:
    changed = deployment.with_parameters(LogLevel="DEBUG")
    site = changed.site
    site.stage.secrets.clear()  # as if the file of secrets were not here
    release.deploy(site, dist)
    assert f"{STACK}: deployed" in changed.said
    assert variables(cloud)["POWERTOOLS_LOG_LEVEL"] == "DEBUG"
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=variables(cloud)["OMNIBUS_OPERATOR_SECRET_ARN"])
    assert json.loads(secret["SecretString"]) == {"token": "a-token-of-the-tests-with-32-characters"}
    release.deploy(deployment.site, dist)


def test_a_change_that_fails_is_rolled_back_and_says_which_resource_and_why(
    deployment: Deployment, dist: Path, cloud: Cloud
) -> None:
    taken = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": cloud.buckets["flights"]}}
    failing = deployment.with_parameters(LogLevel="ERROR").with_change(with_resource("Broken", taken))
    with pytest.raises(
        DeploymentError, match=rf"UPDATE_ROLLBACK_COMPLETE(.|\n)*Broken(.|\n)*{cloud.buckets['flights']}"
    ):
        release.deploy(failing.site, dist)
    assert variables(cloud)["POWERTOOLS_LOG_LEVEL"] == "INFO"


def test_after_a_rollback_the_next_deployment_goes_through(fresh: Deployment, dist: Path) -> None:
    release.deploy(fresh.site, dist)
    assert "answers 200" in fresh.said


def test_a_failing_migration_leaves_the_old_version_serving(deployment: Deployment, dist: Path, cloud: Cloud) -> None:
    before = variables(cloud)
    site = deployment.with_parameters(LogLevel="WARNING").site
    site.stage.secrets["DatabaseUrl"] = "postgresql://nobody:wrong@127.0.0.1:1/none"  # type: ignore[index]
    with pytest.raises(DeploymentError, match=r"UPDATE_ROLLBACK_COMPLETE(.|\n)*SchemaMigration"):
        release.deploy(site, dist)
    assert variables(cloud) == before


def test_everything_that_is_wrong_is_named_before_anything_is_changed(deployment: Deployment, dist: Path) -> None:
    wrong = deployment.with_parameters(LogLevl="DEBUG", RetryAttempts=9, FlightsBox="1,2")
    with pytest.raises(DeploymentError) as raised:
        release.deploy(wrong.site, dist)
    said = str(raised.value)
    assert "LogLevl: the template has no such parameter; is LogLevel meant?" in said
    assert "RetryAttempts: is '9'; expected one of" in said
    assert wrong.told == []


def test_nothing_is_deleted_unconfirmed(fresh: Deployment) -> None:
    with pytest.raises(DeploymentError, match=f"CONFIRM={STACK}"):
        destroy(fresh, confirmed="omnibus-prod")
    with pytest.raises(DeploymentError, match="nothing was deleted"):
        destroy(fresh, confirmed="", asked=lambda _question: "yes")
    assert "DELETE" not in str(fresh.site.stack.status())


def test_a_bucket_that_goes_with_the_stack_is_emptied_only_when_asked(fresh: Deployment, cloud: Cloud) -> None:
    scratch = f"{STACK}-predictions-scratch-000000000000"
    cloud.client("s3").put_object(Bucket=scratch, Key="jobs/1/part", Body=b"rows")
    with pytest.raises(DeploymentError, match=rf"EMPTY=1(.|\n)*{scratch}"):
        destroy(fresh)
    assert cloud.client("s3").list_objects_v2(Bucket=scratch)["KeyCount"] == 1


def test_the_stack_goes_and_its_data_stays_by_name(fresh: Deployment, cloud: Cloud) -> None:
    cloud.client("dynamodb").put_item(
        TableName=f"{STACK}-flights-runs", Item={"tracking_id": {"S": "kept"}, "snapshot_time": {"N": "1"}}
    )
    destroy(fresh, confirmed="", asked=lambda _question: STACK, empty=True)
    assert fresh.site.stack.status() is None
    assert f"stays: AWS::S3::Bucket {STACK}-flights-000000000000" in fresh.said
    assert f"stays: AWS::DynamoDB::Table {STACK}-flights-runs" in fresh.said
    names = {bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]}
    assert f"{STACK}-flights-000000000000" in names
    assert f"{STACK}-predictions-scratch-000000000000" not in names
    destroy(fresh)
    assert f"there is no stack {STACK}" in fresh.said


def test_a_first_deployment_that_fails_leaves_nothing_and_the_next_one_adopts_what_an_earlier_stack_left(
    deployment: Deployment, dist: Path, cloud: Cloud
) -> None:
    forget_buckets(cloud, STACK)  # MiniStack adopts tables, but not buckets
    taken = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": cloud.buckets["flights"]}}}
    failing = deployment.with_change(with_resource("Broken", taken))
    with pytest.raises(DeploymentError, match=r"ROLLBACK_COMPLETE; nothing remains of it(.|\n)*Broken"):
        release.deploy(failing.site, dist)
    assert failing.site.stack.status() == "ROLLBACK_COMPLETE"

    again = deployment.with_parameters()
    release.deploy(again.site, dist)

    assert "ROLLBACK_COMPLETE: its first deployment failed" in again.said
    assert f"adopts {STACK}-flights-runs of an earlier stack" in again.said
    assert "IMPORT_COMPLETE              FlightsRunsTable" in again.said
    item = cloud.client("dynamodb").get_item(TableName=f"{STACK}-flights-runs", Key={"tracking_id": {"S": "kept"}})
    assert item["Item"]["tracking_id"] == {"S": "kept"}
