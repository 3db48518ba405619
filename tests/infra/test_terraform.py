"""The Terraform module against the packaged template: the same knobs, typed, and the same outputs."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.terraform_variables import COMPARED, FOLDER, OF_THE_PACKAGE, files, packaged, snake, variables

Templates = dict[str, dict[str, Any]]
GENERATED = ("variables.tf", "parameters.tf", "outputs.tf")


@pytest.fixture(scope="session")
def templates() -> Templates:
    return packaged()


@pytest.fixture(scope="session")
def parameters(templates: Templates) -> dict[str, Any]:
    declared: dict[str, Any] = templates[COMPARED[0]]["Parameters"]
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


def test_the_files_are_what_the_template_says(templates: Templates) -> None:
    for name, text in files(templates).items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, f"run `python -m infra.terraform_variables`: {name}"


def test_every_parameter_is_a_variable_and_every_variable_a_parameter(parameters: dict[str, Any]) -> None:
    text = (FOLDER / "variables.tf").read_text(encoding="utf-8")
    assert sorted(re.findall(r'^variable "(\w+)"', text, re.MULTILINE)) == sorted(map(snake, parameters))


def test_variables_have_the_types_that_the_parameters_mean(templates: Templates) -> None:
    types = {each.parameter: each.type for each in variables(templates)}
    assert types["OpenSkyDailyCredits"] == "number"
    assert types["FlightsStrictMode"] == "bool"
    assert types["UploadOrigins"] == "list(string)"
    assert types["SubnetIds"] == types["CorsOrigins"] == "list(string)"
    assert types["FlightsThresholds"] == "map(any)"
    assert types["FlightsBox"] == types["LogLevel"] == "string"


def test_secrets_are_sensitive_and_nothing_else_is(parameters: dict[str, Any]) -> None:
    text = (FOLDER / "variables.tf").read_text(encoding="utf-8")
    for name, declared in parameters.items():
        assert ("sensitive" in block("variable", snake(name), text)) == bool(declared.get("NoEcho")), name


def test_every_output_of_the_stack_is_one_of_the_module(templates: Templates) -> None:
    text = (FOLDER / "outputs.tf").read_text(encoding="utf-8")
    for name in templates[COMPARED[0]]["Outputs"]:
        assert f'outputs, "{name}"' in block("output", snake(name), text)


def test_the_module_uploads_every_file_that_the_template_names(templates: Templates) -> None:
    named = {
        value
        for resource in templates[COMPARED[0]]["Resources"].values()
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
        for name in GENERATED[:2]:
            shutil.copy(FOLDER / name, folder)
        main = (FOLDER / "main.tf").read_text(encoding="utf-8")
        merged = re.search(r"parameters = (merge\(.*?\n  \))", main, re.DOTALL)
        assert merged
        own = "".join(
            f'variable "{name}" {{\n{block("variable", name, main)}}}\n'
            for name in ("package", "artifact_bucket", "stack_name")
        )
        local = re.search(r"^locals {\n.*?^}\n", main, re.MULTILINE | re.DOTALL)
        assert local
        parameters = f'output "parameters" {{\n  sensitive = true\n  value = {merged[1]}\n}}\n'
        out = parameters + 'output "template" {\n  value = local.template\n}\n'
        (folder / "main.tf").write_text(own + local[0] + out, encoding="utf-8")
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
def module(terraform: str, tmp_path: Path, templates: Templates) -> Module:
    return Module(terraform, tmp_path, templates[COMPARED[0]])


def test_the_stack_gets_the_defaults_of_the_template(module: Module, templates: Templates) -> None:
    assert module.apply() == ""
    given = module.output("parameters")
    declared = templates[COMPARED[0]]["Parameters"]
    left = {name for name in declared if name not in given}
    secret = {name for name, each in declared.items() if each.get("NoEcho")}
    differing = {
        name
        for name in declared
        if declared[name].get("Default") != templates["prod"]["Parameters"][name].get("Default")
    }
    assert left == (secret | differing | OF_THE_PACKAGE) - {"Release"}
    assert given == {name: str(declared[name].get("Default")) for name in given} | {"Release": given["Release"]}


def test_values_reach_the_stack_as_it_takes_them(module: Module) -> None:
    given = {
        "operator_token": "secret",
        "cors_origins": '["https://a.example","https://b.example"]',
        "flights_thresholds": "{completeness=0.95}",
        "flights_strict_mode": "true",
        "open_sky_daily_credits": "8000",
        "log_retention": "30",
    }
    assert module.apply(**given) == ""
    parameters = module.output("parameters")
    assert parameters["OperatorToken"] == "secret"
    assert parameters["CorsOrigins"] == "https://a.example,https://b.example"
    assert json.loads(parameters["FlightsThresholds"]) == {"completeness": 0.95}
    assert parameters["FlightsStrictMode"] == "true"
    assert parameters["OpenSkyDailyCredits"] == "8000"
    assert parameters["LogRetention"] == "30"


def test_a_release_is_named_after_package_and_parameters(module: Module) -> None:
    names = []
    for given in ({}, {}, {"log_level": "DEBUG"}, {"operator_token": "another"}, {"release": "mine000001"}):
        assert module.apply(**given) == ""
        names.append(module.output("parameters")["Release"])
    assert names[0] == names[1]
    assert len(set(names)) == 4
    assert names[-1] == "mine000001"
    assert all(re.fullmatch("[0-9a-z]{10}", name) for name in names)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("stage", "production", "Expected one of local, dev, staging, prod."),
        ("upload_max_bytes", "0", "Expected at least 1."),
        ("vpc_cidr", "10.0.0.0/8", "Expected a text like"),
        ("log_retention", "8", "Expected one of"),
    ],
)
def test_what_the_template_refuses_terraform_refuses_before(module: Module, name: str, value: str, said: str) -> None:
    assert said in module.apply(**{name: value})


def test_the_template_names_the_uploaded_artifacts_and_is_the_same_otherwise(
    module: Module, templates: Templates
) -> None:
    assert module.apply() == ""
    sent = json.loads(module.output("template"))
    written, release = json.dumps(templates[COMPARED[0]]), module.output("parameters")["Release"]
    unnamed = templates[COMPARED[0]]["Parameters"]["Release"]["Default"]
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
