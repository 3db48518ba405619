"""The alarms and dead-letter queues, as CloudWatch and SQS report them."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.adapters.watch import StackWatch
from chalicelib.errors import UpstreamError

REGION = "eu-west-1"


@pytest.fixture
def aws() -> Iterator[Any]:
    with mock_aws():
        yield lambda service: boto3.client(service, region_name=REGION)


def alarm(client: Any, name: str, state: str) -> None:
    client.put_metric_alarm(
        AlarmName=name,
        MetricName="Errors",
        Namespace="AWS/Lambda",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )
    client.set_alarm_state(AlarmName=name, StateValue=state, StateReason=f"it is {state}")


def test_the_stacks_alarms_are_told_those_that_ring_first(aws: Any) -> None:
    cloudwatch = aws("cloudwatch")
    alarm(cloudwatch, "shop-a", "OK")
    alarm(cloudwatch, "shop-b", "ALARM")
    alarm(cloudwatch, "other-c", "ALARM")
    found = StackWatch(cloudwatch, aws("sqs"), "shop").alarms()
    assert [(each["name"], each["state"], each["reason"]) for each in found] == [
        ("b", "ALARM", "it is ALARM"),
        ("a", "OK", "it is OK"),
    ]
    assert found[0]["since"] is not None


def test_dead_letters_are_counted_the_fullest_queue_first(aws: Any) -> None:
    sqs = aws("sqs")
    for name, count in (("shop-ingest-dead", 0), ("shop-process-dead", 3), ("shop-notices", 2), ("other-dead", 1)):
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        for number in range(count):
            sqs.send_message(QueueUrl=url, MessageBody=str(number))
    assert StackWatch(aws("cloudwatch"), sqs, "shop").dead_letters() == [
        {"queue": "process-dead", "function": "process", "messages": 3},
        {"queue": "ingest-dead", "function": "ingest", "messages": 0},
    ]


def test_a_refusal_is_ours() -> None:
    class Denied:
        def get_paginator(self, _name: str) -> Any:
            return self

        def paginate(self, **_asked: str) -> Any:
            from botocore.exceptions import ClientError

            raise ClientError({"Error": {"Code": "AccessDenied"}}, "DescribeAlarms")

    with pytest.raises(UpstreamError, match="CloudWatch refused"):
        StackWatch(Denied(), Denied(), "shop").alarms()
