"""The Chalice project that `chalice deploy` reads for a stage: rendered from the template into build/chalice/.

`chalice deploy` reads one config.json and policies with plain values. The tree's files name no account, and the
packaged template contains their content and infra/'s additions. The project is therefore rendered from the template:
the code is linked, and edits take effect immediately; configuration, policies, environment and layers use the resources
stack's names.
"""

import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.deployment.intrinsics import NOTHING, Known, resolve
from infra.deployment.parameters import environment
from infra.deployment.problems import DeploymentError
from infra.deployment.resources import REST_HANDLER, role_properties
from infra.deployment.stages import Stage
from infra.template.names import FUNCTION, Template, name_of

ROOT = Path(__file__).resolve().parents[2]
CODE = ("app.py", "chalicelib")
CHALICE_ADDS = ("chalice", "__pycache__")
"""Entries of the package's zip that Chalice adds itself or does not want: its runtime, our bytecode."""
KEPT = ("version", "api_gateway_stage", "api_gateway_endpoint_type", "minimum_compression_size", "manage_iam_role")
"""Settings of the whole application that are in the tree's configuration but not in the template."""
NOT_MADE_YET = "not-made-yet"
NO_CONSOLE = "no-console.invalid"
NETWORK_ATTACHMENT = "NetworkAttachment"
"""The template's policy for attaching functions to a network; Chalice's functions have it in their own policies."""


