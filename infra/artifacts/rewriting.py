"""What libraries do on import but no function needs, rewritten in the package: every cold start would pay for it."""

import importlib
import importlib.metadata
from pathlib import Path

from infra.artifacts.errors import PackagingError

EDITS: dict[str, dict[str, tuple[tuple[str, str], ...]]] = {
    # pandas is loaded to be compared with: models of named columns load it themselves.
    "scikit-learn": {
        "sklearn/utils/fixes.py": (("try:\n    import pandas as pd\nexcept ImportError:\n    pd = None\n", ""),),
    },
    # Who may not be saved; functions only load. It takes the whole of sklearn.cluster to say so.
    "skops": {
        "skops/io/_sklearn.py": (
            ("from sklearn.cluster import Birch\n", ""),
            ("UNSUPPORTED_TYPES = {Birch}", "UNSUPPORTED_TYPES = set()"),
        ),
    },
}
"""By library and file: texts that must occur exactly once, and what takes their place."""

COMPUTED = {"skops": ("skops/io/_trusted_types.py", "skops.io._trusted_types")}
"""Modules of nothing but lists of names, which importing computes from every estimator there is."""


def rewrite(tree: Path, versions: dict[str, str]) -> None:
    """Rewrite the sources in `tree` of the libraries, given with their versions.

    Raises PackagingError if a text is not where it is expected: the library has changed.
    """
    for library in versions:
        for name, edits in EDITS.get(library, {}).items():
            text = (tree / name).read_text(encoding="utf-8")
            for before, after in edits:
                if text.count(before) != 1:
                    raise PackagingError(
                        f"{library} {versions[library]}: {name} has changed: see infra/artifacts/rewriting"
                    )
                text = text.replace(before, after)
            (tree / name).write_text(text, encoding="utf-8")
        if library in COMPUTED:
            name, module = COMPUTED[library]
            if (here := importlib.metadata.version(library)) != versions[library]:
                raise PackagingError(
                    f"{library} is {here} here and {versions[library]} in the package: run `make venv`"
                )
            (tree / name).write_text(computed(module), encoding="utf-8")


def computed(module: str) -> str:
    """The source of a module with the lists of names that importing `module` makes, as they are."""
    found = vars(importlib.import_module(module))
    lists = {
        name: value
        for name, value in sorted(found.items())
        if name.isupper() and isinstance(value, list) and all(isinstance(each, str) for each in value)
    }
    return "".join(f"{name} = {sorted(value)!r}\n" for name, value in lists.items())
