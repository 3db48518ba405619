"""Package the application for CloudFormation: `python -m infra.package --stage prod --out dist`.

`chalice package` makes the functions, their roles and the APIs from app.py and .chalice/config.json. The overlay
declares the rest, in one YAML fragment per workload in template/fragments. The fragments are merged into one template,
which Chalice merges into its own. Packaging works on a copy and does not touch the tree.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from infra.artifacts import bytecode
from infra.artifacts.budget import exceeded, table, weigh
from infra.artifacts.build import Artifact, build
from infra.artifacts.errors import PackagingError as PackagingError
from infra.artifacts.target import DEFAULT_ARCHITECTURE, DEFAULT_RUNTIME, MACHINES, Target, release_target
from infra.console import SITE, ConsoleError
from infra.console import build as build_console
from infra.template.methods import refusing_other_methods
from infra.template.names import FUNCTION, compact
from infra.template.stack import completed, released
from infra.template.workloads import SECTION, workloads

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("app.py", "chalicelib", ".chalice")
STAGES = ("local", "dev", "staging", "prod")
PLACE = Path("infra", "template", "fragments")
FRAGMENTS = ROOT / PLACE
SHORT_FORMS_WITHOUT_PREFIX = {"Ref", "Condition"}


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short forms (`!Sub`) at any depth; Chalice's own loader drops nested ones."""


def _construct_short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # YAML has no fourth kind
    return {suffix if suffix in SHORT_FORMS_WITHOUT_PREFIX else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _construct_short_form)


def read_fragment(path: Path) -> dict[str, Any]:
    """One overlay fragment with its short forms expanded; PackagingError if it is not a YAML mapping."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # nosec B506  # a SafeLoader
    except yaml.YAMLError as error:
        raise PackagingError(f"{path.name} is not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise PackagingError(f"{path.name} is not a template: expected a mapping at the top")
    return content


def merge(ours: Mapping[str, Any], theirs: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Both mappings, merged at every depth; PackagingError if they give two values for one key."""
    merged = dict(ours)
    for key, value in theirs.items():
        path = f"{where}.{key}"
        if key not in merged:
            merged[key] = value
        elif isinstance(merged[key], dict) and isinstance(value, dict):
            merged[key] = merge(merged[key], value, path)
        elif merged[key] != value:
            raise PackagingError(f"{path} is given twice, with different values: {merged[key]!r} and {value!r}")
    return merged


def read_fragments(folder: Path = FRAGMENTS) -> dict[str, dict[str, Any]]:
    """All fragments by name."""
    return {path.stem: read_fragment(path) for path in sorted(folder.glob("*.yaml"))}


