"""Structural checks of fitted trees: scikit-learn follows node indices unchecked, so a forged one reads wild memory.

The signature already keeps forgeries out; this holds even if someone signs one by mistake.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

LEAF = -1
_ATOMS = (str, bytes, bytearray, int, float, complex, bool, type(None))


def broken_tree(model: Any) -> str | None:
    """The problem of the first broken tree in `model`; None if every tree is sound."""
    for owner, tree in trees_in(model):
        kind = type(tree).__name__
        problem = _broken_predictor(tree, owner) if kind == "TreePredictor" else _broken_tree(tree, owner)
        if problem:
            return problem
    return None


def trees_in(model: Any) -> Iterator[tuple[Any, Any]]:
    """Every scikit-learn tree inside `model`, with the estimator that owns it."""
    seen: set[int] = set()
    pending: list[tuple[Any, Any]] = [(model, model)]
    while pending:
        owner, item = pending.pop()
        if isinstance(item, _ATOMS) or id(item) in seen:
            continue
        seen.add(id(item))
        if type(item).__name__ in ("Tree", "TreePredictor") and type(item).__module__.startswith("sklearn."):
            yield owner, item
        elif isinstance(item, dict):
            pending += [(owner, value) for value in item.values()]
        elif isinstance(item, list | tuple | set):
            pending += [(owner, value) for value in item]
        elif isinstance(item, np.ndarray):
            if item.dtype.hasobject:
                pending += [(owner, value) for value in item.ravel().tolist()]
        elif hasattr(item, "__dict__"):
            inner = item if hasattr(item, "n_features_in_") or hasattr(item, "_n_features") else owner
            pending += [(inner, value) for value in vars(item).values()]


def _broken_tree(tree: Any, owner: Any) -> str | None:
    left, right = np.asarray(tree.children_left), np.asarray(tree.children_right)
    inner = (left != LEAF) | (right != LEAF)
    features = int(getattr(owner, "n_features_in_", tree.n_features))
    return _broken_nodes(inner, left, right, np.asarray(tree.feature), min(features, int(tree.n_features)))


def _broken_predictor(predictor: Any, owner: Any) -> str | None:
    nodes = predictor.nodes
    inner = nodes["is_leaf"] == 0
    categorical = inner & (nodes["is_categorical"] != 0)
    if (nodes["bitset_idx"][categorical] >= len(predictor.raw_left_cat_bitsets)).any():
        return "a node points outside the categories"
    features = int(getattr(owner, "_n_features", getattr(owner, "n_features_in_", 0)))
    return _broken_nodes(
        inner, nodes["left"].astype(np.int64), nodes["right"].astype(np.int64), nodes["feature_idx"], features
    )


def _broken_nodes(
    inner: npt.NDArray[Any],
    left: npt.NDArray[Any],
    right: npt.NDArray[Any],
    feature: npt.NDArray[Any],
    features: int,
) -> str | None:
    if not len(inner):
        return "a tree has no nodes"
    at = np.flatnonzero(inner)
    for child in (left[inner], right[inner]):
        if ((child <= at) | (child >= len(inner))).any():  # a child comes after its parent, so every walk ends
            return "a node has a child outside its tree"
    if ((feature[inner] < 0) | (feature[inner] >= features)).any():
        return "a node asks for a feature that does not exist"
    return None
