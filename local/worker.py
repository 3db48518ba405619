"""A function's process, which begins and answers without MiniStack's waits.

Before each process begins, MiniStack unpacks the function's code. Here, all processes of the same code share one copy;
in Lambda, too, they cannot write there.

After each invocation, MiniStack waits: 5 ms for a line that may follow the last one, 50 ms for a first one. What a
function wrote before it answered is in the pipe by then, so reading the pipe once finds all of it.
"""

import hashlib
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from select import POLLIN, poll
from threading import Lock
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime

PIECE = 1 << 16
"""As much as a pipe holds."""

_copies: dict[bytes, tuple[Path, set[str]]] = {}
"""The unpacked archives by their digest, each with the folders that link to it."""
_unpacking = Lock()


class SharedArchive(zipfile.ZipFile):
    """An archive that is unpacked once; each folder that asks for its content gets links to it."""

    def extractall(self, path: Any = None, *_: Any) -> None:
        """Link what the archive holds into `path`."""
        digest = hashlib.sha256(Path(str(self.filename)).read_bytes()).digest()
        with _unpacking:
            if digest not in _copies:
                folder = Path(tempfile.mkdtemp(prefix="omnibus-code-"))
                super().extractall(folder)
                _copies[digest] = folder, set()
            folder, users = _copies[digest]
            users.add(str(path))
            for each in folder.iterdir():
                (Path(path) / each.name).symlink_to(each)


SHARING = SimpleNamespace(**{**vars(zipfile), "ZipFile": SharedArchive})
"""The module `zipfile` for MiniStack's runtime."""


def _let_go(place: str) -> None:
    """Remove the copies to which nothing links but what was in the folder `place`."""
    with _unpacking:
        for digest, (folder, users) in [*_copies.items()]:
            users -= {each for each in users if each.startswith(f"{place}/")}
            if not users:
                del _copies[digest]
                shutil.rmtree(folder, ignore_errors=True)


class Worker(lambda_runtime.Worker):  # type: ignore[misc]
    """MiniStack's worker, with shared code and another way to read what the function writes to its log."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._reading = Lock()
        self._pipe: Any = None
        self._begun = b""

    def _spawn(self) -> None:
        self._discard_tmpdir()  # as MiniStack would, which lets no copy go
        super()._spawn()

    def _discard_tmpdir(self) -> None:
        super()._discard_tmpdir()
        if self._tmpdir:
            _let_go(self._tmpdir)

    def _read_stderr(self) -> None:
        """Read as long as the process lives: a full pipe would stop it."""
        pipe = self._pipe = self._proc.stderr  # a later process has another
        while self._read_once(pipe):
            _await(pipe)

    def _drain_stderr_bounded(self, *_: float) -> str:
        """The lines since the last invocation."""
        if self._pipe is not None:
            self._read_once(self._pipe)
        return str(self._drain_stderr())

    def _read_once(self, pipe: Any) -> bool:
        """Queue the lines that are in the pipe; False at its end."""
        with self._reading:
            if _await(pipe, 0):
                piece = os.read(pipe.fileno(), PIECE)
                *lines, self._begun = (self._begun + (piece or b"\n" * bool(self._begun))).split(b"\n")
                for line in lines:
                    self._stderr_queue.put(line.decode(errors="replace"))
                return bool(piece)
        return True


def _await(pipe: Any, milliseconds: int | None = None) -> bool:
    """Wait until there is something to read, or the end; False if there is not in that time."""
    ready = poll()  # `select` takes no descriptor beyond 1023
    ready.register(pipe, POLLIN)
    return bool(ready.poll(milliseconds))
