"""Check before a deployment that the AWS account has everything it needs, and report all problems together.

A check that the credentials cannot run (AccessDenied) is no problem: it is reported, and the deployment continues.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.deployment.intrinsics import Known, holds, resolve
from infra.deployment.problems import DeploymentError
from infra.deployment.stages import Stage
from infra.template.names import BUCKET, FUNCTION, RETAINED, TABLE

Client = Callable[[str], Any]
Tell = Callable[[str], None]

UNRESERVED = 100
"""Concurrent executions that Lambda keeps for functions without a reservation."""
FORBIDDEN = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
LONGEST_INVOCATION_S = 900


@dataclass(frozen=True)
class Account:
    """The account of the credentials, and the region of the deployment."""

    id: str
    region: str
    partition: str
    caller: str


def client_of(stage: Stage) -> Client:
    """Clients for the stage's region, with the credentials of the AWS configuration."""
    import boto3

    session: Any = boto3.Session(region_name=stage.region)
    # botocore disconnects after a minute without a byte and retries, which would start a long migration again.
    patient = Config(read_timeout=LONGEST_INVOCATION_S + 10, tcp_keepalive=True)
    return lambda service: session.client(service, config=patient if service == "lambda" else None)


def identify(client: Client, stage: Stage) -> Account:
    """The account of the credentials; DeploymentError if they are invalid, or the stage requires another account."""
    try:
        identity = client("sts").get_caller_identity()
        region = client("cloudformation").meta.region_name
    except (BotoCoreError, ClientError) as error:
        profile = os.environ.get("AWS_PROFILE")
        raise DeploymentError(
            f"AWS does not accept the credentials: {error}. Expected credentials and a region as the AWS CLI finds them"
            + (f" (AWS_PROFILE is {profile})" if profile else "")
        ) from error
    arn = identity["Arn"]
    if stage.account and stage.account != identity["Account"]:
        raise DeploymentError(
            f"{arn} belongs to account {identity['Account']}, but {stage.name}.toml requires account {stage.account}"
        )
    return Account(identity["Account"], region, arn.split(":")[1], arn)


ABSENT = {"us-gov-": "CloudFront", "cn-": "Cognito user pools"}
"""Services that regions lack, by name prefix: CloudFormation refuses types unknown in the region, even if a condition
leaves the resource out (cfn-lint's E3006, in `make check-second`)."""


