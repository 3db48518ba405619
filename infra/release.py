"""Make a release of the committed state: `make release VERSION=1.2.0`.

The changelog's section "Unreleased" becomes the version's, dated today, and pyproject.toml gets the version. Both are
committed and tagged `vVERSION`. Nothing is pushed: the command prints how to push, which starts the deployment.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UNRELEASED = "## Unreleased\n"
VERSION = re.compile(r"\d+\.\d+\.\d+")
RELEASED = re.compile(r"^## (\d+\.\d+\.\d+) ", re.MULTILINE)

Git = Callable[[Sequence[str]], str]


class ReleaseError(Exception):
    """The release cannot be made; the message gives the reason."""


def dated(changelog: str, version: str, day: date) -> str:
    """The changelog with the unreleased entries under `version`; ReleaseError if it is not newer, or there are none."""
    if not VERSION.fullmatch(version):
        raise ReleaseError(f"VERSION is {version or 'missing'}: expected three numbers, e.g. VERSION=1.2.0")
    released = [_numbers(each) for each in RELEASED.findall(changelog)]
    if released and _numbers(version) <= max(released):
        raise ReleaseError(f"VERSION is {version}: the changelog has {'.'.join(map(str, max(released)))} already")
    before, heading, after = changelog.partition(UNRELEASED)
    new, _, older = after.partition("\n## ")
    if not heading or not new.strip():
        raise ReleaseError("the changelog has nothing under Unreleased")
    older = f"\n## {older}" if older else ""
    return f"{before}{UNRELEASED}\n## {version} ({day})\n{new}{older}"


def release(version: str, root: Path, git: Git, day: date) -> list[str]:
    """Make the release; return the finished steps and the next ones."""
    changelog, project = root / "CHANGELOG.md", root / "pyproject.toml"
    if git(["status", "--porcelain"]).strip():
        raise ReleaseError("there are uncommitted changes: commit or stash them first")
    text = dated(changelog.read_text(encoding="utf-8"), version, day)
    numbered = re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', project.read_text(encoding="utf-8"), count=1)
    changelog.write_text(text, encoding="utf-8")
    project.write_text(numbered, encoding="utf-8")
    git(["commit", "--quiet", "--message", f"Release {version}", "CHANGELOG.md", "pyproject.toml"])
    git(["tag", "--annotate", f"v{version}", "--message", f"Release {version}"])
    return [
        f"CHANGELOG.md: the unreleased entries are now {version}, {day}",
        f"pyproject.toml: version {version}",
        f"committed and tagged v{version}; nothing is pushed",
        f"to publish, and to deploy to staging: git push --follow-tags origin HEAD v{version}",
    ]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def main() -> None:
    """Release the version that the command line names."""

    def git(arguments: Sequence[str]) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)  # nosec B607
        if done.returncode:
            raise ReleaseError(f"git {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout

    try:
        print("\n".join(release("".join(sys.argv[1:]), ROOT, git, datetime.now(UTC).date())))
    except ReleaseError as error:
        sys.exit(f"release: {error}")


if __name__ == "__main__":
    main()
