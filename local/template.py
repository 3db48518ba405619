"""The local deployment's changes to the packaged template, and their reasons; the rest is deployed as in AWS.

Each function takes the template's resources and returns changed ones. docs/local-cloud.md lists all changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.template.names import ALARM, FUNCTION, LAYER, REST_API, SOCKET_DEPLOYMENT, SOCKET_STAGE, Resources

POLICIES = ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy")
CANARY = "AWS::CodeDeploy::DeploymentConfig"
ROLE = "AWS::IAM::Role"
BINARY_TYPES = "x-amazon-apigateway-binary-media-types"
GATEWAY_RESPONSE = "AWS::ApiGateway::GatewayResponse"


@dataclass(frozen=True)
class Code:
    """The location of the functions' uploaded zip."""

    bucket: str
    key: str


def localised(template: Mapping[str, Any], code: Code, given: Mapping[str, str]) -> dict[str, Any]:
    """The packaged template as MiniStack can deploy it with the `given` parameters."""
    resources: Resources = template["Resources"]
    resources = with_uploaded_code(resources, code)
    resources = without_layers(resources)
    resources = without_canary(resources)
    resources = without_metric_math(resources)
    resources = without_tls(resources)
    resources = with_automatic_socket_deployment(resources)
    resources = with_gateway_responses(resources)
    resources = with_binary_bodies(resources)
    resources = with_one_address(resources)
    resources = with_open_queries(resources)
    resources = with_console(resources, given.get("ConsoleUrl"))
    parameters = with_given_defaults(template.get("Parameters", {}), given)
    return {
        **template,
        **({"Conditions": with_split_values(template["Conditions"], parameters)} if "Conditions" in template else {}),
        "Globals": without_shared_layers(template.get("Globals", {})),
        "Parameters": parameters,
        "Resources": dict(resources),
    }


def with_given_defaults(parameters: Resources, given: Mapping[str, str]) -> dict[str, Any]:
    """Make the given values the defaults, because MiniStack has SAM read the defaults, whatever is given."""
    return {
        name: {**parameter, "Default": given[name]} if name in given else parameter
        for name, parameter in parameters.items()
    }


