"""Layers for some columns of the inputs."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from requirements import require_package

import mlpkit
from mlpkit import Graph, InputColumn, InputShape, Sequential, SpecError
from mlpkit.graph.evaluator import evaluate
from mlpkit.network.shape_proof import StackError
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.columns import Columns
from mlpkit_plugins.layers.dropout import Dropout
from mlpkit_plugins.layers.embedding import Embedding
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.reshape import Reshape
from mlpkit_plugins.layers.sequence import Sequence
from mlpkit_plugins.layers.sigmoid import Sigmoid
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

TABLE = (
    InputColumn("age", "numbers"),
    InputColumn("town", "categories", values=3),
    InputColumn("sex", "one_hot", width=2),
    InputColumn("income", "numbers"),
)
SHAPE = InputShape((5,), TABLE)
ROWS = np.array([[0.5, 1, 1, 0, -2.0], [1.5, 2, 0, 1, 4.0]])


def test_is_the_formula():
    layer = standalone(Columns(numbers=[Affine(1, bias=False)], categories=[Embedding(2)]), SHAPE)
    weights, vectors = layer.declared_parameters()
    weights.value[...] = [[1], [10]]
    vectors.value[...] = [0, 0, 5, 6, 7, 8]
    # numbers first, then what is one-hot and passes unchanged, then categories
    np.testing.assert_array_equal(layer.forward(ROWS), [[-19.5, 1, 0, 5, 6], [41.5, 0, 1, 7, 8]])
    dx = layer.backward(np.array([[1.0, 2, 3, 4, 5], [2, 3, 4, 5, 6]]))
    np.testing.assert_array_equal(dx, [[1, 0, 2, 3, 10], [2, 0, 3, 4, 20]])
    np.testing.assert_array_equal(weights.grad[:, 0], [0.5 + 3, -2 + 8])
    np.testing.assert_array_equal(vectors.grad, [0, 0, 4, 5, 5, 6])


def test_layers_inside_keep_their_names_and_pass_columns_on():
    inside = [Sequence([Embedding(2)]), Dropout(0.5)]
    stack = [Columns(categories=inside), Affine(2), SoftmaxWithLoss()]
    network = Sequential(stack, SHAPE)
    assert "Columns1.categories.Sequence1.Embedding1.E" in network.parameters
    for copied in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert copied.input_shape.columns == TABLE
        np.testing.assert_array_equal(copied.predict(ROWS), network.predict(ROWS))


def test_outputs_of_several_axes_are_a_row_in_the_graph_too():
    layer = standalone(Columns(numbers=[Affine(6), Reshape([2, 3])], categories=[Embedding(2)]), SHAPE)
    graph = Graph(np.dtype("float64"), (5,))
    graph.outputs["y"] = graph.describe(layer, graph.feed("x", "float64", (5,)))
    found = evaluate(graph, {"x": ROWS})["y"]
    assert found.shape == (2, 6 + 2 + 2)
    np.testing.assert_allclose(found, layer.forward(ROWS), rtol=1e-12)
    dx = layer.backward(np.ones((2, 10)))
    np.testing.assert_allclose(dx[:, [0, 4]], [layer.groups[0].inside.layers[0].W.value.sum(axis=1)] * 2, rtol=1e-12)


def test_gradients_are_those_of_central_differences():
    check_gradients(Columns(numbers=[Affine(3), Sigmoid()], one_hot=[Affine(2)]), SHAPE, rows=4)


@pytest.mark.parametrize(
    ("stack", "shape", "said"),
    [
        ([Columns(numbers=[Relu()])], (5,), "Columns1 can't know which of its inputs are which columns"),
        ([Relu(), Columns(numbers=[Relu()])], SHAPE, "Columns1 can't know which of its inputs are which columns"),
        (
            [Columns(dates=[Relu()])],
            SHAPE,
            "Columns1 has layers for dates, but the inputs hold none; expected layers for numbers, categories, "
            "one_hot; leave it out",
        ),
        (
            [Columns(categories=[Relu()])],
            InputShape((1,), TABLE[:1]),
            "Columns1 has layers for categories, but the inputs hold none; expected layers for numbers; set "
            "categories: index in the data set, or leave it out",
        ),
        ([Embedding(2)], SHAPE, "column 'age' holds numbers; expected indices of categories alone"),
        ([Relu(), Embedding(2)], (3,), "they come from no columns of the data"),
    ],
)
def test_errors(stack, shape, said):
    with pytest.raises(StackError, match=said):
        Sequential([*(copy.deepcopy(layer) for layer in stack), SoftmaxWithLoss()], shape)


SPEC = """\
mlpkit: 1
data: {csv: {file: t.csv, target: y, categorical: [town], categories: one_hot, validation: 0, test: 0.5}}
layers:
  - Columns:
      numbers: [Sigmoid]
      categories: [Embedding]
  - Affine: {units: auto}
  - SoftmaxWithLoss
