"""Redrive a function's dead-letter messages: `python -m infra.operate.redrive process_flights`.

A message is deleted only after Lambda has accepted its event. If the command is interrupted between the two, the next
run redrives the message again, which is safe because the functions are idempotent. An event that fails again returns
after its retries, so the command takes no more messages than the queue had at the start.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from infra.deployment.account import client_of
from infra.deployment.problems import DeploymentError
from infra.deployment.stages import Stage, read_stage
from infra.template.names import ALIAS

AT_ONCE = 10
WAIT_S = 5
"""A long poll asks all of SQS's machines; a short one asks some, and may miss messages."""
HOME = Path(".local")


class RedriveError(Exception):
    """There is no queue to redrive from; the message says why."""


def redrive(sqs: Any, functions: Any, queue_url: str, function: str, tell: Callable[[str], None]) -> int:
    """Invoke `function` with each event of the queue; return their number. Messages that are no events stay there."""
    counted = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"])
    waiting = int(counted["Attributes"]["ApproximateNumberOfMessages"])
    done = left = 0
    while done + left < waiting:
        taken = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=min(AT_ONCE, waiting - done - left),
            MessageAttributeNames=["All"],
            WaitTimeSeconds=WAIT_S,
        ).get("Messages", [])
        if not taken:
            break
        for message in taken:
            attributes = message.get("MessageAttributes", {})
            reason = attributes.get("ErrorMessage", {}).get("StringValue", "no reason given")
            try:
                event = event_of(message["Body"])
            except ValueError as error:
                left += 1
                tell(f"{message['MessageId']}: is no event and stays in the queue: {error}")
                continue
            functions.invoke(FunctionName=function, InvocationType="Event", Payload=event)
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            done += 1
            tell(f"{done}/{waiting} {message['MessageId']}: {reason[:120]}")
    return done


def event_of(body: str) -> bytes:
    """The event of a dead-letter message: its body, or the event in an on-failure record; ValueError if neither."""
    letter = json.loads(body)
    if not isinstance(letter, dict):
        raise ValueError("expected a JSON object")
    wrapped = "requestPayload" in letter and "requestContext" in letter
    return json.dumps(letter["requestPayload"] if wrapped else letter).encode()


def queue_of(sqs: Any, stack: str, function: str) -> str:
    """The URL of a function's dead-letter queue; RedriveError if it has none."""
    name = f"{stack}-{function}-dead"
    try:
        return str(sqs.get_queue_url(QueueName=name)["QueueUrl"])
    except sqs.exceptions.QueueDoesNotExist:
        urls = sqs.list_queues(QueueNamePrefix=f"{stack}-").get("QueueUrls", [])
        there = [url.rpartition(f"/{stack}-")[2].removesuffix("-dead") for url in urls if url.endswith("-dead")]
        known = ", ".join(sorted(there)) or "none; is this the stage's account and region?"
        raise RedriveError(f"there is no queue {name}; functions with dead-letter queues: {known}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Redrive the function that the command line names; return 2 if it has no queue."""
    parser = argparse.ArgumentParser(prog="redrive", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("function", help="its name in app.py, e.g. process_flights")
    parser.add_argument("--stage", default="local", choices=("local", "dev", "staging", "prod"), help="default: local")
    parser.add_argument("--home", type=Path, default=HOME, help="the local cloud's folder (default: .local)")
    options = parser.parse_args(arguments)
    cloud = options.home / "cloud.json"
    try:
        stage = Stage("local", "omnibus-local") if options.stage == "local" else read_stage(options.stage, os.environ)
        if stage.name == "local":
            if not cloud.exists():
                raise RedriveError(f"there is no {cloud}; `make up` starts the local cloud, STAGE=prod selects another")
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                del os.environ[name]  # e.g. the user's own session token, which the local cloud would refuse
            os.environ.update(json.loads(cloud.read_text(encoding="utf-8"))["environment"])
        client = client_of(stage)
        queue_url = queue_of(client("sqs"), stage.stack, options.function)
        # Without the alias, the event would reach the code just uploaded, which has no retries configured.
        alias = f"{stage.stack}-{options.function}:{ALIAS}"
        done = redrive(client("sqs"), client("lambda"), queue_url, alias, print)
    except (RedriveError, DeploymentError) as error:
        print(f"redrive: {error}", file=sys.stderr)
        return 2
    print(f"redriven: {done}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
