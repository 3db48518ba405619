"""One name, one meaning: no public class or function of chalicelib is defined twice."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEFENDED = {
    "text": "`sql.text(...)` reads a statement of its workload, in concerts and in spendsense",
}


def definitions(root: Path) -> dict[str, list[str]]:
    """Every public class and function at the top of a module, with the modules that define it."""
    found = defaultdict(list)
    for path in sorted((root / "chalicelib").rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(root)))
    return found


def test_no_public_name_means_two_things() -> None:
    twice = {name: paths for name, paths in definitions(ROOT).items() if len(paths) > 1}
    assert twice.keys() - DEFENDED.keys() == set(), twice


def test_what_is_defended_is_still_there_twice() -> None:
    found = definitions(ROOT)
    assert [name for name in DEFENDED if len(found[name]) < 2] == []
