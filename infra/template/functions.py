"""Every function's knobs as parameters of the template: its limits in one, its environment, its schedule.

CloudFormation takes 200 parameters, so the four limits of a function share one: `IngestFlightsLimits` is
`MEMORY,TIMEOUT,RESERVED,PROVISIONED`. Their defaults are those that .chalice/config.json gives to `chalice deploy`, a
schedule's is the one that app.py declares: none of them is written twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.template.names import Resource, Template, logical_id

NO_VALUE = {"Ref": "AWS::NoValue"}

LIMITS = ("memory", "timeout", "reserved", "provisioned")
"""What a function's limits are, in the order in which the parameter lists them."""
UP_TO_1000 = "(0|[1-9][0-9]{0,2}|1000)"
LIMITS_PATTERN = ",".join(
    (
        "(12[89]|1[3-9][0-9]|[2-9][0-9]{2}|[1-9][0-9]{3}|10[01][0-9]{2}|102[0-3][0-9]|10240)",  # 128 to 10240
        "([1-9][0-9]?|[1-8][0-9]{2}|900)",  # 1 to 900
        UP_TO_1000,
        UP_TO_1000,
    )
)
"""What the whole parameter must be like; CloudFormation itself looks at each number of a list alone."""
LIMIT_PATTERN = "^(0|[1-9][0-9]{0,4})$"
LIMITS_EXPECTED = "MEMORY,TIMEOUT,RESERVED,PROVISIONED: 128 to 10240 MB, 1 to 900 seconds, twice 0 (none) to 1000"
SNAPSHOTTED = {"Ref": "MlLayer"}
"""The layer whose functions start from a snapshot: importing scikit-learn takes seconds."""

RETRIES = {"1": {"Async": 0}, "2": {"Async": 1}, "3": {"Async": 2}}
"""Retries of an asynchronous invocation by the attempts in all; Lambda allows no more than two."""


@dataclass(frozen=True)
class Function:
    """A function as configured: its name in app.py, its name in the template, its limits as its parameter has them."""

    name: str
    logical: str
    limits: str


def declared(config: Mapping[str, Any]) -> tuple[Function, ...]:
    """The functions that .chalice/config.json gives limits of their own."""
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
    """One of a function's limits, as the template takes it out of the parameter that has all of them."""
    return {"Fn::Select": [LIMITS.index(name), {"Ref": f"{logical}Limits"}]}


def is_limits(parameter: Mapping[str, Any]) -> bool:
    """Does a parameter of the template hold a function's limits?"""
    return parameter.get("AllowedPattern") == LIMIT_PATTERN


def limits_of(text: str) -> dict[str, int]:
    """A function's limits by their names, as its parameter lists them."""
    return dict(zip(LIMITS, map(int, text.split(",")), strict=True))


def limits_text(given: Mapping[str, Any], default: str) -> str:
    """Limits as their parameter lists them, those that are not given as by default; ValueError for an unknown name."""
    if unknown := given.keys() - set(LIMITS):
        raise ValueError(f"of {', '.join(LIMITS)}, and not {', '.join(sorted(unknown))}")
    return ",".join(str(value) for value in {**limits_of(default), **given}.values())


def with_knobs(template: Template, functions: Iterable[Function]) -> dict[str, Any]:
    """The template with the parameters of each function, and shared ones where all functions share them."""
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
            "Description": f"JSON object of variables that {function.name} gets besides, over those of the template.",
        },
    }
    for event in resource["Properties"].get("Events", {}).values():
        if event["Type"] == "Schedule":
            own["Schedule"] = {
                "Type": "String",
                "Default": event["Properties"]["Schedule"],
                "Description": f"When {function.name} runs by itself: rate(...) or cron(...), in UTC.",
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
        # Lambda refuses snapshots together with provisioned concurrency.
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
    """What checkov asks of every function, and this one has no use for."""
    found = []
    if "DeadLetterQueue" not in packaged:
        reason = (
            "Nobody invokes it asynchronously: its caller sees the error, or the queue that it reads keeps the message"
        )
        found.append({"id": "CKV_AWS_116", "comment": reason})
    if "VpcConfig" not in packaged:
        reason = "It speaks to AWS services and public APIs alone: a VPC would put a NAT gateway between them, no more"
        found.append({"id": "CKV_AWS_117", "comment": reason})
    return found


def _on_schedule(function: str, event: Mapping[str, Any]) -> dict[str, Any]:
    if event["Type"] != "Schedule":
        return dict(event)
    # A fragment gives a State of its own to what does not run without something that may not be there.
    properties = {"State": {"Ref": "Schedules"}, **event["Properties"], "Schedule": {"Ref": f"{function}Schedule"}}
    return {**event, "Properties": properties}
