"""Run every benchmark and write `benchmarks/results.md`: `python -m benchmarks.run [NAME ...]`.

Given names, only those run, and the others' results stay as they were.
"""

import json
import os
import platform
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results.md"
LIBRARIES = ("chalice", "msgspec", "pyarrow", "numpy", "pandas", "polars", "duckdb", "scikit-learn", "fastapi")
HEADING = re.compile(r"^## (\w+)$", re.MULTILINE)
RUNNABLE = re.compile(r'^if __name__ == "__main__":$', re.MULTILINE)
INTRODUCTION = """# Results

Written by `make bench`; each section by the script of its name. Times are medians in milliseconds; a ratio is the
peer's time over ours, both taken in turn in the same run (above 1, ours is faster), unless its label says otherwise.
"""


def scripts() -> list[str]:
    """The benchmarks, by name: the modules here that can be run, but for this one."""
    runnable = (path for path in FOLDER.glob("*.py") if RUNNABLE.search(path.read_text(encoding="utf-8")))
    return sorted(path.stem for path in runnable if path.stem != "run")


def section(facts: dict[str, Any], seconds: float) -> str:
    """One benchmark's results as Markdown."""
    lines = [f"## {facts['name']}", ""]
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    machine = f"Python {platform.python_version()}, {os.cpu_count()} {platform.machine()} cores"
    lines += [f"{when}, {seconds:.0f} s, {machine}; {versions}.", "", "| what | ms | ratio |", "|---|---:|---:|"]
    ratios = dict(facts["ratios"])
    for label, median in facts["medians"].items():
        lines.append(f"| {label} | {median:,} | {ratios.pop(label, '')} |")
    lines += [f"| {label} | | {ratio} |" for label, ratio in ratios.items()]
    if facts["peak_mib"]:
        lines += ["", "| what | peak MiB |", "|---|---:|"]
        lines += [f"| {label} | {mib:,} |" for label, mib in facts["peak_mib"].items()]
    return "\n".join(lines) + "\n"


def written() -> dict[str, str]:
    """The sections that are in the file already, by name."""
    if not RESULTS.exists():
        return {}
    parts = HEADING.split(RESULTS.read_text(encoding="utf-8"))
    return {name: f"## {name}{text.rstrip()}\n" for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def main() -> int:
    """Run what the command line names, or all; 1 if one failed."""
    names = sys.argv[1:] or scripts()
    if unknown := set(names) - set(scripts()):
        print(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(scripts())}", file=sys.stderr)
        return 1
    sections, failed = written(), []
    for name in names:
        print(f"== {name}", flush=True)
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, str(FOLDER / f"{name}.py"), "--json"],
            cwd=FOLDER.parent,
            stdout=subprocess.PIPE,
            check=False,
        )
        if done.returncode != 0:
            failed.append(name)
            continue
        sections[name] = section(json.loads(done.stdout.splitlines()[-1]), time.monotonic() - started)
        print(sections[name], flush=True)
        RESULTS.write_text("\n".join([INTRODUCTION, *(sections[key] for key in sorted(sections))]), encoding="utf-8")
    for name in failed:
        print(f"benchmark {name} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
