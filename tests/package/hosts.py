"""The target of the tests' package: the machine that runs them."""

import platform
import sys

from infra.artifacts.target import MACHINES, Target

HERE = Target(
    f"python3.{sys.version_info.minor}",
    next((name for name, machine in MACHINES.items() if machine == platform.machine()), "x86_64"),
)
