"""Rewrite work that libraries do on import but no function needs: it would slow every cold start."""

import importlib
import importlib.metadata
from pathlib import Path

from infra.artifacts.errors import PackagingError

LAZY_STATS = """
class _Stats:
    def __getattr__(self, name):
        import scipy.stats
        return getattr(scipy.stats, name)

stats = _Stats()
"""
"""scipy.stats takes longer to load than all other prediction code; scikit-learn uses it for fitting and quantiles."""

NDARRAY = """
from typing import Any, TypeVar
from numpy._core.multiarray import dtype, ndarray
NDArray = ndarray[tuple[Any, ...], dtype[TypeVar("Scalar")]]
"""
FITPACK_INTEGER = ("= dfitpack.types.intvar.dtype", '= __import__("numpy").dtype("int32")')


def _when_called(name: str) -> tuple[str, str]:
    """An edit that delays a module's import of a scipy.stats function until it calls the function."""
    imported = f"from scipy.stats import {name}\n"
    return imported, f"def {name}(*values, **options):\n    {imported}    return {name}(*values, **options)\n"


EDITS: dict[str, dict[str, tuple[tuple[str, str], ...]]] = {
    # Documentation; types, of which annotations use these; tools that compile and test extensions, which
    # `from numpy import *` would load.
    "numpy": {
        "numpy/__init__.py": (
            ('"ctypeslib", "testing", "typing",\n        "f2py", "test",', '"ctypeslib", "typing",\n        "test",'),
        ),
        "numpy/_core/__init__.py": (("    _add_newdocs,\n    _add_newdocs_scalars,\n", ""),),
        "numpy/linalg/_linalg.py": (("from numpy._typing import NDArray\n", NDARRAY),),
        "numpy/typing/__init__.py": (
            (
                "from numpy._typing import ArrayLike, DTypeLike, NBitBase, NDArray\n",
                NDARRAY + "ArrayLike = DTypeLike = NBitBase = Any\n",
            ),
        ),
        "numpy/_core/overrides.py": (("    public_api.__doc__ = get_array_function_like_doc(public_api)\n", ""),),
    },
    # Each of its 300 functions gets documentation and a signature, generated from its options' documentation.
    "pyarrow": {
        "pyarrow/compute.py": (
            ("from pyarrow import _compute_docstrings\nfrom pyarrow.vendored import docscrape\n", ""),
            (
                "    wrapper.__signature__ = _make_signature(arg_names, var_arg_names,\n"
                + " " * 44
                + "options_class)\n",
                "",
            ),
            (
                "    wrapper.__qualname__ = exposed_name\n",
                "    wrapper.__qualname__ = exposed_name\n    return wrapper\n",
            ),
        ),
    },
    # Its functions' documentation lists the array libraries that they accept. FITPACK is a stub without types.
    "scipy": {
        "scipy/interpolate/_fitpack_impl.py": (FITPACK_INTEGER,),
        "scipy/interpolate/_fitpack2.py": (FITPACK_INTEGER,),
        "scipy/_lib/_array_api.py": (
            ("    sphinx_capabilities = _make_sphinx_capabilities(**capabilities)\n", ""),
            (
                "        note = _make_capabilities_note(f.__name__, sphinx_capabilities, extra_note)\n",
                "        return f\n",
            ),
        ),
    },
    # Only for caching the results of coroutines.
    "joblib": {"joblib/memory.py": (("import asyncio\n", ""),)},
    "scikit-learn": {
        # pandas is loaded only for type comparisons: models of named columns load it themselves.
        "sklearn/utils/fixes.py": (
            ("try:\n    import pandas as pd\nexcept ImportError:\n    pd = None\n", ""),
            ("import scipy.stats\n", ""),  # scipy loads its packages on first use
        ),
        "sklearn/preprocessing/_data.py": (("import sparse, stats\n", "import sparse\n" + LAZY_STATS),),
        "sklearn/feature_selection/_univariate_selection.py": (
            ("import special, stats\n", "import special\n" + LAZY_STATS),
        ),
        "sklearn/impute/_iterative.py": (("from scipy import stats\n", LAZY_STATS),),
        "sklearn/covariance/_robust_covariance.py": (
            ("from scipy.stats import chi2\n", LAZY_STATS),
            ("chi2.ppf(alpha, df=", "stats.chi2.ppf(alpha, df="),
            ("chi2.cdf(q_alpha", "stats.chi2.cdf(q_alpha"),
            ("< chi2(n_features)", "< stats.chi2(n_features)"),
        ),
        "sklearn/_loss/link.py": (_when_called("gmean"),),
        "sklearn/isotonic.py": (_when_called("spearmanr"),),
        "sklearn/metrics/_ranking.py": (_when_called("rankdata"),),
        "sklearn/model_selection/_search.py": (_when_called("rankdata"),),
    },
    # Types that may not be saved; functions only load. The list imports all of sklearn.cluster.
    "skops": {
        "skops/io/_sklearn.py": (
            ("from sklearn.cluster import Birch\n", ""),
            ("UNSUPPORTED_TYPES = {Birch}", "UNSUPPORTED_TYPES = set()"),
        ),
    },
}
"""By library and file: texts that must occur exactly once, and their replacements."""

COMPUTED = {"skops": ("skops/io/_trusted_types.py", "skops.io._trusted_types")}
"""Modules that consist of lists of names, which importing computes from all estimators."""


def rewrite(tree: Path, versions: dict[str, str]) -> None:
    """Rewrite the libraries' sources in `tree`; `versions` are their versions.

    Raises PackagingError if an expected text is missing, because the library has changed.
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
    """The source of a module that contains, as constants, the lists of names that importing `module` computes."""
    found = vars(importlib.import_module(module))
    lists = {
        name: value
        for name, value in sorted(found.items())
        if name.isupper() and isinstance(value, list) and all(isinstance(each, str) for each in value)
    }
    return "".join(f"{name} = {sorted(value)!r}\n" for name, value in lists.items())
