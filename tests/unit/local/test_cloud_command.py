"""The command line of the local cloud, on homes that say what runs without its running."""

import os
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest

from local.__main__ import main
from local.cloud import Cloud, CloudError, cloud_file, read
from local.processes import ProcessId, write_whole
from local.servers import Keys
from local.supervisor import state_file

ROOT = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A cloud whose processes are this one, and whose server listens nowhere."""
    this = asdict(ProcessId.of(os.getpid()))
    state = {"supervisor": this, "servers": {"ministack": this}, "ready": ["ministack"], "ports": {"ministack": 0}}
    write_whole(state_file(tmp_path), state)
    write_whole(cloud_file(tmp_path), {field.name: "" for field in fields(Cloud)})
    return tmp_path


def test_the_status_of_a_server_that_does_not_answer_is_1(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--home", str(home)]) == 1
    assert "does not answer" in capsys.readouterr().out


@pytest.mark.parametrize("left", ["", "{", "[]", "{}", '{"supervisor": {"pid": 1}, "servers": {}}'])
def test_what_no_supervisor_wrote_is_nothing_that_runs(
    home: Path, left: str, capsys: pytest.CaptureFixture[str]
) -> None:
    state_file(home).write_text(left)
    assert main(["status", "--home", str(home)]) == 1
    assert main(["down", "--home", str(home)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "nothing is running; start it with `make up`",
        "nothing was running",
    ]


def test_a_description_of_another_version_says_what_to_do(home: Path) -> None:
    assert read(home).rest_url == ""
    write_whole(cloud_file(home), {"rest_url": "", "since_then_removed": ""})
    with pytest.raises(CloudError, match=r"another version.*make up"):
        read(home)


def test_a_home_of_somebody_else_is_no_traceback(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(home: Path, progress: object) -> bool:
        raise PermissionError(13, "Permission denied", f"{home}/lock")

    monkeypatch.setattr("local.cloud.down", refuse)  # root, who may run this, is refused nothing
    assert main(["down", "--home", str(home)]) == 1
    assert capsys.readouterr().err == f"down: [Errno 13] Permission denied: '{home}/lock'\n"


def test_who_reads_may_stop_reading(home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "local", "status", "--home", str(home / "none")]
    done = subprocess.run(command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_proxy_stands_between_us_and_this_machine() -> None:
    program = (
        "import local, urllib.request\n"
        "from botocore.utils import get_environ_proxies\n"
        "print(urllib.request.proxy_bypass('127.0.0.1:4566'), get_environ_proxies('http://127.0.0.1:4566'))\n"
        "print(urllib.request.proxy_bypass('example.com'), urllib.request.proxy_bypass('kept.example.com'))\n"
    )
    proxied = {"HTTP_PROXY": "http://192.0.2.1:3128", "http_proxy": "http://192.0.2.1:3128"}
    environ = {**os.environ, **proxied, "NO_PROXY": "kept.example.com", "no_proxy": "kept.example.com"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "True {}\nFalse True\n"


def test_a_developers_own_settings_for_aws_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "config"
    own.write_text("[default]\nregion = eu-central-1\nuse_fips_endpoint = true\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(own))
    monkeypatch.setenv("AWS_PROFILE", "none-of-this-name")
    described: dict[str, Any] = {field.name: None for field in fields(Cloud)}
    known = {"aws_endpoint_url": "http://127.0.0.1:4566", "credentials": Keys.new().root}
    client = Cloud(**(described | known)).client("s3")
    assert (client.meta.endpoint_url, client.meta.region_name) == ("http://127.0.0.1:4566", "us-east-1")
