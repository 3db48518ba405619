"""GitHub's workflows: sound, and on every Python that the README names."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_actionlint_finds_nothing() -> None:
    done = subprocess.run([Path(sys.executable).with_name("actionlint")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_supported_python_runs_the_commands_of_the_readme() -> None:
    job = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())["jobs"]["test"]
    first, last = re.findall(r"3\.(\d+)", (ROOT / "pyproject.toml").read_text().split("requires-python")[1][:30])
    assert job["strategy"]["matrix"]["python"] == [f"3.{minor}" for minor in range(int(first), int(last))]
    commands = " ".join(step.get("run", "") for step in job["steps"])
    assert {"make test", "make load", "make check", "make demo"} <= set(re.findall(r"make \w+", commands))


def test_a_deployment_keeps_no_key_and_prod_waits_for_approval() -> None:
    flow = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())
    job = flow["jobs"]["deploy"]
    assert flow["permissions"]["id-token"] == "write"
    assert "inputs.stage" in job["environment"], "GitHub asks the environment's reviewers"
    assert not re.search(r"aws-(access-key-id|secret-access-key)", str(job))
