"""Redriving a dead-letter queue: every event once, nothing lost."""

import json
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.redrive import event_of, redrive
from tests.events import s3_event


class Functions:
    """The Lambda client, as far as it is used; the local cloud's tests use the real one."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.down_after = 99

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803
        assert (FunctionName, InvocationType) == ("omnibus-dev-process_flights", "Event")
        if len(self.events) == self.down_after:
            raise ConnectionError("Lambda is down")
        self.events.append(json.loads(Payload))


def test_an_event_is_taken_out_of_its_wrapping() -> None:
    event = {"Records": [{"s3": {}}]}
    wrapped = {"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": event, "responsePayload": {}}
    assert json.loads(event_of(json.dumps(event))) == event
    assert json.loads(event_of(json.dumps(wrapped))) == event


@mock_aws
def test_every_event_goes_back_once_and_none_is_lost() -> None:
    sqs, functions = boto3.client("sqs"), Functions()
    url = sqs.create_queue(QueueName="dead", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    sent = [s3_event(f"raw/{number}") for number in range(23)]
    for event in sent:
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
    functions.down_after = 5
    with pytest.raises(ConnectionError):
        redrive(sqs, functions, url, "omnibus-dev-process_flights", lambda line: None)
    functions.down_after = 99
    lines: list[str] = []
    assert redrive(sqs, functions, url, "omnibus-dev-process_flights", lines.append) == 18
    assert sorted(map(str, functions.events)) == sorted(map(str, sent))
    assert len(lines) == 18
    assert redrive(sqs, functions, url, "omnibus-dev-process_flights", lines.append) == 0
