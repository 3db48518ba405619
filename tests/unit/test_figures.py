"""Figures in documents match benchmarks/results.md: a link names the section, which must contain the number."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[([^\]]*)\]\([^)]*benchmarks/results\.md#(\w+)\)")
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
COMPARISON = re.compile(r"(?<![\w.])\d[\d,.]*(?: times (?:as|less|more|faster|slower|longer)| ?% (?:faster|slower))")


def measured() -> dict[str, list[Decimal]]:
    """Every number of each section of the results."""
    sections = re.split(r"^## (\w+)$", (ROOT / "benchmarks/results.md").read_text(), flags=re.MULTILINE)[1:]
    return {
        name: [Decimal(number.replace(",", "")) for number in NUMBER.findall(text)]
        for name, text in zip(sections[::2], sections[1::2], strict=True)
    }


def contradictions(text: str, results: dict[str, list[Decimal]]) -> list[str]:
    """Figures that the results do not have, rounded as the document rounds them, and comparisons without a link."""
    found = []
    for words, section in LINK.findall(text):
        for number in NUMBER.findall(words):
            said = Decimal(number.replace(",", ""))
            if said not in [each.quantize(said) if each < 10**9 else each for each in results.get(section, [])]:
                found.append(f"{words!r}: benchmarks/results.md#{section} has no {number}")
    found += [f"{words!r} has no link to benchmarks/results.md" for words in COMPARISON.findall(LINK.sub("", text))]
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_contradicts_no_result(document: Path) -> None:
    assert contradictions(document.read_text(), measured()) == []


def test_a_contradiction_is_found() -> None:
    results = {"cold_start": [Decimal("3.56"), Decimal("6793.0")]}
    link = "(../benchmarks/results.md#cold_start)"
    assert contradictions(f"[3.6 times]{link} and [6,793 ms]{link}", results) == []
    assert contradictions(f"[3.7 times]{link}", results) == ["'3.7 times': benchmarks/results.md#cold_start has no 3.7"]
    assert contradictions("[2]" + link.replace("cold_start", "gone"), results) != []
    assert contradictions("24 times as long", results) == ["'24 times as' has no link to benchmarks/results.md"]
