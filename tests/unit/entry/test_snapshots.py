"""The state before Lambda takes a snapshot (libraries and services, no connection), and after a restore."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import ENVIRONMENT

ROOT = Path(__file__).parents[3]
RUNTIME = """
hooks = []
def register_after_restore(function, *arguments):
    hooks.append(function)
"""
SCRIPT = """
import json, random, socket, sys
connected = []
socket.socket.connect = lambda self, address: connected.append(address)
import app
hooks = sys.modules["snapshot_restore_py"].hooks if "snapshot_restore_py" in sys.modules else []
def states():
    numpy = sys.modules.get("numpy")
    return random.getstate(), numpy.random.get_state()[1].tolist() if numpy else None
random.seed(1)
before = states()
for hook in hooks:
    hook()
print(json.dumps({
    "loaded": [name for name in ("sklearn", "pandas", "pyarrow", "skops", "botocore.session") if name in sys.modules],
    "connected": connected,
    "seeded": [old != new for old, new in zip(before, states())],
}))
"""


def started(tmp_path: Path, function: str, kind: str) -> dict[str, object]:
    (tmp_path / "snapshot_restore_py.py").write_text(RUNTIME)
    own = {"AWS_LAMBDA_FUNCTION_NAME": f"omnibus-dev-{function}", "AWS_LAMBDA_INITIALIZATION_TYPE": kind}
    environ = {**ENVIRONMENT, **own, "PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("function", ["predict_part", "predict_batch", "predict_plan", "predict_complete"])
def test_a_snapshot_has_what_models_need_and_no_connection(tmp_path: Path, function: str) -> None:
    loaded = ["sklearn", "pandas", "pyarrow", "skops", "botocore.session"]
    assert started(tmp_path, function, "snap-start") == {"loaded": loaded, "connected": [], "seeded": [True, True]}


@pytest.mark.slow
def test_a_snapshot_of_the_ticket_model_has_the_model(tmp_path: Path) -> None:
    found = started(tmp_path, "predict_tickets", "snap-start")
    assert "sklearn" in str(found["loaded"])
    assert (found["connected"], found["seeded"]) == ([], [True, True])


@pytest.mark.parametrize(("function", "kind"), [("predict_part", "on-demand"), ("api_handler", "snap-start")])
def test_without_a_snapshot_nothing_is_loaded_early(tmp_path: Path, function: str, kind: str) -> None:
    assert started(tmp_path, function, kind)["loaded"] == []
