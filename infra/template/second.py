"""A second opinion on the packaged template: `python -m infra.template.second sam.json plain.json`.

`make check-second` runs it in its own environment, with another version of SAM's translator and with moto's
CloudFormation, which shares no code with the local cloud's. moto lacks half of the resource types; it must create the
others, with plain texts for references to those that it lacks.
"""

import argparse
import importlib
import io
import json
import os
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import moto.cloudformation.parsing as moto_parsing
import samtranslator
from moto import mock_aws
from moto.backends import list_of_moto_modules
from moto.cloudformation.models import cloudformation_backends
from moto.core.common_models import CloudFormationModel
from moto.core.models import DEFAULT_ACCOUNT_ID

from infra.template.plain import SOMEWHERE, plain

REGION = "eu-west-1"
ALIAS = "Aliaslive"
"""SAM's suffixes to a function's name; moto has no aliases, so the function replaces its alias."""
MISREAD = {"AWS::ApiGateway::Deployment": "moto does not read the API's Body, and its API has no methods"}
"""Types that moto supports but cannot create from our template, with the reason."""


def differences(ours: Any, theirs: Any, where: str = "") -> Iterator[str]:
    """Each place where two templates differ; the order of DependsOn does not count."""
    if where.endswith(".DependsOn") and isinstance(ours, list) and isinstance(theirs, list):
        ours, theirs = sorted(ours), sorted(theirs)
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for key in sorted({*ours, *theirs}):
            yield from differences(ours.get(key), theirs.get(key), f"{where}.{key}".lstrip("."))
    elif ours != theirs:
        yield f"{where}: {json.dumps(ours)} and {json.dumps(theirs)}"


def known_types() -> set[str]:
    """The types of resources that moto creates."""
    for name in list_of_moto_modules():
        try:
            importlib.import_module(f"moto.{name}.models")
        except ImportError:
            continue  # a module without models, or of a service whose libraries are not installed
    return {each.cloudformation_type() for each in _descendants(CloudFormationModel)} - set(MISREAD)


def _descendants(kind: type[Any]) -> Iterator[type[Any]]:
    for each in kind.__subclasses__():
        yield each
        yield from _descendants(each)


def reduced(template: Mapping[str, Any], types: set[str]) -> dict[str, Any]:
    """The template with only the resources of these types; texts replace references to others."""
    resources = template["Resources"]
    gone = {name for name, resource in resources.items() if resource["Type"] not in types}

    def stand_in(name: str) -> Any:
        function = name.removesuffix(ALIAS)
        return (
            {"Fn::GetAtt": [function, "Arn"]} if function != name else f"arn:aws:x:{REGION}:{DEFAULT_ACCOUNT_ID}:{name}"
        )

    def kept(value: Any) -> Any:
        if isinstance(value, list):
            return [kept(each) for each in value]
        if not isinstance(value, dict):
            return value
        if value.get("Ref") in gone:
            return stand_in(value["Ref"])
        if (named := value.get("Fn::GetAtt")) and named[0] in gone:
            return stand_in(named[0])
        if isinstance(text := value.get("Fn::Sub"), str):
            return {"Fn::Sub": re.sub(r"\$\{(\w+)[^}]*\}", lambda it: "gone" if it[1] in gone else it[0], text)}
        return {key: kept(each) for key, each in value.items()}

    staying = {name: kept(resource) for name, resource in resources.items() if name not in gone}
    for resource in staying.values():
        resource.get("Properties", {}).pop("Tags", None)  # moto's KMS takes Key and Value for unknown names
        waits = resource.pop("DependsOn", [])
        resource["DependsOn"] = [it for it in ([waits] if isinstance(waits, str) else waits) if it not in gone]
    # moto loses a resource's dependencies when a reference leads to it: the others depend on queues.
    ordered = sorted(staying.items(), key=lambda item: item[1]["Type"] != "AWS::SQS::Queue")
    return {**template, "Resources": dict(ordered), "Outputs": {}}


def created(template: Mapping[str, Any]) -> list[str]:
    """The resources of the template that moto cannot create, a line each."""
    problems: list[str] = []
    create = moto_parsing.parse_and_create_resource

    def noted(logical_id: str, *arguments: Any, **options: Any) -> Any:
        try:
            return create(logical_id, *arguments, **options)
        except Exception as error:  # noqa: BLE001  # moto raises those of all its services
            problems.append(f"{logical_id}: {type(error).__name__}: {error}")
            return None

    moto_parsing.parse_and_create_resource = noted
    with mock_aws(config={"lambda": {"use_docker": False}}):
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=SOMEWHERE["Bucket"], CreateBucketConfiguration={"LocationConstraint": REGION})
        archive = io.BytesIO()
        zipfile.ZipFile(archive, "w").close()
        s3.put_object(Bucket=SOMEWHERE["Bucket"], Key=SOMEWHERE["Key"], Body=archive.getvalue())
        backend = cloudformation_backends[DEFAULT_ACCOUNT_ID][REGION]
        backend.create_stack("omnibus-dev", json.dumps(template), {})
    return problems


def main() -> None:
    """Print the differences; exit with 1 if there are any."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("packaged", type=Path)
    parser.add_argument("plain", type=Path)
    options = parser.parse_args()
    os.environ |= dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "none") | {"AWS_DEFAULT_REGION": REGION}
    ours = json.loads(options.plain.read_text(encoding="utf-8"))
    problems = list(differences(ours, plain(json.loads(options.packaged.read_text(encoding="utf-8")))))
    print(f"aws-sam-translator {samtranslator.__version__}: {len(problems)} differences")
    part = reduced(ours, known_types())
    refused = created(part)
    print(f"moto: {len(part['Resources'])} of {len(ours['Resources'])} resources asked for, {len(refused)} not created")
    if problems or refused:
        sys.exit("\n".join([*problems, *refused]))


if __name__ == "__main__":
    main()
