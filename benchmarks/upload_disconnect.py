"""What a closed socket costs: finding its session by the index, with few sessions and with many.

The table is the one that the template declares, in the local cloud's DynamoDB. "by index" is what `$disconnect` does:
one query on the sparse index and one conditional write; "by scan" is the search alone, without the index. The ratio
"100,000 sessions over 100" is the cost with many over the cost with few: at 1 it does not depend on their number.
"""

import itertools
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import measure
from chalicelib.adapters.uploads.sessions import SOCKET_INDEX, UploadSessionsTable, item_of
from chalicelib.uploads.machine import Disconnected, Session, Socket
from local.cloud import Cloud

ROUNDS = 60
SCAN_ROUNDS = 3
NOW = datetime.now(UTC).replace(microsecond=0)
BATCH = 25


def sessions(count: int) -> Iterator[Session]:
    """Sessions with an open socket each."""
    for number in range(count):
        socket = Socket(f"socket-{count}-{number}", "https://sockets.invalid/api")
        yield Session(str(uuid.uuid4()), "o" * 64, "u" * 64, NOW, NOW + timedelta(minutes=30), socket=socket)


def fill(client: Any, table: str, count: int) -> None:
    """Write `count` sessions, a batch at a time."""
    items = ({"PutRequest": {"Item": item_of(session)}} for session in sessions(count))
    while batch := list(itertools.islice(items, BATCH)):
        client.batch_write_item(RequestItems={table: batch})


def disconnect_next(store: UploadSessionsTable, sockets: Iterator[str]) -> None:
    """What the function does for `$disconnect`, for the next socket."""
    socket_id = next(sockets)
    session_id = store.session_of(socket_id)
    if session_id is None or not isinstance(store.change(session_id, Disconnected(socket_id)), Session):
        raise RuntimeError(f"{socket_id} was not found")


def scan(client: Any, table: str, socket_id: str) -> None:
    """The session of a socket, without the index."""
    pages = client.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="wsConnectionId = :id",
        ExpressionAttributeValues={":id": {"S": socket_id}},
    )
    if not any(page["Items"] for page in pages):
        raise RuntimeError(f"{socket_id} was not found")


def table_like(client: Any, original: str, name: str) -> str:
    """A new, empty table declared as the deployed one is."""
    declared = client.describe_table(TableName=original)["Table"]
    index = declared["GlobalSecondaryIndexes"][0]
    client.create_table(
        TableName=name,
        AttributeDefinitions=declared["AttributeDefinitions"],
        KeySchema=declared["KeySchema"],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {"IndexName": SOCKET_INDEX, "KeySchema": index["KeySchema"], "Projection": index["Projection"]}
        ],
    )
    return name


def compare(report: measure.Report, cloud: Cloud, sizes: list[int]) -> None:
    """Measure each number of sessions, the cases in turn."""
    client = cloud.client("dynamodb")
    closing: dict[int, Iterator[str]] = {}
    stores: dict[int, UploadSessionsTable] = {}
    for size in sizes:
        name = table_like(client, cloud.tables["upload-sessions"], f"upload-sessions-{size}")
        fill(client, name, size)
        stores[size] = UploadSessionsTable(client, name)
        closing[size] = iter([f"socket-{size}-{number}" for number in range(1, size)])
    closed = {f"{size}": partial(disconnect_next, stores[size], closing[size]) for size in sizes}
    scanned = {f"{size}": partial(scan, client, f"upload-sessions-{size}", f"socket-{size}-0") for size in sizes}
    by_index = measure.interleaved(closed, ROUNDS)
    by_scan = measure.interleaved(scanned, SCAN_ROUNDS)
    for size in sizes:
        report.medians[f"{size:,} sessions: by index"] = round(by_index[f"{size}"], 2)
        report.medians[f"{size:,} sessions: by scan"] = round(by_scan[f"{size}"], 2)
        report.ratios[f"{size:,} sessions: by scan"] = round(by_scan[f"{size}"] / by_index[f"{size}"], 1)
    few, many = min(sizes), max(sizes)
    report.ratios[f"by index: {many:,} sessions over {few:,}"] = round(by_index[f"{many}"] / by_index[f"{few}"], 2)


def main() -> None:
    """Measure and print."""
    arguments = measure.arguments(__doc__, sizes=[100, 100_000])
    report = measure.Report("upload_disconnect")
    with measure.local_cloud() as cloud:
        compare(report, cloud, arguments.sizes)
    report.show(arguments.json)


if __name__ == "__main__":
    main()
