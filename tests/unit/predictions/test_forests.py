"""Forests by their trees: bit for bit the result of `predict`; other estimators are not mistaken for forests."""

import threading

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import make_pipeline

from chalicelib.predictions.forests import mean_of_trees
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
