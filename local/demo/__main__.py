"""`make demo`: each workload's main job on real input in the local cloud, one after the other.

A workload's demo is a module of this package with `run(cloud, out, progress)`: the running cloud's description (as in
cloud.json), the folder for its files, and a function for progress messages. It returns the files that it wrote.
"""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from shutil import get_terminal_size

from infra.package import PackagingError
from local.cloud import HOME, CloudError, cloud_file, down, read, status, up
from local.console.access import address
from local.deploy import DeployFailed

WORKLOADS = ("flights", "uploads", "concerts", "predictions", "spendsense")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demos that the command line names; return 1 if one failed."""
    there = [name for name in WORKLOADS if find_spec(f"{__package__}.{name}") is not None]
    parser = argparse.ArgumentParser(prog="make demo", description="Run the workloads on real input.")
    parser.add_argument("--home", type=Path, default=HOME, help="the local cloud's folder (default: .local)")
    parser.add_argument("--only", choices=there, help="one workload")
    parser.add_argument("--keep", action="store_true", help="leave the cloud running if the demo started it")
    options = parser.parse_args(arguments)
    tell = _teller()
    was_running = any(line.running for line in status(options.home))
    try:
        up(options.home, progress=tell)
        made = [file for name in ([options.only] if options.only else there) for file in _run(name, options.home, tell)]
    except (CloudError, DeployFailed, PackagingError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if not was_running and not options.keep:
            down(options.home)
    print("\nmade:", *(f"  {file}" for file in made), sep="\n")
    running = was_running or options.keep
    if running:
        cloud = read(options.home)
        print(f"open the console: {address(cloud.console_url, cloud.users)}")
    print("the local cloud is still running; `make down` stops it" if running else "the local cloud has been stopped")
    return 0


def _run(name: str, home: Path, tell: Callable[[str], None]) -> list[Path]:
    out = home / "demo" / name
    out.mkdir(parents=True, exist_ok=True)
    print(f"\n== {name} ".ljust(get_terminal_size().columns, "="), flush=True)
    described = json.loads(cloud_file(home).read_text(encoding="utf-8"))
    made: list[Path] = importlib.import_module(f"{__package__}.{name}").run(described, out, tell)
    return made


def _teller() -> Callable[[str], None]:
    started = time.monotonic()
    return lambda line: print(f"{time.monotonic() - started:6.1f} s | {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
