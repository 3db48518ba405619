"""The log of an invocation, from a function's real process: all its lines, and none of another invocation."""

import gc
import io
import os
import resource
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from local.worker import PIECE, Worker

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


@pytest.fixture
def worker() -> Iterator[Worker]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", CODE)
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    arn = "arn:aws:lambda:us-east-1:000000000000:function:words"
    config = {"FunctionArn": arn, "Runtime": runtime, "Handler": "app.handler", "Timeout": 60}
    made = Worker("words", config, packed.getvalue())
    yield made
    made.kill()
    made._stderr_thread.join()
    made._pipe = None
    gc.collect()


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
