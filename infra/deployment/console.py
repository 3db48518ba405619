"""The console of a deployed stack: its files in the bucket, its configuration, and its redirect from Cognito."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from infra.console import content_type
from infra.deployment.release import RELEASE, Site

FOLDER = "console"
"""The built console's folder in a package."""
FOREVER = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"
KEPT = timedelta(days=30)
"""Old assets stay for browser tabs that still show an earlier release."""
SIGN_IN = {
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": ["openid", "email"],
    "SupportedIdentityProviders": ["COGNITO"],
}
READ_ONLY = {"ClientSecret", "LastModifiedDate", "CreationDate"}


def publish(site: Site, outputs: Mapping[str, str], package: Path) -> None:
    """Upload the package's console to the stack's bucket; a package without a console changes nothing."""
    if "ConsoleUrl" not in outputs or not (package / FOLDER / "index.html").exists():
        site.tell("  no console: the package or the stack has none")
        return
    s3, bucket = site.client("s3"), outputs["ConsoleBucket"]
    files = {
        file.relative_to(package / FOLDER).as_posix(): file
        for file in sorted((package / FOLDER).rglob("*"))
        if file.is_file()
    }
    # The page comes last, because the assets that it names must exist first.
    for key, file in sorted(files.items(), key=lambda item: item[0] == "index.html"):
        lasting = FOREVER if key.startswith("assets/") else ASK_FIRST
        s3.put_object(
            Bucket=bucket, Key=key, Body=file.read_bytes(), ContentType=content_type(file), CacheControl=lasting
        )
    s3.put_object(
        Bucket=bucket,
        Key="config.json",
        Body=json.dumps(configuration(site.stage.name, outputs, site.stack.parameters()[RELEASE])).encode(),
        ContentType="application/json",
        CacheControl=ASK_FIRST,
    )
    _forget(s3, bucket, files.keys() | {"config.json"})
    _lead_back(site.client("cognito-idp"), outputs)
    site.tell(f"  console: {outputs['ConsoleUrl']}")


def configuration(stage: str, outputs: Mapping[str, str], release: str) -> dict[str, Any]:
    """The configuration that the console reads first; it is public and holds no secret."""
    return {
        "api": "/api",
        "socket": outputs["WebsocketUrl"],
        "stage": stage,
        "release": release[:10],
        "client": outputs["UserPoolClientId"],
        "signIn": {"kind": "hosted", "domain": outputs["ConsoleSignIn"]},
    }


def _forget(s3: Any, bucket: str, current: set[str]) -> None:
    limit = datetime.now(UTC) - KEPT
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            if found["Key"] not in current and found["LastModified"] < limit:
                s3.delete_object(Bucket=bucket, Key=found["Key"])


def _lead_back(cognito: Any, outputs: Mapping[str, str]) -> None:
    """Allow Cognito's pages to redirect to the console; the client's other settings stay as declared."""
    named = {"UserPoolId": outputs["UserPoolId"], "ClientId": outputs["UserPoolClientId"]}
    declared = cognito.describe_user_pool_client(**named)["UserPoolClient"]
    address = [f"{outputs['ConsoleUrl']}/"]
    wanted = {**declared, **SIGN_IN, "CallbackURLs": address, "LogoutURLs": address}
    if wanted != declared:
        cognito.update_user_pool_client(**{name: it for name, it in wanted.items() if name not in READ_ONLY})
