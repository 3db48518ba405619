"""A deployment's checks of the account and its use of the artifact bucket, against moto's AWS."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from infra.deployment import __main__ as command
from infra.deployment import artifacts, health, removal
from infra.deployment.account import Account, Survey, client_of, exists, identify
from infra.deployment.intrinsics import pseudo_parameters
from infra.deployment.parameters import known
from infra.deployment.problems import DeploymentError
from infra.deployment.release import Checked, Site, release_name, without_database
from infra.deployment.stages import Stage

ACCOUNT = Account("123456789012", "eu-west-1", "aws", "arn:aws:iam::123456789012:user/me")
Template = dict[str, Any]


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def client(service: str) -> Any:
    return boto3.client(service, region_name="eu-west-1")


class Refusing:
    """A service that the credentials lack the permission."""

    def __getattr__(self, operation: str) -> Any:
        def refuse(**_request: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)

        return refuse


class KeysOfAws:
    """KMS's answer about keys that AWS made, which whoever may read a secret may use; moto has none."""

    def describe_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803
        return {"KeyMetadata": {"Arn": f"arn:aws:kms:eu-west-1:123456789012:{KeyId}", "KeyManager": "AWS"}}


class Lambda:
    """Lambda's answer about an account with so many concurrent executions."""

    def __init__(self, limit: int, free: int | None = None, layers: set[str] | None = None) -> None:
        self._layers = layers
        self._answer = {
            "ConcurrentExecutions": limit,
            "UnreservedConcurrentExecutions": limit if free is None else free,
        }

    def get_layer_version_by_arn(self, Arn: str) -> dict[str, str]:  # noqa: N803
        if self._layers is not None and Arn not in self._layers:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no"}}, "GetLayerVersion")
        return {"LayerVersionArn": Arn}

    def get_account_settings(self) -> dict[str, Any]:
        return {"AccountLimit": self._answer}


def surveyed(
    template: Template,
    *,
    services: dict[str, Any] | None = None,
    first: bool = True,
    region: str = ACCOUNT.region,
    **parameters: str,
) -> tuple[list[str], list[str]]:
    told: list[str] = []
    own = services or {"lambda": Lambda(1000)}
    names = known(Stage("dev", "omnibus-dev"), template, parameters)
    names = replace(names, pseudo=pseudo_parameters("omnibus-dev", ACCOUNT.id, region))
    survey = Survey(lambda service: own.get(service) or client(service), template, names, told.append)
    return list(survey.problems(first=first)), told


def test_who_asks_is_told_and_another_account_is_refused() -> None:
    found = identify(client, Stage("dev", "omnibus-dev"))
    assert (found.id, found.region, found.partition) == ("123456789012", "eu-west-1", "aws")
    with pytest.raises(DeploymentError, match=r"account 123456789012, but prod\.toml requires account 999999999999"):
        identify(client, Stage("prod", "omnibus-prod", account="999999999999"))


def test_an_account_that_has_what_is_needed_has_no_problems(packaged: Template) -> None:
    assert surveyed(packaged) == ([], [])


def test_too_little_concurrency_is_named_with_its_quota(packaged: Template) -> None:
    (problem,), _ = surveyed(packaged, services={"lambda": Lambda(10)})
    assert "the account has 10" in problem
    assert "L-B99A9384" in problem


def test_what_other_functions_reserve_is_not_free_for_a_first_deployment(packaged: Template) -> None:
    crowded = {"lambda": Lambda(1000, free=120)}
    (problem,), _ = surveyed(packaged, services=crowded)
    assert "the account has 1000, of which others reserve 880" in problem
    assert surveyed(packaged, services=crowded, first=False) == ([], [])  # part of it is the stack's own


def test_functions_that_reserve_nothing_fit_everywhere(packaged: Template) -> None:
    none: dict[str, Any] = {name: "512,60,0,0" for name in packaged["Parameters"] if name.endswith("Limits")}
    assert surveyed(packaged, services={"lambda": Lambda(10)}, **none) == ([], [])


