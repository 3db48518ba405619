"""Events as AWS sends them; Chalice's own generator repeats message ids and leaves keys unencoded."""

import itertools
from typing import Any
from urllib.parse import quote_plus

_numbers = itertools.count(1)


def s3_event(
    *keys: str, bucket: str = "flights", event_name: str = "ObjectCreated:Put", size: int = 1
) -> dict[str, Any]:
    """An S3 notification with a record for each key, encoded as S3 encodes it."""
    return {"Records": [_s3_record(key, bucket, event_name, size) for key in keys]}


def s3_test_event(bucket: str = "flights") -> dict[str, Any]:
    """What S3 sends when a notification is configured."""
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2026-11-21T12:00:00.000Z",
        "Bucket": bucket,
        "RequestId": "5582815E1AEA5ADF",
        "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
    }


def sqs_event(*bodies: str, queue: str = "outbox", receives: int = 1) -> dict[str, Any]:
    """An SQS delivery with a message for each body, each with an id of its own."""
    return {"Records": [_sqs_record(body, queue, receives) for body in bodies]}


def socket_event(
    route_key: str, *, connection_id: str = "connection-1", body: str | None = None, query: dict[str, str] | None = None
) -> dict[str, Any]:
    """A WebSocket event: `$connect`, `$disconnect` or a message."""
    return {
        "requestContext": {
            "routeKey": route_key,
            "eventType": {"$connect": "CONNECT", "$disconnect": "DISCONNECT"}.get(route_key, "MESSAGE"),
            "connectionId": connection_id,
            "apiId": "socketapi1",
            "domainName": "socketapi1.execute-api.eu-west-1.amazonaws.com",
            "stage": "api",
            "requestId": f"request-{next(_numbers)}",
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "queryStringParameters": query,
        "body": body,
        "isBase64Encoded": False,
    }


def schedule_event() -> dict[str, Any]:
    """What a schedule's rule sends."""
    return {
        "version": "0",
        "id": f"89d1a02d-5ec7-412e-82f5-{next(_numbers):012d}",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-11-21T12:00:00Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:123456789012:rule/schedule"],
        "detail": {},
    }


def _s3_record(key: str, bucket: str, event_name: str, size: int) -> dict[str, Any]:
    number = next(_numbers)
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventTime": "2026-11-21T12:00:00.000Z",
        "eventName": event_name,
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {
                "key": quote_plus(key, safe="/"),
                "size": size,
                "eTag": f"{number:032x}",
                "sequencer": f"{number:018X}",
            },
        },
    }


def _sqs_record(body: str, queue: str, receives: int) -> dict[str, Any]:
    number = next(_numbers)
    return {
        "messageId": f"059f36b4-87a3-44ab-83d2-{number:012d}",
        "receiptHandle": f"handle-{number}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives), "SentTimestamp": "1763726400000"},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:eu-west-1:123456789012:{queue}",
        "awsRegion": "eu-west-1",
    }
