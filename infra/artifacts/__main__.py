"""Check the package against its budget for both architectures: `python -m infra.artifacts`, in `make check`."""

import sys
import tempfile
from pathlib import Path

from infra.artifacts import bytecode
from infra.artifacts.errors import PackagingError
from infra.artifacts.target import DEFAULT_RUNTIME, MACHINES, Target
from infra.package import package


def checked_runtime() -> str:
    """The release's runtime, or this Python's if the release's is not installed: sizes hardly differ."""
    try:
        bytecode.interpreter(Target(DEFAULT_RUNTIME, "x86_64"))
    except PackagingError:
        return f"python3.{sys.version_info.minor}"
    return DEFAULT_RUNTIME


def main() -> None:
    """Package for each architecture, and fail if a limit is exceeded."""
    for architecture in MACHINES:
        target = Target(checked_runtime(), architecture)
        print(f"{target}:")
        try:
            with tempfile.TemporaryDirectory(prefix="omnibus-check-") as folder:
                package("dev", Path(folder), target=target)
        except PackagingError as error:
            sys.exit(f"infra.artifacts: {target}: {error}")


if __name__ == "__main__":
    main()