def test_alarms_that_are_on_are_told_and_stop_no_deployment(packaged: Template) -> None:
    alarms = client("cloudwatch")
    for name in ("omnibus-dev-quality", "another-dev-quality"):
        metric = {"Namespace": "x", "MetricName": "x", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
        alarms.put_metric_alarm(AlarmName=name, Threshold=1, ComparisonOperator="GreaterThanThreshold", **metric)
        alarms.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    problems, told = surveyed(packaged, first=False)
    assert problems == []
    assert told == ["  in ALARM before the deployment: omnibus-dev-quality; docs/runbook.md explains each"]
    assert surveyed(packaged, first=True) == ([], [])


@pytest.mark.parametrize(
    ("network", "first", "given", "migrations"),
    [
        ("own", True, {}, "DISABLED"),
        ("own", False, {}, "ENABLED"),
        ("existing", True, {}, "ENABLED"),
        ("own", True, {"Migrations": "ENABLED"}, "ENABLED"),
    ],
)
def test_a_first_deployment_that_makes_the_network_does_not_migrate(
    packaged: Template, network: str, first: bool, given: dict[str, str], migrations: str
) -> None:
    stage = Stage("dev", "omnibus-dev", parameters=given)
    names = known(stage, packaged, {})
    checked = Checked(ACCOUNT, {"DatabaseNetwork": network, "Migrations": "ENABLED"}, names, first)
    assert without_database(Site(stage, client, print), checked).parameters["Migrations"] == migrations


def test_names_that_are_taken_are_named_but_not_of_what_is_adopted(packaged: Template) -> None:
    place = {"LocationConstraint": "eu-west-1"}
    for name in ("flights", "predictions-scratch"):
        client("s3").create_bucket(Bucket=f"omnibus-dev-{name}-123456789012", CreateBucketConfiguration=place)
    problems, _ = surveyed(packaged)
    assert problems == [
        "omnibus-dev-predictions-scratch-123456789012 exists, but there is no stack omnibus-dev:"
        " delete it, or choose another stack name"
    ]


@pytest.mark.slow
def test_secrets_and_networks_that_are_not_there_are_named(packaged: Template) -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:nobody-AbCdEf"
    problems, _ = surveyed(
        packaged,
        DatabaseSecretArn=arn,
        DatabaseNetwork="existing",
        SubnetIds="subnet-11111111",
        SecurityGroupIds="sg-11111111",
    )
    assert problems == [
        f"DatabaseSecretArn: there is no secret {arn} in this account and region",
        "SubnetIds: there is no subnet-11111111 in this region",
        "SecurityGroupIds: there is no sg-11111111 in this region",
    ]


def test_a_secret_by_its_name_is_refused_with_the_arn_that_a_policy_takes(packaged: Template) -> None:
    arn = client("secretsmanager").create_secret(Name="database", SecretString="{}")["ARN"]
    assert surveyed(packaged, DatabaseSecretArn=arn) == ([], [])
    (problem,), _ = surveyed(packaged, DatabaseSecretArn="database")
    assert problem == f"DatabaseSecretArn: is database; expected the secret's whole ARN, {arn}"


def test_a_secret_with_a_key_that_no_parameter_names_is_refused_with_the_key(packaged: Template) -> None:
    key, other = (client("kms").create_key()["KeyMetadata"] for _ in range(2))
    arn = client("secretsmanager").create_secret(Name="database", SecretString="{}", KmsKeyId=key["KeyId"])["ARN"]
    refused = [
        f"SecretKeyArns: lacks {key['Arn']}, with which the secret of DatabaseSecretArn is encrypted;"
        " without that key, functions cannot read it"
    ]
    assert surveyed(packaged, DatabaseSecretArn=arn)[0] == refused
    assert surveyed(packaged, DatabaseSecretArn=arn, SecretKeyArns=other["Arn"])[0] == refused
    assert surveyed(packaged, DatabaseSecretArn=arn, SecretKeyArns=f"{other['Arn']},{key['Arn']}") == ([], [])
    assert surveyed(packaged, DatabaseSecretArn=arn, KmsKeyArn=key["Arn"]) == ([], [])
    (gone,), _ = surveyed(packaged, SecretKeyArns=f"{other['Arn']},{key['Arn'][:-1]}?")
    assert gone == f"SecretKeyArns: there is no key {key['Arn'][:-1]}?"


def test_a_secret_with_a_key_of_awss_needs_no_other_and_a_key_unseen_is_told(packaged: Template) -> None:
    arn = client("secretsmanager").create_secret(Name="w", SecretString="{}", KmsKeyId="alias/aws/s3")["ARN"]
    given = {"RedshiftCluster": "w", "RedshiftSecretArn": arn}
    assert surveyed(packaged, services={"lambda": Lambda(1000), "kms": KeysOfAws()}, **given) == ([], [])
    problems, told = surveyed(packaged, services={"lambda": Lambda(1000), "kms": Refusing()}, **given)
    assert problems == []
    assert told == ["  not checked: the key of the secret RedshiftSecretArn; the credentials lack the permission"]


def test_keys_that_are_not_there_or_not_of_the_kind_are_named(packaged: Template) -> None:
    data = client("kms").create_key()["KeyMetadata"]["Arn"]
    signing = client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    assert surveyed(packaged, KmsKeyArn=data, ModelSigningKeyArn=signing) == ([], [])
    problems, _ = surveyed(packaged, KmsKeyArn=f"{data[:-1]}?", ModelSigningKeyArn=data)
    assert problems == [
        f"KmsKeyArn: there is no key {data[:-1]}?",
        f"ModelSigningKeyArn: {data} is Enabled, for ENCRYPT_DECRYPT; expected Enabled, for SIGN_VERIFY",
    ]


def test_the_key_of_tables_that_would_be_adopted_is_asked_for(packaged: Template) -> None:
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    client("dynamodb").create_table(
        TableName="omnibus-dev-flights-runs",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "tracking_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "tracking_id", "KeyType": "HASH"}],
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key},
    )
    (problem,), _ = surveyed(packaged)
    assert problem.startswith("KmsKeyArn: is missing; omnibus-dev-flights-runs, from an earlier stack")
    assert key in problem
    assert surveyed(packaged, KmsKeyArn=key) == ([], [])
    assert surveyed(packaged, first=False) == ([], [])


