"""What is derived from the packaged template: the stack without functions, and the project that Chalice reads."""

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.deployment.inner_loop import complete
from infra.deployment.intrinsics import references
from infra.deployment.parameters import known
from infra.deployment.problems import DeploymentError
from infra.deployment.project import NOT_MADE_YET, api_references, application_name, made_by_chalice, policy_of, render
from infra.deployment.release import RESOURCES_ONLY, Site, packaged_for
from infra.deployment.resources import output_name, resources_template
from infra.deployment.stages import Stage
from infra.package import ROOT
from infra.template.names import FUNCTION

Template = dict[str, Any]
STAGE = Stage("dev", "omnibus-dev", secrets={"OperatorToken": "the-token-of-tests-32-characters-"})
DATA = (
    "AWS::S3::Bucket",
    "AWS::DynamoDB::Table",
    "AWS::SQS::Queue",
    "AWS::SNS::Topic",
    "AWS::KMS::Key",
    "AWS::Cognito::UserPool",
    "AWS::SecretsManager::Secret",
    "AWS::StepFunctions::StateMachine",
    "AWS::Serverless::LayerVersion",
)


@pytest.fixture(scope="session")
def derived(packaged: Template) -> Template:
    return resources_template(packaged)


def of_kinds(template: Template, *kinds: str) -> set[str]:
    return {name for name, each in template["Resources"].items() if each["Type"] in kinds}


def test_everything_that_functions_live_on_stays_and_nothing_that_belongs_to_them(
    packaged: Template, derived: Template
) -> None:
    assert of_kinds(derived, *DATA) == of_kinds(packaged, *DATA)
    assert (
        of_kinds(derived, FUNCTION, "AWS::Serverless::Api", "AWS::ApiGatewayV2::Api", "AWS::Lambda::Permission")
        == set()
    )
    functions = [packaged["Resources"][name] for name in of_kinds(packaged, FUNCTION)]
    assert {each["Properties"]["Role"]["Fn::GetAtt"][0] for each in functions}.isdisjoint(derived["Resources"])


def test_what_stays_refers_only_to_what_is_there(derived: Template) -> None:
    there = {*derived["Resources"], *derived["Parameters"]}
    for name, each in {**derived["Resources"], **derived["Outputs"]}.items():
        missing = {reference.partition(".")[0] for reference in references(each)} - there
        assert {reference for reference in missing if not reference.startswith("AWS::")} == set(), name
        depends = each.get("DependsOn", [])
        assert set(depends if isinstance(depends, list) else [depends]) <= there, name


def test_every_function_has_its_log_group_under_the_name_that_chalice_gives_it(derived: Template) -> None:
    groups = {
        json.dumps(derived["Resources"][name]["Properties"].get("LogGroupName"))
        for name in of_kinds(derived, "AWS::Logs::LogGroup")
    }
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    for function in config["lambda_functions"]:
        suffix = "" if function == "api_handler" else f"-{function}"
        assert json.dumps({"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}{suffix}"}) in groups, function


def test_the_state_machine_calls_functions_by_their_names(derived: Template) -> None:
    (machine,) = of_kinds(derived, "AWS::StepFunctions::StateMachine")
    text = json.dumps(derived["Resources"][machine])
    assert "function:${AWS::StackName}-predict_plan:live" in text
    assert "${PredictPlan" not in text


def test_the_stack_is_marked_and_tells_what_functions_need(packaged: Template, derived: Template) -> None:
    assert derived["Outputs"][RESOURCES_ONLY]["Value"] == "true"
    assert RESOURCES_ONLY not in packaged["Outputs"]
    assert derived["Outputs"][output_name("ArrowLayer")] == {"Value": {"Ref": "ArrowLayer"}}
    assert derived["Outputs"][output_name("ModelSigningKey.Arn")]["Condition"] == "MakesModelSigningKey"
    assert len(derived["Outputs"]) <= 200


@pytest.mark.slow
def test_the_stack_without_functions_is_valid(derived: Template, tmp_path: Path) -> None:
    path = tmp_path / "resources.json"
    path.write_text(json.dumps(derived))
    left_over = ["W2001", "W7001", "W8001"]  # parameters, mappings and conditions that only functions use
    tool = str(Path(sys.executable).with_name("cfn-lint"))
    command = [tool, "--ignore-checks", *left_over, "--template", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_bucket_that_needs_a_function_is_refused(packaged: Template) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "RestAPI"}}}
    with pytest.raises(DeploymentError, match=r"Entangled refers to .*\(RestAPI\)"):
        resources_template({**packaged, "Resources": {**packaged["Resources"], "Entangled": bucket}})


