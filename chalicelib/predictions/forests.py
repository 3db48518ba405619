"""Ensembles of regression trees: the same sums in the same order as `predict`, to the bit, in two thirds of its time.

Rows that take similar paths through the trees are put next to each other, so that the processor predicts the branches
and finds the nodes in its cache. `RandomForestRegressor.predict` also sets up configuration and warnings for each tree.
Histogram gradient boosting copies a node at every step; scikit-learn's ordinary trees follow a pointer, but take only
float32. The trees here therefore compare a value's place among all thresholds of its feature, which loses nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Order = Callable[[npt.NDArray[Any]], npt.NDArray[np.intp]]

FORESTS = ("RandomForestRegressor", "ExtraTreesRegressor")
BOOSTING = "HistGradientBoostingRegressor"
LEAF, NO_FEATURE = -1, -2
MANY_TREES = 30
"""Ordering rows and finding the places of values cost as much as some ten trees; fewer trees do not repay it."""
ORDERED_BY = 4
"""The number of features that decide the order: those that the trees test for the most rows."""


def sum_of_trees(estimator: Any) -> Callable[[Values], Values] | None:
    """What `estimator.predict` computes, to the bit; None for other estimators, and for several outputs."""
    return mean_of_trees(estimator) or boosted_trees(estimator)


def mean_of_trees(estimator: Any) -> Callable[[Values], Values] | None:
    """What `estimator.predict` computes, to the bit; None for what is not one of FORESTS with a single output.

    The function takes a matrix without infinities, and raises ValueError for values beyond float32, as `predict` does.
    """
    if not _is_one_of(FORESTS, estimator) or estimator.n_outputs_ != 1:
        return None
    trees = [tree.tree_ for tree in estimator.estimators_]
    asked = [np.concatenate([getattr(it, name) for it in trees]) for name in ("feature", "threshold", "n_node_samples")]
    order = _alike_together(*asked) if len(trees) >= MANY_TREES else None

    def mean(matrix: Values) -> Values:
        with np.errstate(over="ignore"):
            narrow = np.ascontiguousarray(matrix, np.float32)
        if np.isinf(narrow).any():
            raise ValueError("a value is too large for float32")
        total = _added(trees, narrow, 0.0, order)
        total /= len(trees)
        return total

    return mean


def boosted_trees(estimator: Any) -> Callable[[Values], Values] | None:
    """What `estimator.predict` computes, to the bit; None for all but BOOSTING with many trees and no categories."""
    if not _is_one_of((BOOSTING,), estimator) or len(estimator._predictors) < MANY_TREES:
        return None
    grown = [one.nodes for several in estimator._predictors for one in several]
    nodes = np.concatenate(grown)
    first = estimator._baseline_prediction
    if nodes["is_categorical"].any() or estimator.is_categorical_ is not None or first.dtype != np.float64:
        return None
    inner = nodes["is_leaf"] == 0
    asked = nodes["feature_idx"][inner].astype(np.int64), nodes["num_threshold"][inner], nodes["count"][inner]
    thresholds = [np.unique(asked[1][asked[0] == feature]) for feature in range(estimator.n_features_in_)]
    trees, order = [_plain_tree(each, thresholds) for each in grown], _alike_together(*asked)

    def boosted(matrix: Values) -> Values:
        places = np.zeros(matrix.shape, np.float32)
        for index, known in enumerate(thresholds):
            places[:, index] = np.searchsorted(known, matrix[:, index])
        places[np.isnan(matrix)] = np.nan
        total = _added(trees, places, first.item(), lambda _: order(matrix))
        return estimator._loss.link.inverse(total)  # type: ignore[no-any-return]

    return boosted


def _is_one_of(names: Sequence[str], estimator: Any) -> bool:
    return type(estimator).__name__ in names and type(estimator).__module__.startswith("sklearn.")


def _added(trees: Sequence[Any], rows: npt.NDArray[np.float32], first: float, order: Order | None) -> Values:
    """`first` and what each tree predicts, added in the trees' order."""
    places = order(rows) if order else slice(None)
    rows = rows[places]
    total = np.full(len(rows), first)
    for tree in trees:
        total += tree.predict(rows)[:, 0]
    given = np.empty_like(total)
    given[places] = total
    return given


def _alike_together(features: npt.NDArray[Any], thresholds: npt.NDArray[Any], rows: npt.NDArray[Any]) -> Order:
    """An order of rows by quarters of the most tested features.

    The three arrays describe the nodes: the feature and threshold of the test, and the number of training rows.
    """
    inner = features >= 0
    features, thresholds, rows = features[inner], thresholds[inner], rows[inner]
    most = np.argsort(-np.bincount(features, rows))[:ORDERED_BY]
    quarters = [(index, np.quantile(thresholds[features == index], (0.25, 0.5, 0.75))) for index in most]

    def order(matrix: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        code = np.zeros(len(matrix), np.int16)
        for index, cuts in quarters:
            code *= 4
            code += np.searchsorted(cuts, matrix[:, index]).astype(np.int16)
        return np.argsort(code, kind="stable")

    return order


def _plain_tree(nodes: npt.NDArray[Any], thresholds: Sequence[Values]) -> Any:
    """The nodes of a boosted tree as an ordinary one, each threshold as its place among those of its feature."""
    from sklearn.tree._tree import NODE_DTYPE, Tree

    leaf, feature = nodes["is_leaf"] != 0, nodes["feature_idx"].astype(np.int64)
    plain = np.zeros(len(nodes), NODE_DTYPE)
    plain["left_child"] = np.where(leaf, LEAF, nodes["left"].astype(np.int64))
    plain["right_child"] = np.where(leaf, LEAF, nodes["right"].astype(np.int64))
    plain["feature"] = np.where(leaf, NO_FEATURE, feature)
    plain["missing_go_to_left"] = nodes["missing_go_to_left"]
    for at in np.flatnonzero(~leaf):
        plain["threshold"][at] = np.searchsorted(thresholds[feature[at]], nodes["num_threshold"][at])
    tree = Tree(len(thresholds), np.ones(1, np.intp), 1)
    values = np.ascontiguousarray(nodes["value"], np.float64).reshape(-1, 1, 1)
    tree.__setstate__(
        {"max_depth": int(nodes["depth"].max()), "node_count": len(nodes), "nodes": plain, "values": values}
    )
    return tree
