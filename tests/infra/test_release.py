"""`make release`: a version, a date, a commit and a tag; refused where it would not be a step forward."""

import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from infra.release import ReleaseError, dated, release

DAY = date(2026, 11, 29)
CHANGELOG = "# Changelog\n\n## Unreleased\n### Added\n- A map.\n\n## 1.1.0 (2026-10-01)\n### Added\n- Flights.\n"


def test_what_was_unreleased_is_the_versions() -> None:
    assert dated(CHANGELOG, "1.2.0", DAY) == (
        "# Changelog\n\n## Unreleased\n\n## 1.2.0 (2026-11-29)\n### Added\n- A map.\n"
        "\n## 1.1.0 (2026-10-01)\n### Added\n- Flights.\n"
    )


@pytest.mark.parametrize(
    ("version", "changelog", "said"),
    [
        ("", CHANGELOG, "VERSION is missing: expected three numbers"),
        ("1.2", CHANGELOG, "VERSION is 1.2: expected three numbers"),
        ("1.1.0", CHANGELOG, "the changelog has 1.1.0 already"),
        ("1.0.9", CHANGELOG, "the changelog has 1.1.0 already"),
        ("2.0.0", "# Changelog\n\n## Unreleased\n\n## 1.1.0 (2026-10-01)\n- x\n", "nothing under Unreleased"),
    ],
)
def test_what_is_no_release_is_refused(version: str, changelog: str, said: str) -> None:
    with pytest.raises(ReleaseError, match=said):
        dated(changelog, version, DAY)


def test_a_release_is_a_commit_and_a_tag_and_nothing_is_pushed(tmp_path: Path) -> None:
    def git(arguments: Sequence[str]) -> str:
        who = ["-c", "user.name=n", "-c", "user.email=e"]
        done = subprocess.run(["git", *who, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout

    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "omnibus"\nversion = "1.1.0"\n')
    git(["init", "--quiet"])
    with pytest.raises(ReleaseError, match="uncommitted"):
        release("1.2.0", tmp_path, git, DAY)
    git(["add", "."])
    git(["commit", "--quiet", "--message", "Begin"])

    said = release("1.2.0", tmp_path, git, DAY)

    assert git(["tag"]).split() == ["v1.2.0"]
    assert git(["status", "--porcelain"]) == ""
    assert 'version = "1.2.0"' in (tmp_path / "pyproject.toml").read_text()
    assert "git push --follow-tags" in said[-1]
