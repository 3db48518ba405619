"""How many spoiled snapshots the checks fail, and how many honest ones: the table of docs/quality-checks.md.

python benchmarks/spoiled_snapshots.py            # some 40 s; writes the table into the page
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import measure  # noqa: E402
from tests.unit.flights import unseen  # noqa: E402
from tests.unit.flights.test_spoiled_snapshots import judged  # noqa: E402
from tests.unit.flights.traffic import honest, spoiled  # noqa: E402

PAGE = ROOT / "docs" / "quality-checks.md"
BEGIN, END = "<!-- measured -->\n", "<!-- /measured -->"


def main() -> None:
    arguments = measure.arguments(__doc__)
    rows, failed = Counter[str](), Counter[str]()
    for kind, time, vectors in honest():
        rows[kind] += 1
        failed[kind] += judged(vectors, time).verdict == "failed"
    for kind, time, known, vectors in unseen.honest():
        rows[kind] += 1
        failed[kind] += judged(vectors, time, known).verdict == "failed"
    found: dict[str, list[str]] = defaultdict(list)
    for fault, base, usual, vectors in chain(spoiled(), spoiled(unseen.SPOILED), spoiled(unseen.LATER)):
        report = judged(vectors, usual_rows=usual)
        found[fault].append(reason(report.reasons) if report.verdict == "failed" else f"passed ({base})")
    later = {fault: found[fault] for fault in unseen.LATER}
    told, total = counted({fault: reasons for fault, reasons in found.items() if fault not in later})
    lines = [f"Spoiled: {told} of {total} fail. Honest: {sum(failed.values())} of {sum(rows.values())} fail."]
    lines += ["Of the spoiled ones of the last set, {} of {} fail.".format(*counted(later)), ""]
    lines += ["| honest | snapshots | fail |", "|---|---|---|"]
    lines += [f"| {kind} | {rows[kind]} | {failed[kind]} |" for kind in rows]
    lines += ["", "| fault | detected first by |", "|---|---|"]
    lines += [f"| {fault} | {'; '.join(dict.fromkeys(reasons))} |" for fault, reasons in found.items()]
    text = PAGE.read_text()
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    PAGE.write_text(before + "\n".join(lines) + "\n" + after)
    measured = measure.Report("spoiled_snapshots")
    measured.ratios["spoiled snapshots that fail"] = told / total
    measured.ratios["honest snapshots that fail"] = sum(failed.values()) / sum(rows.values())
    measured.show(arguments.json)


def counted(found: Mapping[str, list[str]]) -> tuple[int, int]:
    """How many fail, and how many there are."""
    reasons = [each for several in found.values() for each in several]
    return sum(not each.startswith("passed") for each in reasons), len(reasons)


def reason(reasons: list[str]) -> str:
    """The first reason without its figures."""
    first = reasons[0]
    if "values of" in first:
        return f"impossible values of {first.split('values of ')[1].split()[0]}"
    if "rows were rejected" in first:
        return "rejected rows"
    return f"`{first.split()[0]}`" if first.split()[0] != "score" else "score"


if __name__ == "__main__":
    main()
