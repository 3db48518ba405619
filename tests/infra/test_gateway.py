"""What the gateways let in and write down."""

import json
import re
import tomllib
from typing import Any

import pytest

import app as application
from infra.deployment.intrinsics import references
from infra.deployment.stages import FOLDER as STAGES

Template = dict[str, Any]
SECRETIVE = ("queryString", "querystring", "requestOverride", "header", "body", "$context.path", "Authorization")
"""What an access log must not hold: socket handshakes carry secrets in their query, and paths the ids of people."""


def properties(template: Template, name: str) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"][name]["Properties"]
    return found


@pytest.fixture(scope="session")
def settings(packaged: Template) -> dict[tuple[str, str], dict[str, Any]]:
    return {(it["ResourcePath"], it["HttpMethod"]): it for it in properties(packaged, "RestAPI")["MethodSettings"]}


def test_the_whole_stage_is_throttled_by_parameters(settings: dict[tuple[str, str], dict[str, Any]]) -> None:
    everything = settings["/*", "*"]
    assert everything["ThrottlingRateLimit"] == {"Ref": "RestRate"}
    assert everything["ThrottlingBurstLimit"] == {"Ref": "RestBurst"}


def test_routes_with_limits_of_their_own_are_routes(settings: dict[tuple[str, str], dict[str, Any]]) -> None:
    routes = {(contract.path, method) for contract in application.app.contracts for method in contract.methods}
    own = {(path.replace("~1", "/").removeprefix("/"), method) for path, method in settings if path != "/*"}
    assert own == {("/sessions", "POST"), ("/upload-url", "GET")}
    assert own <= routes


def test_in_prod_no_address_may_use_up_what_a_stage_or_a_route_lets_in(
    packaged: Template, settings: dict[tuple[str, str], dict[str, Any]]
) -> None:
    address = tomllib.loads((STAGES / "prod.toml").read_text(encoding="utf-8"))["parameters"]["AddressRate"]
    rule = properties(packaged, "WebAcl")["Rules"][0]["Statement"]["RateBasedStatement"]
    assert rule == {"AggregateKeyType": "IP", "Limit": {"Ref": "AddressRate"}, "EvaluationWindowSec": 300}
    defaults = {name: parameter.get("Default") for name, parameter in packaged["Parameters"].items()}
    for setting in settings.values():
        limit = setting["ThrottlingRateLimit"]
        assert address / 300 < (defaults[limit["Ref"]] if isinstance(limit, dict) else limit)


def test_nothing_logs_what_goes_in_and_out(settings: dict[tuple[str, str], dict[str, Any]]) -> None:
    for setting in settings.values():
        assert not {"DataTraceEnabled", "LoggingLevel"} & set(setting), "execution logs hold bodies and queries"


def test_the_access_log_knows_who_deleted_and_decided(packaged: Template) -> None:
    """After the database is restored to an earlier moment, nothing else does."""
    logged = json.loads(properties(packaged, "RestAPI")["AccessLogSetting"]["Fn::If"][1]["Format"])
    assert logged["subject"] == "$context.authorizer.claims.sub"


def test_sockets_are_throttled_by_parameters(packaged: Template) -> None:
    own = properties(packaged, "WebsocketAPIStage")["DefaultRouteSettings"]
    assert own == {"ThrottlingRateLimit": {"Ref": "SocketRate"}, "ThrottlingBurstLimit": {"Ref": "SocketBurst"}}


@pytest.mark.parametrize(
    ("stage", "setting", "log"),
    [
        ("RestAPI", "AccessLogSetting", "RestAccessLogs"),
        ("WebsocketAPIStage", "AccessLogSettings", "SocketAccessLogs"),
    ],
)
def test_access_logs_are_json_with_the_request_id_and_without_secrets(
    packaged: Template, stage: str, setting: str, log: str
) -> None:
    condition, logged, otherwise = properties(packaged, stage)[setting]["Fn::If"]
    assert (condition, otherwise) == ("LogsAccess", {"Ref": "AWS::NoValue"})
    assert logged["DestinationArn"] == {"Fn::GetAtt": [log, "Arn"]}
    fields = json.loads(logged["Format"])
    assert fields["request_id"] == "$context.requestId"
    assert all(re.fullmatch(r"\$context\.[\w.]+", text) for text in fields.values())
    for secretive in SECRETIVE:
        assert not any(re.search(rf"{re.escape(secretive)}\b", text) for text in fields.values()), secretive
    assert packaged["Resources"][log]["Condition"] == "LogsAccess"
    assert properties(packaged, log)["RetentionInDays"] == {"Ref": "LogRetention"}


