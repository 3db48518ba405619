"""The fast inner loop: `make resources` creates everything but the functions, `chalice deploy` the functions.

Afterwards, this module gives the functions the template's settings that Chalice cannot declare: alias, dead-letter
queue, retries, key, partial batch failures. Only the release path has versions with canaries, provisioned concurrency
and gateway settings.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from infra.deployment import account, parameters
from infra.deployment.intrinsics import Known, pseudo_parameters, resolve
from infra.deployment.problems import DeploymentError
from infra.deployment.project import ROOT, api_references, application_name, made_by_chalice, render
from infra.deployment.release import RESOURCES_ONLY, Site, apply, preflight
from infra.deployment.resources import (
    ARN_OF_FUNCTIONS,
    function_references,
    output_name,
    physical_names,
    resources_template,
)
from infra.template.names import ALIAS, FUNCTION, Template, alias_of

COMPLETED = ("DeadLetterQueue", "EventInvokeConfig", "KmsKeyArn")
"""Function settings that Chalice cannot declare. It manages roles fully, and removes only what it created itself."""
CHALICE = (sys.executable, "-c", "import sys; from chalice.cli import main; sys.exit(main())")


def make_resources(site: Site, package: Path, root: Path = ROOT) -> Path:
    """Create or update the stack without the functions, and the Chalice project over it; return its folder."""
    template = parameters.read_template(package / "sam.json")
    application_name(site.stage)
    _refuse_whole_stack(site)
    checked = preflight(site, template)
    _refuse_other_python(template, checked.names)  # before anything would need to be rolled back
    apply(site, checked, resources_template(template), package)
    project = _render(site, template, package, root)
    site.tell(f"now: chalice --project-dir {project.relative_to(root)} deploy --stage {site.stage.name}")
    site.tell(f" or: make chalice-deploy STAGE={site.stage.name}, which also sets dead letters and retries")
    return project


def chalice_deploy(site: Site, package: Path, root: Path = ROOT, chalice: Sequence[str] = CHALICE) -> dict[str, str]:
    """Run `chalice deploy` over the stage's resources; return the APIs' addresses.

    The first time it runs twice, because the functions need the sockets' address, which the first run creates.
    """
    template = parameters.read_template(package / "sam.json")
    before = api_references(site.stage, root)
    run_chalice(site, _render(site, template, package, root), "deploy", chalice)
    if api_references(site.stage, root) != before:
        run_chalice(site, _render(site, template, package, root), "deploy", chalice)
    complete(site, template, _names(site, template, root))
    made = made_by_chalice(site.stage, root)
    outputs = {
        "RestAPIId": made["rest_api"]["rest_api_id"],
        "RestUrl": made["rest_api"]["rest_api_url"].rstrip("/"),
        "WebsocketUrl": made["websocket_api"]["websocket_api_url"].rstrip("/"),
    }
    for name, value in outputs.items():
        site.tell(f"  {name} = {value}")
    return outputs


def chalice_delete(site: Site, root: Path = ROOT, chalice: Sequence[str] = CHALICE) -> None:
    """Remove what `chalice deploy` created for the stage; the resources stay."""
    project = root / "build" / "chalice" / site.stage.name
    if not made_by_chalice(site.stage, root):
        site.tell(f"`chalice deploy` has created nothing for {site.stage.name}")
        return
    if not project.exists():
        raise DeploymentError(f"there is no {project}: `make resources STAGE={site.stage.name}` creates it again")
    run_chalice(site, project, "delete", chalice)


def run_chalice(site: Site, project: Path, command: str, chalice: Sequence[str]) -> None:
    """Run a Chalice command on the project, and print its output line by line."""
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    if site.stage.region:
        environ["AWS_DEFAULT_REGION"] = site.stage.region
    with subprocess.Popen(
        [*chalice, "--project-dir", str(project), command, "--stage", site.stage.name],
        env=environ,
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        for line in running.stdout or ():
            site.tell(f"  chalice: {line.rstrip()}")
    if running.returncode != 0:
        raise DeploymentError(
            f"chalice {command} failed; .chalice/deployed records what it created so far; run it again"
        )


def complete(site: Site, template: Template, names: Known) -> None:
    """Give functions the template's settings that Chalice cannot declare: alias, dead-letter queue, retries."""
    functions = site.client("lambda")
    named = physical_names(template)
    for logical, name in named.items():
        own = template["Resources"][logical]["Properties"]
        function = resolve({"Fn::Sub": name}, names)
        declared = resolve({key: own[key] for key in COMPLETED if key in own}, names)
        if not account.exists(functions.get_alias, FunctionName=function, Name=ALIAS):
            functions.create_alias(FunctionName=function, Name=ALIAS, FunctionVersion="$LATEST")
        settings: dict[str, Any] = {"KMSKeyArn": declared["KmsKeyArn"]} if "KmsKeyArn" in declared else {}
        if queue := declared.get("DeadLetterQueue"):
            settings["DeadLetterConfig"] = {"TargetArn": queue["TargetArn"]}
        if settings:
            functions.get_waiter("function_updated_v2").wait(FunctionName=function)
            functions.update_function_configuration(FunctionName=function, **settings)
        if retries := declared.get("EventInvokeConfig"):
            for called in ({}, {"Qualifier": ALIAS}):  # by Chalice's triggers, and by other functions
                functions.put_function_event_invoke_config(
                    FunctionName=function,
                    **called,
                    MaximumRetryAttempts=int(retries["MaximumRetryAttempts"]),
                    MaximumEventAgeInSeconds=int(retries["MaximumEventAgeInSeconds"]),
                )
        for event in own.get("Events", {}).values():
            if types := event["Properties"].get("FunctionResponseTypes"):
                _report_failures(functions, function, types)
    site.tell(f"  {len(named)} functions have their alias, dead-letter queue, retries and partial batch failures")