@pytest.mark.parametrize(
    ("region", "architecture", "layer"),
    [
        ("us-east-1", "x86_64", "580247275435:layer:LambdaInsightsExtension:60"),
        ("ap-northeast-1", "x86_64", "580247275435:layer:LambdaInsightsExtension:87"),
        ("eu-west-3", "arm64", "580247275435:layer:LambdaInsightsExtension-Arm64:18"),
        ("af-south-1", "arm64", "012438385374:layer:LambdaInsightsExtension-Arm64:18"),
    ],
)
def test_the_layer_of_insights_is_that_of_the_region_and_must_be_there(
    packaged: Template, region: str, architecture: str, layer: str
) -> None:
    arn = f"arn:aws:lambda:{region}:{layer}"
    there = {"lambda": Lambda(1000, layers={arn})}
    assert surveyed(packaged, services=there, region=region, Architecture=architecture) == ([], [])
    gone = {"lambda": Lambda(1000, layers=set())}
    (problem,), _ = surveyed(packaged, services=gone, region=region, Architecture=architecture)
    assert problem.startswith(f"InsightsLayerArn: Lambda has no layer {arn}")
    assert surveyed(packaged, services=gone, region=region, Insights="DISABLED") == ([], [])


def test_where_no_layer_of_insights_is_known_one_is_asked_for(packaged: Template) -> None:
    (problem,), _ = surveyed(packaged, region="eu-nowhere-1")
    assert problem.startswith("InsightsLayerArn: is missing; no layer of Lambda Insights is known for eu-nowhere-1")
    assert surveyed(packaged, region="eu-nowhere-1", InsightsLayerArn="arn:mine") == ([], [])


@pytest.mark.parametrize(
    ("region", "service"), [("us-gov-west-1", "CloudFront"), ("cn-north-1", "Cognito user pools"), ("me-central-1", "")]
)
def test_a_region_without_a_service_that_the_template_needs_is_refused(
    packaged: Template, region: str, service: str
) -> None:
    problems, _ = surveyed(packaged, region=region, Insights="DISABLED")
    told = f"region: {region} has no {service}, which the template needs; expected a region of partition aws"
    assert problems == ([told] if service else [])


def test_models_and_agents_of_bedrock_are_asked_for(packaged: Template) -> None:
    class Bedrock:
        def __getattr__(self, operation: str) -> Any:
            def missing(**_request: Any) -> None:
                raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no"}}, operation)

            return missing

    services = {"lambda": Lambda(1000), "bedrock": Bedrock(), "bedrock-agent": Bedrock()}
    problems, _ = surveyed(
        packaged, services=services, ChatModelId="nobody.none", ChatAgentId="A", ChatAgentAliasId="B"
    )
    assert [problem.partition(":")[0] for problem in problems] == ["ChatModelId", "ChatAgentId"]


