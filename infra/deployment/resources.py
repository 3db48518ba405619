"""The packaged template without its functions: the resources over which `chalice deploy` runs.

The template keeps everything except the functions and their resources: roles, permissions, the two APIs, and all that
refers to those. Other references to a function use the name that `chalice deploy` will give it. The stack, its names
and its data are the same, and a stage can therefore switch between the two ways.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.deployment.intrinsics import PLACEHOLDER, references
from infra.deployment.problems import DeploymentError
from infra.deployment.release import RESOURCES_ONLY
from infra.template.names import ALIAS, FUNCTION, OF_ALIASES, Template

OF_FUNCTIONS = re.compile(
    r"Custom::|AWS::(Serverless::(Function|Api|HttpApi)|Lambda::(?!LayerVersion)\w+|ApiGateway(V2)?::\w+|CodeDeploy::\w+)"
)
NEVER_WITHOUT = re.compile(
    r"AWS::(S3::Bucket(?!Policy)|DynamoDB::Table|SQS::Queue|SNS::Topic|KMS::Key|Cognito::UserPool|SecretsManager::Secret"
    r"|StepFunctions::StateMachine|Serverless::StateMachine|Serverless::LayerVersion)"
)
"""Resources that the functions need: if one referred to a removed resource, the derivation would be wrong."""
TAKEN_OVER = ("Environment", "Layers", "VpcConfig", "DeadLetterQueue", "KmsKeyArn")
"""Properties of a function that refer to resources and that Chalice's functions also have."""
REST_HANDLER = "APIHandler"
ARN_OF_FUNCTIONS = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:"


def resources_template(template: Template) -> dict[str, Any]:
    """The template of the `make resources` stack, with an output for each name that functions need."""
    names = physical_names(template)
    left_out = _left_out(template, names)
    kept = {
        name: _without_dependencies(_renamed(each, names), left_out)
        for name, each in template["Resources"].items()
        if name not in left_out
    }
    outputs = {
        name: _renamed(each, names)
        for name, each in template.get("Outputs", {}).items()
        if not left_out & _resources_named(_renamed(each, names))
    }
    needed = {each for logical in names for each in function_references(template, logical)}
    for reference in sorted(needed):
        logical = reference.partition(".")[0]
        if logical in kept:
            outputs[output_name(reference)] = _output(reference, kept[logical])
    outputs[RESOURCES_ONLY] = {"Value": "true", "Description": "The functions are created by `chalice deploy`."}
    rest = {key: value for key, value in template.items() if key not in {"Globals", "Resources", "Outputs"}}
    return {**rest, "Resources": kept, "Outputs": outputs}


def output_name(reference: str) -> str:
    """The output with the value of "Resource" or "Resource.Attribute" in the account."""
    return "Needed" + re.sub(r"[^A-Za-z0-9]", "", reference)


def function_references(template: Template, logical: str) -> set[str]:
    """References in the properties that Chalice's functions get, and in their roles' properties."""
    shared = template.get("Globals", {}).get("Function", {})
    own = template["Resources"][logical]["Properties"]
    wanted = [properties.get(key) for properties in (shared, own) for key in TAKEN_OVER]
    return set(references([wanted, role_properties(template, logical)]))


def role_properties(template: Template, logical: str) -> dict[str, Any]:
    """The properties of a function's role."""
    role = template["Resources"][logical]["Properties"].get("Role", {})
    named = role["Fn::GetAtt"][0] if isinstance(role, dict) and "Fn::GetAtt" in role else None
    properties: dict[str, Any] = template["Resources"][named]["Properties"] if named else {}
    return properties


def physical_names(template: Template) -> dict[str, str]:
    """The name that `chalice deploy` gives each function of the template, with variables to substitute."""
    functions = {name: each for name, each in template["Resources"].items() if each["Type"] == FUNCTION}
    return {logical: _physical_name(logical, each) for logical, each in functions.items()}


