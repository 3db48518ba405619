"""Parts of a deployment into the local cloud: the package, the clients, and changes for MiniStack."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from infra.deployment.release import Site, release_name
from infra.deployment.stages import Stage
from infra.package import ROOT
from infra.template.functions import declared, limits_of, limits_text
from local.cloud import GATEWAY, STAGE_PATH, Cloud
from local.template import FUNCTION, Code, localised

Template = Mapping[str, Any]


def stage(cloud: Cloud, **parameters: Any) -> Stage:
    """The stage `dev`, as a file would describe it, for the local cloud."""
    own = {"Schedules": "DISABLED", "Insights": "DISABLED", "SocketsBase": f"{cloud.aws_endpoint_url}{GATEWAY}"}
    return Stage(
        name="dev",
        stack="omnibus-dev",
        region=cloud.region,
        parameters={**own, **unreserved(), **parameters},
        secrets={"OperatorToken": "a-token-of-the-tests-with-32-characters", "DatabaseUrl": ""},
        tags={"application": "omnibus"},
    )


def unreserved() -> dict[str, str]:
    """The limits of every function that reserves concurrency, without it: the local account has little to give."""
    functions = declared(json.loads((ROOT / ".chalice" / "config.json").read_text()))
    return {
        f"{each.logical}Limits": limits_text({"reserved": 0}, each.limits)
        for each in functions
        if limits_of(each.limits)["reserved"]
    }


@dataclass
class Deployment:
    """A site in the local cloud that records its output."""

    cloud: Cloud
    parameters: Mapping[str, Any] = field(default_factory=dict)
    change: Callable[[dict[str, Any]], dict[str, Any]] = lambda template: template
    told: list[str] = field(default_factory=list)

    @property
    def site(self) -> Site:
        return Site(
            stage=stage(self.cloud, **self.parameters),
            client=self.cloud.client,
            tell=self.told.append,
            pause=lambda _seconds: time.sleep(0.05),
            adapt=self._adapt,
            address=lambda outputs: f"{self.cloud.aws_endpoint_url}{GATEWAY}/{outputs['RestAPIId']}/{STAGE_PATH}",
        )

    def with_parameters(self, **parameters: Any) -> "Deployment":
        return replace(self, parameters={**self.parameters, **parameters}, told=[])

    def with_change(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> "Deployment":
        return replace(self, change=change, told=[])

    @property
    def said(self) -> str:
        return "\n".join(self.told)

    def _adapt(self, template: Template) -> Template:
        """What `make up` changes for MiniStack, and then the test's own change."""
        functions = (each for each in template["Resources"].values() if each["Type"] == FUNCTION)
        code = next((each["Properties"]["CodeUri"] for each in functions), {})
        given = {name: str(value) for name, value in self.site.stage.parameters.items()}
        given["Release"] = release_name(
            self.site.stage.stack, given, (), ""
        )  # MiniStack's SAM does not see what is given
        place = Code(code.get("Bucket", ""), code.get("Key", ""))
        return self.change(localised(template, place, given))


def forget_buckets(cloud: Cloud, stack: str) -> None:
    """Delete the buckets that a stack left behind on purpose."""
    s3 = cloud.client("s3")
    for bucket in (each["Name"] for each in s3.list_buckets()["Buckets"] if each["Name"].startswith(f"{stack}-")):
        found = s3.list_object_versions(Bucket=bucket)
        for version in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]:
            s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
        s3.delete_bucket(Bucket=bucket)


def forget(cloud: Cloud, stack: str) -> None:
    """Delete everything that a stack left behind on purpose."""
    forget_buckets(cloud, stack)
    tables = cloud.client("dynamodb")
    for table in tables.list_tables()["TableNames"]:
        if table.startswith(f"{stack}-"):
            tables.delete_table(TableName=table)
