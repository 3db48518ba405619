"""The stack's key, log retention, access logs and deletion protection for every resource that stores data.

They apply by kind of resource. A fragment can override them for a single one.
"""

from collections.abc import Mapping
from typing import Any

from infra.template.names import BUCKET, FUNCTION, QUEUE, TABLE, TOPIC, USER_POOL

ACCESS_LOGS = "AccessLogsBucket"

KEY = {"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, {"Fn::GetAtt": ["Key", "Arn"]}]}
REUSED_S = 300
"""Seconds for which a data key is reused, which saves KMS calls and their cost."""

BY_KIND: Mapping[str, Mapping[str, Any]] = {
    BUCKET: {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {
                    "BucketKeyEnabled": True,
                    "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
                }
            ]
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    },
    TABLE: {"SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}},
    QUEUE: {"KmsMasterKeyId": KEY, "KmsDataKeyReusePeriodSeconds": REUSED_S},
    TOPIC: {"KmsMasterKeyId": KEY},
    "AWS::Logs::LogGroup": {"KmsKeyId": KEY, "RetentionInDays": {"Ref": "LogRetention"}},
    "AWS::SecretsManager::Secret": {"KmsKeyId": KEY},
    "AWS::StepFunctions::StateMachine": {
        "EncryptionConfiguration": {
            "Type": "CUSTOMER_MANAGED_KMS_KEY",
            "KmsKeyId": KEY,
            "KmsDataKeyReusePeriodSeconds": REUSED_S,
        }
    },
    USER_POOL: {"DeletionProtection": {"Fn::If": ["ProtectsData", "ACTIVE", "INACTIVE"]}},
    FUNCTION: {"KmsKeyArn": KEY},
}
OVER_CHALICE = ("RetentionInDays",)
"""Values that Chalice writes as numbers and a parameter decides."""


def with_encryption(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template with everything encrypted, buckets logged, and retained tables protected."""
    resources = {name: _kept_safe(name, resource) for name, resource in template["Resources"].items()}
    return {**template, "Resources": resources}


def _kept_safe(name: str, resource: Mapping[str, Any]) -> Mapping[str, Any]:
    given = dict(BY_KIND.get(resource["Type"], {}))
    if resource["Type"] == BUCKET and name != ACCESS_LOGS:
        given["LoggingConfiguration"] = {"DestinationBucketName": {"Ref": ACCESS_LOGS}, "LogFilePrefix": f"{name}/"}
    if resource["Type"] == TABLE and resource.get("DeletionPolicy") == "Retain":
        given["DeletionProtectionEnabled"] = {"Fn::If": ["ProtectsData", True, False]}
    if not given:
        return resource
    declared = {key: it for key, it in resource.get("Properties", {}).items() if key not in OVER_CHALICE}
    return {**resource, "Properties": {**given, **declared}}
