"""What API Gateway serves is a snapshot, which CloudFormation takes anew only as a deployment of another name.

SAM names that of the REST API after the API's description as it is written, parameters and conditions unresolved: a
parameter alone would change the API and not what it serves. So the description names the release, in plain text.
Chalice always gives that of the socket API one name; here it is named after the routes and integrations that it has.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from infra.template.names import RELEASE_DIGITS, REST_API, SOCKET_DEPLOYMENT, SOCKET_STAGE, Template

DEPLOYED = ("AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Integration")


def of_release(template: Template, release: str) -> dict[str, Any]:
    """The template with its REST APIs described as those of `release`: another release is deployed anew."""
    resources = {name: _described(each, release) for name, each in template["Resources"].items()}
    return {**template, "Resources": resources}


def with_socket_redeployment(template: Template) -> dict[str, Any]:
    """The template with the socket API's deployment named after what it deploys."""
    resources = template["Resources"]
    deployed = {name: each for name, each in resources.items() if each["Type"] in DEPLOYED}
    digest = hashlib.sha256(json.dumps(deployed, sort_keys=True).encode()).hexdigest()[:RELEASE_DIGITS]
    names = {name: f"{name}{digest}" for name, each in resources.items() if each["Type"] == SOCKET_DEPLOYMENT}
    renamed = {names.get(name, name): _staged(each, names) for name, each in resources.items()}
    return {**template, "Resources": renamed}


def _described(resource: Mapping[str, Any], release: str) -> Mapping[str, Any]:
    if resource.get("Type") != REST_API:
        return resource
    properties = resource["Properties"]
    body = properties["DefinitionBody"]
    named = {**body, "info": {**body["info"], "version": release}}
    return {**resource, "Properties": {**properties, "DefinitionBody": named}}


def _staged(resource: Mapping[str, Any], names: Mapping[str, str]) -> Mapping[str, Any]:
    if resource["Type"] != SOCKET_STAGE:
        return resource
    properties = resource["Properties"]
    deployment = properties["DeploymentId"]["Ref"]
    return {**resource, "Properties": {**properties, "DeploymentId": {"Ref": names.get(deployment, deployment)}}}