def test_logs_wait_for_the_role_that_the_account_needs(packaged: Template) -> None:
    for log in ("RestAccessLogs", "SocketAccessLogs"):
        values = [tag["Value"] for tag in properties(packaged, log)["Tags"]]
        assert {"Fn::If": ["OwnsGatewayAccount", {"Ref": "GatewayAccountSettings"}, "existing"]} in values


def waits_for(resources: Template, logical: str) -> set[str]:
    """Every resource that must be there before this one, directly or not."""
    found: set[str] = set()
    ahead = [logical]
    while ahead:
        each = resources[ahead.pop()]
        wanted = each.get("DependsOn", [])
        named = {name.partition(".")[0] for name in references(each)}
        more = (named | set([wanted] if isinstance(wanted, str) else wanted)) & resources.keys() - found
        found |= more
        ahead += more
    return found


def test_the_accounts_role_is_set_after_an_api_and_long_after_it_was_made(transformed: Template) -> None:
    # "If an API Gateway resource has never been created in your AWS account, you must add a dependency on another API
    # Gateway resource" (CloudFormation's reference of AWS::ApiGateway::Account).
    resources = transformed["Resources"]
    before = waits_for(resources, "GatewayAccountSettings")
    assert "AWS::ApiGateway::RestApi" in {resources[name]["Type"] for name in before}
    assert "GatewayAccountSettings" not in before
    assert "AWS::Lambda::Alias" in {resources[name]["Type"] for name in before}, "minutes, for IAM to spread the role"
    assert waits_for(resources, "GatewayLogsRole") == set()
    for stage in ("RestAPIapiStage", "WebsocketAPIStage"):
        assert "GatewayAccountSettings" in waits_for(resources, stage)


def test_no_resource_waits_for_itself(transformed: Template) -> None:
    resources = transformed["Resources"]
    assert [name for name in resources if name in waits_for(resources, name)] == []


def test_the_accounts_role_outlives_the_stack_that_set_it(packaged: Template) -> None:
    for name in ("GatewayAccountSettings", "GatewayLogsRole"):
        resource = packaged["Resources"][name]
        assert (resource["Condition"], resource["DeletionPolicy"]) == ("OwnsGatewayAccount", "Retain")


def test_a_key_is_asked_for_the_chat_alone_and_only_if_wanted(packaged: Template) -> None:
    body = properties(packaged, "RestAPI")["DefinitionBody"]
    keyed = {
        (path, method)
        for path, item in body["paths"].items()
        for method, operation in item.items()
        if "api_key" in json.dumps(operation.get("security", ""))
    }
    assert keyed == {("/chat", "post")}
    asked = {"Fn::If": ["ChatNeedsKey", [{"api_key": []}], {"Ref": "AWS::NoValue"}]}
    assert body["paths"]["/chat"]["post"]["security"] == asked
    assert body["securityDefinitions"]["api_key"] == {"type": "apiKey", "name": "x-api-key", "in": "header"}
    assert packaged["Parameters"]["ChatApiKey"]["Default"] == "DISABLED"


def test_a_key_is_bounded_by_the_plan(packaged: Template) -> None:
    plan = properties(packaged, "ClientsPlan")
    assert plan["ApiStages"] == [{"ApiId": {"Ref": "RestAPI"}, "Stage": {"Ref": "RestAPI.Stage"}}]
    assert plan["Throttle"] == {"RateLimit": {"Ref": "ClientRate"}, "BurstLimit": {"Ref": "ClientBurst"}}
    assert plan["Quota"] == {"Limit": {"Ref": "ClientQuota"}, "Period": "DAY"}
    assert properties(packaged, "FirstClient")["UsagePlanId"] == {"Ref": "ClientsPlan"}


def test_gateway_errors_can_be_read_by_the_pages_that_may_call(packaged: Template) -> None:
    responses = properties(packaged, "RestAPI")["GatewayResponses"]
    assert set(responses) == {"DEFAULT_4XX", "DEFAULT_5XX", "MISSING_AUTHENTICATION_TOKEN"}
    assert responses["MISSING_AUTHENTICATION_TOKEN"]["StatusCode"] == "404"
    for response in responses.values():
        assert "Access-Control-Allow-Origin" in response["ResponseParameters"]["Headers"]
        assert set(
            json.loads(
                response["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '"message"')
            )["error"]
        ) == {"code", "message", "request_id"}
