"""The Terraform module against the packaged template: the same knobs, typed, with the same defaults and outputs."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.package import ROOT
from infra.template.functions import is_limits, limits_text

pytestmark = pytest.mark.slow

Template = dict[str, Any]
FOLDER = ROOT / "infra" / "terraform"
BY_PACKAGE = {"Release", "Runtime", "Architecture", "LogRetention"}
"""What the package or its stage decides: the module leaves the template's default, unless it is told otherwise."""
OF_OTHER_NETWORKS = {"SubnetIds", "SecurityGroupIds"}
"""Their defaults stand for nothing: CloudFormation wants one where no network is named."""
OF_FUNCTIONS = re.compile("(Limits|Environment|Schedule)$")


@dataclass(frozen=True)
class Attribute:
    """A variable, or an attribute of one that is an object; default is None where the template's holds."""

    type: str
    default: Any
    sensitive: bool = False


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def attributes() -> dict[str, Attribute]:
    """What variables.tf declares, as parameters.tf refers to it."""
    found = {}
    for name, body in re.findall(r'^variable "(\w+)" {\n(.*?)^}', text_of("variables.tf"), re.MULTILINE | re.DOTALL):
        inner = re.findall(r"^ +(\w+) += optional\((.+?)\)(?: +#.*)?$", body, re.MULTILINE)
        for attribute, declared in inner:
            kind, _, default = re.fullmatch(r"(\w+(?:\(\w+\))?)(, (.+))?", declared).groups()  # type: ignore[union-attr]
            found[f"{name}.{attribute}"] = Attribute(kind, json.loads(default) if default else None)
        if not inner:
            kind = re.search(r"^  type += (.+)$", body, re.MULTILINE)
            default = re.search(r"^  default += (.+)$", body, re.MULTILINE)
            assert kind, name
            found[name] = Attribute(kind[1], json.loads(default[1]) if default else None, "sensitive" in body)
    return found


def mapped() -> dict[str, tuple[str, str]]:
    """For each parameter that parameters.tf names, the attribute that it is of and the whole expression."""
    lines = re.findall(r"^    ([A-Z]\w+) += (.*var\.([\w.]+).*)$", text_of("parameters.tf"), re.MULTILINE)
    assert len({name for name, _, _ in lines}) == len(lines)
    return {name: (attribute, expression) for name, expression, attribute in lines}


@pytest.fixture(scope="session")
def parameters(packaged: Template) -> dict[str, Any]:
    declared: dict[str, Any] = packaged["Parameters"]
    return declared


@pytest.fixture
def terraform() -> str:
    found = shutil.which("terraform")
    if found is None:
        pytest.skip("terraform is not installed")
    return found


