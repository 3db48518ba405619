"""The fragments of `infra/` as data, for tests that need a resource as the template declares it."""

from typing import Any

from infra.package import FRAGMENTS, read_fragment


def table_definition(name: str, logical_id: str) -> dict[str, Any]:
    """What CreateTable takes to make a table as a fragment declares it."""
    declared = read_fragment(FRAGMENTS / f"{name}.yaml")["Resources"][logical_id]["Properties"]
    wanted = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes", "LocalSecondaryIndexes")
    return {key: declared[key] for key in wanted if key in declared}
