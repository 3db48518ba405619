"""Versions and the alias `live` of every function, the canary that moves it, and everybody who calls a function.

A trigger that went to the function itself would run what was just uploaded, past the canary: so API Gateway, the
socket API, the state machine and functions that call functions all go to the alias. SAM lets events do so by itself.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from infra.template.functions import Function
from infra.template.names import ALIAS, REST_API, Template, alias_of

PERMISSION = "AWS::Lambda::Permission"
SOCKET_INTEGRATION = "AWS::ApiGatewayV2::Integration"
INVOCATIONS = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${%s}/invocations"


def with_aliases(template: Template, functions: Iterable[Function]) -> dict[str, Any]:
    """The template with a version and the alias for each function, and with all callers going to the alias."""
    resources = dict(template["Resources"])
    names = {function.logical for function in functions}
    for name in names:
        alarm = f"{name}ErrorsAlarm"
        published = {
            "AutoPublishAlias": ALIAS,
            # A version has the configuration too, of which the parameters are a part: SAM compares the code alone.
            "AutoPublishCodeSha256": {"Ref": "Release"},
            "DeploymentPreference": {
                "Enabled": {"Fn::FindInMap": ["Canaries", {"Ref": "Canary"}, "Enabled"]},
                "Type": {"Ref": "CanaryConfiguration"},
                "Role": {"Fn::GetAtt": ["CanaryRole", "Arn"]},
                **({"Alarms": _alarms(alarm, resources[alarm])} if alarm in resources else {}),
            },
        }
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


def _changed(resource: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    return {**resource, "Properties": {**resource["Properties"], **properties}}


def _alarms(name: str, alarm: Mapping[str, Any]) -> Any:
    watching = [{"Ref": name}]
    if "Condition" in alarm:
        return {"Fn::If": [alarm["Condition"], watching, [{"Ref": "AWS::NoValue"}]]}
    return watching


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
    """What Chalice wrote about the API, each `${Function.Arn}/invocations` in it that of the alias."""
    if isinstance(body, dict):
        return {key: _rest_body(value) for key, value in body.items()}
    if isinstance(body, list):
        return [_rest_body(value) for value in body]
    if isinstance(body, str) and body.endswith("${APIHandler.Arn}/invocations"):
        return INVOCATIONS % alias_of("APIHandler")
    return body
