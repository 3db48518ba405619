"""The target of a package: a Python and a processor, in Lambda's terms."""

from dataclasses import dataclass

from infra.artifacts.errors import PackagingError

RUNTIMES = ("python3.12", "python3.13")
"""Runtimes of releases."""
DEFAULT_RUNTIME = "python3.13"
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
DEFAULT_ARCHITECTURE = "x86_64"
GLIBC_MINOR = 34
"""Amazon Linux 2023, which runs these runtimes, has glibc 2.34."""
OLDEST_GLIBC_MINOR = 17


@dataclass(frozen=True)
class Target:
    """A Lambda runtime, e.g. "python3.13", on an architecture, "x86_64" or "arm64"."""

    runtime: str
    architecture: str

    @property
    def python(self) -> str:
        """The Python's minor version, e.g. "3.13"."""
        return self.runtime.removeprefix("python")

    @property
    def platforms(self) -> tuple[str, ...]:
        """The compatible wheel platforms, newest first."""
        machine = MACHINES[self.architecture]
        versions = (f"manylinux_2_{minor}" for minor in range(GLIBC_MINOR, OLDEST_GLIBC_MINOR - 1, -1))
        return (*(f"{version}_{machine}" for version in versions), f"manylinux2014_{machine}")

    def __str__(self) -> str:
        return f"{self.runtime}-{self.architecture}"


def release_target(runtime: str, architecture: str) -> Target:
    """The target of a release; PackagingError for an unsupported runtime."""
    if runtime not in RUNTIMES:
        raise PackagingError(
            f"runtime: is {runtime}; expected {' or '.join(RUNTIMES)}. python3.11 runs on glibc 2.26, for which"
            " numpy, scipy, pandas and pyarrow publish no wheels; Chalice would leave them out and report success"
        )
    return Target(runtime, architecture)
