"""Every function's knobs: memory, timeout, concurrency, environment and schedule as parameters of the template.

Memory and timeout have the default that .chalice/config.json gives them for `chalice deploy`, a schedule the one that
app.py declares, reserved concurrency that of the table below: none of them is written twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Resource = Mapping[str, Any]
Template = Mapping[str, Any]

FUNCTION = "AWS::Serverless::Function"
NO_VALUE = {"Ref": "AWS::NoValue"}

RESERVED = {
    "ingest_flights": 10,
    "process_flights": 5,
    "validate_flights": 3,
    # One at a time: a second run at the same moment would only repeat the first.
    "refresh_venue_popularity": 1,
    "compute_features": 1,
    "migrate": 1,
    # The database has fewer connections to give than Lambda has workers to start.
    "recompute_features": 5,
    "assign_persona": 5,
    "generate_recommendations": 5,
}
"""How many of a function may run at once; for functions that are not named the account decides."""

RETRIES = {"1": {"Async": 0}, "2": {"Async": 1}, "3": {"Async": 2}}
"""Retries of an asynchronous invocation by the attempts in all; Lambda allows no more than two."""


@dataclass(frozen=True)
class Function:
    """A function as configured: its name in app.py, its name in the template, its defaults."""

    name: str
    logical: str
    memory: int
    timeout: int
    reserved: int


def declared(config: Mapping[str, Any]) -> tuple[Function, ...]:
    """The functions that .chalice/config.json gives limits of their own."""
    return tuple(
        Function(name, logical_id(name), own["lambda_memory_size"], own["lambda_timeout"], RESERVED.get(name, 0))
        for name, own in config.get("lambda_functions", {}).items()
        if {"lambda_memory_size", "lambda_timeout"} <= own.keys()
    )


def logical_id(name: str) -> str:
    """What Chalice calls a function in the template."""
    return "APIHandler" if name == "api_handler" else "".join(word.capitalize() for word in name.split("_"))


def with_knobs(template: Template, functions: Iterable[Function]) -> dict[str, Any]:
    """The template with a parameter for each knob of each function, and shared ones where all functions share them."""
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
            f"{function.logical}{verb}": {"Fn::Not": [{"Fn::Equals": [{"Ref": f"{function.logical}{what}"}, "0"]}]}
            for verb, what in (("Reserves", "ReservedConcurrency"), ("Provisions", "ProvisionedConcurrency"))
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
    def number(default: int, low: int, high: int, description: str) -> dict[str, Any]:
        bounds = {"MinValue": low, "MaxValue": high}
        return {"Type": "Number", "Default": default, **bounds, "Description": f"{description} of {function.name}."}

    own = {
        "Memory": number(function.memory, 128, 10_240, "Memory in MB"),
        "Timeout": number(function.timeout, 1, 900, "Timeout in seconds"),
        "ReservedConcurrency": number(function.reserved, 0, 1_000, "Reserved concurrency, 0 for none,"),
        "ProvisionedConcurrency": number(0, 0, 1_000, "Provisioned concurrency, 0 for none,"),
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
    reserved = {"Ref": f"{name}ReservedConcurrency"}
    provisioned = {"ProvisionedConcurrentExecutions": {"Ref": f"{name}ProvisionedConcurrency"}}
    properties = {
        **packaged,
        "Runtime": {"Ref": "Runtime"},
        "Architectures": [{"Ref": "Architecture"}],
        "MemorySize": {"Ref": f"{name}Memory"},
        "Timeout": {"Ref": f"{name}Timeout"},
        "Tracing": {"Fn::If": ["TracesRequests", "Active", "PassThrough"]},
        "ReservedConcurrentExecutions": {"Fn::If": [f"{name}Reserves", reserved, NO_VALUE]},
        "ProvisionedConcurrencyConfig": {"Fn::If": [f"{name}Provisions", provisioned, NO_VALUE]},
        "Environment": {"Variables": {**environment, "OMNIBUS_ENVIRONMENT": {"Ref": f"{name}Environment"}}},
    }
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
    when = {"Schedule": {"Ref": f"{function}Schedule"}, "State": {"Ref": "Schedules"}}
    return {**event, "Properties": {**event["Properties"], **when}}
