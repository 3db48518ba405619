"""Delete versions and layers of old releases that are no longer called.

Lambda stores up to 75 GB of code per region. A release of all functions is some 170 MB, and 440 would fill it.
"""

from collections.abc import Iterable
from typing import Any

from infra.deployment.account import Tell
from infra.deployment.stack import Resource

KEPT = 5
"""Releases that are kept for a rollback, besides versions that an alias names. Of versions with a SnapStart snapshot,
only the newest is kept, because AWS bills each snapshot by the second."""
INSIGHTS_LOGS = "/aws/lambda-insights"
"""One log group for all functions of an account and region; the extension creates it without a retention."""


def prune(functions: Any, resources: Iterable[Resource], tell: Tell) -> None:
    """Delete all versions of the stack's functions and layers except the newest and those that an alias names."""
    resources = tuple(resources)
    deleted = 0
    for name in (each.physical for each in resources if each.kind == "AWS::Lambda::Function"):
        called = _called(functions, name)
        pages = functions.get_paginator("list_versions_by_function").paginate(FunctionName=name)
        versions = [it for page in pages for it in page["Versions"] if it["Version"].isdigit()]
        versions.sort(key=lambda it: -int(it["Version"]))
        for place, described in enumerate(versions):
            version, snapshot = described["Version"], described.get("SnapStart", {}).get("OptimizationStatus") == "On"
            if version not in called and place >= (1 if snapshot else KEPT):
                functions.delete_function(FunctionName=name, Qualifier=version)
                deleted += 1
    layers = {each.physical.rpartition(":")[0] for each in resources if each.kind == "AWS::Lambda::LayerVersion"}
    for layer in sorted(layers):
        pages = functions.get_paginator("list_layer_versions").paginate(LayerName=layer)
        for number in sorted(it["Version"] for page in pages for it in page["LayerVersions"])[:-KEPT]:
            functions.delete_layer_version(LayerName=layer, VersionNumber=number)
            deleted += 1
    if deleted:
        tell(f"  deleted {deleted} versions of functions and layers older than the last {KEPT} releases")


def end_insights_logs(logs: Any, days: int, tell: Tell) -> None:
    """Set a retention for Lambda Insights' log unless it has one; the stack cannot, because the account shares it."""
    found = logs.describe_log_groups(logGroupNamePrefix=INSIGHTS_LOGS)["logGroups"]
    if any(each["logGroupName"] == INSIGHTS_LOGS and "retentionInDays" not in each for each in found):
        logs.put_retention_policy(logGroupName=INSIGHTS_LOGS, retentionInDays=days)
        tell(f"  {INSIGHTS_LOGS} is now kept for {days} days")


def tell_drift(cloudformation: Any, stack: str, adopted: Iterable[Resource], tell: Tell) -> None:
    """Report how adopted buckets and tables differ from the template: adoption does not change them."""
    for each in adopted:
        request = {"StackName": stack, "LogicalResourceId": each.logical}
        drift = cloudformation.detect_stack_resource_drift(**request)["StackResourceDrift"]
        for difference in drift.get("PropertyDifferences", ()):
            path, there, wanted = (difference[key] for key in ("PropertyPath", "ActualValue", "ExpectedValue"))
            tell(f"  {each.physical} differs from the template: {path} is {there}, expected {wanted}")


def _called(functions: Any, name: str) -> set[str]:
    """The versions that a function's aliases name, including a running canary's."""
    aliases = functions.list_aliases(FunctionName=name)["Aliases"]
    weighted = (each.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}) for each in aliases)
    return {each["FunctionVersion"] for each in aliases} | {version for weights in weighted for version in weights}
