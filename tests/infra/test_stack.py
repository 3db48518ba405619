"""Rules for every function and every resource of a kind: knobs, aliases, keys, TLS, labels, limits."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chalice.app import ScheduledEventConfig

import app as application
from infra.deployment.intrinsics import holds, resolve
from infra.deployment.parameters import known
from infra.deployment.stages import Stage
from infra.template.functions import LIMIT_PATTERN, LIMITS, LIMITS_PATTERN, declared, limit, limits_of
from infra.template.names import FUNCTION, alias_of, compact, logical_id
from infra.template.parameters import table
from infra.template.stack import completed, released

ROOT = Path(__file__).parents[2]
CONFIG = json.loads((ROOT / ".chalice" / "config.json").read_text())
FUNCTIONS = declared(CONFIG)
KEY = {"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, {"Fn::GetAtt": ["Key", "Arn"]}]}

Template = dict[str, Any]


def of_kind(packaged: Template, kind: str) -> dict[str, Any]:
    found = {name: each.get("Properties", {}) for name, each in packaged["Resources"].items() if each["Type"] == kind}
    assert found, kind
    return found


# -- knobs


def test_every_function_has_its_limits_and_its_environment(packaged: Template) -> None:
    parameters = packaged["Parameters"]
    for function in FUNCTIONS:
        own = CONFIG["lambda_functions"][function.name]
        assert limits_of(parameters[f"{function.logical}Limits"]["Default"]) == {
            "memory": own["lambda_memory_size"],
            "timeout": own["lambda_timeout"],
            "reserved": own.get("reserved_concurrency", 0),
            "provisioned": 0,
        }
        assert parameters[f"{function.logical}Environment"]["Default"] == "{}"


@pytest.mark.parametrize("limits", ["128,1,0,0", "10240,900,1000,1000", "1769,60,10,3"])
def test_limits_that_lambda_takes_are_taken(limits: str) -> None:
    assert re.fullmatch(LIMITS_PATTERN, limits)
    assert all(re.fullmatch(LIMIT_PATTERN, each) for each in limits.split(","))


@pytest.mark.parametrize(
    "limits",
    [
        *("127,1,0,0", "10241,1,0,0", "128,0,0,0", "128,901,0,0", "128,1,1001,0", "128,1,0,1001"),
        *("0128,1,0,0", "128,1,00,0", "128,1,-1,0", "128.5,1,0,0", "128, 1,0,0", "128,1,0", "128,1,0,0,0", ""),
    ],
)
def test_limits_that_lambda_refuses_are_refused(limits: str) -> None:
    assert not re.fullmatch(LIMITS_PATTERN, limits)


def test_every_knob_reaches_its_function(packaged: Template) -> None:
    for name, properties in of_kind(packaged, FUNCTION).items():
        limits = {each: {"Fn::Select": [place, {"Ref": f"{name}Limits"}]} for place, each in enumerate(LIMITS)}
        assert limits == {each: limit(name, each) for each in LIMITS}
        assert (properties["MemorySize"], properties["Timeout"]) == (limits["memory"], limits["timeout"])
        assert properties["Environment"]["Variables"]["OMNIBUS_ENVIRONMENT"] == {"Ref": f"{name}Environment"}
        assert properties["ReservedConcurrentExecutions"]["Fn::If"][:2] == [f"{name}Reserves", limits["reserved"]]
        assert properties["ProvisionedConcurrencyConfig"]["Fn::If"][:2] == [
            f"{name}Provisions",
            {"ProvisionedConcurrentExecutions": limits["provisioned"]},
        ]
        assert (properties["Runtime"], properties["Architectures"]) == ({"Ref": "Runtime"}, [{"Ref": "Architecture"}])
        assert properties["Tracing"] == {"Fn::If": ["TracesRequests", "Active", "PassThrough"]}
        for verb, which in (("Reserves", "reserved"), ("Provisions", "provisioned")):
            asked = {"Fn::Not": [{"Fn::Equals": [limits[which], "0"]}]}
            assert packaged["Conditions"][f"{name}{verb}"] == asked


STATES = {
    "RefreshVenuePopularity": {"Fn::If": ["HasWarehouse", {"Ref": "Schedules"}, "DISABLED"]},
    "ComputeFeatures": {"Fn::If": ["HasDatabase", {"Ref": "Schedules"}, "DISABLED"]},
}
"""What is not named is not used: these would fail each time without a warehouse, or a database."""
FLIGHTS = {"IngestFlights", "CompactFlights"}


@pytest.mark.parametrize(
    ("given", "running"),
    [
        ({}, set()),
        ({"RedshiftWorkgroup": "omnibus"}, {"RefreshVenuePopularity"}),
        ({"RedshiftCluster": "big"}, {"RefreshVenuePopularity"}),
        ({"DatabaseUrl": "postgresql://x"}, {"ComputeFeatures"}),
        ({"DatabaseSecretArn": "arn"}, {"ComputeFeatures"}),
        ({"DatabaseSecretArn": "arn", "Schedules": "DISABLED"}, set()),
    ],
)
def test_only_what_has_what_it_needs_runs_by_itself(
    packaged: Template, given: dict[str, str], running: set[str]
) -> None:
    names = known(Stage("dev", "omnibus-dev"), packaged, given)
    states = {
        name: resolve(event["Properties"]["State"], names)
        for name, properties in of_kind(packaged, FUNCTION).items()
        for event in properties.get("Events", {}).values()
        if event["Type"] == "Schedule"
    }
    assert {name for name, state in states.items() if state == "ENABLED" and name in STATES} == running
    assert {state for name, state in states.items() if name not in STATES} == {given.get("Schedules", "ENABLED")}
    wanted = packaged["Resources"]["RunMissingAlarm"]["Condition"]
    assert holds(wanted, names) == ("ComputeFeatures" in running)


@pytest.mark.parametrize(
    ("given", "applied"),
    [
        ({"Runtime": "python3.13"}, "PublishedVersions"),
        ({"Runtime": "python3.12"}, "PublishedVersions"),
        ({"Runtime": "python3.11"}, "None"),
        ({"Runtime": "python3.13", "SnapStart": "DISABLED"}, "None"),
        ({"Runtime": "python3.13", "PredictPartLimits": "1769,900,0,2"}, "None"),
    ],
)
def test_what_carries_scikit_learn_starts_from_a_snapshot_where_lambda_can(
    packaged: Template, transformed: Template, given: dict[str, str], applied: str
) -> None:
    """Python 3.12 and later, without provisioned concurrency (docs.aws.amazon.com/lambda/latest/dg/snapstart.html)."""
    names = known(Stage("dev", "omnibus-dev"), packaged, given)
    heavy = {name for name, it in of_kind(packaged, FUNCTION).items() if {"Ref": "MlLayer"} in it.get("Layers", [])}
    snapshots = {
        name: resolve(it["SnapStart"]["ApplyOn"], names)
        for name, it in of_kind(transformed, "AWS::Lambda::Function").items()
        if "SnapStart" in it
    }
    assert set(snapshots) == heavy
    assert snapshots["PredictPart"] == applied


def test_every_schedule_is_a_parameter_with_the_expression_of_app_py(packaged: Template) -> None:
    found = {}
    for name, properties in of_kind(packaged, FUNCTION).items():
        for event in properties.get("Events", {}).values():
            if event["Type"] == "Schedule":
                assert event["Properties"]["Schedule"] == {"Ref": f"{name}Schedule"}
                assert event["Properties"]["State"] == (STATES.get(name) or {"Ref": "Schedules"})
                found[name] = packaged["Parameters"][f"{name}Schedule"]["Default"]
    scheduled = [each for each in application.app.event_sources if isinstance(each, ScheduledEventConfig)]
    assert found == {logical_id(each.name): expression(each.schedule_expression) for each in scheduled}


def expression(declared: Any) -> str:
    return declared if isinstance(declared, str) else str(declared.to_string())


@pytest.mark.parametrize(
    ("parameter", "default"),
    [
        ("RetryAttempts", "3"),
        ("EventAge", 3600),
        ("DeadLetterRetention", 1_209_600),
        ("CanaryPercentage", 10),
        ("LogRetention", 7),
        ("KmsKeyArn", ""),
        ("FlightsThresholds", "{}"),
    ],
)
def test_shared_knobs_have_the_designs_defaults(packaged: Template, parameter: str, default: Any) -> None:
    assert packaged["Parameters"][parameter]["Default"] == default


def test_attempts_become_the_retries_that_lambda_knows(packaged: Template, transformed: Template) -> None:
    assert {attempts: it["Async"] for attempts, it in packaged["Mappings"]["Retries"].items()} == {
        "1": 0,
        "2": 1,
        "3": 2,
    }
    for name, properties in of_kind(transformed, "AWS::Lambda::EventInvokeConfig").items():
        assert properties["MaximumRetryAttempts"]["Fn::FindInMap"][0] == "Retries", name
        assert properties["Qualifier"] == "live", name


def test_the_package_decides_runtime_and_processor(packaged: Template) -> None:
    bare = {"Resources": {}, "Parameters": {}, "Conditions": {}}
    assert completed(bare, {"lambda_functions": {"bare": {}}, "stages": {}}, "dev", ()) == bare
    assert packaged["Parameters"]["Runtime"]["Default"].startswith("python3.")
    assert packaged["Parameters"]["Architecture"]["Default"] in ("x86_64", "arm64")


def test_every_parameter_is_described_and_the_page_is_up_to_date(packaged: Template) -> None:
    assert [name for name, each in packaged["Parameters"].items() if not each.get("Description")] == []
    page = (ROOT / "docs" / "parameters.md").read_text(encoding="utf-8")
    assert page == table(packaged), "run `make parameters`"


# -- versions, alias, canary


def canary_of(transformed: Template, function: str) -> dict[str, Any] | None:
    alias = transformed["Resources"][alias_of(function)]
    if "UpdatePolicy" not in alias:
        return None
    group = alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"]["Ref"]
    found: dict[str, Any] = transformed["Resources"][group]["Properties"]
    return found


def test_every_function_has_a_version_and_an_alias(transformed: Template) -> None:
    aliases = of_kind(transformed, "AWS::Lambda::Alias")
    for function in FUNCTIONS:
        alias = transformed["Resources"][alias_of(function.logical)]
        assert alias["Properties"]["Name"] == "live"
        version = alias["Properties"]["FunctionVersion"]["Fn::GetAtt"][0]
        assert transformed["Resources"][version]["Type"] == "AWS::Lambda::Version"
        assert version == f"{function.logical}Version{transformed['Parameters']['Release']['Default']}"
    assert len(aliases) == len(FUNCTIONS)


def test_what_people_wait_for_has_a_canary_that_an_alarm_on_the_new_version_rolls_back(
    packaged: Template, transformed: Template
) -> None:
    """ExecutedVersion tells the versions of a weighted alias apart (docs.aws.amazon.com/lambda/latest/dg/
    monitoring-metrics-types.html): an alarm over all versions would hold a failing one's fix back."""
    with_canary = {it.logical: canary for it in FUNCTIONS if (canary := canary_of(transformed, it.logical))}
    assert {"APIHandler", "WebsocketConnect", "WebsocketMessage", "WebsocketDisconnect"} <= set(with_canary)
    assert not any("DeadLetterQueue" in packaged["Resources"][name]["Properties"] for name in with_canary)
    for name, canary in with_canary.items():
        assert canary["DeploymentConfigName"] == {"Ref": "CanaryConfiguration"}
        assert canary["ServiceRoleArn"] == {"Fn::GetAtt": ["CanaryRole", "Arn"]}
        assert "DEPLOYMENT_STOP_ON_ALARM" in canary["AutoRollbackConfiguration"]["Events"]
        watched = set(re.findall(r'"Ref": "(\w+Alarm)"', json.dumps(canary["AlarmConfiguration"])))
        assert watched == {f"{name}CanaryAlarm"}
        dimensions = transformed["Resources"][f"{name}CanaryAlarm"]["Properties"]["Dimensions"]
        version = transformed["Resources"][alias_of(name)]["Properties"]["FunctionVersion"]
        assert {each["Name"]: each["Value"] for each in dimensions} == {
            "FunctionName": {"Ref": name},
            "Resource": {"Fn::Sub": f"${{{name}}}:live"},
            "ExecutedVersion": version,
        }


