"""Processes identified by number and start time, because the system reuses numbers."""

import ctypes
import hmac
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

POLL_S = 0.02
STOP_S = 10.0
KILLED_S = 2.0
SECRET_PATH = "OMNIBUS_LOCAL_PATH"  # nosec B105  # a variable's name
"""The variable with the secret path of our own servers; every account can see arguments."""
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class ProcessId:
    """A process for all time: its number, and its start time (seconds, see `_began`)."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "ProcessId":
        """The process that currently has this number."""
        return cls(pid, _began(pid))

    def is_running(self) -> bool:
        """Does this very process still run? A zombie does not."""
        try:
            same = abs(_began(self.pid) - self.started) < 0.005
            return same and bool(psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to this very process, which `start` started, and to its whole group."""
        if self.is_running():
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this very process, if it still runs."""
        if self.is_running():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _began(pid: int) -> float:
    """When a process began, on Linux in seconds since the machine did; psutil.NoSuchProcess if there is none."""
    # psutil counts from 1970 by a clock that can be set, after which every process would seem to be another.
    if sys.platform != "linux":
        return psutil.Process(pid).create_time()
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(pid) from None
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def stop(processes: Iterable[ProcessId], seconds: float = STOP_S) -> None:
    """Ask every process to end, then kill those that still run after some seconds, and their descendants."""
    asked = list(processes)
    started = descendants(asked)
    for process in asked:
        process.signal(signal.SIGTERM)
    await_end(asked, seconds)
    left = {*asked, *started, *descendants(asked)}
    for process in left:
        process.signal(signal.SIGKILL)
    await_end(left, KILLED_S)  # bounded: a machine short of memory is slow to end processes


def descendants(processes: Iterable[ProcessId]) -> set[ProcessId]:
    """All descendants of these processes."""
    found: set[ProcessId] = set()
    for process in processes:
        if process.is_running():
            with suppress(psutil.NoSuchProcess):
                for child in psutil.Process(process.pid).children(recursive=True):
                    with suppress(psutil.NoSuchProcess):
                        found.add(ProcessId.of(child.pid))
    return found


def await_end(processes: Iterable[ProcessId], seconds: float) -> None:
    """Return when none of these runs any more, or after some seconds."""
    deadline = time.monotonic() + seconds
    running = list(processes)
    while running and time.monotonic() < deadline:
        running = [process for process in running if process.is_running()]
        if running:
            time.sleep(POLL_S)


def told_to_stop() -> threading.Event:
    """An event that SIGTERM and SIGINT set from now on."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    return told


def wait_for(told: threading.Event) -> None:
    """Return when the event is set."""
    # A signal that another thread received, as after a SIGSTOP, does not wake this one.
    while not told.wait(1.0):
        pass


def serve(url: str, told: threading.Event, ready_file: Path | None, **more: str) -> None:
    """Announce `url` in `ready_file` (with `more`) and on stdout; return when told to stop."""
    if ready_file:
        write_whole(ready_file, {"url": url, **more, "pid": os.getpid()})
    print(url, flush=True)
    wait_for(told)


def below(secret: str, path: str) -> str | None:
    """The rest of a request's path after a server's secret path; None if the request lacks the secret."""
    if not secret:
        return path
    _, known, rest = [*path.split("/", 2), "", ""][:3]
    return f"/{rest}" if hmac.compare_digest(known.encode(), secret.encode()) else None


def write_whole(path: Path, content: object) -> None:
    """Write JSON atomically, readable only by its owner because it holds passwords."""
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(path)


def start(command: Sequence[str], *, log: Path, environ: Mapping[str, str], folder: Path) -> "subprocess.Popen[bytes]":
    """Start a child that appends its output to `log` and dies with this process, however that ends."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=dict(environ),
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    # Outside Linux, a killed supervisor leaves its children; `make down` finds them in the state file.
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
