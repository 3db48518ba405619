"""New API Gateway deployments for new releases.

API Gateway serves a snapshot of an API, and CloudFormation takes a new one only for a deployment with another name.
SAM derives the REST API's deployment name from the API's definition with parameters and conditions unresolved: a
changed parameter would change the API but not the snapshot. The definition therefore contains the release as text.
Chalice gives the socket API's deployment a constant name; here its routes and integrations determine the name.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from infra.template.names import RELEASE_DIGITS, REST_API, SOCKET_DEPLOYMENT, SOCKET_STAGE, Template

DEPLOYED = ("AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Integration")


def of_release(template: Template, release: str) -> dict[str, Any]:
    """The template with `release` in its REST APIs' definitions, which makes each release a new deployment."""
    resources = {name: _described(each, release) for name, each in template["Resources"].items()}
    return {**template, "Resources": resources}


def with_socket_redeployment(template: Template) -> dict[str, Any]:
    """The template with the socket API's deployment named after its content."""
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
