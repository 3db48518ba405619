"""The fragments of `infra/` as data, for tests that need a resource as the template declares it."""

from pathlib import Path
from typing import Any

from chalice.package import YAMLTemplateSerializer

ROOT = Path(__file__).parents[2]


def fragment(name: str) -> dict[str, Any]:
    """One fragment, its short intrinsics (!Ref, !Sub) spelled out."""
    path = ROOT / "infra" / f"{name}.yaml"
    loaded: dict[str, Any] = YAMLTemplateSerializer().load_template(path.read_text(), str(path))
    return loaded


def table_definition(name: str, logical_id: str) -> dict[str, Any]:
    """What CreateTable takes to make a table as a fragment declares it."""
    declared = fragment(name)["Resources"][logical_id]["Properties"]
    wanted = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes", "LocalSecondaryIndexes")
    return {key: declared[key] for key in wanted if key in declared}
