"""Ensembles as estimators of scikit-learn."""

from __future__ import annotations

import os
import pickle
import signal
import warnings

import numpy as np
import pytest
from requirements import require_package

import mlpkit

sklearn = require_package("sklearn")

from sklearn.base import clone
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV

from mlpkit.sklearn import MLPClassifier, MLPRegressor, SpecEstimator
from mlpkit.training.update import Updater

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SPEC = {
    "layers": [{"Affine": {"units": 8}}, "Relu", {"Affine": {"units": 2}}, "SoftmaxWithLoss"],
    "training": {"optimizer": "adam", "epochs": 3},
}
VALUES = {**SPEC, "layers": [{"Affine": {"units": 1}}, "MeanSquaredError"]}
X = np.random.default_rng(0).normal(size=(91, 4))
T = np.where(X[:, 0] > 0.2, "above", "below")
Y = X[:, 0] - 2 * X[:, 1] + 5
OPTIONS = {"scale_target": "none", "split_seed": 0}
SEED = np.random.RandomState(1).randint(2**31 - 1)
"""What ``random_state=1`` gives."""
FOLDED = {
    "classifier": (MLPClassifier((8,), max_iter=3), T),
    "regressor": (MLPRegressor((8,), max_iter=3), Y),
    "spec of classes": (SpecEstimator(SPEC), T),
    "spec of values": (SpecEstimator(VALUES), Y),
}


@pytest.fixture(scope="module", params=FOLDED)
def folded(request):
    """Return an estimator that is fitted with folds, and its targets."""
    estimator, targets = FOLDED[request.param]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return clone(estimator).set_params(ensemble={"folds": 3}, random_state=1).fit(X, targets), targets


def run_of(ensemble, **training):
    """Return the run of the spec that an estimator of classes trains."""
    numbers = (T == "below").astype(int)
    return mlpkit.fit(
        X, numbers, ensemble=ensemble, seed=SEED, predict="classes", classes=[0, 1], **OPTIONS, **training
    )


@pytest.mark.parametrize("ensemble", [{"folds": 3}, {"members": 2}], ids=["folds", "members"])
def test_a_spec_has_the_bits_of_its_run(ensemble):
    run = run_of(ensemble, layers=SPEC["layers"], epochs=3, batch_size=32)
    fitted = SpecEstimator(SPEC, ensemble=ensemble, random_state=1).fit(X, T)
    np.testing.assert_array_equal(fitted.predict_proba(X), run.network.predict(X.astype(np.float32)).astype(float))
    mean = np.mean([member.network.predict(X.astype(np.float32)) for member in run.members.values()], axis=0)
    np.testing.assert_allclose(fitted.predict_proba(X), mean, rtol=1e-5)
    assert set(fitted.predict(X)) == {"above", "below"}
    if run.out_of_fold is not None:
        np.testing.assert_array_equal(fitted.oob_decision_function_, run.out_of_fold.values.astype(float))


@pytest.mark.parametrize("ensemble", [{"folds": 3}, 2], ids=["folds", "a number of members"])
def test_a_perceptron_has_the_bits_of_the_run_of_its_spec(ensemble):
    model = MLPClassifier((8,), solver="sgd", batch_size=20, alpha=0, max_iter=3, random_state=1, ensemble=ensemble)
    model.fit(X, T)
    run = run_of(
        ensemble if ensemble != 2 else {"members": 2},
        layers=[
            {"Affine": {"units": 8, "weights": "glorot_uniform"}},
            "Relu",
            {"Affine": {"units": 2, "weights": "glorot_uniform"}},
            "SoftmaxWithLoss",
        ],
        optimizer={"sgd": {"learning_rate": 0.001, "momentum": 0.9, "nesterov": True, "weight_decay": 0.0}},
        epochs=3,
        batch_size=20,
    )
    np.testing.assert_array_equal(model.predict_proba(X), run.network.predict(X.astype(np.float32)).astype(float))
    assert len(model.loss_curve_) == model.n_iter_ == 3


def test_out_of_fold_predictions_go_by_the_names_of_scikit_learn(folded):
    fitted, targets = folded
    if targets is T:
        found, judge = fitted.classes_[fitted.oob_decision_function_.argmax(axis=1)], accuracy_score
        assert fitted.oob_decision_function_.sum(axis=1) == pytest.approx(1)
    else:
        found, judge = fitted.oob_prediction_, r2_score
    assert fitted.oob_score_ == pytest.approx(judge(targets, found))
    assert found.shape == targets.shape


