"""Deploy the packaged template into MiniStack through CloudFormation, and read the resulting stack."""

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.artifacts.compiler import compiled
from infra.package import SOURCES
from infra.template.functions import limits_of
from infra.template.methods import ANY, INTEGRATION
from infra.template.names import FUNCTION, REST_API
from local.template import Code, localised

ALIAS = "AWS::Lambda::Alias"

POLL_S = 0.05
DEPLOY_S = 600.0
TEMPLATE_KEY = "template.json"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]

Client = Callable[[str], Any]


class DeployFailed(Exception):
    """CloudFormation refused the template or a resource; the message names each with its reason."""


@dataclass(frozen=True)
class Resource:
    """One resource of a stack: its name in the template, its type, and its name in the cloud."""

    logical: str
    kind: str
    physical: str


@dataclass(frozen=True)
class Stack:
    """A deployed stack: its outputs and its resources."""

    name: str
    outputs: Mapping[str, str]
    resources: tuple[Resource, ...]

    def of_kind(self, kind: str) -> tuple[Resource, ...]:
        """The resources of one CloudFormation type."""
        return tuple(resource for resource in self.resources if resource.kind == kind)


def fingerprint(root: Path, parameters: Mapping[str, str]) -> str:
    """A text that changes whenever the deployment's inputs change."""
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
    for path in sorted(_sources(root)):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources(root: Path) -> Iterable[Path]:
    ours = (root / name for name in (*SOURCES, "infra", "local/cloud.py", "local/deploy.py", "local/template.py"))
    for path in ours:
        if path.is_dir():
            yield from (
                file
                for file in path.rglob("*")
                if file.is_file() and not {"__pycache__", "deployments", "deployed"} & set(file.parts)
            )
        else:
            yield path


def deploy(client: Client, name: str, package: Path, bucket: str, parameters: Mapping[str, str]) -> Stack:
    """Create or update stack `name` from the template `package` and its zip; DeployFailed if that fails."""
    archive = (package.parent / "deployment.zip").read_bytes()
    code = Code(bucket, f"{hashlib.sha256(archive).hexdigest()}.zip")
    template = localised(json.loads(package.read_text(encoding="utf-8")), code, parameters)
    s3 = client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=code.key, Body=with_bytecode(archive))
    s3.put_object(Bucket=bucket, Key=TEMPLATE_KEY, Body=json.dumps(template).encode())
    cloudformation = client("cloudformation")
    declared = template.get("Parameters", {})
    request = {
        "StackName": name,
        # CloudFormation takes no more than 51,200 bytes in the request itself.
        "TemplateURL": f"{s3.meta.endpoint_url}/{bucket}/{TEMPLATE_KEY}",
        "Capabilities": CAPABILITIES,
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items() if key in declared
        ],
    }
    try:
        started = _create_or_update(cloudformation, request)
    except ClientError as error:
        raise DeployFailed(f"stack {name} was refused: {error}") from error
    if started:
        _await_success(cloudformation, name)
    stack = _read(cloudformation, name)
    _attach_dead_letters(client("lambda"), stack, template["Resources"])
    _reserve_concurrency(client("lambda"), stack, declared, parameters)
    _follow_latest(client("lambda"), stack)
    _refuse_other_methods(client("apigateway"), stack, template["Resources"])
    return stack


def with_bytecode(archive: bytes) -> bytes:
    """The zip with its modules' bytecode, as in a release; otherwise each worker would compile them when it starts."""
    file = io.BytesIO(archive)
    with zipfile.ZipFile(file, "a") as opened:
        for name in (each for each in opened.namelist() if each.endswith(".py")):
            opened.writestr(cache_from_source(name), compiled(opened.read(name), name, documented=True))
    return file.getvalue()


def _attach_dead_letters(functions: Any, stack: Stack, declared: Mapping[str, Any]) -> None:
    """Attach the dead-letter queues that the template declares, because MiniStack's CloudFormation drops them."""
    physical = {resource.logical: resource.physical for resource in stack.resources}
    for logical, resource in declared.items():
        queue = resource.get("Properties", {}).get("DeadLetterQueue")
        if resource["Type"] == FUNCTION and queue is not None:
            url = physical[queue["TargetArn"]["Fn::GetAtt"][0]]
            arn = f"arn:aws:sqs:{functions.meta.region_name}:{url.split('/')[-2]}:{url.split('/')[-1]}"
            functions.update_function_configuration(FunctionName=physical[logical], DeadLetterConfig={"TargetArn": arn})