def block(kind: str, name: str, text: str) -> str:
    found = re.search(rf'^{kind} "{name}" {{\n(.*?)^}}', text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no {kind} {name}"
    return found[1]


def test_the_variables_are_few_and_typed() -> None:
    text = text_of("variables.tf")
    assert len(text.splitlines()) <= 400
    for name in re.findall(r'^variable "(\w+)"', text, re.MULTILINE):
        own = block("variable", name, text)
        assert "type " in own, name
        assert "description " in own, name


def test_every_parameter_is_in_the_module_and_every_attribute_is_a_parameter(parameters: dict[str, Any]) -> None:
    of_functions = {name for name in parameters if OF_FUNCTIONS.search(name)}
    assert {name for name, each in parameters.items() if is_limits(each)} <= of_functions
    assert set(mapped()) == set(parameters) - of_functions - {"Release"}
    used = {attribute for attribute, _ in mapped().values()}
    own = {"package", "artifact_bucket", "stack_name", "release", "tags", "timeout_in_minutes"}
    configured = {f"lambda_config.{name}" for name in re.findall(r"config\.(\w+)", text_of("parameters.tf"))}
    assert set(attributes()) == used | own | {name for name in configured if name in attributes()}
    assert {name for name in attributes() if name.startswith("lambda_config.")} <= configured


def test_attributes_have_the_types_that_the_parameters_mean(parameters: dict[str, Any]) -> None:
    declared = attributes()
    for name, (attribute, expression) in mapped().items():
        allowed = {str(each) for each in parameters[name].get("AllowedValues", ())}
        kind = "string"
        if allowed in ({"true", "false"}, {"ENABLED", "DISABLED"}):
            kind = "bool"
        elif parameters[name]["Type"] == "Number" or all(each.isdecimal() for each in allowed or "-"):
            kind = "number"
        elif (
            parameters[name]["Type"] == "CommaDelimitedList"
            or "comma-separated" in parameters[name]["Description"].lower()
        ):
            kind = "list(string)"
        elif parameters[name].get("Default") == "{}":
            kind = "map(number)"
        assert declared[attribute].type == kind, name
        wrapped = {"list(string)": "join(", "map(number)": "jsonencode(", "number": "tostring("}.get(kind, "var.")
        assert wrapped in expression, name
        assert ('? "ENABLED" : "DISABLED"' in expression) == (allowed == {"ENABLED", "DISABLED"}), name


def test_attributes_have_the_defaults_of_the_template(parameters: dict[str, Any]) -> None:
    declared = attributes()
    for name, (attribute, _) in mapped().items():
        default = declared[attribute].default
        if name in BY_PACKAGE | OF_OTHER_NETWORKS | {"Stage"}:
            assert default is None, name
            continue
        switch = parameters[name].get("AllowedValues") == ["ENABLED", "DISABLED"]
        text = {bool: "ENABLED" if default else "DISABLED"}.get(type(default)) if switch else None
        if text is None:
            text = default if isinstance(default, str) else json.dumps(default)
        if isinstance(default, list):
            text = ",".join(default)
        assert text == str(parameters[name]["Default"]), name


def test_secrets_are_sensitive_and_nothing_else_is(parameters: dict[str, Any]) -> None:
    declared = attributes()
    for name, (attribute, _) in mapped().items():
        assert declared[attribute].sensitive == bool(parameters[name].get("NoEcho")), name


def test_the_outputs_that_it_names_are_those_of_the_stack(packaged: Template) -> None:
    named = re.findall(r'outputs\["(\w+)"\]', text_of("outputs.tf"))
    assert named
    assert set(named) <= set(packaged["Outputs"])


def test_the_module_uploads_every_file_that_the_template_names(packaged: Template) -> None:
    named = {
        value
        for resource in packaged["Resources"].values()
        for key, value in resource.get("Properties", {}).items()
        if key in {"CodeUri", "ContentUri"}
    }
    text = (FOLDER / "main.tf").read_text(encoding="utf-8")
    assert set(re.findall(r'"(\./[\w.]+\.zip)"', text)) == named


def test_the_module_is_formatted(terraform: str) -> None:
    done = subprocess.run([terraform, "fmt", "-check", "-no-color", str(FOLDER)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_change_that_fails_finds_what_it_is_rolled_back_to() -> None:
    """Terraform would delete the zips of the release before first, and the stack itself for a timeout."""
    text = (FOLDER / "main.tf").read_text(encoding="utf-8")
    for name in ("artifact", "template"):
        assert "create_before_destroy = true" in block('resource "aws_s3_object"', name, text), name
    stack = block('resource "aws_cloudformation_stack"', "omnibus", text)
    for replaces in ("timeout_in_minutes ", "on_failure", "disable_rollback"):
        assert replaces not in stack, replaces
    assert re.findall(r"^    (\w+) = \"\${var.timeout_in_minutes}m\"$", stack, re.MULTILINE) == [
        "create",
        "update",
        "delete",
    ]


class Module:
    """The module without its provider: what it works out from its variables, by Terraform itself."""

    def __init__(self, terraform: str, folder: Path, template: dict[str, Any]) -> None:
        self._terraform = terraform
        self._folder = folder
        for name in ("variables.tf", "parameters.tf"):
            shutil.copy(FOLDER / name, folder)
        main = (FOLDER / "main.tf").read_text(encoding="utf-8")
        merged = re.search(r"parameters = (merge\(.*?\n  \))", main, re.DOTALL)
        assert merged
        local = re.search(r"^locals {\n.*?^}\n", main, re.MULTILINE | re.DOTALL)
        assert local
        checked = re.search(r"    precondition {.*?\n    }\n", main, re.DOTALL)
        assert checked
        parameters = f'output "parameters" {{\n  sensitive = true\n  value = {merged[1]}\n{checked[0]}}}\n'
        out = parameters + 'output "template" {\n  value = local.template\n}\n'
        (folder / "main.tf").write_text(local[0] + out, encoding="utf-8")
        package = folder / "package"
        package.mkdir()
        (package / "sam.json").write_text(json.dumps(template), encoding="utf-8")
        for name in ("deployment.zip", "arrow.zip", "ml.zip"):
            (package / name).write_text(name, encoding="utf-8")

    def apply(self, **given: str) -> str:
        """What went wrong; empty if nothing did."""
        own = {"package": str(self._folder / "package"), "artifact_bucket": "artifacts", "stage": "dev"}
        values = [f"-var={name}={value}" for name, value in {**own, **given}.items()]
        command = [self._terraform, "apply", "-auto-approve", "-no-color", *values]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True)
        return done.stderr if done.returncode else ""

    def output(self, name: str) -> Any:
        command = [self._terraform, "output", "-json", name]
        return json.loads(subprocess.run(command, cwd=self._folder, capture_output=True, check=True).stdout)


@pytest.fixture
def module(terraform: str, tmp_path: Path, packaged: Template) -> Module:
    return Module(terraform, tmp_path, packaged)


def test_the_stack_gets_the_defaults_of_the_template(module: Module, parameters: dict[str, Any]) -> None:
    assert module.apply() == ""
    given = module.output("parameters")
    left = set(parameters) - set(given)
    secret = {name for name, each in parameters.items() if each.get("NoEcho")}
    of_functions = {name for name in parameters if OF_FUNCTIONS.search(name)}
    assert left == (secret | of_functions | BY_PACKAGE | OF_OTHER_NETWORKS) - {"Release"}
    assert given == {name: str(parameters[name].get("Default")) for name in given} | {"Release": given["Release"]}


def test_values_reach_the_stack_as_it_takes_them(module: Module) -> None:
    given = {
        "operator_token": "the-token-of-tests-32-characters-",
        "gateway_config": '{cors_origins=["https://a.example","https://b.example"]}',
        "data_quality_config": "{thresholds={completeness=0.95},strict_mode=true}",
        "opensky_config": "{daily_credits=8000}",
        "runtime_config": "{log_retention=30}",
        "enable_tracing": "false",
        "database_config": '{network="existing",subnet_ids=["subnet-1","subnet-2"],security_group_ids=["sg-1"]}',
    }
    assert module.apply(**given) == ""
    parameters = module.output("parameters")
    assert parameters["OperatorToken"] == "the-token-of-tests-32-characters-"
    assert parameters["CorsOrigins"] == "https://a.example,https://b.example"
    assert json.loads(parameters["FlightsThresholds"]) == {"completeness": 0.95}
    assert parameters["FlightsStrictMode"] == "true"
    assert parameters["OpenSkyDailyCredits"] == "8000"
    assert parameters["LogRetention"] == "30"
    assert parameters["Tracing"] == "DISABLED"
    assert (parameters["SubnetIds"], parameters["SecurityGroupIds"]) == ("subnet-1,subnet-2", "sg-1")


def test_a_function_is_configured_by_its_name(module: Module, parameters: dict[str, Any]) -> None:
    config = (
        '{ingestion={memory_size=1024,reserved_concurrency=0,schedule="rate(1 hour)"},process_flights={},'
        'api_handler={provisioned_concurrency=2,environment_variables={OMNIBUS_LOG="x"}}}'
    )
    assert module.apply(lambda_config=config) == ""
    given = module.output("parameters")

    def limits(name: str, **own: int) -> str:
        return limits_text(own, parameters[f"{name}Limits"]["Default"])

    assert given["IngestFlightsLimits"] == limits("IngestFlights", memory=1024, reserved=0)
    assert given["IngestFlightsSchedule"] == "rate(1 hour)"
    assert given["ProcessFlightsLimits"] == limits("ProcessFlights")
    assert given["APIHandlerLimits"] == limits("APIHandler", provisioned=2)
    assert json.loads(given["APIHandlerEnvironment"]) == {"OMNIBUS_LOG": "x"}


def test_a_release_is_named_after_package_and_parameters(module: Module) -> None:
    names = []
    log_level = '{log_level="DEBUG"}'
    for given in (
        {},
        {},
        {"runtime_config": log_level},
        {"operator_token": "another-token-of-32-characters-min"},
        {"release": "mine000001"},
    ):
        assert module.apply(**given) == ""
        names.append(module.output("parameters")["Release"])
    assert names[0] == names[1]
    assert len(set(names)) == 4
    assert names[-1] == "mine000001"
    assert all(re.fullmatch("[0-9a-z]{10}", name) for name in names)


def test_what_the_template_refuses_terraform_refuses_before(module: Module) -> None:
    """All of it at once, because each run of Terraform takes half a second."""
    functions = '{ingestion={reserved_concurrency=-1},fly={memory_size=512},migrate={schedule="rate(1 hour)"}}'
    refused = {
        "stage": ("production", "Stage: is production; expected one of local, dev, staging, prod"),
        "uploads_config": ("{max_bytes=0}", "UploadMaxBytes: is 0; expected at least 1"),
        "canary_config": ("{percentage=100}", "CanaryPercentage: is 100; expected at most 99"),
        "database_config": ('{vpc_cidr="10.0.0.0/8"}', "VpcCidr: is 10.0.0.0/8; expected a text like"),
        "runtime_config": ("{log_retention=8}", "LogRetention: is 8; expected one of"),
        "lambda_config": (functions, "IngestFlightsLimits: is 512,60,-1,0; expected a text"),
    }
    found = plain(module.apply(**{name: value for name, (value, _) in refused.items()}))
    for _, said in refused.values():
        assert said in found
    assert "FlyLimits: the template has no such parameter" in found
    assert "MigrateSchedule: the template has no such" in found


def test_what_no_function_can_have_is_refused_by_the_variable(module: Module) -> None:
    found = plain(module.apply(lambda_config="{ingestion={memory_size=64,timeout=901}}"))
    assert "Expected a memory_size from 128 to 10240." in found
    assert "Expected a timeout from 1 to 900." in found


def plain(said: str) -> str:
    """Terraform's errors without the frame and the line breaks in them."""
    return re.sub(r"\s*\n[│\s]*", " ", said)


def test_the_template_names_the_uploaded_artifacts_and_is_the_same_otherwise(
    module: Module, packaged: Template
) -> None:
    assert module.apply() == ""
    sent = json.loads(module.output("template"))
    written, release = json.dumps(packaged), module.output("parameters")["Release"]
    unnamed = packaged["Parameters"]["Release"]["Default"]
    packaged_template = json.loads(written.replace(json.dumps(unnamed), json.dumps(release)))
    assert sent["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["info"]["version"] == release
    for name, resource in packaged_template["Resources"].items():
        properties = dict(resource.get("Properties", {}))
        for key in {"CodeUri", "ContentUri"} & properties.keys():
            place = sent["Resources"][name]["Properties"][key]
            assert re.fullmatch(r"s3://artifacts/[0-9a-f]{64}\.zip", place), name
            properties[key] = place
        assert sent["Resources"][name].get("Properties", {}) == properties, name
    assert {key: value for key, value in sent.items() if key != "Resources"} == {
        key: value for key, value in packaged_template.items() if key != "Resources"
    }