def test_what_may_not_be_asked_is_told_and_is_no_problem(packaged: Template) -> None:
    problems, told = surveyed(packaged, services={"lambda": Refusing()})
    assert problems == []
    assert told == [
        "  not checked: Lambda's concurrency; the credentials lack the permission",
        "  not checked: the layer of Lambda Insights; the credentials lack the permission",
    ]


def test_a_failure_to_look_is_not_taken_for_absence() -> None:
    def fail() -> None:
        raise ClientError({"Error": {"Code": "InternalError", "Message": "later"}}, "Look")

    with pytest.raises(ClientError):
        exists(fail)


def test_the_artifact_bucket_is_made_once_and_closed_each_time() -> None:
    told: list[str] = []
    for _ in range(2):
        artifacts.ensure_bucket(client, ACCOUNT, told.append)
        client("s3").delete_public_access_block(Bucket="omnibus-artifacts-123456789012-eu-west-1")
    uploads = artifacts.ensure_bucket(client, ACCOUNT, told.append)
    s3, bucket = client("s3"), {"Bucket": uploads.bucket}
    assert told == ["  created the bucket omnibus-artifacts-123456789012-eu-west-1"]
    assert all(s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"].values())
    assert s3.get_bucket_versioning(**bucket)["Status"] == "Enabled"
    (statement,) = json.loads(s3.get_bucket_policy(**bucket)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_files_are_uploaded_once_under_their_hash_and_named_there(tmp_path: Path) -> None:
    told: list[str] = []
    uploads = artifacts.ensure_bucket(client, ACCOUNT, told.append)
    client("s3").delete_bucket_policy(Bucket=uploads.bucket)  # moto refuses everything, not only plain HTTP
    (tmp_path / "deployment.zip").write_bytes(b"code")
    function = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "./deployment.zip"}}
    template = {"Resources": {"One": function, "Two": function, "Queue": {"Type": "AWS::SQS::Queue"}}}
    sent = artifacts.with_uploads(template, tmp_path, uploads)
    artifacts.with_uploads(template, tmp_path, uploads)
    place = sent["Resources"]["One"]["Properties"]["CodeUri"]
    assert place == sent["Resources"]["Two"]["Properties"]["CodeUri"]
    assert place["Key"].endswith(".zip")
    assert len(place["Key"]) == 68
    assert client("s3").get_object(**place)["Body"].read() == b"code"
    assert sum("uploaded" in line for line in told) == 1
    with pytest.raises(DeploymentError, match="make package"):
        artifacts.with_uploads(template, tmp_path / "elsewhere", uploads)


def test_what_is_retained_is_named_plainly_so_that_it_can_be_adopted(packaged: Template) -> None:
    names = known(Stage("dev", "omnibus-dev", account="123456789012"), packaged, {})
    resources = artifacts.with_literal_names(packaged, names)["Resources"]
    assert resources["FlightsBucket"]["Properties"]["BucketName"] == "omnibus-dev-flights-123456789012"
    assert resources["FlightsRunsTable"]["Properties"]["TableName"] == "omnibus-dev-flights-runs"
    assert resources["PredictionsScratchBucket"] == packaged["Resources"]["PredictionsScratchBucket"]


SECRETS = ("DatabaseUrl", "OperatorToken")
GIVEN = {"Release": "4de4d07c34", "LogLevel": "INFO", "OperatorToken": "x", "DatabaseUrl": ""}


def named(running: str = "", **given: str | None) -> str:
    return release_name("omnibus-dev", {**GIVEN, **given}, SECRETS, running)


@pytest.mark.slow
def test_a_release_is_another_when_the_package_a_parameter_or_a_secret_is() -> None:
    name = named()
    assert name == release_name("omnibus-dev", dict(reversed(GIVEN.items())), SECRETS, "")
    others = {named(**{key: "other"})[:10] for key in GIVEN}
    assert len({name[:10], *others}) == 1 + len(GIVEN)


