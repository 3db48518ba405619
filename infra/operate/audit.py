"""Hold everything that is pinned against the known vulnerabilities: `python -m infra.operate.audit`.

pip-audit passes a package that its advisory service does not know, and cannot tell a machine without the service from
one without vulnerabilities. Here what was not audited is named, so that nobody takes it for sound; it fails the audit
where OMNIBUS_REQUIRE_AUDIT=1, as where releases are made. A known vulnerability always does.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PINNED = ("infra/layers/base.txt", "infra/layers/arrow.txt", "infra/layers/ml.txt", "requirements-dev.txt")
REQUIRE = "OMNIBUS_REQUIRE_AUDIT"
DEADLINE_S = 300
SHOWN = 5


@dataclass(frozen=True)
class Said:
    """What pip-audit printed: its report on stdout, its troubles on stderr."""

    output: str
    trouble: str


@dataclass(frozen=True)
class Audit:
    """What became of the packages of one file."""

    file: str
    sound: int
    vulnerable: tuple[str, ...]
    unaudited: tuple[str, ...]
    trouble: str = ""

    @property
    def is_whole(self) -> bool:
        """Was every package held against the advisories?"""
        return not self.unaudited and not self.trouble


def ask_pip_audit(file: str) -> Said:
    """pip-audit's answer about a file of pinned requirements, nothing installed for it."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", file, "--format", "json"]
    options = ["--disable-pip", "--no-deps", "--progress-spinner", "off"]
    try:
        done = subprocess.run(
            [*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Said("", f"no answer within {DEADLINE_S} s")
    return Said(done.stdout, done.stderr)


def audit(file: str, ask: Callable[[str], Said] = ask_pip_audit) -> Audit:
    """Hold one file's packages against the advisories."""
    said = ask(file)
    try:
        dependencies: Sequence[Mapping[str, Any]] = json.loads(said.output)["dependencies"]
    except (ValueError, KeyError):
        last = (said.trouble.strip().splitlines() or ["it said nothing"])[-1]
        return Audit(file, 0, (), (), f"the advisory service could not be asked: {last[:300]}")
    vulnerable = [
        f"{each['name']} {each['version']}: {problem['id']}, mended in {', '.join(problem['fix_versions']) or 'none'}"
        for each in dependencies
        for problem in each.get("vulns", ())
    ]
    unaudited = tuple(each["name"] for each in dependencies if "skip_reason" in each)
    sound = sum(1 for each in dependencies if "skip_reason" not in each and not each["vulns"])
    return Audit(file, sound, tuple(vulnerable), unaudited)


def report(found: Audit) -> list[str]:
    """One file's audit for a person."""
    lines = [f"{found.file}: {found.sound} packages without a known vulnerability"]
    lines += [f"  VULNERABLE {each}" for each in found.vulnerable]
    if found.unaudited:
        shown = ", ".join(found.unaudited[:SHOWN]) + (" ..." if len(found.unaudited) > SHOWN else "")
        lines.append(f"  NOT AUDITED, the advisory service does not know them: {len(found.unaudited)}: {shown}")
    if found.trouble:
        lines.append(f"  NOT AUDITED: {found.trouble}")
    return lines


def main(ask: Callable[[str], Said] = ask_pip_audit, environ: Mapping[str, str] = os.environ) -> int:
    """Audit everything that is pinned; 1 for a vulnerability, and for a hole in the audit where it is required."""
    audits = [audit(file, ask) for file in PINNED]
    for found in audits:
        print("\n".join(report(found)))
    if any(found.vulnerable for found in audits):
        return 1
    if all(found.is_whole for found in audits):
        return 0
    required = environ.get(REQUIRE) == "1"
    print(f"audit: NOT ALL WAS AUDITED{'' if required else f', which is let pass here; {REQUIRE}=1 insists'}")
    return 1 if required else 0


if __name__ == "__main__":
    sys.exit(main())
