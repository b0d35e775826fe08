"""An ensemble as an estimator of scikit-learn."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import mlpkit
from mlpkit.sklearn import SpecEstimator

SPEC = {
    "layers": [{"Affine": {"units": 8}}, "Relu", {"Affine": {"units": 2}}, "SoftmaxWithLoss"],
    "training": {"optimizer": "adam", "epochs": 3},
}
X = np.random.default_rng(0).normal(size=(90, 4))
T = np.where(X[:, 0] > 0.2, "above", "below")


@pytest.fixture(scope="module")
def fitted():
    return SpecEstimator(SPEC, ensemble={"folds": 3}, random_state=1).fit(X, T)


def test_it_predicts_the_average(fitted):
    seed = np.random.RandomState(1).randint(2**31 - 1)
    options = {"unknown": "zeros", "scale_target": "none", "predict": "classes", "classes": [0, 1], "batch_size": 32}
    numbers = (T == "below").astype(int)
    run = mlpkit.fit(X, numbers, layers=SPEC["layers"], epochs=3, seed=seed, ensemble={"folds": 3}, **options)
    mean = np.mean([member.model.predict_proba(X) for member in run.members.values()], axis=0)
    np.testing.assert_allclose(fitted.predict_proba(X), mean, rtol=1e-5)
    assert set(fitted.predict(X)) == {"above", "below"}


def test_it_can_be_pickled_and_saved(fitted, tmp_path):
    found = fitted.predict_proba(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X), found)
    fitted.save(tmp_path / "model.safetensors")
    network = mlpkit.load_model(tmp_path / "model.safetensors")
    np.testing.assert_allclose(network.predict(fitted.network_.encoder.encode(X)), found, rtol=1e-6)


def test_the_spec_may_say_it():
    assert len(SpecEstimator({**SPEC, "ensemble": {"members": 2}}).fit(X, T).network_.parameters) == 8


def test_it_is_not_trained_further(fitted):
    with pytest.raises(ValueError, match="an ensemble isn't trained further"):
        fitted.partial_fit(X, T)