def render(stage: Stage, template: Template, names: Known, *, root: Path = ROOT, package: Path) -> Path:
    """Write the stage's Chalice project, replacing an earlier one, and return its folder.

    `.chalice/deployed`, Chalice's record of what it created, is shared with the tree.
    """
    project = root / "build" / "chalice" / stage.name
    shutil.rmtree(project, ignore_errors=True)
    settings = project / ".chalice"
    settings.mkdir(parents=True)
    for name in CODE:
        (project / name).symlink_to(root / name)
    deployed = root / ".chalice" / "deployed"
    deployed.mkdir(exist_ok=True)
    (settings / "deployed").symlink_to(deployed)
    (project / "requirements.txt").write_text("", encoding="utf-8")  # the libraries come from the package
    _unpack_libraries(package / "deployment.zip", project / "vendor")
    functions = {name_of(each): logical for logical, each in template["Resources"].items() if each["Type"] == FUNCTION}
    config = _config(stage, template, names, root, functions)
    (settings / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (settings / "config.json").chmod(0o600)  # the environment contains the operators' token
    for name, logical in functions.items():
        policy = policy_of(template, logical, names)
        (settings / f"policy-{name}.json").write_text(json.dumps(policy, indent=2) + "\n", encoding="utf-8")
    return project


def application_name(stage: Stage) -> str:
    """The name of the Chalice application: `chalice deploy` names functions <application>-<stage>-<function>."""
    application = stage.stack.removesuffix(f"-{stage.name}")
    if application == stage.stack or not application:
        raise DeploymentError(
            f"the stack is called {stage.stack}; `chalice deploy` needs a name that ends with -{stage.name}"
        )
    return application


def made_by_chalice(stage: Stage, root: Path = ROOT) -> dict[str, Any]:
    """The resources that `chalice deploy` created for the stage, by Chalice's names; empty before the first run."""
    path = root / ".chalice" / "deployed" / f"{stage.name}.json"
    if not path.exists():
        return {}
    return {each["name"]: each for each in json.loads(path.read_text(encoding="utf-8"))["resources"]}


def api_references(stage: Stage, root: Path = ROOT) -> dict[str, str]:
    """The APIs that `chalice deploy` created, by the template's output names; it does not create the console."""
    made = made_by_chalice(stage, root)
    return {
        "RestAPI": made.get("rest_api", {}).get("rest_api_id", NOT_MADE_YET),
        "WebsocketAPI": made.get("websocket_api", {}).get("websocket_api_id", NOT_MADE_YET),
        "ConsoleDistribution.DomainName": NO_CONSOLE,
    }


def policy_of(template: Template, logical: str, names: Known) -> dict[str, Any]:
    """All permissions of a function's role, as one policy with plain values."""
    role = role_properties(template, logical)
    statements = [
        statement
        for policy in resolve(role.get("Policies", []), names)
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    function = template["Resources"][logical]["Properties"]
    if resolve({"network": function.get("VpcConfig")}, names).get("network"):
        attachment = template["Resources"][NETWORK_ATTACHMENT]["Properties"]["PolicyDocument"]
        statements += resolve(attachment["Statement"], names)
    if logical == REST_HANDLER:  # the one function that Chalice names differently
        stack = names.pseudo["AWS::StackName"]
        statements = json.loads(
            json.dumps(statements).replace(f"/aws/lambda/{stack}-api_handler:", f"/aws/lambda/{stack}:")
        )
    return {"Version": "2012-10-17", "Statement": statements}


def _config(stage: Stage, template: Template, names: Known, root: Path, functions: Mapping[str, str]) -> dict[str, Any]:
    own = json.loads((root / ".chalice" / "config.json").read_text(encoding="utf-8"))
    shared = _texts(environment(template, functions["api_handler"]), names)
    # app.py uses the queue's name, the template its URL.
    shared["OMNIBUS_UPLOADS_OUTBOX"] = shared["OMNIBUS_UPLOADS_OUTBOX_URL"].rsplit("/", 1)[-1]
    return {
        **{key: own[key] for key in KEPT if key in own},
        "app_name": application_name(stage),
        "autogen_policy": False,
        "stages": {
            stage.name: {
                "tags": dict(stage.tags),
                "environment_variables": shared,
                "lambda_functions": {
                    name: _function(name, logical, template, names, shared) for name, logical in functions.items()
                },
            }
        },
    }


def _function(name: str, logical: str, template: Template, names: Known, shared: Mapping[str, str]) -> dict[str, Any]:
    shared_properties = template.get("Globals", {}).get("Function", {})
    own_properties = template["Resources"][logical]["Properties"]
    layers = [*shared_properties.get("Layers", []), *own_properties.get("Layers", [])]  # as SAM combines them
    declared = {**shared_properties, **own_properties, "Layers": layers}
    wanted = ("MemorySize", "Timeout", "Layers", "VpcConfig", "ReservedConcurrentExecutions", "Tracing")
    found = resolve({key: declared.get(key, {"Ref": "AWS::NoValue"}) for key in wanted}, names)
    own = _texts(environment(template, logical), names)
    network = found.get("VpcConfig", {})
    settings = {
        "iam_policy_file": f"policy-{name}.json",
        "lambda_memory_size": _number(found.get("MemorySize")),
        "lambda_timeout": _number(found.get("Timeout")),
        "reserved_concurrency": _number(found.get("ReservedConcurrentExecutions")),
        "layers": found["Layers"] or None,
        "subnet_ids": network.get("SubnetIds"),
        "security_group_ids": network.get("SecurityGroupIds"),
        "xray": found.get("Tracing") == "Active",
        "environment_variables": {key: text for key, text in own.items() if shared.get(key) != text},
    }
    return {key: value for key, value in settings.items() if value is not None}


def _number(value: Any) -> int | None:
    return None if value is None or value is NOTHING else int(value)


def _texts(variables: Mapping[str, Any], names: Known) -> dict[str, str]:
    return {key: str(value) for key, value in resolve(dict(variables), names).items()}


def _unpack_libraries(archive: Path, vendor: Path) -> None:
    """Copy the libraries of the package's zip to the folder from which Chalice takes them."""
    vendor.mkdir()
    if not archive.exists():
        raise DeploymentError(f"there is no {archive}: run `make package` first")
    with zipfile.ZipFile(archive) as opened:
        libraries = [name for name in opened.namelist() if name.split("/", 1)[0] not in {*CODE, *CHALICE_ADDS}]
        opened.extractall(vendor, libraries)
