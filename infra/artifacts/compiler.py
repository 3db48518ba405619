"""Compile the modules of a tree: `python compiler.py TREE MOUNTED OWN...`, run by the Python that will load them.

It uses only the standard library, because that Python is not the one that packages. Bytecode without docstrings
replaces the libraries' modules. Modules named OWN keep their source, for tracebacks with source lines, and get
bytecode that is never compared with the source.
"""

import ast
import importlib.util
import marshal
import sys
from pathlib import Path

HASHED_UNCHECKED = 0b01
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def without_docstrings(module: ast.Module) -> ast.Module:
    """The module without docstrings; unlike `-OO`, this keeps assertions."""
    for node in ast.walk(module):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            if len(node.body) > 1:
                del node.body[0]
            else:
                node.body[0] = ast.copy_location(ast.Pass(), node.body[0])
    return module


def compiled(source: bytes, filename: str, *, documented: bool) -> bytes:
    """The bytecode of a module as a file that the import system loads without checking the source (PEP 552)."""
    module = ast.parse(source, filename)
    code = compile(module if documented else without_docstrings(module), filename, "exec", dont_inherit=True)
    flags = HASHED_UNCHECKED.to_bytes(4, "little")
    return importlib.util.MAGIC_NUMBER + flags + importlib.util.source_hash(source) + marshal.dumps(code)


def compile_tree(tree: Path, mounted: str, own: list[str]) -> None:
    """Compile each module under `tree`; tracebacks will show its path under `mounted`."""
    for path in sorted(tree.rglob("*.py")):
        name = path.relative_to(tree).as_posix()
        source = path.read_bytes()
        if name.split("/")[0] in own:
            target = Path(importlib.util.cache_from_source(str(path)))
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(compiled(source, f"{mounted}/{name}", documented=True))
        else:
            path.with_suffix(".pyc").write_bytes(compiled(source, f"{mounted}/{name}", documented=False))
            path.unlink()


if __name__ == "__main__":
    compile_tree(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
