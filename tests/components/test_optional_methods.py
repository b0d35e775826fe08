"""What components do unless they say otherwise: data sets, callbacks."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mlpkit import (
    Callback,
    Classes,
    DataError,
    Dataset,
    Encoding,
    Graph,
    Initializer,
    Layer,
    Loss,
    NotExportableError,
    Progress,
    TrainingView,
)
from mlpkit.components.engine import Engine


class Points(Dataset):
    """A data set with nothing beyond what it must have."""

    def describe(self):
        raise NotImplementedError

    def open(self, seed):
        raise NotImplementedError


def test_a_data_set_takes_raw_inputs_as_they_are_and_remembers_nothing():
    points, raw = Points(), np.ones((2, 3))
    assert points.encode(raw) is raw
    assert points.encoder_state() == {}
    assert points.load_encoder_state({}) is None
    assert points.fingerprint() == ""
    assert points.class_names() is None
    assert points.warnings() == ()
    assert points.target_remedy() == ""
    assert points.row_names(Path("points.csv")) is None
    assert points.parameters_for({"train": (raw, raw)}, {"seed": 3}) is None
    assert points.layers_for({"train": (raw, raw)}, {}) == ()
    assert points.columns_of_rows(["x"]) == points.columns_of_rows(["x"], {"x": [1]}) == []
    points.raw_columns = lambda: [SimpleNamespace(name=name) for name in "xyz"]
    assert [column.name for column in points.columns_of_rows(["z", "x", "a"])] == ["x", "z"]
    assert points.columns_of_rows(["z", "x"], {"x": [1]}) == []


def test_a_data_set_without_formats_of_its_own_says_which_there_are():
    with pytest.raises(DataError, match=r"^points\.csv: unknown file type '\.csv'; expected \.npy or \.npz$"):
        Points().read(Path("points.csv"))


def test_a_data_set_without_columns_says_so_of_what_was_given():
    points = Points()
    assert points.column_names() is None
    for method, given, message in (
        (points.from_columns, {"x": [1]}, "the rows: this data set takes an array, not named columns"),
        (points.read_examples, {"x": [1]}, "the rows: this data set doesn't read inputs and targets together; "),
        (points.read_examples, Path("x.npy"), "x.npy: this data set doesn't read inputs and targets together; "),
        (points.read_table, Path("x.csv"), "x.csv: this data set can't return the raw columns of a file"),
    ):
        with pytest.raises(DataError) as caught:
            method(given)
        assert str(caught.value).startswith(message)


def test_a_callback_does_nothing_unless_it_is_written():
    callback = Callback()
    view = TrainingView(Progress(0, 0.0, 10), {})
    callback.on_start(view)
    callback.on_step(view, 0.5)
    callback.on_evaluation(view, {"train_loss": 0.5})
    callback.on_end(view)
    callback.load_state(callback.state())
    assert callback.state() == {}
    assert (view.stop_reason, view.folder) == ("", None)
    assert [array.size for array in view.weights.copy()] == [0, 0]


def test_a_callback_may_ask_to_stop():
    view = TrainingView(Progress(0, 0.0, 10), {})
    view.stop("the loss no longer falls")
    assert view.stop_reason == "the loss no longer falls"


class Halves(Encoding):
    """An encoding with nothing beyond what it must have."""

    def fit(self, columns):
        return {}

    def encode(self, numbers, learned):
        return numbers / 2


def test_an_encoding_has_the_names_of_its_columns_and_must_describe_itself_to_be_exported():
    assert Halves().features(["a", "b"], {}) == [("a",), ("b",)]
    graph = Graph(np.dtype("float64"))
    with pytest.raises(NotExportableError) as caught:
        Halves().onnx(graph, graph.feed("x", "float64"), {})
    assert str(caught.value) == (
        "the encoding Halves can't be exported: it has no method onnx; export the network alone with --network-only"
    )


class Ones(Initializer):
    """Fills a parameter with ones."""

    def __call__(self, shape, fans, rng, dtype):
        return np.ones(shape, dtype)


def test_an_initializer_leaves_values_as_they_are_and_sees_no_inputs():
    values = np.ones((2, 3))
    assert Ones().adapt(values, lambda values: values, -1, np.random.default_rng(0)) is values
    assert not Ones().sees_inputs


class Plain(Loss):
    """A loss with nothing beyond what it must have."""

    def build(self, input_shape, target):
        pass

    def forward(self, x, t):
        return float(np.abs(x - t).mean())

    def backward(self, dloss=1.0):
        raise NotImplementedError


def test_a_loss_predicts_its_inputs_and_compares_predictions_as_such():
    loss, x = Plain(), np.array([[0.5], [2.0]])
    assert loss.expected_inputs(Classes(3)) is None
    assert loss.best_constant(x) is None
    assert loss.predict(x) is loss.point_prediction(x) is loss.inputs_for(x) is x
    assert loss.prediction_loss(x, np.array([[1.0], [4.0]])) == 1.25
    assert loss.prediction_names() is None
    assert loss.can_be_averaged
    out = np.empty((2, 1))
    assert loss.exp(x, out) is out
    np.testing.assert_array_equal(out, np.exp(x))
    assert (loss.weight(np.zeros(3)), loss.weight(np.zeros(2), np.array([0.25, 4.0])), loss.flops((3,))) == (3, 4.25, 0)


class Same(Layer):
    """A layer with nothing beyond what it must have."""

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


def test_a_layer_keeps_the_shape_and_has_no_plan():
    assert Same().build((2, 3)) == (2, 3)
    assert Same().prediction_plan(np.ones((1, 3))) is None
    assert Same().flops((3,)) == 0


class Alone(Engine):
    """An engine with nothing beyond what it must have."""

    def start(self, most):
        raise NotImplementedError


def test_an_engine_shares_no_ranks_unless_it_says_so():
    assert not Alone.shares_ranks
    for method in (Alone().serve, Alone().release_ranks):
        with pytest.raises(NotImplementedError):
            method()