def test_rows_without_weight_have_no_prediction_out_of_fold():
    weights = np.where(np.arange(len(X)) % 7, 1.5, 0)
    model = MLPRegressor((4,), max_iter=2, random_state=0, ensemble={"folds": 2}).fit(X, Y, sample_weight=weights)
    assert np.array_equal(np.isnan(model.oob_prediction_), weights == 0)
    assert np.nanmean(model.oob_prediction_) == pytest.approx(Y.mean(), abs=1)
    plain = clone(model).set_params(ensemble=None).fit(X, Y)
    model.set_params(ensemble=2).fit(X, Y)
    assert not any(hasattr(fitted, "oob_prediction_") or hasattr(fitted, "oob_score_") for fitted in (plain, model))


def test_it_can_be_pickled_and_saved(folded, tmp_path):
    fitted, _ = folded
    again, found = pickle.loads(pickle.dumps(fitted)), fitted.predict(X)
    np.testing.assert_array_equal(again.predict(X), found)
    fitted.save(tmp_path / "model.safetensors")
    network, x = mlpkit.load_model(tmp_path / "model.safetensors"), fitted.network_.encoder.encode(X)
    np.testing.assert_array_equal(network.predict(x), fitted.network_.predict(x))


def test_a_search_chooses_the_number_of_networks():
    search = GridSearchCV(MLPClassifier((4,), max_iter=1, random_state=0), {"ensemble": [None, 2]}, cv=2)
    search.fit(X, T)
    assert search.best_params_["ensemble"] in (None, 2)
    assert [len(clone(search.estimator).set_params(ensemble=n).fit(X, T).network_.parameters) for n in (None, 2)] == [
        4,
        8,
    ]


def test_each_network_ends_once_its_loss_improves_no_more():
    model = MLPRegressor((), learning_rate_init=0.05, max_iter=200, random_state=0, ensemble=2).fit(X, Y)
    assert model.n_iter_ == len(model.loss_curve_) < 200
    assert model.loss_ == model.loss_curve_[-1] < model.loss_curve_[0]


def test_with_folds_early_stopping_looks_at_the_fold():
    model = MLPRegressor((), max_iter=5, random_state=0, early_stopping=True, ensemble={"folds": 2}).fit(X, Y)
    other = clone(model).set_params(validation_fraction=0.5).fit(X, Y)
    assert len(model.oob_prediction_) == len(X)
    np.testing.assert_array_equal(model.predict(X), other.predict(X))


def test_ctrl_c_ends_the_fit_after_a_step(monkeypatch):
    update = Updater.__call__

    def interrupted(self, *args):
        os.kill(os.getpid(), signal.SIGINT)
        return update(self, *args)

    monkeypatch.setattr(Updater, "__call__", interrupted)
    model = MLPClassifier((4,), random_state=0, ensemble=2)
    with pytest.raises(KeyboardInterrupt, match="stopped"):
        model.fit(X, T)
    assert not hasattr(model, "network_")


def test_the_spec_may_say_it():
    assert len(SpecEstimator({**SPEC, "ensemble": {"members": 2}}).fit(X, T).network_.parameters) == 8


def test_it_is_not_trained_further(folded):
    fitted, targets = folded
    assert not hasattr(fitted, "partial_fit")
    assert hasattr(clone(fitted).set_params(ensemble=None), "partial_fit")
    with pytest.raises(ValueError, match="an ensemble can't be trained further"):
        pickle.loads(pickle.dumps(fitted)).set_params(warm_start=True).fit(X, targets)


@pytest.mark.parametrize(
    ("ensemble", "said"),
    [
        ({"folds": 92}, "needs 92 rows at least; X has n_samples=91"),
        ({"folds": 1}, "ensemble.folds: 1"),
        (1, "ensemble.members: 1"),
        (True, "ensemble"),
        ({"nets": 3}, "ensemble.nets"),
    ],
)
def test_a_wrong_number_of_networks_is_named(ensemble, said):
    with pytest.raises((ValueError, mlpkit.SpecError), match=said):
        MLPClassifier(ensemble=ensemble).fit(X, T)
