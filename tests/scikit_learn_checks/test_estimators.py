"""What scikit-learn checks of estimators: every check, for each kind of ours."""

from __future__ import annotations

import warnings

import pytest

sklearn = pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

from mlpkit.sklearn import MLPClassifier, MLPRegressor, SpecEstimator  # noqa: E402


def spec(*layers, learning_rate=0.01, epochs=30, batch_size=None, **others):
    training = {"optimizer": {"adam": {"learning_rate": learning_rate}}, "epochs": epochs}
    if batch_size:
        training["batch_size"] = batch_size
    return {"layers": list(layers), "training": training, **others}


def affine(units):
    return {"Affine": {"units": units}}


VALUES = (affine(16), "Relu", affine(1), "MeanSquaredError")
CLASSES = (affine(16), "Relu", affine(2), "SoftmaxWithLoss")
ANY_CLASSES = (affine(16), "Relu", affine("auto"), "SoftmaxWithLoss")
IN_FLOAT64 = {
    "classifier in float64": MLPClassifier(dtype="float64"),
    "regressor in float64": MLPRegressor(dtype="float64"),
    "spec of any classes in float64": SpecEstimator(spec(*ANY_CLASSES, dtype="float64")),
    "spec of values, all rows a minibatch": SpecEstimator(
        spec(affine(8), "Tanh", affine(1), "MeanSquaredError", batch_size=1000, dtype="float64")
    ),
    "spec of one layer": SpecEstimator(spec(affine(2), "SoftmaxWithLoss", batch_size=1000, dtype="float64")),
}
IN_FLOAT32 = {
    "classifier": MLPClassifier(),
    "regressor": MLPRegressor(),
    "spec of values": SpecEstimator(spec(*VALUES)),
    "spec of classes": SpecEstimator(spec(*CLASSES)),
    "spec of any classes": SpecEstimator(spec(*ANY_CLASSES)),
}
OF_SEVERAL = {
    "classifier of folds": MLPClassifier((8,), ensemble={"folds": 2}, learning_rate_init=0.05, max_iter=20),
    "regressor of members": MLPRegressor((8,), ensemble=2, learning_rate_init=0.05, max_iter=20),
    "spec of folds": SpecEstimator(
        spec(affine(1), "MeanSquaredError", learning_rate=0.1, epochs=20), ensemble={"folds": 2}
    ),
}
IN_DOUBLE_ONLY = {"check_sample_weight_equivalence_on_dense_data": "asks for more digits than float32 has"}
"""What a network in float32 doesn't pass; nor do scikit-learn's own perceptrons, in any dtype."""

WITH_FOLDS = {
    "check_sample_weights_invariance": "rows are in other folds",
    "check_sample_weight_equivalence_on_dense_data": "rows are in other folds, and float32 has fewer digits",
}


def of_each(estimators, expected):
    return [pytest.param(estimator, expected, id=name) for name, estimator in estimators.items()]


def expect_every_check_passed(estimator, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(estimator, on_fail=None, expected_failed_checks=expected)
    assert {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"} == {}
    skipped = {result["check_name"] for result in results if result["status"] == "skipped"}
    assert skipped <= {"check_array_api_input"}  # which needs array-api-strict
    names = {result["check_name"] for result in results}
    assert len(results) > 40
    assert names >= IN_DOUBLE_ONLY.keys()


@pytest.mark.parametrize(("estimator", "expected"), of_each(IN_FLOAT64, {}) + of_each(IN_FLOAT32, IN_DOUBLE_ONLY))
def test_one_network_passes_every_check(estimator, expected):
    expect_every_check_passed(estimator, expected)


@pytest.mark.long
@pytest.mark.parametrize(("estimator", "expected"), of_each(OF_SEVERAL, WITH_FOLDS))
def test_an_ensemble_passes_every_check(estimator, expected):
    expect_every_check_passed(estimator, expected)
