"""Vectors for categories."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Graph, InputColumn, InputShape
from mlpkit.graph.evaluator import evaluate
from mlpkit.network.shape_proof import StackError
from mlpkit.testing import standalone
from mlpkit_plugins.layers.embedding import Embedding

COUNTS = (4, 3)


def built(size=2, **more):
    layer = standalone(Embedding(size, values=COUNTS, **more), (2,))
    (vectors,) = layer.declared_parameters()
    return layer, vectors


def test_takes_the_vector_of_each_index():
    layer, vectors = built()
    vectors.value[...] = np.arange(14)
    np.testing.assert_array_equal(layer.forward(np.array([[0.0, 0], [3, 2]])), [[0, 1, 8, 9], [6, 7, 12, 13]])


def test_what_is_no_index_counts_as_missing():
    layer, _ = built()
    missing = layer.forward(np.zeros((1, 2))).copy()
    graph = Graph(np.dtype("float64"), (2,))
    graph.outputs["y"] = graph.describe(layer, graph.feed("x", "float64", (2,)))
    for strange in (-1.0, 4.0, 1e9):
        x = np.full((1, 2), strange)
        np.testing.assert_array_equal(layer.forward(x), missing)
        np.testing.assert_array_equal(evaluate(graph, {"x": x})["y"], missing)


def test_gradients_of_rows_with_the_same_category_are_added():
    layer, vectors = built()
    layer.forward(np.array([[1.0, 0], [1, 2], [2, 0]]))
    dx = layer.backward(np.arange(12.0).reshape(3, 4))
    expected = np.zeros(14)
    expected[2:4] = [0 + 4, 1 + 5]
    expected[4:6] = [8, 9]
    expected[8:10] = [2 + 10, 3 + 11]
    expected[12:14] = [6, 7]
    np.testing.assert_array_equal(vectors.grad, expected)
    np.testing.assert_array_equal(dx, np.zeros((3, 2)))


def test_first_values_are_standard_normal_numbers():
    layer = standalone(Embedding(100, values=(200,)), (1,))
    (vectors,) = layer.declared_parameters()
    assert abs(vectors.value.mean()) < 0.03
    assert abs(vectors.value.std() - 1) < 0.03


def test_auto_gives_each_column_the_length_of_fastai():
    layer = standalone(Embedding(values=(3, 20, 500)), (3,))
    assert layer.sizes == [3, 9, 52]
    assert layer.flops((3,)) == 64
    assert layer.forward(np.ones((2, 3))).shape == (2, 64)


@pytest.mark.parametrize(("count", "length"), [(1, 2), (2, 2), (3, 3), (39_700, 600), (39_000, 596), (10**6, 600)])
def test_the_length_of_fastai_has_a_bound(count, length):
    assert Embedding(values=(count,))._size(count) == length


def test_the_counts_are_those_of_the_datas_columns():
    columns = [InputColumn("town", "categories", values=3), InputColumn("job", "categories", values=5)]
    layer = standalone(Embedding(2), InputShape((2,), columns))
    (vectors,) = layer.declared_parameters()
    assert vectors.shape == (2 * 3 + 2 * 5,)
    vectors.value[...] = np.arange(16)
    np.testing.assert_array_equal(layer.forward(np.array([[2.0, 4], [3, 5]])), [[4, 5, 14, 15], [0, 1, 6, 7]])


TOWN = InputColumn("town", "categories", values=3)
UNKNOWN = (
    "Embedding1 can't know how many categories its inputs have: {}; expected indices of categories alone; set "
    "categories: index in the data set, and put it into Columns: {{categories: [...]}} at the network's input; or give "
    "values"
)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            Embedding(values=(3, 4)),
            (3,),
            "Embedding1 has 2 values, and its inputs 3 columns; expected one for each column",
        ),
        (Embedding(), (3,), UNKNOWN.format("they come from no columns of the data")),
        (Embedding(), InputShape((3,), []), UNKNOWN.format("they come from no columns of the data")),
        (
            Embedding(),
            InputShape((4,), [TOWN, InputColumn("sex", "one_hot", width=2), InputColumn("age", "numbers")]),
            UNKNOWN.format("column 'sex' holds one_hot"),
        ),
    ],
)
def test_inputs_that_are_not_indices_are_refused(layer, shape, message):
    with pytest.raises(StackError) as caught:
        standalone(layer, shape)
    assert str(caught.value.cause) == message


def test_a_hundred_steps_as_with_one_hot_rows():
    """An embedding is a one-hot encoding times a matrix."""
    layer, vectors = built(3)
    rng = np.random.default_rng(0)
    matrices = [vectors.value[:12].reshape(4, 3).copy(), vectors.value[12:].reshape(3, 3).copy()]
    for _ in range(100):
        x = np.stack([rng.integers(0, count, 16) for count in COUNTS], axis=1)
        dy = rng.normal(size=(16, 6)) + layer.forward(x.astype(float))
        one_hot = [np.eye(count)[x[:, i]] for i, count in enumerate(COUNTS)]
        expected = np.concatenate([each @ matrix for each, matrix in zip(one_hot, matrices, strict=True)], axis=1)
        np.testing.assert_allclose(layer.forward(x.astype(float)), expected, atol=1e-9)
        for i in range(2):
            matrices[i] -= 0.05 * one_hot[i].T @ dy[:, 3 * i : 3 * i + 3]
        layer.backward(dy.copy())
        vectors.value -= 0.05 * vectors.grad
