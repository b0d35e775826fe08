"""A network of float64 takes inputs of float64, in use as in training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mlpkit
from mlpkit.jobs.evaluate import evaluate_file
from mlpkit.jobs.inputs import inputs_of, inputs_of_file
from mlpkit.jobs.load_model import load_run

RNG = np.random.default_rng(0)
X = RNG.normal(3.0, 1e-3, (40, 3)) + 1e5
ROWS = "".join(f"{a!r},{b!r},{'xy'[i % 2]},{'pq'[i % 3 % 2]}\n" for i, (a, b, _) in enumerate(X.tolist()))
DATA = {
    "table.csv": {"csv": {"file": "table.csv", "target": "t", "categorical": ["c"], "validation": 0, "test": 0}},
    "x.npy": {
        "npy": {
            "inputs": "x.npy",
            "targets": "t.npy",
            "split": "in_order",
            "validation": 0,
            "test": 0,
            "standardize": True,
        }
    },
    "x_divided.npy": {
        "npy": {"inputs": "x.npy", "targets": "t.npy", "split": "in_order", "validation": 0, "test": 0, "divide_by": 3}
    },
    "digits": {"mnist": {"directory": "digits", "validation": 50}},
}


@pytest.fixture
def train(work):
    """Return a function that trains on one of the data sets, and returns the spec."""
    (work / "table.csv").write_text(f"a,b,c,t\n{ROWS}")
    np.save(work / "x.npy", X)
    np.save(work / "t.npy", np.arange(40) % 2)

    def trained(data, dtype):
        classes = 10 if "mnist" in data else 2
        spec = mlpkit.load_spec({
            "mlpkit": 1, "dtype": dtype, "data": data,
            "layers": [{"Affine": {"units": classes}}, "SoftmaxWithLoss"],
            "training": {"optimizer": "adam", "batch_size": 10, "iterations": 5, "metrics": []},
        })  # fmt: skip
        mlpkit.run(spec, "run")
        return spec

    return trained


def taken(spec, split="train"):
    splits = spec.new_dataset().open(0)
    shape = spec.new_dataset().describe().input_shape
    x = np.empty((len(splits[split]), *shape), spec.dtype)
    splits[split].take(np.arange(len(x)), (x, np.empty(len(x), np.int64)))
    return x


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("file", DATA)
def test_encoded_inputs_are_those_of_training_to_the_bit(train, file, dtype):
    spec = train(DATA[file], dtype)
    name = {"digits": "digits/t10k-images-idx3-ubyte", "x_divided.npy": "x.npy"}.get(file, file)
    found = inputs_of_file(load_run(Path("run")), Path(name)).x
    assert found.dtype == dtype
    assert np.array_equal(found, taken(spec, "test" if file == "digits" else "train"))


def test_evaluation_of_the_file_repeats_the_metrics_of_the_run_in_float64(train, work):
    train(DATA["table.csv"], "float64")
    (metrics,) = evaluate_file(work / "run", Path("table.csv")).metrics.values()
    assert metrics == mlpkit.load("run").evaluate("table.csv")
    assert metrics["loss"] == mlpkit.resume("run").metrics["train"]["loss"]


def test_rows_in_memory_are_of_the_networks_dtype(tmp_path):
    layers = [{"Affine": {"units": 2}}, "SoftmaxWithLoss"]
    run = mlpkit.fit(X, np.arange(40) % 2, layers=layers, dtype="float64", epochs=1, standardize=True)
    x = run.network.encoder.encode(X)
    assert x.dtype == np.float64
    np.testing.assert_allclose(x, (X - X.mean(axis=0)) / X.std(axis=0), rtol=0, atol=1e-9)
    assert inputs_of(run.model._trained, X).x.dtype == np.float64