training: {optimizer: sgd, batch_size: 4, epochs: 2}
"""


@pytest.fixture
def spec(tmp_path, monkeypatch):
    """Write a table, and return a function that writes the spec with changes."""
    monkeypatch.chdir(tmp_path)
    towns = ["Ulm", "Bonn", "Rom"]
    lines = [f"{i % 7},{towns[i % 3]},{i * 0.5},{'ab'[i % 2]}" for i in range(200)]
    (tmp_path / "t.csv").write_text("\n".join(["age,town,income,y", *lines]))

    def written(*changes):
        text = SPEC
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "s.yaml").write_text(text)
        return mlpkit.load_spec("s.yaml")

    return written


def test_an_error_stands_at_the_specs_line(spec):
    with pytest.raises(SpecError) as caught:
        mlpkit.build(spec())
    assert (
        str(caught.value)
        == """\
s.yaml:4:5: Columns1 has layers for categories, but the inputs hold none
    4 |   - Columns:
      |     ^^^^^^^
  expected: layers for numbers, one_hot
  help: set categories: index in the data set, or leave it out
  note: its inputs, of shape (5,), come from the data (csv) at s.yaml:2:1"""
    )


def test_a_group_that_there_is_not_is_an_error(spec):
    with pytest.raises(SpecError, match=r"s.yaml:5:7: .*'number'"):
        spec(("numbers:", "number:"))


def test_a_trained_model_loads_predicts_and_exports(spec, tmp_path):
    trained = mlpkit.run(spec(("categories: one_hot", "categories: index, numbers: quantile")), tmp_path / "r")
    model = mlpkit.load(tmp_path / "r")
    rows = [{"age": 3, "town": "Rom", "income": 2.5}, {"age": 1, "town": "Oslo", "income": 0}]
    with pytest.raises(mlpkit.DataError, match="Oslo"):
        model.predict(rows)
    assert len(model.predict(rows[:1])) == 1
    assert model.network.input_shape.columns == trained.network.input_shape.columns
    for ending in ("onnx", "c", "js"):
        mlpkit.export(tmp_path / "r", tmp_path / f"m.{ending}")  # which proves it on the test rows


def test_frames_are_routed_too():
    frame = {"age": np.arange(40.0), "town": np.array(["Ulm", "Bonn"] * 20, object), "income": np.ones(40)}
    pd = require_package("pandas")
    layers = [
        {"Columns": {"numbers": ["Sigmoid"], "categories": [{"Embedding": {"size": 2}}]}},
        {"Affine": {"units": 2}},
        "SoftmaxWithLoss",
    ]
    run = mlpkit.fit(
        pd.DataFrame(frame),
        frame["town"],
        layers=layers,
        categories="index",
        numbers="robust_smooth_clip",
        numbers_by_column={"age": "min_max"},
        epochs=1,
        batch_size=8,
        quiet=True,
    )
    assert [tuple(column) for column in run.network.input_shape.columns] == [
        ("age", "numbers", 1, 0),
        ("town", "categories", 1, 3),
    ]
    encoded = run.network.encoder.encode(pd.DataFrame(frame))
    np.testing.assert_allclose(encoded[:, 0], np.arange(40) / 39, rtol=1e-6)
    np.testing.assert_array_equal(encoded[:, 1], [2, 1] * 20)
