"""A network that was loaded from a file refuses inputs that plainly aren't encoded, and takes all that are."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest

import mlpkit
from mlpkit.jobs.load_model import load_run

ADVICE = "; a network takes encoded inputs; for raw ones, mlpkit.load(RUN).predict(rows), or 'mlpkit predict RUN FILE'"
MODEL = "run/model.safetensors"
SPEC = """\
mlpkit: 1
data:
  csv: {{file: people.csv, target: kind, categorical: {categorical}, {options} validation: 0, test: 0}}
layers: [{{Affine: {{units: 2}}}}, SoftmaxWithLoss]
training: {{optimizer: sgd, batch_size: 20, epochs: 1}}
"""
ARRAYS = """\
mlpkit: 1
data:
  npy: {{inputs: x.npy, targets: t.npy, {options}}}
layers: [Flatten, {{Affine: {{units: 2}}}}, SoftmaxWithLoss]
training: {{optimizer: sgd, batch_size: 20, epochs: 1}}
"""


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """Return a function that trains on a table of 60 people, and loads the network."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    cities = rng.choice(["Rome", "Bern"], 60)
    rows = zip(rng.normal(50_000, 9000, 60), rng.normal(40, 12, 60), cities, rng.choice(["a", "b"], 60), strict=True)
    text = "".join(f"{income:.2f},{age:.1f},{city},{kind}\n" for income, age, city, kind in rows)
    (tmp_path / "people.csv").write_text("income,age,city,kind\n" + text)

    def load(categorical="[city]", options=""):
        (tmp_path / "spec.yaml").write_text(SPEC.format(categorical=categorical, options=options))
        mlpkit.run(mlpkit.load_spec("spec.yaml"), "run")
        return mlpkit.load_model(MODEL)

    return load


def refusal(network, inputs, method="predict"):
    with pytest.raises((mlpkit.UsageError, mlpkit.ShapeError)) as caught:
        getattr(network, method)(inputs, *([] if method == "predict" else [[0] * len(inputs)]))
    assert caught.value.exit_code == 2
    text = str(caught.value)
    assert text.endswith(ADVICE)
    return text.removesuffix(ADVICE)


def test_raw_rows_of_the_table_are_warned_of(loaded):
    network, expected = loaded(), "don't look encoded as in training: row 0, counted from 0, has 52000 for 'income'"
    with pytest.warns(UserWarning, match=expected):
        network.predict([[52_000, 31, 0, 1], [45_000.5, 60, 1, 0]])
    with pytest.warns(UserWarning, match=expected):
        network.gradient([[52_000.0, 31, 0, 1]], [0])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([0.1, np.nan, 0, 1], "the inputs are not encoded as in training: row 0, counted from 0, has no 'age'"),
        ([52_000, 31, 1], "the network can't take inputs of shape (1, 3); expected (rows, 4)"),
        (["52000", "31", "Rome", "x"], "the inputs are an array of <U5; expected numbers"),
        ([52_000, 31, "Rome", None], "the inputs are an array of object; expected numbers"),
    ],
)
def test_what_no_encoded_row_can_hold_is_refused(loaded, row, expected):
    rows = np.array([row], dtype=object if None in row else None)
    assert refusal(loaded(), rows).startswith(expected)


def test_encoded_rows_are_taken_whatever_they_hold(loaded, tmp_path):
    network = loaded()
    model = load_run(tmp_path / "run")
    (tmp_path / "new.csv").write_text("income,age,city\n52000,31,Rome\n-1e9,1e30,Bern\n50000,40,Bern\n")
    for rows in (model.dataset.encode(model.dataset.read(tmp_path / "new.csv")), [[40, -31.5, 0, 0]], [[0, 0, 1, 0]]):
        np.testing.assert_array_equal(network.predict(rows), model.network.predict(rows))
        assert len(network.gradient(rows, [0] * len(rows))) == 2


def test_a_copy_of_the_network_refuses_what_it_does(loaded):
    network = loaded()
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert refusal(other, [[np.nan, 31, 0, 1]]) == refusal(network, [[np.nan, 31, 0, 1]])


def test_numbers_that_are_not_standardized_have_no_bounds(loaded):
    network = loaded(options="standardize: false,")
    assert network.predict([[52_000, 31, 0, 1]]).shape == (1, 2)