def _physical_name(logical: str, function: Mapping[str, Any]) -> str:
    """The name that `chalice deploy` gives a function, with variables to substitute."""
    if logical == REST_HANDLER:
        return "${AWS::StackName}"
    name = function["Properties"].get("FunctionName", {})
    if not isinstance(name, dict) or not isinstance(name.get("Fn::Sub"), str):
        raise DeploymentError(f"{logical} has no FunctionName of the form !Sub: `chalice deploy` could not use it")
    return str(name["Fn::Sub"])


def _left_out(template: Template, names: Mapping[str, str]) -> set[str]:
    """The functions, their resources, and everything that refers to these other than by a function's name."""
    resources = template["Resources"]
    left_out = {name for name, each in resources.items() if OF_FUNCTIONS.match(each["Type"])}
    left_out |= {role for logical in names for role in _role_of(resources[logical])}
    versions = {f"{logical}.Version" for logical in names}
    left_out |= {name for name, each in resources.items() if any(_of_version(it, versions) for it in references(each))}
    while True:
        more = {
            name
            for name, each in resources.items()
            if name not in left_out and left_out & _resources_named(_renamed(_body(each), names))
        }
        if not more:
            return left_out
        for name in sorted(more):
            if NEVER_WITHOUT.match(resources[name]["Type"]):
                raise DeploymentError(
                    f"{name} refers to what `chalice deploy` creates itself"
                    f" ({', '.join(sorted(left_out & _resources_named(_renamed(_body(resources[name]), names))))}):"
                    " no stack can have it without the functions"
                )
        left_out |= more


def _of_version(reference: str, versions: set[str]) -> bool:
    return any(reference == version or reference.startswith(f"{version}.") for version in versions)


def _role_of(function: Mapping[str, Any]) -> Iterator[str]:
    role = function["Properties"].get("Role")
    if isinstance(role, dict) and "Fn::GetAtt" in role:
        yield role["Fn::GetAtt"][0]


def _body(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key != "DependsOn"}


def _resources_named(value: Any) -> set[str]:
    return {reference.partition(".")[0] for reference in references(value)}


def _without_dependencies(resource: dict[str, Any], left_out: set[str]) -> dict[str, Any]:
    wanted = resource.get("DependsOn", [])
    kept = [name for name in ([wanted] if isinstance(wanted, str) else wanted) if name not in left_out]
    return {**_body(resource), **({"DependsOn": kept} if kept else {})}


def _output(reference: str, resource: Mapping[str, Any]) -> dict[str, Any]:
    logical, _, attribute = reference.partition(".")
    value = {"Fn::GetAtt": [logical, attribute]} if attribute else {"Ref": logical}
    condition = {"Condition": resource["Condition"]} if "Condition" in resource else {}
    return {"Value": value, **condition}


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """`value`, with each reference to a function as its name, its ARN or its alias's ARN."""
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, argument),) = value.items()
        if key == "Fn::Sub":
            return {"Fn::Sub": _renamed_text(argument, names)}
        if key in {"Ref", "Fn::GetAtt"}:
            text = _function(argument if isinstance(argument, str) else ".".join(argument), names)
            return value if text is None else {"Fn::Sub": text}
    return {key: _renamed(item, names) for key, item in value.items()}


def _renamed_text(argument: Any, names: Mapping[str, str]) -> Any:
    if isinstance(argument, list):
        text, own = argument
        return [_renamed_text(text, {k: v for k, v in names.items() if k not in own}), _renamed(own, names)]

    def replaced(found: re.Match[str]) -> str:
        literal, name = found.groups()
        text = None if literal else _function(name, names)
        return found.group() if text is None else text

    return PLACEHOLDER.sub(replaced, argument)


def _function(reference: str, names: Mapping[str, str]) -> str | None:
    """The value of a reference to a function, with variables to substitute; None for other references."""
    logical, _, attribute = reference.partition(".")
    if logical.removesuffix(OF_ALIASES) in names and logical not in names and not attribute:
        return f"{ARN_OF_FUNCTIONS}{names[logical.removesuffix(OF_ALIASES)]}:{ALIAS}"
    if logical not in names:
        return None
    if attribute not in {"", "Arn"}:
        raise DeploymentError(f"the template refers to {reference}; `chalice deploy` makes functions without versions")
    return f"{ARN_OF_FUNCTIONS}{names[logical]}" if attribute else names[logical]
