"""The predictions' part of the template: the state machine, and permissions for models and output."""

import json
import re
from typing import Any

import pytest

from chalicelib.predictions.distributed import MAY_PASS
from infra.package import FRAGMENTS, ROOT, read_fragment

RESOURCES = read_fragment(FRAGMENTS / "predictions.yaml")["Resources"]
FUNCTIONS = ("predict_batch", "predict_plan", "predict_part", "predict_complete")


@pytest.fixture
def machine() -> dict[str, Any]:
    text = RESOURCES["PredictionsStateMachine"]["Properties"]["DefinitionString"]["Fn::Sub"]
    definition: dict[str, Any] = json.loads(text.replace("${PredictionsConcurrency}", "40"))
    return definition


def tasks(machine: dict[str, Any]) -> dict[str, dict[str, Any]]:
    inner = machine["States"]["Score"]["ItemProcessor"]["States"]
    return {name: state for name, state in {**machine["States"], **inner}.items() if state["Type"] == "Task"}


def statements(function: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads((ROOT / ".chalice" / f"policy-{function}.json").read_text())["Statement"]
    return listed


def actions(function: str, place: str) -> set[str]:
    """What a function may do where its policy names `place`."""
    return {
        action for each in statements(function) if place in json.dumps(each["Resource"]) for action in each["Action"]
    }


def test_a_job_is_planned_scored_in_a_distributed_map_and_completed(machine: dict[str, Any]) -> None:
    states = machine["States"]
    assert machine["StartAt"] == "Plan"
    assert states["Score"]["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    assert states["Score"]["Next"] == "Complete"
    called = [
        re.findall(r"\$\{(\w+)Aliaslive\}", state["Parameters"]["FunctionName"]) for state in tasks(machine).values()
    ]
    assert called == [["PredictPlan"], ["PredictComplete"], ["PredictPart"]]


def test_every_task_is_retried_with_backoff_and_has_a_time_limit(machine: dict[str, Any]) -> None:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())["lambda_functions"]
    for name, task in tasks(machine).items():
        busy, retry = task["Retry"]
        assert set(retry["ErrorEquals"]) == {"States.TaskFailed", "States.Timeout"}, name
        assert (retry["BackoffRate"], retry["JitterStrategy"]) == (2, "FULL"), name
        assert retry["MaxAttempts"] >= 3, name
        assert set(busy["ErrorEquals"]) == {"Lambda.TooManyRequestsException", *(kind.__name__ for kind in MAY_PASS)}
        assert busy["MaxAttempts"] * busy["MaxDelaySeconds"] / 2 >= 1800, name  # longer than other parts take
        assert task["TimeoutSeconds"] > max(config[function]["lambda_timeout"] for function in FUNCTIONS), name


def test_a_missing_part_fails_the_job(machine: dict[str, Any]) -> None:
    assert machine["States"]["Score"]["ToleratedFailureCount"] == 0


def test_nothing_catches_so_that_the_engine_can_redrive(machine: dict[str, Any]) -> None:
    assert "Catch" not in json.dumps(machine)


def test_what_was_refused_ends_the_run_with_its_code(machine: dict[str, Any]) -> None:
    inner = machine["States"]["Score"]["ItemProcessor"]["States"]
    for states in (machine["States"], inner):
        for name, state in states.items():
            if state["Type"] == "Task":
                check = states[state["Next"]]
                assert check["Choices"][0] | {"Next": ""} == {"Variable": "$.failed", "IsPresent": False, "Next": ""}
                assert states[check["Default"]] == {
                    "Type": "Fail",
                    "ErrorPath": "$.failed.code",
                    "CausePath": "$.failed.message",
                }, name


def test_a_cancelled_jobs_run_does_not_fail_since_that_would_alarm(machine: dict[str, Any]) -> None:
    inner = machine["States"]["Score"]["ItemProcessor"]["States"]
    for states in (machine["States"], inner):
        for check in (state for state in states.values() if state["Type"] == "Choice"):
            (cancelled,) = (it for it in check["Choices"] if it["Variable"] == "$.failed.code")
            assert cancelled["StringEquals"] == "cancelled"
            assert states[cancelled["Next"]] == {"Type": "Succeed"}


def test_the_roles_of_functions_follow_their_steps() -> None:
    for function in FUNCTIONS:
        document = json.dumps(statements(function))
        assert "kms:Sign" not in document, function
        assert "s3:PutObject" not in actions(function, "-models-"), function
        assert "s3:DeleteObject" not in document, function
    assert "/output/" not in json.dumps(statements("predict_part"))
    assert "s3:PutObject" not in actions("predict_plan", "/output/")
    assert {"s3:PutObject", "s3:AbortMultipartUpload"} <= actions("predict_complete", "/output/")
    assert not actions("predict_complete", "-models-")
    assert not any("kms:Verify" in each["Action"] for each in statements("predict_complete"))


def test_uploads_that_a_killed_function_left_open_are_ended() -> None:
    for name in ("ModelsBucket", "PredictionsBucket", "PredictionsScratchBucket"):
        rules = RESOURCES[name]["Properties"]["LifecycleConfiguration"]["Rules"]
        assert any(rule.get("AbortIncompleteMultipartUpload") == {"DaysAfterInitiation": 1} for rule in rules), name


def test_the_key_signs_and_only_publishers_may() -> None:
    key = RESOURCES["ModelSigningKey"]["Properties"]
    assert (key["KeySpec"], key["KeyUsage"]) == ("ECC_NIST_P256", "SIGN_VERIFY")
    granted = RESOURCES["ModelPublisher"]["Properties"]["PolicyDocument"]["Statement"]
    allowed = {action: each["Resource"] for each in granted for action in each["Action"]}
    assert allowed["kms:Sign"] == {"Fn::GetAtt": ["ModelSigningKey", "Arn"]}
    # The bucket is encrypted: a put that may not use its key is refused.
    data_key = {"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, {"Fn::GetAtt": ["Key", "Arn"]}]}
    assert allowed["kms:GenerateDataKey"] == allowed["kms:Decrypt"] == data_key
    assert {"s3:PutObject", "s3:AbortMultipartUpload", "cloudformation:DescribeStacks"} <= allowed.keys()
    assert RESOURCES["ModelSigningSecret"]["Condition"] == "SignsModelsWithSecret"


def test_the_machine_may_do_what_tracing_takes() -> None:
    """The policy of docs.aws.amazon.com/step-functions/latest/dg/xray-iam.html."""
    role = RESOURCES["PredictionsStateMachineRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    (traces,) = [each for each in role if each["Sid"] == "Traces"]
    wanted = {"PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets"}
    assert set(traces["Action"]) == {f"xray:{name}" for name in wanted}
