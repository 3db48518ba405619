"""Copy restored items back: `python -m infra.operate.copy_table STACK-flights-runs-restored STACK-flights-runs`.

DynamoDB restores into a new table, but the stack's tables have fixed names. Items that the target already has are
newer and stay unchanged, unless --overwrite is given. If the command is interrupted, run it again.
"""

import argparse
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

TELL_EVERY = 1_000


def copy(client: Any, source: str, target: str, *, overwrite: bool, tell: Callable[[str], None]) -> tuple[int, int]:
    """Copy the items of `source` into `target`; return the number of copied items and of unchanged ones."""
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
                tell(f"{put} copied, {left} unchanged")
    return put, left


def main() -> None:
    """Copy between the tables that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", help="the restored table")
    parser.add_argument("target", help="the stack's table")
    parser.add_argument("--overwrite", action="store_true", help="also copy items that the target already has")
    options = parser.parse_args()
    put, left = copy(boto3.client("dynamodb"), options.source, options.target, overwrite=options.overwrite, tell=print)
    print(f"copied: {put}, unchanged: {left}")


if __name__ == "__main__":
    main()
