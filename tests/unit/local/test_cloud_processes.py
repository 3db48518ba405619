"""Stopping processes: the right ones, all of them, and none that merely reuses a number."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from local import cloud
from local.processes import ProcessId, await_end, start, stop
from local.servers import ROOT, Site
from local.supervisor import State, Supervisor
from tests.patience import PATIENCE_S, until

FOREVER = [sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('begun', flush=True); time.sleep(600)",
]


def test_what_changes_all_the_time_is_no_part_of_the_project(tmp_path: Path) -> None:
    """Or `chalice local`, which watches the project, would start anew at each line of a log."""
    own = Site(ROOT / ".local", {})
    assert not own.run.is_relative_to(ROOT)
    assert not own.log("ministack").is_relative_to(ROOT)
    assert own.run != Site(ROOT / "another", {}).run
    assert Site(tmp_path, {}).run == tmp_path / "run"


def child(tmp_path: Path, command: list[str]) -> "subprocess.Popen[bytes]":
    log = tmp_path / "log"
    process = start(command, log=log, environ=dict(os.environ), folder=tmp_path)
    assert until(lambda: log.exists() and "begun" in log.read_text())
    return process


def test_stop_ends_a_process(tmp_path: Path) -> None:
    process = child(tmp_path, FOREVER)
    identity = ProcessId.of(process.pid)
    assert identity.is_running()
    stop([identity])
    assert process.wait() == -signal.SIGTERM
    assert not identity.is_running()


def test_stop_ends_one_that_does_not_listen(tmp_path: Path) -> None:
    process = child(tmp_path, STUBBORN)
    stop([ProcessId.of(process.pid)], seconds=0.1)
    assert process.wait() == -signal.SIGKILL


def test_a_number_that_belongs_to_somebody_else_now_is_left_alone(tmp_path: Path) -> None:
    process = child(tmp_path, FOREVER)
    own = ProcessId.of(process.pid)
    former = ProcessId(own.pid, own.started - 60)
    assert not former.is_running()
    stop([former], seconds=0.1)
    assert own.is_running()
    stop([own])
    process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a start by a clock that nobody sets")
def test_a_process_is_known_after_the_clock_was_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = child(tmp_path, FOREVER)
    identity = ProcessId.of(process.pid)
    as_before = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: as_before(self) + 3600)
    assert identity.is_running()
    stop([identity])
    assert process.wait() == -signal.SIGTERM


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_child_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    program = (
        "import os, sys, pathlib, time\n"
        "from local.processes import start\n"
        "here = pathlib.Path(sys.argv[1])\n"
        "child = start([sys.executable, '-c', 'import time; time.sleep(600)'], log=here / 'log',"
        " environ=dict(os.environ), folder=here)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        orphan = ProcessId.of(pid)
        parent.kill()
        assert until(lambda: not orphan.is_running())
    assert not psutil.pid_exists(pid) or not orphan.is_running()


@pytest.mark.slow
def test_a_signal_that_another_thread_took_still_stops_a_server() -> None:
    program = (
        "import signal, threading\n"
        "from local.processes import told_to_stop, wait_for\n"
        "told = told_to_stop()\n"
        "other = threading.Thread(target=threading.Event().wait, daemon=True)\n"
        "other.start()\n"
        "threading.Timer(0.2, signal.pthread_kill, (other.ident, signal.SIGTERM)).start()\n"
        "wait_for(told)\n"
        "print('stopped')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert done.stdout == "stopped\n"


STUBBORN_PARENT = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""


def test_what_does_not_end_when_asked_is_ended_with_all_that_it_started() -> None:
    stubborn = subprocess.Popen([sys.executable, "-c", STUBBORN_PARENT], stdout=subprocess.PIPE, text=True)
    assert stubborn.stdout is not None
    both = [ProcessId.of(int(stubborn.stdout.readline())), ProcessId.of(stubborn.pid)]
    stop(both[1:], 0.1)
    stubborn.wait()
    stubborn.stdout.close()
    await_end(both, PATIENCE_S)
    assert not any(process.is_running() for process in both)


WITH_WORKER = """
import subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(worker.pid, flush=True)
time.sleep(600)
"""
TELLS_OF = """
import pathlib, psutil, signal, sys, time
def status(pid):
    try:
        while (seen := psutil.Process(pid).status()) == "running":  # it has a signal that it has not yet taken
            time.sleep(0.01)
    except psutil.NoSuchProcess:
        return "gone"
    return seen
def tell(*_):
    seen = [status(int(pid)) for pid in sys.argv[2:]]
    pathlib.Path(sys.argv[1]).write_text(" ".join(seen))
    sys.exit()
signal.signal(signal.SIGTERM, tell)
print("begun", flush=True)
time.sleep(600)
"""


def with_worker(tmp_path: Path) -> "tuple[subprocess.Popen[bytes], int]":
    """A server, and the worker that it has in its group."""
    log = tmp_path / "server.log"
    server = start([sys.executable, "-c", WITH_WORKER], log=log, environ=dict(os.environ), folder=tmp_path)
    assert until(lambda: log.exists() and log.read_text().endswith("\n"))
    return server, int(log.read_text())


def telling_of(tmp_path: Path, *pids: int) -> "subprocess.Popen[bytes]":
    """A process that writes down, when it is told to stop, how these are."""
    return child(tmp_path, [sys.executable, "-c", TELLS_OF, str(tmp_path / "seen"), *map(str, pids)])


def test_down_holds_the_workers_before_it_asks_for_anything(tmp_path: Path) -> None:
    """Hundreds of them once left `down` so little of the processors that it took a minute."""
    server, worker = with_worker(tmp_path)
    supervisor = telling_of(tmp_path, server.pid, worker)
    own = ProcessId.of(worker)
    run = Site(tmp_path, {}).run
    run.mkdir()

    cloud._stop(
        tmp_path,
        State(ProcessId.of(supervisor.pid), {"ministack": ProcessId.of(server.pid)}, frozenset(), {"ministack": 1}),
    )

    assert (tmp_path / "seen").read_text() == "stopped stopped"
    assert server.wait() == -signal.SIGKILL
    assert supervisor.wait() == 0
    assert not own.is_running()
    assert not run.exists()
    assert until(lambda: not list(tmp_path.glob("run-*")))


def test_the_supervisor_ends_workers_before_it_takes_leave_of_the_other_servers(tmp_path: Path) -> None:
    server, worker = with_worker(tmp_path)
    own = ProcessId.of(worker)
    other = telling_of(tmp_path, worker)
    supervisor = Supervisor(tmp_path)
    supervisor._children = {"ministack": server, "opensky": other}
    supervisor._started = {"ministack": ProcessId.of(server.pid), "opensky": ProcessId.of(other.pid)}

    supervisor.stop()

    assert (tmp_path / "seen").read_text() in ("gone", psutil.STATUS_ZOMBIE)
    assert not own.is_running()
