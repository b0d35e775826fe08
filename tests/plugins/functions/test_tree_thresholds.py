"""The thresholds of a decision tree on one column are scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from requirements import Optional

from mlpkit_plugins.functions.tree_thresholds import tree_thresholds

DecisionTreeClassifier = Optional("sklearn.tree", "DecisionTreeClassifier")
DecisionTreeRegressor = Optional("sklearn.tree", "DecisionTreeRegressor")

RNG = np.random.default_rng(0)
COLUMNS = {"all different": RNG.normal(size=500), "few numbers": RNG.integers(0, 30, 500).astype(float)}


def values(x):
    return np.stack([np.sin(2 * x), x**2], axis=1) + RNG.normal(size=(500, 2))


def classes(x):
    return np.digitize(np.sin(3 * x) + RNG.normal(scale=0.3, size=500), [-0.5, 0.5])


def of_scikit_learn(tree, x, t):
    found = tree.fit(x[:, np.newaxis], t).tree_
    return np.sort(found.threshold[found.feature >= 0])


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("least_gain", [0, 0.02])
@pytest.mark.parametrize(("make", "targets"), [(DecisionTreeRegressor, values), (DecisionTreeClassifier, classes)])
def test_thresholds_are_scikit_learns(column, least_gain, make, targets):
    x = COLUMNS[column].astype(np.float32).astype(float)  # scikit-learn's trees take float32
    t = targets(x)
    impurity = make(max_depth=1).fit(x[:, np.newaxis], t).tree_.impurity[0]
    peer = make(max_leaf_nodes=12, min_samples_leaf=10, min_impurity_decrease=least_gain * impurity)
    found = tree_thresholds(x, t, leaves=12, fewest_rows=10, least_gain=least_gain)
    np.testing.assert_allclose(found, of_scikit_learn(peer, x, t), rtol=1e-12)
    assert 1 <= len(found) <= 11


@pytest.mark.parametrize(
    ("x", "t"), [([1.0], [0]), ([1.0, 1, 1, 1], [0, 1, 0, 1]), ([1.0, 2, 3, 4], [1, 1, 1, 1]), ([1.0, 2], [0, 1])]
)
def test_a_column_that_says_nothing_is_not_cut(x, t):
    assert not len(tree_thresholds(np.array(x), np.array(t), leaves=4, fewest_rows=2, least_gain=0))


@pytest.mark.parametrize(("rows", "thresholds"), [(2, [2.5]), (3, []), (1, [2.5])])
def test_both_leaves_of_a_cut_have_the_fewest_rows(rows, thresholds):
    x, t = np.array([1.0, 2, 3, 4]), np.array([0, 0, 1, 1])
    assert tree_thresholds(x, t, leaves=4, fewest_rows=rows, least_gain=0).tolist() == thresholds
