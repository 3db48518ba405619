"""Copying restored items back: missing items are put, existing ones stay unless overwritten."""

from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.operate.copy_table import copy
from tests.infra.template import table_definition


@pytest.fixture
def tables() -> Any:
    with mock_aws():
        client = boto3.client("dynamodb")
        for name in ("restored", "ours"):
            client.create_table(TableName=name, **table_definition("flights", "FlightsRunsTable"))
        for number in range(30):
            client.put_item(TableName="restored", Item=item(number, "OLD"))
        for number in range(20, 40):
            client.put_item(TableName="ours", Item=item(number, "NEW"))
        yield client


def item(number: int, status: str) -> dict[str, Any]:
    return {
        "tracking_id": {"S": f"states_{number}"},
        "status": {"S": status},
        "snapshot_time": {"N": str(number)},
        "execution_date": {"S": "2026-11-21"},
    }


def statuses(client: Any) -> dict[int, str]:
    items = client.scan(TableName="ours")["Items"]
    return {int(it["snapshot_time"]["N"]): it["status"]["S"] for it in items}


def test_what_is_missing_comes_back_and_what_is_newer_stays(tables: Any) -> None:
    assert copy(tables, "restored", "ours", overwrite=False, tell=print) == (20, 10)
    assert statuses(tables) == {number: "OLD" if number < 20 else "NEW" for number in range(40)}
    assert copy(tables, "restored", "ours", overwrite=False, tell=print) == (0, 30)


def test_overwriting_puts_all_of_the_restored_back(tables: Any) -> None:
    assert copy(tables, "restored", "ours", overwrite=True, tell=print) == (30, 0)
    assert statuses(tables) == {number: "OLD" if number < 30 else "NEW" for number in range(40)}
