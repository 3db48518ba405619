"""Check all pinned packages for known vulnerabilities: `python -m infra.operate.audit`.

pip-audit passes packages that its advisory service does not know, and does not distinguish an unreachable service from
the absence of vulnerabilities. This command names the packages that were not audited; with OMNIBUS_REQUIRE_AUDIT=1, as
for releases, they fail the audit. A known vulnerability always does.
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
    """pip-audit's output: its report on stdout, its errors on stderr."""

    output: str
    trouble: str


@dataclass(frozen=True)
class Audit:
    """Audit results for the packages of one file."""

    file: str
    sound: int
    vulnerable: tuple[str, ...]
    unaudited: tuple[str, ...]
    trouble: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether every package was checked."""
        return not self.unaudited and not self.trouble


def ask_pip_audit(file: str) -> Said:
    """pip-audit's result for a file of pinned requirements, without installing them."""
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
    """Check one file's packages for advisories."""
    said = ask(file)
    try:
        dependencies: Sequence[Mapping[str, Any]] = json.loads(said.output)["dependencies"]
    except (ValueError, KeyError):
        last = (said.trouble.strip().splitlines() or ["it printed nothing"])[-1]
        return Audit(file, 0, (), (), f"the advisory service could not be reached: {last[:300]}")
    vulnerable = [
        f"{each['name']} {each['version']}: {problem['id']}, fixed in {', '.join(problem['fix_versions']) or 'none'}"
        for each in dependencies
        for problem in each.get("vulns", ())
    ]
    unaudited = tuple(each["name"] for each in dependencies if "skip_reason" in each)
    sound = sum(1 for each in dependencies if "skip_reason" not in each and not each["vulns"])
    return Audit(file, sound, tuple(vulnerable), unaudited)


def report(found: Audit) -> list[str]:
    """One file's audit as readable text."""
    lines = [f"{found.file}: {found.sound} packages without a known vulnerability"]
    lines += [f"  VULNERABLE {each}" for each in found.vulnerable]
    if found.unaudited:
        shown = ", ".join(found.unaudited[:SHOWN]) + (" ..." if len(found.unaudited) > SHOWN else "")
        lines.append(f"  NOT AUDITED, the advisory service does not know them: {len(found.unaudited)}: {shown}")
    if found.trouble:
        lines.append(f"  NOT AUDITED: {found.trouble}")
    return lines


def main(ask: Callable[[str], Said] = ask_pip_audit, environ: Mapping[str, str] = os.environ) -> int:
    """Audit all pinned packages; return 1 for a vulnerability, or for an incomplete audit if a full one is required."""
    audits = [audit(file, ask) for file in PINNED]
    for found in audits:
        print("\n".join(report(found)))
    if any(found.vulnerable for found in audits):
        return 1
    if all(found.is_whole for found in audits):
        return 0
    required = environ.get(REQUIRE) == "1"
    print(f"audit: NOT ALL PACKAGES WERE AUDITED{'' if required else f'; {REQUIRE}=1 makes this an error'}")
    return 1 if required else 0


if __name__ == "__main__":
    sys.exit(main())