def test_a_release_is_the_same_when_secrets_that_the_stack_has_are_not_given_again() -> None:
    name = named()
    assert named(name, OperatorToken=None) == named(name, OperatorToken=None, DatabaseUrl=None) == name
    assert named(name, OperatorToken=None, LogLevel="DEBUG")[:10] != name[:10]
    changed = named(name, OperatorToken="another", DatabaseUrl=None)
    assert changed[:10] != name[:10]
    assert named(changed, OperatorToken=None) == changed
    assert named("mine000001", OperatorToken=None)[:10] != name[:10]  # named by somebody else: nothing to read there


def test_a_release_is_named_as_the_template_takes_it(packaged: Template) -> None:
    declared = packaged["Parameters"]
    secrets = [name for name, each in declared.items() if each.get("NoEcho")]
    name = release_name("omnibus-dev", dict.fromkeys(declared, "x"), secrets, "")
    assert re.fullmatch(declared["Release"]["AllowedPattern"], name)


class Functions:
    """Lambda's answer to an invocation of `migrate`."""

    def __init__(self, said: Any, error: str = "") -> None:
        self._answer = {"Payload": io.BytesIO(json.dumps(said).encode()), **({"FunctionError": error} if error else {})}

    def invoke(self, **_request: Any) -> dict[str, Any]:
        return self._answer


def test_a_migration_may_take_as_long_as_a_function_may() -> None:
    """botocore hangs up after a minute by itself, and invokes again."""
    assert client_of(Stage("dev", "omnibus-dev", region="eu-west-1"))("lambda").meta.config.read_timeout > 900


def test_a_migration_is_told() -> None:
    told: list[str] = []
    health.migrate(Functions({"applied": ["0001"]}), "omnibus-dev-migrate", told.append)
    assert told == ['  migrated: {"applied": ["0001"]}']


@pytest.mark.parametrize(
    "functions",
    [Functions({"errorMessage": "no route"}, "Unhandled"), Functions({"error": {"code": "upstream_unavailable"}})],
)
def test_a_migration_that_fails_or_is_refused_fails_the_deployment(functions: Functions) -> None:
    with pytest.raises(DeploymentError, match="was not migrated"):
        health.migrate(functions, "omnibus-dev-migrate", lambda _line: None)


def test_an_api_that_does_not_answer_fails_the_deployment_after_some_patience() -> None:
    waited: list[float] = []
    with pytest.raises(DeploymentError, match=r"http://127\.0\.0\.1:9/health does not answer"):
        health.check("http://127.0.0.1:9", lambda _line: None, waited.append)
    assert len(waited) == health.ATTEMPTS - 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["resources", "--stage", "prod"], "resources: the inner loop is for dev; prod gets `make deploy`"),
        (["deploy", "--stage", "dev", "--package", "nowhere"], "make package"),
    ],
)
def test_a_command_that_cannot_go_on_says_why(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(arguments, lambda _question: "") == 1
    assert said in capsys.readouterr().err


class Stacks:
    """CloudFormation with one stack of one queue, or with none."""

    def __init__(self, *, there: bool = True) -> None:
        self.there = there
        self.meta = client("cloudformation").meta

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        if not self.there:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStacks")
        return {"Stacks": [{"StackStatus": "CREATE_COMPLETE", "StackId": "arn", "Outputs": []}]}

    def get_template(self, **_request: Any) -> dict[str, Any]:
        return {"TemplateBody": {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}}

    def get_paginator(self, _operation: str) -> "Stacks":
        return self

    def paginate(self, **_request: Any) -> list[dict[str, Any]]:
        return [{"StackResourceSummaries": [{"LogicalResourceId": "Queue", "ResourceType": "AWS::SQS::Queue"}]}]


def destroyed(stacks: Stacks, second_word: str = "") -> list[str]:
    told: list[str] = []
    stage = Stage("prod", "omnibus-prod")
    site = Site(stage, lambda service: stacks if service == "cloudformation" else client(service), told.append)
    removal.destroy(site, confirmed=stage.stack, asked=lambda _question: "", empty=False, second_word=second_word)
    return told


@pytest.mark.parametrize("second_word", ["", "yes", "omnibus-prod"])
def test_prod_wants_a_second_word(second_word: str) -> None:
    """The fake cannot delete: it would be seen."""
    with pytest.raises(DeploymentError, match='SECOND_WORD="delete prod"'):
        destroyed(Stacks(), second_word)


def test_what_is_not_there_is_not_destroyed() -> None:
    assert destroyed(Stacks(there=False)) == ["there is no stack omnibus-prod in account 123456789012, eu-west-1"]
