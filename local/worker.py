"""A function's process, whose log is complete as soon as it has answered.

After each invocation, MiniStack waits: 5 ms for a line that may follow the last one, 50 ms for a first one. What a
function wrote before it answered is in the pipe by then, so reading the pipe once finds all of it.
"""

import os
from select import POLLIN, poll
from threading import Lock
from typing import Any

from ministack.core import lambda_runtime

PIECE = 1 << 16
"""As much as a pipe holds."""


class Worker(lambda_runtime.Worker):  # type: ignore[misc]
    """MiniStack's worker, with another way to read what the function writes to its log."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._reading = Lock()
        self._pipe: Any = None
        self._begun = b""

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
