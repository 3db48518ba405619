"""The packaged template against app.py: everything declared is there, with its trigger, role, retries, and no more."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app as application

ASYNC_SOURCES = ("S3", "Schedule", "CloudWatchEvent", "EventBridgeRule", "SNS")
NO_ARN_ACTIONS = {
    "cloudwatch:DescribeAlarms",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "redshift-data:CancelStatement",
    "redshift-data:DescribeStatement",
    "redshift-data:GetStatementResult",
    "sqs:ListQueues",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""Services that take no resource in a policy."""

Template = dict[str, Any]


def resources(packaged: Template, kind: str) -> dict[str, Any]:
    return {name: each for name, each in packaged["Resources"].items() if each["Type"] == kind}


def functions(packaged: Template) -> dict[str, Any]:
    """Every function by the name that app.py gives it."""
    found = resources(packaged, "AWS::Serverless::Function")
    return {
        each["Properties"]["FunctionName"]["Fn::Sub"].split("${AWS::StackName}-")[1]: each for each in found.values()
    }


def declared_functions() -> set[str]:
    app = application.app
    names = {source.name for source in app.event_sources} | {function.name for function in app.pure_lambda_functions}
    sockets = {"$connect": "connect", "$default": "message", "$disconnect": "disconnect"}
    names |= {f"websocket_{sockets[key]}" for key in app.websocket_handlers}
    return names | {"api_handler"}


