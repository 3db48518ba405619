"""Forests by their trees: bit for bit the result of `predict`; other estimators are not mistaken for forests."""

import threading

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.pipeline import make_pipeline

from chalicelib.predictions.forests import boosted_trees, mean_of_trees
from chalicelib.predictions.places import parse_uri
from chalicelib.predictions.publishing import artifact_of
from tests.unit.predictions.studio import FEATURES, MODEL, NOW, rows, trained

TARGET = rows(300)[:, 0] * 3


def with_gaps(count):
    matrix = rows(count, seed=4)
    matrix[::7, 1] = np.nan
    return matrix


@pytest.mark.parametrize(
    "forest",
    [
        RandomForestRegressor(33, random_state=0),
        RandomForestRegressor(7, criterion="poisson", max_features=1, random_state=0),
        RandomForestRegressor(9, monotonic_cst=[1, 0], random_state=0),
        ExtraTreesRegressor(21, random_state=0),
    ],
)
def test_the_mean_of_the_trees_is_what_predict_gives(forest):
    forest.fit(rows(300), np.abs(TARGET))
    for matrix in (rows(1000, seed=3), rows(1, seed=3), np.asfortranarray(rows(50, seed=3)), rows(80, seed=3)[::2]):
        np.testing.assert_array_equal(mean_of_trees(forest)(matrix), forest.predict(matrix))


def test_gaps_go_where_the_trees_learned_to_send_them():
    forest = RandomForestRegressor(12, random_state=0).fit(with_gaps(300), TARGET)
    np.testing.assert_array_equal(mean_of_trees(forest)(with_gaps(90)), forest.predict(with_gaps(90)))


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_what_predict_refuses_is_refused():
    matrix = rows(3)
    matrix[1, 1] = -1e39
    for predict in (trained("forest").predict, mean_of_trees(trained("forest"))):
        with pytest.raises(ValueError, match="too large"):
            predict(matrix)


def boosting(**more):
    return HistGradientBoostingRegressor(**{"max_iter": 40, "random_state": 0, **more})


@pytest.mark.parametrize(
    "estimator",
    [
        boosting(),
        boosting(max_iter=31, max_leaf_nodes=3),
        boosting(loss="poisson", monotonic_cst=[1, 0]),
        boosting(loss="quantile", quantile=0.9, early_stopping=False, max_bins=4),
        boosting(max_leaf_nodes=None, min_samples_leaf=1),
    ],
)
def test_boosted_trees_give_what_predict_gives(estimator):
    matrix = rows(300).astype(np.float32) / 3
    estimator.fit(matrix, np.abs(TARGET))
    at_thresholds = np.array([[cut, cut] for cut in estimator._bin_mapper.bin_thresholds_[0]])
    for asked in (rows(1000, seed=3), rows(1, seed=3), at_thresholds, np.nextafter(at_thresholds, 9), with_gaps(90)):
        np.testing.assert_array_equal(boosted_trees(estimator)(asked), estimator.predict(asked))


def test_boosted_trees_send_gaps_where_they_learned_to():
    estimator = boosting().fit(with_gaps(300), np.where(np.isnan(with_gaps(300)[:, 1]), 5, TARGET))
    np.testing.assert_array_equal(boosted_trees(estimator)(with_gaps(90)), estimator.predict(with_gaps(90)))


def test_boosting_with_categories_or_few_trees_predicts_for_itself():
    categories = np.column_stack((rows(300)[:, 0], np.arange(300) % 4))
    with_categories = boosting(categorical_features=[1]).fit(categories, TARGET)
    assert [boosted_trees(each) for each in (with_categories, trained("boosting"), trained("forest"))] == [None] * 3


def test_other_estimators_predict_for_themselves():
    class RandomForestRegressorOfOurs(RandomForestRegressor):
        pass

    two = RandomForestRegressor(3).fit(rows(20), rows(20))
    labels = RandomForestClassifier(3).fit(rows(20), rows(20)[:, 0] > 0)
    inside = make_pipeline(RandomForestRegressor(3)).fit(rows(20), rows(20)[:, 0])
    derived = RandomForestRegressorOfOurs(3).fit(rows(20), rows(20)[:, 0])
    assert [mean_of_trees(each) for each in (two, labels, inside, derived, trained("linear"))] == [None] * 5


def test_a_forest_that_uses_threads_is_tried_on_one_since_they_add_up_in_an_order_of_their_own(monkeypatch):
    used = set()

    def add(predict, matrix, out, lock):
        used.add(threading.current_thread())
        out[0] += predict(matrix, check_input=False)

    monkeypatch.setattr("sklearn.ensemble._forest._accumulate_prediction", add)
    forest = RandomForestRegressor(5, n_jobs=2, random_state=0).fit(rows(100), rows(100)[:, 0])
    artifact_of(forest, FEATURES, parse_uri("uri", MODEL), None, NOW)
    assert used == {threading.current_thread()}
