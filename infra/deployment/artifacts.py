"""Upload a package's zips and template to a private bucket, each under the hash of its content.

The same content is uploaded once. Current and earlier releases stay there for CloudFormation's rollbacks.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.deployment.account import Account, Client, Tell, exists
from infra.deployment.intrinsics import Known, resolve
from infra.deployment.problems import DeploymentError
from infra.template.names import BUCKET, FUNCTION, LAYER, RETAINED, TABLE, compact

NAMED = {BUCKET: "BucketName", TABLE: "TableName"}
LOCATIONS = {FUNCTION: "CodeUri", LAYER: "ContentUri"}
"""Properties that name a file of the package, by resource type."""


@dataclass(frozen=True)
class Uploads:
    """The bucket for artifacts, and its expected owner."""

    s3: Any
    bucket: str
    owner: str
    tell: Tell

    def put(self, content: bytes, suffix: str) -> str:
        """Store `content` unless it is stored already; return its key, the SHA-256 with `suffix`."""
        digest = hashlib.sha256(content)
        key = f"{digest.hexdigest()}{suffix}"
        here = {"Bucket": self.bucket, "Key": key, "ExpectedBucketOwner": self.owner}
        if exists(self.s3.head_object, **here):
            return key
        self.s3.put_object(**here, Body=content, ChecksumSHA256=base64.b64encode(digest.digest()).decode())
        self.tell(f"  uploaded {len(content) / 1_048_576:.1f} MiB as s3://{self.bucket}/{key}")
        return key

    def url(self, key: str) -> str:
        """The address from which CloudFormation reads an object."""
        return f"{self.s3.meta.endpoint_url}/{self.bucket}/{key}"


def bucket_name(account: Account) -> str:
    """The artifact bucket of an account and region, which all stages share."""
    return f"omnibus-artifacts-{account.id}-{account.region}"


def ensure_bucket(client: Client, account: Account, tell: Tell) -> Uploads:
    """The artifact bucket, created if missing: private, encrypted, versioned, and with TLS only."""
    s3 = client("s3")
    name = bucket_name(account)
    owner = {"Bucket": name, "ExpectedBucketOwner": account.id}
    try:
        missing = not exists(s3.head_bucket, **owner)
    except ClientError as error:
        raise DeploymentError(f"the artifact bucket {name} cannot be used: {error}") from error
    if missing:
        place = {} if account.region == "us-east-1" else {"LocationConstraint": account.region}
        s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": place} if place else {}))
        tell(f"  created the bucket {name}")
    # Every time: this closes a bucket that somebody opened, and finishes one that was only half created.
    s3.put_public_access_block(
        **owner,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    encryption = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(**owner, ServerSideEncryptionConfiguration={"Rules": [encryption]})
    s3.put_bucket_versioning(**owner, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_policy(**owner, Policy=json.dumps(_tls_only(name, account.partition)))
    s3.put_bucket_lifecycle_configuration(**owner, LifecycleConfiguration={"Rules": [_housekeeping()]})
    return Uploads(s3, name, account.id, tell)


def with_uploads(template: Mapping[str, Any], package: Path, uploads: Uploads) -> dict[str, Any]:
    """The template with every file of the package uploaded and replaced by its new address."""
    files: dict[str, dict[str, str]] = {}
    resources = {}
    for logical, resource in template["Resources"].items():
        location = LOCATIONS.get(resource["Type"])
        file = resource.get("Properties", {}).get(location) if location else None
        if location and isinstance(file, str) and not file.startswith("s3://"):
            if file not in files:
                files[file] = {"Bucket": uploads.bucket, "Key": uploads.put(_read(package / file), ".zip")}
            resource = {**resource, "Properties": {**resource["Properties"], location: files[file]}}
        resources[logical] = resource
    return {**template, "Resources": resources}


def with_literal_names(template: Mapping[str, Any], names: Known) -> dict[str, Any]:
    """The template with the names of retained resources as plain texts.

    CloudFormation adopts existing resources by such names, but does not resolve functions for this.
    """
    resources = {}
    for logical, resource in template["Resources"].items():
        named = NAMED.get(resource["Type"])
        if named in resource.get("Properties", {}) and resource.get("DeletionPolicy") in RETAINED:
            name = resolve(resource["Properties"][named], names)
            resource = {**resource, "Properties": {**resource["Properties"], named: name}}
        resources[logical] = resource
    return {**template, "Resources": resources}


def upload_template(template: Mapping[str, Any], uploads: Uploads) -> str:
    """Store the template, which is too large for a request; return its URL for CloudFormation."""
    return uploads.url(uploads.put(compact(template).encode(), ".json"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DeploymentError(f"the template names {path}, which does not exist: run `make package` first") from None


def _tls_only(bucket: str, partition: str) -> dict[str, Any]:
    arn = f"arn:{partition}:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyOverTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


def _housekeeping() -> dict[str, Any]:
    return {
        "ID": "what-was-overwritten-or-left-open-goes",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
