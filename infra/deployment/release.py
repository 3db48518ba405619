"""The release path: check parameters, upload artifacts, deploy the packaged template as one CloudFormation stack."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from botocore.exceptions import ClientError

from infra.deployment import account, artifacts, health, parameters, tidying
from infra.deployment.account import Account, Client, Survey, Tell
from infra.deployment.intrinsics import Known, pseudo_parameters
from infra.deployment.problems import DeploymentError
from infra.deployment.stack import FAILED_FIRST, Stack
from infra.deployment.stages import Stage
from infra.template.names import FUNCTION, RELEASE_DIGITS, Template
from infra.template.redeployment import of_release

LOOK_EVERY_S = 5.0
RELEASE = "Release"
MIGRATIONS = "Migrations"
SECRET_DIGITS = 8
"""Digits of each secret's digest, after the digits that SAM uses in names of versions."""
DIGEST_ROUNDS = 200_000
RESOURCES_ONLY = "OmnibusResourcesOnly"
"""The output that marks a stack whose functions `chalice deploy` makes."""


@dataclass(frozen=True)
class Site:
    """A stage's deployment target: the clients, the output, and adaptations for clouds other than AWS.

    `adapt` changes the template last, `address` finds the REST API in the stack's outputs.
    """

    stage: Stage
    client: Client
    tell: Tell
    pause: Callable[[float], None] = time.sleep
    look_every_s: float = LOOK_EVERY_S
    adapt: Callable[[Template], Template] = lambda template: template
    address: Callable[[Mapping[str, str]], str] = lambda outputs: outputs["RestUrl"]

    @property
    def stack(self) -> Stack:
        """The stage's stack."""
        return Stack(self.client("cloudformation"), self.stage.stack, self.tell, self.pause, self.look_every_s)


@dataclass(frozen=True)
class Checked:
    """Result of a successful preflight: the account, and the parameters in CloudFormation's form.

    `first` if there is no stack yet, or only the remains of a failed first deployment.
    """

    account: Account
    parameters: Mapping[str, str | None]
    names: Known
    first: bool


EQUIVALENTS = (
    "Chalice's own commands know only what `chalice deploy` created, not this stack. Instead of",
    "  chalice url:     {url}",
    "  chalice logs:    aws logs tail --follow /aws/lambda/{stack}-api_handler",
    "  chalice invoke:  aws lambda invoke --function-name {stack}-migrate:live out.json",
)


def preflight(site: Site, template: Template) -> Checked:
    """Check parameters and account; one DeploymentError lists everything that is missing or malformed."""
    stage = site.stage
    if packaged := packaged_for(template) - {stage.name}:
        raise DeploymentError(f"the package is for {', '.join(packaged)}: run `make package STAGE={stage.name}`")
    found, problem = _identified(site)
    running = site.stack.parameters() if found else {}
    failed_first = bool(found) and site.stack.status() in FAILED_FIRST
    first = not running or failed_first
    kept = frozenset() if failed_first else _secrets(template) & running.keys() - stage.given.keys()
    texts, problems = parameters.check(stage, template, kept)
    problems = ([problem] if problem else []) + problems
    names = parameters.known(stage, template, texts)
    if found:
        names = replace(names, pseudo=pseudo_parameters(stage.stack, found.id, found.region, found.partition))
        problems += Survey(site.client, template, names, site.tell).problems(first=first)
    if problems or found is None:
        raise DeploymentError.of(f"{stage.name} cannot be deployed:", problems)
    full: dict[str, str | None] = dict(parameters.with_defaults(template["Parameters"], texts))
    full.update(dict.fromkeys(kept))
    if RELEASE in full and RELEASE not in texts:
        full[RELEASE] = release_name(stage.stack, full, _secrets(template), running.get(RELEASE, ""))
    return Checked(found, full, names, first)


def deploy(site: Site, package: Path) -> dict[str, str]:
    """Deploy `package` as the stage's stack, and check that it answers; return the stack's outputs.

    DeploymentError if something is missing, if the change failed and was rolled back, or if the deployed stack does
    not answer.
    """
    template = parameters.read_template(package / "sam.json")
    checked = without_database(site, preflight(site, template))
    _refuse_foreign_functions(site)
    outputs = apply(site, checked, template, package)
    for name, value in sorted(outputs.items()):
        site.tell(f"  {name} = {value}")
    health.check(site.address(outputs), site.tell, site.pause)
    if checked.parameters.get(MIGRATIONS) == "DISABLED":
        site.tell(
            f"  the schema was not migrated: move the database into the network (outputs DatabaseSubnets and"
            f" DatabaseSecurityGroup), then `make deploy STAGE={site.stage.name}` again, which migrates it"
        )
    _tidy(site, checked)
    for line in EQUIVALENTS:
        site.tell(line.format(stack=site.stage.stack, url=site.address(outputs)))
    return outputs


