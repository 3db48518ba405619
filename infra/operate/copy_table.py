"""Bring restored items back: `python -m infra.operate.copy_table STACK-flights-runs-restored STACK-flights-runs`.

DynamoDB restores into a new table, and the stack's tables have names of their own. Items that the target has already
are left as they are, since they are newer, unless --overwrite is given. Killed in between, it can be run again.
"""

import argparse
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

TELL_EVERY = 1_000


def copy(client: Any, source: str, target: str, *, overwrite: bool, tell: Callable[[str], None]) -> tuple[int, int]:
    """Put the items of `source` into `target`; return how many were put, and how many were left as they were."""
    key = client.describe_table(TableName=target)["Table"]["KeySchema"][0]["AttributeName"]
    unless_there = {"ConditionExpression": "attribute_not_exists(#key)", "ExpressionAttributeNames": {"#key": key}}
    put = left = 0
    for page in client.get_paginator("scan").paginate(TableName=source, ConsistentRead=True):
        for item in page["Items"]:
            try:
                client.put_item(TableName=target, Item=item, **({} if overwrite else unless_there))
                put += 1
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                left += 1
            if (put + left) % TELL_EVERY == 0:
                tell(f"{put} put, {left} left")
    return put, left


def main() -> None:
    """Copy what the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", help="the restored table")
    parser.add_argument("target", help="the stack's table")
    parser.add_argument("--overwrite", action="store_true", help="also put items that the target has")
    options = parser.parse_args()
    put, left = copy(boto3.client("dynamodb"), options.source, options.target, overwrite=options.overwrite, tell=print)
    print(f"put: {put}, left as they were: {left}")


if __name__ == "__main__":
    main()
