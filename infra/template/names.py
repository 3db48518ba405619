"""Names that CloudFormation, SAM and this application use; `infra` and `local` import them from here."""

import json
from collections.abc import Mapping
from typing import Any

Template = Mapping[str, Any]
Resource = Mapping[str, Any]
Resources = Mapping[str, Mapping[str, Any]]

FUNCTION = "AWS::Serverless::Function"
LAYER = "AWS::Serverless::LayerVersion"
REST_API = "AWS::Serverless::Api"
SOCKET_DEPLOYMENT = "AWS::ApiGatewayV2::Deployment"
SOCKET_STAGE = "AWS::ApiGatewayV2::Stage"
ALARM = "AWS::CloudWatch::Alarm"
BUCKET = "AWS::S3::Bucket"
QUEUE = "AWS::SQS::Queue"
TABLE = "AWS::DynamoDB::Table"
TOPIC = "AWS::SNS::Topic"
USER_POOL = "AWS::Cognito::UserPool"

STACK = "${AWS::StackName}"
"""Prefix of every name in the account, and the dimension `service` of the code's metrics."""
DEAD_LETTERS = "DeadLetters"
"""Suffix of a dead-letter queue's name in the template."""
ALIAS = "live"
"""The alias of every function, which all callers use."""
OF_ALIASES = f"Alias{ALIAS}"
"""Suffix of SAM's name of an alias, after the function's name."""
RELEASE_DIGITS = 10
"""Digits of the release in SAM's name of a version."""
RETAINED = ("Retain", "RetainExceptOnCreate")
"""Deletion policies of resources that outlive their stack."""


def alias_of(function: str) -> str:
    """SAM's name in the template for a function's alias; `Ref` gives its ARN."""
    return f"{function}{OF_ALIASES}"


def logical_id(name: str) -> str:
    """Chalice's name for a function in the template."""
    return "APIHandler" if name == "api_handler" else "".join(word.capitalize() for word in name.split("_"))


def name_of(function: Resource) -> str:
    """The name in app.py of a function of the template."""
    return str(function["Properties"]["FunctionName"]["Fn::Sub"]).removeprefix(f"{STACK}-")


def compact(template: Template) -> str:
    """The template as JSON without spaces, because CloudFormation accepts at most 1 MB."""
    return json.dumps(template, separators=(",", ":"))


def of_type(resources: Resources, kind: str) -> dict[str, Resource]:
    """The resources of one type, by name in the template."""
    return {name: resource for name, resource in resources.items() if resource.get("Type") == kind}
