"""Weights of examples in .npz and .npy files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from idx_files import write_idx

import mlpkit
from mlpkit import DataError
from mlpkit_plugins.datasets.idx import Idx
from mlpkit_plugins.datasets.npy import Npy
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


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Return functions that write examples for ``npy`` and ``idx``, and return the parameters that name them."""
    monkeypatch.chdir(tmp_path)

    def npy(rows, suffix=""):
        np.save(f"x{suffix}.npy", X[rows])
        np.save(f"t{suffix}.npy", T[rows])
        return {"inputs": f"x{suffix}.npy", "targets": f"t{suffix}.npy"}

    def idx(rows, suffix=""):
        pixels = np.random.default_rng(1).integers(0, 256, (30, 2, 2))
        write_idx(tmp_path / f"images{suffix}", pixels[rows])
        write_idx(tmp_path / f"labels{suffix}", T[rows])
        return {"images": f"images{suffix}", "labels": f"labels{suffix}"}

    return {"npy": npy, "idx": idx}


@pytest.mark.parametrize("name", ["npy", "idx"])
def test_weights_in_a_file_of_their_own_train_as_repeated_examples_do(files, name):
    def metrics(rows, batch_size, **weights):
        given = files[name](rows)
        data = {name: {**given, **weights, "validation": 0, "test": 0}}
        training = {"optimizer": {"sgd": {"learning_rate": 0.5}}, "batch_size": batch_size, "epochs": 10}
        spec = {"mlpkit": 1, "dtype": "float64", "data": data, "layers": LAYERS, "training": training}
        run = mlpkit.run(mlpkit.load_spec(spec))
        return run.network.values.copy(), run.metrics["train"]["loss"]

    rows = np.repeat(np.arange(30), REPEATS)
    expected = metrics(rows, len(rows))
    np.save("w.npy", REPEATS.astype(np.float32))
    found = metrics(np.arange(30), int((REPEATS > 0).sum()), weights="w.npy")
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-8, atol=1e-11)
    assert found[1] == pytest.approx(expected[1], rel=1e-8)


@pytest.mark.parametrize(("name", "kind"), [("npy", Npy), ("idx", Idx)])
def test_weights_in_a_file_are_checked_and_belong_to_the_fingerprint(files, name, kind):
    given = files[name](np.arange(30))
    other = tuple(files[name](np.arange(6), "_test").values())
    np.save("w.npy", REPEATS)

    def made():
        return kind(**given, weights="w.npy", validation=0, test=other)

    dataset = made()
    assert dataset.describe().sizes == {"train": (REPEATS > 0).sum(), "test": 6}
    assert dataset.describe().weighted
    weights = {}
    for split, found in dataset.open(0).items():
        shape = dataset.describe().input_shape
        weights[split] = np.empty(len(found))
        found.take(np.arange(len(found)), (np.empty((len(found), *shape)), np.empty(len(found), int), weights[split]))
    assert weights["train"].tolist() == REPEATS[REPEATS > 0].tolist()
    assert weights["test"].tolist() == [1.0] * 6
    np.save("w.npy", REPEATS + 1)
    again = made()
    again.open(0)
    assert again.fingerprint() != dataset.fingerprint()
    for wrong, said in (
        (np.ones((30, 1)), "has the shape (30, 1); expected (30,), a number for each example"),
        (-REPEATS, "the weight of example 1 is -1; expected 0 or more; write such a number, or leave out the example"),
    ):
        np.save("w.npy", wrong)
        with pytest.raises(DataError) as caught:
            made().describe()
        assert str(caught.value) == f"w.npy: {said}"
    Path("w.npy").unlink()
    with pytest.raises(mlpkit.ParameterError, match=r"weights: there is no file 'w\.npy'"):
        made().describe()
