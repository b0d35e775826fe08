"""Gradient-boosted trees and scikit-learn's perceptron with the defaults of their libraries.

They train on the training rows alone: by default none of them takes rows to choose its length of training by.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from table_contestants.real_table import Fitted

if TYPE_CHECKING:
    from table_contestants.real_table import RealTable


def fit_hist_gradient_boosting(table: RealTable, seed: int, threads: int) -> Fitted:
    """Fit scikit-learn's trees."""
    model = HistGradientBoostingClassifier if table.has_classes else HistGradientBoostingRegressor
    return fit(table, model(random_state=seed, categorical_features="from_dtype"))


def fit_mlp(table: RealTable, seed: int, threads: int) -> Fitted:
    """Fit scikit-learn's perceptron, on one-hot categories, and numbers and values that are standardized."""
    standardized = TransformedTargetRegressor(MLPRegressor(random_state=seed), transformer=StandardScaler())
    model = MLPClassifier(random_state=seed) if table.has_classes else standardized
    one_hot = (OneHotEncoder(handle_unknown="ignore", sparse_output=False), table.categorical)
    encoder = make_column_transformer(one_hot, remainder=StandardScaler())
    return fit(table, make_pipeline(encoder, model))


def fit_lightgbm(table: RealTable, seed: int, threads: int) -> Fitted:
    """Fit LightGBM."""
    import lightgbm  # noqa: PLC0415 - each contestant needs its own library only

    model = lightgbm.LGBMClassifier if table.has_classes else lightgbm.LGBMRegressor
    return fit(table, model(random_state=seed, n_jobs=threads, verbose=-1))


def fit_xgboost(table: RealTable, seed: int, threads: int) -> Fitted:
    """Fit XGBoost."""
    import xgboost  # noqa: PLC0415

    model = xgboost.XGBClassifier if table.has_classes else xgboost.XGBRegressor
    return fit(table, model(random_state=seed, n_jobs=threads, enable_categorical=True))


def fit_catboost(table: RealTable, seed: int, threads: int) -> Fitted:
    """Fit CatBoost."""
    import catboost  # noqa: PLC0415

    model = catboost.CatBoostClassifier if table.has_classes else catboost.CatBoostRegressor
    quiet = {"verbose": False, "allow_writing_files": False}
    return fit(table, model(random_seed=seed, thread_count=threads, cat_features=table.categorical, **quiet))


def fit(table: RealTable, model: Any) -> Fitted:
    """Fit an estimator that follows scikit-learn's interface; classes are numbers, which all of them take."""
    targets = table.class_numbers("train") if table.has_classes else table.targets("train")
    model.fit(table.inputs("train"), targets)

    def predict() -> Any:
        predicted = np.asarray(model.predict(table.inputs("test"))).ravel()
        return np.array(table.classes)[predicted.astype(int)] if table.has_classes else predicted

    return Fitted(predict, lambda: len(pickle.dumps(model)))
