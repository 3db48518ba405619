"""What the local deploy changes in the packaged template, and why; everything else is deployed as it is in AWS.

Each function here takes the template's resources and returns them changed. docs/local-cloud.md lists them all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Resources = Mapping[str, Mapping[str, Any]]

FUNCTION = "AWS::Serverless::Function"
LAYER = "AWS::Serverless::LayerVersion"
SOCKET_DEPLOYMENT = "AWS::ApiGatewayV2::Deployment"
SOCKET_STAGE = "AWS::ApiGatewayV2::Stage"


@dataclass(frozen=True)
class Code:
    """Where the functions' zip was uploaded."""

    bucket: str
    key: str


def localised(template: Mapping[str, Any], code: Code) -> dict[str, Any]:
    """The packaged template as MiniStack can deploy it."""
    resources: Resources = template["Resources"]
    resources = with_uploaded_code(resources, code)
    resources = without_layers(resources)
    resources = with_automatic_socket_deployment(resources)
    return {**template, "Resources": dict(resources)}


def with_uploaded_code(resources: Resources, code: Code) -> Resources:
    """Point every function at the uploaded zip, as `aws cloudformation package` does for AWS."""
    return _each(resources, FUNCTION, {"CodeUri": {"Bucket": code.bucket, "Key": code.key}})


def without_layers(resources: Resources) -> Resources:
    """Drop the library layers: workers run MiniStack's own interpreter, whose environment has the libraries."""
    functions = _each(resources, FUNCTION, {}, without=("Layers",))
    return {name: resource for name, resource in functions.items() if resource["Type"] != LAYER}


def with_automatic_socket_deployment(resources: Resources) -> Resources:
    """Let the WebSocket stage deploy itself: MiniStack does not know AWS::ApiGatewayV2::Deployment."""
    stages = _each(resources, SOCKET_STAGE, {"AutoDeploy": True}, without=("DeploymentId",))
    return {name: resource for name, resource in stages.items() if resource["Type"] != SOCKET_DEPLOYMENT}


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
