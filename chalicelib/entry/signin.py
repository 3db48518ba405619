"""Sign-in through a Cognito user pool that this application's own template may own."""

from os import environ
from typing import Any

from chalice.app import CognitoUserPoolAuthorizer

from chalicelib.entry.events import packaging_for_cloudformation


def user_pool(name: str, *, resource: str, variable: str) -> CognitoUserPoolAuthorizer:
    """The authorizer of a pool: the template's `resource` when packaging, else the ARN in the variable.

    API Gateway needs the pool's ARN while it is deployed, and a template that makes the pool knows it by name only.
    """
    arn: Any = {"Fn::GetAtt": [resource, "Arn"]} if packaging_for_cloudformation() else environ.get(variable, "")
    return CognitoUserPoolAuthorizer(name, provider_arns=[arn])
