"""Ports on the loopback interface, the only one that the local cloud listens on."""

import fcntl
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Can a server listen on this port of the loopback interface now?"""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Does something accept connections on this port of the loopback interface?"""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def choose(usual: Iterable[int]) -> list[int]:
    """A free port for each usual one: itself if it is free, otherwise any; all different."""
    held: list[socket.socket] = []
    try:
        return [_hold(port if is_free(port) else 0, held) for port in usual]
    finally:
        for probe in held:
            probe.close()


@contextmanager
def alone() -> Iterator[None]:
    """Keep other clouds of this project from choosing: a chosen port stays free until its server listens."""
    with Path(__file__).open("r+b") as file:  # over NFS, locking needs write access
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _hold(port: int, held: list[socket.socket]) -> int:
    probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.append(probe)
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind((HOST, port))
    chosen: int = probe.getsockname()[1]
    return chosen
