"""The libraries of an artifact: pip installs wheels for the target, never sources, and checks each digest."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.artifacts.errors import PackagingError
from infra.artifacts.locks import Pin, normalised, written
from infra.artifacts.target import Target


@dataclass(frozen=True)
class Library:
    """An installed distribution: its name and version, its wheel, and its files in the tree."""

    name: str
    version: str
    licence: str
    wheel: str
    sha256: str
    files: tuple[str, ...]


def install(pins: Sequence[Pin], target: Target, tree: Path) -> tuple[Library, ...]:
    """Install the pins' wheels for `target` into `tree`; return the installed distributions by name.

    Raises PackagingError if pip finds no wheel for the target, or a wheel whose digest differs from the lock's.
    """
    for pin in pins:
        if "python_" in pin.marker:
            # pip evaluates markers for the Python that runs it, even if it installs for another.
            raise PackagingError(f"{pin.name} depends on the Python that builds ({pin.marker}): pin one for all")
    with tempfile.TemporaryDirectory(prefix="omnibus-libraries-") as folder:
        lock, report = Path(folder) / "lock.txt", Path(folder) / "report.json"
        lock.write_text(written(pins), encoding="utf-8")
        _run_pip(lock, report, target, tree)
        installed = json.loads(report.read_text(encoding="utf-8"))["install"]
    return tuple(sorted((_library(entry, tree) for entry in installed), key=lambda library: library.name))


def _run_pip(lock: Path, report: Path, target: Target, tree: Path) -> None:
    platforms = [argument for platform in target.platforms for argument in ("--platform", platform)]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
            *("--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", str(lock)),
            *("--implementation", "cp", "--python-version", target.python, *platforms),
            *("--target", str(tree), "--report", str(report)),
        ],
        env={**os.environ, "PIP_REQUIRE_VIRTUALENV": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        errors = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("WARNING"))
        raise PackagingError(f"pip cannot install the libraries for {target}:\n{errors}")


def _library(entry: dict[str, dict[str, object]], tree: Path) -> Library:
    metadata, download = entry["metadata"], entry["download_info"]
    name, version = str(metadata["name"]), str(metadata["version"])
    archive = download["archive_info"]
    assert isinstance(archive, dict)
    folder = _metadata_folder(tree, name, version)
    record = (folder / "RECORD").read_text(encoding="utf-8").splitlines()
    files = (line.rsplit(",", 2)[0].strip('"') for line in record)
    return Library(
        normalised(name),
        version,
        _licence(metadata),
        str(download["url"]).rsplit("/", 1)[-1],
        str(archive["hashes"]["sha256"]),
        tuple(sorted(file for file in files if not file.startswith(".."))),
    )


def _metadata_folder(tree: Path, name: str, version: str) -> Path:
    for folder in tree.glob("*.dist-info"):
        if normalised(folder.name.removesuffix(".dist-info")) == normalised(f"{name}-{version}"):
            return folder
    raise PackagingError(f"pip reported {name} {version}, but did not install it")


def _licence(metadata: dict[str, object]) -> str:
    """The library's SPDX expression, or its own licence text, or its trove classifier."""
    if expression := metadata.get("license_expression"):
        return str(expression)
    words = str(metadata.get("license") or "").strip()
    if words and "\n" not in words and len(words) < 100:
        return words
    classifiers = metadata.get("classifier") or []
    assert isinstance(classifiers, list)
    named = [str(each).rsplit(" :: ", 1)[-1] for each in classifiers if str(each).startswith("License :: ")]
    return named[0] if named else ""
