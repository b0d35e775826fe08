"""Estimators of each kind, and the specs of some."""

from __future__ import annotations

from mlpkit.sklearn import MLPClassifier, MLPRegressor, SpecEstimator

TRAINING = {"optimizer": {"adam": {"learning_rate": 0.01}}, "epochs": 30}
VALUES = {"layers": [{"Affine": {"units": 16}}, "Relu", {"Affine": {"units": 1}}, "MeanSquaredError"]}
CLASSES = {"layers": [{"Affine": {"units": 16}}, "Relu", {"Affine": {"units": 2}}, "SoftmaxWithLoss"]}
ANY_CLASSES = {"layers": [{"Affine": {"units": 16}}, "Relu", {"Affine": {"units": "auto"}}, "SoftmaxWithLoss"]}
VALUES["training"] = CLASSES["training"] = ANY_CLASSES["training"] = TRAINING
ESTIMATORS = {
    "classifier": MLPClassifier(),
    "classifier in float64": MLPClassifier(dtype="float64"),
    "regressor in float64": MLPRegressor(dtype="float64"),
    "classifier that stops early": MLPClassifier(
        early_stopping=True, norm="batch", dropout=0.1, class_weight="balanced"
    ),
    "regressor": MLPRegressor(),
    "spec of values": SpecEstimator(VALUES),
    "spec of classes": SpecEstimator(CLASSES),
    "spec of any classes": SpecEstimator(ANY_CLASSES),
    "spec of any classes in float64": SpecEstimator({**ANY_CLASSES, "dtype": "float64"}),
}
