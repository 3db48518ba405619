"""Give what lies in a function's dead-letter queue to the function again: `python -m infra.redrive process_flights`.

A message leaves the queue only after Lambda has taken its event; killed in between, it is redriven once more the next
time, which the functions bear, since every step of theirs is idempotent. An event that fails again comes back with its
retries used up, so the command takes no more messages than there were when it began.
"""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

AT_ONCE = 10


def redrive(sqs: Any, functions: Any, queue_url: str, function: str, tell: Callable[[str], None]) -> int:
    """Invoke `function` with each event of the queue; return how many were redriven."""
    counted = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"])
    waiting = int(counted["Attributes"]["ApproximateNumberOfMessages"])
    done = 0
    while done < waiting:
        taken = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=min(AT_ONCE, waiting - done),
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not taken:
            break
        for message in taken:
            attributes = message.get("MessageAttributes", {})
            reason = attributes.get("ErrorMessage", {}).get("StringValue", "no reason given")
            functions.invoke(FunctionName=function, InvocationType="Event", Payload=event_of(message["Body"]))
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            done += 1
            tell(f"{done}/{waiting} {message['MessageId']}: {reason[:120]}")
    return done


def event_of(body: str) -> bytes:
    """The event of a dead letter: the body itself, or what an on-failure destination wrapped into it."""
    letter = json.loads(body)
    wrapped = "requestPayload" in letter and "requestContext" in letter
    return json.dumps(letter["requestPayload"] if wrapped else letter).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("function", help="as app.py names it, e.g. process_flights")
    parser.add_argument("--stage", default="local", help="local, dev, staging or prod; default: local")
    arguments = parser.parse_args()
    if arguments.stage == "local":
        cloud = json.loads(Path(".local/cloud.json").read_text(encoding="utf-8"))
        os.environ.update(cloud["environment"])
    name = f"omnibus-{arguments.stage}-{arguments.function}"
    sqs = boto3.client("sqs")
    queue_url = sqs.get_queue_url(QueueName=f"{name}-dead")["QueueUrl"]
    # Past the alias, the letter would reach what was just uploaded and has no retries configured.
    done = redrive(sqs, boto3.client("lambda"), queue_url, f"{name}:live", print)
    print(f"redriven: {done}")


if __name__ == "__main__":
    main()
