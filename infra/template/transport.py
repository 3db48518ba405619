"""Policies that refuse requests without TLS, for every bucket, queue and topic."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.template.names import ALARM, BUCKET, QUEUE, TOPIC, Resources

ALARMS = (ALARM, "AWS::CloudWatch::CompositeAlarm")
VERSION = "2012-10-17"


@dataclass(frozen=True)
class Guarded:
    """A kind of resource with a policy: the policy's kind, how it names the resource, and the actions to refuse."""

    kind: str
    policy: str
    target: str
    several: bool
    actions: tuple[str, ...]
    arn: tuple[str, ...]


GUARDED = (
    Guarded(BUCKET, "AWS::S3::BucketPolicy", "Bucket", False, ("s3:*",), ("${%s.Arn}", "${%s.Arn}/*")),
    Guarded(QUEUE, "AWS::SQS::QueuePolicy", "Queues", True, ("sqs:*",), ("${%s.Arn}",)),
    # SNS accepts no wildcard here: these are all actions that its policies accept.
    Guarded(TOPIC, "AWS::SNS::TopicPolicy", "Topics", True, ("sns:Publish", "sns:Subscribe"), ("${%s}",)),
)


def with_tls_only(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template with a refusal of plain HTTP in every resource policy."""
    resources = dict(template["Resources"])
    alarmed = {topic for resource in resources.values() for topic in _alarmed(resource)}
    for guarded in GUARDED:
        for name in [name for name, resource in resources.items() if resource["Type"] == guarded.kind]:
            statements = [_refusal(guarded, name)]
            if name in alarmed:
                statements.append(_from_alarms(name))
            own = _own_policy(resources, guarded, name)
            resources[own] = _policy(guarded, name, resources, resources.get(own), statements)
    return {**template, "Resources": resources}


def _own_policy(resources: Resources, guarded: Guarded, name: str) -> str:
    """The policy that a fragment declares for the resource, or the name of a new one."""
    target: Any = [{"Ref": name}] if guarded.several else {"Ref": name}
    found = [
        policy
        for policy, resource in resources.items()
        if resource["Type"] == guarded.policy and resource["Properties"][guarded.target] == target
    ]
    return found[0] if found else f"{name}Policy"


def _policy(
    guarded: Guarded,
    name: str,
    resources: Resources,
    declared: Mapping[str, Any] | None,
    statements: list[dict[str, Any]],
) -> dict[str, Any]:
    said = declared["Properties"]["PolicyDocument"]["Statement"] if declared else []
    condition = {"Condition": resources[name]["Condition"]} if "Condition" in resources[name] else {}
    target: Any = [{"Ref": name}] if guarded.several else {"Ref": name}
    document = {"Version": VERSION, "Statement": [*said, *statements]}
    return {"Type": guarded.policy, **condition, "Properties": {guarded.target: target, "PolicyDocument": document}}


def _refusal(guarded: Guarded, name: str) -> dict[str, Any]:
    return {
        "Sid": "OnlyTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(guarded.actions),
        "Resource": [{"Fn::Sub": arn % name} for arn in guarded.arn],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _from_alarms(topic: str) -> dict[str, Any]:
    """The permissions of SNS's default policy, which our own policy replaces."""
    return {
        "Sid": "FromAlarms",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": ["sns:Publish"],
        "Resource": {"Ref": topic},
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }


def _alarmed(resource: Mapping[str, Any]) -> Iterator[str]:
    if resource["Type"] in ALARMS:
        for action in resource["Properties"].get("AlarmActions", []):
            if isinstance(action, dict) and "Ref" in action:
                yield action["Ref"]
