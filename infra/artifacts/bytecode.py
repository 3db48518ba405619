"""Bytecode for the target's Python. Where Lambda mounts the code nothing can be written, so without it each start
compiles again; "unchecked" spares the comparison of each file with its source."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from infra.artifacts.errors import PackagingError
from infra.artifacts.target import Target

COMPILER = Path(__file__).with_name("compiler.py")
TELL = "import sys; print('%d.%d' % sys.version_info[:2], sys.implementation.name)"


def interpreter(target: Target) -> str:
    """The path of a CPython of the target's minor version; PackagingError if there is none.

    It is this one, or `python3.N` on the PATH, or one of pyenv's.
    """
    named = f"python{target.python}"
    candidates = [sys.executable, shutil.which(named) or "", *_of_pyenv(named, target.python)]
    for candidate in filter(None, candidates):
        told = subprocess.run([candidate, "-I", "-c", TELL], capture_output=True, text=True, check=False)
        if told.returncode == 0 and told.stdout.split() == [target.python, "cpython"]:
            return candidate
    raise PackagingError(
        f"found no {named}: a release for {target.runtime} ships bytecode, which only that Python can compile."
        f" Put {named} on the PATH, or choose the runtime of a Python that you have by RUNTIME=python3.12"
    )


def _of_pyenv(named: str, version: str) -> Iterable[str]:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return (str(path) for path in sorted(root.glob(f"versions/{version}.*/bin/{named}"), reverse=True))


def compile_tree(tree: Path, target: Target, mounted: str, own: Sequence[str] = ()) -> None:
    """Compile every module under `tree`, whose tracebacks name it as `mounted`, e.g. "/var/task".

    Modules and packages named in `own` keep their source; the others are replaced by their bytecode.
    """
    done = subprocess.run(
        [interpreter(target), "-I", "-W", "ignore", str(COMPILER), str(tree), mounted, *own],
        env={**os.environ, "PYTHONHASHSEED": "0"},  # the order of a set's constants is that of their hashes
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise PackagingError(f"not everything could be compiled:\n{done.stdout}{done.stderr}")


def version(target: Target) -> str:
    """The full version of the interpreter that compiles for `target`; PackagingError if there is none."""
    asked = [interpreter(target), "-I", "-c", "import sys; print(sys.version)"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
