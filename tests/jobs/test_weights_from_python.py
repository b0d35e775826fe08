"""Weights of examples in memory: in ``mlpkit.fit``, ``network.fit``, ``mlpkit.resume`` and ``Model.evaluate``."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requirements import Optional
from stop_at import StopAt

import mlpkit

pd = Optional("pandas")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3))
T = np.where(X[:, 0] > 0.7, "rare", np.where(X.sum(axis=1) > 0, "one", "other"))
VALUES = X[:, :2] @ [[1.0, 2.0], [0.5, -1.0]]
LAYERS = [
    {"Affine": {"units": 4}},
    "Tanh",
    {"Affine": {"units": 3}},
    {"SoftmaxWithLoss": {"class_weights": "balanced"}},
]
OF_VALUES = [{"Affine": {"units": 2}}, "MeanSquaredError"]
HOW = {"dtype": "float64", "epochs": 10, "optimizer": {"sgd": {"learning_rate": 0.3}}}


def message_of(kind, *arguments, **options):
    with pytest.raises(kind) as caught:
        mlpkit.fit(*arguments, layers=LAYERS, **HOW, **options)
    return str(caught.value)


def expect_same(one, other):
    np.testing.assert_allclose(one.network.values, other.network.values, rtol=1e-8, atol=1e-11)
    for record, expected in zip(one.history, other.history, strict=True):
        assert record == pytest.approx(expected, rel=1e-8)


@settings(deadline=None, max_examples=15)
@given(repeats=st.lists(st.integers(0, 3), min_size=30, max_size=30))
def test_with_full_batches_weights_are_repeated_examples(repeats):
    rows, validation = np.repeat(np.arange(30), repeats), np.repeat(np.arange(5), [2, 0, 1, 1, 3])
    if len(np.unique(T[rows])) < 3:
        return
    own = (X[:5], T[:5], [2, 0, 1, 1, 3])
    options = {"layers": LAYERS, "metrics": ["accuracy", "f1", "roc_auc"], **HOW}
    one = mlpkit.fit(X, T, weights=repeats, validation=own, batch_size=sum(map(bool, repeats)), **options)
    repeated = (X[validation], T[validation])
    other = mlpkit.fit(X[rows], T[rows], validation=repeated, batch_size=len(rows), **options)
    expect_same(one, other)
    assert one.metrics["validation"] == pytest.approx(other.metrics["validation"], rel=1e-8)


def test_of_values_and_frames_too():
    repeats = RNG.integers(0, 3, 30)
    rows, frame = np.repeat(np.arange(30), repeats), pd.DataFrame(X, columns=["a", "b", "c"])
    unscaled = {"scale_target": "none", "standardize": False}  # scaling doesn't see weights
    options = {"layers": OF_VALUES, "metrics": ["r2"], **unscaled, **HOW}
    one = mlpkit.fit(frame, VALUES, weights=pd.Series(repeats), **options | {"batch_size": int((repeats > 0).sum())})
    other = mlpkit.fit(frame.iloc[rows], VALUES[rows], **options | {"batch_size": len(rows)})
    expect_same(one, other)


def test_examples_of_weight_0_are_left_out_and_weights_of_1_change_nothing():
    weights = np.ones(30)
    plain, ones = mlpkit.fit(X, T, layers=LAYERS, **HOW), mlpkit.fit(X, T, weights=weights, layers=LAYERS, **HOW)
    expect_same(ones, plain)
    weights[::3] = 0
    kept = weights > 0
    some = mlpkit.fit(X, T, weights=weights, layers=LAYERS, standardize=True, **HOW)
    expect_same(some, mlpkit.fit(X[kept], T[kept], layers=LAYERS, standardize=True, **HOW))


def test_shares_for_validation_take_their_weights_along():
    weights = RNG.uniform(0.1, 3, 30)
    options = {"validation": 0.3, "layers": LAYERS, **HOW}
    one, other = (mlpkit.fit(X, T, weights=w, **options) for w in (weights, 1000 * weights))
    plain = mlpkit.fit(X, T, **options)
    assert one.metrics["validation"] == pytest.approx(other.metrics["validation"], rel=1e-8)
    assert one.metrics["validation"]["loss"] != pytest.approx(plain.metrics["validation"]["loss"], rel=1e-3)


def test_only_the_validation_may_have_weights():
    run = mlpkit.fit(X, T, validation=(X, T, np.arange(30) % 2), layers=LAYERS, **HOW)
    half = mlpkit.fit(X, T, validation=(X[1::2], T[1::2]), layers=LAYERS, **HOW)
    expect_same(run, half)


WRONG = [
    ([1, 2], "weights: has the shape (2,); expected (30,), a number for each example"),
    (
        [1.0] * 29 + [-1],
        "weights: the weight of example 29 is -1; expected 0 or more; write such a number, or leave out the example",
    ),
    (
        [np.nan] * 30,
        "weights: the weight of example 0 is nan; expected 0 or more; write such a number, or leave out the example",
    ),
    ([0] * 30, "weights: the weight of every example is 0"),
    (["x"] * 30, "weights: is not an array of numbers: could not convert string to float: 'x'"),
]


@pytest.mark.parametrize(("weights", "said"), WRONG)
def test_wrong_weights_are_refused(weights, said):
    assert message_of(mlpkit.DataError, X, T, weights=weights) == said
    own = (X, T, weights)
    assert message_of(mlpkit.DataError, X, T, validation=own) == said.replace("weights:", "weights of validation:")


def test_a_metric_that_takes_no_weights_is_named():
    said = message_of(mlpkit.SpecError, X, T, weights=np.ones(30), metrics=["accuracy", "confusion_matrix"])
    assert said == (
        "training.metrics[1]: confusion_matrix doesn't take weights of examples\n"
        "  help: use another metric, or leave out the weights\n"
        "  note: the weights of the examples come from the data (in_memory) at data"
    )


def test_a_network_goes_on_with_other_weights():
    network = mlpkit.fit(X, T, layers=LAYERS, **HOW).network
    rows = np.repeat(np.arange(30), 2)
    options = {"optimizer": "sgd", "epochs": 2}
    once = mlpkit.fit(X, T, layers=LAYERS, **HOW).network
    network.fit(X, T, weights=np.full(30, 2), batch_size=30, **options)
    once.fit(X[rows], T[rows], batch_size=60, **options)
    np.testing.assert_allclose(network.values, once.values, rtol=1e-9, atol=1e-12)


def test_a_run_goes_on_with_the_same_weights_to_the_same_bits(tmp_path):
    weights = RNG.uniform(0.1, 3, 30)
    options = {"layers": LAYERS, "weights": weights, "batch_size": 10, **HOW}
    whole, watch = mlpkit.fit(X, T, directory=tmp_path / "whole", **options), StopAt(6)
    mlpkit.fit(X, T, directory=tmp_path / "run", observer=watch, stop=watch.stop, **options)
    with pytest.raises(mlpkit.RunFolderError, match="can't be resumed"):
        mlpkit.resume(tmp_path / "run", examples=(X, T, weights[::-1]))
    run = mlpkit.resume(tmp_path / "run", examples=(X, T, weights))
    assert np.array_equal(run.network.values, whole.network.values)
    assert run.history == whole.history


@pytest.fixture
def model():
    return mlpkit.fit(X, T, layers=LAYERS, metrics=["accuracy"], **HOW).model


def test_a_model_evaluates_rows_that_have_weights(model):
    repeats = RNG.integers(0, 3, 30)
    rows = np.repeat(np.arange(30), repeats)
    found = model.evaluate(X, T, weights=repeats)
    assert found == pytest.approx(model.evaluate(X[rows], T[rows]), rel=1e-9)
    with pytest.raises(mlpkit.UsageError) as caught:
        model.evaluate(X[:2], T[:2], weights=[1, -1])
    assert str(caught.value) == "the weight of row 1, counted from 0, is -1; expected a number, at least 0"


def test_weights_stand_in_a_table_or_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "kind": T, "w": RNG.integers(1, 4, 30)})
    table.to_csv("table.csv", index=False)
    data = {"csv": {"file": "table.csv", "target": "kind", "weight": "w", "validation": 0, "test": 0}}
    training = {"optimizer": "sgd", "epochs": 2, "metrics": ["accuracy"]}
    spec = mlpkit.load_spec({"mlpkit": 1, "data": data, "layers": LAYERS, "training": training})
    model = mlpkit.run(spec).model
    found = model.evaluate(table)
    assert found == model.evaluate("table.csv")
    assert found == pytest.approx(model.evaluate(table[["a", "b"]], table["kind"], weights=table["w"]))
    assert found != pytest.approx(model.evaluate(table, table["kind"]))
    with pytest.raises(mlpkit.UsageError) as caught:
        model.evaluate(table, weights=table["w"])
    assert str(caught.value) == "the rows have weights already, in a column; leave out the other weights"
