"""What releases leave behind is taken away, what is called stays; a Lambda that remembers answers."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.deployment.stack import Resource
from infra.deployment.tidying import KEPT, end_insights_logs, prune, tell_drift

ARN = "arn:aws:lambda:eu-west-1:123456789012:layer:omnibus-dev-ml"


class Lambda:
    """A function with versions, an alias in a canary, and a layer."""

    def __init__(self, versions: int, live: str, weighted: str | None = None, snapshots: str = "Off") -> None:
        self._snapshots = {"SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": snapshots}}
        self.versions = ["$LATEST", *map(str, range(1, versions + 1))]
        self.layers = list(range(1, versions + 1))
        self._alias = {"FunctionVersion": live}
        self._routing = {"RoutingConfig": {"AdditionalVersionWeights": {weighted: 0.1}}} if weighted else {}

    def list_aliases(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        return {"Aliases": [{**self._alias, **self._routing}]}

    def get_paginator(self, operation: str) -> "Lambda":
        self._operation = operation
        return self

    def paginate(self, **_request: str) -> Iterator[dict[str, Any]]:
        if self._operation == "list_versions_by_function":
            yield from ({"Versions": [{"Version": each, **self._snapshots}]} for each in self.versions)
        else:
            yield {"LayerVersions": [{"Version": each} for each in reversed(self.layers)]}

    def delete_function(self, FunctionName: str, Qualifier: str) -> None:  # noqa: N803
        self.versions.remove(Qualifier)

    def delete_layer_version(self, LayerName: str, VersionNumber: int) -> None:  # noqa: N803
        assert LayerName == ARN
        self.layers.remove(VersionNumber)


def pruned(functions: Lambda) -> list[str]:
    told: list[str] = []
    resources = [
        Resource("Part", "AWS::Lambda::Function", "omnibus-dev-predict_part"),
        Resource("Ml", "AWS::Lambda::LayerVersion", f"{ARN}:12"),
        Resource("Queue", "AWS::SQS::Queue", "omnibus-dev-queue"),
    ]
    prune(functions, resources, told.append)
    return told


def test_the_last_releases_stay() -> None:
    functions = Lambda(12, live="12")
    assert pruned(functions) == [f"  deleted 14 versions of functions and layers older than the last {KEPT} releases"]
    assert functions.versions == ["$LATEST", "8", "9", "10", "11", "12"]
    assert functions.layers == [8, 9, 10, 11, 12]
    assert pruned(functions) == []


def test_what_an_alias_names_stays_however_old_it_is() -> None:
    functions = Lambda(12, live="2", weighted="3")
    pruned(functions)
    assert functions.versions == ["$LATEST", "2", "3", "8", "9", "10", "11", "12"]


def test_of_versions_with_snapshots_the_newest_and_what_an_alias_names_stay() -> None:
    functions = Lambda(12, live="11", snapshots="On")
    pruned(functions)
    assert functions.versions == ["$LATEST", "11", "12"]


class Logs:
    def __init__(self, *groups: dict[str, Any]) -> None:
        self._groups = list(groups)
        self.put: list[dict[str, Any]] = []

    def describe_log_groups(self, logGroupNamePrefix: str) -> dict[str, Any]:  # noqa: N803
        return {"logGroups": [each for each in self._groups if each["logGroupName"].startswith(logGroupNamePrefix)]}

    def put_retention_policy(self, **request: Any) -> None:
        self.put.append(request)


@pytest.mark.parametrize(
    ("groups", "days"),
    [
        ([{"logGroupName": "/aws/lambda-insights"}], [30]),
        ([{"logGroupName": "/aws/lambda-insights", "retentionInDays": 7}], []),
        ([{"logGroupName": "/aws/lambda-insights-of-others"}], []),
        ([], []),
    ],
)
def test_the_log_of_insights_gets_an_end_unless_it_has_one(groups: list[dict[str, Any]], days: list[int]) -> None:
    logs = Logs(*groups)
    end_insights_logs(logs, 30, lambda _line: None)
    assert [each["retentionInDays"] for each in logs.put] == days


class CloudFormation:
    def detect_stack_resource_drift(self, StackName: str, LogicalResourceId: str) -> dict[str, Any]:  # noqa: N803
        different = {"PropertyPath": "/VersioningConfiguration", "ActualValue": "null", "ExpectedValue": "Enabled"}
        differences = {"Flights": [different]}.get(LogicalResourceId, [])
        return {"StackResourceDrift": {"PropertyDifferences": differences}}


def test_what_of_an_adopted_resource_is_not_as_the_template_has_it_is_told() -> None:
    told: list[str] = []
    adopted = [Resource("Flights", "x", "omnibus-dev-flights"), Resource("Runs", "x", "omnibus-dev-runs")]
    tell_drift(CloudFormation(), "omnibus-dev", adopted, told.append)
    assert told == [
        "  omnibus-dev-flights differs from the template: /VersioningConfiguration is null, expected Enabled"
    ]