def _report_failures(functions: Any, name: str, types: list[str]) -> None:
    """Without this, SQS would delete messages that the function reports as failed."""
    for mapping in functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], FunctionResponseTypes=types)


def _render(site: Site, template: Template, package: Path, root: Path) -> Path:
    names = _names(site, template, root)
    _refuse_other_python(template, names)
    return render(site.stage, template, names, root=root, package=package)


def _names(site: Site, template: Template, root: Path) -> Known:
    """Values of the template's names over the running resources stack."""
    found = account.identify(site.client, site.stage)
    outputs = site.stack.outputs()
    if RESOURCES_ONLY not in outputs:
        raise DeploymentError(
            f"there is no stack {site.stage.stack} of resources: run `make resources STAGE={site.stage.name}` first"
        )
    stage = replace(site.stage, account=found.id, region=found.region)
    texts, problems = parameters.check(stage, template, frozenset(template["Parameters"]))
    if problems:
        raise DeploymentError.of(f"{stage.name} cannot be deployed:", problems)
    pseudo = pseudo_parameters(stage.stack, found.id, found.region, found.partition)
    known = Known(
        parameters=parameters.values(template, texts),
        pseudo=pseudo,
        conditions=template.get("Conditions", {}),
        mappings=template.get("Mappings", {}),
        references=_references(template, outputs) | api_references(stage, root),
    )
    functions: dict[str, str] = {}
    for logical, name in physical_names(template).items():
        functions[logical] = resolve({"Fn::Sub": name}, known)
        functions[f"{logical}.Arn"] = resolve({"Fn::Sub": ARN_OF_FUNCTIONS + name}, known)
        functions[alias_of(logical)] = resolve({"Fn::Sub": f"{ARN_OF_FUNCTIONS}{name}:{ALIAS}"}, known)
    return replace(known, references={**functions, **known.references})


def _references(template: Template, outputs: Mapping[str, str]) -> dict[str, str]:
    """The names in the account of the resources that the functions refer to, from the stack's outputs."""
    functions = (name for name, each in template["Resources"].items() if each["Type"] == FUNCTION)
    wanted = {each for logical in functions for each in function_references(template, logical)}
    return {each: outputs[output_name(each)] for each in wanted if output_name(each) in outputs}


def _refuse_whole_stack(site: Site) -> None:
    """Refuse a stack with functions, because this would delete them."""
    if site.stack.status() is not None and (outputs := site.stack.outputs()) and RESOURCES_ONLY not in outputs:
        raise DeploymentError(
            f"{site.stage.stack} was deployed by `make deploy`: `make resources` would delete its functions."
            f" For the inner loop use another stage, or `make destroy STAGE={site.stage.name}` first"
        )


def _refuse_other_python(template: Template, names: Known) -> None:
    """Chalice gives functions the Python that it runs on, and the package's libraries are built for one Python."""
    built_for = {
        str(resolve(each["Properties"]["Runtime"], names))
        for each in template["Resources"].values()
        if each["Type"] == FUNCTION and "Runtime" in each["Properties"]
    }
    here = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if other := built_for - {here}:
        raise DeploymentError(
            f"the package is built for {', '.join(sorted(other))}, and this is {here}: `chalice deploy` gives functions"
            " the Python that it runs on. Run it with the other, or package for this one"
        )
