"""`make resources` and `chalice deploy` against the local cloud: Chalice's own command, as far as MiniStack goes.

Chalice's calls are recorded: of the REST API, which MiniStack imports without its body, the call is looked at.
"""

import asyncio
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import websockets

import app as application
from infra.deployment import inner_loop, release, removal
from infra.deployment.problems import DeploymentError
from infra.deployment.release import Site
from infra.package import ROOT, package
from infra.template.names import FUNCTION
from local.cloud import GATEWAY, STAGE_PATH, Cloud
from local.template import without_metric_math, without_tls
from tests.cloud.deployment import Deployment, forget
from tests.events import schedule_event
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.cloud

STACK = "omnibus-dev"
RECORDER = (sys.executable, str(Path(__file__).with_name("chalice_recorder.py")))
EXPECTED_TRIGGERS = {"process_flights", "validate_flights", "upload_completed"}


@dataclass(frozen=True)
class Deployed:
    """What the fixture deployed: where, from which project, and by which calls."""

    site: Site
    package: Path
    root: Path
    outputs: dict[str, str]
    calls: list[dict[str, Any]]

    def made(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of each call of an operation."""
        return [call["params"] for call in self.calls if call["operation"] == operation]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A separate tree, which protects the developer's .chalice/deployed."""
    folder = tmp_path_factory.mktemp("tree")
    (folder / ".chalice").mkdir()
    (folder / ".chalice" / "config.json").write_text((ROOT / ".chalice" / "config.json").read_text())
    for name in ("app.py", "chalicelib"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    package("dev", out)
    for name in ("arrow", "ml"):  # empty layers: MiniStack's workers have the libraries
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("python/README", "")
        (out / f"{name}.zip").write_bytes(content.getvalue())
    return out


def test_another_python_is_refused_before_anything_is_made(
    cloud: Cloud, root: Path, dist: Path, tmp_path: Path
) -> None:
    template = json.loads((dist / "sam.json").read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == FUNCTION:
            resource["Properties"]["Runtime"] = "python3.99"
    (tmp_path / "sam.json").write_text(json.dumps(template))
    site = Deployment(cloud).site
    with pytest.raises(DeploymentError, match=r"built for python3\.99"):
        inner_loop.make_resources(site, tmp_path, root)
    assert site.stack.status() is None


@pytest.fixture(scope="module")
def deployed(cloud: Cloud, root: Path, dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    deployment = Deployment(
        cloud,
        parameters={
            "OpenSkyUrl": cloud.opensky_url,
            "OpenSkyTokenUrl": cloud.environment["OPENSKY_TOKEN_URL"],
            "OpenSkyClientId": "omnibus",
        },
    )
    secrets = {**deployment.site.stage.secrets, "OpenSkyClientSecret": "omnibus"}
    site = replace(
        deployment.site,
        stage=replace(deployment.site.stage, secrets=secrets),
        adapt=lambda template: {**template, "Resources": without_tls(without_metric_math(template["Resources"]))},
    )
    file = tmp_path_factory.mktemp("calls") / "calls.jsonl"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**cloud.credentials, "AWS_ENDPOINT_URL": cloud.aws_endpoint_url}.items():
            patch.setenv(name, value)
        patch.setenv("CHALICE_CALLS", str(file))
        try:
            inner_loop.make_resources(site, dist, root)
            outputs = inner_loop.chalice_deploy(site, dist, root, RECORDER)
            calls = [json.loads(line) for line in file.read_text().splitlines()]
            yield Deployed(site, dist, root, outputs, calls)
            inner_loop.chalice_delete(site, root, RECORDER)
        finally:
            site.stack.delete()
            forget(cloud, STACK)


def names() -> set[str]:
    """What Chalice calls the application's functions."""
    app = application.app
    found = {source.name for source in app.event_sources} | {function.name for function in app.pure_lambda_functions}
    return found | {"websocket_connect", "websocket_message", "websocket_disconnect"}


def test_every_function_is_there_with_the_limits_of_the_template(deployed: Deployed, cloud: Cloud) -> None:
    functions = cloud.client("lambda").get_paginator("list_functions").paginate()
    found = {each["FunctionName"]: each for page in functions for each in page["Functions"]}
    assert {STACK, *(f"{STACK}-{name}" for name in names())} <= found.keys()
    assert (found[f"{STACK}-process_flights"]["MemorySize"], found[f"{STACK}-process_flights"]["Timeout"]) == (
        1024,
        120,
    )
    layers = [layer["Arn"] for layer in found[f"{STACK}-process_flights"]["Layers"]]
    assert deployed.site.stack.outputs()["NeededArrowLayer"] in layers
    assert "NeededMlLayer" in deployed.site.stack.outputs()


def test_every_function_has_a_role_of_its_own_with_a_policy_of_plain_values(deployed: Deployed, cloud: Cloud) -> None:
    iam, functions = cloud.client("iam"), cloud.client("lambda")
    roles = set()
    for name in names():
        role = functions.get_function_configuration(FunctionName=f"{STACK}-{name}")["Role"].rsplit("/", 1)[-1]
        roles.add(role)
        (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
        document = json.dumps(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
        assert "Fn::" not in document, name
        assert "${AWS::" not in document, name
        assert f":log-group:/aws/lambda/{STACK}-{name}:" in document, name
    assert len(roles) == len(names())


def test_the_rest_function_may_write_the_log_group_that_is_there_for_it(deployed: Deployed, cloud: Cloud) -> None:
    policy = cloud.client("iam").get_role_policy(RoleName=f"{STACK}-api_handler", PolicyName=f"{STACK}-api_handler")
    assert f":log-group:/aws/lambda/{STACK}:*" in json.dumps(policy["PolicyDocument"])
    groups = cloud.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{STACK}")["logGroups"]
    assert {f"/aws/lambda/{STACK}", f"/aws/lambda/{STACK}-process_flights"} <= {each["logGroupName"] for each in groups}


def test_s3_triggers_are_chalices_own(deployed: Deployed, cloud: Cloud) -> None:
    found = set()
    for bucket in ("flights", "uploads"):
        name = f"{STACK}-{bucket}-000000000000"
        for each in cloud.client("s3").get_bucket_notification_configuration(Bucket=name)[
            "LambdaFunctionConfigurations"
        ]:
            rules = {rule["Name"].lower(): rule["Value"] for rule in each["Filter"]["Key"]["FilterRules"]}
            function = each["LambdaFunctionArn"].rsplit(f":{STACK}-", 1)[-1]
            found.add((function, rules.get("prefix", ""), rules.get("suffix", ""), tuple(each["Events"])))
    declared = {
        (trigger.function, trigger.prefix, trigger.suffix, trigger.events) for trigger in application.app.s3_triggers
    }
    assert found == declared
    assert {function for function, *_ in found} == EXPECTED_TRIGGERS
    assert len(deployed.made("PutBucketNotificationConfiguration")) >= len(EXPECTED_TRIGGERS)


def test_the_queue_is_mapped_and_reports_partial_failures(deployed: Deployed, cloud: Cloud) -> None:
    (mapping,) = cloud.client("lambda").list_event_source_mappings(FunctionName=f"{STACK}-notify_uploads")[
        "EventSourceMappings"
    ]
    assert mapping["EventSourceArn"].endswith(f":{STACK}-upload-notices")
    assert (mapping["BatchSize"], mapping["FunctionResponseTypes"]) == (10, ["ReportBatchItemFailures"])


def test_schedules_and_events_are_rules_on_the_bus(deployed: Deployed, cloud: Cloud) -> None:
    events = cloud.client("events")
    rules = {rule["Name"]: rule for rule in events.list_rules(NamePrefix=STACK)["Rules"]}
    schedules = {name: rule["ScheduleExpression"] for name, rule in rules.items() if "ScheduleExpression" in rule}
    assert schedules == {
        f"{STACK}-ingest_flights-event": "rate(5 minutes)",
        f"{STACK}-compact_flights-event": "cron(12 * * * ? *)",
        f"{STACK}-refresh_venue_popularity-event": "rate(1 hour)",
        f"{STACK}-compute_features-event": "cron(0 1 * * ? *)",
    }
    patterns = {name: json.loads(rule["EventPattern"]) for name, rule in rules.items() if rule.get("EventPattern")}
    assert patterns[f"{STACK}-assign_persona-event"]["detail-type"] == ["Features Computed"]
    for name in [name for name in rules if name.endswith("-event")]:  # the others are the template's own
        (target,) = events.list_targets_by_rule(Rule=name)["Targets"]
        assert target["Arn"].endswith(name.removesuffix("-event"))


def test_the_rest_api_is_imported_with_every_route(deployed: Deployed) -> None:
    """MiniStack ignores the body of ImportRestApi, and does not know PutRestApi: what was sent counts."""
    (first,), (second,) = deployed.made("ImportRestApi"), deployed.made("PutRestApi")
    for call in (first, second):
        body = json.loads(call["body"])
        for path, methods in application.app.routes.items():
            sent = {method.lower() for method in body["paths"][path]}
            assert {method.lower() for method in methods} <= sent, path
    uris = {
        method["x-amazon-apigateway-integration"]["uri"]
        for path in json.loads(second["body"])["paths"].values()
        for method in path.values()
        if "uri" in method.get("x-amazon-apigateway-integration", {})
    }
    (uri,) = uris
    assert uri.endswith(f":function:{STACK}/invocations")
    assert deployed.made("CreateDeployment")[0]["stageName"] == STAGE_PATH


def test_a_function_is_called_by_its_alias(deployed: Deployed, cloud: Cloud) -> None:
    functions = cloud.client("lambda")
    for name in names():
        assert functions.get_alias(FunctionName=f"{STACK}-{name}", Name="live")["FunctionVersion"] == "$LATEST", name


def test_asynchronous_functions_have_dead_letters_and_retries(deployed: Deployed, cloud: Cloud) -> None:
    functions = cloud.client("lambda")
    for name in ("ingest_flights", "process_flights", "assign_persona", "upload_completed"):
        function = f"{STACK}-{name}"
        letters = functions.get_function_configuration(FunctionName=function)["DeadLetterConfig"]["TargetArn"]
        assert letters.endswith(f":{function}-dead"), name
        assert functions.get_function_event_invoke_config(FunctionName=function)["MaximumRetryAttempts"] == 2, name


def test_snapshots_go_through_the_pipeline_by_chalices_triggers(deployed: Deployed, cloud: Cloud) -> None:
    answer = cloud.client("lambda").invoke(
        FunctionName=f"{STACK}-ingest_flights", Payload=json.dumps(schedule_event()).encode()
    )
    outcome = json.loads(answer["Payload"].read())
    assert outcome.get("outcome") == "fetched", outcome
    run = {"tracking_id": {"S": outcome["tracking_id"]}}

    def judged() -> bool:
        item = cloud.client("dynamodb").get_item(TableName=f"{STACK}-flights-runs", Key=run)["Item"]
        return item["status"]["S"] in {"VALIDATED", "QUARANTINED"}

    until(judged)
    made = cloud.client("s3").list_objects_v2(Bucket=f"{STACK}-flights-000000000000", Prefix="processed/")
    assert made["KeyCount"] == 1


def test_a_socket_is_answered_and_functions_know_where_sockets_are(deployed: Deployed, cloud: Cloud) -> None:
    api = deployed.outputs["WebsocketUrl"].split("://")[1].split(".")[0]
    variables = cloud.client("lambda").get_function_configuration(FunctionName=f"{STACK}-notify_uploads")["Environment"]
    assert f"/{api}/" in variables["Variables"]["OMNIBUS_SOCKETS_ENDPOINT"]

    async def ping() -> Any:
        address = f"{cloud.aws_endpoint_url.replace('http', 'ws', 1)}{GATEWAY}/{api}/{STAGE_PATH}?channel=chat"
        async with websockets.connect(address) as socket:
            await socket.send(json.dumps({"action": "ping"}))
            return json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))

    assert asyncio.run(ping())["action"] == "PONG"


def test_a_stage_is_deployed_one_way(deployed: Deployed) -> None:
    with pytest.raises(DeploymentError, match="make chalice-delete STAGE=dev"):
        release.deploy(deployed.site, deployed.package)
    options: dict[str, Any] = {"confirmed": STACK, "asked": input, "empty": True, "second_word": ""}
    with pytest.raises(DeploymentError, match="make chalice-delete STAGE=dev"):
        removal.destroy(deployed.site, **options, root=deployed.root)
