"""Compile the modules of a tree: `python compiler.py TREE MOUNTED OWN...`, run by the Python that will load them.

It stands alone, on the standard library, since that Python is another than the one that packages. The libraries'
modules become bytecode in their place, without docstrings; those named OWN keep their source, for tracebacks that
show lines, with the bytecode beside them as a file that is never compared with its source.
"""

import ast
import importlib.util
import marshal
import sys
from pathlib import Path

HASHED_UNCHECKED = 0b01
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def without_docstrings(module: ast.Module) -> ast.Module:
    """The module with no docstring anywhere; assertions, unlike under `-OO`, stay."""
    for node in ast.walk(module):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            if len(node.body) > 1:
                del node.body[0]
            else:
                node.body[0] = ast.copy_location(ast.Pass(), node.body[0])
    return module


def compiled(source: bytes, filename: str, *, documented: bool) -> bytes:
    """The bytecode of a module as a file that the import system takes without looking for the source (PEP 552)."""
    module = ast.parse(source, filename)
    code = compile(module if documented else without_docstrings(module), filename, "exec", dont_inherit=True)
    flags = HASHED_UNCHECKED.to_bytes(4, "little")
    return importlib.util.MAGIC_NUMBER + flags + importlib.util.source_hash(source) + marshal.dumps(code)


def compile_tree(tree: Path, mounted: str, own: list[str]) -> None:
    """Compile each module under `tree`; a traceback will name it under `mounted`."""
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
