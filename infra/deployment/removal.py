"""Delete a stage's stack, and its data only on request."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.deployment import account
from infra.deployment.problems import DeploymentError
from infra.deployment.project import ROOT, made_by_chalice
from infra.deployment.release import RESOURCES_ONLY, Site
from infra.deployment.stack import Resource
from infra.template.names import BUCKET, RETAINED

VERSION = "AWS::Lambda::Version"
"""Retained because aliases are replaced; it is deleted with its function."""
GUARDED = "prod"


def destroy(
    site: Site, *, confirmed: str, asked: Callable[[str], str], empty: bool, second_word: str, root: Path = ROOT
) -> None:
    """Delete the stage's stack; DeploymentError if it was not confirmed, or if a bucket must be emptied first.

    The stack's name confirms the deletion, as `confirmed` or as the answer to a prompt; prod needs a second word.
    Buckets that are deleted with the stack are emptied only if `empty` is set; retained resources are listed.
    """
    stack = site.stack
    found = account.identify(site.client, site.stage)
    if stack.status() is None:
        site.tell(f"there is no stack {stack.name} in account {found.id}, {found.region}")
        return
    if stack.outputs().get(RESOURCES_ONLY) and made_by_chalice(site.stage, root):
        raise DeploymentError(
            f"the functions of {stack.name} were created by `chalice deploy`:"
            f" `make chalice-delete STAGE={site.stage.name}` first"
        )
    going, staying = _divided(site)
    site.tell(f"{stack.name} in account {found.id}, {found.region}: {len(going) + len(staying)} resources")
    for resource in staying:
        site.tell(f"  stays: {resource.kind} {resource.physical}")
    _confirm(site, confirmed, asked, second_word)
    s3 = site.client("s3")
    filled = [each.physical for each in going if each.kind == BUCKET and _holds_objects(s3, each.physical)]
    if filled and not empty:
        raise DeploymentError.of(
            "these buckets would be deleted with the stack and are not empty; EMPTY=1 deletes their contents:", filled
        )
    for bucket in filled:
        site.tell(f"  emptied {bucket} of {_emptied(s3, bucket)} objects and versions")
    stack.delete()
    site.tell(f"{stack.name} is deleted")
    if staying:
        site.tell(
            "the stage's next deployment adopts the retained buckets and tables, and keys if they are given as"
            " KmsKeyArn and ModelSigningKeyArn; it creates the rest. To delete anything permanently, delete it by name"
        )


def _confirm(site: Site, confirmed: str, asked: Callable[[str], str], second_word: str) -> None:
    name = site.stage.stack
    word = f"delete {GUARDED}"
    if site.stage.name == GUARDED and second_word != word:
        raise DeploymentError(f'{name} is {GUARDED}: nothing was deleted. It also requires SECOND_WORD="{word}"')
    if (confirmed or asked(f"type {name} to delete it: ").strip()) != name:
        raise DeploymentError(f"nothing was deleted: expected the stack's name, CONFIRM={name}")


def _divided(site: Site) -> tuple[list[Resource], list[Resource]]:
    """The stack's resources: those that are deleted with it, and those that stay."""
    declared: dict[str, Any] = site.stack.template()["Resources"]
    resources = site.stack.resources()
    staying = [
        each
        for each in resources
        if declared.get(each.logical, {}).get("DeletionPolicy") in RETAINED and each.physical and each.kind != VERSION
    ]
    return [each for each in resources if each not in staying], staying


def _holds_objects(s3: Any, bucket: str) -> bool:
    if not account.exists(s3.head_bucket, Bucket=bucket):
        return False
    found = s3.list_object_versions(Bucket=bucket, MaxKeys=1)
    return bool(found.get("Versions") or found.get("DeleteMarkers"))


def _emptied(s3: Any, bucket: str) -> int:
    """Delete every object and version of a bucket; return their number."""
    done = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if versions:
            objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in versions]
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
            if errors := answer.get("Errors"):
                raise DeploymentError.of(f"{bucket} could not be emptied:", [str(error) for error in errors])
            done += len(objects)
    return done