def with_split_values(value: Any, parameters: Resources) -> Any:
    """Conditions with split parameters replaced by their parts, because MiniStack cannot split in a condition."""
    if isinstance(value, list):
        return [with_split_values(item, parameters) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Fn::Select": [index, {"Fn::Split": [between, {"Ref": name}]}]}:
            return str(parameters[name].get("Default", "")).split(between)[int(index)]
    return {key: with_split_values(item, parameters) for key, item in value.items()}


def with_uploaded_code(resources: Resources, code: Code) -> Resources:
    """Point every function at the uploaded zip, as `aws cloudformation package` does for AWS."""
    return _each(resources, FUNCTION, {"CodeUri": {"Bucket": code.bucket, "Key": code.key}})


def without_layers(resources: Resources) -> Resources:
    """Drop the library layers: workers run MiniStack's own interpreter, which has the libraries."""
    functions = _each(resources, FUNCTION, {}, without=("Layers",))
    return {name: resource for name, resource in functions.items() if resource["Type"] != LAYER}


def without_shared_layers(shared: Mapping[str, Any]) -> dict[str, Any]:
    """Drop Lambda Insights, the layer of every function, for the same reason."""
    return {kind: {name: it for name, it in own.items() if name != "Layers"} for kind, own in shared.items()}


def without_canary(resources: Resources) -> Resources:
    """Move aliases immediately: MiniStack does not know CodeDeploy."""
    functions = _each(resources, FUNCTION, {}, without=("DeploymentPreference",))
    return {name: resource for name, resource in functions.items() if resource["Type"] != CANARY}


def without_metric_math(resources: Resources) -> Resources:
    """Drop alarms over several metrics: MiniStack refuses them."""
    return {
        name: resource
        for name, resource in resources.items()
        if not (resource["Type"] == ALARM and "Metrics" in resource["Properties"])
    }


def without_tls(resources: Resources) -> Resources:
    """Drop statements that refuse plain HTTP, which MiniStack speaks, and policies without other statements."""
    kept = dict(resources)
    for name, resource in resources.items():
        if resource["Type"] in POLICIES:
            document = resource["Properties"]["PolicyDocument"]
            said = [statement for statement in document["Statement"] if statement.get("Sid") != "OnlyTls"]
            if said:
                kept[name] = _with_properties(resource, {"PolicyDocument": {**document, "Statement": said}})
            else:
                del kept[name]
    return kept


def with_automatic_socket_deployment(resources: Resources) -> Resources:
    """Let the WebSocket stage deploy itself: MiniStack does not know AWS::ApiGatewayV2::Deployment."""
    stages = _each(resources, SOCKET_STAGE, {"AutoDeploy": True}, without=("DeploymentId",))
    return {name: resource for name, resource in stages.items() if resource["Type"] != SOCKET_DEPLOYMENT}


def with_console(resources: Resources, url: str | None) -> Resources:
    """Let the REST API link to the local console: MiniStack's CloudFront answers only to its own host names."""
    return _each(resources, REST_API, {"Variables": {"console": f"{url}/"}}) if url else resources


def with_open_queries(resources: Resources) -> Resources:
    """Let roles follow any query: MiniStack knows a query's work group only if the request names it."""

    def opened(policy: Mapping[str, Any]) -> dict[str, Any]:
        document = policy["PolicyDocument"]
        statements = [
            {**each, "Resource": "*"} if str(each["Action"][0]).startswith("athena:") else each
            for each in document["Statement"]
        ]
        return {**policy, "PolicyDocument": {**document, "Statement": statements}}

    return {
        name: _with_properties(each, {"Policies": [opened(policy) for policy in each["Properties"]["Policies"]]})
        if each["Type"] == ROLE and "Policies" in each["Properties"]
        else each
        for name, each in resources.items()
    }


def with_gateway_responses(resources: Resources) -> Resources:
    """Declare each gateway response as a resource: MiniStack does not know the REST API's extension for them."""
    alone = {
        f"{name}{kind.title().replace('_', '')}": {
            "Type": GATEWAY_RESPONSE,
            "Properties": {
                "RestApiId": {"Ref": name},
                "ResponseType": kind,
                "ResponseParameters": {
                    f"gatewayresponse.header.{header}": value
                    for header, value in response.get("ResponseParameters", {}).get("Headers", {}).items()
                },
                "ResponseTemplates": response.get("ResponseTemplates", {}),
                **({"StatusCode": response["StatusCode"]} if "StatusCode" in response else {}),
            },
        }
        for name, resource in resources.items()
        if resource["Type"] == REST_API
        for kind, response in resource["Properties"].get("GatewayResponses", {}).items()
    }
    return {**resources, **alone}


def with_binary_bodies(resources: Resources) -> Resources:
    """Declare a REST API's binary types as its property: MiniStack does not read them from its definition."""
    return {
        name: {**resource, "Properties": {**resource["Properties"], "BinaryMediaTypes": types}}
        if resource["Type"] == REST_API
        and (types := resource["Properties"].get("DefinitionBody", {}).get(BINARY_TYPES))
        else resource
        for name, resource in resources.items()
    }


def with_one_address(resources: Resources) -> Resources:
    """Remove the release from a REST API's description: MiniStack gives a changed description a new URL."""
    apis = {name: each["Properties"]["DefinitionBody"] for name, each in resources.items() if each["Type"] == REST_API}
    unnamed = {name: {**body, "info": {**body.get("info", {}), "version": "local"}} for name, body in apis.items()}
    return {
        name: _with_properties(resource, {"DefinitionBody": unnamed[name]}) if name in unnamed else resource
        for name, resource in resources.items()
    }


def _each(resources: Resources, kind: str, properties: Mapping[str, Any], without: tuple[str, ...] = ()) -> Resources:
    return {
        name: _with_properties(resource, properties, without) if resource["Type"] == kind else resource
        for name, resource in resources.items()
    }


def _with_properties(
    resource: Mapping[str, Any], properties: Mapping[str, Any], without: tuple[str, ...] = ()
) -> dict[str, Any]:
    kept = {name: value for name, value in resource.get("Properties", {}).items() if name not in without}
    return {**resource, "Properties": {**kept, **properties}}
