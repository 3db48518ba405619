"""Every function's template parameters: its limits in one parameter, its environment, its schedule.

CloudFormation allows 200 parameters, so the four limits of a function share one: `IngestFlightsLimits` is
`MEMORY,TIMEOUT,RESERVED,PROVISIONED`. The defaults come from .chalice/config.json, which `chalice deploy` uses too,
and those of schedules from app.py: none is written twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.template.names import Resource, Template, logical_id

NO_VALUE = {"Ref": "AWS::NoValue"}

LIMITS = ("memory", "timeout", "reserved", "provisioned")
"""A function's limits, in the parameter's order."""
UP_TO_1000 = "(0|[1-9][0-9]{0,2}|1000)"
LIMITS_PATTERN = ",".join(
    (
        "(12[89]|1[3-9][0-9]|[2-9][0-9]{2}|[1-9][0-9]{3}|10[01][0-9]{2}|102[0-3][0-9]|10240)",  # 128 to 10240
        "([1-9][0-9]?|[1-8][0-9]{2}|900)",  # 1 to 900
        UP_TO_1000,
        UP_TO_1000,
    )
)
"""Rule for the whole parameter; CloudFormation itself checks each number of a list separately."""
LIMIT_PATTERN = "^(0|[1-9][0-9]{0,4})$"
LIMITS_EXPECTED = "MEMORY,TIMEOUT,RESERVED,PROVISIONED: 128 to 10240 MB, 1 to 900 seconds, twice 0 (none) to 1000"
SNAPSHOTTED = {"Ref": "MlLayer"}
"""Functions with this layer start from a snapshot, because importing scikit-learn takes seconds."""

RETRIES = {"1": {"Async": 0}, "2": {"Async": 1}, "3": {"Async": 2}}
"""Retries of an asynchronous invocation by total attempts; Lambda allows at most two."""


@dataclass(frozen=True)
class Function:
    """A function's configuration: its name in app.py, its name in the template, its limits in its parameter's form."""

    name: str
    logical: str
    limits: str


def declared(config: Mapping[str, Any]) -> tuple[Function, ...]:
    """The functions with their own limits in .chalice/config.json."""
    return tuple(
        Function(
            name,
            logical_id(name),
            f"{own['lambda_memory_size']},{own['lambda_timeout']},{own.get('reserved_concurrency', 0)},0",
        )
        for name, own in config.get("lambda_functions", {}).items()
        if {"lambda_memory_size", "lambda_timeout"} <= own.keys()
    )


def limit(logical: str, name: str) -> dict[str, Any]:
    """One of a function's limits, as the template selects it from the parameter with all limits."""
    return {"Fn::Select": [LIMITS.index(name), {"Ref": f"{logical}Limits"}]}


def is_limits(parameter: Mapping[str, Any]) -> bool:
    """Whether a parameter of the template holds a function's limits."""
    return parameter.get("AllowedPattern") == LIMIT_PATTERN


def limits_of(text: str) -> dict[str, int]:
    """A function's limits by name, in its parameter's order."""
    return dict(zip(LIMITS, map(int, text.split(",")), strict=True))


def limits_text(given: Mapping[str, Any], default: str) -> str:
    """Limits in their parameter's form, completed with the defaults; ValueError for an unknown name."""
    if unknown := given.keys() - set(LIMITS):
        raise ValueError(f"of {', '.join(LIMITS)}, and not {', '.join(sorted(unknown))}")
    return ",".join(str(value) for value in {**limits_of(default), **given}.values())


def with_knobs(template: Template, functions: Iterable[Function]) -> dict[str, Any]:
    """The template with each function's own parameters and the parameters that all functions share."""
    functions = tuple(functions)
    resources = dict(template["Resources"])
    parameters = dict(template["Parameters"])
    conditions = dict(template["Conditions"])
    some = resources[functions[0].logical]["Properties"]
    for name, packaged in (("Runtime", some["Runtime"]), ("Architecture", some["Architectures"][0])):
        parameters[name] = {**parameters[name], "Default": packaged}
    for function in functions:
        resource = resources[function.logical]
        parameters |= _parameters(function, resource)
        conditions |= {
            f"{function.logical}{verb}": {"Fn::Not": [{"Fn::Equals": [limit(function.logical, what), "0"]}]}
            for verb, what in (("Reserves", "reserved"), ("Provisions", "provisioned"))
        }
        resources[function.logical] = {
            **resource,
            "Properties": _properties(function, resource["Properties"]),
            "Metadata": {**resource.get("Metadata", {}), "checkov": {"skip": _exceptions(resource["Properties"])}},
        }
    return {
        **template,
        "Parameters": parameters,
        "Mappings": {**template.get("Mappings", {}), "Retries": RETRIES},
        "Conditions": conditions,
        "Resources": resources,
    }


