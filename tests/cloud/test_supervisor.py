"""The supervisor with small servers of the tests' own: order, failure, and the ports that it chooses."""

import signal
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local import ports
from local.processes import ProcessId
from local.servers import Server, Site
from local.supervisor import ServerFailed, Supervisor, read_state

pytestmark = pytest.mark.cloud

LISTENS_LATE = """
import pathlib, socket, sys, time
time.sleep(0.3)
listener = socket.create_server(("127.0.0.1", int(sys.argv[2])))
pathlib.Path(sys.argv[1]).touch()
time.sleep(600)
"""
NEVER_BEGINS = "import time; time.sleep(600)"
WRITES_AND_STAYS = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
COMPLAINS_AND_ENDS = "import sys; print('no such disk'); sys.exit(3)"


def server(name: str, program: str = WRITES_AND_STAYS, after: tuple[str, ...] = (), usual_port: int = 0) -> Server:
    def begun(site: Site) -> Path:
        return site.run / f"{name}.begun"

    return Server(
        name=name,
        usual_port=usual_port,
        command=lambda site: [sys.executable, "-c", program, str(begun(site)), str(site.ports[name])],
        is_ready=lambda site: begun(site).exists() and all((site.run / f"{other}.begun").exists() for other in after),
        after=after,
        stop_signal=signal.SIGKILL,
    )


def processes(home: Path) -> dict[str, ProcessId]:
    state = read_state(home)
    assert state is not None
    return dict(state.servers)


def test_servers_start_after_those_that_they_need(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, (server("last", after=("first",)), server("first")))
    try:
        supervisor.start(threading.Event())
        state = read_state(tmp_path)
        assert state is not None
        assert state.complete
        assert state.servers["last"].started > state.servers["first"].started
    finally:
        supervisor.stop()
    assert not any(process.is_running() for process in processes(tmp_path).values())


def test_a_server_that_ends_is_named_with_its_last_words_and_none_is_left(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, (server("good"), server("bad", COMPLAINS_AND_ENDS)))
    try:
        with pytest.raises(ServerFailed, match=r"bad ended with 3; .*bad\.log ends with:\nno such disk"):
            supervisor.start(threading.Event())
    finally:
        supervisor.stop()
    assert not processes(tmp_path)["good"].is_running()


def test_one_that_is_told_to_stop_in_its_start_stops(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, (server("never", NEVER_BEGINS),))
    stopping = threading.Event()
    threading.Timer(0.3, stopping.set).start()
    try:
        supervisor.start(stopping)
        state = read_state(tmp_path)
        assert state is not None
        assert not state.complete
    finally:
        supervisor.stop()
    assert not processes(tmp_path)["never"].is_running()


def test_two_that_start_at_once_take_different_ports(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind((ports.HOST, 0))
        usual = probe.getsockname()[1]
    homes = tmp_path / "one", tmp_path / "other"
    supervisors = [Supervisor(home, (server("late", LISTENS_LATE, usual_port=usual),)) for home in homes]
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda supervisor: supervisor.start(threading.Event()), supervisors))
        states = [read_state(home) for home in homes]
        taken = {state.ports["late"] for state in states if state is not None}
        assert len(taken) == 2
        assert usual in taken
    finally:
        for supervisor in supervisors:
            supervisor.stop()


def test_usual_ports_are_taken_where_they_are_free() -> None:
    with socket.socket() as taken:
        taken.bind((ports.HOST, 0))
        taken.listen()
        busy = taken.getsockname()[1]
        with socket.socket() as probe:
            probe.bind((ports.HOST, 0))
            free = probe.getsockname()[1]
        assert ports.answers(busy)
        chosen = ports.choose([free, busy, 0, 0])
    assert chosen[0] == free
    assert chosen[1] != busy
    assert len(set(chosen)) == 4
