"""The package as it is released, but for the Python that runs the tests; each function in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.artifacts.build import built, unpack
from infra.package import ROOT, package
from local.cloud import Cloud
from tests.package.hosts import HERE
from tests.patience import PATIENCE_S

WORKER = Path(__file__).with_name("worker.py")
PARTS = {"ArrowLayer": "arrow", "MlLayer": "ml"}


class Packaged:
    """A built package, unpacked as Lambda mounts it for each function."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.dist = folder / "dist"
        self.template = json.loads(package("dev", self.dist, target=HERE).read_text(encoding="utf-8"))
        self._artifacts = built(HERE, ROOT, self.dist)

    def declared(self, function: str) -> Any:
        """What the template says of a function."""
        name = "APIHandler" if function == "api_handler" else "".join(word.title() for word in function.split("_"))
        return self.template["Resources"][name]["Properties"]

    def layers(self, function: str) -> tuple[str, ...]:
        """The parts that the template gives a function."""
        layers = self.declared(function).get("Layers", [])
        return ("base", *(PARTS[layer["Ref"]] for layer in layers if layer.get("Ref") in PARTS))

    def paths(self, function: str) -> list[Path]:
        """What a function has on its path besides Python's own library."""
        parts = self.layers(function)
        mounted = self._folder / "-".join(parts)
        return unpack(self._artifacts, parts, mounted) if not mounted.exists() else _mounts(mounted)


def _mounts(mounted: Path) -> list[Path]:
    return [path for path in (mounted / "var" / "task", mounted / "opt" / "python") if path.exists()]


class Function:
    """A function of the package in a process of its own, kept until the tests of the module end."""

    def __init__(self, name: str, handler: str, paths: list[Path], environment: Mapping[str, str]) -> None:
        self._name = name
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", str(WORKER), handler, *map(str, paths)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # All symbols are looked for at once: a library that was left out, but is needed, shows.
            env={**environment, "LD_BIND_NOW": "1", "AWS_LAMBDA_FUNCTION_NAME": name},
            text=True,
        )
        self.modules: set[str] = set()

    def __call__(self, event: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"{self._name} ended: its words are in what pytest captured"
        answer = json.loads(line)
        assert "error" not in answer, answer["traceback"]
        assert answer["foreign"] == [], "modules from elsewhere than the package"
        self.modules = set(answer["modules"])
        return answer["result"]

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=PATIENCE_S)
        self._process.stdout.close()


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    """The package for this Python and this processor."""
    return Packaged(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def function(packaged: Packaged, cloud: Cloud) -> Iterator[Callable[[str], Function]]:
    """Start a function of the package by its name, in the environment that the local cloud gives it."""
    started: dict[str, Function] = {}
    functions = cloud.client("lambda")

    def start(name: str) -> Function:
        if name not in started:
            configured = functions.get_function_configuration(FunctionName=cloud.functions[name])
            variables = configured["Environment"]["Variables"]
            handler = packaged.declared(name)["Handler"].removeprefix("app.")
            started[name] = Function(name, handler, packaged.paths(name), {**variables, **cloud.environment})
        return started[name]

    yield start
    for each in started.values():
        each.end()