def test_a_few_functions_change_at_once(transformed: Template) -> None:
    """Lambda's API takes 15 such calls a second (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""
    names = {function.logical for function in FUNCTIONS}
    waits_for = {name: set(transformed["Resources"][name].get("DependsOn", [])) & names for name in names}
    assert sum(not before for before in waits_for.values()) <= 5
    done: set[str] = set()
    while ready := {name for name in names - done if waits_for[name] <= done}:
        assert len(ready) <= 5
        done |= ready
    assert done == names, "the functions wait for each other"


def test_no_resource_waits_for_itself(transformed: Template) -> None:
    resources = transformed["Resources"]
    waits_for = {
        name: {each for each in {*_referred(it), *_listed(it.get("DependsOn", []))} if each in resources}
        for name, it in resources.items()
    }
    done: set[str] = set()
    while ready := {name for name in resources.keys() - done if waits_for[name] <= done}:
        done |= ready
    assert resources.keys() - done == set()


def test_the_schema_is_migrated_before_any_other_function_gets_a_new_version(transformed: Template) -> None:
    resources = transformed["Resources"]
    waits_for = {
        name: {each for each in {*_referred(it), *_listed(it.get("DependsOn", []))} if each in resources}
        for name, it in resources.items()
    }

    def all_before(name: str) -> set[str]:
        found: set[str] = set()
        more = {name}
        while more := {each for one in more for each in waits_for[one]} - found:
            found |= more
        return found

    for function in FUNCTIONS:
        if function.name != "migrate":
            assert "SchemaMigration" in all_before(function.logical), function.name
    migration = resources["SchemaMigration"]
    version = resources[alias_of("Migrate")]["Properties"]["FunctionVersion"]["Fn::GetAtt"][0]
    assert migration["Properties"]["ServiceToken"] == {"Ref": version}
    assert alias_of("Migrate") not in all_before("SchemaMigration"), "the alias may move when the schema is migrated"


def _listed(names: Any) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def test_a_canary_gets_the_percentage_for_the_minutes(transformed: Template) -> None:
    routing = of_kind(transformed, "AWS::CodeDeploy::DeploymentConfig")["CanaryConfiguration"]["TrafficRoutingConfig"]
    assert routing["TimeBasedCanary"] == {
        "CanaryPercentage": {"Ref": "CanaryPercentage"},
        "CanaryInterval": {"Ref": "CanaryMinutes"},
    }


def test_codedeploy_may_read_every_alarm_and_touch_only_this_stacks_aliases(transformed: Template) -> None:
    """AWS's own role, AWSCodeDeployRoleForLambda, has `*` for this one action: CodeDeploy does not ask by name."""
    policies = transformed["Resources"]["CanaryRole"]["Properties"]["Policies"]
    statements = [each for policy in policies for each in policy["PolicyDocument"]["Statement"]]
    everywhere = [action for each in statements if each["Resource"] == "*" for action in _listed(each["Action"])]
    assert everywhere == ["cloudwatch:DescribeAlarms"]
    places = [each["Fn::Sub"] for each in _resources(statements, "lambda:UpdateAlias")]
    assert places
    assert all(":function:${AWS::StackName}-" in place for place in places)


