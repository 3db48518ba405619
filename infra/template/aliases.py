"""Versions and the alias `live` of every function, the canary that moves the alias, and every caller of a function.

A trigger that called the function itself would bypass the canary and run the code just uploaded. API Gateway, the
socket API, the state machine and functions that call functions therefore call the alias; SAM does this for events.

Functions that people wait for get a canary: the two APIs' functions, and those whose fragment has a
DeploymentPreference. The others' events are retried, and 21 concurrent canaries would exceed Lambda's API rate.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from infra.template.alarms import CONDITION, alarm
from infra.template.functions import Function
from infra.template.names import ALIAS, REST_API, Resources, Template, alias_of, of_type

PERMISSION = "AWS::Lambda::Permission"
SOCKET_INTEGRATION = "AWS::ApiGatewayV2::Integration"
REST_HANDLER = "APIHandler"
MIGRATION, MIGRATING = "SchemaMigration", "Migrate"
"""The custom resource that CloudFormation requests, and the function that provides it."""
AT_ONCE = 5
"""Functions that change in parallel: Lambda takes 15 such calls a second, and a function needs four."""
INVOCATIONS = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${%s}/invocations"


def with_aliases(template: Template, functions: Sequence[Function]) -> dict[str, Any]:
    """The template with a version and the alias for each function; all callers call the alias."""
    resources = dict(template["Resources"])
    names = {function.logical for function in functions}
    for function in functions:
        name = function.logical
        # A version includes the configuration, and so the parameters: SAM compares only the code.
        published: dict[str, Any] = {"AutoPublishAlias": ALIAS, "AutoPublishCodeSha256": {"Ref": "Release"}}
        if name in _waited_for(template["Resources"], names):
            published["DeploymentPreference"] = _canary(name)
            resources[f"{name}CanaryAlarm"] = _of_new_version(function)
        resources[name] = _changed(resources[name], published)
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        if resource["Type"] == PERMISSION:
            resources[name] = _changed(resource, {"FunctionName": _called(properties["FunctionName"], names)})
        elif resource["Type"] == SOCKET_INTEGRATION:
            resources[name] = _changed(resource, {"IntegrationUri": _socket_uri(properties["IntegrationUri"], names)})
        elif resource["Type"] == REST_API:
            resources[name] = _changed(resource, {"DefinitionBody": _rest_body(properties["DefinitionBody"])})
    return {**template, "Resources": resources}


def after_migration(template: Template, functions: Sequence[Function]) -> dict[str, Any]:
    """The template in which every function changes only after the schema migration.

    A tag makes them wait: DependsOn cannot name a conditional resource.
    """
    resources = dict(template["Resources"])
    if MIGRATION not in resources:
        return dict(template)
    migrated = {"Fn::If": [resources[MIGRATION]["Condition"], {"Ref": MIGRATION}, "not-migrated"]}
    for name in (function.logical for function in functions if function.logical != MIGRATING):
        tags = {**resources[name]["Properties"].get("Tags", {}), "schema": migrated}
        resources[name] = _changed(resources[name], {"Tags": tags})
    return {**template, "Resources": resources}


def in_turns(template: Template, functions: Sequence[Function]) -> dict[str, Any]:
    """The template with its functions in a few chains, which keeps CloudFormation from changing all in parallel."""
    resources = dict(template["Resources"])
    turns = sorted(functions, key=lambda function: function.logical != MIGRATING)
    for before, after in zip(turns, turns[AT_ONCE:], strict=False):
        there = resources[after.logical].get("DependsOn", [])
        waits_for = [*([there] if isinstance(there, str) else there), before.logical]
        resources[after.logical] = {**resources[after.logical], "DependsOn": waits_for}
    return {**template, "Resources": resources}


def _waited_for(resources: Resources, names: set[str]) -> set[str]:
    called = {
        value["Ref"]
        for each in of_type(resources, SOCKET_INTEGRATION).values()
        for value in each["Properties"]["IntegrationUri"]["Fn::Sub"][1].values()
        if "Ref" in value
    }
    wanted = {name for name in names if "DeploymentPreference" in resources[name]["Properties"]}
    return (called | wanted | {REST_HANDLER}) & names


def _canary(function: str) -> dict[str, Any]:
    watching = [{"Ref": f"{function}CanaryAlarm"}]
    return {
        "Enabled": {"Fn::FindInMap": ["Canaries", {"Ref": "Canary"}, "Enabled"]},
        "Type": {"Ref": "CanaryConfiguration"},
        "Role": {"Fn::GetAtt": ["CanaryRole", "Arn"]},
        "Alarms": {"Fn::If": [CONDITION, watching, [{"Ref": "AWS::NoValue"}]]},
    }


def _of_new_version(function: Function) -> dict[str, Any]:
    """The alarm that rolls a canary back. It watches only the new version, or a failing version would block its fix."""
    dimensions = [
        {"Name": "FunctionName", "Value": {"Ref": function.logical}},
        {"Name": "Resource", "Value": {"Fn::Sub": f"${{{function.logical}}}:{ALIAS}"}},
        {"Name": "ExecutedVersion", "Value": {"Fn::GetAtt": [f"{function.logical}.Version", "Version"]}},
    ]
    return alarm(
        f"{function.name}-canary",
        f"The new version of {function.name} raises errors or times out: its canary is rolled back.",
        "canary",
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=dimensions,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=3,
        DatapointsToAlarm=2,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=0,
    )


def _changed(resource: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    return {**resource, "Properties": {**resource["Properties"], **properties}}


def _called(target: Any, functions: set[str]) -> Any:
    if isinstance(target, dict) and target.get("Ref") in functions:
        return {"Ref": alias_of(target["Ref"])}
    return target


def _socket_uri(uri: Any, functions: set[str]) -> Any:
    for value in uri["Fn::Sub"][1].values():
        if value.get("Ref") in functions:
            return {"Fn::Sub": INVOCATIONS % alias_of(value["Ref"])}
    return uri


def _rest_body(body: Any) -> Any:
    """Chalice's API definition with each `${Function.Arn}/invocations` replaced by the alias's."""
    if isinstance(body, dict):
        return {key: _rest_body(value) for key, value in body.items()}
    if isinstance(body, list):
        return [_rest_body(value) for value in body]
    if isinstance(body, str) and body.endswith("${APIHandler.Arn}/invocations"):
        return INVOCATIONS % alias_of(REST_HANDLER)
    return body
