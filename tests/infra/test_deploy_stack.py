"""A stack in every state that it can be left in, played by a scripted CloudFormation."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.deployment.problems import DeploymentError
from infra.deployment.stack import Stack

NAME = "omnibus-dev"
PAGE = 4
ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/omnibus-dev/1"


def event(number: int, status: str, resource: str = NAME, reason: str = "") -> dict[str, Any]:
    own = resource == NAME
    return {
        "EventId": str(number),
        "LogicalResourceId": resource,
        "PhysicalResourceId": ID if own else "",
        "StackId": ID,
        "ResourceType": "AWS::CloudFormation::Stack" if own else "AWS::SQS::Queue",
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


class CloudFormation:
    """One stack; what `plays` holds happens to it, event by event, at each look after an operation began."""

    def __init__(self, status: str | None, plays: tuple[dict[str, Any], ...] = (), change_set: str = "") -> None:
        self.status = status
        self.change_set = change_set
        self.events = [event(0, status)] if status else []
        self.requests: list[dict[str, Any]] = []
        self.executed: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.pages = 0
        self._script = iter(plays)
        self._running: Iterator[dict[str, Any]] | None = None

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        if self._running is not None and (happened := next(self._running, None)) is not None:
            self.events.insert(0, happened)
            if happened["LogicalResourceId"] == NAME:
                self.status = happened["ResourceStatus"]
        if self.status is None:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStacks")
        return {"Stacks": [{"StackStatus": self.status, "StackId": ID}]}

    def create_change_set(self, **request: Any) -> None:
        self.requests.append(request)
        if request["ChangeSetType"] == "CREATE":
            self.status = "REVIEW_IN_PROGRESS"

    def describe_change_set(self, **_request: Any) -> dict[str, Any]:
        return (
            {"Status": "FAILED", "StatusReason": self.change_set} if self.change_set else {"Status": "CREATE_COMPLETE"}
        )

    def delete_change_set(self, **_request: Any) -> None:
        self.change_set = ""

    def execute_change_set(self, **request: Any) -> None:
        self.executed.append(request)
        self._running = self._script

    def delete_stack(self, StackName: str) -> None:  # noqa: N803
        self.deleted.append(StackName)
        self._running = iter([event(90, "DELETE_IN_PROGRESS"), event(91, "DELETE_COMPLETE")])

    def describe_events(self, **_request: Any) -> dict[str, Any]:
        return {
            "OperationEvents": [
                {
                    "OperationId": "2",
                    "LogicalResourceId": "Bucket",
                    "ResourceType": "AWS::S3::Bucket",
                    "ValidationStatusReason": "is taken",
                },
                {
                    "OperationId": "1",
                    "LogicalResourceId": "Old",
                    "ResourceType": "x",
                    "ValidationStatusReason": "was mended",
                },
            ]
        }

    def get_paginator(self, _operation: str) -> "CloudFormation":
        return self

    def paginate(self, **_request: Any) -> Iterator[dict[str, Any]]:
        for start in range(0, len(self.events), PAGE):
            self.pages += 1
            yield {"StackEvents": self.events[start : start + PAGE]}


def changed(cloud: CloudFormation, **parameters: str | None) -> tuple[bool, list[str]]:
    told: list[str] = []
    stack = Stack(cloud, NAME, told.append, lambda _seconds: None)
    return stack.change("https://bucket/template.json", parameters, {"team": "data"}), told


def test_a_new_stack_is_created_and_told_of_event_by_event() -> None:
    cloud = CloudFormation(
        None, (event(1, "CREATE_IN_PROGRESS"), event(2, "CREATE_COMPLETE", "Queue"), event(3, "CREATE_COMPLETE"))
    )
    done, told = changed(cloud, Stage="dev")
    assert done
    assert told == [
        "  CREATE_IN_PROGRESS           omnibus-dev",
        "  CREATE_COMPLETE              Queue",
        "  CREATE_COMPLETE              omnibus-dev",
    ]
    (request,) = cloud.requests
    assert (request["ChangeSetType"], request["ImportExistingResources"]) == ("CREATE", False)
    assert request["Parameters"] == [{"ParameterKey": "Stage", "ParameterValue": "dev"}]
    assert cloud.executed[0]["RetainExceptOnCreate"] is True


def test_the_state_before_an_operation_is_not_taken_for_its_end() -> None:
    cloud = CloudFormation(
        "UPDATE_COMPLETE",
        (
            event(1, "UPDATE_COMPLETE", "Queue"),
            event(2, "UPDATE_IN_PROGRESS"),
            event(3, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
            event(4, "UPDATE_COMPLETE"),
        ),
    )
    done, told = changed(cloud)
    assert done
    assert told[-1].endswith("omnibus-dev")
    assert len(told) == 4
    assert cloud.requests[0]["ChangeSetType"] == "UPDATE"


def test_what_is_kept_is_not_sent() -> None:
    cloud = CloudFormation("CREATE_COMPLETE", (event(1, "UPDATE_COMPLETE"),))
    changed(cloud, OperatorToken=None)
    assert cloud.requests[0]["Parameters"] == [{"ParameterKey": "OperatorToken", "UsePreviousValue": True}]


@pytest.mark.parametrize(
    "reason", ["The submitted information didn't contain changes. Submit", "No updates are to be performed."]
)
def test_nothing_to_change_is_no_failure(reason: str) -> None:
    cloud = CloudFormation("UPDATE_COMPLETE", change_set=reason)
    assert changed(cloud) == (False, [])
    assert cloud.executed == []


def test_a_change_that_cloudformation_refuses_is_told() -> None:
    with pytest.raises(DeploymentError, match="refuses the change: Template error"):
        changed(CloudFormation("UPDATE_COMPLETE", change_set="Template error"))


def test_a_failure_names_what_failed_and_not_what_was_stopped() -> None:
    cloud = CloudFormation(
        "UPDATE_COMPLETE",
        (
            event(1, "UPDATE_IN_PROGRESS"),
            event(2, "UPDATE_FAILED", "Queue", "no such key"),
            event(3, "UPDATE_FAILED", "Topic", "Resource update cancelled"),
            event(4, "UPDATE_ROLLBACK_IN_PROGRESS"),
            event(5, "UPDATE_ROLLBACK_COMPLETE"),
        ),
    )
    with pytest.raises(DeploymentError) as raised:
        changed(cloud)
    assert str(raised.value) == (
        "the deployment of omnibus-dev failed: it is UPDATE_ROLLBACK_COMPLETE; the previous state is restored.\n"
        "  - Queue (AWS::SQS::Queue): no such key"
    )


def test_what_validation_refused_is_told_of_the_last_operation() -> None:
    failed = event(1, "CREATE_FAILED", reason="Validation failed with 1 error(s). Call DescribeEvents")
    cloud = CloudFormation(None, (failed, event(2, "ROLLBACK_COMPLETE")))
    with pytest.raises(DeploymentError) as raised:
        changed(cloud)
    assert "Bucket (AWS::S3::Bucket): is taken" in str(raised.value)
    assert "was mended" not in str(raised.value)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"])
def test_a_first_deployment_that_failed_is_deleted_and_made_anew(status: str) -> None:
    cloud = CloudFormation(status, (event(1, "CREATE_COMPLETE"),))
    cloud.describe_stacks(NAME)
    done, told = changed(cloud)
    assert done
    assert cloud.deleted == [NAME]
    assert told[0].startswith(f"omnibus-dev is {status}: its first deployment failed")
    assert cloud.requests[0]["ChangeSetType"] == "CREATE"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name omnibus-dev"),
        ("DELETE_FAILED", "remove the resources that block it, then run `make destroy` again"),
        ("UPDATE_IN_PROGRESS", "another operation is changing it"),
        ("DELETE_IN_PROGRESS", "another operation is changing it"),
    ],
)
def test_a_stack_that_cannot_be_changed_says_what_to_do(status: str, said: str) -> None:
    cloud = CloudFormation(status)
    with pytest.raises(DeploymentError, match=said):
        changed(cloud)
    assert cloud.requests == []


def test_a_deletion_that_fails_names_what_resists() -> None:
    cloud = CloudFormation("CREATE_COMPLETE")
    cloud.delete_stack = lambda StackName: setattr(  # noqa: N803
        cloud, "_running", iter([event(1, "DELETE_FAILED", "Queue", "not empty"), event(2, "DELETE_FAILED")])
    )
    stack = Stack(cloud, NAME, lambda _line: None, lambda _seconds: None)
    with pytest.raises(
        DeploymentError, match=r"deletion of omnibus-dev failed(.|\n)*Queue \(AWS::SQS::Queue\): not empty"
    ):
        stack.delete()


def test_what_is_not_there_is_not_deleted() -> None:
    cloud = CloudFormation(None)
    Stack(cloud, NAME, lambda _line: None, lambda _seconds: None).delete()
    assert cloud.deleted == []


def test_three_months_of_events_are_not_read_at_each_look() -> None:
    plays = (event(101, "UPDATE_IN_PROGRESS"), event(102, "UPDATE_COMPLETE", "Queue"), event(103, "UPDATE_COMPLETE"))
    cloud = CloudFormation("UPDATE_COMPLETE", plays)
    cloud.events = [event(number, "UPDATE_COMPLETE", "Queue") for number in range(100, 0, -1)]
    done, told = changed(cloud)
    assert done
    assert len(told) == 3
    assert cloud.pages <= 2 * (len(plays) + 2)


def test_more_events_than_a_page_holds_are_all_told_in_order() -> None:
    resources = tuple(event(number, "CREATE_COMPLETE", f"Queue{number}") for number in range(2, 3 * PAGE))
    begun, ended = event(1, "UPDATE_IN_PROGRESS"), event(99, "UPDATE_COMPLETE")
    cloud = CloudFormation("UPDATE_COMPLETE", (begun, *resources, ended))

    def look_rarely(_seconds: float) -> None:  # much happens between two looks
        for _ in range(2 * PAGE):
            cloud.describe_stacks(NAME)

    told: list[str] = []
    Stack(cloud, NAME, told.append, look_rarely).change("https://bucket/template.json", {}, {})
    assert [line.split()[1] for line in told[1:-1]] == [each["LogicalResourceId"] for each in resources]


def test_what_failed_in_an_operation_before_is_not_told_again() -> None:
    cloud = CloudFormation("UPDATE_ROLLBACK_FAILED")
    cloud.events = [
        event(6, "UPDATE_ROLLBACK_FAILED"),
        event(5, "UPDATE_FAILED", "Topic", "no such key"),
        event(4, "UPDATE_ROLLBACK_IN_PROGRESS"),
        event(3, "UPDATE_IN_PROGRESS"),
        event(2, "UPDATE_ROLLBACK_COMPLETE"),
        event(1, "UPDATE_FAILED", "Queue", "mended long ago"),
    ]
    with pytest.raises(DeploymentError) as raised:
        changed(cloud)
    assert "Topic (AWS::SQS::Queue): no such key" in str(raised.value)
    assert "mended long ago" not in str(raised.value)
