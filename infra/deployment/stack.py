"""One CloudFormation stack: changed by change sets, watched event by event, read back, deleted.

A change that fails is rolled back by CloudFormation; what the stack was before is what it is again. The states in which
a stack can be left are each answered here: with the next step, or with a message that names it.
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
    "UPDATE_ROLLBACK_COMPLETE": "; what there was before is there again",
    "ROLLBACK_COMPLETE": "; nothing is left of it",
}
EMPTY = {None, "DELETE_COMPLETE", "REVIEW_IN_PROGRESS"}
BEGUN = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"}
"""What the stack's own first event of an operation says."""


@dataclass(frozen=True)
class Resource:
    """One resource of a stack: its name in the template, its type, and its name in the account."""

    logical: str
    kind: str
    physical: str


@dataclass(frozen=True)
class Stack:
    """A stack of one name, there or not. `pause` waits for so many seconds between two looks at it."""

    cloudformation: Any
    name: str
    tell: Tell
    pause: Callable[[float], None] = time.sleep
    every_s: float = 5.0

    def status(self) -> str | None:
        """What state the stack is in; None if there is none."""
        return None if (found := self._described()) is None else str(found["StackStatus"])

    def outputs(self) -> dict[str, str]:
        """The stack's outputs; empty if there is no stack."""
        found = self._described() or {}
        return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}

    def parameters(self) -> dict[str, str]:
        """The parameters that the stack runs with; secrets are masked. Empty if there is no stack."""
        found = self._described() or {}
        return {each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", [])}

    def resources(self) -> tuple[Resource, ...]:
        """What the stack consists of."""
        pages = self.cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.name)
        return tuple(
            Resource(each["LogicalResourceId"], each["ResourceType"], each.get("PhysicalResourceId", ""))
            for page in pages
            for each in page["StackResourceSummaries"]
        )

    def template(self) -> dict[str, Any]:
        """The stack's template after its transforms: with what SAM made of it."""
        body = self.cloudformation.get_template(StackName=self.name, TemplateStage="Processed")["TemplateBody"]
        if isinstance(body, str):
            import yaml

            body = yaml.safe_load(body)
        return dict(body)

    def change(
        self, url: str, parameters: Mapping[str, str | None], tags: Mapping[str, str], *, adopt: bool = False
    ) -> bool:
        """Make the stack what the template at `url` says; False if it is so already.

        A parameter that is None keeps its value. With `adopt`, what is there already under a name that the template
        retains becomes part of a new stack. DeploymentError if the stack cannot be changed, or the change failed
        and was rolled back; it names each resource at fault with its reason.
        """
        status = self.status()
        self._refuse_unless_changeable(status)
        if status in FAILED_FIRST:
            self.tell(f"{self.name} is {status}: its first deployment failed, and only deletion is left; deleting it")
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
        """Delete the stack, and return when it is gone; DeploymentError if something in it resists."""
        found = self._described()
        if found is None:
            return
        seen = self._event_ids()
        self.cloudformation.delete_stack(StackName=self.name)
        # Once it is gone, only its id finds it.
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
                f"{self.name} is UPDATE_ROLLBACK_FAILED: a change failed, and so did taking it back. Mend what is named"
                f" here, then `aws cloudformation continue-update-rollback --stack-name {self.name}`, with"
                " `--resources-to-skip` for what cannot be mended; after that, deploy again.",
                self._reasons(self.name, self._last_operation()),
            )
        if status == "DELETE_FAILED":
            raise DeploymentError.of(
                f"{self.name} is DELETE_FAILED: remove what resists, then `make destroy` again.",
                self._reasons(self.name, self._last_operation()),
            )
        raise DeploymentError(f"{self.name} is {status}: somebody else is changing it; wait until that is over")

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
        # What the operation itself made goes when it is rolled back, also what would be retained later.
        self.cloudformation.execute_change_set(StackName=self.name, ChangeSetName=name, RetainExceptOnCreate=True)
        self._watch(found["StackId"], seen, "deployment", DONE)

    def _watch(self, stack_id: str, seen: set[str], what: str, success: set[str]) -> None:
        """Tell each event until the operation is over; DeploymentError if it did not succeed.

        A state counts once an event tells it: for a moment the stack still is what the operation before made it.
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
        """The newest events of the stack: what comes is newer."""
        return {event["EventId"] for event in next(self._pages(self.name), [])}

    def _new_events(self, stack_id: str, seen: set[str]) -> list[dict[str, Any]]:
        """What happened since, oldest first; `seen` are these, too, afterwards.

        CloudFormation gives the newest first, and keeps all of three months: older pages are not turned to.
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
        """What happened in the last thing that was done to the stack, oldest first."""
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
        """Why resources failed in these events; not those that were stopped because another failed."""
        failed = [
            f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason')}"
            for event in events
            if event["ResourceStatus"].endswith("_FAILED")
            if not event.get("ResourceStatusReason", "").startswith(STOPPED_BY_ANOTHER)
        ]
        reasons = [*self._refusals(stack), *failed] if "DescribeEvents" in "".join(failed) else failed
        return reasons or [f"no event says why; see the stack {self.name} in the CloudFormation console"]

    def _refusals(self, stack: str) -> list[str]:
        """What validation said of resources before anything was begun, in the stack's last operation."""
        try:
            found = self.cloudformation.describe_events(StackName=stack, Filters={"FailedEvents": True})
        except ClientError:  # these credentials may not ask: the other reasons have to do
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
