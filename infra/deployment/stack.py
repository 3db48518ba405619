"""One CloudFormation stack: change it by change sets, print its events, read it, delete it.

CloudFormation rolls a failed change back to the previous state. This module handles every state in which a stack can be
left: it takes the next step, or names it in a message.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra.deployment.account import Tell
from infra.deployment.problems import DeploymentError

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
STOPPED_BY_ANOTHER = ("Resource creation cancelled", "Resource update cancelled")
FAILED_FIRST = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"}
DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
CHANGEABLE = {*DONE, "UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}
LEFT = {
    "UPDATE_ROLLBACK_COMPLETE": "; the previous state is restored",
    "ROLLBACK_COMPLETE": "; nothing remains of it",
}
EMPTY = {None, "DELETE_COMPLETE", "REVIEW_IN_PROGRESS"}
BEGUN = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"}
"""States in a stack's own first event of an operation."""


@dataclass(frozen=True)
class Resource:
    """One resource of a stack: its name in the template, its type, and its name in the account."""

    logical: str
    kind: str
    physical: str


@dataclass(frozen=True)
class Stack:
    """A stack by name, whether it exists or not. `pause` is the wait in seconds between two polls."""

    cloudformation: Any
    name: str
    tell: Tell
    pause: Callable[[float], None] = time.sleep
    every_s: float = 5.0

    def status(self) -> str | None:
        """The stack's status; None if it does not exist."""
        return None if (found := self._described()) is None else str(found["StackStatus"])

    def outputs(self) -> dict[str, str]:
        """The stack's outputs; empty if it does not exist."""
        found = self._described() or {}
        return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}

    def parameters(self) -> dict[str, str]:
        """The stack's current parameters, with secrets masked; empty if it does not exist."""
        found = self._described() or {}
        return {each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", [])}

    def resources(self) -> tuple[Resource, ...]:
        """The stack's resources."""
        pages = self.cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.name)
        return tuple(
            Resource(each["LogicalResourceId"], each["ResourceType"], each.get("PhysicalResourceId", ""))
            for page in pages
            for each in page["StackResourceSummaries"]
        )

    def template(self) -> dict[str, Any]:
        """The stack's template after SAM's transform."""
        body = self.cloudformation.get_template(StackName=self.name, TemplateStage="Processed")["TemplateBody"]
        if isinstance(body, str):
            import yaml

            body = yaml.safe_load(body)
        return dict(body)

    def change(
        self, url: str, parameters: Mapping[str, str | None], tags: Mapping[str, str], *, adopt: bool = False
    ) -> bool:
        """Create or update the stack from the template at `url`; False if there is no change.

        A parameter that is None keeps its value. With `adopt`, existing resources whose names the template retains
        become part of a new stack. DeploymentError if the stack cannot be changed, or if the change failed and was
        rolled back; it names each failed resource with its reason.
        """
        status = self.status()
        self._refuse_unless_changeable(status)
        if status in FAILED_FIRST:
            self.tell(f"{self.name} is {status}: its first deployment failed, and it can only be deleted; deleting it")
            self.delete()
            status = None
        name = f"deploy-{uuid.uuid4().hex}"
        request = {
            "StackName": self.name,
            "ChangeSetName": name,
            "ChangeSetType": "CREATE" if status in EMPTY else "UPDATE",
            "TemplateURL": url,
            "Capabilities": CAPABILITIES,
            "Parameters": [_parameter(key, value) for key, value in parameters.items()],
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            "ImportExistingResources": adopt,
        }
        try:
            self.cloudformation.create_change_set(**request)
        except ClientError as error:
            raise DeploymentError(f"CloudFormation refuses the template or its parameters: {error}") from error
        if not self._await_change_set(name):
            return False
        self._execute(name)
        return True

    def delete(self) -> None:
        """Delete the stack, and return when it is gone; DeploymentError if a resource cannot be deleted."""
        found = self._described()
        if found is None:
            return
        seen = self._event_ids()
        self.cloudformation.delete_stack(StackName=self.name)
        # A deleted stack can only be found by its id.
        self._watch(found["StackId"], seen, "deletion", {"DELETE_COMPLETE"})

    def _described(self) -> dict[str, Any] | None:
        try:
            stacks = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return stacks[0] if stacks and stacks[0]["StackStatus"] != "DELETE_COMPLETE" else None

    def _refuse_unless_changeable(self, status: str | None) -> None:
        if status in EMPTY | FAILED_FIRST | CHANGEABLE:
            return
        if status == "UPDATE_ROLLBACK_FAILED":
            raise DeploymentError.of(
                f"{self.name} is UPDATE_ROLLBACK_FAILED: a change failed, and so did its rollback. Fix the causes named"
                f" here, then `aws cloudformation continue-update-rollback --stack-name {self.name}`, with"
                " `--resources-to-skip` for those that cannot be fixed; then deploy again.",
                self._reasons(self.name, self._last_operation()),
            )
        if status == "DELETE_FAILED":
            raise DeploymentError.of(
                f"{self.name} is DELETE_FAILED: remove the resources that block it, then run `make destroy` again.",
                self._reasons(self.name, self._last_operation()),
            )
        raise DeploymentError(f"{self.name} is {status}: another operation is changing it; wait until it ends")

    def _await_change_set(self, name: str) -> bool:
        while True:
            found = self.cloudformation.describe_change_set(StackName=self.name, ChangeSetName=name)
            if found["Status"] == "CREATE_COMPLETE":
                return True
            if found["Status"] == "FAILED":
                reason = found.get("StatusReason", "no reason given")
                self.cloudformation.delete_change_set(StackName=self.name, ChangeSetName=name)
                if any(words in reason for words in NO_CHANGES):
                    return False
                raise DeploymentError(f"CloudFormation refuses the change: {reason}")
            self.pause(self.every_s)

    def _execute(self, name: str) -> None:
        found = self._described()
        if found is None:
            raise DeploymentError(f"{self.name} is gone: somebody else deleted it")
        seen = self._event_ids()
        # A rollback deletes everything that the operation created, including resources that would be retained later.
        self.cloudformation.execute_change_set(StackName=self.name, ChangeSetName=name, RetainExceptOnCreate=True)
        self._watch(found["StackId"], seen, "deployment", DONE)

    def _watch(self, stack_id: str, seen: set[str], what: str, success: set[str]) -> None:
        """Print each event until the operation ends; DeploymentError if it did not succeed.

        A state counts only after its event, because for a moment the stack still has the previous operation's state.
        """
        events: list[dict[str, Any]] = []
        own: set[str | None] = set()
        while True:
            status = self.cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]
            for event in self._new_events(stack_id, seen):
                own.add(event["ResourceStatus"] if event.get("PhysicalResourceId") == stack_id else None)
                events.append(event)
                self.tell(_line(event))
            if status in success & own:
                return
            if status in own and not status.endswith("_IN_PROGRESS"):
                raise DeploymentError.of(
                    f"the {what} of {self.name} failed: it is {status}{LEFT.get(status, '')}.",
                    self._reasons(stack_id, events),
                )
            self.pause(self.every_s)

    def _event_ids(self) -> set[str]:
        """The stack's newest events; the operation's own will be newer."""
        return {event["EventId"] for event in next(self._pages(self.name), [])}

    def _new_events(self, stack_id: str, seen: set[str]) -> list[dict[str, Any]]:
        """New events, oldest first, which are added to `seen`.

        CloudFormation returns the newest first and keeps three months of them; older pages are not read.
        """
        new: list[dict[str, Any]] = []
        for page in self._pages(stack_id):
            unseen = [event for event in page if event["EventId"] not in seen]
            new += unseen
            if len(unseen) < len(page):
                break
        seen.update(event["EventId"] for event in new)
        return new[::-1]

    def _last_operation(self) -> list[dict[str, Any]]:
        """The events of the stack's last operation, oldest first."""
        found: list[dict[str, Any]] = []
        for event in (event for page in self._pages(self.name) for event in page):
            found.append(event)
            if event["ResourceStatus"] in BEGUN and event.get("PhysicalResourceId") == event.get("StackId"):
                break
        return found[::-1]

    def _pages(self, stack: str) -> Iterator[list[dict[str, Any]]]:
        for page in self.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack):
            yield page["StackEvents"]

    def _reasons(self, stack: str, events: Iterable[dict[str, Any]]) -> list[str]:
        """Reasons for failed resources in these events, without those that were cancelled because another failed."""
        failed = [
            f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason')}"
            for event in events
            if event["ResourceStatus"].endswith("_FAILED")
            if not event.get("ResourceStatusReason", "").startswith(STOPPED_BY_ANOTHER)
        ]
        reasons = [*self._refusals(stack), *failed] if "DescribeEvents" in "".join(failed) else failed
        return reasons or [f"no event gives a reason; see the stack {self.name} in the CloudFormation console"]

    def _refusals(self, stack: str) -> list[str]:
        """Validation errors from before the stack's last operation began."""
        try:
            found = self.cloudformation.describe_events(StackName=stack, Filters={"FailedEvents": True})
        except ClientError:  # the credentials lack the permission: only the other reasons are known
            return []
        events = found["OperationEvents"]
        return [
            f"{event['LogicalResourceId']} ({event['ResourceType']}): {event['ValidationStatusReason']}"
            for event in events
            if event.get("OperationId") == events[0].get("OperationId") and event.get("ValidationStatusReason")
        ]


def _parameter(key: str, value: str | None) -> dict[str, Any]:
    if value is None:
        return {"ParameterKey": key, "UsePreviousValue": True}
    return {"ParameterKey": key, "ParameterValue": value}


def _line(event: Mapping[str, Any]) -> str:
    reason = event.get("ResourceStatusReason", "")
    return f"  {event['ResourceStatus']:<28} {event['LogicalResourceId']}" + (f": {reason}" if reason else "")
