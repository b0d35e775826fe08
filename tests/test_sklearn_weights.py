"""``sample_weight`` of the estimators of scikit-learn: a weight of n counts as n such rows."""

from __future__ import annotations

import numpy as np
import pytest
from requirements import Optional, require_package

sklearn = require_package("sklearn")

from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV

from mlpkit.sklearn import MLPClassifier, MLPRegressor, SpecEstimator

pd = Optional("pandas")
pl = Optional("polars")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

TRAINING = {"optimizer": {"adam": {"learning_rate": 0.01}}, "epochs": 30, "batch_size": 1000}
VALUES = {"layers": [{"Affine": {"units": 8}}, "Tanh", {"Affine": {"units": 1}}, "MeanSquaredError"]}
CLASSES = {"layers": [{"Affine": {"units": 8}}, "Tanh", {"Affine": {"units": 3}}, "SoftmaxWithLoss"]}
VALUES["training"] = CLASSES["training"] = TRAINING
X, NAMES = load_iris(return_X_y=True)[0][::2], np.array(["setosa", "versicolor", "virginica"])
Y = NAMES[load_iris(return_X_y=True)[1][::2]]
REPEATS = np.random.default_rng(0).integers(0, 4, len(X))
ROWS = np.repeat(np.arange(len(X)), REPEATS)
ESTIMATORS = {
    "classifier": (MLPClassifier(random_state=0, batch_size=1000, alpha=0.5), Y),
    "balanced": (MLPClassifier(random_state=0, batch_size=1000, class_weight="balanced"), Y),
    "weights by name": (
        MLPClassifier(random_state=0, batch_size=1000, class_weight={"setosa": 3, "virginica": 0.5}),
        Y,
    ),
    "regressor": (MLPRegressor(random_state=0, batch_size=1000, alpha=0.5), X[:, 3] * 10 + 5),
    "several numbers": (MLPRegressor(random_state=0, batch_size=1000), X[:, 2:]),
    "spec of classes": (SpecEstimator(CLASSES), Y),
    "spec of values": (SpecEstimator(VALUES), X[:, 3]),
}
of_each = pytest.mark.parametrize("name", ESTIMATORS)


def predicted(model):
    return model.predict_proba(X[:, :2]) if hasattr(model, "classes_") else model.predict(X[:, :2])


@of_each
def test_a_fit_with_weights_is_one_on_repeated_rows(name):
    estimator, y = ESTIMATORS[name]
    one = clone(estimator).fit(X[:, :2], y, sample_weight=REPEATS)
    other = clone(estimator).fit(X[ROWS, :2], y[ROWS])
    plain = clone(estimator).fit(X[:, :2], y)
    np.testing.assert_allclose(predicted(one), predicted(other), rtol=1e-3, atol=1e-4)
    assert np.abs(predicted(one) - predicted(plain)).max() > 1e-2
    score = one.score(X[:, :2], y, sample_weight=REPEATS)
    assert score == pytest.approx(one.score(X[ROWS, :2], y[ROWS]), rel=1e-5)


@of_each
def test_a_partial_fit_too(name):
    estimator, y = ESTIMATORS[name]
    one, other = clone(estimator), clone(estimator)
    for _ in range(3):
        classes = {"classes": NAMES} if y is Y else {}
        one.partial_fit(X[:, :2], y, sample_weight=REPEATS, **classes)
        other.partial_fit(X[ROWS, :2], y[ROWS], **classes)
    np.testing.assert_allclose(predicted(one), predicted(other), rtol=1e-3, atol=1e-4)


def test_examples_held_out_have_their_weights():
    weights = np.random.default_rng(1).uniform(0.1, 3, len(X))
    options = {"random_state": 0, "early_stopping": True, "max_iter": 30, "n_iter_no_change": 30}
    one, other = (MLPClassifier(**options).fit(X, Y, sample_weight=w) for w in (weights, weights))
    assert np.array_equal(one.predict_proba(X), other.predict_proba(X))
    heavy = np.where(Y == "setosa", 1000.0, 1.0)
    assert (MLPClassifier(**options).fit(X, Y, sample_weight=heavy).predict(X) == "setosa").mean() > 0.3


@pytest.mark.parametrize("made", [pd.DataFrame, pl.DataFrame, list])
def test_rows_without_weight_are_left_out_of_what_is_given(made):
    columns = {"a": X[:, 0].tolist(), "b": X[:, 1].tolist()}
    rows, weights = made(columns) if made is not list else X[:, :2].tolist(), np.where(Y == "virginica", 0, 2.0)
    model = MLPClassifier(random_state=0, max_iter=3).fit(rows, Y.tolist(), sample_weight=weights.tolist())
    assert model.classes_.tolist() == ["setosa", "versicolor"]
    assert model.n_features_in_ == 2


def test_a_search_hands_weights_on():
    search = GridSearchCV(MLPClassifier(random_state=0, max_iter=3), {"alpha": [0, 1]}, cv=2)
    assert search.fit(X, Y, sample_weight=REPEATS + 1).best_score_ > 0


WRONG = [
    ([1.0], "inconsistent numbers of samples"),
    (-np.ones(len(X)), "[Nn]egative"),
    (np.full(len(X), np.nan), "NaN"),
    (np.zeros(len(X)), "zero|is 0 for every row"),
]


@pytest.mark.parametrize(("weights", "said"), WRONG)
@pytest.mark.parametrize("estimator", [MLPClassifier(), MLPRegressor(), SpecEstimator(CLASSES)])
def test_wrong_weights_are_refused(estimator, weights, said):
    y = X[:, 0] if isinstance(estimator, MLPRegressor) else Y
    with pytest.raises(ValueError, match=said):
        clone(estimator).fit(X, y, sample_weight=weights)


def test_values_are_standardized_by_their_weights():
    X, y = load_diabetes(return_X_y=True)
    weights = np.where(y > 200, 10.0, 1.0)
    model = MLPRegressor(random_state=0, max_iter=1).fit(X, y, sample_weight=weights)
    assert model._target_mean == pytest.approx(np.average(y, weights=weights))