def test_raw_arrays_of_bytes_are_refused_and_scaled_ones_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).integers(0, 256, (40, 2, 3)).astype(np.uint8)
    x[0, 0, 0] = 255
    np.save("x.npy", x)
    np.save("t.npy", np.arange(40) % 2)
    (tmp_path / "spec.yaml").write_text(ARRAYS.format(options="divide_by: 255"))
    mlpkit.run(mlpkit.load_spec("spec.yaml"), "run")
    network, model = mlpkit.load_model(MODEL), load_run(tmp_path / "run")
    expected = "the inputs are not encoded as in training: they are bytes such as 255, but encoding divides by 255"
    assert refusal(network, x).startswith(expected)
    assert network.predict(model.dataset.encode(x)).shape == (40, 2)


def test_pixels_as_bytes_are_refused_and_normalized_ones_taken(train):
    train()
    network = mlpkit.load_model(MODEL)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 784))
    assert "they are integers such as " in refusal(network, pixels)
    assert network.predict(pixels / 255).shape == (3, 10)
    assert network.predict(pixels > 99).shape == (3, 10)


LOCAL = '''\
import numpy as np
from mlpkit import Classes, Dataset, Description, component, hookimpl


class Ones(Dataset):
    """Examples of ones."""

    def describe(self):
        return Description((2,), Classes(2), {"train": 4})

    def open(self, seed):
        return {"train": self}

    def __len__(self):
        return 4

    def take(self, indices, out):
        out[0][...] = 1
        out[1][...] = indices % 2

    def why_not_encoded(self, inputs):
        if (inputs == 7).any():
            raise KeyError("seven")
        return "" if (inputs == 1).all() else "not all of them are 1"


@hookimpl
def mlpkit_components():
    return [component("dataset", "ones", Ones)]
'''


def test_any_data_set_may_say_what_its_inputs_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(LOCAL)
    (tmp_path / "spec.yaml").write_text(
        "mlpkit: 1\ndata: mine.ones\nlayers: [{Affine: {units: 2}}, SoftmaxWithLoss]\n"
        "training: {optimizer: sgd, batch_size: 2, epochs: 1}\n"
    )
    mlpkit.run(mlpkit.load_spec("spec.yaml", plugins=["mine.py"]), "run")
    network = mlpkit.load_model(MODEL, plugins=["mine.py"])
    assert network.predict([[1, 1]]).shape == (1, 2)
    assert refusal(network, [[1, 2]]) == "the inputs are not encoded as in training: not all of them are 1"
    with pytest.raises(mlpkit.ComponentFailure, match=r"mine\.ones failed in why_not_encoded: KeyError: 'seven'"):
        network.predict([[7, 7]])


def test_numbers_in_the_range_of_raw_ones_are_warned_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    lengths = rng.normal([5.8, 3.1, 3.8], [0.8, 0.4, 1.7], (150, 3)).round(1)
    kinds = rng.choice(["a", "b"], 150)
    rows = "".join(f"{a},{b},{c},{kind}\n" for (a, b, c), kind in zip(lengths, kinds, strict=True))
    (tmp_path / "people.csv").write_text("sepal,width,petal,kind\n" + rows)
    (tmp_path / "spec.yaml").write_text(SPEC.format(categorical="[]", options=""))
    mlpkit.run(mlpkit.load_spec("spec.yaml"), "run")
    network, model = mlpkit.load_model(MODEL), mlpkit.load("run")
    with pytest.warns(UserWarning, match="^the inputs don't look encoded as in training: row .*, which enc"):
        network.predict(lengths)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoded = network.encoder.encode(network.encoder.from_columns(dict(zip(model.columns, lengths.T, strict=True))))
        network.predict(encoded)
        for _ in range(20):  # as large as rows like those of training ever are, and alone
            network.predict(rng.normal(size=(5, 3)))
            network.predict(rng.normal(0, 1.5, size=(1, 3)))
        network.predict(np.ones((1, 3)))
        model.predict(lengths)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_raw_elements_of_arrays_are_warned_of(dtype):
    rng = np.random.default_rng(0)
    x = rng.normal(60, 5, (80, 2)).astype(dtype)
    layers = [{"Affine": {"units": 1}}, "MeanSquaredError"]
    run = mlpkit.fit(x, x[:, 0], layers=layers, standardize=True, epochs=1, dtype=dtype)
    with pytest.warns(UserWarning, match="the inputs don't look encoded as in training: row 0, counted from 0, holds"):
        run.network.predict(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.network.predict(run.network.encoder.encode(x))
        run.network.predict(run.network.encoder.encode(2 * x))
