"""Bytecode for the target's Python. Lambda mounts code read-only, and without bytecode every start would compile it;
"unchecked" skips the comparison of each file with its source."""

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

    It looks at this Python, at `python3.N` on the PATH, and at pyenv's.
    """
    named = f"python{target.python}"
    candidates = [sys.executable, shutil.which(named) or "", *_of_pyenv(named, target.python)]
    for candidate in filter(None, candidates):
        told = subprocess.run([candidate, "-I", "-c", TELL], capture_output=True, text=True, check=False)
        if told.returncode == 0 and told.stdout.split() == [target.python, "cpython"]:
            return candidate
    raise PackagingError(
        f"found no {named}: a release for {target.runtime} contains bytecode, which only that Python can compile."
        f" Put {named} on the PATH, or set RUNTIME to a Python that you have, e.g. RUNTIME=python3.12"
    )


def _of_pyenv(named: str, version: str) -> Iterable[str]:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return (str(path) for path in sorted(root.glob(f"versions/{version}.*/bin/{named}"), reverse=True))


def compile_tree(tree: Path, target: Target, mounted: str, own: Sequence[str] = ()) -> None:
    """Compile every module under `tree`; tracebacks will show `mounted` as its path, e.g. "/var/task".

    Modules and packages named in `own` keep their source; the others are replaced by their bytecode.
    """
    done = subprocess.run(
        [interpreter(target), "-I", "-W", "ignore", str(COMPILER), str(tree), mounted, *own],
        env={**os.environ, "PYTHONHASHSEED": "0"},  # the order of a set's constants depends on their hashes
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise PackagingError(f"some modules could not be compiled:\n{done.stdout}{done.stderr}")


def version(target: Target) -> str:
    """The full version of the interpreter that compiles for `target`; PackagingError if there is none."""
    asked = [interpreter(target), "-I", "-c", "import sys; print(sys.version)"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
