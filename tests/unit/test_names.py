"""One name, one meaning: chalicelib defines no public class or function twice, and no constant that others import."""

import ast
import functools
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEFENDED = {
    "text": "`sql.text(...)` reads a statement of its workload, in concerts and in spendsense",
}


@functools.cache
def modules(root: Path) -> dict[str, ast.Module]:
    """Every module of chalicelib, by its path."""
    return {str(path.relative_to(root)): ast.parse(path.read_text()) for path in (root / "chalicelib").rglob("*.py")}


def assigned(node: ast.stmt) -> list[str]:
    """The names that a statement at the top of a module gives a value."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def imported(root: Path) -> set[str]:
    """The names that any module takes from one of chalicelib."""
    imports = (node for module in modules(root).values() for node in ast.walk(module))
    return {
        alias.name
        for node in imports
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("chalicelib")
        for alias in node.names
    }


def definitions(root: Path) -> dict[str, list[str]]:
    """What is public at the top of a module, with the modules that define it; of constants those that are imported."""
    found, shared = defaultdict(list), imported(root)
    for path, module in sorted(modules(root).items()):
        for node in module.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                found[node.name].append(path)
            for name in shared.intersection(assigned(node)):
                found[name].append(path)
    return {name: paths for name, paths in found.items() if not name.startswith("_")}


@pytest.mark.slow
def test_no_public_name_means_two_things() -> None:
    twice = {name: paths for name, paths in definitions(ROOT).items() if len(paths) > 1}
    assert twice.keys() - DEFENDED.keys() == set(), twice


def test_what_is_defended_is_still_there_twice() -> None:
    found = definitions(ROOT)
    assert [name for name in DEFENDED if len(found[name]) < 2] == []


def test_a_constant_that_another_module_imports_counts(tmp_path: Path) -> None:
    for name, text in {
        "one": "LIMIT = 1\nOWN = 1\n",
        "two": "LIMIT: int = 2\nOWN = 2\n",
        "user": "from chalicelib.one import LIMIT\n",
    }.items():
        (tmp_path / "chalicelib").mkdir(exist_ok=True)
        (tmp_path / "chalicelib" / f"{name}.py").write_text(text)
    assert definitions(tmp_path) == {"LIMIT": ["chalicelib/one.py", "chalicelib/two.py"]}
