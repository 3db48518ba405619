"""The Makefile as a newcomer meets it: its help, and what each target installs."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
HEADINGS = ("Start", "Daily", "Check", "AWS", "Maintain")


def targets() -> dict[str, str]:
    """Every target of the Makefile, and what it depends on."""
    return dict(re.findall(r"^([a-z-]+): *([^#\n]*)", MAKEFILE, re.MULTILINE))


def test_help_is_in_groups_and_fits_a_terminal() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines if line and not line.startswith(" ")] == list(HEADINGS)
    assert max(map(len, lines)) <= 80, [line for line in lines if len(line) > 80]


def test_help_has_every_target_but_parts_of_others() -> None:
    documented = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))
    hidden = {name for name in targets() if not name.startswith("check-")} - documented
    assert hidden == {"help", "local-venv", "try-web"}


def test_every_target_is_phony() -> None:
    phony = re.search(r"^\.PHONY:((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)
    assert phony is not None
    assert set(phony[1].replace("\\\n", " ").split()) == targets().keys()


@pytest.mark.parametrize("target", ["demo", "up", "down", "status", "logs", "invoke", "local"])
def test_what_runs_the_local_cloud_installs_no_linter(target: str) -> None:
    assert set(targets()[target].split()) <= {"local-venv", "try-web"}
    assert targets()["try-web"].split() == ["local-venv"]


@pytest.mark.parametrize("tool", ["pytest", "hypothesis", "ruff", "mypy", "onnx", "skl2onnx", "playwright", "moto"])
def test_what_only_tests_and_checks_need_is_not_installed_for_the_demo(tool: str) -> None:
    assert f"\n{tool}==" not in (ROOT / "requirements-local.txt").read_text()
    assert f"\n{tool}==" in (ROOT / "requirements-dev.txt").read_text()
