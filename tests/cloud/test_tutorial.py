"""docs/tutorial.md, typed: every command of it runs, in one shell, in a tree of its own."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sizes import FULL

pytestmark = pytest.mark.cloud

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh ?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STAMPS = (".uv", ".installed-local", ".installed", ".installed-bench")


def blocks(kind: str) -> list[str]:
    """The commands of one kind: "" for those that run here, "aws" for those that need an account."""
    return [text for found, text in BLOCK.findall((ROOT / "docs/tutorial.md").read_text()) if found == kind]


@pytest.fixture
def tree() -> Iterator[Path]:
    """A copy of the working tree, with the environment that runs the tests, where PostgreSQL's user may go."""
    with tempfile.TemporaryDirectory(prefix="omnibus-tutorial-") as folder:
        Path(folder).chmod(0o755)
        yield copy(Path(folder))
        subprocess.run([sys.executable, "-m", "local", "down", "--home", ".local"], cwd=folder, check=True)


def copy(tree: Path) -> Path:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    environment = tree / ".venv"
    environment.mkdir(exist_ok=True)
    for entry in Path(sys.prefix).iterdir():
        if entry.name not in STAMPS:
            (environment / entry.name).symlink_to(entry)
    for stamp in STAMPS:
        (environment / stamp).touch()
    if (ROOT / ".venv-web").exists():
        (tree / ".venv-web").symlink_to(ROOT / ".venv-web")
    return tree


@pytest.mark.load
@pytest.mark.skipif(not FULL, reason="`make load` runs it: it starts a local cloud of its own, twice")
def test_every_command_runs(tree: Path) -> None:
    script = "set -euo pipefail\n" + "\n".join(blocks(""))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OMNIBUS_", "PYTEST_"))}
    done = subprocess.run(["bash", "-c", script], cwd=tree, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    assert '"rows": 442' in done.stdout or '\\"rows\\":442' in done.stdout, done.stdout[-3000:]


def test_what_needs_an_account_is_there(tree: Path) -> None:
    """Deployment itself is tested in test_deploy.py; here, that these are its commands."""
    for line in filter(None, "\n".join(blocks("aws")).splitlines()):
        subprocess.run([*line.split(), "--dry-run"], cwd=tree, check=True, capture_output=True)


def test_the_tutorial_has_no_other_commands() -> None:
    text = (ROOT / "docs/tutorial.md").read_text()
    assert {kind for kind, _ in BLOCK.findall(text)} == {"", "aws", "clone"}
    assert text.count("```") == 2 * len(BLOCK.findall(text))
