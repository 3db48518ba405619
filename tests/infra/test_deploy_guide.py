"""docs/deploy.md against the packaged template: retained or conflicting resources, and outputs."""

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from infra.package import ROOT
from infra.template.names import RETAINED

Template = dict[str, Any]
GUIDE = ROOT / "docs" / "deploy.md"
SIGNING_IN = ROOT / "docs" / "signing-in.md"
NAMED_BY = {
    "Cognito::UserPoolClient": "ClientName",
    "Cognito::UserPoolDomain": "Domain",
    "Cognito::UserPoolGroup": "GroupName",
    "EC2::SecurityGroup": "GroupName",
    "Lambda::LayerVersion": "LayerName",
}
"""What names a resource, where that is neither Name nor its kind with Name; inside ...Config or ...Input for some."""
GLOBAL = {"S3::Bucket", "IAM::ManagedPolicy", "IAM::Role", "CloudFront::OriginAccessControl"}
GLOBAL |= {"CloudFront::ResponseHeadersPolicy", "CloudWatch::Dashboard"}
"""Their names are taken in all regions at once."""
OUTPUT = re.compile(r"OutputKey=='(\w+)|\$\(output (\w+)\)|outputs? (?:of the stack )?`(\w+)`|`(Console\w+|RestUrl)`")


class Row(NamedTuple):
    kind: str
    name: str
    destroyed: str
    again: str
    renamed: str
    elsewhere: str


def rows() -> list[Row]:
    text = GUIDE.read_text(encoding="utf-8").partition("## 9. ")[2].partition("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return [Row(kind, name.strip("`"), *rest) for kind, name, *rest in cells[2:]]


def written(value: Any) -> str:
    """A name as the guide writes it: STACK and ACCOUNT stand for themselves, STACK-x for a resource that is named x."""
    if isinstance(value, Mapping) and "Fn::Join" in value:
        between, (parts,) = value["Fn::Join"][0], value["Fn::Join"][1].values()
        return written(parts).replace("-", between)
    if isinstance(value, Mapping):
        (inner,) = value.values()
        return written(inner if isinstance(inner, str) else inner[-1])
    if isinstance(value, list):
        return written(value[-1])
    text = str(value).replace("${AWS::StackName}", "STACK").replace("${AWS::AccountId}", "ACCOUNT")
    return re.sub(r"\$\{\w+\}", "STACK-x", text).replace("AWS::StackName", "STACK")


def names(kind: str, properties: Mapping[str, Any]) -> Iterator[str]:
    keys = {"Name", f"{kind.rpartition('::')[2]}Name", NAMED_BY.get(kind, "Name")}
    nested = [value for key, value in properties.items() if key.endswith(("Config", "Input"))]
    for where in (properties, *(value for value in nested if isinstance(value, Mapping))):
        yield from (written(where[key]) for key in keys & where.keys())


def standing(transformed: Template) -> Iterator[tuple[str, str, str, bool]]:
    """Every resource that has a name of its own or stays: kind, name (none: its logical name), logical name, stays?"""
    for logical, resource in transformed["Resources"].items():
        kind = resource["Type"].removeprefix("AWS::")
        stays = bool({resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")} & set(RETAINED))
        found = list(names(kind, resource.get("Properties", {})))
        if found or stays:
            yield kind, found[0] if found else logical, logical, stays


@pytest.mark.slow
def test_every_resource_that_has_a_name_or_stays_is_in_the_table_once(transformed: Template) -> None:
    listed = rows()
    used = set()
    for kind, name, logical, stays in standing(transformed):
        found = [row for row in listed if row.kind == kind and fnmatchcase(name, row.name)]
        assert len(found) == 1, f"docs/deploy.md, 9: expected one row for {kind} `{name}` ({logical}), found {found}"
        assert found[0].destroyed.startswith("retained" if stays else "deleted"), (kind, name)
        assert found[0].elsewhere.startswith("taken") is (kind in GLOBAL and "STACK" in name), (kind, name)
        used.add(found[0])
    assert set(listed) == used, "rows of what is not in the template"


def test_each_cell_of_the_table_says_something() -> None:
    assert rows()
    assert all(all(row) for row in rows())


def test_a_pattern_never_stands_for_a_bucket_table_or_secret() -> None:
    data = {"S3::Bucket", "DynamoDB::Table", "SecretsManager::Secret"}
    assert {row.kind for row in rows() if row.kind in data} == data
    assert not [row for row in rows() if row.kind in data and "*" in row.name]


@pytest.mark.parametrize("path", [GUIDE, SIGNING_IN], ids=lambda path: str(path.name))
def test_outputs_that_the_guides_name_are_outputs_of_the_template(path: Path, packaged: Template) -> None:
    named = {name for found in OUTPUT.findall(path.read_text(encoding="utf-8")) for name in found if name}
    assert {"UserPoolId", "UserPoolClientId", "ConsoleUrl", "ConsoleSignIn"} <= named
    assert named <= set(packaged["Outputs"])


def test_the_way_to_a_signed_in_operator_is_as_the_template_makes_it(packaged: Template) -> None:
    made = {name: each.get("Properties", {}) for name, each in packaged["Resources"].items()}
    assert made["SpendsenseOperators"]["GroupName"] == "operators"
    pool = made["SpendsenseUserPool"]
    assert pool["UsernameAttributes"] == ["email"]
    assert pool["Policies"]["PasswordPolicy"]["TemporaryPasswordValidityDays"] == 1
    assert "USER_PASSWORD_AUTH" in json.dumps(made["SpendsenseUserPoolClient"]["ExplicitAuthFlows"])
    assert "Condition" not in packaged["Outputs"]["ConsoleUrl"]
    domain = packaged["Outputs"]["ConsoleSignIn"]["Value"]["Fn::Sub"]
    assert domain.startswith(f"https://{made['ConsoleSignIn']['Domain']['Fn::Sub']}.auth.")
