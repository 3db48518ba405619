"""Lock files: every installed distribution at one version, with the digests of its files."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.artifacts.errors import PackagingError

PIN = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)\s*(?:;\s*(?P<marker>[^\\]+?))?\s*\\?$"
)
DIGEST = re.compile(r"^\s+--hash=sha256:[0-9a-f]{64}\s*\\?$")


@dataclass(frozen=True)
class Pin:
    """One distribution of a lock: its name (normalised), version, environment marker or "", and its lines."""

    name: str
    version: str
    marker: str
    lines: tuple[str, ...]


def normalised(name: str) -> str:
    """A distribution's normalised name in indexes (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(path: Path) -> tuple[Pin, ...]:
    """The pins of a lock; PackagingError names the first without one version and digests."""
    pins: list[Pin] = []
    lines: list[str] = []

    def close() -> None:
        if not lines:
            return
        found = PIN.match(lines[0])
        if found is None or len(lines) < 2 or not all(DIGEST.match(line) for line in lines[1:]):
            raise PackagingError(f"{path.name}: {lines[0]!r} is not pinned with digests: run `make lock`")
        pins.append(Pin(normalised(found["name"]), found["version"], found["marker"] or "", tuple(lines)))
        lines.clear()

    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line[0].isspace():
            close()
        lines.append(line)
    close()
    return tuple(pins)


def without(pins: Iterable[Pin], others: Iterable[Pin]) -> tuple[Pin, ...]:
    """`pins` without those in `others`; PackagingError if the two differ in a version."""
    versions = {pin.name: pin.version for pin in others}
    for pin in pins:
        if versions.get(pin.name, pin.version) != pin.version:
            raise PackagingError(f"{pin.name} is locked at {versions[pin.name]} and at {pin.version}: run `make lock`")
    return tuple(pin for pin in pins if pin.name not in versions)


def written(pins: Iterable[Pin]) -> str:
    """The pins as a lock's text."""
    return "".join(f"{line}\n" for pin in pins for line in pin.lines)
