"""The overlay: one fragment for each workload, merged into one template, with no value lost in silence."""

import json
import zipfile
from pathlib import Path

import pytest

from infra.package import PackagingError, overlay, package, read_fragment, read_fragments

APP = """
from chalice import Chalice
app = Chalice("tiny")

@app.lambda_function()
def work(event, context):
    return {}
"""


def fragment(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def project(root: Path, overlay_text: str) -> Path:
    (root / ".chalice").mkdir()
    (root / "chalicelib").mkdir()
    (root / "infra" / "template" / "fragments").mkdir(parents=True)
    (root / "app.py").write_text(APP)
    (root / "chalicelib" / "__init__.py").touch()
    (root / "requirements.txt").touch()
    (root / ".chalice" / "config.json").write_text('{"version": "2.0", "app_name": "tiny"}')
    fragment(root / "infra" / "template" / "fragments", "core.yaml", overlay_text)
    return root


def test_short_forms_are_spelled_out_at_any_depth(tmp_path: Path) -> None:
    value = '!If [Has, !Join ["_", !Split ["-", !Sub "${AWS::StackName}"]], !GetAtt Queue.Arn]'
    text = f"Value: {value}\nCondition: !Ref Has\n"
    assert read_fragment(fragment(tmp_path, "a.yaml", text)) == {
        "Value": {
            "Fn::If": [
                "Has",
                {"Fn::Join": ["_", {"Fn::Split": ["-", {"Fn::Sub": "${AWS::StackName}"}]}]},
                {"Fn::GetAtt": ["Queue", "Arn"]},
            ]
        },
        "Condition": {"Ref": "Has"},
    }


def test_fragments_become_one_template(tmp_path: Path) -> None:
    fragment(tmp_path, "b.yaml", "Globals: {Function: {MemorySize: 128}}\nOutputs: {B: {Value: 2}}\n")
    fragment(tmp_path, "a.yaml", "Globals: {Function: {Timeout: 5}}\nOutputs: {A: {Value: 1}}\n")
    assert overlay(read_fragments(tmp_path)) == {
        "Globals": {"Function": {"Timeout": 5, "MemorySize": 128}},
        "Outputs": {"A": {"Value": 1}, "B": {"Value": 2}},
    }


def test_fragments_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    fragment(tmp_path, "a.yaml", "Globals: {Function: {Timeout: 5}}\n")
    fragment(tmp_path, "b.yaml", "Globals: {Function: {Timeout: 6}}\n")
    with pytest.raises(PackagingError, match=r"b\.yaml\.Globals\.Function\.Timeout is given twice.*5 and 6"):
        overlay(read_fragments(tmp_path))


@pytest.mark.parametrize("text", ["- a list\n", "just text\n", "a: [unclosed\n"])
def test_what_is_not_a_template_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(PackagingError, match=r"broken\.yaml is not"):
        read_fragment(fragment(tmp_path, "broken.yaml", text))


def test_a_package_has_the_code_and_the_overlay(tmp_path: Path) -> None:
    root = project(tmp_path, "Resources: {Work: {Properties: {FunctionName: !Sub '${AWS::StackName}-work'}}}\n")
    template = json.loads(package("local", tmp_path / "out", root=root).read_text())
    assert template["Resources"]["Work"]["Properties"]["FunctionName"] == {"Fn::Sub": "${AWS::StackName}-work"}
    assert template["Resources"]["Work"]["Type"] == "AWS::Serverless::Function"
    with zipfile.ZipFile(tmp_path / "out" / "deployment.zip") as archive:
        assert {"app.py", "chalicelib/__init__.py", "chalice/app.py"} <= set(archive.namelist())


def test_properties_for_a_function_that_does_not_exist_are_refused(tmp_path: Path) -> None:
    root = project(tmp_path, "Resources: {Wrok: {Properties: {Timeout: 5}}}\n")
    with pytest.raises(PackagingError, match="adds to Wrok, which is declared nowhere"):
        package("local", tmp_path / "out", root=root)


def test_an_application_that_cannot_be_imported_is_refused_with_its_error(tmp_path: Path) -> None:
    root = project(tmp_path, "Outputs: {}\n")
    (root / "app.py").write_text("raise ValueError('no such workload')\n")
    with pytest.raises(PackagingError, match="no such workload"):
        package("local", tmp_path / "out", root=root)
