"""What scikit-learn checks of estimators: every check, for each kind of ours."""

from __future__ import annotations

import warnings

import pytest
from requirements import require_package

sklearn = require_package("sklearn")

from estimators import ESTIMATORS, TRAINING
from sklearn.utils.estimator_checks import check_estimator

from mlpkit.sklearn import SpecEstimator

ALL_ROWS = {**TRAINING, "batch_size": 1000}
IN_FLOAT64 = {
    **{name: estimator for name, estimator in ESTIMATORS.items() if "float64" in name},
    "spec with Tanh": SpecEstimator(
        {
            "layers": [{"Affine": {"units": 8}}, "Tanh", {"Affine": {"units": 1}}, "MeanSquaredError"],
            "training": ALL_ROWS,
            "dtype": "float64",
        }
    ),
    "spec of one layer": SpecEstimator(
        {"layers": [{"Affine": {"units": 2}}, "SoftmaxWithLoss"], "training": ALL_ROWS, "dtype": "float64"}
    ),
}
IN_FLOAT32 = {
    name: ESTIMATORS[name]
    for name in ("classifier", "regressor", "spec of values", "spec of classes", "spec of any classes")
}
IN_DOUBLE_ONLY = {"check_sample_weight_equivalence_on_dense_data": "asks for more digits than float32 has"}
"""What a network in float32 doesn't pass; nor do scikit-learn's own perceptrons, in any dtype."""


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