def _parameters(function: Function, resource: Resource) -> dict[str, Any]:
    own = {
        "Limits": {
            "Type": "CommaDelimitedList",
            "Default": function.limits,
            "AllowedPattern": LIMIT_PATTERN,
            "ConstraintDescription": LIMITS_EXPECTED,
            "Description": f"Memory, timeout, reserved and provisioned concurrency (0 for none) of {function.name}.",
        },
        "Environment": {
            "Type": "String",
            "Default": "{}",
            "Description": f"JSON object of further variables of {function.name}, which override the template's.",
        },
    }
    for event in resource["Properties"].get("Events", {}).values():
        if event["Type"] == "Schedule":
            own["Schedule"] = {
                "Type": "String",
                "Default": event["Properties"]["Schedule"],
                "Description": f"Schedule of {function.name}: rate(...) or cron(...), in UTC.",
            }
    return {f"{function.logical}{knob}": parameter for knob, parameter in own.items()}


def _properties(function: Function, packaged: Mapping[str, Any]) -> dict[str, Any]:
    name = function.logical
    environment = packaged.get("Environment", {}).get("Variables", {})
    provisioned = {"ProvisionedConcurrentExecutions": limit(name, "provisioned")}
    properties = {
        **packaged,
        "Runtime": {"Ref": "Runtime"},
        "Architectures": [{"Ref": "Architecture"}],
        "MemorySize": limit(name, "memory"),
        "Timeout": limit(name, "timeout"),
        "Tracing": {"Fn::If": ["TracesRequests", "Active", "PassThrough"]},
        "ReservedConcurrentExecutions": {"Fn::If": [f"{name}Reserves", limit(name, "reserved"), NO_VALUE]},
        "ProvisionedConcurrencyConfig": {"Fn::If": [f"{name}Provisions", provisioned, NO_VALUE]},
        "Environment": {"Variables": {**environment, "OMNIBUS_ENVIRONMENT": {"Ref": f"{name}Environment"}}},
    }
    if SNAPSHOTTED in packaged.get("Layers", []):
        # Lambda does not allow snapshots with provisioned concurrency.
        snapshots = {"Fn::If": ["TakesSnapshots", "PublishedVersions", "None"]}
        properties["SnapStart"] = {"ApplyOn": {"Fn::If": [f"{name}Provisions", "None", snapshots]}}
    if "DeadLetterQueue" in packaged:
        properties["EventInvokeConfig"] = {
            "MaximumRetryAttempts": {"Fn::FindInMap": ["Retries", {"Ref": "RetryAttempts"}, "Async"]},
            "MaximumEventAgeInSeconds": {"Ref": "EventAge"},
        }
    if "Events" in packaged:
        properties["Events"] = {event: _on_schedule(name, it) for event, it in packaged["Events"].items()}
    return properties


def _exceptions(packaged: Mapping[str, Any]) -> list[dict[str, str]]:
    """checkov's requirements for every function that do not apply to this one."""
    found = []
    if "DeadLetterQueue" not in packaged:
        reason = "No asynchronous invocations: its caller sees the error, or the queue that it reads keeps the message"
        found.append({"id": "CKV_AWS_116", "comment": reason})
    if "VpcConfig" not in packaged:
        reason = "It calls only AWS services and public APIs: a VPC would only put a NAT gateway between them"
        found.append({"id": "CKV_AWS_117", "comment": reason})
    return found


def _on_schedule(function: str, event: Mapping[str, Any]) -> dict[str, Any]:
    if event["Type"] != "Schedule":
        return dict(event)
    # A fragment sets State itself for schedules that depend on an optional resource.
    properties = {"State": {"Ref": "Schedules"}, **event["Properties"], "Schedule": {"Ref": f"{function}Schedule"}}
    return {**event, "Properties": properties}
