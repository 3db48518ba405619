"""A function's real process: its log, which has all lines of an invocation and no others, and its code."""

import gc
import io
import os
import resource
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ministack.core import lambda_runtime

from local.worker import PIECE, SHARING, Worker

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
"""MiniStack leaves the pipes of an ended process to the garbage collector."""
CODE = """
import os, sys

def handler(event, context):
    for number in range(event["lines"]):
        print(event["name"], number, "é" * event.get("width", 0))
    if "last" in event:
        sys.stderr.write(event["last"])
        sys.stderr.flush()
        os._exit(1)
"""


@contextmanager
def of(code: str) -> Iterator[Worker]:
    """A worker of a function with this code."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", code)
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    arn = "arn:aws:lambda:us-east-1:000000000000:function:words"
    config = {"FunctionArn": arn, "Runtime": runtime, "Handler": "app.handler", "Timeout": 60}
    made = Worker("words", config, packed.getvalue())
    yield made
    made.kill()
    made._stderr_thread.join()
    made._pipe = None
    gc.collect()


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setattr(lambda_runtime, "zipfile", SHARING)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with of(CODE) as made:
        yield made


def copies(folder: Path) -> list[str]:
    """The code that is unpacked in `folder` itself, of which processes have links."""
    return sorted(each.read_text() for each in folder.glob("omnibus-code-*/app.py"))


def lines(worker: Worker, **event: Any) -> list[str]:
    log = worker.invoke(event, "request")["log"]
    return log.splitlines()


def test_an_invocation_has_its_own_lines_and_all_of_them(worker: Worker) -> None:
    for count in (1, 0, 3, 0, 2, 500):
        assert lines(worker, name=f"n{count}", lines=count) == [f"n{count} {number} " for number in range(count)]


def test_more_than_a_pipe_holds(worker: Worker) -> None:
    found = lines(worker, name="wide", lines=40, width=PIECE // 8)
    assert found == [f"wide {number} {'é' * (PIECE // 8)}" for number in range(40)]


def test_the_last_words_of_a_process_that_dies(worker: Worker) -> None:
    assert lines(worker, name="good", lines=1, last="oh, no") == ["good 0 ", "oh, no"]
    assert lines(worker, name="again", lines=1) == ["again 0 "]


def test_a_process_among_thousands_of_open_files(worker: Worker) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2048)), hard))
    with ExitStack() as stack:
        for _ in range(1100):
            stack.enter_context(open(os.devnull))
        assert lines(worker, name="many", lines=2) == ["many 0 ", "many 1 "]


def test_processes_of_the_same_code_share_one_copy_as_long_as_one_lives(worker: Worker, tmp_path: Path) -> None:
    with of(CODE) as second:
        for each in (worker, second):
            assert lines(each, name="here", lines=1) == ["here 0 "]
        assert copies(tmp_path) == [CODE]
        with of(CODE.replace('["name"]', '["name"].upper()')) as changed:
            assert lines(changed, name="here", lines=1) == ["HERE 0 "]
            assert len(copies(tmp_path)) == 2
        assert lines(worker, name="bad", lines=0, last="oh, no") == ["oh, no"]
        assert lines(worker, name="again", lines=1) == ["again 0 "], "another process has it, too"
        assert copies(tmp_path) == [CODE]
    worker.kill()
    assert [*tmp_path.iterdir()] == []
