"""Documents name existing commands, files and sections."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
named = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


@named
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    commands = re.findall(r"`make ([a-z-]+)|^ {4}make ([a-z-]+)", document.read_text(), re.MULTILINE)
    assert {first or second for first, second in commands} <= TARGETS


@named
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = []
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", document.read_text()):
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def anchors(file: Path) -> set[str]:
    """The headings of a document, as GitHub's links name them."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_names_the_pythons_and_the_workloads() -> None:
    readme = (ROOT / "README.md").read_text()
    first, last = re.findall(r"3\.(\d+)", (ROOT / "pyproject.toml").read_text().split("requires-python")[1][:30])
    for minor in range(int(first), int(last)):
        assert f"3.{minor}" in readme
    for workload in ("concerts", "predictions", "flights", "spendsense", "uploads"):
        assert f"**{workload}**" in readme
