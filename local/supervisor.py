"""The parent of every server of a local cloud: it starts them, and none outlives it.

Started as `python -m local.supervisor HOME`, it detaches itself. It records in `state.json` which processes run
and which answer; if one fails or ends, it stops the others and logs the reason.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from local import ports
from local.processes import (
    KILLED_S,
    POLL_S,
    ProcessId,
    await_end,
    descendants,
    start,
    told_to_stop,
    write_whole,
)
from local.servers import SERVERS, Keys, Server, Site, base_environ

START_S = 300.0
STOP_S = 5.0
WATCH_S = 0.25


@dataclass(frozen=True)
class State:
    """The running processes: the supervisor, its servers, those that answer, and all ports."""

    supervisor: ProcessId
    servers: Mapping[str, ProcessId]
    ready: frozenset[str]
    ports: Mapping[str, int]

    @property
    def complete(self) -> bool:
        """Do all servers answer?"""
        return self.ready.issuperset(self.ports)

    def site(self, home: Path) -> Site:
        """The site of this state."""
        return Site(home, self.ports)


def state_file(home: Path) -> Path:
    """The file in which a home's supervisor records its state."""
    return home / "state.json"


def read_state(home: Path) -> State | None:
    """The last recorded state of `home`; None if nothing was started or everything was stopped.

    Also None for an invalid file, such as the empty file that a power failure leaves.
    """
    try:
        raw = json.loads(state_file(home).read_text(encoding="utf-8"))
        servers = {name: ProcessId(**process) for name, process in raw["servers"].items()}
        return State(ProcessId(**raw["supervisor"]), servers, frozenset(raw["ready"]), raw["ports"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


class ServerFailed(Exception):
    """A server did not start, or ended on its own; the message names it and its log."""


class Supervisor:
    """Starts the servers of one home and watches them until it is told to stop."""

    def __init__(self, home: Path, servers: tuple[Server, ...] = SERVERS) -> None:
        self._servers = servers
        self._site = Site(home, {server.name: 0 for server in servers})
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, ProcessId] = {}
        self._ready: set[str] = set()

    def start(self, stopping: threading.Event) -> None:
        """Start every server as soon as its prerequisites answer; ServerFailed if one does not start.

        Returns early when told to stop.
        """
        shutil.rmtree(self._site.run, ignore_errors=True)
        self._site.run.mkdir(parents=True)
        write_whole(self._site.keys_file, asdict(Keys.new()))
        self._site.logs.mkdir(exist_ok=True)
        self._write()
        with ports.alone():
            chosen = ports.choose(server.usual_port for server in self._servers)
            named = {server.name: port for server, port in zip(self._servers, chosen, strict=True)}
            self._site = Site(self._site.home, named)
            self._start_all(stopping)

    def _start_all(self, stopping: threading.Event) -> None:
        deadline = time.monotonic() + START_S
        while waiting := [server for server in self._servers if server.name not in self._ready]:
            for server in waiting:
                if server.name not in self._children and self._ready.issuperset(server.after):
                    self._start(server)
                if server.name in self._children and server.is_ready(self._site):
                    self._ready.add(server.name)
                    self._write()
            self._check_children()
            if time.monotonic() > deadline:
                late = ", ".join(server.name for server in waiting)
                raise ServerFailed(f"no answer from {late} within {START_S:g} s; see {self._site.logs}")
            if stopping.wait(POLL_S):
                return

    def watch(self, stopping: threading.Event) -> None:
        """Watch until told to stop; ServerFailed as soon as a server ends on its own."""
        while not stopping.wait(WATCH_S):
            self._check_children()

    def stop(self) -> None:
        """Stop every server (first those to be killed, then the newest first) and all their descendants."""
        for server in self._running():
            if server.stop_signal == signal.SIGKILL:  # its workers would use up the processors
                self._started[server.name].signal_group(signal.SIGKILL)
        started = descendants(self._started.values())
        for server in reversed(self._running()):
            child = self._children[server.name]
            child.send_signal(server.stop_signal)
        deadline = time.monotonic() + STOP_S
        for child in self._children.values():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
        for process in started:
            process.signal(signal.SIGKILL)
        await_end([*started, *self._started.values()], KILLED_S)

    def _start(self, server: Server) -> None:
        server.prepare(self._site)
        environ = base_environ() | server.environ(self._site)
        folder = server.folder or self._site.run
        child = start(server.command(self._site), log=self._site.log(server.name), environ=environ, folder=folder)
        self._children[server.name] = child
        self._started[server.name] = ProcessId.of(child.pid)
        self._write()

    def _running(self) -> list[Server]:
        return [server for server in self._servers if server.name in self._children]

    def _check_children(self) -> None:
        for name, child in self._children.items():
            if child.poll() is not None:
                log = self._site.log(name)
                last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
                raise ServerFailed(f"{name} ended with {child.returncode}; {log} ends with:\n" + "\n".join(last))

    def _write(self) -> None:
        state = {
            "supervisor": asdict(ProcessId.of(os.getpid())),
            "servers": {name: asdict(process) for name, process in self._started.items()},
            "ready": sorted(self._ready),
            "ports": self._site.ports,
        }
        write_whole(state_file(self._site.home), state)


def detach() -> None:
    """Continue in a detached child and print its number; redirect its later output to stderr."""
    child = os.fork()
    if child:
        print(child, flush=True)
        os._exit(0)
    os.setsid()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def main() -> None:
    """Supervise the servers of the home that the command line names, until SIGTERM."""
    detach()
    stopping = told_to_stop()
    supervisor = Supervisor(Path(sys.argv[1]))
    try:
        supervisor.start(stopping)
        supervisor.watch(stopping)
    except ServerFailed as failure:
        sys.exit(f"the local cloud has stopped: {failure}")
    finally:
        supervisor.stop()


if __name__ == "__main__":
    main()