def test_the_package_says_for_which_stage_it_is(packaged: Template) -> None:
    assert packaged_for(packaged) == {"dev"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with linked code, which protects the real one from writes."""
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text((ROOT / ".chalice" / "config.json").read_text())
    for name in ("app.py", "chalicelib"):
        (tmp_path / name).symlink_to(ROOT / name)
    with zipfile.ZipFile(tmp_path / "deployment.zip", "w") as archive:
        for name in (
            "app.py",
            "chalicelib/settings.py",
            "chalice/app.py",
            "msgspec/__init__.py",
            "__pycache__/app.pyc",
        ):
            archive.writestr(name, "")
    return tmp_path


@pytest.fixture
def project(tree: Path, packaged: Template) -> Path:
    names = known(
        replace(STAGE, account="123456789012"),
        packaged,
        {"OperatorToken": "the-token-of-tests-32-characters-", "Stage": "dev"},
    )
    names = replace(names, references={"ArrowLayer": "arn:layer:arrow:7"} | api_references(STAGE, tree))
    return render(STAGE, packaged, names, root=tree, package=tree)


def config(project: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((project / ".chalice" / "config.json").read_text())
    return loaded


def test_the_project_has_the_code_by_link_and_the_libraries_of_the_package(project: Path, tree: Path) -> None:
    assert (project / "app.py").resolve() == (ROOT / "app.py").resolve()
    assert sorted(
        path.relative_to(project).as_posix() for path in (project / "vendor").rglob("*") if path.is_file()
    ) == ["vendor/msgspec/__init__.py"]
    assert (project / "requirements.txt").read_text() == ""
    assert (project / ".chalice" / "deployed").resolve() == tree / ".chalice" / "deployed"


def test_the_configuration_names_the_resources_and_the_limits(project: Path) -> None:
    written = config(project)
    assert (written["app_name"], written["autogen_policy"]) == ("omnibus", False)
    dev = written["stages"]["dev"]
    assert dev["environment_variables"]["OMNIBUS_FLIGHTS_BUCKET"] == "omnibus-dev-flights-123456789012"
    assert dev["environment_variables"]["OMNIBUS_UPLOADS_OUTBOX"] == "omnibus-dev-upload-notices"
    assert "the-token-of-tests-32-characters-" not in json.dumps(written)
    functions = dev["lambda_functions"]
    own = json.loads((ROOT / ".chalice" / "config.json").read_text())["lambda_functions"]
    assert functions.keys() == own.keys()
    for name, function in functions.items():
        assert function["lambda_memory_size"] == own[name]["lambda_memory_size"], name
        assert function["lambda_timeout"] == own[name]["lambda_timeout"], name
        assert function.get("reserved_concurrency") == own[name].get("reserved_concurrency"), name
    assert "arn:layer:arrow:7" in functions["process_flights"]["layers"]
    assert "Fn::" not in json.dumps(written)


def test_the_file_with_the_operators_token_is_for_its_owner_alone(project: Path) -> None:
    assert (project / ".chalice" / "config.json").stat().st_mode & 0o077 == 0


def test_policies_are_plain_and_as_narrow_as_the_templates(project: Path) -> None:
    for name in config(project)["stages"]["dev"]["lambda_functions"]:
        text = (project / ".chalice" / f"policy-{name}.json").read_text()
        assert "Fn::" not in text, name
        assert "${AWS::" not in text, name
        for statement in json.loads(text)["Statement"]:
            assert "*" not in statement["Action"], name
    assert ":log-group:/aws/lambda/omnibus-dev:*" in (project / ".chalice" / "policy-api_handler.json").read_text()


def test_a_function_in_a_network_may_attach_to_it_by_its_own_policy(packaged: Template) -> None:
    """Chalice deletes a role with its own policies; one that was attached besides would keep it from that."""
    network = {"DatabaseNetwork": "existing", "SubnetIds": "subnet-1", "SecurityGroupIds": "sg-1"}
    for given, expected in ((network, True), ({}, False)):
        names = known(replace(STAGE, account="123456789012"), packaged, given)
        statements = policy_of(packaged, "ComputeFeatures", names)["Statement"]
        assert any("ec2:CreateNetworkInterface" in each["Action"] for each in statements) is expected


class Answering:
    """A service that answers every question with nothing."""

    def __getattr__(self, _operation: str) -> Any:
        return lambda *_arguments, **_request: Answering()

    def __getitem__(self, _name: str) -> list[Any]:
        return []


def test_what_is_added_to_chalices_functions_is_nothing_that_it_could_not_delete(packaged: Template) -> None:
    asked: list[str] = []

    def client(service: str) -> Any:
        asked.append(service)
        return Answering()

    network = {"DatabaseNetwork": "existing", "SubnetIds": "subnet-1", "SecurityGroupIds": "sg-1"}
    names = known(replace(STAGE, account="123456789012"), packaged, network)
    complete(Site(STAGE, client, lambda _line: None), packaged, names)
    assert asked == ["lambda"]


def test_what_chalice_made_is_found_again(project: Path, tree: Path) -> None:
    assert made_by_chalice(STAGE, tree) == {}
    assert api_references(STAGE, tree)["WebsocketAPI"] == NOT_MADE_YET
    resources = [
        {"name": "rest_api", "rest_api_id": "r1"},
        {"name": "websocket_api", "websocket_api_id": "w1"},
    ]
    (tree / ".chalice" / "deployed" / "dev.json").write_text(json.dumps({"resources": resources}))
    assert api_references(STAGE, tree) == {
        "RestAPI": "r1",
        "WebsocketAPI": "w1",
        "ConsoleDistribution.DomainName": "no-console.invalid",
    }


def test_chalice_needs_a_stack_that_ends_with_its_stage() -> None:
    assert application_name(Stage("dev", "acme-omnibus-dev")) == "acme-omnibus"
    with pytest.raises(DeploymentError, match="ends with -dev"):
        application_name(Stage("dev", "omnibus"))
