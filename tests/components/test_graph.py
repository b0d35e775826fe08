"""How components describe themselves in operators."""

from __future__ import annotations

import re

import numpy as np
import pytest

from mlpkit import ComponentFailure, Graph, Layer, Loss, NotExportableError
from mlpkit.components.graph import Feed, Node
from mlpkit.layers import Affine, BatchNorm, Relu, Residual
from mlpkit.testing import standalone


def graph_of(operation, shape, dtype="float32"):
    """Return the graph of a layer or a loss, and the value that it returns."""
    standalone(operation, shape, dtype=dtype)
    graph = Graph(np.dtype(dtype))
    return graph, graph.describe(operation, graph.feed("x", dtype, shape))


def described_by(onnx):
    """Return a new layer whose ``onnx`` is a function."""

    class Described(Layer):
        def forward(self, x):
            return x

        def backward(self, dy):
            return dy

        def onnx(self, graph):
            return onnx(graph)

    return Described()


def test_parameters_enter_by_their_path():
    graph, y = graph_of(Affine(3), (2,))
    assert graph.nodes == [Node("Gemm", ("x", "Affine1.W", "Affine1.b"), (y.name,), {}, "", "Affine1")]
    assert {name: array.shape for name, array in graph.constants.items()} == {"Affine1.W": (2, 3), "Affine1.b": (3,)}


def test_states_enter_by_their_path():
    graph, _ = graph_of(BatchNorm(), (2,))
    assert list(graph.constants)[2:] == ["BatchNorm1.running_mean", "BatchNorm1.running_variance"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_float_has_the_networks_dtype_and_an_integer_is_int64(dtype):
    given = (2.0, np.float64(2), 2, np.array([1, 2], np.int32))
    graph, _ = graph_of(described_by(lambda graph: graph.op("Concat", *given)), (2,), dtype)
    assert [array.dtype.name for array in graph.constants.values()] == [dtype, dtype, "int64", "int32"]


def test_an_optional_input_may_be_left_out():
    graph, _ = graph_of(described_by(lambda graph: graph.op("Clip", graph.input, None, 1.0, domain="d", a=[1])), (2,))
    (node,) = graph.nodes
    assert (node.inputs[:2], node.domain, node.attributes) == (("x", ""), "d", {"a": [1]})


def test_a_layer_inside_is_named_by_its_path_and_takes_what_the_one_before_returns():
    graph, y = graph_of(Residual([Relu(), Affine(2)]), (2,))
    relu, affine, add = graph.nodes
    assert [node.made_by for node in graph.nodes] == ["Residual1.Relu1", "Residual1.Affine1", "Residual1"]
    assert (relu.inputs, affine.inputs[0]) == (("x",), relu.outputs[0])
    assert (add.inputs, add.outputs) == (("x", *affine.outputs), (y.name,))


def test_names_of_values_are_unique():
    def twice(graph):
        return graph.op("Relu", graph.op("Relu", graph.input))

    graph, _ = graph_of(described_by(twice), (2,))
    first, second = (node.outputs[0] for node in graph.nodes)
    assert first != second


def test_a_parameter_in_another_shape_keeps_its_name():
    def transposed(graph):
        return graph.op("Add", graph.input, graph.constant("Described1.W", np.ones((1, 2), np.float32)))

    graph, _ = graph_of(described_by(transposed), (2,))
    assert list(graph.constants) == ["Described1.W"]


def test_a_column_may_be_called_as_a_parameter_is_and_must_have_a_name():
    graph = Graph(np.dtype("float32"))
    feeds = [graph.feed(name, "float32") for name in ("Affine1.W", "b")]
    named = [graph.constant(name, np.ones(2)).name for name in ("Affine1.W", "Affine1.b")]
    assert named == ["Affine1.W/value", "Affine1.b"]
    assert list(graph.constants) == named
    assert list(graph.feeds) == [feed.name for feed in feeds]
    for taken in ("", "Affine1.b", graph.op("Abs", feeds[0]).name):
        with pytest.raises(NotExportableError, match=f"can't be called '{taken}'; rename its column, or leave it out"):
            graph.feed(taken, "float32")


def test_a_raw_input_is_declared_with_all_that_is_known_of_it():
    graph = Graph(np.dtype("float32"))
    graph.feed("town", "str", kind="category", meaning="where", choices=["a", "b"])
    graph.feed("age", "float64", (2,), typical=(40.0, 9.5), extent=(18.0, 99.0))
    assert list(graph.feeds.values()) == [
        Feed("town", "str", (), "category", "where", ("a", "b"), None, None),
        Feed("age", "float64", (2,), "number", "", (), (40.0, 9.5), (18.0, 99.0)),
    ]


def test_a_value_takes_no_name_of_a_raw_input():
    graph = Graph(np.dtype("float32"))
    inputs = [graph.feed(name, "float32") for name in ("x", "Relu_1", "Abs_3")]
    assert [graph.op("Relu", inputs[0]).name, graph.op("Abs", inputs[0]).name] == ["Relu_2", "Abs_4"]


@pytest.mark.parametrize(
    ("dtype", "number"),
    [("float32", 1), (np.uint8, 2), ("int8", 3), ("int32", 6), ("int64", 7), (bool, 9), (np.dtype("float64"), 11)],
)
def test_numbers_are_turned_into_the_type_that_onnx_gives_a_number(dtype, number):
    graph = Graph(np.dtype("float32"))
    y = graph.cast(graph.feed("x", "float32"), dtype)
    assert graph.nodes == [Node("Cast", ("x",), (y.name,), {"to": number}, "", "")]


def test_a_chain_begins_where_it_is_told_to():
    def halves(graph):
        return graph.op("Add", graph.chain(inside), graph.chain(inside, graph.op("Neg", graph.input)))

    inside = [standalone(Relu(), (2,)), standalone(Relu(), (2,))]
    graph, _ = graph_of(described_by(halves), (2,))
    names = {node.outputs[0]: node.operator for node in graph.nodes}
    assert [[names.get(name, name) for name in node.inputs] for node in graph.nodes] == [
        *(["x"], ["Relu"], ["x"], ["Neg"], ["Relu"], ["Relu", "Relu"])
    ]
    assert graph.chain([], inside_value := graph.feed("z", "float32")) == inside_value


def test_onnx_must_return_a_value():
    message = "layer Described1 (Described) returned NoneType from onnx; expected the value that graph.op returned last"
    with pytest.raises(ComponentFailure, match=f"^{re.escape(message)}$"):
        graph_of(described_by(lambda graph: None), (2,))


class Plain(Loss):
    """A loss that predicts its inputs."""

    def build(self, input_shape, target):
        pass

    def forward(self, x, t):
        return 0.0

    def backward(self, dloss=1.0):
        return None


class Predicting(Plain):
    """A loss that predicts something else, and doesn't describe it."""

    def predict(self, x):
        return -x


def test_a_loss_that_predicts_its_inputs_needs_no_onnx():
    graph, y = graph_of(Plain(), (2,))
    assert (graph.nodes, y.name) == ([], "x")


def test_a_loss_with_a_prediction_of_its_own_must_describe_it():
    with pytest.raises(NotExportableError, match=r"^loss Predicting1 \(Predicting\) can't be exported: it has no"):
        graph_of(Predicting(), (2,))
