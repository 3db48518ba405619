"""The fragments of `infra/` as data, for tests that need a resource as the template declares it."""

from pathlib import Path
from typing import Any

from infra.package import read_fragment

ROOT = Path(__file__).parents[2]


def table_definition(name: str, logical_id: str) -> dict[str, Any]:
    """What CreateTable takes to make a table as a fragment declares it."""
    declared = read_fragment(ROOT / "infra" / f"{name}.yaml")["Resources"][logical_id]["Properties"]
    wanted = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes", "LocalSecondaryIndexes")
    return {key: declared[key] for key in wanted if key in declared}