def _reserve_concurrency(functions: Any, stack: Stack, declared: Mapping[str, Any], given: Mapping[str, str]) -> None:
    """Give functions the concurrency that the given limits reserve, because MiniStack's CloudFormation drops it.

    Default limits are left out, because they would refuse direct invocations, such as the tests'.
    """
    for function in stack.of_kind("AWS::Lambda::Function"):
        limits = f"{function.logical}Limits"
        if limits in given and limits in declared and (reserved := limits_of(given[limits])["reserved"]):
            functions.put_function_concurrency(FunctionName=function.physical, ReservedConcurrentExecutions=reserved)


def _follow_latest(functions: Any, stack: Stack) -> None:
    """Point aliases to the newest code, because MiniStack's versions lack the dead-letter queue attached above."""
    for alias in stack.of_kind(ALIAS):
        *_, function, name = alias.physical.split(":")
        functions.update_alias(FunctionName=function, Name=name, FunctionVersion="$LATEST")


def _refuse_other_methods(gateway: Any, stack: Stack, declared: Mapping[str, Any]) -> None:
    """Refuse undeclared methods as the template does, because MiniStack's import drops ANY and mocks.

    Gateway responses also take effect with this deployment of the API.
    """
    physical = {resource.logical: resource.physical for resource in stack.resources}
    for logical, resource in declared.items():
        if resource["Type"] != REST_API:
            continue
        api, properties = physical[logical], resource["Properties"]
        ids = {
            item["path"]: item["id"]
            for page in gateway.get_paginator("get_resources").paginate(restApiId=api)
            for item in page["items"]
        }
        for path, item in properties["DefinitionBody"]["paths"].items():
            _put_mock(gateway, {"restApiId": api, "resourceId": ids[path], "httpMethod": "ANY"}, item[ANY])
        gateway.create_deployment(restApiId=api, stageName=properties["StageName"])


def _put_mock(gateway: Any, method: Mapping[str, str], declared: Mapping[str, Any]) -> None:
    integration, answer = declared[INTEGRATION], declared[INTEGRATION]["responses"]["default"]
    try:
        gateway.put_method(**method, authorizationType="NONE")
    except gateway.exceptions.ConflictException:  # from an earlier deployment, whose answer may differ
        gateway.delete_method(**method)
        gateway.put_method(**method, authorizationType="NONE")
    gateway.put_integration(**method, type="MOCK", requestTemplates=integration["requestTemplates"])
    gateway.put_method_response(
        **method,
        statusCode=answer["statusCode"],
        responseParameters=dict.fromkeys(answer["responseParameters"], True),
    )
    gateway.put_integration_response(**method, **answer)


def _create_or_update(cloudformation: Any, request: Mapping[str, Any]) -> bool:
    """Start the operation that the request needs; False if there is nothing to do."""
    name = request["StackName"]
    status = {stack["StackName"]: stack["StackStatus"] for stack in cloudformation.describe_stacks()["Stacks"]}
    if status.get(name) == "ROLLBACK_COMPLETE":  # the first deployment failed: CloudFormation only allows deleting it
        cloudformation.delete_stack(StackName=name)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        del status[name]
    if name not in status:
        cloudformation.create_stack(**request)
        return True
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise
        return False
    return True


def _await_success(cloudformation: Any, name: str) -> None:
    deadline = time.monotonic() + DEPLOY_S
    while True:
        status = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            return
        if not status.endswith("_IN_PROGRESS") or time.monotonic() > deadline:
            raise DeployFailed(f"stack {name} is {status}:\n" + "\n".join(_reasons(cloudformation, name)))
        time.sleep(POLL_S)


def _read(cloudformation: Any, name: str) -> Stack:
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    found = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    return Stack(
        name,
        {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
        tuple(Resource(item["LogicalResourceId"], item["ResourceType"], item["PhysicalResourceId"]) for item in found),
    )


def _reasons(cloudformation: Any, name: str) -> list[str]:
    """Why the last operation on the stack failed: errors of validation, or of resources."""
    events = cloudformation.describe_events(StackName=name, Filters={"FailedEvents": True})["OperationEvents"]
    return [
        f"  {event.get('LogicalResourceId', name)}: {reason}"
        for event in events
        if event["OperationId"] == events[0]["OperationId"]
        if (reason := event.get("ValidationStatusReason") or event.get("ResourceStatusReason"))
    ]
