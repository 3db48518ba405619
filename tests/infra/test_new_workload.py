"""A workload created by `make new-workload` works: its tests and the template's pass without further changes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.new_workload import WorkloadError, begin, tidy
from infra.package import ROOT

LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", ".*_cache", ".hypothesis", ".local", "__pycache__", "node_modules")
TREE = ("app.py", "chalicelib", ".chalice", ".gitignore", "docs", "infra", "local", "pyproject.toml", "tests")
OWN = ("tests/unit/tides", "tests/contract/test_tides.py", "tests/app/test_tides.py")
OF_THE_TREE = (
    *("tests/infra/test_stack.py", "tests/infra/test_template.py", "tests/infra/test_alarms.py"),
    *("tests/infra/test_dashboard.py", "tests/infra/test_cost.py", "tests/infra/test_deploy_parameters.py"),
    *("tests/unit/test_dependencies.py", "tests/unit/test_settings.py", "tests/unit/local/test_samples.py"),
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in TREE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=LEFT_OUT)
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.slow
def test_a_workload_that_was_just_begun_passes(tree: Path) -> None:
    tidy(begin("tides", tree), tree)
    assert "weather" not in (tree / "app.py").read_text()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *OWN, *OF_THE_TREE]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    style = [sys.executable, "-m", "ruff", "check", "app.py", "chalicelib", *OWN]
    done = subprocess.run(style, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["Weather", "sea-tides", "", "if", "global", "a", "x" * 21])
def test_a_name_that_no_module_can_have_is_refused(name: str, tree: Path) -> None:
    with pytest.raises(WorkloadError, match="expected 3 to 20 lower-case letters and digits"):
        begin(name, tree)


def test_a_workload_that_is_there_is_not_begun_again(tree: Path) -> None:
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    with pytest.raises(WorkloadError, match=r"flights: .*chalicelib/flights/models\.py.* exists already"):
        begin("flights", tree)
    (tree / "app.py").write_text("print('another application')\n")
    with pytest.raises(WorkloadError, match=r"app\.py: no line begins with .*; nothing was written"):
        begin("tides", tree)
    (tree / "app.py").write_bytes(before[tree / "app.py"])
    assert {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()} == before
