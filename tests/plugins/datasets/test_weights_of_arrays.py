"""Weights of examples in .npz and .npy files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mlpkit
from mlpkit import DataError
from mlpkit_plugins.datasets.npz import Npz

X = np.random.default_rng(0).normal(size=(30, 3))
T = np.arange(30) % 3
REPEATS = np.arange(30) % 4
LAYERS = [{"Affine": {"units": 3}}, {"SoftmaxWithLoss": {"class_weights": "balanced"}}]


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes arrays into a file of the working folder and returns its name."""
    monkeypatch.chdir(tmp_path)

    def written(name="data.npz", **arrays):
        np.savez(name, **arrays)
        return name

    return written


def trained(file, batch_size, **options):
    data = {"npz": {"file": file, "validation": "validation.npz", "test": 0, **options}}
    training = {"optimizer": {"sgd": {"learning_rate": 0.5}}, "batch_size": batch_size, "epochs": 10, "metrics": ["f1"]}
    spec = {"mlpkit": 1, "dtype": "float64", "data": data, "layers": LAYERS, "training": training}
    return mlpkit.run(mlpkit.load_spec(spec))


def test_weights_train_the_network_that_repeated_examples_train(write):
    rows = np.repeat(np.arange(30), REPEATS)
    write("validation.npz", x=X[rows], t=T[rows])
    expected = trained(write(x=X[rows], t=T[rows]), len(rows))
    write("validation.npz", x=X, t=T, w=REPEATS)
    run = trained(write(x=X, t=T, w=REPEATS), int((REPEATS > 0).sum()), weights="w")
    np.testing.assert_allclose(run.network.values, expected.network.values, rtol=1e-8, atol=1e-11)
    for split, figures in run.metrics.items():
        assert figures == pytest.approx(expected.metrics[split], rel=1e-8)
    assert run.model.evaluate("data.npz") == pytest.approx(run.metrics["train"], rel=1e-6)
    write("data.npz", x=X, t=T)
    with pytest.raises(DataError, match=r"data\.npz: .*no array 'w'"):
        run.model.evaluate("data.npz")


def test_examples_of_weight_0_are_left_out_of_what_is_learned(write):
    dataset = Npz(write(x=X, t=T, w=REPEATS), weights="w", validation=0.2, test=0, standardize=True)
    description = dataset.describe()
    assert description.weighted
    assert sum(description.sizes.values()) == (REPEATS > 0).sum()
    train = dataset.open(0)["train"]
    out = np.empty((len(train), 3)), np.empty(len(train), np.int64), np.empty(len(train))
    train.take(np.arange(len(train)), out)
    np.testing.assert_allclose(out[0].mean(axis=0), 0, atol=1e-12)
    assert out[2].min() == 1


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (
            -np.ones(30),
            "the weight of example 0 is -1; expected 0 or more; write such a number, or leave out the example",
        ),
        (np.ones(3), "has the shape (3,); expected (30,), a number for each example"),
        (np.zeros(30), "the weight of every example is 0"),
    ],
)
def test_wrong_weights_are_named_by_file_array_and_example(write, weights, said):
    with pytest.raises(DataError) as caught:
        Npz(write(x=X, t=T, w=weights), weights="w").describe()
    assert str(caught.value) == f"data.npz, array 'w': {said}"
    assert Path("data.npz").exists()


def test_examples_of_a_split_that_two_arrays_of_the_same_file_hold_weigh_1(write):
    file = write(x=X, t=T, w=REPEATS, x_test=X[:6], t_test=T[:6])
    dataset = Npz(file, weights="w", validation=0, test=("x_test", "t_test"))
    assert dataset.describe().sizes == {"train": (REPEATS > 0).sum(), "test": 6}
    out = np.empty((6, 3)), np.empty(6, np.int64), np.zeros(6)
    dataset.open(0)["test"].take(np.arange(6), out)
    assert out[0].tolist() == X[:6].tolist()
    assert out[2].tolist() == [1.0] * 6
