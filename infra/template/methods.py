"""Refuse methods that a path does not have with 405 and `Allow`.

By default, API Gateway answers them, like unknown paths, with 403 "Missing Authentication Token", which sends people
looking for credentials. Here every path gets an ANY method that API Gateway answers itself, without a function.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

ANY = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
STATUS = "405"
READ_AS = (
    "application/json",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "application/xml",
    "multipart/form-data",
    "text/csv",
    "text/html",
    "text/plain",
)
"""Content types for which the refusal has a template; API Gateway answers others with 415."""


def refusing_other_methods(template: Mapping[str, Any], api: str = "RestAPI") -> dict[str, Any]:
    """The template with the refusal on every path of its REST API, if it has one."""
    resources = template["Resources"]
    if api not in resources:
        return dict(template)
    properties = resources[api]["Properties"]
    body = properties["DefinitionBody"]
    paths = {path: {**item, ANY: _refusal(item)} for path, item in body["paths"].items()}
    changed = {**properties, "DefinitionBody": {**body, "paths": paths}}
    return {**template, "Resources": {**resources, api: {**resources[api], "Properties": changed}}}


def _refusal(methods: Iterable[str]) -> dict[str, Any]:
    """A method that answers 405 and names the path's methods."""
    allowed = ",".join(sorted(name.upper() for name in methods))
    error = {
        "code": "method_not_allowed",
        "message": f"This path takes {allowed.replace(',', ', ')}.",
        "request_id": "$context.requestId",
    }
    answer = {
        "statusCode": STATUS,
        "responseParameters": {"method.response.header.Allow": f"'{allowed}'"},
        "responseTemplates": {"application/json": json.dumps({"error": error})},
    }
    return {
        "responses": {STATUS: {"description": "Method not allowed", "headers": {"Allow": {"type": "string"}}}},
        INTEGRATION: {
            "type": "mock",
            "passthroughBehavior": "never",
            "requestTemplates": dict.fromkeys(READ_AS, json.dumps({"statusCode": int(STATUS)})),
            "responses": {"default": answer},
        },
    }
