"""What a stack leaves in the account with each release, taken away: versions and layers that nobody calls any more.

Lambda keeps 75 GB of code in a region. A release of all functions is some 170 MB, so that 440 of them would fill it.
"""

from collections.abc import Iterable
from typing import Any

from infra.deployment.account import Tell
from infra.deployment.stack import Resource

KEPT = 5
"""Releases to go back to, besides versions that an alias names. Of versions with a SnapStart snapshot only the newest
stays, because AWS bills each snapshot by the second."""
INSIGHTS_LOGS = "/aws/lambda-insights"
"""One for all functions of an account and region; the extension makes it, without an end."""


def prune(functions: Any, resources: Iterable[Resource], tell: Tell) -> None:
    """Delete the versions of the stack's functions and layers but the newest, and those that an alias names."""
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
    """Give the log of Lambda Insights an end, unless it has one: the stack cannot, since it is the whole account's."""
    found = logs.describe_log_groups(logGroupNamePrefix=INSIGHTS_LOGS)["logGroups"]
    if any(each["logGroupName"] == INSIGHTS_LOGS and "retentionInDays" not in each for each in found):
        logs.put_retention_policy(logGroupName=INSIGHTS_LOGS, retentionInDays=days)
        tell(f"  {INSIGHTS_LOGS} is kept for {days} days now")


def tell_drift(cloudformation: Any, stack: str, adopted: Iterable[Resource], tell: Tell) -> None:
    """Say what of adopted buckets and tables is not as the template has it: adoption takes them as they are."""
    for each in adopted:
        request = {"StackName": stack, "LogicalResourceId": each.logical}
        drift = cloudformation.detect_stack_resource_drift(**request)["StackResourceDrift"]
        for difference in drift.get("PropertyDifferences", ()):
            path, there, wanted = (difference[key] for key in ("PropertyPath", "ActualValue", "ExpectedValue"))
            tell(f"  {each.physical} differs from the template: {path} is {there}, expected {wanted}")


def _called(functions: Any, name: str) -> set[str]:
    """The versions that a function's aliases name, those of a running canary included."""
    aliases = functions.list_aliases(FunctionName=name)["Aliases"]
    weighted = (each.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}) for each in aliases)
    return {each["FunctionVersion"] for each in aliases} | {version for weights in weighted for version in weights}
