"""Chalice's own commands, typed in this project as people type them; none of them reaches AWS."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CHALICE = (sys.executable, "-c", "import sys; from chalice.cli import main; sys.exit(main())")
NOBODY = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"}
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OMNIBUS_"))}


def chalice(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CHALICE, *arguments], cwd=folder, env={**CLEAN, **NOBODY}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (("deploy", "--stage", "dev"), ("make resources STAGE=dev", "make chalice-deploy STAGE=dev")),
        (("delete", "--stage", "dev"), ("make chalice-delete STAGE=dev", "make destroy STAGE=dev")),
        (("package", "--pkg-format", "terraform", "out"), ("make package", "infra/terraform")),
        (("package", "--single-file", "out.zip"), ("--single-file", "chalice package --stage STAGE OUT")),
    ],
)
def test_what_would_be_half_a_deployment_is_refused_in_a_sentence(
    command: tuple[str, ...], advice: tuple[str, ...]
) -> None:
    done = chalice(*command)
    assert done.returncode == 1
    (sentence,) = (done.stdout + done.stderr).splitlines()
    assert all(words in sentence for words in advice)


def test_a_rendered_project_is_chalices_own(tmp_path: Path) -> None:
    """`make chalice-deploy` runs the command there; what it lacks here is an account."""
    for name in ("app.py", "chalicelib", ".chalice"):
        (tmp_path / name).symlink_to(ROOT / name)
    done = chalice("package", "--stage", "dev", str(tmp_path / "out"), folder=tmp_path)
    assert "make " not in done.stdout + done.stderr


def test_package_is_what_make_package_does(tmp_path: Path) -> None:
    """The module is asked with the same arguments; what it writes is tested in tests/package."""
    project = tmp_path / "project"
    (project / "infra").mkdir(parents=True)
    for name in ("app.py", "chalicelib", ".chalice"):
        (project / name).symlink_to(ROOT / name)
    (project / "infra" / "__init__.py").touch()
    (project / "infra" / "package.py").write_text("import json, sys; print(json.dumps(sys.argv[1:])); sys.exit(7)")
    done = chalice("package", "--stage", "prod", "out", folder=project)
    assert json.loads(done.stdout) == ["--stage", "prod", "--out", "out"]
    assert done.returncode == 7


@contextmanager
def served(folder: Path, *arguments: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for name in ("app.py", "chalicelib", ".chalice"):
        (folder / name).symlink_to(ROOT / name)
    log = folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*CHALICE, "local", *arguments, "--port", str(port), "--no-autoreload"],
            cwd=folder,
            env=CLEAN,
            stdout=output,
            stderr=output,
        )
    try:
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert server.poll() is None, log.read_text()
            try:
                return bool(httpx.get(f"{url}/health", timeout=PATIENCE_S))
            except httpx.TransportError:
                return False

        until(answers)
        yield url
    finally:
        server.terminate()
        server.wait(PATIENCE_S)


@pytest.mark.parametrize("stage", [(), ("--stage", "local")])
def test_chalice_local_without_a_cloud_says_what_to_start(tmp_path: Path, stage: tuple[str, ...]) -> None:
    with served(tmp_path, *stage) as url, httpx.Client(base_url=url, timeout=PATIENCE_S) as http:
        assert http.get("/health").json() == {"status": "ok", "dependencies": {}}
        assert "/flights/latest" in http.get("/openapi.json").json()["paths"]
        missing = http.get("/flights/latest")
        assert (missing.status_code, missing.json()["error"]["code"]) == (503, "not_configured")
        assert "`make up`, then `chalice local --stage local`" in missing.json()["error"]["message"]
        unknown = http.get("/nowhere")
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "not_found")
        rubbish = http.get("/api/v1/users/me/profile", headers={"Authorization": "Bearer rubbish"})
        assert rubbish.status_code in {401, 503}, "an answer, not a dropped connection"
        assert http.head("/health").status_code == 200
