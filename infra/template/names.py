"""What CloudFormation, SAM and this application call things; `infra` and `local` take the names from here."""

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
"""Every name in the account begins with it; the code's metrics carry it as the dimension `service`."""
DEAD_LETTERS = "DeadLetters"
"""How the name of a dead-letter queue ends in the template."""
ALIAS = "live"
"""The alias of every function, by which the others call it."""
OF_ALIASES = f"Alias{ALIAS}"
"""How SAM's name of an alias ends; it begins with the function's."""
RELEASE_DIGITS = 10
"""SAM names a version after so many digits of the release."""
RETAINED = ("Retain", "RetainExceptOnCreate")
"""Deletion policies of what stays when its stack goes."""


def alias_of(function: str) -> str:
    """The name in the template of a function's alias, as SAM makes it; `Ref` gives its ARN."""
    return f"{function}{OF_ALIASES}"


def logical_id(name: str) -> str:
    """What Chalice calls a function in the template."""
    return "APIHandler" if name == "api_handler" else "".join(word.capitalize() for word in name.split("_"))


def name_of(function: Resource) -> str:
    """What app.py calls a function of the template."""
    return str(function["Properties"]["FunctionName"]["Fn::Sub"]).removeprefix(f"{STACK}-")


def compact(template: Template) -> str:
    """The template as it is written, uploaded and measured: JSON without spaces, since CloudFormation takes 1 MB."""
    return json.dumps(template, separators=(",", ":"))


def of_type(resources: Resources, kind: str) -> dict[str, Resource]:
    """The resources of one type, by their names in the template."""
    return {name: resource for name, resource in resources.items() if resource.get("Type") == kind}