def statements(packaged: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, role in resources(packaged, "AWS::IAM::Role").items():
        for policy in role["Properties"].get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement


def test_every_function_of_the_application_is_there_and_no_other(packaged: Template) -> None:
    assert set(functions(packaged)) == declared_functions()


def test_every_function_has_a_role_of_its_own(packaged: Template) -> None:
    roles = [json.dumps(each["Properties"]["Role"]) for each in functions(packaged).values()]
    assert len(roles) == len(set(roles))


def test_every_function_has_its_own_policy_and_limits_in_the_configuration(packaged: Template) -> None:
    config = json.loads(Path(".chalice/config.json").read_text())
    assert set(config["lambda_functions"]) == declared_functions()
    for name, own in config["lambda_functions"].items():
        assert own["iam_policy_file"] == f"policy-{name}.json"
        assert 128 <= own["lambda_memory_size"] <= 3008, name
        assert own["lambda_timeout"] <= 900, name
    assert not config["autogen_policy"]


def test_the_s3_triggers_of_the_template_are_those_of_app_py(packaged: Template) -> None:
    declared = {
        (trigger.function, trigger.prefix, trigger.suffix, trigger.events) for trigger in application.app.s3_triggers
    }
    found = set()
    for name, function in functions(packaged).items():
        for event in function["Properties"].get("Events", {}).values():
            if event["Type"] == "S3":
                rules = {rule["Name"]: rule["Value"] for rule in event["Properties"]["Filter"]["S3Key"]["Rules"]}
                events = tuple(event["Properties"]["Events"])
                found.add((name, rules.get("prefix", ""), rules.get("suffix", ""), events))
    assert found == declared


def test_the_other_triggers_of_the_template_are_those_of_app_py(packaged: Template) -> None:
    kinds = {"Schedule": "ScheduledEventConfig", "CloudWatchEvent": "CloudWatchEventConfig", "SQS": "SQSEventConfig"}
    declared = {(source.name, type(source).__name__) for source in application.app.event_sources}
    found = {
        (name, kinds[event["Type"]])
        for name, function in functions(packaged).items()
        for event in function["Properties"].get("Events", {}).values()
        if event["Type"] != "S3"
    }
    assert {kind for _, kind in found} == set(kinds.values())
    s3 = {trigger.function for trigger in application.app.s3_triggers}
    assert found == {(name, kind) for name, kind in declared if name not in s3}


def test_every_function_has_an_alarm_for_its_errors(packaged: Template) -> None:
    alarms = resources(packaged, "AWS::CloudWatch::Alarm")
    for logical in resources(packaged, "AWS::Serverless::Function"):
        assert f"{logical}ErrorsAlarm" in alarms


def test_every_asynchronous_function_has_retries_and_a_dead_letter_queue(packaged: Template) -> None:
    queues = resources(packaged, "AWS::SQS::Queue")
    checked = 0
    for name, function in functions(packaged).items():
        events = function["Properties"].get("Events", {}).values()
        if any(event["Type"] in ASYNC_SOURCES for event in events):
            queue, attribute = function["Properties"]["DeadLetterQueue"]["TargetArn"]["Fn::GetAtt"]
            assert attribute == "Arn"
            assert queue in queues, name
            retries = function["Properties"]["EventInvokeConfig"]["MaximumRetryAttempts"]
            assert retries == {"Fn::FindInMap": ["Retries", {"Ref": "RetryAttempts"}, "Async"]}, name
            checked += 1
    assert checked >= 3


def test_every_queue_function_reports_partial_failures(packaged: Template) -> None:
    for name, function in functions(packaged).items():
        for event in function["Properties"].get("Events", {}).values():
            if event["Type"] == "SQS":
                assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name


def test_dead_letters_wait_fourteen_days(packaged: Template) -> None:
    dead = {name: each for name, each in resources(packaged, "AWS::SQS::Queue").items() if "DeadLetters" in name}
    assert dead
    for name, queue in dead.items():
        assert queue["Properties"]["MessageRetentionPeriod"] == {"Ref": "DeadLetterRetention"}, name
    assert packaged["Parameters"]["DeadLetterRetention"]["Default"] == 14 * 86_400


def test_every_dead_letter_queue_has_an_alarm_that_tells_somebody(packaged: Template) -> None:
    queues = {name for name in resources(packaged, "AWS::SQS::Queue") if name.endswith("DeadLetters")}
    watched = set()
    for name, alarm in resources(packaged, "AWS::CloudWatch::Alarm").items():
        properties = alarm["Properties"]
        if properties.get("MetricName") == "ApproximateNumberOfMessagesVisible":
            assert properties["AlarmActions"] == [{"Ref": "AlarmsTopic"}], name
            watched.add(properties["Dimensions"][0]["Value"]["Fn::GetAtt"][0])
    assert queues
    assert watched >= queues


def test_functions_in_a_network_may_attach_to_it_and_no_more(packaged: Template) -> None:
    roles = {function["Properties"]["Role"]["Fn::GetAtt"][0] for function in functions(packaged).values()}
    attached = [packaged["Resources"][role]["Properties"].get("ManagedPolicyArns") for role in roles]
    named = {json.dumps(each) for each in attached if each is not None}
    assert named == {json.dumps({"Fn::If": ["UsesNetwork", [{"Ref": "NetworkAttachment"}], {"Ref": "AWS::NoValue"}]})}
    attachment = packaged["Resources"]["NetworkAttachment"]
    (statement,) = attachment["Properties"]["PolicyDocument"]["Statement"]
    assert attachment["Condition"] == "UsesNetwork"
    assert all(action.startswith("ec2:") and "*" not in action for action in statement["Action"])


def test_no_policy_allows_any_action(packaged: Template) -> None:
    seen = 0
    for role, statement in statements(packaged):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not any("*" in action for action in actions), role
        seen += 1
    assert seen


def test_no_policy_allows_any_resource_where_the_service_takes_an_arn(packaged: Template) -> None:
    for role, statement in statements(packaged):
        listed = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        if "*" in listed:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert set(actions) <= NO_ARN_ACTIONS, (role, statement.get("Sid"))


def test_buckets_are_private(packaged: Template) -> None:
    buckets = resources(packaged, "AWS::S3::Bucket")
    assert buckets
    for name, bucket in buckets.items():
        block = bucket["Properties"]["PublicAccessBlockConfiguration"]
        assert all(block[key] for key in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls")), name


def test_tables_can_be_restored_and_forget_in_time(packaged: Template) -> None:
    for name, table in resources(packaged, "AWS::DynamoDB::Table").items():
        assert table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], name


def test_the_athena_table_has_the_columns_of_the_parquet(packaged: Template) -> None:
    from chalicelib.flights.columns import SCHEMA

    names = {"large_string": "string", "string": "string", "int64": "bigint", "int16": "smallint", "bool": "boolean"}
    names |= {"double": "double", "timestamp[ms, tz=UTC]": "timestamp", "list<element: int32>": "array<int>"}
    names |= {"list<item: int32>": "array<int>", "dictionary<values=string, indices=int32, ordered=0>": "string"}
    for name in ("FlightsStatesTable", "FlightsSnapshotsTable"):
        table = packaged["Resources"][name]["Properties"]["TableInput"]
        declared = [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]
        assert declared == [(field.name, names[str(field.type)]) for field in SCHEMA]


def test_a_query_that_forgets_the_day_reads_a_bounded_number_of_partitions(packaged: Template) -> None:
    table = packaged["Resources"]["FlightsStatesTable"]["Properties"]["TableInput"]
    assert [key["Name"] for key in table["PartitionKeys"]] == ["day"]
    assert table["Parameters"]["projection.day.type"] == "date"
    assert table["Parameters"]["projection.day.range"] == "2020-01-01,NOW+1DAYS"
    group = packaged["Resources"]["FlightsWorkGroup"]["Properties"]["WorkGroupConfiguration"]
    assert group["EnforceWorkGroupConfiguration"]
    assert group["BytesScannedCutoffPerQuery"] <= 16 << 30


def test_stages_differ_in_what_they_keep_and_trace() -> None:
    stages = json.loads(Path(".chalice/config.json").read_text())["stages"]
    assert set(stages) == {"local", "dev", "staging", "prod"}
    for name in ("dev", "staging", "prod"):
        assert stages[name]["xray"] is True
        assert stages[name]["log_retention_in_days"] >= 7
        assert stages[name]["environment_variables"]["OMNIBUS_STAGE"] == name