def _tidy(site: Site, checked: Checked) -> None:
    """Remove what releases leave behind; a failure here does not fail the deployment."""
    try:
        tidying.prune(site.client("lambda"), site.stack.resources(), site.tell)
        if days := checked.parameters.get("LogRetention"):
            tidying.end_insights_logs(site.client("logs"), int(days), site.tell)
    except ClientError as error:
        site.tell(f"  not tidied up: {error}")


def verify(site: Site, outputs: Mapping[str, str], *, migrated: bool) -> None:
    """Migrate the database, if there is one, and check that the REST API answers; DeploymentError if either fails."""
    if migrated:
        health.migrate(site.client("lambda"), f"{site.stage.stack}-migrate", site.tell)
    health.check(site.address(outputs), site.tell, site.pause)


def apply(site: Site, checked: Checked, template: Template, package: Path) -> dict[str, str]:
    """Upload the artifacts and change the stack; return its outputs."""
    site.tell(
        f"{site.stage.stack} in account {checked.account.id}, {checked.account.region}, as {checked.account.caller}"
    )
    uploads = artifacts.ensure_bucket(site.client, checked.account, site.tell)
    named = artifacts.with_literal_names(template, checked.names)
    if release := checked.parameters.get(RELEASE):
        named = of_release(named, release)
    final = site.adapt(artifacts.with_uploads(named, package, uploads))
    declared = final.get("Parameters", {})
    url = artifacts.upload_template(final, uploads)
    given = {name: text for name, text in checked.parameters.items() if name in declared}
    adopted = list(account.existing(site.client, final, checked.names, retained=True)) if checked.first else []
    for name in adopted:
        site.tell(f"  adopts {name} of an earlier stack")
    changed = site.stack.change(url, given, site.stage.tags, adopt=bool(adopted))
    site.tell(f"{site.stage.stack}: " + ("deployed" if changed else "no changes"))
    mine = [each for each in site.stack.resources() if each.physical in adopted] if adopted else []
    tidying.tell_drift(site.client("cloudformation"), site.stage.stack, mine, site.tell)
    return site.stack.outputs()


def release_name(stack: str, given: Mapping[str, str | None], secrets: Iterable[str], running: str) -> str:
    """A name for the package with these parameters: if either changes, functions get new versions, and `live` moves.

    It includes secrets, as digests that are slow to guess from, to bring new secrets to the functions. The digests end
    the name: those of kept secrets, which are None here, can only be read from the `running` release's name.
    """
    names = sorted(secrets)
    known = running[RELEASE_DIGITS:] if len(running) == RELEASE_DIGITS + SECRET_DIGITS * len(names) else ""
    digests = {}
    for place, name in enumerate(names):
        kept = known[place * SECRET_DIGITS : (place + 1) * SECRET_DIGITS] or "0" * SECRET_DIGITS
        digests[name] = kept if given[name] is None else _slow_digest(stack, name, str(given[name]))
    told = json.dumps({**given, **digests}, sort_keys=True).encode()
    return hashlib.sha256(told).hexdigest()[:RELEASE_DIGITS] + "".join(digests[name] for name in names)


def _slow_digest(stack: str, name: str, secret: str) -> str:
    salt = f"{stack} {name}".encode()
    return hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, DIGEST_ROUNDS).hex()[:SECRET_DIGITS]


def packaged_for(template: Template) -> set[str]:
    """The stages of the package, as Chalice recorded them."""
    marks = (
        each.get("Properties", {}).get("Tags", {})
        for each in template["Resources"].values()
        if each["Type"] == FUNCTION
    )
    found = (mark["aws-chalice"].split(":")[1] for mark in marks if isinstance(mark, dict) and "aws-chalice" in mark)
    return {stage.removeprefix("stage=") for stage in found}


def _identified(site: Site) -> tuple[Account | None, str | None]:
    try:
        return account.identify(site.client, site.stage), None
    except DeploymentError as error:
        return None, str(error)


def _secrets(template: Template) -> frozenset[str]:
    return frozenset(name for name, each in template.get("Parameters", {}).items() if each.get("NoEcho"))


def without_database(site: Site, checked: Checked) -> Checked:
    """A first deployment that creates the network does not migrate: the database can only join the network later."""
    if not checked.first or checked.parameters.get("DatabaseNetwork") != "own" or MIGRATIONS in site.stage.given:
        return checked
    return replace(checked, parameters={**checked.parameters, MIGRATIONS: "DISABLED"})


def _refuse_foreign_functions(site: Site) -> None:
    """Refuse a stage with functions from `chalice deploy`, because they have the names of the stack's own functions."""
    if site.stack.outputs().get(RESOURCES_ONLY) and account.exists(
        site.client("lambda").get_function_configuration, FunctionName=site.stage.stack
    ):
        raise DeploymentError(
            f"the functions of {site.stage.stack} were created by `chalice deploy`: remove them with"
            f" `make chalice-delete STAGE={site.stage.name}`, then deploy; tables and buckets stay"
        )
