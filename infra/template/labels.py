"""Owner and cost-centre tags on resources that cost money. The stack's own tags reach the rest."""

from collections.abc import Mapping
from typing import Any

from infra.template.names import BUCKET, FUNCTION, QUEUE, TABLE, TOPIC, USER_POOL

LABELS: Mapping[str, Any] = {
    "owner": {"Ref": "Owner"},
    "cost-centre": {"Ref": "CostCentre"},
    "stage": {"Ref": "Stage"},
}
AS_MAPPING = {FUNCTION: "Tags", USER_POOL: "UserPoolTags"}
AS_LIST = {
    BUCKET,
    QUEUE,
    TABLE,
    TOPIC,
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::SecretsManager::Secret",
    "AWS::StepFunctions::StateMachine",
}


def with_labels(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template with the tags on every resource that costs money."""
    return {**template, "Resources": {name: _labelled(it) for name, it in template["Resources"].items()}}


def _labelled(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    kind, properties = resource["Type"], resource.get("Properties", {})
    if kind in AS_MAPPING:
        name = AS_MAPPING[kind]
        return {**resource, "Properties": {**properties, name: {**properties.get(name, {}), **LABELS}}}
    if kind in AS_LIST:
        tags = [{"Key": key, "Value": value} for key, value in LABELS.items()]
        return {**resource, "Properties": {**properties, "Tags": [*properties.get("Tags", []), *tags]}}
    return resource
