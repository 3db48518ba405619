"""Transform the packaged template as CloudFormation would: `python -m infra.template.plain sam.json plain.json`.

This runs SAM's transform with the parameters' defaults, and checks then see the real resources.
"""

import argparse
import copy
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform

from infra.template.names import FUNCTION, LAYER, compact

SOMEWHERE = {"Bucket": "artifacts", "Key": "artifact.zip"}
"""SAM requires a bucket; `make deploy` writes the real one."""
LOCAL_ARTIFACTS = {FUNCTION: "CodeUri", LAYER: "ContentUri"}


class _NoManagedPolicies:
    """SAM's source of AWS's managed policies; the template names none."""

    def load(self) -> dict[str, str]:
        return {}


def plain(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template after SAM's transform."""
    written: dict[str, Any] = copy.deepcopy(dict(template))
    for resource in written["Resources"].values():
        if artifact := LOCAL_ARTIFACTS.get(resource["Type"]):
            resource["Properties"][artifact] = SOMEWHERE
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # SAM asks boto3 for the partition
    transformed: dict[str, Any] = transform(copy.deepcopy(written), {}, _NoManagedPolicies())
    for resource in transformed["Resources"].values():
        if resource["Type"] == "AWS::ApiGateway::Stage":  # SAM does not give it its API's metadata
            api = written["Resources"][resource["Properties"]["RestApiId"]["Ref"]]
            resource["Metadata"] = api.get("Metadata", {})
    return transformed


def main() -> None:
    """Transform the first file into the second."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("packaged", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    template = plain(json.loads(options.packaged.read_text(encoding="utf-8")))
    options.out.write_text(compact(template), encoding="utf-8")


if __name__ == "__main__":
    main()
