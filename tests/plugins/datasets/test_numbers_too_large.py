"""Finite numbers that the network's dtype would make infinite: an error with their place, before the first step."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from requirements import Optional

import mlpkit
from mlpkit import DataError
from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.datasets.npy import Npy
from mlpkit_plugins.datasets.npz import Npz
from mlpkit_plugins.encodings.piecewise_linear import PiecewiseLinear

pa = Optional("pyarrow")
pq = Optional("pyarrow.parquet")
Parquet = Optional("mlpkit_plugins.datasets.parquet", "Parquet")

NONE = {"validation": 0, "test": 0}
ENDS = "whose largest number is 3.4e+38; set dtype: float64, or leave out the"


@pytest.fixture
def save(tmp_path, monkeypatch):
    """Return a function that writes a table and arrays, and returns the data sets that read them."""
    monkeypatch.chdir(tmp_path)

    def saved(x, t, **options):
        table = pa.table({"a": np.arange(len(x)) * 1.0, "b": x, "t": t})
        pq.write_table(table, "x.parquet")
        lines = [f"{row['a']!r},{row['b']!r},{row['t']!r}" for row in table.to_pylist()]
        (tmp_path / "x.csv").write_text("\n".join(["a,b,t", *lines]))
        np.save("x.npy", np.stack([table["a"], table["b"]], axis=1))
        np.save("t.npy", t)
        np.savez("x.npz", x=np.load("x.npy"), t=t)
        tables, arrays = NONE | {"split": "shuffle"}, NONE | {"split": "in_order"}
        return {
            "csv": Csv("x.csv", "t", **tables | options),
            "parquet": Parquet("x.parquet", "t", **tables | options),
            "npy": Npy("x.npy", "t.npy", **arrays | options),
            "npz": Npz("x.npz", **arrays | options),
        }

    return saved


def taken(dataset, dtype):
    description = dataset.describe()
    split = dataset.open(0)["train"]
    shape, target_dtype = description.target.array(np.dtype(dtype))
    x = np.empty((len(split), *description.input_shape), dtype)
    t = np.empty((len(split), *shape), target_dtype)
    split.take(np.arange(1), (x[:1], t[:1]))  # the number that is too large is another row's
    split.take(np.arange(len(split)), (x, t))
    return x, t


def message(dataset, dtype=np.float32):
    with pytest.raises(DataError) as caught:
        taken(dataset, dtype)
    return str(caught.value)


X = np.array([0.5, 1.5, 2.5, 1e39, 3.5, -2e39])


def test_an_input_that_float32_can_t_hold(save):
    datasets = save(X, np.arange(6) % 2, standardize=False)
    assert [message(dataset) for dataset in datasets.values()] == [
        f"x.csv, row 7, column 'b': -2e+39 is too large for float32, {ENDS} row",
        f"x.parquet, row 6, column 'b': -2e+39 is too large for float32, {ENDS} row",
        f"x.npy: example 3, element 1: 1e+39 is too large for float32, {ENDS} example",
        f"x.npz, array 'x': example 3, element 1: 1e+39 is too large for float32, {ENDS} example",
    ]
    for dataset in datasets.values():
        np.testing.assert_array_equal(taken(dataset, np.float64)[0][:, 1], X)


def test_inputs_that_scaling_makes_small_enough_are_taken(save):
    for dataset in save(X, np.arange(6) % 2, standardize=True).values():
        assert np.isfinite(taken(dataset, np.float32)[0]).all()


def test_a_target_that_float32_can_t_hold(save):
    datasets = save(np.arange(6.0), X, predict="values")
    assert [message(dataset) for dataset in datasets.values()] == [
        f"x.csv, row 7, column 't': -2e+39 is too large for float32, {ENDS} row",
        f"x.parquet, row 6, column 't': -2e+39 is too large for float32, {ENDS} row",
        f"t.npy: example 3: 1e+39 is too large for float32, {ENDS} example",
        f"x.npz, array 't': example 3: 1e+39 is too large for float32, {ENDS} example",
    ]
    for dataset in datasets.values():
        np.testing.assert_array_equal(taken(dataset, np.float64)[1][:, 0], X)


def test_a_number_that_scaling_makes_too_large(save, tmp_path):
    (tmp_path / "train.csv").write_text("b,t\n1e-30,p\n-1e-30,q\n1e-30,q\n-1e-30,p\n")
    (tmp_path / "test.csv").write_text("b,t\n0,p\n1e9,q\n")
    dataset = Csv("train.csv", "t", validation=0, test="test.csv")
    test = dataset.open(0)["test"]
    expected = f"test.csv, row 3, column 'b': 1e+09, scaled to 1e+39, is too large for float32, {ENDS} row"
    with pytest.raises(DataError) as caught:
        test.take(np.array([0]), (np.empty((1, 1), np.float32), np.empty(1, np.int64)))
    assert str(caught.value) == expected
    datasets = save(np.array([0.5, 1e9, 0.0, 0.0]), np.arange(4) % 2)
    np.save("x.npy", np.array([0.5, 1e9, 0.0, 0.0]))
    divided = Npy("x.npy", "t.npy", **NONE, divide_by=1e-30, split="in_order")
    assert datasets
    assert message(divided) == f"x.npy: example 1: 1e+09, scaled to 1e+39, is too large for float32, {ENDS} example"


@pytest.mark.parametrize("number", ["-4e+39", "4e+39"])
def test_each_element_that_a_number_becomes_must_fit(tmp_path, number):
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    train.write_text("b,t\n" + "".join(f"{i},{'pq'[i % 2]}\n" for i in range(9)))
    test.write_text(f"b,t\n0,p\n{number},q\n")
    dataset = Csv(str(train), "t", validation=0, test=str(test), numbers=PiecewiseLinear(bins=2))
    scaled = number.replace("4", "1")
    said = re.escape(f"test.csv, row 3, column 'b': {number}, scaled to {scaled}, is too large for float32")
    with pytest.raises(DataError, match=said):
        dataset.open(0)["test"].take(np.array([0]), (np.empty((1, 2), np.float32), np.empty(1, np.int64)))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=4, max_size=20, unique=True))
def test_what_is_taken_is_finite_or_an_error(tmp_path_factory, numbers):
    folder = tmp_path_factory.getbasetemp()
    numbers += [0.0] * (len(numbers) % 2)
    x = np.array(numbers)
    np.save(folder / "x.npy", x)
    np.save(folder / "t.npy", np.arange(len(x)) % 2)
    np.savetxt(folder / "x.csv", np.stack([x, np.arange(len(x)) % 2], axis=1), "%.17g", ",", header="x,t", comments="")
    options = NONE | {"standardize": False}
    arrays = Npy(str(folder / "x.npy"), str(folder / "t.npy"), split="in_order", **options)
    for dataset in (arrays, Csv(str(folder / "x.csv"), "t", split="shuffle", **options)):
        with np.errstate(over="ignore"):
            held = np.isfinite(x.astype(np.float32)).all()
        if held:
            assert np.isfinite(taken(dataset, np.float32)[0]).all()
        else:
            assert re.search("is too large for float32|standard deviation overflows", message(dataset))


def test_a_run_says_so_before_its_first_step(save, tmp_path):
    save(X, np.arange(6) % 2)
    (tmp_path / "spec.yaml").write_text(
        "mlpkit: 1\n"
        "data: {csv: {file: x.csv, target: t, standardize: false, validation: 0, test: 0}}\n"
        "layers: [{Affine: {units: 2}}, SoftmaxWithLoss]\n"
        "training: {optimizer: sgd, batch_size: 2, iterations: 3}\n"
    )
    with pytest.raises(DataError, match=r"row 7, column 'b': -2e\+39 is too large for float32"):
        mlpkit.run(mlpkit.load_spec("spec.yaml"))
