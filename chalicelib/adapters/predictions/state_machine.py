"""Runs of a Step Functions state machine, by name."""

import json
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.adapters.aws import dependency, error_code

WHAT = "the state machine of predictions"
BROKEN = ("FAILED", "TIMED_OUT", "ABORTED")


class StateMachine:
    """`ports.Workflow` on Step Functions; a run's handle is its execution's ARN."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn

    def start(self, name: str, job_id: str) -> str:
        """Start the execution `name`; if it exists, it is the one."""
        with dependency(WHAT):
            try:
                answer = self._client.start_execution(
                    stateMachineArn=self._arn, name=name, input=json.dumps({"job_id": job_id})
                )
            except ClientError as error:
                if error_code(error) != "ExecutionAlreadyExists":
                    raise
                return self._arn.replace(":stateMachine:", ":execution:") + f":{name}"
        return str(answer["executionArn"])

    def stop(self, handle: str) -> None:
        """Abort an execution; one that has ended, or was never known, is no error."""
        with dependency(WHAT):
            try:
                self._client.stop_execution(executionArn=handle, error="Cancelled", cause="The job was cancelled.")
            except ClientError as error:
                if error_code(error) not in ("ExecutionDoesNotExist", "ValidationException"):
                    raise

    def failure(self, handle: str) -> str | None:
        """Why an execution ended badly, by the engine's name for it; None while it runs and after success."""
        with dependency(WHAT):
            try:
                answer = self._client.describe_execution(executionArn=handle)
            except ClientError as error:
                if error_code(error) != "ExecutionDoesNotExist":
                    raise
                return "The run is gone."
        if answer["status"] not in BROKEN:
            return None
        return str(answer.get("error") or answer["status"])