@dataclass(frozen=True)
class Survey:
    """The checks of the account; `names` resolves the template with the stage's parameters."""

    client: Client
    template: Mapping[str, Any]
    names: Known
    tell: Tell

    def problems(self, *, first: bool) -> Iterator[str]:
        """Every problem of the account; `first` if the stack does not exist yet. Prints notes that are no problem."""
        parameters, region = self.names.parameters, self.names.pseudo["AWS::Region"]
        for prefix, service in ABSENT.items():
            if region.startswith(prefix):
                yield f"region: {region} has no {service}, which the template needs; expected a region of partition aws"
        if not first:
            yield from self._asked("the stack's alarms", self._alarms)
        yield from self._asked("Lambda's concurrency", partial(self._concurrency, first=first))
        if first:
            yield from self._asked("the names of the stack's tables and buckets", self._taken_names)
            yield from self._asked("the key of tables from an earlier stack", self._key_of_what_is_adopted)
        for name, subject in (("DatabaseSecretArn", "the database's"), ("RedshiftSecretArn", "the warehouse's")):
            if parameters.get(name):
                yield from self._asked(f"{subject} secret", partial(self._secret, name))
        keys = {"KmsKeyArn": "ENCRYPT_DECRYPT", "SecretKeyArns": "ENCRYPT_DECRYPT", "ModelSigningKeyArn": "SIGN_VERIFY"}
        for name, usage in keys.items():
            for arn in filter(None, _listed(parameters.get(name, ""))):
                yield from self._asked(f"the key {name}", partial(self._key, name, arn, usage))
        yield from self._asked("the layer of Lambda Insights", self._insights)
        if parameters.get("ChatModelId"):
            yield from self._asked("Bedrock's models", self._model)
        if parameters.get("ChatAgentId"):
            yield from self._asked("Bedrock's agents", self._agent)
        if parameters.get("DatabaseNetwork") == "existing":
            yield from self._asked("the network", self._network)

    def _asked(self, subject: str, question: Callable[[], Iterator[str]]) -> list[str]:
        try:
            return list(question())
        except ClientError as error:
            if error.response["Error"]["Code"] not in FORBIDDEN:
                return [f"{subject}: {error}"]
            self.tell(f"  not checked: {subject}; the credentials lack the permission")
        except BotoCoreError as error:
            return [f"{subject}: {error}"]
        return []

    def _alarms(self) -> Iterator[str]:
        """Print the active alarms, which do not stop a deployment but may affect the decision."""
        stack = self.names.pseudo["AWS::StackName"]
        asked = {"AlarmNamePrefix": f"{stack}-", "StateValue": "ALARM"}
        found = self.client("cloudwatch").get_paginator("describe_alarms").paginate(**asked)
        if alarming := sorted(each["AlarmName"] for page in found for each in page["MetricAlarms"]):
            self.tell(f"  in ALARM before the deployment: {', '.join(alarming)}; docs/runbook.md explains each")
        yield from ()

    def _concurrency(self, *, first: bool) -> Iterator[str]:
        found = self.client("lambda").get_account_settings()["AccountLimit"]
        limit = found["ConcurrentExecutions"]
        # An existing stack's own reservations are no longer free, but it can reuse them.
        free = found.get("UnreservedConcurrentExecutions", limit) if first else limit
        reserved = sum(self._reserved(each) for each in self.template["Resources"].values())
        if reserved and reserved + UNRESERVED > free:
            others = f", of which others reserve {limit - free}" if free < limit else ""
            yield (
                f"the functions reserve {reserved} concurrent executions, and Lambda keeps {UNRESERVED} for the rest,"
                f" but the account has {limit}{others}: request a higher quota L-B99A9384, or reserve less"
            )

    def _reserved(self, resource: Mapping[str, Any]) -> int:
        if resource["Type"] != FUNCTION or not holds(resource.get("Condition"), self.names):
            return 0
        wanted = resolve({"reserved": resource["Properties"].get("ReservedConcurrentExecutions")}, self.names)
        return int(wanted.get("reserved") or 0)

    def _taken_names(self) -> Iterator[str]:
        """Existing buckets and tables with the stack's names that the template does not retain and so cannot adopt."""
        stack = self.names.pseudo["AWS::StackName"]
        for name in existing(self.client, self.template, self.names, retained=False):
            yield f"{name} exists, but there is no stack {stack}: delete it, or choose another stack name"

    def _key_of_what_is_adopted(self) -> Iterator[str]:
        """Retained tables keep the old stack's key, but functions may use only the new stack's."""
        given = self.names.parameters.get("KmsKeyArn")
        kept: dict[str, list[str]] = {}
        tables = self.client("dynamodb")
        for name in existing(self.client, self.template, self.names, retained=True, kinds=(TABLE,)):
            encrypted = tables.describe_table(TableName=name)["Table"].get("SSEDescription", {})
            if (arn := encrypted.get("KMSMasterKeyArn")) and arn != given:
                kept.setdefault(arn, []).append(name)
        for arn, names in kept.items():
            yield (
                f"KmsKeyArn: is {given or 'missing'}; {', '.join(names)}, from an earlier stack, and its buckets"
                f" are encrypted with {arn}; without that key, functions cannot read them"
            )

    def _secret(self, parameter: str) -> Iterator[str]:
        arn = self.names.parameters[parameter]
        found = described(self.client("secretsmanager").describe_secret, SecretId=arn)
        if found is None:
            yield f"{parameter}: there is no secret {arn} in this account and region"
        elif found["ARN"] != arn:  # a policy accepts no name, and no ARN without its last six characters
            yield f"{parameter}: is {arn}; expected the secret's whole ARN, {found['ARN']}"
        if key := (found or {}).get("KmsKeyId"):
            yield from self._asked(f"the key of the secret {parameter}", partial(self._key_of_secret, parameter, key))

    def _key_of_secret(self, parameter: str, key: str) -> Iterator[str]:
        """To read a secret with its own key, functions need permission to use that key."""
        answer = described(self.client("kms").describe_key, KeyId=key)
        if answer is None:
            yield f"{parameter}: its secret is encrypted with {key}, which does not exist"
            return
        own, given = answer["KeyMetadata"], self.names.parameters
        named = {*_listed(given.get("SecretKeyArns", "")), given.get("KmsKeyArn")}
        if own.get("KeyManager") != "AWS" and own["Arn"] not in named:
            yield (
                f"SecretKeyArns: lacks {own['Arn']}, with which the secret of {parameter} is encrypted;"
                " without that key, functions cannot read it"
            )

    def _key(self, parameter: str, arn: str, usage: str) -> Iterator[str]:
        answer = described(self.client("kms").describe_key, KeyId=arn)
        if answer is None:
            yield f"{parameter}: there is no key {arn}"
            return
        found = answer["KeyMetadata"]
        if found["Arn"] != arn:  # nor the name of an alias
            yield f"{parameter}: is {arn}; expected the key's own ARN, {found['Arn']}"
        state, use = found.get("KeyState", "Enabled"), found.get("KeyUsage", "ENCRYPT_DECRYPT")
        if (state, use) != ("Enabled", usage):
            yield f"{parameter}: {arn} is {state}, for {use}; expected Enabled, for {usage}"

    def _insights(self) -> Iterator[str]:
        """The Insights layer of every function, by region and processor or by parameter; none if Insights is off."""
        region = self.names.pseudo["AWS::Region"]
        instead = "give one (InsightsLayerArn), or set Insights to DISABLED"
        try:
            layers = resolve(self.template.get("Globals", {}).get("Function", {}).get("Layers", []), self.names)
        except KeyError:
            yield f"InsightsLayerArn: is missing; no layer of Lambda Insights is known for {region}: {instead}"
            return
        for arn in layers:
            if not exists(self.client("lambda").get_layer_version_by_arn, Arn=arn):
                yield f"InsightsLayerArn: Lambda has no layer {arn} in {region}: {instead}"

    def _model(self) -> Iterator[str]:
        model = self.names.parameters["ChatModelId"]
        bedrock = self.client("bedrock")
        if not (
            exists(bedrock.get_inference_profile, inferenceProfileIdentifier=model)
            or exists(bedrock.get_foundation_model, modelIdentifier=model)
        ):
            yield f"ChatModelId: Bedrock has no model or inference profile {model} in this region"

    def _agent(self) -> Iterator[str]:
        agent, alias = self.names.parameters["ChatAgentId"], self.names.parameters["ChatAgentAliasId"]
        agents = self.client("bedrock-agent")
        if not exists(agents.get_agent_alias, agentId=agent, agentAliasId=alias):
            yield f"ChatAgentId: Bedrock has no agent {agent} with the alias {alias} in this region"

    def _network(self) -> Iterator[str]:
        ec2 = self.client("ec2")
        looks = {
            "SubnetIds": ("SubnetIds", ec2.describe_subnets),
            "SecurityGroupIds": ("GroupIds", ec2.describe_security_groups),
        }
        for parameter, (argument, look) in looks.items():
            named = _listed(self.names.parameters[parameter])
            if missing := [each for each in named if not exists(look, **{argument: [each]})]:
                yield f"{parameter}: there is no {', '.join(missing)} in this region"