def _resources(statements: list[dict[str, Any]], action: str) -> list[Any]:
    return [place for each in statements if action in _listed(each["Action"]) for place in each["Resource"]]


def test_nobody_calls_a_function_past_its_alias(transformed: Template) -> None:
    names = {function.logical for function in FUNCTIONS}
    callers = [
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGatewayV2::Integration",
        "AWS::Events::Rule",
        "AWS::IAM::Role",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Permission",
        "AWS::S3::Bucket",
        "AWS::StepFunctions::StateMachine",
    ]
    for kind in callers:
        for resource, properties in of_kind(transformed, kind).items():
            assert set(_referred(properties)).isdisjoint(names), (kind, resource)
    called = {name for kind in callers for each in of_kind(transformed, kind).values() for name in _referred(each)}
    by_events = {"APIHandler", "IngestFlights", "ProcessFlights", "NotifyUploads", "PredictPart", "WebsocketMessage"}
    assert {alias_of(name) for name in by_events} <= called


def _referred(value: Any) -> Iterator[str]:
    """Every name that `Ref`, `GetAtt` or a `Sub` in a value refers to."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0] if isinstance(inner, list) else inner.split(".")[0]
            elif key == "Fn::Sub":
                text = inner[0] if isinstance(inner, list) else inner
                yield from (part.split("}")[0].split(".")[0] for part in text.split("${")[1:])
                yield from _referred(inner[1:] if isinstance(inner, list) else [])
            else:
                yield from _referred(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _referred(inner)


def test_functions_that_call_functions_are_given_and_granted_the_alias(packaged: Template) -> None:
    shared = packaged["Globals"]["Function"]["Environment"]["Variables"]
    for variable in ("OMNIBUS_CONCERTS_PREDICT_FUNCTION", "OMNIBUS_FLIGHTS_PROCESS_FUNCTION"):
        assert shared[variable]["Fn::Sub"].endswith(":live"), variable
    for path in (ROOT / ".chalice").glob("policy-*.json"):
        for statement in json.loads(path.read_text())["Statement"]:
            if "lambda:InvokeFunction" in statement["Action"]:
                assert statement["Resource"]["Fn::Sub"].endswith(":live"), path.name


def test_other_artifacts_are_another_release(tmp_path: Path) -> None:
    artifact = tmp_path / "code.zip"
    artifact.write_bytes(b"one")
    packaged = {"Parameters": {"Release": {"Type": "String"}}, "Resources": {}}
    first = released(packaged, [artifact])
    assert first == released(packaged, [artifact])
    artifact.write_bytes(b"two")
    other = released({**packaged, "Resources": {"Bucket": {}}}, [])
    names = {each["Parameters"]["Release"]["Default"] for each in (first, released(packaged, [artifact]), other)}
    assert len(names) == 3
    assert all(len(name) == 10 and name.isalnum() for name in names)


# -- encryption, transport, retention


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("AWS::SQS::Queue", ("KmsMasterKeyId",)),
        ("AWS::SNS::Topic", ("KmsMasterKeyId",)),
        ("AWS::Logs::LogGroup", ("KmsKeyId",)),
        ("AWS::SecretsManager::Secret", ("KmsKeyId",)),
        ("AWS::DynamoDB::Table", ("SSESpecification", "KMSMasterKeyId")),
        ("AWS::StepFunctions::StateMachine", ("EncryptionConfiguration", "KmsKeyId")),
        ("AWS::Lambda::Function", ("KmsKeyArn",)),
    ],
)
def test_everything_that_keeps_data_has_the_key(transformed: Template, kind: str, where: tuple[str, ...]) -> None:
    for name, properties in of_kind(transformed, kind).items():
        found: Any = properties
        for step in where:
            found = found[step]
        assert found == KEY, name


def test_every_bucket_has_the_key_is_private_and_tells_who_read_it(transformed: Template) -> None:
    for name, properties in of_kind(transformed, "AWS::S3::Bucket").items():
        assert all(properties["PublicAccessBlockConfiguration"].values()), name
        assert len(properties["PublicAccessBlockConfiguration"]) == 4, name
        assert properties["LifecycleConfiguration"]["Rules"], name
        rules = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        encryption = rules[0]["ServerSideEncryptionByDefault"]
        if name in {"AccessLogsBucket", "ConsoleBucket"}:  # S3 delivers into no other; the console is for everybody
            assert encryption == {"SSEAlgorithm": "AES256"}
            continue
        assert properties["LoggingConfiguration"]["DestinationBucketName"] == {"Ref": "AccessLogsBucket"}, name
        if name == "ConsoleBucket":  # public files, which each deployment writes anew
            assert encryption == {"SSEAlgorithm": "AES256"}
            continue
        assert encryption == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}, name
        assert name == "PredictionsScratchBucket" or properties["VersioningConfiguration"] == {"Status": "Enabled"}, (
            name
        )


def test_the_key_rotates_and_services_may_use_it_for_what_they_do(packaged: Template) -> None:
    key = packaged["Resources"]["Key"]["Properties"]
    assert key["EnableKeyRotation"] is True
    for statement in key["KeyPolicy"]["Statement"]:
        if statement["Sid"] == "AccountDecidesByIam":
            assert statement["Principal"]["AWS"]["Fn::Sub"].endswith(":root")
            continue
        assert set(statement["Principal"]) == {"Service"}, statement["Sid"]
        assert statement["Condition"], statement["Sid"]
        assert not any("*" in action for action in statement["Action"]), statement["Sid"]


def test_every_function_may_use_the_key_and_only_use_it() -> None:
    for function in FUNCTIONS:
        policy = json.loads((ROOT / ".chalice" / f"policy-{function.name}.json").read_text())
        (statement,) = [each for each in policy["Statement"] if each.get("Sid") == "Key"]
        assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"], function.name
        assert statement["Resource"] == KEY, function.name


@pytest.mark.parametrize(
    ("kind", "policy", "target"),
    [
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"),
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
    ],
)
def test_nothing_can_be_spoken_to_without_tls(transformed: Template, kind: str, policy: str, target: str) -> None:
    guarded: list[str] = []
    for properties in of_kind(transformed, policy).values():
        (refusal,) = [each for each in properties["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]
        assert refusal["Principal"] == "*"
        assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        named = properties[target]
        guarded += [each["Ref"] for each in (named if isinstance(named, list) else [named])]
        assert all(name in json.dumps(refusal["Resource"]) for name in guarded[-1:])
    assert sorted(guarded) == sorted(of_kind(transformed, kind))


def test_alarms_may_still_publish_to_their_topic(transformed: Template) -> None:
    statements = of_kind(transformed, "AWS::SNS::TopicPolicy")["AlarmsTopicPolicy"]["PolicyDocument"]["Statement"]
    allowed = [each for each in statements if each["Effect"] == "Allow"]
    assert [each["Principal"] for each in allowed] == [{"Service": "cloudwatch.amazonaws.com"}]


def test_logs_end_when_the_parameter_says(transformed: Template) -> None:
    groups = of_kind(transformed, "AWS::Logs::LogGroup")
    assert len(groups) >= len(FUNCTIONS)
    for name, properties in groups.items():
        assert properties["RetentionInDays"] == {"Ref": "LogRetention"}, name


def test_what_is_kept_can_be_protected(packaged: Template) -> None:
    for name, each in packaged["Resources"].items():
        if each["Type"] == "AWS::DynamoDB::Table" and each["DeletionPolicy"] == "Retain":
            assert each["Properties"]["DeletionProtectionEnabled"]["Fn::If"][0] == "ProtectsData", name
    pool = packaged["Resources"]["SpendsenseUserPool"]
    assert pool["DeletionPolicy"] == "Retain"
    assert pool["Properties"]["DeletionProtection"]["Fn::If"][0] == "ProtectsData"
    assert pool["Properties"]["Policies"]["PasswordPolicy"]["MinimumLength"] >= 12
    assert pool["Properties"]["MfaConfiguration"] == "OPTIONAL"
    assert packaged["Parameters"]["ThreatProtection"]["Default"] == "ENFORCED"


def test_the_state_machine_logs_and_traces(packaged: Template) -> None:
    machine = packaged["Resources"]["PredictionsStateMachine"]["Properties"]
    assert machine["TracingConfiguration"]["Enabled"]["Fn::If"][0] == "TracesRequests"
    assert machine["LoggingConfiguration"]["Level"] == "ALL"


def test_whoever_pays_can_tell_what_for(transformed: Template) -> None:
    for kind in ("AWS::Lambda::Function", "AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::SQS::Queue"):
        for name, properties in of_kind(transformed, kind).items():
            tags = {each["Key"]: each["Value"] for each in properties["Tags"]}
            assert tags["owner"] == {"Ref": "Owner"}, name
            assert tags["cost-centre"] == {"Ref": "CostCentre"}, name


# -- CloudFormation's limits, and Lambda's


def test_the_template_is_within_cloudformations_limits(packaged: Template, transformed: Template) -> None:
    """With room to grow: CloudFormation takes 200 parameters, 500 resources and a million bytes."""
    assert len(packaged["Parameters"]) <= 150
    assert len(transformed["Resources"]) <= 400
    assert len(transformed["Outputs"]) <= 200
    assert len(transformed["Mappings"]) <= 200
    for each in (packaged, transformed):
        assert len(compact(each).encode()) <= 800_000


def test_variables_and_policies_are_within_their_limits(packaged: Template) -> None:
    shared = packaged["Globals"]["Function"]["Environment"]["Variables"]
    for name, properties in of_kind(packaged, FUNCTION).items():
        variables = {**shared, **properties["Environment"]["Variables"]}
        written = sum(len(key) + len(_resolved(packaged, value)) for key, value in variables.items())
        assert written <= 4096 - 512, (name, "Lambda takes 4 KB of variables; some must be left for parameters")
    for path in (ROOT / ".chalice").glob("policy-*.json"):
        text = _resolved(packaged, json.loads(path.read_text()))
        assert len(text) <= 10_240, path.name


def _resolved(packaged: Template, value: Any) -> str:
    """About what CloudFormation writes for a value, in a stack and a region with long names."""
    texts = {"AWS::StackName": "omnibus-staging", "AWS::AccountId": "123456789012", "AWS::Region": "ap-southeast-1"}
    texts |= {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
    if isinstance(value, dict) and len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Ref":
            default = packaged["Parameters"].get(argument, {}).get("Default", "x" * 60)
            return texts.get(argument, str(default))
        if function == "Fn::GetAtt":
            return "x" * 80
        if function == "Fn::If":
            return max((_resolved(packaged, each) for each in argument[1:]), key=len)
        if function == "Fn::Sub":
            text = argument[0] if isinstance(argument, list) else argument
            for name, it in texts.items():
                text = text.replace(f"${{{name}}}", it)
            return str(text)
    if isinstance(value, dict):
        return "{" + ",".join(f'"{key}":{_resolved(packaged, it)}' for key, it in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_resolved(packaged, it) for it in value) + "]"
    return str(value)
