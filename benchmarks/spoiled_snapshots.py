"""How many spoiled snapshots the checks fail, and how many honest ones: the table of docs/quality-checks.md.

python benchmarks/spoiled_snapshots.py            # some 80 s; writes the table into the page
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import measure  # noqa: E402
from tests.unit.flights import pairs, unseen  # noqa: E402
from tests.unit.flights.test_spoiled_snapshots import judged, judged_pair  # noqa: E402
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
    alone = {fault: found[fault] for fault in unseen.LATER}
    told, total = counted({fault: reasons for fault, reasons in found.items() if fault not in alone})
    lines = [f"Spoiled: {told} of {total} fail. Honest: {sum(failed.values())} of {sum(rows.values())} fail."]
    lines += ["Of the third set, {} of {} fail.".format(*counted(alone)), ""]
    lines += ["| honest | snapshots | fail |", "|---|---|---|"]
    lines += [f"| {kind} | {rows[kind]} | {failed[kind]} |" for kind in rows]
    lines += ["", "| fault | detected first by |", "|---|---|"]
    lines += [f"| {fault} | {'; '.join(dict.fromkeys(reasons))} |" for fault, reasons in found.items()]
    following = of_pairs()
    lines += ["", *following.lines]
    told, total = told + following.told, total + following.total
    text = PAGE.read_text()
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    PAGE.write_text(before + "\n".join(lines) + "\n" + after)
    measured = measure.Report("spoiled_snapshots")
    measured.ratios["spoiled snapshots that fail"] = told / total
    measured.ratios["honest snapshots that fail"] = (sum(failed.values()) + following.wrongly) / (
        sum(rows.values()) + following.honest
    )
    measured.show(arguments.json)


class Following(NamedTuple):
    """The result for snapshots that follow another one."""

    told: int
    total: int
    wrongly: int
    honest: int
    lines: list[str]


def of_pairs() -> Following:
    """The faults that the comparison with the snapshot before is for, by the share of the aircraft that they spoil."""
    honest_ones = [judged_pair(pair).verdict == "failed" for pair in pairs.honest_pairs()]
    hidden = {name: pairs.alone(unseen.LATER[name]) for name in sorted(unseen.HIDDEN)}
    faults = {**hidden, **pairs.DEVELOPMENT, **pairs.HELD_OUT, **pairs.FRESH}
    found: dict[str, dict[float, list[str]]] = defaultdict(lambda: defaultdict(list))
    known: dict[str, bytes] = {}
    for fault, share, pair in pairs.spoiled(faults):
        report = judged_pair(pair, known)
        found[fault][share].append(reason(report.reasons) if report.verdict == "failed" else "passed")
    told, total = counted({(fault, share): each for fault in found for share, each in found[fault].items()})
    whole = counted({fault: shares[1.0] for fault, shares in found.items()})
    lines = [
        f"With the snapshot before: {told} of {total} spoiled ones fail, {whole[0]} of the {whole[1]} that are spoiled "
        f"whole. Honest: {sum(honest_ones)} of {len(honest_ones)} fail.",
        "",
        "| fault | all aircraft | half | three in ten | detected first by |",
        "|---|---|---|---|---|",
    ]
    for fault, shares in found.items():
        cells = ["{} of {}".format(*counted({fault: shares[share]})) for share in pairs.SHARES if share in shares]
        cells += ["-"] * (len(pairs.SHARES) - len(cells))
        reasons = dict.fromkeys(each for several in shares.values() for each in several if each != "passed")
        lines.append(f"| {fault} | {' | '.join(cells)} | {'; '.join(reasons)} |")
    return Following(told, total, sum(honest_ones), len(honest_ones), lines)


def counted(found: Mapping[Any, list[str]]) -> tuple[int, int]:
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
