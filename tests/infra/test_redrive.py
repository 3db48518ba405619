"""Redriving a dead-letter queue: every event once, nothing lost."""

import json
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.deployment.stages import Stage
from infra.operate.redrive import event_of, main, redrive
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
    event: dict[str, Any] = {"Records": [{"s3": {}}]}
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


class Spread:
    """An SQS that has its messages on many machines: a short poll asks some of them, and may find nothing."""

    def __init__(self, sqs: Any) -> None:
        self._sqs = sqs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sqs, name)

    def receive_message(self, **arguments: Any) -> Any:
        return self._sqs.receive_message(**arguments) if arguments.get("WaitTimeSeconds") else {}


@mock_aws
def test_an_empty_answer_to_a_short_poll_is_not_the_end() -> None:
    sqs, functions = boto3.client("sqs"), Functions()
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    assert redrive(Spread(sqs), functions, url, "omnibus-dev-process_flights", lambda line: None) == 1


@mock_aws
def test_what_is_no_event_is_left_there_and_keeps_nothing_back() -> None:
    sqs, functions = boto3.client("sqs"), Functions()
    url = sqs.create_queue(QueueName="dead", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    for body in ("not JSON", '{"number": 1}', "[]", '{"number": 2}'):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    lines: list[str] = []
    assert redrive(sqs, functions, url, "omnibus-dev-process_flights", lines.append) == 2
    assert functions.events == [{"number": 1}, {"number": 2}]
    assert sum("is no event" in line for line in lines) == 2
    assert (
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"]
        == "2"
    )


@mock_aws
def test_a_function_without_dead_letters_is_told_which_have_some(capsys: pytest.CaptureFixture[str]) -> None:
    boto3.client("sqs").create_queue(QueueName="omnibus-dev-process_flights-dead")
    assert main(["release_flights", "--stage", "dev"]) == 2
    said = capsys.readouterr().err
    assert "omnibus-dev-release_flights-dead" in said
    assert "process_flights" in said


@mock_aws
def test_a_stage_may_have_another_stack_and_region(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    stage = Stage(name="prod", stack="flights-eu", region="eu-north-1")
    monkeypatch.setattr("infra.operate.redrive.read_stage", lambda name, environ: stage)
    boto3.client("sqs", region_name="eu-north-1").create_queue(QueueName="flights-eu-process_flights-dead")
    assert main(["process_flights", "--stage", "prod"]) == 0
    assert "redriven: 0" in capsys.readouterr().out


def test_without_a_local_cloud(capsys: pytest.CaptureFixture[str], monkeypatch: Any, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["process_flights"]) == 2
    assert "make up" in capsys.readouterr().err


@mock_aws
def test_a_local_cloud_may_have_another_home(
    capsys: pytest.CaptureFixture[str], monkeypatch: Any, tmp_path: Any
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
    (tmp_path / "cloud.json").write_text(json.dumps({"environment": keys}))
    boto3.client("sqs", region_name="us-east-1").create_queue(QueueName="omnibus-local-process_flights-dead")
    assert main(["process_flights", "--home", str(tmp_path)]) == 0
    assert "redriven: 0" in capsys.readouterr().out