def overlay(fragments: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """All fragments as one template."""
    merged: dict[str, Any] = {}
    for name, fragment in fragments.items():
        merged = merge(merged, {key: value for key, value in fragment.items() if key != SECTION}, f"{name}.yaml")
    return merged


def package(stage: str, out: Path, *, root: Path = ROOT, target: Target | None = None) -> Path:
    """Write `sam.json` for `stage`, and the files that it refers to, into `out`; return the template's path.

    With a target: `deployment.zip` with the light libraries, the layers, and a bill of materials for each, all for that
    target. Without: `deployment.zip` with only the code; the local cloud's interpreter has the libraries already.
    """
    if target is not None:
        bytecode.interpreter(target)  # before anything is written
    for stale in (path for pattern in ("*.zip", "*.cdx.json") for path in out.glob(pattern)):
        stale.unlink()
    fragments = read_fragments(root / PLACE)
    with tempfile.TemporaryDirectory(prefix="omnibus-package-") as folder:
        project = Path(folder)
        _copy_sources(root, project)
        (project / "requirements.txt").touch()  # Chalice packages only the code; the libraries are added below
        merge_template = project / "overlay.json"
        merge_template.write_text(json.dumps(overlay(fragments)), encoding="utf-8")
        _run_chalice(project, stage, merge_template, out)
    packaged = json.loads((out / "sam.json").read_text(encoding="utf-8"))
    if target is not None:
        packaged = _targeted(packaged, target)
        _complete(build(out / "deployment.zip", target, root, out))
    config = json.loads((root / ".chalice" / "config.json").read_text(encoding="utf-8"))
    whole = completed(refusing_other_methods(packaged), config, stage, workloads(fragments))
    (out / "sam.json").write_text(compact(released(whole, out.glob("**/*.zip"))), encoding="utf-8")
    _inspect_code(out / "deployment.zip", root)
    _inspect_template(out / "sam.json")
    return out / "sam.json"


def _targeted(template: Mapping[str, Any], target: Target) -> dict[str, Any]:
    """The template with the target's runtime and processor instead of this Python's."""
    own = {"Runtime": target.runtime, "Architectures": [target.architecture]}
    resources = {
        name: {**resource, "Properties": {**resource["Properties"], **own}}
        if resource.get("Type") == FUNCTION
        else resource
        for name, resource in template["Resources"].items()
    }
    return {**template, "Resources": resources}


def _complete(artifacts: Sequence[Artifact]) -> None:
    """Write the bills of materials and print all sizes; PackagingError if they exceed the budget."""
    if find_spec("cyclonedx"):
        from infra.artifacts import sbom  # slower to import than all the rest of packaging

        for artifact in artifacts:
            sbom.write(artifact)
    else:
        print("no bill of materials: run `pip install -r requirements-dev.txt` to get its library", file=sys.stderr)
    weights = weigh(artifacts)
    print(table(weights), file=sys.stderr)
    if problems := exceeded(weights):
        raise PackagingError("the package is too large for its budget:\n" + "\n".join(problems))


def _copy_sources(root: Path, project: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "deployments", "deployed")
    for name in SOURCES:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=ignored)
        else:
            shutil.copy2(source, project / name)


def _run_chalice(project: Path, stage: str, merge_template: Path, out: Path) -> None:
    command = [sys.executable, "-c", "import sys; from chalice.cli import main; sys.exit(main())"]
    arguments = ["package", "--stage", stage, "--template-format", "json", "--merge-template", str(merge_template)]
    # Chalice creates a session even though packaging calls no service; it must not find the developer's account.
    own = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}  # nosec B105  # not real
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OMNIBUS_"))}
    done = subprocess.run(
        [*command, *arguments, str(out.resolve())],
        cwd=project,
        env={**inherited, **own, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    # Chalice prints this, writes a zip that lacks the libraries, and exits with 0.
    incomplete = "Could not install dependencies" in done.stdout + done.stderr
    if done.returncode != 0 or incomplete:
        raise PackagingError(f"chalice package failed:\n{done.stdout}{done.stderr}".rstrip())


def _inspect_code(archive: Path, root: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        packed = set(opened.namelist())
    expected = {path.relative_to(root).as_posix() for path in (root / "chalicelib").rglob("*.py")} | {"app.py"}
    expected |= {"chalice/__init__.py", "chalice/app.py"}
    if missing := sorted(expected - packed):
        raise PackagingError(f"{archive.name} lacks {', '.join(missing)}")


def _inspect_template(path: Path) -> None:
    resources = json.loads(path.read_text(encoding="utf-8"))["Resources"]
    if typeless := sorted(name for name, resource in resources.items() if "Type" not in resource):
        raise PackagingError(
            f"infra/ adds to {', '.join(typeless)}, which is declared nowhere: app.py lacks the function,"
            " or the fragment lacks the Type"
        )


def main() -> None:
    """Package for the stage that the command line names."""
    parser = argparse.ArgumentParser(description="Package the application for CloudFormation.")
    parser.add_argument("--stage", choices=STAGES, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--runtime", default=DEFAULT_RUNTIME)
    parser.add_argument("--architecture", choices=MACHINES, default=DEFAULT_ARCHITECTURE)
    parser.add_argument("--code-only", action="store_true", help="leave the libraries out, as the local cloud does")
    options = parser.parse_args()
    try:
        target = None if options.code_only else release_target(options.runtime, options.architecture)
        if target is not None:
            build_console()
            shutil.rmtree(options.out / "console", ignore_errors=True)
            shutil.copytree(SITE, options.out / "console", ignore=shutil.ignore_patterns("*.gz"))
        print(package(options.stage, options.out, target=target))
    except (PackagingError, ConsoleError) as error:
        sys.exit(f"infra.package: {error}")


if __name__ == "__main__":
    main()
