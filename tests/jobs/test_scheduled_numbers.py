"""A training whose numbers follow schedules has the same bits on any threads, when resumed, and in an ensemble."""

from __future__ import annotations

import numpy as np
import pytest
from stop_at import StopAt

import mlpkit
from mlpkit.network import flat_layout

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(60, 5)), RNG.integers(3, size=60)
RATE = {"flat_cosine": {"first": 0.4}}
OPTIMIZERS = {
    "sgd": {"learning_rate": 0.1, "momentum": RATE, "weight_decay": RATE},
    "nadamw": {"learning_rate": 0.01, "weight_decay": RATE},
    "muon": {"learning_rate": 0.01, "weight_decay": RATE},
}
"""By blocks with a kernel, by blocks of NumPy, and by parameters."""

of_each_optimizer = pytest.mark.parametrize("optimizer", list(OPTIMIZERS))


def trained(optimizer, rate=RATE, **options):
    layers = [
        {"Affine": {"units": 8}},
        "Relu",
        {"Dropout": {"rate": rate}},
        {"Affine": {"units": 3}},
        {"SoftmaxWithLoss": {"label_smoothing": rate}},
    ]
    settings = {"batch_size": 20, "epochs": 6, "slices": 3, "threads": 1}
    return mlpkit.fit(X, T, layers=layers, optimizer={optimizer: OPTIMIZERS[optimizer]}, **settings | options)


def results(run):
    return run.network.values.tobytes(), run.history


@of_each_optimizer
def test_threads_and_workers_change_no_bit(optimizer, monkeypatch):
    monkeypatch.setattr(flat_layout, "BLOCK", 16)
    alone = results(trained(optimizer))
    for count in (1, 2, 3):
        monkeypatch.setattr("mlpkit.training.workers.available_cores", lambda count=count: count)
        assert results(trained(optimizer, threads=count)) == alone
    assert results(trained(optimizer, rate=0.4)) != alone


@of_each_optimizer
def test_a_run_resumed_in_the_middle_comes_to_the_same(optimizer, tmp_path):
    watch = StopAt(9)
    stopped = trained(optimizer, directory=tmp_path / "run", observer=watch, stop=watch.stop)
    assert stopped.steps == 9
    resumed = mlpkit.resume(tmp_path / "run", examples=(X, T))
    assert results(resumed) == results(trained(optimizer))


@of_each_optimizer
def test_each_network_of_an_ensemble_is_a_run_with_its_seed(optimizer):
    run = trained(optimizer, ensemble={"members": 2}, seed=4)
    for number, member in run.members.items():
        assert results(member) == results(trained(optimizer, seed=4 + number))