def existing(
    client: Client,
    template: Mapping[str, Any],
    names: Known,
    *,
    retained: bool,
    kinds: Collection[str] = (BUCKET, TABLE),
) -> Iterator[str]:
    """The names of the template's buckets and tables, retained or not, that already exist."""
    looks = {
        BUCKET: ("BucketName", "Bucket", client("s3").head_bucket),
        TABLE: ("TableName", "TableName", client("dynamodb").describe_table),
    }
    for resource in template["Resources"].values():
        if resource["Type"] in kinds and (resource.get("DeletionPolicy") in RETAINED) == retained:
            named, argument, look = looks[resource["Type"]]
            if named in resource["Properties"] and holds(resource.get("Condition"), names):
                name = str(resolve(resource["Properties"][named], names))
                if exists(look, **{argument: name}):
                    yield name


def exists(look: Callable[..., Any], **what: Any) -> bool:
    """Whether the resource that this call describes exists. AccessDenied is raised."""
    return described(look, **what) is not None


def described(look: Callable[..., Any], **what: Any) -> Any:
    """The call's result, or None if the resource does not exist. AccessDenied is raised."""
    try:
        return look(**what)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in {"404", "ValidationException", "NoSuchBucket"} or "NotFound" in code:
            return None
        raise


def _listed(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else [part.strip() for part in value.split(",")]
