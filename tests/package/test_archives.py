"""The content of the archives, and reproducible packaging."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from infra.artifacts.budget import exceeded, weigh
from infra.artifacts.build import built
from infra.artifacts.libraries import Library
from infra.package import ROOT, package
from tests.package.conftest import Packaged
from tests.package.hosts import HERE

ARCHIVES = ("deployment.zip", "arrow.zip", "ml.zip")
NUMERIC = ["predict_batch", "predict_plan", "predict_part", "predict_complete", "predict_tickets"]


def test_packaging_twice_gives_the_same_bytes(packaged: Packaged, tmp_path: Path) -> None:
    package("dev", tmp_path, target=HERE)
    for name in (*ARCHIVES, "deployment.cdx.json", "arrow.cdx.json", "ml.cdx.json", "sam.json"):
        assert (tmp_path / name).read_bytes() == (packaged.dist / name).read_bytes(), name


def test_the_budget_holds(packaged: Packaged) -> None:
    assert exceeded(weigh(built(HERE, ROOT, packaged.dist))) == []


def test_chalice_our_code_and_its_bytecode_are_in_the_zip(packaged: Packaged) -> None:
    with zipfile.ZipFile(packaged.dist / "deployment.zip") as opened:
        names = set(opened.namelist())
        modes = {entry.external_attr >> 16 & 0o777 for entry in opened.infolist()}
    assert {
        "app.py",
        "chalice/app.py",
        "chalicelib/wiring/__init__.py",
        "botocore/__init__.pyc",
        "msgspec/__init__.pyc",
    } <= names
    own = [name for name in names if name.endswith(".py")]
    compiled = {name for name in names if "__pycache__" in name}
    assert len(own) == len(compiled) > 100
    assert modes == {0o644}
    assert not any("/tests/" in name or name.endswith((".pyi", ".h", ".dist-info/RECORD")) for name in names)


EVERYTHING = """
import importlib, sys
sys.path[:0] = sys.argv[1:]
from skops.io._trusted_types import SKLEARN_ESTIMATOR_TYPE_NAMES as estimators
for name in estimators:
    module, _, kind = name.rpartition(".")
    getattr(importlib.import_module(module), kind)
packages = "fft", "integrate", "interpolate", "linalg", "ndimage", "optimize", "sparse", "spatial", "special", "stats"
modules = [*(f"scipy.{name}" for name in packages), "numpy.testing", "pandas", "pyarrow.compute", "pyarrow.json"]
for name in modules:
    importlib.import_module(name)
exec("from numpy import *")
print(len(estimators))
"""


def test_every_estimator_can_be_loaded_from_the_layers(packaged: Packaged) -> None:
    """With all symbols looked for at once: what was left out but is needed shows."""
    paths = [str(path) for path in packaged.paths("predict_batch")]
    run = [sys.executable, "-I", "-S", "-B", "-c", EVERYTHING, *paths]
    done = subprocess.run(run, env={"LD_BIND_NOW": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 150


def test_licences_are_shipped_and_named(packaged: Packaged) -> None:
    libraries: list[Library] = [each for artifact in built(HERE, ROOT, packaged.dist) for each in artifact.libraries]
    assert len(libraries) > 25
    for name in ("deployment", "arrow", "ml"):
        bill = json.loads((packaged.dist / f"{name}.cdx.json").read_text())
        assert all(component["licenses"] and component["version"] for component in bill["components"])
        with zipfile.ZipFile(packaged.dist / f"{name}.zip") as opened:
            files = opened.namelist()
        assert sum("LICEN" in file.upper() for file in files) >= len(bill["components"]) - 2


def test_layers_are_where_they_are_needed_and_nowhere_else(packaged: Packaged) -> None:
    functions = json.loads((ROOT / ".chalice" / "config.json").read_text())["lambda_functions"]
    layers = {name: packaged.layers(name) for name in functions if packaged.layers(name) != ("base",)}
    assert layers == {
        "process_flights": ("base", "arrow"),
        "compact_flights": ("base", "arrow"),
        "validate_flights": ("base", "arrow"),
        **dict.fromkeys(NUMERIC, ("base", "arrow", "ml")),
    }


def test_the_template_is_for_what_was_packaged(packaged: Packaged) -> None:
    parameters = packaged.template["Parameters"]
    assert parameters["Runtime"]["Default"] == HERE.runtime
    assert parameters["Architecture"]["Default"] == HERE.architecture
    for name in ("ArrowLayer", "MlLayer"):
        layer = packaged.template["Resources"][name]
        assert (packaged.dist / Path(layer["Properties"]["ContentUri"]).name).exists()
